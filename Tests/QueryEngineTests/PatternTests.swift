import Columnar
import TestSupport
import Testing

@testable import QueryEngine

@Suite struct PatternTests {
  /// The rows of a `pattern` over events in their order of arrival.
  private static func rows(
    _ events: [MemorySource.Event], workers: Int, rowsPerGroup: Int
  ) throws -> [String] {
    var options = QueryOptions(now: MemorySource.start)
    options.workers = workers
    let query = "pattern @message | display @pattern, @sampleCount, @severityLabel, @logSamples"
    var rows: [String] = []
    _ = try PreparedQuery(query, options: options).run(
      on: MemorySource(events, rowsPerGroup: rowsPerGroup)
    ) { batch in
      for row in 0..<batch.rowCount {
        rows.append(
          batch.columns.map { $0.value(at: row).displayText ?? "" }.joined(separator: "|"))
      }
    }
    return rows
  }

  @Test func `threads, row groups and order of arrival do not show`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let names = ["alice", "bob", "carol", "dave"]
    let texts = (0..<600).map { index -> String in
      switch index % 5 {
      case 0: "user \(names.randomElement(using: &generator)!) logged in from 10.0.0.\(index % 9)"
      case 1: "disk sd\(names.randomElement(using: &generator)!) is \(index % 100)% full"
      case 2: "Error: \(names.randomElement(using: &generator)!) went away after \(index)ms"
      case 3: "\(names.randomElement(using: &generator)!) \(index)"
      default: "nothing of note"
      }
    }
    var expected: [String]?
    for round in 0..<4 {
      let arrival = round == 0 ? Array(texts.indices) : texts.indices.shuffled(using: &generator)
      let events = arrival.enumerated().map { place, index in
        MemorySource.Event(
          texts[index], time: MemorySource.start + Int64(index), sequence: UInt64(place + 1))
      }
      for (workers, size) in [(1, 65_536), (2, 7), (3, 1)] {
        let found = try Self.rows(events, workers: workers, rowsPerGroup: size)
        #expect(found.count >= 5)
        #expect(expected == nil || found == expected, "seed \(seed)")
        expected = expected ?? found
      }
    }
  }
}
