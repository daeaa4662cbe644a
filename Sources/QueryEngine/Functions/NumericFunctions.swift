import Columnar
import Glibc

/// Functions of numbers.
enum NumericFunctions {
  static let all: [ScalarFunction] = [
    ScalarFunction(
      "abs", .numeric, [.one("n")], "number", "The value without its sign.", example: "abs(-3.5)"
    ) { arguments, _ in
      switch arguments[0].number {
      case .integer(let number): number == .min ? .double(0x1p63) : .integer(Swift.abs(number))
      case .double(let number): .double(number.magnitude)
      case nil: .missing
      }
    },
    rounding("ceil", "The smallest whole number that is not less.", example: "ceil(1.2)", .up),
    rounding(
      "floor", "The largest whole number that is not greater.", example: "floor(-1.2)", .down),
    ScalarFunction(
      "round", .numeric, [.one("n"), .optional("decimals")], "number",
      "The nearest number with so many decimals (none by default); halves away from zero.",
      example: "round(2.675, 2)", prepare: checkDecimals
    ) { arguments, _ in
      guard let number = arguments[0].number else { return .missing }
      guard arguments.count > 1 else { return DecimalRounding.round(number, decimals: 0) }
      guard let decimals = arguments[1].number?.wholeValue, (-15...15).contains(decimals) else {
        return .missing
      }
      return DecimalRounding.round(number, decimals: Int(decimals))
    },
    extreme("greatest", "The largest of the numbers; what is no number is passed over.") {
      Number.order($0, $1) == .greater
    },
    extreme("least", "The smallest of the numbers; what is no number is passed over.") {
      Number.order($0, $1) == .less
    },
    ScalarFunction(
      "log", .numeric, [.one("n")], "number", "The natural logarithm.", example: "log(100)"
    ) { arguments, _ in
      guard let number = arguments[0].number?.asDouble, number > 0 else { return .missing }
      return .finite(Glibc.log(number))
    },
    ScalarFunction(
      "sqrt", .numeric, [.one("n")], "number", "The square root.", example: "sqrt(2)"
    ) { arguments, _ in
      guard let number = arguments[0].number?.asDouble, number >= 0 else { return .missing }
      return .finite(number.squareRoot())
    },
    ScalarFunction(
      "haversine", .numeric, [.one("lat1"), .one("lon1"), .one("lat2"), .one("lon2")], "number",
      "Distance in km between two places given in degrees.",
      example: "haversine(52.52, 13.405, 48.8566, 2.3522)"
    ) { arguments, _ in haversine(arguments.map { $0.number?.asDouble }) },
    ScalarFunction(
      "toNumber", .numeric, [.one("x")], "number", "The value as a number, if it is one.",
      example: "toNumber('12.5')"
    ) { arguments, _ in .number(arguments[0].number) },
    truncating(
      "toInt", "A whole number of 32 bits, the fraction cut off.", -0x8000_0000...0x7FFF_FFFF),
    truncating("toLong", "A whole number of 64 bits, the fraction cut off.", .min ... .max),
    ScalarFunction(
      "toDouble", .numeric, [.one("x")], "number", "The value as a floating-point number.",
      example: "toDouble('3')"
    ) { arguments, _ in
      guard let number = arguments[0].number?.asDouble else { return .missing }
      return .finite(number)
    },
  ]

  private static func rounding(
    _ name: String, _ summary: String, example: String, _ rule: FloatingPointRoundingRule
  ) -> ScalarFunction {
    ScalarFunction(name, .numeric, [.one("n")], "number", summary, example: example) {
      arguments, _ in
      switch arguments[0].number {
      case .integer(let number): .integer(number)
      case .double(let number): .finite(number.rounded(rule))
      case nil: .missing
      }
    }
  }

  private static func extreme(
    _ name: String, _ summary: String, _ isBetter: @escaping @Sendable (Number, Number) -> Bool
  ) -> ScalarFunction {
    ScalarFunction(
      name, .numeric, [.repeated("n")], "number", summary, example: "\(name)(3, 8, 5)"
    ) { arguments, _ in
      var best: Number?
      for case let number? in arguments.map(\.number)
      where best.map({ isBetter(number, $0) }) ?? true {
        best = number
      }
      return .number(best)
    }
  }

  private static func truncating(
    _ name: String, _ summary: String, _ range: ClosedRange<Int64>
  ) -> ScalarFunction {
    ScalarFunction(
      name, .numeric, [.one("x")], "number", summary, example: "\(name)('12.9')"
    ) { arguments, _ in
      guard let whole = arguments[0].number?.truncated, range.contains(whole) else {
        return .missing
      }
      return .integer(whole)
    }
  }

