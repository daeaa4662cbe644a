import ArgumentParser
import TestSupport
import Testing

@testable import varve

@Suite struct DirectArgumentsTests {
  private static let plain: [[String]] = [
    ["query", "stats count(*) by level", "--since", "3h"],
    ["query", "--store", "D", "-g", "app", "--group", "web", "-o", "json", "limit 1", "a.log"],
    ["query", "-f", "q.txt", "--timestamp-field", "at", "--tz", "+02:00", "--explain"],
    ["query", "--rejected", "--strict", "--statistics", "-q", "--memory", "1G", "limit 1"],
    ["query", "--lookup", "a=a.csv", "--lookup", "b=b.csv", "--timeout", "30s", "limit 1"],
    ["query", "--start", "2026-01-01", "--end", "2026-01-02", "--now", "2026-02-01", "limit 1"],
    ["query"],
    ["repl"],
    ["repl", "--store", "D", "--group", "app", "--output", "ndjson", "--statistics"],
    ["repl", "--allow-network-file-system", "--since", "1h", "--since", "2h"],
  ]

  @Test(arguments: plain)
  func `plain arguments are read directly, as the argument parser reads them`(
    arguments: [String]
  ) throws {
    let direct = try #require(DirectArguments.command(arguments))
    #expect(String(describing: direct) == String(describing: try Varve.parseAsRoot(arguments)))
  }

  private static let others: [[String]] = [
    ["groups"], [], ["query", "--help"], ["query", "limit 1", "--since", "-3h"],
    ["query", "limit 1", "--group=app"], ["query", "limit 1", "-ojson"], ["query", "limit 1", "-"],
    ["query", "limit 1", "--group"], ["query", "limit 1", "--output", "xml"],
    ["query", "limit 1", "--tz", "Nowhere/Here"], ["query", "limit 1", "--", "--file"],
    ["query", "limit 1", "--unknown", "x"], ["repl", "limit 1"], ["repl", "--explain"],
    ["query", ""],
  ]

  @Test(arguments: others)
  func `what is not plain is left to the argument parser`(arguments: [String]) {
    #expect(DirectArguments.command(arguments) == nil)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `whatever is read directly, the argument parser reads alike`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let parts = [
      "--store", "--output", "-o", "--since", "--start", "--end", "--now", "--tz", "--memory",
      "--timeout", "--strict", "--statistics", "--quiet", "-q", "--allow-network-file-system",
      "--group", "-g", "--lookup", "--file", "-f", "--timestamp-field", "--explain", "--rejected",
      "json", "table", "UTC", "+01:00", "3h", "limit 1", "a.log", "-", "--", "-x", "--group=app",
      "-3h", "", "é", "--help", "=", "a=b",
    ]
    var directCount = 0
    for _ in 0..<3_000 {
      let command = Bool.random(using: &generator) ? "query" : "repl"
      let count = Int.random(in: 0..<7, using: &generator)
      let arguments =
        [command] + (0..<count).map { _ in parts.randomElement(using: &generator)! }
      guard let direct = DirectArguments.command(arguments) else { continue }
      directCount += 1
      let parsed = (try? Varve.parseAsRoot(arguments)).map { String(describing: $0) }
      #expect(String(describing: direct) == parsed, "seed \(seed): \(arguments)")
    }
    #expect(directCount > 100)
  }
}
