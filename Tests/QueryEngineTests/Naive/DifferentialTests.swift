import Columnar
import Foundation
import QueryLanguage
import TestSupport
import Testing

@testable import LogStorage
@testable import QueryEngine

/// The engine against an evaluator written from the language reference alone.
///
/// `VARVE_TEST_SEED` repeats a run, `VARVE_TEST_QUERIES` makes it longer. A long run takes two
/// configurations for each set of events, in turn, a short one takes them all.
///
/// One thing is left open: sums of decimals depend in their last bit on how the rows were shared
/// out, so where the reference computed with doubles in an aggregation or a running sum, a small
/// difference counts as none. Whole numbers are compared exactly.
@Suite struct DifferentialTests {
  static func setting(_ name: String, _ standard: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? standard
  }

  @Test func `every configuration answers as the reference does`() throws {
    let seed = Self.setting("VARVE_TEST_SEED", 1)
    let count = Self.setting("VARVE_TEST_QUERIES", 420)
    var generator = RandomQueries(random: SeededGenerator(seed: seed))
    var differences = 0
    for block in 0..<Int(count + 59) / 60 {
      // Every third block asks events that a store keeps as templates.
      let isSimilar = block % 3 == 2
      generator.fragments = []
      let events =
        isSimilar ? generator.similarEvents(600) : (0..<40).map { _ in generator.event() }
      let chosen = Self.configurations(block, isSimilar: isSimilar, isLong: count > 5_000)
      let sources = try chosen.map { ($0, try $0.source(CaseEvents(events))) }
      let rows = NaiveEvaluator.rows(of: events)
      for _ in 0..<60 {
        let query = generator.query()
        let parsed = QueryParser.parse(query)
        try #require(!parsed.hasErrors, "\(query)")
        let expected: NaiveAnswer
        do {
          expected = try NaiveEvaluator.answer(parsed.query, on: rows)
        } catch {
          Issue.record("\(error): \(query)")
          return
        }
        for (configuration, source) in sources {
          guard
            let difference = Self.difference(query, configuration, source, expected)
          else { continue }
          differences += 1
          Issue.record(
            """
            seed \(seed), \(configuration.name): \(query)
            \(difference)
            \(isSimilar ? Array(events.prefix(3)) : events)
            """)
          break
        }
        if differences >= 12 { return }
      }
    }
  }

  /// The configurations of a block: all, or two in turn; for similar events those that store them,
  /// or one of them and one other.
  private static func configurations(
    _ block: Int, isSimilar: Bool, isLong: Bool
  ) -> [Configuration] {
    let all = Configuration.all
    let others = all.filter { !$0.isStored }
    let stored = all.filter(\.isStored)
    switch (isSimilar, isLong) {
    case (true, true):
      return [stored[block / 3 % stored.count], others[block / 3 % others.count]]
    case (true, false): return stored
    case (false, true):
      return [all[block % all.count], all[(block / all.count + block + 1) % all.count]]
    case (false, false): return all
    }
  }

  /// Otherwise similar events would show nothing of the forms in which a store keeps them.
  @Test func `similar events are kept as templates, references and times`() throws {
    var generator = RandomQueries(random: SeededGenerator(seed: 7))
    var found: [String: Set<ColumnEncoding>] = [:]
    for _ in 0..<12 {
      let events = CaseEvents(generator.similarEvents(600))
      for configuration in Configuration.all
      where configuration.isStored && configuration.compactness == .automatic {
        let source = try configuration.source(events)
        found[configuration.name, default: []].formUnion(try StoredSources.encodings(of: source))
      }
    }
    let expected: Set<ColumnEncoding> = [
      .templates, .reference, .timestampText, .timestampNumber, .identifier, .dictionary, .integer,
      .decimal, .constant, .plainString,
    ]
    for (name, encodings) in found {
      #expect(encodings.isSuperset(of: expected), "\(name): \(expected.subtracting(encodings))")
    }
  }

  private static func difference(
    _ query: String, _ configuration: Configuration, _ source: any EventSource,
    _ expected: NaiveAnswer
  ) -> String? {
    let answer: EngineAnswer
    do {
      answer = try EngineAnswer(query, configuration, source)
    } catch let error as QueryError {
      return "refused: \(error.diagnostics.map(\.message))"
    } catch {
      return "failed: \(error)"
    }
    if answer.columns != expected.columns {
      return "columns: \(answer.columns)\nexpected: \(expected.columns)"
    }
    if answer.rows.count != expected.rows.count {
      return "rows: \(answer.rows.count), expected \(expected.rows.count)"
    }
    let allowed =
      query.contains("stddev") || query.contains("variance")
      ? 1e-9
      : query.contains("stats ") || query.contains("accum ") ? 1e-15 : 0
    for (actual, wanted) in zip(answer.rows, expected.rows) {
      let isSame = zip(actual, wanted).allSatisfy { actual, wanted in
        actual == wanted.text || wanted.isComputed && isNear(actual, wanted.text, allowed)
      }
      if !isSame { return "row: \(actual)\nexpected: \(wanted.map(\.text))" }
    }
    return nil
  }

  private static func isNear(_ a: String?, _ b: String?, _ allowed: Double) -> Bool {
    guard let a, let b, let x = Double(a), let y = Double(b) else { return false }
    // Rounding to four decimals may tip over where the last bit differs.
    return abs(x - y) <= max(abs(x) * allowed, allowed > 0 && abs(x) < 1e9 ? 1.01e-4 : 0)
  }

