import Columnar
import LogStorage
import Synchronization
import TestSupport
import Testing

@testable import QueryEngine

/// Queries that are cancelled while they are at work.
struct CancellationTests {
  /// What a cancelled query may still take. In a release build on an idle machine it is less than a tenth of a
  /// second; here it is a debug build on a machine that does something else too.
  private static let slack = Duration.seconds(4)

  private static let heavy = [
    "filter @message =~ /[a-z]+[0-9]{2}[x-z]+q/ | stats count(*)",
    "fields @timestamp, message | sort ms desc, message asc",
    "stats count(*), pct(ms, 90), count_distinct(id) by message",
    "stats values(message), stddev(ms) by user",
    "pattern message",
    "dedup message | fields @message",
    "parse message /(?<a>[a-z]+) .* (?<b>[0-9]+)/ | stats count(*) by a, b",
    "fields user, ms | join type=inner left=a right=b where a.user = b.user "
      + "(fields user, id | limit 2000) | stats count(*)",
    "filter user in (filter ms > 3 | fields user) | fields *",
    "fields ms | sort ms asc | autoregress ms p=1-3 | outlier ms",
  ]

  private struct World {
    let folder = TemporaryFolder()
    let source: any EventSource

    init() throws {
      let store = try LogStore.open(folder.file("store"), mode: .create)
      let lines = (0..<12_000).map { row in
        let id = String(UInt64(row) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
        return "{\"timestamp\":\(1_772_445_600_000 + row),\"user\":\"u\(row % 977)\","
          + "\"ms\":\(row * 7_919 % 10_007).\(row % 10),\"id\":\"\(id)\","
          + "\"message\":\"job \(id) of u\(row % 977) took \(row % 911) ms at step s\(row % 13)\"}"
      }
      for part in 0..<3 {
        var options = IngestSession.Options(logGroup: "app", stream: "s", now: 1_772_445_600_000)
        options.workers = 1
        let text = lines[(part * 4_000)..<((part + 1) * 4_000)].joined(separator: "\n")
        _ = try IngestSession(store: store, options: options)
          .ingest(.memory(Array(text.utf8), name: "part \(part)"))
      }
      source = try LogStore.open(folder.file("store"), mode: .readOnly)
        .snapshot(now: 1_772_445_600_000)
    }
  }

  @Test(arguments: heavy)
  func `a cancelled query ends soon and hands out nothing more`(query: String) throws {
    let world = try World()
    defer { withExtendedLifetime(world) {} }
    let source = world.source
    let seed = UInt64.random(in: 0..<10_000)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    for _ in 0..<3 {
      let cancellation = QueryCancellation()
      var options = QueryOptions(now: 1_772_445_600_000)
      options.workers = 2
      options.cancellation = cancellation
      let prepared = try PreparedQuery(query, options: options)
      let delay = Duration.microseconds(Int.random(in: 0..<400_000, using: &random))
      let moment = Mutex<ContinuousClock.Instant?>(nil)
      let rowsAfter = Atomic<Int>(0)
      try Workers.run(2) { worker in
        if worker == 1 {
          let end = ContinuousClock.now + delay
          while ContinuousClock.now < end { pause() }
          moment.withLock { $0 = .now }
          cancellation.cancel()
          return
        }
        do {
          _ = try prepared.run(on: source) { batch in
            if cancellation.isCancelled { rowsAfter.add(batch.rowCount, ordering: .relaxed) }
          }
        } catch QueryFailure.cancelled {
          let begin = moment.withLock { $0 }
          #expect(begin.map { $0.duration(to: .now) < Self.slack } ?? true)
        }
      }
      // A batch may have been on its way when the switch was thrown.
      #expect(rowsAfter.load(ordering: .relaxed) <= SortBuffer.rowsPerBatch)
    }
  }

  @Test(arguments: heavy)
  func `a query whose time is up says so`(query: String) throws {
    let world = try World()
    defer { withExtendedLifetime(world) {} }
    for milliseconds in [0, 40] {
      var options = QueryOptions(now: 1_772_445_600_000)
      let end = ContinuousClock.now + .milliseconds(milliseconds)
      options.deadline = end
      let prepared = try PreparedQuery(query, options: options)
      do {
        _ = try prepared.run(on: world.source) { _ in }
        #expect(milliseconds > 0, "no query is as fast as that")
      } catch QueryFailure.timedOut {
        #expect(end.duration(to: .now) < Self.slack)
      }
    }
  }

  private struct Raised: StopSignal {
    var isRaised: Bool { true }
  }

  @Test func `loops that break off give back something of the right form`() throws {
    let texts = (0..<5_000).map { "text \($0 * 7_919 % 5_003) of them" }
    let vector = StringVector(texts.map { Optional($0) })
    let regex = try CompiledRegex("x?")
    let mixed = ColumnVector.values(
      (0..<5_000).map { $0 % 2 == 0 ? .integer(Int64($0)) : .string(texts[$0]) })
    StopPoint.$signal.withValue(Raised()) {
      #expect(regex.rows(in: vector).setCount < 5_000)
      var count = 0
      regex.forEachFirstMatch(in: vector) { _, _ in count += 1 }
      #expect(count == 5_000)
      for column in [ColumnVector.strings(vector), mixed] {
        let order = SortKernel.order(keys: [column], descending: [false], rowCount: 5_000)
        #expect(Set(order) == Set(0..<5_000))
      }
      #expect(throws: Stopped.self) { try StopPoint.check() }
    }
    #expect(regex.rows(in: vector).setCount == 5_000)
  }

  @Test func `threads of one work stop together`() throws {
    let seen = Atomic<Int>(0)
    try StopPoint.$signal.withValue(Raised()) {
      try Workers.run(3) { _ in if StopPoint.isPassed { seen.add(1, ordering: .relaxed) } }
    }
    #expect(seen.load(ordering: .relaxed) == 3)
    try Workers.run(2) { _ in #expect(!StopPoint.isPassed) }
  }
}

/// Gives the processor away for a moment.
private func pause() {
  var spins = 0
  while spins < 1_000 { spins += 1 }
}
