import CMalloc
import Columnar
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LogStorage
@testable import QueryEngine

/// Bits of a small store flip and its files are cut: every answer is the same as before, or names the file that is damaged;
/// `verify` finds what happened to each byte that holds something; nothing takes longer, or twice the memory.
///
/// Some hundred changes are chosen by a seed. With `VARVE_EVERY_BIT` set every bit of every file is flipped and every
/// file cut at every length, which takes long; `VARVE_EVERY_BIT=7` takes each seventh, `7/2` those from the second on, so
/// that several processes can share the work. The memory of the process is measured then, too, for nothing else is
/// at work in it.
@Suite struct StoreDamageTests {
  private static let now: Int64 = 1_795_262_400_000
  private static let rowsPerSegment = 40

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
    options.manifestRotationByteCount = 600
    return options
  }

  /// Two segments, one of them merged, two manifest logs, a write-ahead log of a dead writer, a table, a saved query, records that were
  /// rejected, a removed group.
  private static func makeStore() throws -> MemoryFileSystem {
    let disk = MemoryFileSystem()
    let store = try LogStore.open("/store", mode: .create, options: options(disk))
    for part in 0..<2 {
      let lines = lines(
        UInt64(part), count: rowsPerSegment, from: now - 7_200_000 + Int64(part) * 3_600_000)
      var session = IngestSession.Options(logGroup: part == 0 ? "app" : "web", now: now)
      session.workers = 1
      // The second segment is made of two.
      for piece in part == 0 ? [lines[...]] : [lines.prefix(8), lines.dropFirst(8)] {
        let text = piece.joined(separator: "\n") + "\n"
        _ = try IngestSession(store: store, options: session)
          .ingest(.memory(Array(text.utf8), name: "input"))
      }
    }
    let pieces = try store.segments().filter { $0.logGroup == "web" }.map(\.record)
    _ = try Compactor(store: store).merge(pieces, logGroup: "web")
    for piece in pieces {
      try disk.unlink(store.names.segment(piece.id, group: piece.group, day: piece.day))
    }
    try store.createGroup("gone")
    try store.deleteGroup("gone")
    try store.lookupTables(forWriting: true).put(Array("id,name\n1,one\n".utf8), as: "names")
    try store.savedQueries(forWriting: true).put(Array("fields id".utf8), as: "ids")
    for part in 0..<2 {
      let line = "{\"time\":\(now),\"reason\":\"too-long\",\"line\":\(part)}\n"
      try store.appendRejected(Array(line.utf8), group: "app")
    }
    var limits = StreamWriter.Limits()
    (limits.logByteCount, limits.firstLogByteCount) = (4096, 3072)
    let writer = try StreamWriter(store: store, limits: limits)
    let told = Mutex(0)
    for part in 0..<2 {
      var session = LineReader.Options()
      session.stream = "live"
      let text =
        lines(UInt64(5 + part), count: 4, from: now - 60_000).joined(separator: "\n") + "\n"
      let reader = LineReader(
        try LogStorage.InputStream(.memory(Array(text.utf8), name: "live")), options: session)
      let block = try #require(try reader.next())
      try writer.append(
        JSONScanner().scan(block, arrivalTime: now), logGroup: "app", ingestionTime: now
      ) { error in told.withLock { $0 += error == nil ? 1 : 100 } }
      while told.withLock({ $0 }) == part { usleep(100) }
    }
    let copy = disk.copy()
    // A log that is being laid out for later holds nothing until the manifest names it, and is nobody's to verify.
    let named = try LogStore.open("/store", mode: .readOnly, options: options(copy)).state()
      .writeAheadLogs.keys.map { "\(store.names.writeAheadLog($0))" }
    for path in copy.paths where path.hasSuffix(".wal") && !named.contains(path) {
      try copy.unlink(path)
    }
    _ = try writer.close()
    return copy
  }

  private struct Answer: Equatable {
    var rows: [[Value]] = []
    /// What is said to be missing or broken.
    var complaints: [String] = []
  }

  /// Everything that a store says of itself.
  private struct Findings {
    var answers: [Answer] = []
    /// What `verify` finds: problems, notes.
    var verified: [String] = []
    /// Of the queries, as they count it themselves.
    var peakMemory = 0
  }

  /// What the store answers to everything that is asked of it.
  private static func findings(_ disk: MemoryFileSystem, _ queries: [PreparedQuery]) -> Findings {
    var found = Findings()
    func attempt(_ body: (inout Answer) throws -> Void) {
      var answer = Answer()
      do { try body(&answer) } catch { answer.complaints.append("\(error)") }
      found.answers.append(answer)
    }
    let opened = Result { try LogStore.open("/store", mode: .readOnly, options: options(disk)) }
    let snapshot = Result { try opened.get().snapshot(now: now) }
    var peak = 0
    for query in queries {
      attempt { answer in
        var rows: [[Value]] = []
        let outcome = try query.run(on: snapshot.get()) { batch in
          let columns = batch.columns.map { $0.values() }
          for row in 0..<batch.rowCount { rows.append(columns.map { $0[row] }) }
        }
        answer.rows = rows
        answer.complaints += outcome.statistics.damagedParts
        peak = max(peak, outcome.statistics.peakMemoryBytes)
      }
    }
    attempt { try listing(opened.get(), snapshot.get(), &$0) }
    attempt { answer in
      let rejected = try opened.get().rejectedRecords(group: "app")
      answer.complaints += rejected?.damage ?? []
      switch rejected?.origin {
      case .file(let path)?: answer.rows = [[.string(text(disk.bytes(of: path)))]]
      case .memory(let bytes, _)?: answer.rows = [[.string(text(bytes))]]
      default: break
      }
    }
    do {
      let report = try opened.get().verify()
      found.verified = report.problems + report.notes
    } catch { found.verified = ["\(error)"] }
    found.peakMemory = peak
    return found
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// What is listed besides the events.
  private static func listing(
    _ store: LogStore, _ snapshot: Snapshot, _ answer: inout Answer
  ) throws {
    func add(_ texts: [String]) { answer.rows.append(texts.map { Value.string($0) }) }
    add([text(try store.lookupTables().content(of: "names") ?? [])])
    add([text(try store.savedQueries().content(of: "ids") ?? [])])
    for group in try store.groups() { add([group.name, "\(group.eventCount)"]) }
    answer.complaints += try store.state().faults
    // A log that cannot be read holds events that no listing counts.
    answer.complaints += try snapshot.scan(ScanRequest()).statistics.damagedParts
  }

  private struct Tally {
    var same = 0
    var named = 0
    /// Found by `verify`, and not.
    var verified = 0
    var unverified: [String: Int] = [:]
    var wrong: [String] = []
    var slowest = Duration.zero
    var peakMemory = 0
    /// Bytes that one store took of the process, at most.
    var most = (byteCount: 0, by: "")

    mutating func add(_ other: Tally) {
      same += other.same
      named += other.named
      verified += other.verified
      unverified.merge(other.unverified) { $0 + $1 }
      wrong += other.wrong
      slowest = max(slowest, other.slowest)
      peakMemory = max(peakMemory, other.peakMemory)
      if other.most.byteCount > most.byteCount { most = other.most }
    }
  }

  /// A change of a file.
  private struct Change {
    var path: String
    var place: Int
    /// 8 for a cut.
    var bit: Int

    init(_ path: String, _ number: Int) {
      self.path = path
      (place, bit) = (number / 9, number % 9)
    }

    func apply(to bytes: [UInt8]) -> [UInt8] {
      if bit == 8 { return Array(bytes[..<place]) }
      var bytes = bytes
      bytes[place] ^= 1 << UInt8(bit)
      return bytes
    }

    var text: String {
      "\(path): " + (bit == 8 ? "cut to \(place) bytes" : "bit \(bit) of byte \(place)")
    }

    /// Whether `verify` has to find it: zeros at the end of a log, which nothing was written to yet, may be cut, and the
    /// version line of the store may lack its line end.
    func mustBeVerified(_ bytes: [UInt8]) -> Bool {
      if path.hasSuffix("FORMAT"), place == bytes.count - 1 { return false }
      return !(path.hasSuffix(".wal") && bit == 8 && bytes[place...].allSatisfy { $0 == 0 })
    }

    /// Whether a complaint is about the file. Of the manifest it is enough that it is the manifest.
    func isNamed(in complaint: String) -> Bool {
      if complaint.contains(path) { return true }
      let stem = path.split(separator: "/").last ?? ""
      return (stem.hasPrefix("manifest") || stem == "CURRENT")
        && (complaint.contains("/store/manifest") || complaint.contains("/store/CURRENT"))
    }
  }

  /// Looks at a store of which a file was changed.
  private static func judge(
    _ intact: MemoryFileSystem, _ change: Change, against expected: Findings,
    _ queries: [PreparedQuery], _ meter: MemoryMeter?, _ tally: inout Tally
  ) {
    let disk = intact.copy()
    let bytes = disk.bytes(of: change.path)
    disk.set(change.path, change.apply(to: bytes))
    let started = ContinuousClock.now
    let before = meter?.begin() ?? 0
    let found = findings(disk, queries)
    if let taken = meter.map({ $0.peak() - before }), taken > tally.most.byteCount {
      tally.most = (taken, change.text)
    }
    tally.slowest = max(tally.slowest, ContinuousClock.now - started)
    tally.peakMemory = max(tally.peakMemory, found.peakMemory)
    var isSame = true
    for (number, (found, expected)) in zip(found.answers, expected.answers).enumerated()
    where found.rows != expected.rows {
      isSame = false
      if found.complaints.isEmpty {
        tally.wrong.append("\(change.text): query \(number) answers otherwise and says nothing")
      } else if !found.complaints.contains(where: change.isNamed) {
        tally.wrong.append("\(change.text): query \(number) does not name it: \(found.complaints)")
      }
    }
    if isSame { tally.same += 1 } else { tally.named += 1 }
    if found.verified != expected.verified {
      tally.verified += 1
      if !found.verified.contains(where: change.isNamed) {
        tally.wrong.append("\(change.text): verify does not name it: \(found.verified)")
      }
    } else {
      tally.unverified[change.path, default: 0] += 1
      if change.mustBeVerified(bytes) { tally.wrong.append("\(change.text): verify is content") }
    }
  }

  @Test func `a flipped bit or a cut file changes no answer without its being said`() throws {
    let wanted = ProcessInfo.processInfo.environment["VARVE_EVERY_BIT"]
    let parts = wanted?.split(separator: "/").compactMap { Int($0) }
    let step = parts.map { max(1, $0.first ?? 1) }
    let seed = UInt64.random(in: 0...9999)
    var random = SeededGenerator(seed: seed)
    var options = QueryOptions(now: Self.now)
    options.workers = 1
    options.memoryLimit = 64 << 20
    let queries = try Self.queries.map { try PreparedQuery($0, options: options) }
    let intact = try Self.makeStore()
    let expected = Self.findings(intact.copy(), queries)
    #expect(
      expected.answers.allSatisfy { $0.complaints.isEmpty && !$0.rows.isEmpty },
      "\(expected.answers)")
    #expect(expected.answers[0].rows.count == 2 * Self.rowsPerSegment + 8)
    let meter = step == nil ? nil : MemoryMeter()
    var calm = 0
    for _ in 0..<20 where meter != nil {
      let before = meter!.begin()
      _ = Self.findings(intact.copy(), queries)
      calm = max(calm, meter!.peak() - before)
    }
    var total = Tally()
    var count = 0
    let started = ContinuousClock.now
    let paths = intact.paths.filter {
      !$0.hasPrefix("/store/locks") && !$0.hasPrefix("/store/pins")
    }
    for path in paths {
      var tally = Tally()
      let byteCount = intact.bytes(of: path).count
      let changes = byteCount * 9
      let chosen =
        step.map { Array(stride(from: (parts?.dropFirst().first ?? 0) % $0, to: changes, by: $0)) }
        ?? (0..<min(changes, 30)).map { _ in Int.random(in: 0..<changes, using: &random) }
      for number in chosen {
        Self.judge(intact, Change(path, number), against: expected, queries, meter, &tally)
      }
      if step != nil {
        print(
          "\(path): \(byteCount) bytes, \(chosen.count) changes: \(tally.same) the same, \(tally.named) "
            + "named; \(tally.verified) found by verify; \(tally.wrong.count) wrong; slowest "
            + "\(tally.slowest), most \(tally.most); \(ContinuousClock.now - started)")
        for wrong in tally.wrong.prefix(5) { print("  ", wrong) }
      }
      count += chosen.count
      total.add(tally)
    }
    print(
      "seed \(seed): \(count) changes of \(paths.count) files: \(total.same) answers the same, "
        + "\(total.named) named, \(total.wrong.count) wrong; verify found \(total.verified), not "
        + "\(total.unverified); slowest \(total.slowest); queries took \(total.peakMemory >> 10) KiB "
        + "at most, of the intact store \(expected.peakMemory >> 10) KiB"
        + (meter.map {
          "; process \($0.resident >> 20) MiB, for one store \(total.most), \(calm) intact; address space \($0.addedSpace >> 10) KiB more"
        }
          ?? ""))
    #expect(total.wrong.isEmpty, "seed \(seed): \(total.wrong.prefix(20).joined(separator: "\n"))")
    #expect(total.slowest < .seconds(20), "seed \(seed)")
    #expect(total.peakMemory <= 2 * expected.peakMemory, "seed \(seed)")
    if let meter {
      #expect(meter.intact + total.most.byteCount <= 2 * (meter.intact + calm))
      #expect(meter.addedSpace <= meter.intact)
    }
  }

  /// What a repaired store shows, against what it showed before.
  private static func judgeRepair(
    _ intact: MemoryFileSystem, _ change: Change, against expected: Findings,
    _ queries: [PreparedQuery]
  ) -> [String] {
    let disk = intact.copy()
    disk.set(change.path, change.apply(to: disk.bytes(of: change.path)))
    let before = findings(disk.copy(), queries)
    let report: RepairReport
    do {
      let store = try LogStore.open("/store", mode: .readWrite, options: options(disk))
      report = try store.repair(dryRun: false)
    } catch {
      return ["\(change.text): repair fails: \(error)"]
    }
    let after = findings(disk.copy(), queries)
    var wrong: [String] = []
    let (shown, left) = (before.answers[0].rows, after.answers[0].rows)
    if !before.answers[0].complaints.isEmpty, shown.count > left.count {
      wrong.append(
        "\(change.text): \(shown.count) events were read, \(left.count) after the repair")
    } else if before.answers[0].complaints.isEmpty, shown != left {
      wrong.append(
        "\(change.text): \(left.count) events after the repair, \(shown.count) before: \(report)")
    }
    for (number, answer) in after.answers.enumerated() where !answer.complaints.isEmpty {
      // Tables and saved queries have to be put in once more; their users are told.
      if answer.complaints.allSatisfy({ $0.contains("/lookups/") || $0.contains("/saved/") }) {
        continue
      }
      wrong.append("\(change.text): after the repair query \(number) says \(answer.complaints)")
    }
    return wrong
  }

  @Test func `a repair keeps all that could be read, and nothing is said to be missing after it`()
    throws
  {
    let step = ProcessInfo.processInfo.environment["VARVE_EVERY_BIT"].map { 37 * (Int($0) ?? 1) }
    let seed = UInt64.random(in: 0...9999)
    var random = SeededGenerator(seed: seed)
    var options = QueryOptions(now: Self.now)
    options.workers = 1
    let queries = try Self.queries.map { try PreparedQuery($0, options: options) }
    let intact = try Self.makeStore()
    let expected = Self.findings(intact.copy(), queries)
    var wrong: [String] = []
    var count = 0
    // Without its version line nobody knows what to repair.
    for path in intact.paths
    where !["/store/locks", "/store/pins", "/store/FORMAT"].contains(where: path.hasPrefix) {
      let changes = intact.bytes(of: path).count * 9
      let chosen =
        step.map { Array(stride(from: 0, to: changes, by: $0)) }
        ?? (0..<min(changes, 12)).map { _ in Int.random(in: 0..<changes, using: &random) }
      for number in chosen {
        wrong += Self.judgeRepair(intact, Change(path, number), against: expected, queries)
      }
      count += chosen.count
    }
    print("seed \(seed): \(count) repairs, \(wrong.count) wrong")
    #expect(wrong.isEmpty, "seed \(seed): \(wrong.prefix(20).joined(separator: "\n"))")
  }
}

/// The memory of this process over a stretch of work.
private struct MemoryMeter {
  /// Before anything was damaged.
  let intact: Int
  /// The most address space before: what is asked for and never touched counts there.
  private let intactSpace: Int

  init() {
    intact = Self.status("VmRSS:")
    intactSpace = Self.status("VmPeak:")
  }

  /// How much more address space was taken since the beginning.
  var addedSpace: Int { Self.status("VmPeak:") - intactSpace }

  /// Forgets the peak so far.
  ///
  /// - Returns: what the process has now.
  func begin() -> Int {
    malloc_trim(0)
    let file = open("/proc/self/clear_refs", O_WRONLY)
    _ = "5".withCString { write(file, $0, 1) }
    close(file)
    return Self.status("VmRSS:")
  }

  /// The most since then.
  func peak() -> Int { Self.status("VmHWM:") }

  var resident: Int { Self.status("VmRSS:") }

  private static func status(_ name: String) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) })
    else { return 0 }
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) << 10
  }
}
