import Columnar
import QueryLanguage
import Testing

@testable import QueryEngine

/// Every function of one row, by tables of arguments and results.
@Suite struct FunctionTests {
  private let context = FunctionContext(
    now: 1_772_445_600_123, window: 1_772_442_000_000...1_772_445_600_000)

  /// Both ways a call can run: prepared for literal arguments, and with arguments known by row only.
  private func call(_ name: String, _ arguments: [Value]) throws -> Value {
    let function = try #require(FunctionCatalog.scalar(name))
    let general = function.evaluate(arguments, context)
    if let prepared = try? function.prepared(literals: arguments.map(Optional.some)) {
      #expect(prepared.evaluate(arguments, context) == general)
    }
    return general
  }

  private func expect(
    _ name: String, _ arguments: [Value], _ expected: Value,
    _ location: Testing.SourceLocation = #_sourceLocation
  ) throws {
    #expect(try call(name, arguments) == expected, sourceLocation: location)
  }

  @Test func `numbers are rounded the way people do`() throws {
    try expect("abs", [.integer(-3)], .integer(3))
    try expect("abs", [.integer(.min)], .double(0x1p63))
    try expect("abs", [.string(" -2.5 ")], .double(2.5))
    try expect("ceil", [.double(1.2)], .double(2))
    try expect("floor", [.double(-1.2)], .double(-2))
    try expect("floor", [.integer(7)], .integer(7))
    try expect("round", [.double(2.5)], .double(3))
    try expect("round", [.double(-2.5)], .double(-3))
    try expect("round", [.double(2.675), .integer(2)], .double(2.68))
    try expect("round", [.double(1.005), .integer(2)], .double(1.01))
    try expect("round", [.double(999.95), .integer(1)], .double(1000))
    try expect("round", [.double(0.04), .integer(1)], .double(0))
    try expect("round", [.integer(1_250), .integer(-2)], .integer(1_300))
    try expect("round", [.double(1_249.9), .integer(-2)], .double(1_200))
    try expect("round", [.double(2.5), .integer(16)], .missing)
    try expect("round", [.string("x")], .missing)
  }

  @Test func `numeric functions have their domains`() throws {
    try expect("sqrt", [.integer(9)], .double(3))
    try expect("sqrt", [.integer(-1)], .missing)
    try expect("log", [.integer(1)], .double(0))
    try expect("log", [.integer(0)], .missing)
    try expect("greatest", [.integer(3), .string("10"), .missing, .string("x")], .integer(10))
    try expect("least", [.integer(3), .double(2.5)], .double(2.5))
    try expect("least", [.string("x"), .missing], .missing)
    try expect("toInt", [.string("12.9")], .integer(12))
    try expect("toInt", [.double(-12.9)], .integer(-12))
    try expect("toInt", [.integer(2_147_483_648)], .missing)
    try expect("toLong", [.string("9223372036854775807")], .integer(.max))
    try expect("toLong", [.double(1e19)], .missing)
    try expect("toNumber", [.string("1e3")], .double(1_000))
    try expect("toNumber", [.string("0x10")], .missing)
    try expect("toNumber", [.string("NaN")], .missing)
    try expect("toNumber", [.boolean(true)], .integer(1))
    try expect("toDouble", [.integer(3)], .double(3))
    guard
      case .double(let km) = try call(
        "haversine", [.double(52.52), .double(13.405), .double(48.8566), .double(2.3522)])
    else {
      Issue.record("no distance")
      return
    }
    #expect(abs(km - 877.46) < 0.5)
    try expect(
      "haversine", [.integer(91), .integer(0), .integer(0), .integer(0)], .missing)
  }

  @Test func `text functions count code points`() throws {
    try expect("strlen", [.string("a👍🏽é")], .integer(4))
    try expect("substr", [.string("añb👍c"), .integer(1), .integer(3)], .string("ñb👍"))
    try expect("substr", [.string("abc"), .integer(9)], .string(""))
    try expect("substr", [.string("abc"), .integer(-2), .integer(2)], .string("ab"))
    try expect("substr", [.string("abc"), .integer(1), .integer(-1)], .string(""))
    try expect("strlen", [.missing], .missing)
    try expect("strlen", [.list([])], .missing)
    try expect("toupper", [.string("straße")], .string("STRASSE"))
    try expect("tolower", [.string("ÀB")], .string("àb"))
  }

