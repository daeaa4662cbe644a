import TestSupport
import Testing

@testable import LogStorage

@Suite struct MaintenanceTests {
  private let yesterday = SampleTime.day - Day.milliseconds

  @Test func `segments of a day that is over become one, with the same events and numbers`() throws
  {
    let store = try makeStore()
    for i in 0..<5 {
      try store.publish(
        SampleEvents("\(i)", count: 20, from: yesterday + Int64(i) * 7000).alternating("s\(i)"),
        to: "api")
    }
    let before = try contents(store)
    let streams = try store.streams(of: "api").map { [$0.name, "\($0.eventCount)"] }
    let report = try store.retain()
    #expect(report.problems == [])
    #expect(report.mergeCount == 1)
    #expect(report.mergedSegmentCount == 5)
    #expect(report.removedFileCount == 5)
    #expect(try store.groups()[0].segmentCount == 1)
    #expect(try contents(store) == before)
    #expect(try store.streams(of: "api").map { [$0.name, "\($0.eventCount)"] } == streams)
    #expect(try store.verify().problems == [])
    #expect(try store.retain().isNoOperation)
    #expect(try store.retain(dryRun: true).isNoOperation)
  }

  /// Events with their times and sequence numbers, sorted by those.
  private func contents(_ store: LogStore) throws -> [String] {
    let cursor = try store.snapshot().scan(ScanRequest())
    var rows: [(Int64, UInt64, String)] = []
    while let rowGroup = try cursor.next() as? EncodedRowGroupReader {
      let records = try rowGroup.records()
      for row in 0..<records.count {
        let text = records.bytes[Int(records.offsets[row])..<Int(records.offsets[row + 1])]
        let stream = records.streams[Int(records.streamOf[row])]
        rows.append(
          (
            records.times[row], records.sequences[row],
            "\(stream) \(records.ingestionTimes[row]) \(String(decoding: text, as: UTF8.self))"
          ))
      }
    }
    rows.sort { ($0.0, $0.1) < ($1.0, $1.1) }
    return rows.map { "\($0) \($1) \($2)" }
  }

  @Test(arguments: 0..<15)
  func `merging keeps every event, whatever overlaps`(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let store = try makeStore()
    for segment in 0..<Int.random(in: 2...20, using: &random) {
      let parts = (0..<Int.random(in: 1...3, using: &random)).map { part in
        SampleEvents(
          "\(segment).\(part)", count: Int.random(in: 1...30, using: &random),
          from: yesterday + Int64.random(in: 0...50_000, using: &random),
          step: Int64.random(in: 0...3000, using: &random))
      }
      try store.publish(parts, to: "api")
    }
    let before = try contents(store)
    #expect(try store.retain().problems == [], "seed \(seed)")
    #expect(try store.groups()[0].segmentCount == 1, "seed \(seed)")
    #expect(try contents(store) == before, "seed \(seed)")
    #expect(try store.retain().isNoOperation, "seed \(seed)")
  }

  @Test(arguments: [
    "api.ndjson", "glue.ndjson", "lambda.log", "stepfunctions.ndjson", "vpcflow.log",
  ])
  func `merging sample logs keeps every byte`(_ file: String) throws {
    let store = try makeStore()
    let lines = try ProjectFolder.text("SampleLogs/\(file)").split(separator: "\n")
    // Every seventh line goes to the same piece, so that the pieces overlap in time.
    for piece in 0..<7 {
      let text = lines.enumerated().filter { $0.offset % 7 == piece }.map(\.element)
        .joined(separator: "\n")
      let session = try IngestSession(
        store: store, options: IngestSession.Options(logGroup: "sample", now: SampleTime.now))
      _ = try session.ingest(.memory(Array(text.utf8), name: file))
    }
    let before = try contents(store)
    #expect(before.count == lines.count)
    let report = try store.retain(now: SampleTime.now + 10 * 365 * Day.milliseconds)
    #expect(report.problems == [])
    #expect(report.mergedSegmentCount >= 7)
    #expect(try contents(store) == before)
    #expect(try store.verify().problems == [])
  }

