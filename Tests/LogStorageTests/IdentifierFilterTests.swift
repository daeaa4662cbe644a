import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// A filter never turns away an id that is there, and nearly always one that is not.
@Suite struct IdentifierFilterTests {
  private func pool(_ count: Int, width: Int, _ random: inout SeededGenerator) -> [UInt8] {
    (0..<count * width).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Fingerprints of three bits are those of the first stores.
  @Test(
    arguments: [(2_048, 8), (1_100, 16), (5_000, 12), (70_000, 16), (300_000, 8)], [3, 5])
  func `what is there passes, what is not is turned away`(
    pool size: (count: Int, width: Int), bits: Int
  ) throws {
    let (count, width) = size
    var random = SeededGenerator(seed: UInt64(count))
    let ids = pool(count, width: width, &random)
    let made = try #require(IdentifierFilter(pool: ids, width: width, fingerprintWidth: bits))
    var writer = ByteWriter()
    made.write(to: &writer)
    #expect(writer.count * 8 < count * (bits + 2) + 64, "bits of \(count) ids")
    let filter = try writer.bytes.withUnsafeBytes { bytes throws(DecodingFailure) in
      var reader = ByteReader(bytes)
      return try IdentifierFilter(from: &reader)
    }
    for i in 0..<count {
      try #require(filter.mayHold(Array(ids[i * width..<(i + 1) * width])), "id \(i)")
    }
    let others = pool(20_000, width: width, &random)
    let passed = (0..<20_000).count { filter.mayHold(Array(others[$0 * width..<($0 + 1) * width])) }
    #expect(passed < 20_000 * 4 / (3 << bits), "one of \(1 << bits) passes by chance")
  }

  @Test func `small pools and short ids have none`() {
    var random = SeededGenerator(seed: 3)
    #expect(IdentifierFilter(pool: pool(100, width: 16, &random), width: 16) == nil)
    #expect(IdentifierFilter(pool: pool(50_000, width: 4, &random), width: 4) == nil)
  }

  @Test func `ids are found through the filter of a stored row group`() throws {
    var random = SeededGenerator(seed: 0x1D)
    func id() -> String {
      String((0..<32).map { _ in "0123456789abcdef".randomElement(using: &random)! })
    }
    let ids = (0..<3_000).map { _ in id() }
    let lines = ids.map { #"{"trace":"\#($0)"}"# } + ids[..<50].map { #"{"trace":"\#($0)"}"# }
    let stored = try StoredLines(lines)
    #expect(try stored.inspection().rowGroups[0].chunks.contains { $0.name == "identifierFilter" })
    let cursor = try stored.store.snapshot(now: 0).scan(ScanRequest())
    let rowGroup = try #require(try cursor.next())
    for number in 0..<300 {
      let found = try #require(
        try rowGroup.find("trace", equal: Array(ids[number].utf8), rows: nil))
      #expect(
        found.setRows()
          == (number < 50 ? [UInt32(number), UInt32(3_000 + number)] : [UInt32(number)]))
      let absent = try #require(try rowGroup.find("trace", equal: Array(id().utf8), rows: nil))
      #expect(absent.isEmpty)
    }
  }

  /// What a directory tells must never hide an event, whatever else stands in the place of ids.
  @Test(arguments: 1...6)
  func `the directory turns away only what is not there`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    func id() -> String {
      String((0..<32).map { _ in "0123456789abcdef".randomElement(using: &random)! })
    }
    var values: [String: Set<String>] = ["always": [], "often": [], "within": [], "word": []]
    let lines = (0..<3_000).map { row -> String in
      let always = id()
      values["always"]!.insert(always)
      var parts = [#""always":"\#(always)""#]
      // Sometimes a word, a number, nothing or an object stands where ids stand.
      let other = Int.random(in: 0..<40, using: &random)
      let often = other == 0 ? "none" : id()
      if other != 1 {
        values["often"]!.insert(often)
        parts.append(#""often":"\#(often)""#)
      }
      let within = id()
      values["within"]!.insert(within)
      parts.append(other == 2 ? #""within":{"deep":"\#(within)"}"# : #""within":"\#(within)""#)
      let word = other < 20 ? "w\(row % 7)" : id()
      values["word"]!.insert(word)
      parts.append(#""word":"\#(word)""#)
      return "{" + parts.joined(separator: ",") + "}"
    }
    let stored = try StoredLines(lines)
    func isFound(_ field: String, _ value: String) throws -> Bool {
      let request = ScanRequest(
        predicates: [FieldPredicate(field: field, test: .compare(.equal, .string(value)))])
      guard let rowGroup = try stored.store.snapshot(now: 0).scan(request).next() else {
        return false
      }
      return try rowGroup.column(field, rows: nil).values().contains(.string(value))
    }
    let deep = lines.count { $0.contains("deep") }
    #expect(deep > 0)
    for (field, all) in values.sorted(by: { $0.key < $1.key }) {
      for value in all.sorted().prefix(40) + ["none", "w3", "w9"] where all.contains(value) {
        guard field != "within" || !lines.contains(where: { $0.contains("deep\":\"" + value) })
        else { continue }
        #expect(try isFound(field, value), "\(field) \(value)")
      }
      for _ in 0..<40 { #expect(try !isFound(field, id()), "\(field)") }
    }
    #expect(try stored.store.verify().problems == [])
  }

  @Test func `a search for an absent id reads no table`() throws {
    var random = SeededGenerator(seed: 5)
    func id() -> String {
      String((0..<32).map { _ in "0123456789abcdef".randomElement(using: &random)! })
    }
    let stored = try StoredLines((0..<3_000).map { _ in #"{"trace":"\#(id())"}"# })
    /// `nil` for one of 32, which the filter lets through.
    func bytesRead(_ value: String) throws -> Int? {
      let request = ScanRequest(
        predicates: [FieldPredicate(field: "trace", test: .compare(.equal, .string(value)))])
      let store = try LogStore.open(stored.store.path, mode: .readOnly)
      let cursor = try store.snapshot(now: 0).scan(request)
      return try cursor.next() == nil ? cursor.statistics.bytesRead : nil
    }
    let reads = try (0..<20).compactMap { _ in try bytesRead(id()) }
    #expect(reads.count > 12)
    #expect(Set(reads).count == 1)
    #expect(try bytesRead("no id at all") == reads[0])
  }

  @Test func `a damaged filter throws or answers, and never traps`() throws {
    var random = SeededGenerator(seed: 0xF1)
    let ids = pool(2_000, width: 16, &random)
    var writer = ByteWriter()
    try #require(IdentifierFilter(pool: ids, width: 16)).write(to: &writer)
    for _ in 0..<3_000 {
      var bytes = writer.bytes
      bytes[Int.random(in: 0..<6, using: &random)] = UInt8.random(in: 0...255, using: &random)
      if Bool.random(using: &random) {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      let filter = bytes.withUnsafeBytes {
        var reader = ByteReader($0)
        return try? IdentifierFilter(from: &reader)
      }
      _ = filter?.mayHold(Array(ids[0..<16]))
    }
  }
}
