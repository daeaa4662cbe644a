import Columnar
import LogStorage
import QueryLanguage
import TestSupport
import Testing

@testable import QueryEngine

/// Rows of a query as texts, cells joined by a bar.
func answer(
  _ query: String, on source: any EventSource, change: (inout QueryOptions) -> Void = { _ in }
) throws -> [String] {
  var options = QueryOptions(now: 1_772_449_200_000)
  options.workers = 2
  change(&options)
  var rows: [String] = []
  _ = try PreparedQuery(query, options: options).run(on: source) { batch in
    for row in 0..<batch.rowCount {
      rows.append(
        batch.columns.map { $0.value(at: row).text ?? "(none)" }.joined(separator: "|"))
    }
  }
  return rows
}

@Suite struct ExecutionTests {
  /// Events whose times are nearly, but not quite, in the order of their numbers.
  private func shuffled(_ count: Int, seed: UInt64) -> [MemorySource.Event] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      let time = Int64(index / 3) * 10 + Int64.random(in: -200...200, using: &random)
      let size = Int64.random(in: 0..<1000, using: &random)
      return MemorySource.Event(
        #"{"i":\#(index),"size":\#(size),"k":"k\#(size % 7)"}"#, time: time,
        sequence: UInt64(index + 1))
    }
  }

  @Test(arguments: [1, 7, 100, 65_536])
  func `rows come in order of time whatever the row groups`(_ rowsPerGroup: Int) throws {
    let seed: UInt64 = 20_260_302
    let events = shuffled(600, seed: seed)
    let newestFirst = events.sorted { ($0.time, $0.sequence) > ($1.time, $1.sequence) }
      .map { String($0.sequence - 1) }
    for isUnordered in [false, true] {
      var source = MemorySource(events, rowsPerGroup: rowsPerGroup)
      source.isUnordered = isUnordered
      #expect(try answer("fields i", on: source) == newestFirst, "seed \(seed)")
      #expect(
        try answer("fields i | sort @timestamp asc", on: source) == newestFirst.reversed(),
        "seed \(seed)")
      #expect(
        try answer("fields i | limit 17", on: source) == Array(newestFirst.prefix(17)),
        "seed \(seed)")
      #expect(
        try answer("fields i | sort @timestamp asc | limit 17", on: source)
          == Array(newestFirst.reversed().prefix(17)), "seed \(seed)")
      #expect(
        try answer("fields i | tail 5", on: source) == Array(newestFirst.suffix(5)),
        "seed \(seed)")
    }
  }

  @Test func `a general sort breaks ties by time, newest first`() throws {
    let events = shuffled(3_000, seed: 7)
    let expected = events.sorted { a, b in
      (size(a), -a.time, -Int64(a.sequence)) < (size(b), -b.time, -Int64(b.sequence))
    }.map { String($0.sequence - 1) }
    let source = MemorySource(events, rowsPerGroup: 64)
    #expect(try answer("fields i | sort size", on: source) == expected)
    #expect(
      try answer("fields i | sort size | limit 100", on: source) == Array(expected.prefix(100)))
  }

  private func size(_ event: MemorySource.Event) -> Int64 {
    if case .integer(let size) = event.value(of: "size") { size } else { -1 }
  }

  @Test func `10,001 rows all come out, and a limit beyond the small ones counts`() throws {
    let source = MemorySource(shuffled(10_001, seed: 3), rowsPerGroup: 500)
    #expect(try answer("fields i", on: source).count == 10_001)
    #expect(try answer("fields i | limit 10000", on: source).count == 10_000)
    #expect(try answer("fields i | limit 10001", on: source).count == 10_001)
    let all = try answer("fields i", on: source)
    #expect(try answer("fields i | limit 10001", on: source) == all)
    #expect(try answer("fields i", on: source) { $0.resultLimit = 5 } == Array(all.prefix(5)))
  }

  @Test func `events in order of time need little memory however many they are`() throws {
    let events = (0..<20_000).map { index in
      MemorySource.Event(
        #"{"i":\#(index)}"#, time: Int64(index), sequence: UInt64(index + 1))
    }
    let source = MemorySource(events, rowsPerGroup: 500)
    let rows = try answer("fields @message | sort @timestamp asc", on: source) {
      $0.memoryLimit = 400_000
      $0.workers = 1
    }
    #expect(rows.count == 20_000)
  }

  @Test func `a query is cancelled from outside, and runs out of time`() throws {
    let source = MemorySource(shuffled(100, seed: 1), rowsPerGroup: 10)
    let cancellation = QueryCancellation()
    cancellation.cancel()
    let cancelled = #expect(throws: QueryFailure.self) {
      try answer("stats count(*)", on: source) { $0.cancellation = cancellation }
    }
    #expect(cancelled?.code == "cancelled")
    let late = #expect(throws: QueryFailure.self) {
      try answer("fields i", on: source) { $0.deadline = .now - .seconds(1) }
    }
    #expect(late?.code == "timed-out")
  }

  private struct SinkFull: Error {}

  @Test func `what the sink throws ends the query and comes back`() throws {
    let source = MemorySource(shuffled(5_000, seed: 2), rowsPerGroup: 10)
    let query = try PreparedQuery("fields i", options: QueryOptions(now: 0))
    var batches = 0
    #expect(throws: SinkFull.self) {
      try query.run(on: source) { _ in
        batches += 1
        throw SinkFull()
      }
    }
    #expect(batches == 1)
  }

  @Test func `an early limit leaves the rest of the row groups alone`() throws {
    let events = (0..<10_000).map { index in
      MemorySource.Event(
        #"{"i":\#(index)}"#, time: Int64(index), sequence: UInt64(index + 1))
    }
    var options = QueryOptions(now: 0)
    options.workers = 1
    let outcome = try PreparedQuery("fields i | limit 5", options: options)
      .run(on: MemorySource(events, rowsPerGroup: 100)) { _ in }
    #expect(outcome.statistics.rowGroupsRead == 1)
    #expect(outcome.statistics.resultCount == 5)
  }

  @Test func `an unknown log group fails as the source says`() throws {
    let source = MemorySource([], group: "app")
    let failure = #expect(throws: QueryFailure.self) {
      try answer("fields i", on: source) { $0.logGroups = ["none"] }
    }
    #expect(failure?.code == "unknown-group")
  }
}

