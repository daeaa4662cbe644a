/// A value converted to a number (rules of the language, "to number").
package enum Number: Sendable, Hashable {
  case integer(Int64)
  /// Finite, unless a function says otherwise.
  case double(Double)

  /// The nearest double.
  @inline(__always)
  package var asDouble: Double {
    switch self {
    case .integer(let number): Double(number)
    case .double(let number): number
    }
  }

  /// Whether the number is zero.
  package var isZero: Bool {
    switch self {
    case .integer(let number): number == 0
    case .double(let number): number == 0
    }
  }
}

/// How one thing stands to another in an order.
package enum Ordering: Sendable {
  case less, equal, greater

  /// The order with both sides exchanged.
  package var reversed: Ordering {
    switch self {
    case .less: .greater
    case .equal: .equal
    case .greater: .less
    }
  }

  @inline(__always)
  init<T: Comparable>(_ left: T, _ right: T) {
    self = left < right ? .less : left == right ? .equal : .greater
  }
}

extension Number {
  /// How one number stands to another, exactly: a whole number is not rounded to be compared
  /// with a double, so 2^53 + 1 is greater than the double 2^53.
  @inline(__always)
  package static func order(_ left: Number, _ right: Number) -> Ordering {
    switch (left, right) {
    case (.integer(let a), .integer(let b)): Ordering(a, b)
    case (.double(let a), .double(let b)): Ordering(a, b)
    case (.integer(let a), .double(let b)): order(a, b)
    case (.double(let a), .integer(let b)): order(b, a).reversed
    }
  }

  /// How a whole number stands to a double that is no NaN.
  package static func order(_ whole: Int64, _ double: Double) -> Ordering {
    if double >= 0x1p63 { return .less }
    if double < -0x1p63 { return .greater }
    let truncated = double.rounded(.towardZero)
    let part = Int64(truncated)
    return whole == part ? Ordering(truncated, double) : Ordering(whole, part)
  }
}
