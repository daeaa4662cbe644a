import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// What goes in comes out, byte for byte.
@Suite struct RoundTripTests {
  /// The texts of all events of a source, sorted.
  private func texts(of source: any EventSource) throws -> [[UInt8]] {
    let cursor = try source.scan(ScanRequest(order: .oldestFirst))
    var result: [[UInt8]] = []
    while let rowGroup = try cursor.next() {
      let messages = try rowGroup.messages(nil)
      for row in 0..<messages.count { result.append(Array(messages.bytes[messages.range(row)])) }
      try expectFewRowsAgree(rowGroup, messages.count)
    }
    #expect(cursor.statistics.damagedParts == [])
    return result.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Rebuilding some rows gives the same as rebuilding all.
  private func expectFewRowsAgree(_ rowGroup: any RowGroup, _ count: Int) throws {
    let all = try rowGroup.messages(nil)
    let some = stride(from: 0, to: UInt32(count), by: max(1, count / 7)).map { $0 }
    let few = try rowGroup.messages(some)
    for (i, row) in some.enumerated() {
      #expect(few.bytes[few.range(i)].elementsEqual(all.bytes[all.range(Int(row))]))
    }
  }

  private func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    // What follows the last newline is a line only if there is something.
    if lines.last == [] { lines.removeLast() }
    return lines.sorted { $0.lexicographicallyPrecedes($1) }
  }

  private func expectRoundTrip(_ bytes: [UInt8], of expected: [[UInt8]]? = nil) throws {
    let expected = expected ?? lines(bytes)
    let direct = try texts(
      of: FileEventSource([.memory(bytes, name: "input")], options: .init(now: 1_700_000_000_000)))
    #expect(direct == expected)
    let folder = TemporaryFolder()
    let store = try LogStore.open(folder.file("store"), mode: .create)
    let session = try IngestSession(
      store: store, options: .init(logGroup: "group", now: 1_700_000_000_000))
    let report = try session.ingest(.memory(bytes, name: "input"))
    #expect(report.acceptedCount == UInt64(expected.count))
    #expect(try texts(of: store.snapshot()) == expected)
  }

  @Test(arguments: [
    "", "\n\n\n", "x", "x\r\n\r\ny", "{}\n{}\n[]\n", "{\"a\":1}\n{\"a\":01}\n{\"a\":1,\"a\":2}\n",
    "{\"a\":\"\\u00e9\\n\",\"b\":[1,2,{\"c\":null}]} \n{\"a\" : -0.0 , \"b\":1e5}",
    "{\"t\":\"2026-03-02T10:00:00.123456Z\"}\n{\"t\":\"2026-03-02 10:00:00\"}\n",
    "{\"a\":{}}\n{\"a\":[]}\n{\"a\":{\"b\":{}}}\n{\"a\":\"\"}\n", "\u{FEFF}tail",
  ])
  func `odd lines survive`(text: String) throws {
    let bytes = Array(text.utf8)
    try expectRoundTrip(bytes, of: lines(text.hasPrefix("\u{FEFF}") ? Array(bytes[3...]) : bytes))
  }

