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

  /// Every warning and hint that the text of a query gives, with what it marks.
  @Test(arguments: [
    ("W101", "sort @message | stats count(*) as n", "sort"),
    ("W102", "display @message | display @timestamp", "display"),
    (
      "W103", "stats count(*) as n by @logStream | filter ispresent(@message)",
      "filter ispresent(@message)"
    ),
    ("W104", "accum n", "accum"),
    ("W105", "filter n == 1", "=="),
    ("W105", "filter n = 1 && n = 1", "&&"),
    ("W106", "filter n in (1, 2)", "(1, 2)"),
    ("W107", "parse @message '*' as who | filter @who = 'x'", "@who"),
    ("W108", "sort @timestamp | limit any 5", "limit any 5"),
    ("W109", "stats countOverTime(n)", "countOverTime(n)"),
    ("W110", "stats count(*) by bin(300s)", "300s"),
    ("W111", "stats count(*) as n | sort m", "m"),
    ("H1", "fields 'a' + 'b'", "'a' + 'b'"),
    ("H2", "stats count(n > 1)", "count(n > 1)"),
    ("E118", "fields user-agent", "user-agent"),
  ]) func `a warning of the text marks what it is about`(
    _ code: String, _ query: String, _ part: String
  ) throws {
    let marked = try Self.marked(query, [#"{"n":1}"#])
    #expect(marked[code] == part, "\(query): \(marked)")
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
    let replaced = try Self.marked(
      "fields 1 as one, regexReplace(@message, '(a+)+$', 'x') as y",
      [String(repeating: "a", count: 40) + "b"])
    #expect(replaced["W201"] == "regexReplace(@message, '(a+)+$', 'x')")
    let computed = try Self.marked(
      "filter @message = 'b' or @message =~ concat('(a+)+', '$')",
      [String(repeating: "a", count: 40) + "b"])
    #expect(computed["W201"] == "concat('(a+)+', '$')")
  }

  @Test func `a list that is cut`() throws {
    let marked = try Self.marked(
      "stats count(*) as n, values(@message) as v", (0...10_000).map { "m\($0)" })
    #expect(marked["W203"] == "values(@message)")
  }
}