  @Test func `blanks and emptiness`() throws {
    try expect("isempty", [.missing], .integer(1))
    try expect("isempty", [.string("")], .integer(1))
    try expect("isempty", [.string(" ")], .integer(0))
    try expect("isempty", [.map(ValueMap())], .integer(0))
    try expect("isblank", [.string("\t \u{A0}")], .integer(1))
    try expect("isblank", [.string("x")], .integer(0))
    try expect("trim", [.string("\u{2003} a b \n")], .string("a b"))
    try expect("ltrim", [.string("xxabx"), .string("x")], .string("abx"))
    try expect("rtrim", [.string("  a  ")], .string("  a"))
    try expect("trim", [.string(" xax "), .string("x")], .string(" xax "))
    try expect("concat", [.string("a"), .missing, .integer(1), .double(0.5)], .string("a10.5"))
    try expect("concat", [.missing, .missing], .missing)
    try expect("concat", [.list([.integer(1)]), .string("a")], .string("a"))
  }

  @Test func `searching and replacing is literal and byte exact`() throws {
    try expect("replace", [.string("a.b.c"), .string("."), .string("")], .string("abc"))
    try expect("replace", [.string("aaa"), .string("aa"), .string("b")], .string("ba"))
    try expect("replace", [.string("abc"), .string(""), .string("x")], .string("abc"))
    try expect("strcontains", [.string("Timeout"), .string("time")], .integer(0))
    try expect("strcontains", [.string("Timeout"), .string("time"), .boolean(true)], .integer(1))
    try expect("strcontains", [.missing, .string("")], .integer(0))
    try expect("strcontains", [.string(""), .string("")], .integer(1))
    try expect("startsWith", [.string("/api"), .string("/a")], .integer(1))
    try expect("endsWith", [.string("e\u{301}"), .string("\u{301}")], .integer(1))
    try expect("endsWith", [.missing, .string("x")], .integer(0))
    try expect(
      "split", [.string("a,,b"), .string(",")],
      .list([.string("a"), .string(""), .string("b")]))
    try expect("split", [.string("ab"), .string("")], .list([.string("ab")]))
    try expect(
      "regexReplace", [.string("10.0.0.7"), .string("[0-9]+$"), .string("x")],
      .string("10.0.0.x"))
    try expect(
      "regexReplace", [.string("k=v"), .string("(?<a>k)=(v)"), .string("$2=${a}$$\\1")],
      .string("v=k$k"))
    try expect(
      "regexReplace", [.string("ab"), .string("x*"), .string("-")], .string("-a-b-"))
    try expect("regexReplace", [.string("a"), .string("("), .string("")], .missing)
  }

  @Test func `encodings go both ways`() throws {
    try expect("urlencode", [.string("a b&ü~")], .string("a%20b%26%C3%BC~"))
    try expect("urldecode", [.string("a+b%20%C3%BC")], .string("a b ü"))
    try expect("urldecode", [.string("%zz")], .missing)
    try expect("urldecode", [.string("%4")], .missing)
    for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar", "ü👍"] {
      let encoded = try call("base64encode", [.string(text)])
      try expect("base64decode", [encoded], .string(text))
    }
    try expect("base64encode", [.string("fo")], .string("Zm8="))
    try expect("base64decode", [.string("Zm8")], .string("fo"))
    try expect("base64decode", [.string("Z")], .missing)
    try expect("base64decode", [.string("/w==")], .missing)
    try expect("hexToAscii", [.string("0x68656c6c6f")], .string("hello"))
    try expect("hexToAscii", [.string("ff")], .string("ÿ"))
    try expect("hexToAscii", [.string("abc")], .missing)
    try expect("hexToDec", [.string("0xFF")], .integer(255))
    try expect("hexToDec", [.string("ffffffffffffffff")], .double(18_446_744_073_709_551_616))
    try expect("hexToDec", [.string("10000000000000000")], .missing)
    try expect("hexToDec", [.string("-1")], .missing)
    try expect("decToHex", [.double(-255.9)], .string("-0xff"))
    try expect("md5", [.string("")], .string("d41d8cd98f00b204e9800998ecf8427e"))
    try expect(
      "md5", [.string("The quick brown fox jumps over the lazy dog")],
      .string("9e107d9d372bb6826bd81d3542a419d6"))
    try expect(
      "md5", [.string(String(repeating: "a", count: 64))],
      .string("014842d480b571495a4a0363793f7367"))
    try expect(
      "sha256", [.string("abc")],
      .string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
  }

