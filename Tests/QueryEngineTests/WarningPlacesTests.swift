import Columnar
import QueryLanguage
import Testing

@testable import QueryEngine

/// What is said about values points at the part of the query that made them.
@Suite struct WarningPlacesTests {
  private static func marked(_ query: String, _ texts: [String]) throws -> [String: String] {
    let prepared = try PreparedQuery(query, options: QueryOptions(now: MemorySource.start))
    let outcome = try prepared.run(on: MemorySource(texts: texts)) { _ in }
    return Dictionary(
      outcome.warnings.map { ($0.id.code, String(prepared.text[$0.range])) },
      uniquingKeysWith: { first, _ in first })
  }

  @Test func `a value that is cut`() throws {
    let long = String(repeating: "x", count: 1 << 19)
    let marked = try Self.marked(
      "fields 1 as a, concat(@message, @message, @message) as b", [long])
    #expect(marked["W204"] == "concat(@message, @message, @message) as b")
  }

  @Test func `a regular expression that is given up`() throws {
    let marked = try Self.marked(
      "fields @timestamp | filter @message like /(a+)+\\1$/ or @message = \"b\"",
      [String(repeating: "a", count: 40) + "b"])
    #expect(marked["W201"] == "/(a+)+\\1$/")
  }

  @Test func `a list that is cut`() throws {
    let marked = try Self.marked(
      "stats count(*) as n, values(@message) as v", (0...10_000).map { "m\($0)" })
    #expect(marked["W203"] == "values(@message)")
  }
}
