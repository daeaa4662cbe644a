// Arithmetic on whole columns (language reference, 4.7).
//
// Whole numbers stay whole and exact under + − × and %; a row that overflows becomes a double, alone.
// The typed loop runs over all rows, valid or not, and only collects whether anything overflowed; in
// the rare case that something did, the batch is computed again row by row. Everything that is not
// finite is missing.

/// An operator on two numbers.
package enum ArithmeticOperator: Sendable {
  case add, subtract, multiply, divide, remainder

  /// The result for two single numbers, `nil` where it has none.
  package func apply(_ a: Number, _ b: Number) -> Number? {
    if case .integer(let x) = a, case .integer(let y) = b, let exact = exactly(x, y) {
      return exact
    }
    let result = apply(a.asDouble, b.asDouble)
    return result.isFinite ? .double(result) : nil
  }

  /// `nil` where whole numbers have no whole result.
  private func exactly(_ x: Int64, _ y: Int64) -> Number? {
    let (result, overflow) =
      switch self {
      case .add: x.addingReportingOverflow(y)
      case .subtract: x.subtractingReportingOverflow(y)
      case .multiply: x.multipliedReportingOverflow(by: y)
      case .divide: (0, true)
      // Only -2^63 % -1 overflows besides zero, and its remainder is 0 as for any number.
      case .remainder: y == -1 ? (0, false) : x.remainderReportingOverflow(dividingBy: y)
      }
    return overflow ? nil : .integer(result)
  }

  @inline(__always)
  fileprivate func apply(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .remainder: x.truncatingRemainder(dividingBy: y)
    }
  }
}

extension ColumnVector {
  /// The result of an operator, row by row; missing where an operand has no number or the result
  /// is not finite.
  ///
  /// A timestamp counts as its milliseconds, and the result is a number. For a timestamp plus a
  /// duration see ``shifted(byMilliseconds:)``.
  ///
  /// - Precondition: both have the same number of rows.
  package func arithmetic(_ operation: ArithmeticOperator, _ other: ColumnVector) -> ColumnVector {
    precondition(count == other.count, "columns of different length")
    switch (numbers(), other.numbers()) {
    case (.missing(let count), _), (_, .missing(let count)):
      return .missing(count: count)
    case (.integers(let a), .integers(let b)):
      return Self.integers(operation, a, b)
    case (.mixed(let a), let b):
      return Self.mixed(operation, .mixed(a), b)
    case (let a, .mixed(let b)):
      return Self.mixed(operation, a, .mixed(b))
    case (let a, let b):
      return Self.doubles(operation, a.doubles, b.doubles)
    }
  }

  /// What a function of two doubles gives, row by row; missing where an operand has no number or the
  /// result is not finite. For functions that cost more than a call per row (`pow`).
  ///
  /// - Precondition: both have the same number of rows.
  package func combiningNumbers(
    with other: ColumnVector, _ function: (Double, Double) -> Double
  ) -> ColumnVector {
    precondition(count == other.count, "columns of different length")
    let a = numbers().doubles
    let b = other.numbers().doubles
    let validity = Bitmap.intersection(a.validity, b.validity)
    let values = a.values.indices.map { row in
      validity.allows(row) ? function(a.values[row], b.values[row]) : 0
    }
    return finite(values, validity)
  }

  /// The numbers with their sign turned.
  package func negated() -> ColumnVector {
    switch numbers() {
    case .missing(let count): return .missing(count: count)
    case .doubles(let v):
      return .doubles(DoubleVector(values: v.values.map { -$0 }, validity: v.validity))
    case .integers(let v):
      return ColumnVector.constant(.integer(0), count: v.values.count)
        .arithmetic(.subtract, .integers(v))
    case .mixed(let numbers):
      return NumericVector(
        numbers.map { number in
          guard let number else { return nil }
          if case .double(let value) = number { return .double(-value) }
          return ArithmeticOperator.subtract.apply(.integer(0), number)
        }
      ).column
    }
  }

