import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Texts that vary in few places become templates, and come back byte for byte.
@Suite struct TemplateTests {
  private let compressor = Compressor()

  /// The template of a text, its variables in angle brackets.
  private func split(
    _ text: String, _ style: TemplateSplitter.Style = .words, hasEscapes: Bool = true
  ) -> String? {
    let bytes = Array(text.utf8)
    let splitter = TemplateSplitter(style, hasEscapes: hasEscapes)
    return bytes.withUnsafeBufferPointer { base in
      guard splitter.split(UInt64(bytes.count), base: base.baseAddress!) else { return nil }
      var variables = splitter.variables[...]
      var result = ""
      for byte in splitter.template[..<splitter.templateCount] {
        if byte == TemplateSplitter.marker {
          let slot = variables.removeFirst()
          let start = Int(slot >> 32)
          result +=
            "<\(String(decoding: bytes[start..<start + Int(slot & 0xFFFF_FFFF)], as: UTF8.self))>"
        } else {
          result += String(UnicodeScalar(byte))
        }
      }
      #expect(variables.isEmpty)
      return result
    }
  }

  @Test(arguments: [
    ("no variable here", "no variable here"),
    ("took 12ms", "took <12>ms"), ("took 12.5ms, 3 left", "took <12.5>ms, <3> left"),
    ("from 10.0.0.7:80", "from <10.0.0.7>:<80>"),
    ("-5 and a-5 and --5", "<-5> and a-<5> and --<5>"),
    ("worker17 of pool-3", "worker<17> of pool-<3>"), ("a1b2", "<a1b2>"),
    ("SKU 8141B", "SKU <8141B>"),
    ("8141milliseconds", "<8141milliseconds>"), ("deadbeefcafe", "<deadbeefcafe>"),
    ("decade", "decade"),
    ("ch_126801db0636!", "ch_<126801db0636>!"), ("12345678.5", "<12345678.5>"),
    ("id 564ee236-cce3-426b-aec8-d64f218eff83.", "id <564ee236-cce3-426b-aec8-d64f218eff83>."),
    ("564ee236-cce3-426b", "<564ee236>-cce<3>-<426>b"),
    ("at 2026-03-02T10:00:00.5+01:00 x", "at <2026-03-02T10:00:00.5+01:00> x"),
    ("at 2026-03-02 10:00:00,123Z", "at <2026-03-02 10:00:00,123Z>"),
    ("2026-13-02T10:00:00", "<2026>-<13>-<02T10>:<00>:<00>"), ("1.", "<1>."), ("", ""),
    ("7", "<7>"),
  ])
  func `what varies is cut out`(text: String, expected: String) {
    #expect(split(text) == expected)
  }