  @Test(arguments: 0..<24)
  func `random and hostile bytes survive`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var bytes: [UInt8] = []
    let pieces = [
      "{\"a\":", "\"", "\\", "\\u12", "{", "}", "[", "]", ",", ":", "1", "-0", "1.50", "1e9",
      "null", "true", "\u{1}", "\u{2}", "\u{5}", "é", "\r", " ", "\t", "2026-01-02T03:04:05Z",
      "{\"k\":\"v\",\"n\":12}", "{\"k\":\"w\",\"n\":12.5}", "0123456789abcdef0123456789abcdef",
    ]
    for _ in 0..<400 {
      for _ in 0..<Int.random(in: 0...9, using: &random) {
        if Int.random(in: 0..<6, using: &random) == 0 {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        } else {
          bytes.append(contentsOf: pieces.randomElement(using: &random)!.utf8)
        }
      }
      bytes.append(0x0A)
    }
    // Lines, whatever stands in them: the first says so.
    bytes.insert(contentsOf: "plain text first\n".utf8, at: 0)
    try expectRoundTrip(bytes)
  }

  @Test func `events of many days survive in their days`() throws {
    var text = ""
    for i in 0..<3_000 {
      text += "{\"timestamp\":\"2026-01-\(10 + i * 7 % 19)T00:00:0\(i % 10)Z\",\"i\":\(i)}\n"
    }
    try expectRoundTrip(Array(text.utf8))
  }

  @Test func `wide and deep objects survive`() throws {
    var wide = "{"
    for i in 0..<5_000 { wide += "\"k\(i)\":\(i)," }
    wide += "\"z\":0}"
    let deep =
      String(repeating: "{\"d\":", count: 10_000) + "1" + String(repeating: "}", count: 10_000)
    var shapes = ""
    for i in 0..<2_000 { shapes += "{\"field\(i)\":\(i),\"other\(i % 7)\":\"x\"}\n" }
    try expectRoundTrip(Array("\(wide)\n\(deep)\n\(shapes)".utf8))
  }

  @Test func `an over-long line is rejected by name and its neighbours stay`() throws {
    let long = String(repeating: "x", count: StorageLimits.bytesPerEvent + 1)
    let folder = TemporaryFolder()
    let store = try LogStore.open(folder.file("store"), mode: .create)
    let session = try IngestSession(store: store, options: .init(logGroup: "g", now: 0))
    let report = try session.ingest(.memory(Array("a\n\(long)\nb\n".utf8), name: "input"))
    #expect(report.acceptedCount == 2)
    #expect(report.tooLong.map(\.line) == [2])
    #expect(report.tooLong.map(\.byteCount) == [UInt64(long.utf8.count)])
    #expect(try texts(of: store.snapshot()) == [Array("a".utf8), Array("b".utf8)])
  }

  @Test(arguments: ProjectFolder.sharedData())
  func `every file of the shared data comes back`(file: String) throws {
    let input = try InputStream(.file(file))
    var bytes: [UInt8] = []
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
    defer { piece.deallocate() }
    while case let count = try input.read(into: piece), count > 0 {
      bytes.append(contentsOf: piece[..<count])
    }
    try expectRoundTrip(bytes)
  }

  @Test func `a few records of large columns are the same as among all`() throws {
    var random = SeededGenerator(seed: 71)
    func word() -> String { String(UInt64.random(in: .min ... .max, using: &random), radix: 36) }
    let lines = (0..<20_000).map { i -> String in
      let time = Timestamp.text(1_772_445_600_000 + Int64(i) * 37)
      let id = String(UInt64.random(in: .min ... .max, using: &random), radix: 16)
      let extra = i % 3 == 0 ? ",\"only\":\"\(word())\"" : ""
      let trace = String(repeating: "0", count: 16 - id.count) + id
      return "{\"time\":\"\(time)\",\"trace\":\"\(trace)\",\"a\":\"\(word())\",\"b\":\"\(word())\""
        + ",\"message\":\"user \(word()) took \(i % 977) ms\""
        + ",\"n\":\(Int.random(in: 0..<1_000_000, using: &random))\(extra)}"
    }
    let folder = TemporaryFolder()
    let store = try LogStore.open(folder.file("store"), mode: .create)
    _ = try IngestSession(store: store, options: .init(logGroup: "group", now: 1_800_000_000_000))
      .ingest(.memory(Array(lines.joined(separator: "\n").utf8), name: "input"))
    let cursor = try store.snapshot().scan(ScanRequest(order: .oldestFirst))
    var first = 0
    while let rowGroup = try cursor.next() {
      let rows = SelectionVector(
        stride(from: 5, to: UInt32(rowGroup.rowCount), by: rowGroup.rowCount / 40))
      // Nothing of the row group is decoded yet, and its columns are large: two threads do it.
      let few = try rowGroup.messages(rows)
      for (i, row) in rows.enumerated() {
        let text = String(decoding: few.bytes[few.range(i)], as: UTF8.self)
        #expect(text == lines[first + Int(row)])
      }
      #expect(try rowGroup.messages(nil).count == rowGroup.rowCount)
      first += rowGroup.rowCount
    }
    #expect(first == lines.count)
  }
}
