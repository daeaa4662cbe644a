/// Which rows can still be among the first n, judged by their first sort key alone.
///
/// Made from the first key of the n-th best row so far. A row whose key lies behind it cannot enter
/// any more; one whose key is equal may, by its other keys. Columns that would need the full rules
/// row by row are let through, so the test is a saving and never a decision.
package struct SortThreshold: Sendable {
  private let bound: Value
  private let isDescending: Bool
  private let integers: IntegerTest
  private let doubles: DoubleTest

  package init(bound: Value, isDescending: Bool) {
    self.bound = bound
    self.isDescending = isDescending
    @Sendable func isWithin(_ value: Value) -> Bool {
      SortOrder.order(value, bound) != (isDescending ? .less : .greater)
    }
    let comparison: FieldPredicate.Comparison = isDescending ? .greaterOrEqual : .lessOrEqual
    integers = IntegerTest(comparison) { isWithin(.integer($1)) }
    // Of equal numbers the text decides, which the test does not know.
    let number = bound.number?.asDouble
    doubles = DoubleTest(comparison) { _, double in
      guard let number else { return isWithin(.double(double)) }
      return isDescending ? double >= number : double <= number
    }
  }

  /// The rows that are not certainly behind the bound.
  package func rows(of key: ColumnVector) -> Bitmap {
    switch key {
    case .integers(let v), .timestamps(let v):
      let values = v.values
      return withMissing(
        Bitmap(count: values.count) { integers.holds(values[$0]) }, v.validity)
    case .doubles(let v):
      let values = v.values
      return withMissing(Bitmap(count: values.count) { doubles.holds(values[$0]) }, v.validity)
    case .decimals(let v):
      return withMissing(
        Bitmap(count: v.mantissas.count) {
          doubles.holds(DecimalNumber.double(mantissa: v.mantissas[$0], scale: v.scale(at: $0)))
        }, v.validity)
    case .dictionary(let v):
      let entries = v.entries.values()
      return withMissing(
        v.rows(whereEntry: Bitmap(count: entries.count) { isWithin(entries[$0]) }),
        key.presence())
    default:
      return Bitmap(repeating: true, count: key.count)
    }
  }

  private func isWithin(_ value: Value) -> Bool {
    SortOrder.order(value, bound) != (isDescending ? .less : .greater)
  }

  /// Missing rows come first ascending and last descending.
  private func withMissing(_ rows: Bitmap, _ validity: Bitmap?) -> Bitmap {
    guard let validity else { return rows }
    var result = rows
    result.formIntersection(validity)
    if isWithin(.missing) {
      var missing = validity
      missing.invert()
      result.formUnion(missing)
    }
    return result
  }
}

/// Keeps the first n rows, in the order of their keys, of a stream of batches.
///
/// Rows equal in all keys stay in the order in which they were added. Workers that add in an order of
/// their own must bring keys that tell any two rows apart (time and arrival); then what is kept does
/// not depend on them.
package struct TopN: Sendable {
  private let limit: Int
  private let descending: [Bool]
  private var pieces: [ColumnBatch] = []
  private var rowCount = 0
  private var threshold: SortThreshold?

  /// - Parameter descending: the directions of the keys, which are the first columns of each batch.
  package init(limit: Int, descending: [Bool]) {
    self.limit = limit
    self.descending = descending
  }

  /// Rows held at the moment.
  package var heldRowCount: Int { rowCount }

  /// Adds the rows of a batch; those that cannot be kept are dropped at once.
  ///
  /// - Precondition: every batch has the same columns, the keys first.
  package mutating func add(_ batch: ColumnBatch) {
    guard limit > 0, batch.rowCount > 0 else { return }
    var batch = batch
    if let threshold, !descending.isEmpty {
      batch = batch.compress(threshold.rows(of: batch.columns[0]))
      if batch.rowCount == 0 { return }
    }
    pieces.append(batch)
    rowCount += batch.rowCount
    if rowCount > 2 * limit + 4096 { cut() }
  }

  /// The rows kept, in order; `nil` when none was added.
  package mutating func finish() -> ColumnBatch? {
    if pieces.isEmpty { return nil }
    cut()
    return pieces[0]
  }

  private mutating func cut() {
    let whole = ColumnBatch.concatenate(pieces)
    let keys = Array(whole.columns[..<descending.count])
    let rows = SortKernel.order(
      keys: keys, descending: descending, rowCount: whole.rowCount, limit: limit)
    let kept = whole.gather(rows)
    pieces = [kept]
    rowCount = kept.rowCount
    if kept.rowCount == limit, let first = kept.columns.first, !descending.isEmpty {
      threshold = SortThreshold(bound: first.value(at: limit - 1), isDescending: descending[0])
    }
  }
}