@Suite struct OrdinalQueueTests {
  @Test func `pieces leave in order, and only when nothing can precede them`() {
    var queue = OrdinalQueue<String>(workers: 2)
    queue.willDraw(0)
    queue.didDraw(0, 0)
    queue.willDraw(1)
    queue.didDraw(1, 3)
    queue.deposit(1, 3, "three")
    #expect(queue.takeFirst() == nil)
    queue.willDraw(1)
    queue.didDraw(1, 4)
    queue.deposit(0, 0, "zero")
    #expect(queue.takeFirst() == "zero")
    #expect(queue.takeFirst() == "three")
    #expect(queue.takeFirst() == nil)
  }

  @Test func `a worker that waits holds no piece of another one back`() {
    var queue = OrdinalQueue<Int>(workers: 2)
    queue.willDraw(1)
    queue.didDraw(1, 0)
    queue.deposit(1, 0, 0)
    for ordinal in 1...3 {
      queue.willDraw(0)
      queue.didDraw(0, ordinal)
      queue.deposit(0, ordinal, ordinal)
    }
    for ordinal in 0...3 { #expect(queue.takeFirst() == ordinal) }
    // Asking again it can get nothing before what has been handed out.
    queue.willDraw(1)
    queue.willDraw(0)
    queue.didDraw(0, 5)
    queue.deposit(0, 5, 5)
    #expect(queue.takeFirst() == nil)
    queue.didDraw(1, 4)
    queue.deposit(1, 4, 4)
    #expect(queue.takeFirst() == 4)
    #expect(queue.takeFirst() == 5)
  }

  @Test func `a queue is full when another piece like the largest has no room`() {
    var queue = OrdinalQueue<Int>(workers: 1)
    #expect(!queue.isFull(for: 10))
    for (ordinal, byteCount) in [(0, 7), (1, 2)] {
      queue.willDraw(0)
      queue.didDraw(0, ordinal)
      queue.deposit(0, ordinal, ordinal, byteCount: byteCount)
    }
    #expect(queue.isFull(for: 15))
    #expect(!queue.isFull(for: 16))
    #expect(queue.takeFirst() == 0)
    #expect(queue.isFull(for: 8))
    #expect(!queue.isFull(for: 9))
    #expect(queue.takeFirst() == 1)
    // However large a piece is, one may be made.
    #expect(!queue.isFull(for: 1))
  }

  @Test func `at the end everything may leave`() {
    var queue = OrdinalQueue<Int>(workers: 2)
    queue.didDraw(0, 5)
    queue.deposit(0, 5, 5)
    queue.didDraw(0, nil)
    #expect(queue.takeFirst() == nil)
    queue.didDraw(1, nil)
    #expect(queue.takeFirst() == 5)
  }
}

@Suite struct LimitTests {
  @Test func `a value of over a megabyte is cut where it is shown, a message never`() {
    let long = String(repeating: "x", count: LongValues.limit - 1) + "äö"
    let members = [Value](repeating: .string(String(repeating: "y", count: 400_000)), count: 4)
    let columns: [(String, ColumnVector)] = [
      ("@message", ColumnVector([.string(long)])),
      ("text", ColumnVector([.string(long)])),
      ("list", ColumnVector([.list(members)])),
      ("map", ColumnVector([.map(ValueMap(keys: ["a", "b", "c", "d"], values: members))])),
      ("short", ColumnVector([.string("x")])),
    ]
    let batch = ColumnBatch(names: columns.map(\.0), columns: columns.map(\.1), rowCount: 1)
    var cut: [String] = []
    let shown = LongValues.cut(batch) { cut.append($0) }
    #expect(cut == ["text", "list", "map"])
    #expect(shown.columns[0].value(at: 0) == .string(long))
    let text = String(repeating: "x", count: LongValues.limit - 1) + "…"
    #expect(shown.columns[1].value(at: 0) == .string(text))
    #expect(shown.columns[2].value(at: 0) == .list(members.prefix(2) + [.string("…")]))
    #expect(
      shown.columns[3].value(at: 0)
        == .map(ValueMap(keys: ["a", "b", "…"], values: members.prefix(2) + [.string("…")])))
  }

  @Test func `an inner query works with whole values`() throws {
    let note = String(repeating: "x", count: 600_000)
    let source = MemorySource(texts: [#"{"id":1,"note":"\#(note)"}"#])
    let query = try PreparedQuery(
      "fields id | appendcols (fields concat(note, note) as long) | fields strlen(long) as n",
      options: QueryOptions(now: 0))
    let outcome = try query.run(on: source) { batch in
      let place = try #require(batch.names.firstIndex(of: "n"))
      #expect(batch.columns[place].value(at: 0) == .integer(1_200_000))
    }
    #expect(outcome.warnings.map(\.id.code).filter { $0 != "W204" } == [])
  }
}
