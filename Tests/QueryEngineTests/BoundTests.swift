import Columnar
import TestSupport
import Testing

@testable import QueryEngine

/// Where a command keeps only so much, the answer says so.
@Suite struct BoundTests {
  private func run(
    _ query: String, on texts: [String]
  ) throws -> (rows: [[String: Value]], approximations: [String]) {
    var rows: [[String: Value]] = []
    var options = QueryOptions(now: MemorySource.start)
    options.workers = 2
    let outcome = try PreparedQuery(query, options: options)
      .run(on: MemorySource(texts: texts, rowsPerGroup: 20_000)) { batch in
        for row in 0..<batch.rowCount {
          let values = batch.columns.map { $0.value(at: row) }
          rows.append(Dictionary(zip(batch.names, values)) { first, _ in first })
        }
      }
    return (rows, outcome.statistics.approximations)
  }

  @Test func `relevantfields tells a field with more than 50,000 values, and still ranks it`()
    throws
  {
    // Names are all different, of one kind where the condition holds and of another elsewhere; one
    // name comes often. Numbers are all different too, and larger where it holds.
    let texts = (0..<60_000).map { index in
      let isOfInterest = index % 3 == 0
      let name = index % 10 == 0 ? "often" : "\(isOfInterest ? "x" : "y")-\(index)"
      return "{\"k\":\(isOfInterest ? 1 : 0),\"name\":\"\(name)\","
        + "\"n\":\(isOfInterest ? 1_000_000 + index : index),\"few\":\(index % 7)}"
    }
    let found = try run("relevantfields name, n, few where k = 1", on: texts)
    #expect(found.rows.count == 3)
    let scores = found.rows.map {
      ($0["@fieldName"]?.text, $0["@relevanceScore"]?.number?.asDouble)
    }
    let score = Dictionary(uniqueKeysWithValues: scores.map { ($0.0 ?? "", $0.1 ?? -1) })
    #expect(score["n"] == 1)
    #expect((score["few"] ?? 1) < 0.01)
    // Names that come once are given up or kept, but none can be counted on the wrong side.
    #expect((0...1).contains(score["name"] ?? -1))
    for field in ["name", "n"] {
      #expect(
        found.approximations.contains {
          $0.contains("relevantfields: \(field) has more than 50000")
        },
        "\(field): \(found.approximations)")
    }
    #expect(!found.approximations.contains { $0.contains("few") })
    // The medians of numbers that were rounded are near the true ones.
    let row = try #require(found.rows.first { $0["@fieldName"]?.text == "n" })
    let medians = ["@conditionalMedian", "@baselineMedian"].map { row[$0]?.number?.asDouble ?? 0 }
    #expect(abs(medians[0] - 1_030_000) < 5_000, "\(medians)")
    #expect(abs(medians[1] - 30_000) < 150, "\(medians)")
  }

  @Test func `50,000 values are told apart`() throws {
    let texts = (0..<50_000).map { "{\"k\":\($0 % 2),\"name\":\"u-\($0)\"}" }
    let found = try run("relevantfields name where k = 1", on: texts)
    #expect(found.approximations.isEmpty, "\(found.approximations)")
    #expect(found.rows.count == 1)
  }

  @Test func `filldown fills the first 1,000 fields that come, and says that there are more`()
    throws
  {
    let texts = (0..<110).map { event in
      let members = (0..<10).map { "\"f\(String(event * 10 + $0))\":\(event)" }
      return "{\(members.joined(separator: ","))}"
    }
    let found = try run(
      "sort @timestamp asc | filldown | fields f1095, * | tail 1", on: texts + ["{\"last\":1}"])
    #expect(found.approximations.contains { $0.contains("more than 1000 fields") })
    let last = try #require(found.rows.last)
    #expect(last["f0"]?.text == "0")
    #expect(last["f999"]?.text == "99")
    #expect(last["f1000"] == nil)
    // One that the query names is filled nevertheless.
    #expect(last["f1095"]?.text == "109")
    let all = try run(
      "sort @timestamp asc | filldown | fields * | tail 1", on: Array(texts[..<100]))
    #expect(all.approximations.isEmpty && all.rows.last?.count == 1_000)
  }
}
