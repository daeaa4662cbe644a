import Columnar
import Foundation
import LogStorage
import QueryLanguage
import TestSupport
import Testing

@testable import QueryEngine

/// The engine against an evaluator written from the language reference alone.
///
/// `VARVE_TEST_SEED` repeats a run, `VARVE_TEST_QUERIES` makes it longer.
///
/// One thing is left open: sums of decimals depend in their last bit on how the rows were shared
/// out, so in an aggregation a difference of one part in 10^15 counts as none.
@Suite struct DifferentialTests {
  private static func setting(_ name: String, _ standard: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? standard
  }

  @Test func `every configuration answers as the reference does`() throws {
    let seed = Self.setting("VARVE_TEST_SEED", 1)
    let count = Self.setting("VARVE_TEST_QUERIES", 420)
    var generator = RandomQueries(random: SeededGenerator(seed: seed))
    var differences = 0
    for _ in 0..<(count + 59) / 60 {
      let events = (0..<40).map { _ in generator.event() }
      let sources = try Configuration.all.map { ($0, try $0.source(CaseEvents(events))) }
      for _ in 0..<60 {
        let query = generator.query()
        let parsed = QueryParser.parse(query)
        try #require(!parsed.hasErrors, "\(query)")
        let expected = try NaiveEvaluator.answer(parsed.query, on: events)
        for (configuration, source) in sources {
          guard
            let difference = try difference(query, configuration, source, expected)
          else { continue }
          differences += 1
          Issue.record(
            "seed \(seed), \(configuration.name): \(query)\n\(difference)\n\(events)")
          break
        }
        if differences >= 12 { return }
      }
    }
  }

  private func difference(
    _ query: String, _ configuration: Configuration, _ source: any EventSource,
    _ expected: [[String?]]
  ) throws -> String? {
    var options = QueryOptions(now: 1_772_449_200_000)
    options.workers = configuration.workers
    options.isOptimized = configuration.isOptimized
    var rows: [[String?]] = []
    _ = try PreparedQuery(query, options: options).run(on: source) { batch in
      for row in 0..<batch.rowCount {
        rows.append(
          batch.columns.map { column in
            let value = column.value(at: row)
            return value.isMissing ? nil : value.displayText
          })
      }
    }
    if rows.count != expected.count {
      return "rows: \(rows.count), expected \(expected.count)"
    }
    let isAggregated = query.contains("stats ")
    for (actual, wanted) in zip(rows, expected) where actual != wanted {
      let isSame =
        isAggregated && actual.count == wanted.count
        && zip(actual, wanted).allSatisfy { Self.isSameNumber($0, $1) }
      if !isSame { return "row: \(actual)\nexpected: \(wanted)" }
    }
    return nil
  }

  private static func isSameNumber(_ a: String?, _ b: String?) -> Bool {
    if a == b { return true }
    guard let a, let b, let x = Double(a), let y = Double(b) else { return false }
    return x == y || abs(x - y) <= abs(x) * 1e-15
  }

  /// Damaged queries and noise end in a diagnostic or an answer, soon, and never in a trap.
  @Test func `nothing written stops the reader of queries`() {
    let seed = Self.setting("VARVE_TEST_SEED", 1)
    let count = Self.setting("VARVE_TEST_TEXTS", 3_000)
    var generator = RandomQueries(random: SeededGenerator(seed: seed))
    var slowest = Duration.zero
    for index in 0..<count {
      var bytes = Array(generator.query().utf8)
      if index.isMultiple(of: 4) {
        bytes = bytes.map { _ in UInt8.random(in: 0...255, using: &generator.random) }
      }
      for _ in 0..<Int.random(in: 1...4, using: &generator.random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &generator.random)
        let byte = generator.pick(Array("|()[]{}'\"`/\\*,.:=<>!@#$ 0aé\n".utf8))
        switch index % 3 {
        case 0: bytes[place] = byte
        case 1: bytes.remove(at: place)
        default: bytes.insert(byte, at: place)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      slowest = max(
        slowest,
        ContinuousClock().measure {
          _ = try? PreparedQuery(text, options: QueryOptions(now: 0))
        })
    }
    #expect(slowest < .milliseconds(1000), "seed \(seed)")
  }
}
