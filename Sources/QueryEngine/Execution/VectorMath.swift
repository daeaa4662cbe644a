import Columnar

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Arithmetic over whole columns.
enum VectorMath {
  static func negated(_ vector: ColumnVector) -> ColumnVector { vector.negated() }

  static func apply(
    _ sign: MathOperator, _ left: ColumnVector, _ right: ColumnVector
  ) -> ColumnVector {
    if let kernel = sign.kernel { return left.arithmetic(kernel, right) }
    return left.combiningNumbers(with: right) { pow($0, $1) }
  }

  /// A time moved by a period. A number is taken as milliseconds and stays a number.
  static func shifted(
    _ vector: ColumnVector, by period: Period, isNegative: Bool
  ) -> ColumnVector {
    if case .timestamps(let times) = vector {
      return .timestamps(
        IntegerVector(
          values: times.values.map { period.shift($0, isNegative: isNegative) },
          validity: times.validity))
    }
    return vector.mapValues { value in
      guard let time = value.time else { return .missing }
      let moved = period.shift(time, isNegative: isNegative)
      return value.isNumber ? .integer(moved) : .timestamp(moved)
    }
  }

  /// The start of the period that each time lies in, or with `isUp` the first one not before it.
  static func rounded(_ vector: ColumnVector, to period: Period, isUp: Bool) -> ColumnVector {
    if !isUp, case .timestamps(let times) = vector {
      return .timestamps(
        IntegerVector(
          values: period.floor(times.values), validity: times.validity))
    }
    return vector.mapValues { value in
      value.time.map { .timestamp(isUp ? period.ceil($0) : period.floor($0)) } ?? .missing
    }
  }
}

extension MathOperator {
  /// The kernel's operator; `^` has none.
  fileprivate var kernel: ArithmeticOperator? {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .remainder: .remainder
    case .power: nil
    }
  }
}

extension Value {
  /// The value as a time in ms: times, numbers as milliseconds, texts that look like a time.
  var time: Int64? {
    switch self {
    case .timestamp(let time), .integer(let time): time
    case .double(let number): Int64(exactly: number.rounded(.down))
    case .sourceNumber(let number): Int64(exactly: number.value.rounded(.down))
    case .string(let text): Timestamp.parse(text)
    default: nil
    }
  }
}

extension Value {
  fileprivate var isNumber: Bool {
    switch self {
    case .integer, .double, .sourceNumber: true
    default: false
    }
  }
}
