import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Power is cut at every call that changes the disk while damaged stores are repaired, events deleted, groups kept
/// below their size, and files loaded once. Afterwards the same is done again and gets through.
@Suite struct MaintenanceCrashTests {
  /// Runs `work` with the power cut one call later each time, until it gets through. What was not synced is lost, kept in
  /// part, or kept in some of its sectors.
  private func cutPowerEverywhere(
    atLeast minimum: Int, _ prepare: () throws -> CrashingFileSystem,
    _ work: (LogStore) throws -> Void, _ check: (LogStore, String) throws -> Void
  ) throws {
    for crashAt in 1... {
      for (torn, seed) in [(0, nil), (100_000, nil), (0, UInt64(crashAt))] as [(Int, UInt64?)] {
        let disk = try prepare()
        disk.crash(afterOperations: crashAt)
        do { try work(makeStore(on: disk)) } catch { #expect(disk.isDown, "\(error)") }
        guard disk.isDown else {
          #expect(crashAt > minimum, "the work takes many calls")
          return
        }
        let when = "crash at call \(crashAt), torn \(torn), seed \(seed.map { "\($0)" } ?? "none")"
        try check(makeStore(on: disk.restart(tornBytes: torn, sectors: seed)), when)
      }
    }
  }

  /// Events that can be read, and what is said of the others.
  private func look(_ store: LogStore) throws -> (events: [String], damage: [String]) {
    let cursor = try store.snapshot().scan(ScanRequest(order: .oldestFirst))
    var events: [String] = []
    while let rowGroup = try cursor.next() {
      guard let texts = try? rowGroup.messages(nil), let times = try? rowGroup.timestamps() else {
        continue
      }
      for row in rowGroup.visibleRows {
        let text = texts.bytes[Int(texts.offsets[row])..<Int(texts.offsets[row + 1])]
        events.append("\(times[row]) \(String(decoding: text, as: UTF8.self))")
      }
    }
    return (events, cursor.statistics.damagedParts)
  }

  private func days(_ label: String, count: Int = 3) -> [SampleEvents] {
    (0..<3).map {
      SampleEvents("\(label)\($0)", count: count, from: SampleTime.day + Int64($0) * 60_000)
    }
  }

  @Test func `maintenance rests as long as its share asks for`() {
    #expect(LogStore.rest(after: .seconds(1), share: 1) == .zero)
    #expect(LogStore.rest(after: .seconds(1), share: 0.25) == .seconds(3))
    #expect(LogStore.rest(after: .milliseconds(10), share: 0.5) == .milliseconds(10))
  }

  @Test func `a crash during repair keeps all that is whole, once`() throws {
    func prepare() throws -> CrashingFileSystem {
      let disk = CrashingFileSystem()
      let store = try makeStore(on: disk)
      try store.publish(days("a"), to: "api")
      let path = try #require(disk.paths(containing: ".seg").first)
      try store.publish(days("b"), to: "api")
      let entry = try SegmentReader(path: path, fileSystem: disk).rowGroups[1]
      // All of its chunks, so that no column can be read.
      disk.damageAtRest(path) { bytes in
        for place in Int(entry.offset)..<Int(entry.offset) + Int(entry.metadataOffset) {
          bytes[place] ^= 0x5A
        }
      }
      return disk.restart()
    }
    let all = try look(makeStore(on: prepare())).events
    #expect(all.count == 15)
    try cutPowerEverywhere(
      atLeast: 12, prepare,
      { store in
        let report = try store.repair(dryRun: false)
        #expect(report.salvagedRowCount == 6)
        #expect(report.lostRowCount == 3)
        #expect(report.problems == [])
        _ = try store.collectGarbage()
      },
      { store, when in
        #expect(try look(store).events == all, "\(when)")
        _ = try store.repair(dryRun: false)
        #expect(try store.events() == all, "\(when)")
        #expect(try store.verify().problems == [], "\(when)")
        #expect(try store.repair(dryRun: false).isNeeded == false, "\(when)")
      })
  }

  @Test func `a crash while events are deleted deletes all of them or none`() throws {
    func prepare() throws -> CrashingFileSystem {
      let disk = CrashingFileSystem()
      let store = try makeStore(on: disk)
      try store.publish(days("a"), to: "api")
      try store.publish(days("b"), to: "api")
      return disk.restart()
    }
    func delete(_ store: LogStore) throws -> UInt64 {
      try store.deleteEvents(of: "api", dryRun: false, note: "asked for") { snapshot in
        let cursor = try snapshot.scan(ScanRequest(order: .oldestFirst))
        var chosen: [UInt64] = []
        while let rowGroup = try cursor.next() {
          let texts = try rowGroup.messages(nil)
          for (row, number) in try rowGroup.sequenceNumbers().enumerated() {
            let text = texts.bytes[Int(texts.offsets[row])..<Int(texts.offsets[row + 1])]
            if String(decoding: text, as: UTF8.self).contains("\"n\":1") { chosen.append(number) }
          }
        }
        return chosen
      }.rowCount
    }
    let before = try makeStore(on: prepare()).events()
    let after = before.filter { !$0.contains("\"n\":1") }
    #expect(before.count == 18 && after.count == 12)
    try cutPowerEverywhere(
      atLeast: 12, prepare,
      { store in
        let count = try delete(store)
        #expect(count == 6)
      },
      { store, when in
        let found = try store.events()
        #expect(found == before || found == after, "\(when)")
        let count = try delete(store)
        #expect(count == (found == before ? 6 : 0), "\(when)")
        #expect(try store.events() == after, "\(when)")
        #expect(try store.verify().problems == [], "\(when)")
        #expect(try store.removals().count == 1, "\(when)")
      })
  }

  @Test func `a crash while a group is cut to its size loses only its oldest events`() throws {
    func prepare() throws -> CrashingFileSystem {
      let disk = CrashingFileSystem()
      let store = try makeStore(on: disk)
      for part in 0..<4 {
        try store.publish(
          (0..<3).map {
            let start = SampleTime.day + Int64(part) * Day.milliseconds + Int64($0) * 60_000
            return SampleEvents("\(part).\($0)", count: 4, from: start - 5 * Day.milliseconds)
          }, to: "api")
      }
      let state = try #require(try store.state().group(named: "api"))
      let bytes = state.segments.values.reduce(0) { $0 + $1.byteCount }
      // The oldest segment goes, and a part of the second.
      try store.setSizeLimit("api", byteCount: bytes - bytes / 4 - bytes / 12)
      return disk.restart()
    }
    let before = try makeStore(on: prepare()).events()
    let finished = try makeStore(on: prepare())
    _ = try finished.retain()
    let after = try finished.events()
    #expect(before.count == 48)
    #expect((13...32).contains(after.count) && before.suffix(after.count) == after[...])
    try cutPowerEverywhere(
      atLeast: 12, prepare,
      { store in
        let report = try store.retain()
        #expect(report.problems == [])
      },
      { store, when in
        let found = try store.events()
        #expect(found.count >= after.count && before.suffix(found.count) == found[...], "\(when)")
        #expect(try store.retain().problems == [], "\(when)")
        #expect(try store.events() == after, "\(when)")
        #expect(try store.retain().isNoOperation, "\(when)")
        #expect(try store.verify().problems == [], "\(when)")
      })
  }

  @Test func `a file loaded once is loaded once, wherever the power goes`() throws {
    let folder = TemporaryFolder()
    let lines = (0..<8).map { "{\"timestamp\":\(SampleTime.day + Int64($0)),\"n\":\($0)}" }
    let text = Array((lines.joined(separator: "\n") + "\n").utf8)
    // Read from the disk of the machine, and known to the store by the one that can crash.
    let path = try folder.write(text, to: "app.log")
    let expected = lines.enumerated().map { "\(SampleTime.day + Int64($0.offset)) \($0.element)" }
    func load(_ store: LogStore) throws -> UInt64 {
      let bookmark = try BookmarkedInput(
        path, logGroup: "api", store: store, takesUnfinishedLine: false, now: SampleTime.now)
      var options = IngestSession.Options(logGroup: "api", now: SampleTime.now)
      options.workers = 1
      options.bookmark = bookmark
      return try IngestSession(store: store, options: options).ingest(.file(path)).acceptedCount
    }
    func prepare() throws -> CrashingFileSystem {
      let disk = CrashingFileSystem()
      _ = try makeStore(on: disk)
      let fresh = disk.restart()
      fresh.plant(path, text)
      return fresh
    }
    try cutPowerEverywhere(
      atLeast: 12, prepare,
      { store in
        let first = try load(store)
        #expect(first == 8)
        let second = try load(store)
        #expect(second == 0)
      },
      { store, when in
        let found = try store.events()
        #expect(found == [] || found == expected, "\(when)")
        #expect(try load(store) == (found.isEmpty ? 8 : 0), "\(when)")
        #expect(try store.events() == expected, "\(when)")
        #expect(try load(store) == 0, "\(when)")
        #expect(try store.verify().problems == [], "\(when)")
      })
  }
}