  @Test func `full row groups that overlap nothing are copied as bytes`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let full = SampleEvents(
      "full", count: StorageLimits.rowsPerRowGroup / 2, from: yesterday, step: 1)
    let fullBytes = full.encoded().bytes
    try store.publish(full, to: "api")
    try store.publish(SampleEvents("x", count: 5, from: yesterday + 70_000_000), to: "api")
    try store.publish(SampleEvents("y", count: 5, from: yesterday + 70_001_000), to: "api")
    let before = try contents(store)
    #expect(try store.retain().mergedSegmentCount == 3)
    let reader = try SegmentReader(
      path: disk.paths(containing: ".seg")[0], fileSystem: disk)
    #expect(reader.rowGroups.map(\.rowCount) == [UInt32(StorageLimits.rowsPerRowGroup / 2), 10])
    #expect(try reader.bytes(of: reader.rowGroups[0]) == fullBytes)
    #expect(try contents(store) == before)
  }

  @Test func `segments past the retention go in one record, with one generation`() throws {
    let store = try makeStore()
    for i in 0..<3 {
      try store.publish(
        SampleEvents("\(i)", count: 4, from: yesterday - Int64(i) * 10 * Day.milliseconds),
        to: "api")
    }
    try store.publish(SampleEvents("web", count: 4, from: yesterday - Day.milliseconds), to: "web")
    try store.setRetention("api", days: 5)
    let generation = try store.state().generation
    let rehearsal = try store.retain(dryRun: true)
    #expect(try store.state().generation == generation)
    let report = try store.retain()
    #expect(report.expired == rehearsal.expired)
    #expect(report.expiredSegmentCount == 2)
    #expect(report.expiredRowCount == 8)
    #expect(report.removedFileCount == 2)
    // One record expires, one says that the files are gone.
    #expect(try store.state().generation == generation + 2)
    #expect(try store.groups().map(\.eventCount) == [4, 4])
    #expect(try store.retain().isNoOperation)
    #expect(try store.state().generation == generation + 2)
  }

  @Test func `only the groups asked for are maintained`() throws {
    let store = try makeStore()
    for group in ["a", "b"] {
      try store.publish(
        SampleEvents("x", count: 4, from: yesterday - 9 * Day.milliseconds), to: group)
      try store.setRetention(group, days: 2)
    }
    #expect(try store.retain(groups: ["b"]).expired.map(\.logGroup) == ["b"])
    #expect(try store.groups().map(\.eventCount) == [4, 0])
    let error = #expect(throws: StorageError.self) { try store.retain(groups: ["c"]) }
    #expect(error?.code == .unknownGroup)
  }

  @Test func `a drill with another clock expires by that clock`() throws {
    let store = try makeStore()
    try store.publish(SampleEvents("x", count: 4, from: SampleTime.day), to: "api")
    try store.setRetention("api", days: 1)
    #expect(try store.retain().expired.isEmpty)
    let later = SampleTime.day + 3 * Day.milliseconds
    #expect(try store.retain(now: later).expiredRowCount == 4)
  }

  @Test func `events of the future stay, and a clock set back removes nothing`() throws {
    let store = try makeStore()
    let far = SampleTime.now + 400 * Day.milliseconds
    try store.publish(SampleEvents("past", count: 2, from: yesterday), to: "api")
    try store.publish(SampleEvents("future", count: 3, from: far), to: "api")
    try store.setRetention("api", days: 30)
    for now in [SampleTime.now, SampleTime.now - 300 * Day.milliseconds, 0, -1] {
      #expect(try store.retain(now: now, exact: true).isNoOperation)
      #expect(try store.events(now: now).count == 5)
    }
    // What comes while the clock is set back is ordered by its times and numbered behind the others.
    try store.publish(
      SampleEvents("late", count: 2, from: yesterday - 10 * Day.milliseconds), to: "api")
    #expect(try store.events().first?.contains("late") == true)
    #expect(try store.events().count == 7)
    let later = far + 20 * Day.milliseconds
    #expect(try store.events(now: later).count == 3)
    #expect(try store.retain(now: later, exact: true).expiredRowCount == 4)
    #expect(try store.retain(now: far + 60 * Day.milliseconds).expiredRowCount == 3)
    #expect(try store.events(now: SampleTime.now).isEmpty)
    #expect(try store.verify().problems == [])
  }

  @Test func `exact retention erases expired events from segments that hold newer ones`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    // Row groups that are past it, straddle it, and are before it.
    try store.publish(
      SampleEvents("x", count: 10, from: SampleTime.day),
      SampleEvents("y", count: 8, from: SampleTime.day + 6000),
      SampleEvents("z", count: 3, from: SampleTime.day + 100_000), to: "api")
    try store.setRetention("api", days: 1)
    for (cutoff, left) in [(4000, 17), (4001, 16), (9001, 7), (13_000, 4)] {
      let now = SampleTime.day + Day.milliseconds + Int64(cutoff)
      let before = try store.events(now: now)
      let stored = try store.groups()[0].eventCount
      #expect(before.count == left, "only those of the last day are seen, to the millisecond")
      let files = disk.paths(containing: ".seg")
      let rehearsal = try store.retain(dryRun: true, now: now, exact: true)
      #expect(disk.paths(containing: ".seg") == files)
      let report = try store.retain(now: now, exact: true)
      #expect(rehearsal.isDryRun && report.erasedRowCount == rehearsal.erasedRowCount)
      #expect(report.erasedRowCount == stored - UInt64(left))
      #expect(try store.groups()[0].eventCount == UInt64(left))
      #expect(try store.events(now: SampleTime.day) == before, "they are not there any more")
      #expect(disk.paths(containing: ".seg").count == 1)
      let verification = try store.verify()
      #expect(verification.problems == [])
      #expect(verification.removals.last?.reason == .expired)
      #expect(verification.removals.last?.rowCount == report.erasedRowCount)
      #expect(try store.retain(now: now, exact: true).isNoOperation)
    }
    let bytes = try disk.contents(of: disk.paths(containing: ".seg")[0])
    let reader = try SegmentReader(path: disk.paths(containing: ".seg")[0], fileSystem: disk)
    #expect(reader.footer.minTime == SampleTime.day + 13_000 && !bytes.isEmpty)
  }

  @Test func `a second run at the same time is told that one is at work`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let lock = try store.lockMaintenance()
    let error = #expect(throws: StorageError.self) { try makeStore(on: disk).retain() }
    #expect(error?.code == .busy)
    try lock.unlock()
    #expect(try makeStore(on: disk).retain().isNoOperation)
  }

  @Test func `a merge whose inputs are removed meanwhile is dropped`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    for _ in 0..<2 { try store.publish(SampleEvents("x", count: 4, from: yesterday), to: "api") }
    let inputs = try store.segments().map(\.record)
    try store.deleteGroup("api")
    let error = #expect(throws: StorageError.self) {
      try Compactor(store: store).merge(inputs, logGroup: "api")
    }
    #expect(error?.code == .busy)
    #expect(disk.paths(containing: ".seg").count == 2)
    _ = try store.collectGarbage()
    #expect(disk.paths(containing: ".seg").isEmpty)
  }

  @Test func `a damaged segment is not merged and is reported`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    for i in 0..<3 {
      try store.publish(SampleEvents("\(i)", count: 4, from: yesterday), to: "api")
    }
    let victim = disk.paths(containing: ".seg")[0]
    disk.damage(victim) { $0[66] ^= 1 }
    let report = try store.retain()
    #expect(report.problems.count == 1)
    #expect(report.problems.first?.contains(victim) == true)
    #expect(disk.paths(containing: ".seg").contains(victim))
    let verification = try store.verify()
    #expect(verification.problems.contains { $0.contains(victim) && $0.contains("SHA-256") })
    #expect(verification.problems.contains { $0.contains("row group at byte 64") })
  }

  @Test func `on a full disk expired segments still go, and what could not be merged is reported`()
    throws
  {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(
      SampleEvents("old", count: 4, from: yesterday - 9 * Day.milliseconds), to: "api")
    for _ in 0..<2 { try store.publish(SampleEvents("x", count: 4, from: yesterday), to: "api") }
    try store.setRetention("api", days: 5)
    disk.fail("make /store/tmp/", with: StorageError(.diskFull, "no room"))
    let report = try store.retain()
    #expect(report.expiredRowCount == 4)
    #expect(report.removedFileCount == 1)
    #expect(report.problems.count == 1)
    #expect(try store.events().count == 8)
  }

  @Test func `a repair loses no event of which text, time and stream are whole`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try store.makeSegmentWriter(logGroup: "api")
    for part in 0..<2 {
      var records = SampleEvents("part \(part)", count: 9, from: yesterday + Int64(part) * 10_000)
        .alternating("side").records
      for row in 0..<9 {
        records.ingestionTimes[row] = yesterday + Int64(row * row * 7919)
        records.sequences[row] = UInt64(9 * part + (row * 5 + 3) % 9)
      }
      try writer.append(RowGroupEncoder().encode(records, scanner: JSONScanner()))
    }
    try store.publish([writer.finish()])
    let path = disk.paths(containing: ".seg")[0]
    let bytes = try disk.contents(of: path)
    let expected = Set(try store.events())
    #expect(expected.count == 18)
    var (partly, lost) = (0, 0)
    for place in bytes.indices {
      let copy = disk.restart()
      copy.damage(path) { $0[place] ^= 0x10 }
      let readable = Set(try makeStore(on: copy).snapshot().readableEvents())
      let damaged = try makeStore(on: copy)
      let report = try damaged.repair(dryRun: false)
      #expect(report.isNeeded && report.damagedSegmentCount == 1)
      let left = Set(try damaged.events())
      #expect(left.isSuperset(of: readable) && left.isSubset(of: expected), "byte \(place)")
      #expect(left.count + Int(report.lostRowCount) == 18, "byte \(place)")
      #expect(try damaged.verify().problems == [], "byte \(place)")
      #expect(try !damaged.repair(dryRun: true).isNeeded, "byte \(place)")
      if !report.lostDetails.isEmpty {
        partly += 1
        #expect(left == expected && report.losses.isEmpty)
      }
      if report.lostRowCount > 0 { lost += 1 }
    }
    #expect(partly > 10 && lost > 10 && lost < bytes.count)
  }

  @Test func `an open store lets go of files that were removed`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("x", count: 4, from: yesterday), to: "api")
    #expect(try store.events().count == 4)
    let record = try store.segments()[0].record
    #expect(store.cache.isOpen(record.id))
    try store.deleteGroup("api")
    #expect(try store.events().isEmpty)
    #expect(!store.cache.isOpen(record.id))
  }

  @Test func `pinned files outlive their removal until the reader is gone`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("x", count: 4, from: yesterday), to: "api")
    var snapshot: Snapshot? = try store.snapshot()
    try store.deleteGroup("api")
    #expect(try store.collectGarbage().fileCount == 0)
    #expect(try snapshot?.events().count == 4)
    snapshot = nil
    #expect(try store.collectGarbage().fileCount == 1)
    #expect(disk.paths(containing: ".seg").isEmpty)
    #expect(disk.paths(containing: "/pins/").isEmpty)
  }

  @Test func `the pin of a dead reader does not hold anything`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("x", count: 4, from: yesterday), to: "api")
    _ = try disk.open("/store/pins/2-0000000000000001", .createExclusive)
    try store.deleteGroup("api")
    #expect(try store.collectGarbage().fileCount == 1)
    #expect(disk.paths(containing: "/pins/").isEmpty)
  }

  @Test func `orphans go when they are an hour old and their writer is dead`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let alive = try store.makeSegmentWriter(logGroup: "api")
    try alive.append(SampleEvents("x", count: 4, from: yesterday).encoded())
    let finished = try alive.finish()
    do {
      let dead = try store.makeSegmentWriter(logGroup: "api")
      try dead.append(SampleEvents("y", count: 4, from: yesterday).encoded())
    }
    #expect(try store.collectGarbage().fileCount == 0)
    for path in disk.paths(containing: "/tmp/") {
      disk.setModified(path, SampleTime.now - 2 * SampleTime.hour)
    }
    #expect(try store.collectGarbage().fileCount == 1)
    try store.publish([finished])
    #expect(try store.events().count == 4)
  }

  @Test func `inspection lists the columns of a segment by the beginning of its name`() throws {
    let store = try makeStore()
    try store.publish(SampleEvents("x", count: 4, from: yesterday), to: "api")
    let record = try store.segments()[0].record
    let found = try store.inspect(segment: String(record.id.description.prefix(6)))
    #expect(found.record == record)
    #expect(found.rowGroups.count == 1)
    #expect(Set(found.rowGroups[0].chunks.map(\.name)).isSuperset(of: ["label", "n", "ok"]))
    #expect(throws: StorageError.self) { try store.inspect(segment: "nonsense") }
  }
}
