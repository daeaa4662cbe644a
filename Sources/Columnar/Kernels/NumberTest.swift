// A comparison with a literal, as a range of numbers.
//
// Whatever the literal is (`200`, `2.5`, `"200"`, a time), the numbers of a typed column that
// satisfy a comparison with it form one range or the complement of one. The ends of the range are
// found by bisection with the language's rule for two single values: about 130 comparisons, once.
// After that a row costs a subtraction and one unsigned comparison, and no kernel repeats the rules
// of coercion. Example: `x <= 2.5` over whole numbers is `x in Int64.min...2`; `x != "7"` is
// the complement of `7...7`; `x < "abc"` is the empty range and `x != "abc"` its complement.

/// A range of whole numbers, or the numbers outside of one.
struct IntegerTest: Sendable, Equatable {
  private var low: Int64
  /// `high - low` of the closed range.
  private var width: UInt64
  private var isInverted: Bool

  static let all = IntegerTest(low: .min, width: .max, isInverted: false)
  static let none = IntegerTest(low: .min, width: .max, isInverted: true)

  private init(low: Int64, width: UInt64, isInverted: Bool) {
    self.low = low
    self.width = width
    self.isInverted = isInverted
  }

  init(_ range: ClosedRange<Int64>) {
    self.init(
      low: range.lowerBound,
      width: UInt64(bitPattern: range.upperBound &- range.lowerBound), isInverted: false)
  }

  var inverted: IntegerTest { IntegerTest(low: low, width: width, isInverted: !isInverted) }

  @inline(__always)
  func holds(_ number: Int64) -> Bool {
    (UInt64(bitPattern: number &- low) <= width) != isInverted
  }

  /// The range itself, unless it is empty or inverted.
  var range: ClosedRange<Int64>? {
    isInverted ? nil : low...Int64(bitPattern: UInt64(bitPattern: low) &+ width)
  }

  /// The numbers for which `holds` is true; `holds` must behave as a comparison with one literal
  /// does, where `ordered(.less, x)` and so on tell the comparison.
  init(
    _ comparison: FieldPredicate.Comparison,
    by ordered: (FieldPredicate.Comparison, Int64) -> Bool
  ) {
    switch comparison {
    case .less, .lessOrEqual:
      guard let end = Self.first(where: { !ordered(comparison, $0) }) else {
        self = .all
        return
      }
      self = end == .min ? .none : IntegerTest(.min...(end - 1))
    case .greater, .greaterOrEqual:
      self = Self.first { ordered(comparison, $0) }.map { IntegerTest($0 ... .max) } ?? .none
    case .equal:
      self = Self.equal(by: ordered)
    case .notEqual:
      let converts = ordered(.less, 0) || ordered(.greaterOrEqual, 0)
      if converts {
        self = Self.equal(by: ordered).inverted
      } else {
        self = ordered(.notEqual, 0) ? .all : .none
      }
    }
  }

  private static func equal(
    by ordered: (FieldPredicate.Comparison, Int64) -> Bool
  ) -> IntegerTest {
    guard let low = first(where: { ordered(.greaterOrEqual, $0) }) else { return .none }
    let end = first { ordered(.greater, $0) }
    if end == low { return .none }
    return IntegerTest(low...(end.map { $0 - 1 } ?? .max))
  }

  /// The smallest number for which a condition that stays true once it is true holds.
  static func first(where holds: (Int64) -> Bool) -> Int64? {
    if !holds(.max) { return nil }
    var low = Int64.min
    var high = Int64.max
    while low < high {
      let middle = low &+ Int64(bitPattern: UInt64(bitPattern: high &- low) >> 1)
      if holds(middle) { high = middle } else { low = middle &+ 1 }
    }
    return low
  }
}

/// A range of doubles, or the doubles outside of one.
struct DoubleTest: Sendable, Equatable {
  private var low: Double
  private var high: Double
  private var isInverted: Bool

  @inline(__always)
  func holds(_ number: Double) -> Bool {
    (number >= low && number <= high) != isInverted
  }

  /// As ``IntegerTest``: doubles are numbered in their order and bisected by number.
  init(
    _ comparison: FieldPredicate.Comparison,
    by ordered: (FieldPredicate.Comparison, Double) -> Bool
  ) {
    let lowest = Self.ordinal(-.greatestFiniteMagnitude)
    let highest = Self.ordinal(.greatestFiniteMagnitude)
    let test = IntegerTest(comparison) { comparison, ordinal in
      ordered(comparison, Self.number(min(max(ordinal, lowest), highest)))
    }
    let inverted = test.range == nil
    guard let range = inverted ? test.inverted.range : test.range else {
      preconditionFailure("a test and its inverse cannot both be inverted")
    }
    low = Self.number(max(range.lowerBound, lowest))
    high = Self.number(min(range.upperBound, highest))
    isInverted = inverted
  }

  /// Position of a double in the order of all doubles; of the two zeros the negative comes first.
  private static func ordinal(_ number: Double) -> Int64 {
    let bits = Int64(bitPattern: number.bitPattern)
    return bits ^ ((bits >> 63) & .max)
  }

  private static func number(_ ordinal: Int64) -> Double {
    Double(bitPattern: UInt64(bitPattern: ordinal ^ ((ordinal >> 63) & .max)))
  }

  /// The same condition on the mantissas of decimals with this many decimals.
  func mantissas(scale: Int) -> IntegerTest {
    let test = IntegerTest(.equal) { comparison, mantissa in
      let number = DecimalNumber.double(mantissa: mantissa, scale: scale)
      return comparison == .greaterOrEqual ? number >= low : number > high
    }
    return isInverted ? test.inverted : test
  }
}
