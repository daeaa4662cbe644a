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
    if case .timestamps(let times) = vector,
      let moved = all(times.values, { period.shift($0, isNegative: isNegative) })
    {
      return .timestamps(IntegerVector(values: moved, validity: times.validity))
    }
    return vector.mapValues { value in
      guard let time = value.time, let moved = period.shift(time, isNegative: isNegative) else {
        return .missing
      }
      return value.isNumber ? .integer(moved) : .timestamp(moved)
    }
  }

  /// The start of the period that each time lies in, or with `isUp` the first one not before it.
  static func rounded(_ vector: ColumnVector, to period: Period, isUp: Bool) -> ColumnVector {
    if !isUp, case .timestamps(let times) = vector, let starts = period.floor(times.values) {
      return .timestamps(IntegerVector(values: starts, validity: times.validity))
    }
    return vector.mapValues { value in
      value.time.flatMap { isUp ? period.ceil($0) : period.floor($0) }.map(Value.timestamp)
        ?? .missing
    }
  }

  /// What each time becomes; `nil` if one of them becomes none.
  private static func all(_ times: [Int64], _ body: (Int64) -> Int64?) -> [Int64]? {
    var results: [Int64] = []
    results.reserveCapacity(times.count)
    for time in times {
      guard let result = body(time) else { return nil }
      results.append(result)
    }
    return results
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
