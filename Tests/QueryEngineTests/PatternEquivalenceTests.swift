import Columnar
import LogStorage
import TestSupport
import Testing

@testable import QueryEngine

/// Patterns of records that the store has taken apart are those of their texts.
@Suite struct PatternEquivalenceTests {
  @Test(arguments: [40, 1_500]) func `shapes and texts give the same patterns`(
    _ count: Int
  ) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var events = RandomRecords(seed: seed)
    let texts = (0..<count).map { _ in events.next() }
    let stored = try StoredSources.store(texts)
    if count > 1_000 {
      let encodings = try StoredSources.encodings(of: stored)
      for wanted in [ColumnEncoding.identifier, .templates, .dictionary, .timestampText, .integer] {
        #expect(encodings.contains(wanted), "no column is of encoding \(wanted); seed \(seed)")
      }
    }
    let sources: [(String, any EventSource)] = [
      ("store", stored),
      ("compacted", try StoredSources.store(CaseEvents(texts), isCompacted: true)),
      ("file", StoredSources.file(texts, rowsPerGroup: 65_536)),
      ("small row groups", StoredSources.file(texts, rowsPerGroup: 7)),
    ]
    for filter in [
      "", "filter n > 3 | ", "filter n = 7 | ", "filter n = 7 and level = \"error\" | ",
    ] {
      let expected = try Self.rows(filter, MemorySource(texts: texts))
      #expect(!filter.isEmpty || expected.count > 1)
      for (name, source) in sources {
        let found = try Self.rows(filter, source)
        #expect(found == expected, "\(name), \(filter)seed \(seed)")
      }
      // A computed text is never read from shapes.
      let computed = try Self.rows(filter, stored, of: "if(true, @message, 0)")
      #expect(computed == expected, "computed, \(filter)seed \(seed)")
    }
  }

  @Test func `anomalies are the same whatever the store, the row groups and the threads`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var events = RandomRecords(seed: seed)
    let texts = (0..<1_200).map { index in
      // Among records of all kinds one that is always there, from another host at the end.
      guard index % 3 == 0 else { return events.next() }
      let host = "web-\(index > 800 && index % 2 == 0 ? 9 : index % 4)"
      return "{\"level\":\"info\",\"message\":\"took \(index % 11)ms\",\"host\":\"\(host)\"}"
    }
    let stored = try StoredSources.store(texts)
    let query = "| anomaly | display @pattern, @anomaly, @anomalyScore, @anomalyDescription"
    let expected = try answer("pattern @message \(query)", on: MemorySource(texts: texts))
    #expect(expected.contains { $0.contains("(host) is 'web-9'") }, "seed \(seed)")
    // The patterns are those without it, which the store reads from its columns.
    #expect(
      try answer("pattern @message | display @pattern, @sampleCount", on: stored)
        == answer("pattern @message | anomaly | display @pattern, @sampleCount", on: stored))
    let sources: [(String, any EventSource)] = [
      ("store", stored),
      ("compacted", try StoredSources.store(CaseEvents(texts), isCompacted: true)),
      ("small row groups", StoredSources.file(texts, rowsPerGroup: 7)),
    ]
    for (name, source) in sources {
      for workers in [1, 2] {
        let found = try answer("pattern @message \(query)", on: source) { $0.workers = workers }
        #expect(found == expected, "\(name), \(workers) workers, seed \(seed)")
      }
      let computed = try answer("pattern if(true, @message, 0) \(query)", on: source)
      #expect(computed == expected, "\(name), computed, seed \(seed)")
    }
  }

  private static func rows(
    _ filter: String, _ source: any EventSource, of input: String = "@message"
  ) throws -> [String] {
    let columns = "@pattern, @sampleCount, @ratio, @severityLabel, @patternId, @logSamples"
    var rows: [String] = []
    var options = QueryOptions(now: MemorySource.start)
    options.workers = 2
    _ = try PreparedQuery("\(filter)pattern \(input) | display \(columns)", options: options)
      .run(on: source) { batch in
        for row in 0..<batch.rowCount {
          rows.append(
            batch.columns.map { $0.value(at: row).displayText ?? "" }.joined(separator: " | "))
        }
      }
    return rows
  }
}

