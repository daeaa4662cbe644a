import TestSupport
import Testing

@testable import QueryEngine

@Suite struct TemplateTableTests {
  private typealias Templates = [[UInt8]: Int]

  private static func table(of texts: some Sequence<String>, limit: Int) -> TemplateTable {
    var table = TemplateTable(limit: limit)
    for text in texts { Array(text.utf8).withUnsafeBufferPointer { _ = table.add($0) } }
    return table
  }

  private static func counts(_ table: TemplateTable) -> Templates {
    Dictionary(uniqueKeysWithValues: table.templates().map { ($0.bytes, $0.count) })
  }

  private static let words = [
    "user", "level", "opened", "Cart.java", "after", "retryCount", "error", "x7", "b-12", "the",
    "Warning", "done", "peer", "über", "a_b",
  ]

  private static func text(_ generator: inout SeededGenerator) -> String {
    (0..<Int.random(in: 1...7, using: &generator)).map { _ in
      words.randomElement(using: &generator)! + [" ", "=", ": ", ", "].randomElement(
        using: &generator)!
    }.joined()
  }

  @Test func `going up in steps or at once gives the same`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let levels = (0...5).compactMap { TemplateLevel(rawValue: $0) }
    func generalised(_ template: [UInt8], _ level: TemplateLevel) -> [UInt8] {
      guard level != .exact else { return template }
      var result: [UInt8] = []
      template.withUnsafeBufferPointer { level.generalise($0, into: &result) }
      return result
    }
    for _ in 0..<500 {
      let text = Array(Self.text(&generator).utf8)
      for lower in levels {
        for upper in levels where upper >= lower {
          #expect(
            generalised(generalised(text, lower), upper) == generalised(text, upper),
            "\(String(decoding: text, as: UTF8.self)) by \(lower) and \(upper)")
        }
      }
    }
  }

  @Test func `neither order nor parts show in what a full table holds`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    var texts = (0..<800).map { _ in Self.text(&generator) }
    for limit in [1, 5, 40, 200] {
      let whole = Self.table(of: texts, limit: limit)
      #expect(whole.counts.count <= max(limit, 5))
      #expect(whole.counts.reduce(0, +) == texts.count)
      texts.shuffle(using: &generator)
      var parts = TemplateTable(limit: limit)
      for start in stride(from: 0, to: texts.count, by: 70) {
        let part = texts[start..<min(start + 70, texts.count)]
        parts.merge(Self.table(of: part, limit: limit)) { $0 }
      }
      #expect(parts.level == whole.level)
      #expect(Self.counts(parts) == Self.counts(whole))
    }
  }
}
