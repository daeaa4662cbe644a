/// A test `column in [literals]`, prepared once for any number of batches.
///
/// Up to eight literals are compared one after the other. Of more, those that single out one whole
/// number or one text go into hash tables, and the rest is compared.
package struct MembershipTest: Sendable {
  private let comparisons: [LiteralComparison]
  /// Whole numbers of which one literal each is the only equal; empty for short lists.
  private var integers = WordTable()
  private var timestamps = WordTable()
  /// Literals that are texts; a column of texts finds them by bytes.
  private var texts = ByteTable()
  /// Literals that such a table cannot stand for, by kind of column.
  private var restOfIntegers: [LiteralComparison] = []
  private var restOfTimestamps: [LiteralComparison] = []
  private var restOfTexts: [LiteralComparison] = []

  private static let shortCount = 8

  /// - Parameter literals: missing ones are passed over, as no value equals them.
  package init(_ literals: [Value]) {
    comparisons = literals.filter { !$0.isMissing }.map { LiteralComparison(.equal, $0) }
    if comparisons.count <= Self.shortCount { return }
    for comparison in comparisons {
      if let number = comparison.onlyInteger {
        _ = integers.insert(UInt64(bitPattern: number))
      } else {
        restOfIntegers.append(comparison)
      }
      if let number = comparison.onlyTimestamp {
        _ = timestamps.insert(UInt64(bitPattern: number))
      } else {
        restOfTimestamps.append(comparison)
      }
      if case .string(var text) = comparison.literal, !text.unicodeScalars.contains("\u{FFFD}") {
        _ = text.withUTF8 { texts.insert($0) }
      } else {
        restOfTexts.append(comparison)
      }
    }
  }

  /// The rows whose value equals one of the literals.
  package func rows(of column: ColumnVector) -> Bitmap {
    if case .dictionary(let v) = column { return v.rows(whereEntry: rows(of: v.entries)) }
    if comparisons.count <= Self.shortCount { return rows(of: column, comparisons) }
    switch column {
    case .integers(let v):
      return rows(of: v, integers).union(rows(of: column, restOfIntegers))
    case .timestamps(let v):
      return rows(of: v, timestamps).union(rows(of: column, restOfTimestamps))
    case .strings(let v):
      let found = v.bytes.withUnsafeBufferPointer { bytes in
        Bitmap(count: v.count) {
          texts.find(UnsafeBufferPointer(rebasing: bytes[v.range($0)])) != nil
        }
      }.masked(v.validity)
      return found.union(rows(of: column, restOfTexts))
    default:
      return rows(of: column, comparisons)
    }
  }

  /// The rows whose value equals none of the literals; not those that are missing, nor maps and
  /// lists.
  package func rowsOutside(of column: ColumnVector) -> Bitmap {
    var result = column.presence()
    result.formSubtraction(rows(of: column))
    switch column {
    case .values(let values):
      result.formIntersection(Bitmap(count: values.count) { !values[$0].isStructure })
    case .constant(let value, let count) where value.isStructure:
      return Bitmap(repeating: false, count: count)
    case .dictionary(let v):
      let entries = v.entries.values()
      result.formIntersection(
        v.rows(whereEntry: Bitmap(count: entries.count) { !entries[$0].isStructure }))
    default: break
    }
    return result
  }

  private func rows(of column: ColumnVector, _ comparisons: [LiteralComparison]) -> Bitmap {
    var result = Bitmap(repeating: false, count: column.count)
    for comparison in comparisons { result.formUnion(comparison.rows(of: column)) }
    return result
  }

  private func rows(of vector: IntegerVector, _ table: WordTable) -> Bitmap {
    let values = vector.values
    return Bitmap(count: values.count) { table.find(UInt64(bitPattern: values[$0])) != nil }
      .masked(vector.validity)
  }
}

extension LiteralComparison {
  /// The only whole number for which the comparison holds.
  fileprivate var onlyInteger: Int64? { integers.only }
  fileprivate var onlyTimestamp: Int64? { timestamps.only }
}

extension IntegerTest {
  fileprivate var only: Int64? {
    range.flatMap { $0.lowerBound == $0.upperBound ? $0.lowerBound : nil }
  }
}

extension Bitmap {
  fileprivate func union(_ other: Bitmap) -> Bitmap {
    var result = self
    result.formUnion(other)
    return result
  }
}