  @Test func `addresses are judged strictly`() throws {
    for text in ["1.2.3.4", "::", "::1", "2001:db8::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"] {
      try expect("isValidIp", [.string(text)], .boolean(true))
    }
    for text in [
      "01.2.3.4", "1.2.3", "1.2.3.256", "1.2.3.4:80", "[::1]", "fe80::1%eth0", ":::", "1::2::3",
      "1:2:3:4:5:6:7", "12345::", "", "::+1",
    ] {
      try expect("isValidIp", [.string(text)], .boolean(false))
    }
    try expect("isValidIp", [.missing], .boolean(false))
    try expect("isValidIpV4", [.string("::1")], .boolean(false))
    try expect("isValidIpV6", [.string("::1")], .boolean(true))
    try expect("isIpInSubnet", [.string("10.1.2.3"), .string("10.9.9.9/8")], .boolean(true))
    try expect("isIpInSubnet", [.string("11.1.2.3"), .string("10.0.0.0/8")], .boolean(false))
    try expect("isIpInSubnet", [.string("1.2.3.4"), .string("0.0.0.0/0")], .boolean(true))
    try expect("isIpInSubnet", [.string("::1"), .string("10.0.0.0/8")], .boolean(false))
    try expect(
      "isIpv6InSubnet", [.string("2001:db8::1"), .string("2001:db8::/32")], .boolean(true))
    try expect("ipv4ToNumber", [.string("255.255.255.255")], .integer(4_294_967_295))
    try expect("ipv4ToNumber", [.string("x")], .missing)
    try expect("isPrivateIP", [.string("172.31.0.1")], .boolean(true))
    try expect("isPrivateIP", [.string("172.32.0.1")], .boolean(false))
    try expect("isReservedIP", [.string("127.0.0.1")], .boolean(true))
    try expect("isPublicIP", [.string("8.8.8.8")], .boolean(true))
    try expect("isPublicIP", [.string("x")], .boolean(false))
    #expect(throws: ArgumentProblem.self) {
      try FunctionCatalog.scalar("isIpInSubnet")!.prepared(literals: [nil, .string("10.0.0.0/33")])
    }
  }

  @Test func `times are read and written in any zone`() throws {
    let winter = Value.timestamp(1_700_000_000_000)
    let summer = Value.timestamp(1_690_000_000_000)
    let berlin = Value.string("Europe/Berlin")
    try expect("formatDate", [winter, .string("%F %T.%L")], .string("2023-11-14 22:13:20.000"))
    try expect("formatDate", [winter, .string("%H:%M %z"), berlin], .string("23:13 +0100"))
    try expect("formatDate", [summer, .string("%H:%M %Z"), berlin], .string("06:26 CEST"))
    try expect(
      "formatDate", [winter, .string("%j %V %G %u"), .string("-05:00")], .string("318 46 2023 2"))
    try expect(
      "strftime", [winter, .string("%e|%I|%p|%y|%b|%A|%%")], .string("14|10|PM|23|Nov|Tuesday|%"))
    // Long after the last transition that files list.
    try expect(
      "formatDate", [.timestamp(4_086_720_000_000), .string("%F %R"), .string("America/New_York")],
      .string("2099-07-02 20:00"))
    try expect("formatDate", [.missing, .string("%F")], .missing)
    for code in ["%Q", "%", "%-d"] {
      #expect(throws: ArgumentProblem.self) {
        try FunctionCatalog.scalar("formatDate")!.prepared(literals: [nil, .string(code)])
      }
    }
    #expect(throws: ArgumentProblem.self) {
      try FunctionCatalog.scalar("formatDate")!.prepared(
        literals: [nil, .string("%F"), .string("Mars/Olympus")])
    }
  }

  @Test(
    arguments: [
      ("2026-03-02 10:00:00", "yyyy-MM-dd HH:mm:ss", nil, 1_772_445_600_000),
      ("2/3/26", "d/M/yy", nil, 1_772_409_600_000),
      ("02/Mar/2026:10:00:00 +0100", "dd/MMM/yyyy:HH:mm:ss Z", nil, 1_772_442_000_000),
      ("20260302100000123", "yyyyMMddHHmmssSSS", nil, 1_772_445_600_123),
      ("March 2, 2026 1:05 PM", "MMMM d, yyyy h:mm a", nil, 1_772_456_700_000),
      ("2026-061T10", "yyyy-DDD'T'HH", nil, 1_772_445_600_000),
      ("2026-03-02 11:00", "yyyy-MM-dd HH:mm", "Europe/Berlin", 1_772_445_600_000),
      ("2026-02-30", "yyyy-MM-dd", nil, nil), ("2026-13-01", "yyyy-MM-dd", nil, nil),
      ("2026-03-02x", "yyyy-MM-dd", nil, nil), ("10:61", "HH:mm", nil, nil),
    ] as [(String, String, String?, Int64?)])
  func `dates are read along a pattern`(
    text: String, pattern: String, zone: String?, milliseconds: Int64?
  ) throws {
    let arguments = [text, pattern, zone].compactMap { $0 }.map(Value.string)
    try expect("parseDate", arguments, milliseconds.map(Value.integer) ?? .missing)
  }

  @Test func `the other functions of times and the query`() throws {
    try expect("now", [], .integer(1_772_445_600))
    try expect("queryTimeRange", [], .integer(3_600_000))
    try expect("queryStartTime", [], .integer(1_772_442_000_000))
    try expect("fromMillis", [.integer(5)], .timestamp(5))
    try expect("toMillis", [.timestamp(5)], .integer(5))
    try expect("toMillis", [.string("1970-01-01 00:00:01.500")], .integer(1_500))
    try expect("toMillis", [.string("soon")], .missing)
  }

  @Test func `JSON is taken apart and put together`() throws {
    let parsed = try call("jsonParse", [.string(#"{"b": [1, 2.50], "a": null}"#)])
    try expect("jsonStringify", [parsed], .string(#"{"b":[1,2.50],"a":null}"#))
    try expect("jsonParse", [.string("3")], .missing)
    try expect("jsonParse", [.string("{")], .missing)
    try expect("jsonArraySize", [.string("[1,[2,3]]")], .integer(2))
    try expect("jsonArraySize", [.string("{}")], .missing)
    try expect("jsonArrayContains", [.string(#"["a",2]"#), .integer(2)], .boolean(true))
    try expect("jsonArrayContains", [.string(#"["a"]"#), .string("A")], .boolean(false))
    try expect("jsonArrayContains", [.missing, .string("A")], .boolean(false))
    try expect("messageSize", [.string("é")], .integer(2))
    try expect("isNumeric", [.string("1.5")], .boolean(true))
    try expect("isNumeric", [.missing], .boolean(false))
  }

  @Test func `the catalogue is complete and consistent`() {
    let names = FunctionCatalog.scalars.map(\.name)
    #expect(names.count == 70)
    #expect(Set(names.map { $0.lowercased() }).count == names.count)
    #expect(FunctionCatalog.aggregates.count == 19)
    for function in FunctionCatalog.scalars {
      #expect(!function.summary.isEmpty && function.summary.hasSuffix("."))
      #expect(QueryParser.parse("fields \(function.example)").diagnostics.isEmpty)
      #expect(FunctionCatalog.scalar(function.name.uppercased())?.name == function.name)
    }
  }

  // MARK: Periods

  private func period(_ text: String) throws -> Period {
    let parsed = QueryParser.parse("stats count(*) by bin(\(text))")
    guard case .stats(let stats)? = parsed.query.commands.first?.kind,
      case .call(let call) = stats.keys[0].expression.kind,
      case .duration(let literal) = call.arguments[0].kind
    else { throw StorageProblem() }
    return Period(literal)
  }

  private struct StorageProblem: Error {}

  @Test(arguments: [
    ("1s", "2026-03-02 10:07:31.000"), ("5m", "2026-03-02 10:05:00.000"),
    ("1h", "2026-03-02 10:00:00.000"), ("1d", "2026-03-02 00:00:00.000"),
    ("1w", "2026-03-02 00:00:00.000"), ("1mo", "2026-03-01 00:00:00.000"),
    ("1q", "2026-01-01 00:00:00.000"), ("1y", "2026-01-01 00:00:00.000"),
    ("250ms", "2026-03-02 10:07:31.250"), ("5mo", "2025-11-01 00:00:00.000"),
  ])
  func `periods begin where the calendar says`(text: String, start: String) throws {
    let time = try #require(Timestamp.parse("2026-03-02 10:07:31.499"))
    let period = try period(text)
    let floor = try #require(period.floor(time))
    #expect(Timestamp.text(floor) == start)
    #expect(period.floor([time, time]) == [floor, floor])
    #expect(period.ceil(floor) == floor)
    #expect(period.ceil(time) == period.following(floor))
    let ceiling = try #require(period.ceil(time))
    #expect(period.floor(ceiling) == ceiling)
  }

  @Test func `months are added with the day held at the month's end`() throws {
    let time = try #require(Timestamp.parse("2026-03-31 10:00:00.000"))
    #expect(
      try period("1mo").shift(time, isNegative: true).map(Timestamp.text)
        == "2026-02-28 10:00:00.000")
    #expect(
      try period("1y").shift(time, isNegative: false).map(Timestamp.text)
        == "2027-03-31 10:00:00.000")
    #expect(try period("1w").floor(-1) == -3 * 86_400_000)
    #expect(try period("1mo").floor(-1) == -31 * 86_400_000)
  }

  // MARK: Regular expressions

  private func matches(_ pattern: String, _ text: String) throws -> Bool {
    try CompiledRegex(pattern).matches(text)
  }

  @Test func `the flavour is the documented one`() throws {
    #expect(try matches("b", "abc"))
    #expect(try !matches("B", "abc"))
    #expect(try matches("(?i)B", "abc"))
    #expect(try matches("^(?i)abort$", "ABORT"))
    #expect(try !matches("a.b", "a\nb"))
    #expect(try matches("(?s)a.b", "a\nb"))
    #expect(try !matches("a$", "a\n"))
    #expect(try matches("(?m)a$", "a\nb"))
    #expect(try !matches("\\d", "٣"))
    #expect(try matches("\\pL", "é"))
    #expect(try matches("^.$", "é"))
    #expect(try matches("^(?!.*INFO)", "x"))
    #expect(try matches("(a)\\1", "aa"))
    #expect(try matches("^$", ""))
  }

  @Test func `names may begin with an at sign and errors have their place`() throws {
    let regex = try CompiledRegex("(?<@who>a)(b)(?P<@x>c)(?<y>d)")
    #expect(regex.captureNames == ["@who", nil, "@x", "y"])
    let texts = StringVector(offsets: [0, 6], bytes: Array("xabcdx".utf8))
    #expect(regex.firstMatch(in: texts, row: 0) == [1..<5, 1..<2, 2..<3, 3..<4, 4..<5])
    #expect(throws: RegexFailure.self) { try CompiledRegex("a(b") }
    let failure = #expect(throws: RegexFailure.self) { try CompiledRegex("(?<@a>x)[b") }
    #expect(failure?.offset == 10)
  }

  @Test func `runaway backtracking is given up and counted`() throws {
    let regex = try CompiledRegex("(a+)+$")
    #expect(!regex.matches(String(repeating: "a", count: 40) + "b"))
    #expect(regex.limitedCount == 1)
    #expect(regex.matches("aaa"))
    #expect(regex.limitedCount == 1)
  }
}