  /// Damaged queries and noise end in a diagnostic or an answer, soon, and never in a trap.
  ///
  /// Every fourth query is a sentence of the grammar, whose calls are of functions that there are, with
  /// constants that have hurt before: what is constant is worked out when a query is prepared.
  ///
  /// `VARVE_TEST_TEXTS` makes the run longer.
  @Test func `nothing written stops the reader of queries`() throws {
    let seed = Self.setting("VARVE_TEST_SEED", 1)
    let count = Self.setting("VARVE_TEST_TEXTS", 3_000)
    var generator = RandomQueries(random: SeededGenerator(seed: seed))
    var walker = GrammarWalker(
      try GrammarText(ProjectFolder.text("Grammar/insights.ebnf")),
      samples: ["Identifier": ["a", "b", "@timestamp", "n"], "Call": generator.calls(4_000)],
      depthLimit: 10, seed: seed)
    var slowest: (time: Duration, text: String) = (.zero, "")
    var query = ""
    var acceptedCount = 0
    for index in 0..<count {
      if index.isMultiple(of: 16) {
        query = index.isMultiple(of: 64) ? walker.sentence(from: "Query") : generator.query()
      }
      let bytes = index.isMultiple(of: 2) ? generator.noise() : generator.damaged(query)
      let text = String(decoding: bytes, as: UTF8.self)
      let start = Self.processorTime
      if (try? PreparedQuery(text, options: QueryOptions(now: 0))) != nil { acceptedCount += 1 }
      let time = Self.processorTime - start
      if time > slowest.time { slowest = (time, text) }
    }
    print("seed \(seed): \(count) texts, \(acceptedCount) of them queries,", terminator: " ")
    print("the slowest took \(slowest.time)")
    #if DEBUG
      let limit = Duration.milliseconds(1000)
    #else
      let limit = Duration.milliseconds(100)
    #endif
    #expect(slowest.time < limit, "seed \(seed): \(slowest.text)")
  }

  /// What the thread has had of a processor; others on the machine do not count.
  private static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

extension RandomQueries {
  private static let constants = [
    "a", "b", "@timestamp", "0", "1", "-1", "0.5", "9223372036854775807", "-9223372036854775808",
    "1e308", "-1e308", "5e-324", "20", "null", "true", "\"\"", "\"a,b\"", "\"é😀\"", "\"UTC\"",
    "\"Europe/Berlin\"", "\"+12:34\"", "\"10.0.0.0/8\"", "\"::1/0\"", "\"[1,[2]]\"", "\"{}\"",
    "\"%Y %j %V %G %s %L %z\"", "\"yyyyMMdd\"", "\"SSSSSSSSSS\"", "\"20260302\"", "\"(a)|b\"",
    "\"${-1}$9\"", "[1, \"a\", null]", "a > 1", "fromMillis(9223372036854775807)",
    "fromMillis(-9223372036854775808)", "9 ^ 999", "0 / 0", "1mo", "5m", "9223372036854775807y",
    "9223372036854775807d", "1ms",
  ]

  /// Calls of all functions with arguments by chance.
  fileprivate mutating func calls(_ count: Int) -> [String] {
    (0..<count).map { _ in
      let arguments = (0..<Int.random(in: 0...4, using: &random)).map { _ in pick(Self.constants) }
      return "\(pick(FunctionCatalog.names))(\(arguments.joined(separator: ", ")))"
    }
  }

  /// Bytes by chance, of all kinds or of those that queries are made of.
  fileprivate mutating func noise() -> [UInt8] {
    let signs = Array(
      "|()[]{}\"'`/\\*,.:=<>!@#$ 0a9 fields filter stats by parse like not in\n".utf8)
    let isAnything = chance(1, in: 2)
    return (0..<Int.random(in: 0...80, using: &random)).map { _ in
      isAnything ? UInt8.random(in: 0...255, using: &random) : pick(signs)
    }
  }

  /// A query with one to four bytes replaced, left out or put in.
  fileprivate mutating func damaged(_ query: String) -> [UInt8] {
    var bytes = Array(query.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let byte = pick(Array("|()[]{}'\"`/\\*,.:=<>!@#$ 0aé\n".utf8))
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = byte
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(byte, at: place)
      default:
        let end = min(bytes.count, place + Int.random(in: 1...12, using: &random))
        bytes.insert(contentsOf: bytes[place..<end], at: 0)
      }
    }
    return bytes
  }
}

/// What the engine answers, as texts by column.
struct EngineAnswer: Equatable {
  var columns: [String] = []
  var rows: [[String?]] = []

  init(_ query: String, _ configuration: Configuration, _ source: any EventSource) throws {
    var options = QueryOptions(now: 1_772_449_200_000)
    options.workers = configuration.workers
    options.isOptimized = configuration.isOptimized
    if configuration.spills { options.mostHeldBeforeSpilling = 0 }
    let prepared = try PreparedQuery(query, options: options)
    columns = prepared.columns ?? []
    var rows: [[String?]] = []
    _ = try prepared.run(on: source) { batch in
      for row in 0..<batch.rowCount {
        rows.append(
          batch.columns.map { column in
            let value = column.value(at: row)
            return value.isMissing ? nil : value.displayText
          })
      }
    }
    self.rows = rows
  }
}
