import Columnar
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LogStorage
@testable import QueryEngine

/// Bits of a small store flip and its files are cut: every answer is the same as before, or what it lacks is named.
///
/// Some hundred changes are chosen by a seed. With `VARVE_EVERY_BIT` set every bit of every file is flipped and every
/// file cut at every length, which takes long; `VARVE_EVERY_BIT=7` takes each seventh.
@Suite struct StoreDamageTests {
  private static let now: Int64 = 1_795_262_400_000

  private static let queries = [
    "fields @timestamp, @logStream, @message | sort @timestamp, @message | limit 10000",
    "stats count(*)",
    "filter level = \"error\" | stats count(*) as n, sum(size), avg(ratio), max(load) by service | sort service",
    "filter @message like /timeout after/ | fields id, peer, text | sort id",
    "filter id = \"7f3a0000000000000000000000000011\" | fields parent, items.1, wide | sort @message",
    "stats count_distinct(peer) as a, min(at) as b, latest(text) as c by bin(1h)",
  ]

  /// Events that make use of all encodings: codes, counters, decimals, doubles, identifiers in several columns, addresses,
  /// times as texts, templates, plain texts, lists, rare fields, and lines that are no JSON.
  private static func lines(_ seed: UInt64, count: Int, from start: Int64) -> [String] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { i in
      let time = start + Int64(i) * 1711
      if i % 17 == 5 { return "plain line \(i) of \(seed), see 10.0.\(i % 7).\(i)" }
      let id = "7f3a00000000000000000000000000" + (i < 16 ? "0" : "") + String(i % 256, radix: 16)
      var line =
        "{\"timestamp\":\(time),\"level\":\"\(i % 5 == 0 ? "error" : "info")\",\"service\":\"s\(i % 3)\""
      line +=
        ",\"id\":\"\(id)\",\"parent\":\"\(i % 2 == 0 ? id : "none")\",\"size\":\(i * 37 % 9000)"
      line +=
        ",\"ratio\":\(i % 100).\(i % 10)5,\"load\":\(Double.random(in: 0...1, using: &random))"
      line +=
        ",\"peer\":\"10.1.\(i % 3).\(i % 200)\",\"at\":\"2026-11-21T10:\(10 + i % 50):11.\(100 + i)Z\""
      line += ",\"text\":\"request \(i) to node-\(i % 4) failed: timeout after \(i * 3) ms\""
      line += ",\"items\":[\(i),\"é\\n\(i % 3)\",null]"
      if i % 9 == 0 { line += ",\"wide\":{\"k\(i)\":{\"deep\":true}}" }
      return line + ",\"noise\":\"\(UInt64.random(in: 0 ... .max, using: &random))\"}"
    }
  }

  private static func options(_ disk: MemoryFileSystem) -> LogStore.Options {
    var options = LogStore.Options()
    options.fileSystem = disk
    options.clock = FixedClock(milliseconds: now)
    return options
  }

  /// Two segments, a write-ahead log of a dead writer, a table, a saved query, a removed group.
  private static func makeStore() throws -> MemoryFileSystem {
    let disk = MemoryFileSystem()
    let store = try LogStore.open("/store", mode: .create, options: options(disk))
    for part in 0..<2 {
      let text =
        lines(UInt64(part), count: 60, from: now - 7_200_000 + Int64(part) * 3_600_000)
        .joined(separator: "\n") + "\n"
      var session = IngestSession.Options(logGroup: part == 0 ? "app" : "web", now: now)
      session.workers = 1
      _ = try IngestSession(store: store, options: session)
        .ingest(.memory(Array(text.utf8), name: "input"))
    }
    try store.createGroup("gone")
    try store.deleteGroup("gone")
    try store.lookupTables(forWriting: true).put(Array("id,name\n1,one\n".utf8), as: "names")
    try store.savedQueries(forWriting: true).put(Array("fields id".utf8), as: "ids")
    var limits = StreamWriter.Limits()
    (limits.logByteCount, limits.firstLogByteCount) = (8192, 4096)
    let writer = try StreamWriter(store: store, limits: limits)
    let told = Mutex(0)
    for part in 0..<2 {
      var session = LineReader.Options()
      session.stream = "live"
      let text =
        lines(UInt64(5 + part), count: 5, from: now - 60_000).joined(separator: "\n") + "\n"
      let reader = LineReader(
        try LogStorage.InputStream(.memory(Array(text.utf8), name: "live")), options: session)
      let block = try #require(try reader.next())
      try writer.append(
        JSONScanner().scan(block, arrivalTime: now), logGroup: "app", ingestionTime: now
      ) { error in told.withLock { $0 += error == nil ? 1 : 100 } }
      while told.withLock({ $0 }) == part { usleep(100) }
    }
    let copy = disk.copy()
    _ = try writer.close()
    return copy
  }

  private struct Answer: Equatable {
    var rows: [[Value]] = []
    /// What is said to be missing or broken.
    var complaints: [String] = []
  }

  /// What the store answers to everything that is asked of it.
  private static func answers(_ disk: MemoryFileSystem) -> [Answer] {
    func attempt(_ body: (inout Answer) throws -> Void) -> Answer {
      var answer = Answer()
      do { try body(&answer) } catch { answer.complaints.append("\(error)") }
      return answer
    }
    let opened = Result { try LogStore.open("/store", mode: .readOnly, options: options(disk)) }
    var all = queries.map { query in
      attempt { answer in
        var options = QueryOptions(now: now)
        options.workers = 1
        options.memoryLimit = 64 << 20
        var rows: [[Value]] = []
        let outcome = try PreparedQuery(query, options: options)
          .run(on: opened.get().snapshot(now: now)) { batch in
            let columns = batch.columns.map { $0.values() }
            for row in 0..<batch.rowCount { rows.append(columns.map { $0[row] }) }
          }
        answer.rows = rows
        answer.complaints += outcome.statistics.damagedParts
      }
    }
    all.append(
      attempt { answer in
        let store = try opened.get()
        func add(_ texts: [String]) { answer.rows.append(texts.map { Value.string($0) }) }
        let table = try store.lookupTables().content(of: "names") ?? []
        add([String(decoding: table, as: UTF8.self)])
        let query = try store.savedQueries().content(of: "ids") ?? []
        add([String(decoding: query, as: UTF8.self)])
        for group in try store.groups() { add([group.name, "\(group.eventCount)"]) }
        answer.complaints += try store.state().faults
        // A log that cannot be read holds events that no listing counts.
        let cursor = try store.snapshot(now: now).scan(ScanRequest())
        answer.complaints += cursor.statistics.damagedParts
      })
    return all
  }

  private struct Tally {
    var same = 0
    var named = 0
    var wrong: [String] = []
    var slowest = Duration.zero
  }

  /// Looks at a store of which a file was changed.
  private static func judge(
    _ disk: MemoryFileSystem, _ what: String, against expected: [Answer], _ tally: inout Tally
  ) {
    let started = ContinuousClock.now
    let found = answers(disk)
    tally.slowest = max(tally.slowest, ContinuousClock.now - started)
    let isSame = zip(found, expected).allSatisfy { $0.rows == $1.rows }
    for (number, (found, expected)) in zip(found, expected).enumerated()
    where found.rows != expected.rows && found.complaints.isEmpty {
      tally.wrong.append("\(what): query \(number) answers otherwise and says nothing")
    }
    if isSame { tally.same += 1 } else { tally.named += 1 }
  }

  @Test func `a flipped bit or a cut file changes no answer without its being said`() throws {
    let wanted = ProcessInfo.processInfo.environment["VARVE_EVERY_BIT"]
    let step = wanted.map { max(1, Int($0) ?? 1) }
    let seed = UInt64.random(in: 0...9999)
    var random = SeededGenerator(seed: seed)
    let intact = try Self.makeStore()
    let expected = Self.answers(intact.copy())
    #expect(expected.allSatisfy { $0.complaints.isEmpty && !$0.rows.isEmpty }, "\(expected)")
    #expect(expected[0].rows.count == 130)
    let memory = Self.peakMemory
    var tally = Tally()
    var count = 0
    let paths = intact.paths.filter {
      !$0.hasPrefix("/store/locks") && !$0.hasPrefix("/store/pins")
    }
    for path in paths {
      let bytes = intact.bytes(of: path)
      let total = bytes.count * 9
      let chosen: [Int]
      if let step {
        chosen = Array(stride(from: 0, to: total, by: step))
      } else {
        chosen = (0..<min(total, 40)).map { _ in Int.random(in: 0..<total, using: &random) }
      }
      for change in chosen {
        let disk = intact.copy()
        let (place, bit) = (change / 9, change % 9)
        var changed = bytes
        if bit == 8 {
          changed.removeLast(bytes.count - place)
        } else {
          changed[place] ^= 1 << UInt8(bit)
        }
        disk.set(path, changed)
        count += 1
        let what = bit == 8 ? "cut to \(place) bytes" : "bit \(bit) of byte \(place)"
        Self.judge(disk, "\(path): \(what)", against: expected, &tally)
      }
    }
    print(
      "seed \(seed): \(count) changes of \(paths.count) files: \(tally.same) answers the same, "
        + "\(tally.named) named, \(tally.wrong.count) wrong; slowest \(tally.slowest); "
        + "peak \(Self.peakMemory >> 20) MiB, \(memory >> 20) MiB before")
    #expect(tally.wrong.isEmpty, "seed \(seed): \(tally.wrong.prefix(20).joined(separator: "\n"))")
    #expect(tally.slowest < .seconds(20), "seed \(seed)")
    #expect(Self.peakMemory < 2 * memory + (256 << 20), "seed \(seed)")
  }

  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  }
}
