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