/// Records of some shapes with values of all kinds, and texts.
private struct RandomRecords {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func next() -> String {
    switch Int.random(in: 0..<20, using: &generator) {
    case 0: return "plain text \(number(100)) from \(address())"
    case 1:
      return one([
        "{\"broken\":", "[1,2]", "{}", " {\"a\" : null} ", "{\"message\":\"\"}", "",
        "{\"error\":{\"message\":\"lost \(number(9))\"},\"event\":\"gone\"}",
        "{\"long\":\"\(String(repeating: "long text ", count: 30))\",\"n\":7}",
        "{\"list\":[\((0...20).map { _ in String(number(9)) }.joined(separator: ","))],\"n\":7}",
      ])
    default: return record()
    }
  }

  private mutating func record() -> String {
    let blank = number(4) == 0 ? " " : ""
    var members = [
      "\"time\":\(blank)\"\(time())\"",
      "\"level\":\"\(one(["info", "info", "INFO", "error", "Warn"]))\"",
      "\"\(one(["message", "msg", "other"]))\":\"\(sentence())\"", "\"n\":\(number(10))",
      "\"trace\":\"\(hexadecimal(16))\"", "\"host\":\"web-\(number(3))\"",
    ]
    if number(2) == 0 { members.append("\"extra\":\(value())") }
    if number(4) == 0 {
      members.append("\"nested\":{\"list\":[\(value()),\(value())],\"error\":\(value())}")
    }
    if number(8) == 0 { members.append("\"user_\(number(4))\":\"\(word())\"") }
    return "{\(members.joined(separator: ",\(blank)"))}"
  }

  private mutating func sentence() -> String {
    switch number(8) {
    case 0: "said \\\"\(word())\\\" \(number(20))\\ntwice"
    case 1: "took \(number(900))ms for \(address())"
    case 2: "charge ch_\(hexadecimal(12)) of user \(number(50)) failed with an error"
    case 3: "GET /api/\(number(9))/items \(one(["200", "404"])) worker\(number(12))"
    case 4: word()
    case 5: hexadecimal(one([8, 12, 16]))
    case 6: "\(number(99_999_999))"
    default: "\(word()) \(word()) caf\\u00e9 über \(word())"
    }
  }

  private mutating func value() -> String {
    switch number(16) {
    case 0: "null"
    case 1: one(["true", "false"])
    case 2: one(["-1.5e3", "0.25", "12345678901", "-7"])
    case 3: "\"\(number(99_999_999))\""
    case 4: "\"-\(number(99_999_999))\""
    case 5: "\"\(one(["1.50", "007", "12345678.5", "1e9"]))\""
    case 6: "\"\(uuid())\""
    case 7: "\"\(address())\""
    case 8: "\"\(hexadecimal(one([7, 8, 12])))\""
    case 9: "\"\(time())\""
    case 10: "\"\""
    case 11: "\"/var/log/\(word()).log\""
    case 12: "[\"\(word())\",{\"deep\":[\(number(3))]}]"
    case 13: "\"\(String(repeating: word(), count: 50))\""
    case 14: "[]"
    default: "\"\(word())\""
    }
  }

  private mutating func number(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

  private mutating func one<Element>(_ choices: [Element]) -> Element {
    choices.randomElement(using: &generator)!
  }

  private mutating func word() -> String {
    one([
      "alice", "bob", "debug", "Fatal", "warning", "Cart.java", "x7", "b-12", "a_b", "Zoë",
      "deadbeef",
      "errors", "a\\\\b", "disk", "cafebabecafebabe",
    ])
  }

  /// Some of them all digits, some all letters.
  private mutating func hexadecimal(_ count: Int) -> String {
    let digits = one(["0123456789abcdef", "0123456789abcdef", "0123456789", "abcdef"])
    return String((0..<count).map { _ in digits.randomElement(using: &generator)! })
  }

  private mutating func uuid() -> String {
    [8, 4, 4, 4, 12].map { hexadecimal($0) }.joined(separator: "-")
  }

  private mutating func address() -> String {
    (0..<4).map { _ in String(number(256)) }.joined(separator: ".")
  }

  private mutating func time() -> String {
    let (hour, second, fraction) = (10 + number(10), 10 + number(50), 100 + number(900))
    return one([
      "2026-03-02T\(hour):00:\(second).\(fraction)Z", "2026-03-02 \(hour):00:\(second)",
      "2026-03-02T\(hour):00:\(second).\(fraction)456+01:00",
    ])
  }
}