  /// Times later by a fixed number of milliseconds; of rows that are no timestamps the number is
  /// raised.
  package func shifted(byMilliseconds milliseconds: Int64) -> ColumnVector {
    switch self {
    case .timestamps(let v):
      let sum = ColumnVector.integers(v)
        .arithmetic(.add, .constant(.integer(milliseconds), count: v.values.count))
      // A sum beyond 64 bits is a double and no time.
      if case .integers(let times) = sum { return .timestamps(times) }
      return sum
    case .constant(.timestamp(let time), let count):
      let (sum, overflow) = time.addingReportingOverflow(milliseconds)
      if !overflow { return .constant(.timestamp(sum), count: count) }
      return .constant(.double(Double(time) + Double(milliseconds)), count: count)
    case .dictionary(let v):
      return v.flattened().shifted(byMilliseconds: milliseconds)
    case .values(let values):
      return ColumnVector(
        values.map { value in
          guard let number = value.number else { return .missing }
          switch (value, ArithmeticOperator.add.apply(number, .integer(milliseconds))) {
          case (.timestamp, .integer(let sum)): return .timestamp(sum)
          case (_, .integer(let sum)): return .integer(sum)
          case (_, .double(let sum)): return .double(sum)
          case (_, nil): return .missing
          }
        })
    default:
      return arithmetic(.add, .constant(.integer(milliseconds), count: count))
    }
  }

  // MARK: Loops

  private static func integers(
    _ operation: ArithmeticOperator, _ a: IntegerVector, _ b: IntegerVector
  ) -> ColumnVector {
    var overflowed = false
    let values: [Int64]
    switch operation {
    case .add: values = loop(a, b, &overflowed) { $0.addingReportingOverflow($1) }
    case .subtract: values = loop(a, b, &overflowed) { $0.subtractingReportingOverflow($1) }
    case .multiply: values = loop(a, b, &overflowed) { $0.multipliedReportingOverflow(by: $1) }
    case .divide: return doubles(operation, a.asDoubles, b.asDoubles)
    case .remainder:
      values = loop(a, b, &overflowed) {
        $1 == -1 ? (0, false) : $0.remainderReportingOverflow(dividingBy: $1)
      }
    }
    if overflowed { return mixed(operation, .integers(a), .integers(b)) }
    return .integers(
      IntegerVector(values: values, validity: Bitmap.intersection(a.validity, b.validity)))
  }

  @inline(__always)
  private static func loop(
    _ a: IntegerVector, _ b: IntegerVector, _ overflowed: inout Bool,
    _ operation: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
  ) -> [Int64] {
    var anyOverflow = false
    let values = a.values.withUnsafeBufferPointer { x in
      b.values.withUnsafeBufferPointer { y in
        [Int64](unsafeUninitializedCapacity: x.count) { result, used in
          for i in 0..<x.count {
            let (value, overflow) = operation(x[i], y[i])
            result.initializeElement(at: i, to: value)
            anyOverflow = anyOverflow || overflow
          }
          used = x.count
        }
      }
    }
    overflowed = anyOverflow
    return values
  }

  private static func doubles(
    _ operation: ArithmeticOperator, _ a: DoubleVector, _ b: DoubleVector
  ) -> ColumnVector {
    let values: [Double] =
      switch operation {
      case .add: loop(a, b) { $0 + $1 }
      case .subtract: loop(a, b) { $0 - $1 }
      case .multiply: loop(a, b) { $0 * $1 }
      case .divide: loop(a, b) { $0 / $1 }
      case .remainder: loop(a, b) { $0.truncatingRemainder(dividingBy: $1) }
      }
    return finite(values, Bitmap.intersection(a.validity, b.validity))
  }

  @inline(__always)
  private static func loop(
    _ a: DoubleVector, _ b: DoubleVector, _ operation: (Double, Double) -> Double
  ) -> [Double] {
    a.values.withUnsafeBufferPointer { x in
      b.values.withUnsafeBufferPointer { y in
        [Double](unsafeUninitializedCapacity: x.count) { result, used in
          for i in 0..<x.count { result.initializeElement(at: i, to: operation(x[i], y[i])) }
          used = x.count
        }
      }
    }
  }

  private static func mixed(
    _ operation: ArithmeticOperator, _ a: NumericVector, _ b: NumericVector
  ) -> ColumnVector {
    let results = (0..<a.count).map { row -> Number? in
      guard let x = a.number(at: row), let y = b.number(at: row) else { return nil }
      return operation.apply(x, y)
    }
    return NumericVector(results).column
  }
}

/// Doubles of which only finite ones are values.
private func finite(_ values: [Double], _ validity: Bitmap?) -> ColumnVector {
  // x - x is 0 for finite numbers and NaN for the others.
  var sum = 0.0
  for value in values { sum += value - value }
  if sum == 0 { return .doubles(DoubleVector(values: values, validity: validity)) }
  let finite = Bitmap(count: values.count) { values[$0].isFinite }.masked(validity)
  return .doubles(
    DoubleVector(
      values: values.map { $0.isFinite ? $0 : 0 }, validity: finite.isFull ? nil : finite))
}

extension IntegerVector {
  fileprivate var asDoubles: DoubleVector {
    DoubleVector(values: values.map { Double($0) }, validity: validity)
  }
}
