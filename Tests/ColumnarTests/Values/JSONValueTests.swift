import Columnar
import TestSupport
import Testing

@Suite struct JSONValueTests {
  @Test func `every kind of value is read`() {
    let value = JSONValue.parse(
      #" {"s":"x","i":-5,"d":1.50,"t":true,"f":false,"n":null,"l":[1,[],{}],"m":{"k":""}} "#)
    #expect(
      value
        == .map(
          ValueMap(
            keys: ["s", "i", "d", "t", "f", "n", "l", "m"],
            values: [
              .string("x"), .integer(-5), .sourceNumber(SourceNumber(value: 1.5, text: "1.50")),
              .jsonBoolean(true), .jsonBoolean(false), .missing,
              .list([.integer(1), .list([]), .map(ValueMap())]),
              .map(ValueMap(keys: ["k"], values: [.string("")])),
            ])))
    #expect(JSONValue.parse("null") == .missing)
    #expect(JSONValue.parse("\t5\r\n") == .integer(5))
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
    "[1 2]", "01", "-", "-01", "1.", ".5", "+1", "1e", "1e+", "0x1", "NaN", "Infinity", "tru",
    "truex", "nul", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"a\nb\"",
    "\"\\n\t\"", "1 2", "{}{}", "[],", "//", "\u{FEFF}1",
  ])
  func `what is no JSON is refused`(text: String) {
    #expect(JSONValue.parse(text) == nil)
    #expect(inText(text, "a") == nil)
  }

  @Test func `escapes and broken text`() {
    #expect(
      JSONValue.parse(#""a\"\\\/\b\f\n\r\té\uD83D\uDE00""#)
        == .string("a\"\\/\u{8}\u{C}\n\r\té😀"))
    #expect(JSONValue.parse(#""\uD83D""#) == .string("\u{FFFD}"))
    #expect(JSONValue.parse(#""\uDE00x""#) == .string("\u{FFFD}x"))
    #expect(JSONValue.parse(#""\uD83Da""#) == .string("\u{FFFD}a"))
    let broken: [UInt8] = [0x22, 0x61, 0xFF, 0x62, 0x22]
    #expect(
      broken.withUnsafeBufferPointer { JSONValue.parse($0) } == .string("a\u{FFFD}b"))
  }

  @Test func `equal keys are all kept and the last is seen`() {
    let value = JSONValue.parse(#"{"a":1,"b":2,"a":3}"#)!
    #expect(JSONValue.text(of: value) == #"{"a":1,"b":2,"a":3}"#)
    #expect(value.member(key: "a") == .integer(3))
    #expect(JSONValue.parse("{\"é\":1,\"e\\u0301\":2}")!.member(key: "é") == .integer(1))
  }

  @Test func `nesting is bounded`() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(JSONValue.parse(nested(JSONValue.depthLimit)) != nil)
    #expect(JSONValue.parse(nested(JSONValue.depthLimit + 1)) == nil)
    #expect(JSONValue.parse(String(repeating: "[", count: 1_000_000)) == nil)
    #expect(inText(nested(JSONValue.depthLimit), "a") == .missing)
    #expect(inText(nested(JSONValue.depthLimit + 1), "a") == nil)
    #expect(JSONValue.parse(String(repeating: "{\"a\":", count: 200_000)) == nil)
  }

  @Test func `values are written compactly`() {
    let value = Value.list([
      .missing, .string("a\"b\\c\n\t\r\u{8}\u{C}\u{1}\u{1F}é/"), .double(1.0 / 3), .double(2),
      .boolean(true), .jsonBoolean(false), .timestamp(0), source("1.50"),
      .map(ValueMap(keys: ["k\""], values: [.list([])])),
    ])
    #expect(
      JSONValue.text(of: value)
        == #"[null,"a\"b\\c\n\t\r\b\f\u0001\u001fé/",0.3333333333333333,2,1,false,"#
        + #""1970-01-01 00:00:00.000",1.50,{"k\"":[]}]"#)
  }

  private static let places: [(String, String)] = [
    ("a", "1"), ("b.c", "true"), ("l.0", #""x""#), ("l.1.k", "2"), ("l", #"["x",{"k":2}]"#),
    ("d.e", "5"), ("x.y", "9"), ("p.q.r", "7"), ("twice", "2"), ("u.v", "null"), ("u.t", "2"),
    ("", "4"),
    ("w.z", "null"),
  ]

  @Test(arguments: places)
  func `paths lead through maps and lists`(path: String, text: String) {
    let value = JSONValue.parse(
      #"{"a":1,"b":{"c":true},"l":["x",{"k":2}],"d.e":5,"d":{"e":6},"x":{"y":8},"x":{"y":9},"#
        + #""p":{"q":{"r":6}},"p.q":{"r":7},"twice":1,"twice":2,"u":{"v":1},"u":{"t":2},"":4,"#
        + #""w.z":null,"w":{"z":3}}"#)!
    #expect(JSONValue.text(of: value.member(path: path)) == text)
    #expect(inText(JSONValue.text(of: value), path) == value.member(path: path))
  }

  @Test(arguments: [
    "z", "a.b", "b.", ".a", "l.2", "l.-1", "l.00", "l.01", "l.x", "l.", "b.c.d", "A",
  ])
  func `paths to nothing give nothing`(path: String) {
    let value = JSONValue.parse(#"{"a":1,"b":{"c":true},"l":["x",{"k":2}]}"#)!
    #expect(value.member(path: path) == .missing)
    #expect(inText(JSONValue.text(of: value), path) == .missing)
    #expect(Value.integer(1).member(path: path) == .missing)
  }

  private func inText(_ text: String, _ path: String) -> Value? {
    Array(text.utf8).withUnsafeBufferPointer { JSONValue.member(path: path, in: $0) }
  }

  @Test func `paths are found in texts as in values`() {
    #expect(
      inText(" { \"a\" : [ 1 , { \"b\\u002Ec\" : \"x\\n\" } ] } ", "a.1.b.c") == .string("x\n"))
    #expect(inText("{\"é\":1,\"\\u00e9\":2}", "é") == .integer(2))
    #expect(inText("[{\"a\":null}]", "0.a") == .missing)
    #expect(inText("5", "a") == .missing)
  }

  @Test func `damaged and random texts are judged alike by both readers`() {
    let seed: UInt64 = 0x75A9
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"a.b\"", "1", "-2.5e3", "true", "null", " ",
      "\"\\u0061\"", "\"\\x\"", "\"", "01", "{\"a\":", "{\"b\":", "[1,2]", "\u{1}",
    ]
    var valid = 0
    for _ in 0..<60_000 {
      let text = (0..<Int.random(in: 1...7, using: &random)).map { _ in
        pieces.randomElement(using: &random)!
      }.joined()
      let value = JSONValue.parse(text)
      for path in ["a", "a.b", "b.1", "0"] {
        #expect(inText(text, path) == value?.member(path: path), "\(text), seed \(seed)")
      }
      valid += value == nil ? 0 : 1
    }
    #expect(valid > 1_000)
  }

  @Test func `elements by position`() {
    let list = Value.list([.integer(1), .integer(2)])
    #expect(list.element(1) == .integer(2))
    #expect(list.element(2) == .missing)
    #expect(list.element(-1) == .missing)
    #expect(Value.map(ValueMap()).element(0) == .missing)
  }

  @Test func `texts of any length are written as one byte after the other would be`() {
    let seed = UInt64.random(in: 0..<10_000)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let special: [UInt8] = [0x22, 0x5C, 0x00, 0x09, 0x0A, 0x1F, 0x20, 0x21, 0x23, 0x7F, 0xA2, 0xFF]
    for round in 0..<600 {
      let length = round < 100 ? round : Int.random(in: 0...1_700, using: &random)
      let rarity = [1, 3, 40][round % 3]
      let text = (0..<length).map { _ in
        Int.random(in: 0..<rarity, using: &random) == 0
          ? special.randomElement(using: &random)! : UInt8.random(in: 0x61...0x7A, using: &random)
      }
      var written: [UInt8] = [0x3E]
      text.withUnsafeBufferPointer { JSONValue.append(string: $0, to: &written) }
      var expected: [UInt8] = [0x3E, 0x22]
      for byte in text {
        var one: [UInt8] = []
        [byte].withUnsafeBufferPointer { JSONValue.append(string: $0, to: &one) }
        expected += one.dropFirst().dropLast()
      }
      #expect(written == expected + [0x22], "seed \(seed), round \(round)")
    }
  }
}