  @Test(arguments: [
    (#"10.0.0.7 - "GET / HTTP/1.1" 200"#, #"<10.0.0.7> <-> "<GET / HTTP/1.1>" <200>"#),
    (#"[26/Jan/2019:19:45:25 +0330] x"#, #"[<26/Jan/2019:19:45:25 +0330>] <x>"#),
    (#"status=200 note="two words" a.b=c"#, #"status=<200> note="<two words>" a.b=<c>"#),
    (#""" "-"  end"#, #""" "<->"  <end>"#),
    (#""open [half "a"b" = k= =v"#, #""<open [half "a"b>" <=> k= <=v>"#),
    (#"\"GET \\x\" 5"#.replacing(#"\\"#, with: #"\"#), #"\"<GET \x>\" <5>"#),
    ("", ""), (" ", " "),
  ])
  func `fields are cut out whole`(text: String, expected: String) {
    #expect(split(text, .fields, hasEscapes: text.contains(#"\"#)) == expected)
  }

  @Test(arguments: [
    (
      #"Opened:\r\nImage: C:\\a b.exe\r\nUser: x: y\n"#,
      #"Opened:\r\nImage: <C:\\a b.exe>\r\nUser: <x: y>\n"#
    ),
    (#"Name:\t\tSYSTEM\r\n\r\nno label"#, #"Name:\t\t<SYSTEM>\r\n\r\nno label"#),
    (#"a:b\nc: \nd: \u000a"#, #"a:b\nc: \nd: <\u000a>"#),
    ("a: 1\nb: 2", "a: <1>\nb: <2>"),
  ])
  func `what lines say behind their labels is cut out`(text: String, expected: String) {
    #expect(split(text, .lines) == expected)
  }

  @Test func `a text with a marker byte is not split`() {
    #expect(split("a 1 \u{1} b") == nil)
    #expect(split("a 1 \u{5} b") == nil)
    #expect(split("a 1 \u{5} b", .fields) == nil)
    #expect(split("a: 1\\n\u{5} b", .lines) == nil)
  }

  @Test(arguments: 0..<12)
  func `random texts come back, whole and one by one`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let words = [
      "took ", "ms", " for ", "user", "-", " é ", "\\n", "\"", ":", ".", "/", "=", "\u{1}", "0x",
    ]
    func variable() -> String {
      switch Int.random(in: 0..<8, using: &random) {
      case 0: "\(Int.random(in: -1_000...1_000, using: &random))"
      case 1: "\(Double(Int.random(in: 0...9_999, using: &random)) / 100)"
      case 2:
        (0..<4).map { _ in "\(Int.random(in: 0...255, using: &random))" }.joined(separator: ".")
      case 3: String((0..<16).map { _ in "0123456789abcdef".randomElement(using: &random)! })
      case 4: "2026-03-02T10:00:0\(Int.random(in: 0...9, using: &random)).25Z"
      case 5: "00\(Int.random(in: 0...99, using: &random))"
      case 6: "x\(Int.random(in: 0...9, using: &random))y"
      default: ""
      }
    }
    let forms = (0..<Int.random(in: 1...9, using: &random)).map { _ in
      (0..<Int.random(in: 1...6, using: &random)).map { _ in words.randomElement(using: &random)! }
    }
    let texts = (0..<2_000).map { _ in
      forms.randomElement(using: &random)!.map { $0 + variable() }.joined()
    }
    let times = texts.indices.map { 1_772_445_600_000 + Int64($0) }
    let column = LoneColumn(texts, kind: .string, times: times, compressor: compressor)
    #expect(try column.decodedTexts() == texts)
    if case .templates(let run) = try column.decoded() {
      let all = try run.texts()
      #expect(texts.indices.allSatisfy { Array(texts[$0].utf8) == Array(all.bytes[all.range($0)]) })
    }
  }

  @Test(arguments: [SlotKind.text, .string])
  func `access logs and labelled lines are taken apart at their marks`(kind: SlotKind) throws {
    var random = SeededGenerator(seed: 0xACCE)
    let quote = kind == .string ? #"\""# : "\""
    let lineEnd = kind == .string ? #"\r\n"# : "\r\n"
    let words = ["index", "a b", "cart", "search?q=x", "img"]
    func word() -> String { words.randomElement(using: &random)! }
    let access = (0..<1_000).map { i in
      "10.0.0.\(i % 200) - \(quote)GET /\(word())/\(word()) HTTP/1.1\(quote) \(200 + i % 5)"
    }
    let lines = (0..<1_000).map { i in
      ["Opened:", "Image: \(word())/\(word())", "User: \(word()) \(word())", "Id: \(i)"]
        .joined(separator: lineEnd)
    }
    let times = [Int64](repeating: 0, count: access.count)
    for texts in [access, lines] {
      let column = LoneColumn(texts, kind: kind, times: times, compressor: compressor)
      #expect(column.encoded.encoding == .templates)
      #expect(try column.decodedTexts() == texts)
      guard case .templates(let run) = try column.decoded() else { continue }
      #expect(run.templates.count == 2, "one template beside that of the exceptions")
    }
  }

  @Test func `messages become templates`() throws {
    var random = SeededGenerator(seed: 0x3E5)
    let texts = (0..<1_000).map { i in
      let number = Int.random(in: 0..<1_000, using: &random)
      return "request \(number) from 10.0.\(i % 7).\(Int.random(in: 0..<200, using: &random)) done"
    }
    let times = [Int64](repeating: 0, count: texts.count)
    let column = LoneColumn(texts, kind: .string, times: times, compressor: compressor)
    #expect(column.encoded.encoding == .templates)
    #expect(try column.decodedTexts() == texts)
  }

  @Test func `damaged templates throw and never trap`() throws {
    var random = SeededGenerator(seed: 0x7E3)
    let texts = (0..<600).map {
      "request \($0 * 7_919 % 600) of \($0 % 3 == 0 ? "a" : "b c 5") at 10.0.0.\($0 % 250)"
    }
    let times = [Int64](repeating: 0, count: texts.count)
    let column = LoneColumn(texts, kind: .string, times: times, compressor: compressor)
    try #require(column.encoded.encoding == .templates)
    for _ in 0..<5_000 {
      var bytes = column.encoded.bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      guard let data = try? column.decoded(bytes) else { continue }
      var output: [UInt8] = []
      for i in texts.indices { try? data.appendText(i, to: &output) }
      if case .templates(let run) = data { _ = try? run.texts() }
    }
  }

  @Test func `numbers that are times come back`() throws {
    var random = SeededGenerator(seed: 0x71)
    let times = (0..<500).map { _ in
      1_772_445_600_000 + Int64.random(in: 0..<3_600_000, using: &random)
    }
    func expect(_ texts: [String], _ encoding: ColumnEncoding) throws {
      let column = LoneColumn(texts, kind: .number, times: times, compressor: compressor)
      #expect(column.encoded.encoding == encoding)
      #expect(try column.decodedTexts() == texts)
    }
    try expect(times.map { "\($0)" }, .timestampNumber)
    try expect(times.map { "\($0 / 1_000)" }, .timestampNumber)
    try expect(times.map { "\($0)000123" }, .timestampNumber)
    try expect(times.map { "\($0 / 1_000).\(100 + $0 % 900)" }, .timestampNumber)
    try expect(
      times.enumerated().map { $0 % 2 == 0 ? "\($1)" : "\($1 / 1_000).5" }, .timestampNumber)
    try expect((0..<500).map { "\(2_000_000_000 + $0 * $0)" }, .integer)
  }

  @Test(arguments: 0..<10)
  func `a search finds what a search in the texts finds`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let words = [
      "took ", "ms", " for ", "user", "-", "\\u00e9", "\\n", "\\\"", ":", "a", "=", "done",
    ]
    func variable() -> String {
      switch Int.random(in: 0..<5, using: &random) {
      case 0: "\(Int.random(in: -20...20, using: &random))"
      case 1: "\(Double(Int.random(in: 0...999, using: &random)) / 10)"
      case 2: String((0..<12).map { _ in "0123456789abcdef".randomElement(using: &random)! })
      case 3: "x\(Int.random(in: 0...9, using: &random))done"
      default: "\(Int.random(in: 0...3, using: &random))"
      }
    }
    let forms = (0..<Int.random(in: 1...6, using: &random)).map { _ in
      (0..<Int.random(in: 1...5, using: &random)).map { _ in words.randomElement(using: &random)! }
    }
    let texts = (0..<600).map { _ in
      forms.randomElement(using: &random)!.map { $0 + variable() }.joined()
    }
    let column = LoneColumn(
      texts, kind: .string, times: texts.map { _ in 0 }, compressor: compressor)
    guard case .templates(let run) = try column.decoded() else { return }
    let meant = texts.map { text in
      var bytes: [UInt8] = []
      Array(text.utf8).withUnsafeBytes { JSONEscapes.append($0, to: &bytes) }
      return bytes
    }
    for _ in 0..<300 {
      let text = meant.randomElement(using: &random)!
      let start = Int.random(in: 0..<text.count, using: &random)
      let end = Int.random(in: start..<min(text.count, start + 9), using: &random) + 1
      var literal = Array(text[start..<end])
      if Int.random(in: 0..<4, using: &random) == 0 {
        literal[Int.random(in: 0..<literal.count, using: &random)] = UInt8(ascii: "q")
      }
      let search = ByteSearch(literal)
      let found = try TemplateSearch(
        search: search, run: run, hasEscapes: column.encoded.hasEscapes
      )
      .matches()
      let wrong = meant.indices.first { i in
        found[i] != meant[i].withUnsafeBufferPointer { search.isIn($0) }
      }
      #expect(wrong == nil, "\(String(decoding: literal, as: UTF8.self)) in \(texts[wrong ?? 0])")
    }
  }
}
