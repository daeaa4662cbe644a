import Columnar
import Foundation
import LogStorage
import TestSupport
import Testing

@testable import QueryEngine

/// A damaged column costs the row groups that need it, by name, and nothing else.
@Suite struct DamageTests {
  /// A store of two days with 300 events each.
  private func makeStore(_ folder: TemporaryFolder) throws -> LogStore {
    let store = try LogStore.open(folder.file("store"), mode: .create)
    for day in 1...2 {
      let lines = (0..<300).map { i in
        "{\"time\":\"2026-03-0\(day)T10:00:00Z\",\"id\":\(i * 7_919 % 1_000),\"text\":\"word \(i) of \(day)\"}\n"
      }
      _ = try IngestSession(store: store, options: .init(logGroup: "g", now: 0))
        .ingest(.memory(Array(lines.joined().utf8), name: "input"))
    }
    return store
  }

  private func run(
    _ query: String, _ path: String
  ) throws -> (rows: [[Value]], damaged: [String]) {
    let store = try LogStore.open(path, mode: .readOnly)
    var rows: [[Value]] = []
    let outcome = try PreparedQuery(query, options: QueryOptions(now: 1_772_445_600_000))
      .run(on: store.snapshot()) { batch in
        let columns = batch.columns.map { $0.values() }
        for row in 0..<batch.rowCount { rows.append(columns.map { $0[row] }) }
      }
    return (rows, outcome.statistics.damagedParts)
  }

  @Test(arguments: [0, 1])
  func `a damaged column leaves its row group out and names it`(damaged: Int) throws {
    let folder = TemporaryFolder()
    let store = try makeStore(folder)
    let segments = try FileManager.default.subpathsOfDirectory(atPath: store.path)
      .filter { $0.hasSuffix(".seg") }.sorted().map { URL(fileURLWithPath: "\(store.path)/\($0)") }
    #expect(segments.count == 2)
    let whole = try Data(contentsOf: segments[damaged])
    var found = 0
    for place in stride(from: 64, to: whole.count, by: 23) {
      var changed = whole
      changed[place] ^= 0x55
      try changed.write(to: segments[damaged])
      let texts = try run("stats count(text) as n", store.path)
      guard texts.damaged.contains(where: { $0.contains("column 'text'") }) else { continue }
      found += 1
      #expect(texts.rows == [[.integer(300)]])
      #expect(texts.damaged.count == 1)
      #expect(texts.damaged[0].contains("log group 'g'"))
      #expect(texts.damaged[0].contains("300 events from 2026-03-0"))
      // Queries that do not need the column are whole.
      let ids = try run("stats count(id) as n", store.path)
      #expect(ids.rows == [[.integer(600)]])
      #expect(ids.damaged == [])
      // What both a query and its subquery miss is named once.
      let inner = try run("filter text in (fields text) | stats count(*) as n", store.path)
      #expect(inner.rows == [[.integer(300)]])
      #expect(inner.damaged.count == 1)
      // What only the inner query misses is named too.
      let joined = try run(
        "join where id = id (filter ispresent(text) | stats count(*) as n by id) | stats count(*)",
        store.path)
      #expect(joined.damaged.count == 1)
      // Rows and sorted rows behave alike.
      #expect(try run("fields text | sort id | limit 500", store.path).rows.count == 300)
      #expect(try run("fields text", store.path).rows.count == 300)
      // Whichever of the two the newest rows would have filled the limit from, others take their places.
      #expect(try run("fields text | limit 250", store.path).rows.count == 250)
      let oldest = try run("fields text | sort @timestamp asc | limit 250", store.path)
      #expect(oldest.rows.count == 250)
    }
    #expect(found > 0)
  }
}
