import Columnar
import Testing

/// Source numbers as an event would give them.
func source(_ text: String) -> Value { JSONValue.parse(text)! }

@Suite struct CoercionTests {
  private static let structures: [Value] = [.list([.integer(1)]), .map(ValueMap())]

  private static let numbers: [(String, Number)] = [
    ("0", Number.integer(0)), ("-7", .integer(-7)), ("+3", .integer(3)), ("007", .integer(7)),
    ("-0", .integer(0)), (" 12\t", .integer(12)), ("9223372036854775807", .integer(.max)),
    ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .double(0x1p63)),
    ("1.5", .double(1.5)), (".5", .double(0.5)), ("5.", .double(5)), ("1e3", .double(1_000)),
    ("1E+3", .double(1_000)), ("-2.5e-3", .double(-0.0025)), ("200.0", .double(200)),
    ("123456789.123456789", .double(123456789.123456789)),
    ("0.1", .double(0.1)), ("1e22", .double(1e22)), ("1e23", .double(1e23)),
    ("9007199254740993.0", .double(9007199254740992)),
    ("0.000000000000000000000000000001", .double(1e-30)), ("1e-400", .double(0)),
    ("0000000000000000000000000000012", .integer(12)),
    ("179769313486231570000e288", .double(1.7976931348623157e308)),
  ]

  @Test(arguments: numbers)
  func `texts that are numbers convert`(text: String, number: Number) {
    #expect(Value.string(text).number == number)
  }

  @Test(arguments: [
    "", " ", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "1,000", "0x10", "NaN", "nan", "Infinity",
    "inf", "-inf", "1e999", "12ms", "1 2", "--1", "1_000", "½", "١", "true", "1e5.5", "1\u{A0}",
  ])
  func `texts that are no numbers do not convert`(text: String) {
    #expect(Value.string(text).number == nil)
  }

  @Test func `random doubles come back from their texts`() {
    var state: UInt64 = 0x5EED
    var seen = 0
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let number = Double(bitPattern: state)
      guard number.isFinite else { continue }
      seen += 1
      for text in [number.description, NumberFormat.exactText(number)] {
        #expect(Value.string(text).number?.asDouble == number, "\(text)")
      }
    }
    #expect(seen > 15_000)
  }

  @Test func `values of other types convert to numbers`() {
    #expect(Value.integer(7).number == .integer(7))
    #expect(Value.double(7.5).number == .double(7.5))
    #expect(source("7.50").number == .double(7.5))
    #expect(Value.boolean(true).number == .integer(1))
    #expect(Value.jsonBoolean(false).number == .integer(0))
    #expect(Value.timestamp(1_000).number == .integer(1_000))
    for value in Self.structures + [.missing] { #expect(value.number == nil) }
  }

  @Test func `values convert to texts unrounded`() {
    #expect(Value.string("x").text == "x")
    #expect(Value.integer(.min).text == "-9223372036854775808")
    #expect(Value.double(1.0 / 3).text == "0.3333333333333333")
    #expect(Value.double(0.00001234567).text == "0.00001234567")
    #expect(Value.double(200).text == "200")
    #expect(Value.double(-0.0).text == "0")
    #expect(source("1.50").text == "1.50")
    #expect(source("1e5").text == "1e5")
    #expect(Value.boolean(true).text == "1")
    #expect(Value.boolean(false).text == "0")
    #expect(Value.jsonBoolean(true).text == "true")
    #expect(Value.jsonBoolean(false).text == "false")
    #expect(Value.timestamp(0).text == "1970-01-01 00:00:00.000")
    for value in Self.structures + [.missing] { #expect(value.text == nil) }
  }

  @Test func `what a filter takes as true`() {
    let kept: [Value] = [
      .boolean(true), .jsonBoolean(true), .integer(-1), .double(0.5), source("0.1"),
      .string("true"), .string("TRUE"), .string("tRuE"), .string("2"), .string("-0.5"),
    ]
    let dropped: [Value] = [
      .boolean(false), .jsonBoolean(false), .integer(0), .double(0), .double(-0.0), source("0.0"),
      source("-0"), .string(""), .string("false"), .string("0"), .string("0.00"), .string("yes"),
      .string("truee"), .missing, .timestamp(1),
    ]
    for value in kept { #expect(value.truth, "\(value)") }
    for value in dropped + Self.structures { #expect(!value.truth, "\(value)") }
  }

  @Test func `results show values`() {
    #expect(Value.missing.displayText == nil)
    #expect(Value.double(2.0 / 3).displayText == "0.6667")
    #expect(source("0.66666666").displayText == "0.66666666")
    #expect(Value.boolean(true).displayText == "1")
    #expect(Value.jsonBoolean(true).displayText == "true")
    #expect(Value.timestamp(1).displayText == "1970-01-01 00:00:00.001")
    #expect(Value.list([.integer(1), .string("a")]).displayText == #"[1,"a"]"#)
    #expect(Value.string("").displayText == "")
  }
}