  private static let checkDecimals:
    @Sendable ([Value?]) throws(ArgumentProblem) -> ScalarFunction.Evaluation? = {
      literals throws(ArgumentProblem) in
      if literals.count > 1, let literal = literals[1] {
        guard let decimals = literal.number?.wholeValue, (-15...15).contains(decimals) else {
          throw ArgumentProblem(argument: 1, kind: .mustBe("a whole number from -15 to 15"))
        }
      }
      return nil
    }

  /// Great-circle distance on a sphere of the Earth's mean radius (IUGG), by the haversine formula.
  private static func haversine(_ degrees: [Double?]) -> Value {
    guard let lat1 = degrees[0], let lon1 = degrees[1], let lat2 = degrees[2],
      let lon2 = degrees[3], lat1.magnitude <= 90, lat2.magnitude <= 90
    else { return .missing }
    let radians = Double.pi / 180
    let a =
      pow(sin((lat2 - lat1) * radians / 2), 2)
      + cos(lat1 * radians) * cos(lat2 * radians) * pow(sin((lon2 - lon1) * radians / 2), 2)
    return .finite(2 * 6_371.0088 * asin(min(1, a.squareRoot())))
  }
}

/// Rounding as one does it by hand: on the decimal digits that the number is written with.
///
/// The double nearest to 2.675 lies a little below it; rounding the binary value to two decimals gives 2.67,
/// which nobody expects who reads 2.675. So the shortest decimal text of the number is rounded instead.
enum DecimalRounding {
  static func round(_ number: Number, decimals: Int) -> Value {
    switch number {
    case .integer(let whole): decimals >= 0 ? .integer(whole) : round(whole, places: -decimals)
    case .double(let value): round(value, decimals: decimals)
    }
  }

  /// Halves away from zero, to tens, hundreds ….
  private static func round(_ whole: Int64, places: Int) -> Value {
    let unit = (0..<places).reduce(into: UInt64(1)) { unit, _ in unit *= 10 }
    let magnitude = whole.magnitude
    let down = magnitude / unit * unit
    let rounded = magnitude - down >= unit - (magnitude - down) ? down + unit : down
    guard let result = Int64(exactly: rounded) else {
      return .double(whole < 0 ? -Double(rounded) : Double(rounded))
    }
    return .integer(whole < 0 ? -result : result)
  }

  private static func round(_ value: Double, decimals: Int) -> Value {
    guard value.magnitude < 1e21 else { return .double(value) }
    let text = NumberFormat.exactText(value.magnitude)
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    var digits = parts[0].utf8.map { $0 &- 0x30 }
    let fraction = parts.count > 1 ? parts[1].utf8.map { $0 &- 0x30 } : []
    // `kept` digits stay; the next one decides.
    let kept = digits.count + decimals
    digits += fraction
    guard kept < digits.count else { return .finite(value) }
    guard kept >= 0 else { return .integer(0) }
    let roundsUp = digits[kept] >= 5
    digits = Array(digits[..<kept])
    if roundsUp { increment(&digits) }
    // Digits beyond the point become a decimal text again, which the parser turns into the nearest double.
    let wholeCount = digits.count - max(0, decimals)
    var result = value < 0 ? "-" : ""
    result += String(decoding: digits[..<wholeCount].map { $0 + 0x30 }, as: UTF8.self)
    if wholeCount == 0 { result += "0" }
    result += String(repeating: "0", count: max(0, -decimals))
    if decimals > 0 {
      result += "." + String(decoding: digits[wholeCount...].map { $0 + 0x30 }, as: UTF8.self)
    }
    return Double(result).map(Value.finite) ?? .missing
  }

  private static func increment(_ digits: inout [UInt8]) {
    for i in digits.indices.reversed() {
      if digits[i] < 9 {
        digits[i] += 1
        return
      }
      digits[i] = 0
    }
    digits.insert(1, at: 0)
  }
}

extension Number {
  /// The number, if it is a whole one within 64 bits.
  var wholeValue: Int64? {
    switch self {
    case .integer(let number): number
    case .double(let number): Int64(exactly: number)
    }
  }

  /// The number with its fraction cut off, if that fits 64 bits.
  var truncated: Int64? {
    switch self {
    case .integer(let number): number
    case .double(let number): Int64(exactly: number.rounded(.towardZero))
    }
  }
}

extension Value {
  /// A computed number; what is not finite is no number.
  static func finite(_ number: Double) -> Value { number.isFinite ? .double(number) : .missing }

  static func number(_ number: Number?) -> Value {
    switch number {
    case .integer(let number): .integer(number)
    case .double(let number): .finite(number)
    case nil: .missing
    }
  }
}
