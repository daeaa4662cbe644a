// Comparisons of whole columns (language reference, 4.4).
//
// A comparison is two-valued: a row that is missing, or that does not compare, is simply not in the
// result. What can be decided once per column is: typed numbers against a literal become a range
// test (see NumberTest), a dictionary is compared entry by entry and then through its codes. What is
// left to the single-value rules: mixed columns, and texts with unusual spelling of numbers.

/// A comparison `column ⋯ literal`, prepared once for any number of batches.
///
/// A literal `.missing` asks for presence: `=` holds for missing rows, `!=` for present ones.
package struct LiteralComparison: Sendable {
  package let comparison: FieldPredicate.Comparison
  package let literal: Value
  let integers: IntegerTest
  let timestamps: IntegerTest
  private let doubles: DoubleTest
  private let text: TextComparison

  package init(_ comparison: FieldPredicate.Comparison, _ literal: Value) {
    self.comparison = comparison
    self.literal = literal
    integers = IntegerTest(comparison) { $0.holds(.integer($1), literal) }
    timestamps = IntegerTest(comparison) { $0.holds(.timestamp($1), literal) }
    doubles = DoubleTest(comparison) { $0.holds(.double($1), literal) }
    text = TextComparison(comparison, literal, integers: integers, doubles: doubles)
  }

  /// The rows of a column for which the comparison holds.
  ///
  /// - Complexity: O(rows), for texts O(bytes)
  package func rows(of column: ColumnVector) -> Bitmap {
    if literal.isMissing { return rowsByPresence(of: column) }
    switch column {
    case .missing(let count):
      return Bitmap(repeating: false, count: count)
    case .constant(let value, let count):
      return Bitmap(repeating: comparison.holds(value, literal), count: count)
    case .integers(let v): return Self.rows(of: v, integers)
    case .timestamps(let v): return Self.rows(of: v, timestamps)
    case .doubles(let v):
      let test = doubles
      return v.values.withUnsafeBufferPointer { values in
        Bitmap(count: values.count) { test.holds(values[$0]) }
      }.masked(v.validity)
    case .decimals(let v): return rows(of: v)
    case .booleans(let v): return rows(of: v)
    case .strings(let v): return text.rows(of: v)
    case .dictionary(let v): return v.rows(whereEntry: rows(of: v.entries))
    case .values(let v):
      return Bitmap(count: v.count) { comparison.holds(v[$0], literal) }
    }
  }

  private func rowsByPresence(of column: ColumnVector) -> Bitmap {
    var present = column.presence()
    switch comparison {
    case .notEqual: return present
    case .equal:
      present.invert()
      return present
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      return Bitmap(repeating: false, count: column.count)
    }
  }

  private static func rows(of vector: IntegerVector, _ test: IntegerTest) -> Bitmap {
    vector.values.withUnsafeBufferPointer { values in
      Bitmap(count: values.count) { test.holds(values[$0]) }
    }.masked(vector.validity)
  }

  private func rows(of vector: DecimalVector) -> Bitmap {
    if vector.scales.isEmpty {
      let test = mantissaTest(scale: Int(vector.scale))
      return vector.mantissas.withUnsafeBufferPointer { mantissas in
        Bitmap(count: mantissas.count) { test.holds(mantissas[$0]) }
      }.masked(vector.validity)
    }
    var tests = [IntegerTest](repeating: .none, count: 256)
    for scale in vector.scalesInUse { tests[Int(scale)] = mantissaTest(scale: Int(scale)) }
    return vector.mantissas.withUnsafeBufferPointer { mantissas in
      vector.scales.withUnsafeBufferPointer { scales in
        tests.withUnsafeBufferPointer { tests in
          Bitmap(count: mantissas.count) { tests[Int(scales[$0])].holds(mantissas[$0]) }
        }
      }
    }.masked(vector.validity)
  }

  /// A decimal without decimals is a whole number, and compares as one.
  private func mantissaTest(scale: Int) -> IntegerTest {
    scale == 0 ? integers : doubles.mantissas(scale: scale)
  }

  private func rows(of vector: BooleanVector) -> Bitmap {
    let count = vector.values.count
    var result = Bitmap(repeating: false, count: count)
    if comparison.holds(.boolean(true), literal) { result.formUnion(vector.values) }
    if comparison.holds(.boolean(false), literal) {
      var clear = vector.values
      clear.invert()
      result.formUnion(clear)
    }
    return result.masked(vector.validity)
  }
}

extension ColumnVector {
  /// The rows for which a comparison with the same row of another column holds.
  ///
  /// - Precondition: both have the same number of rows.
  /// - Complexity: O(rows), for texts O(bytes)
  package func compare(
    _ comparison: FieldPredicate.Comparison, _ other: ColumnVector
  ) -> Bitmap {
    precondition(count == other.count, "columns of different length")
    switch (self, other) {
    case (.missing, _), (_, .missing):
      return Bitmap(repeating: false, count: count)
    case (_, .constant(let value, _)):
      return LiteralComparison(comparison, value).rows(of: self)
    case (.constant(let value, _), _):
      return LiteralComparison(comparison.mirrored, value).rows(of: other)
    case (.dictionary(let v), _):
      return v.flattened().compare(comparison, other)
    case (_, .dictionary(let v)):
      return compare(comparison, v.flattened())
    case (.integers(let a), .integers(let b)), (.timestamps(let a), .timestamps(let b)),
      (.integers(let a), .timestamps(let b)), (.timestamps(let a), .integers(let b)):
      return Self.rows(a.values, b.values, comparison)
        .masked(a.validity).masked(b.validity)
    case (.doubles(let a), .doubles(let b)):
      return Self.rows(a.values, b.values, comparison)
        .masked(a.validity).masked(b.validity)
    case (.strings(let a), .strings(let b)):
      return TextPairComparison(comparison, a, b).rows()
        .masked(a.validity).masked(b.validity)
    default:
      return Bitmap(count: count) { comparison.holds(value(at: $0), other.value(at: $0)) }
    }
  }

  /// The comparison is chosen outside of the loop, so that each loop has one.
  @inline(__always)
  private static func rows<T: Comparable>(
    _ a: [T], _ b: [T], _ comparison: FieldPredicate.Comparison
  ) -> Bitmap {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        switch comparison {
        case .equal: Bitmap(count: a.count) { a[$0] == b[$0] }
        case .notEqual: Bitmap(count: a.count) { a[$0] != b[$0] }
        case .less: Bitmap(count: a.count) { a[$0] < b[$0] }
        case .lessOrEqual: Bitmap(count: a.count) { a[$0] <= b[$0] }
        case .greater: Bitmap(count: a.count) { a[$0] > b[$0] }
        case .greaterOrEqual: Bitmap(count: a.count) { a[$0] >= b[$0] }
        }
      }
    }
  }
}

extension Bitmap {
  /// The bits of valid rows.
  func masked(_ validity: Bitmap?) -> Bitmap {
    guard let validity else { return self }
    var result = self
    result.formIntersection(validity)
    return result
  }
}
