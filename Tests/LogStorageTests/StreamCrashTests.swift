import Testing

@testable import LogStorage

/// Power is cut at every call that changes the disk while events are streamed, loaded and looked
/// after: what was acknowledged is there afterwards, once, before and after it was recovered.
///
/// A stream has three threads, so the n-th call is not the same one in every run; over all n every
/// kind of call is cut many times.
@Suite struct StreamCrashTests {
  /// What a run acknowledged, and what it may have stored besides.
  private struct Promise {
    var acknowledged: [String] = []
    /// Either all of these are stored or none.
    var allOrNothing: [String] = []
  }

  private func cutPowerEverywhere(
    atLeast minimum: Int, _ prepare: () throws -> CrashingFileSystem,
    _ work: (CrashingFileSystem, inout Promise) throws -> Void
  ) throws {
    for crashAt in 1... {
      for torn in [0, 7, 30, 100_000] {
        let disk = try prepare()
        disk.crash(afterOperations: crashAt)
        var promise = Promise()
        do { try work(disk, &promise) } catch {
          #expect(disk.isDown, "\(error)")
        }
        guard disk.isDown else {
          #expect(crashAt > minimum, "the work takes many calls")
          return
        }
        try check(disk.restart(tornBytes: torn), promise, "crash at call \(crashAt), \(torn) torn")
      }
    }
  }

  private func check(_ disk: CrashingFileSystem, _ promise: Promise, _ when: String) throws {
    let store = try makeStore(on: disk)
    let seen = try store.events()
    let found = Set(seen)
    #expect(found.count == seen.count, "doubled: \(when)")
    #expect(found.isSuperset(of: promise.acknowledged), "lost: \(when)")
    let whole = found.intersection(promise.allOrNothing)
    #expect([0, promise.allOrNothing.count].contains(whole.count), "in part: \(when)")
    // Publishing what the logs hold changes nothing that anybody sees.
    _ = try store.recoverLogs()
    #expect(Set(try store.events()) == found, "changed by recovery: \(when)")
    #expect(try store.events().count == seen.count, "changed by recovery: \(when)")
    #expect(try store.state().writeAheadLogs.isEmpty, "\(when)")
    #expect(try store.verify().problems == [], "\(when)")
    // And life goes on.
    let writer = try makeStreamWriter(store)
    try StreamedEvents().send(
      SampleEvents("after", count: 1, from: SampleTime.now), to: writer, group: "later")
    _ = try writer.close()
    #expect(try store.events().count == seen.count + 1, "\(when)")
  }

  private func batch(_ label: String, count: Int = 2) -> SampleEvents {
    // Two days, so that a flush makes more than one segment.
    let step = label.hasSuffix("3") ? Day.milliseconds : 1000
    return SampleEvents(label, count: count, from: SampleTime.day, step: step)
  }

  @Test func `an acknowledged event survives a crash at any call of a stream`() throws {
    try cutPowerEverywhere(atLeast: 30, { CrashingFileSystem() }) { disk, promise in
      let store = try makeStore(on: disk)
      let events = StreamedEvents()
      defer { promise.acknowledged = events.acknowledged }
      let writer = try makeStreamWriter(store)
      do {
        for i in 0..<8 {
          // Some are waited for, some are committed together.
          try events.send(
            batch("\(i)"), to: writer, group: i == 5 ? "web" : "api", waiting: i % 3 != 1)
        }
      } catch {
        _ = try? writer.close()
        throw error
      }
      _ = try writer.close()
      #expect(events.acknowledged.count == 16)
    }
  }

  @Test func `these tests notice a sync that is left out`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("a"), to: writer)
    disk.ignoreSyncs(of: ".wal")
    try events.send(batch("b"), to: writer)
    #expect(events.acknowledged.count == 4)
    disk.crash(afterOperations: 1)
    _ = try? writer.close()
    #expect(try makeStore(on: disk.restart()).events().count == 2)
  }

  @Test func `a bulk load is there whole or not at all`() throws {
    let lines = (0..<6).map {
      "{\"timestamp\":\(SampleTime.day + Int64($0) * SampleTime.hour * 9),\"n\":\($0)}"
    }
    let input = Array((lines.joined(separator: "\n") + "\n").utf8)
    let expected = lines.enumerated().map {
      "\(SampleTime.day + Int64($0.offset) * SampleTime.hour * 9) \($0.element)"
    }
    try cutPowerEverywhere(atLeast: 15, { CrashingFileSystem() }) { disk, promise in
      let store = try makeStore(on: disk)
      promise.allOrNothing = expected
      var options = IngestSession.Options(logGroup: "api", now: SampleTime.now)
      options.workers = 1
      _ = try IngestSession(store: store, options: options)
        .ingest(.memory(input, name: "input"))
      promise.acknowledged = expected
    }
  }

  @Test func `an acknowledging session keeps its word`() throws {
    let lines = (0..<9).map { "{\"timestamp\":\(SampleTime.day + Int64($0)),\"n\":\($0)}" }
    let input = Array((lines.joined(separator: "\n") + "\n").utf8)
    let expected = lines.enumerated().map { "\(SampleTime.day + Int64($0.offset)) \($0.element)" }
    try cutPowerEverywhere(atLeast: 20, { CrashingFileSystem() }) { disk, promise in
      let store = try makeStore(on: disk)
      var options = IngestSession.Options(logGroup: "api", now: SampleTime.now)
      let count = Counter()
      options.acknowledge = { count.set(Int($0)) }
      defer { promise.acknowledged = Array(expected.prefix(count.value)) }
      _ = try IngestSession(store: store, options: options)
        .ingest(.memory(input, name: "input"))
      #expect(count.value == 9)
    }
  }

  @Test func `maintenance beside a dead writer's log loses and doubles nothing`() throws {
    let kept = [batch("0"), batch("1"), batch("3")]
    let policy = CompactionPolicy()
    func prepare() throws -> CrashingFileSystem {
      try machineWithDeadWriter(kept) { store in
        try store.publish(
          SampleEvents("old", count: 3, from: SampleTime.day - 40 * Day.milliseconds), to: "api")
        for i in 0..<3 {
          try store.publish(
            SampleEvents("y\(i)", count: 3, from: SampleTime.day - Day.milliseconds), to: "api")
        }
        try store.setRetention("api", days: 30)
      }
    }
    let expected = try makeStore(on: prepare()).events()
    #expect(expected.count == 15)
    try cutPowerEverywhere(atLeast: 30, prepare) { disk, promise in
      promise.acknowledged = expected
      let report = try makeStore(on: disk).retain(exact: true, policy: policy)
      #expect(report.recoveredRowCount == 6)
      #expect(report.mergedSegmentCount == 3)
    }
  }

  @Test func `exact retention beside a living writer loses nothing that is kept`() throws {
    let old = SampleEvents("old", count: 2, from: SampleTime.day - 40 * Day.milliseconds)
    func prepare() throws -> CrashingFileSystem {
      let disk = CrashingFileSystem()
      let store = try makeStore(on: disk)
      try store.createGroup("api")
      try store.setRetention("api", days: 30)
      return disk
    }
    try cutPowerEverywhere(atLeast: 30, prepare) { disk, promise in
      let store = try makeStore(on: disk)
      let events = StreamedEvents()
      defer { promise.acknowledged = events.acknowledged.filter { !$0.contains("old") } }
      var limits = StreamWriter.Limits()
      (limits.logByteCount, limits.firstLogByteCount, limits.heartbeat) = (8192, 4096, 1)
      let writer = try StreamWriter(store: store, limits: limits)
      do {
        try events.send(old, to: writer)
        try events.send(batch("0"), to: writer)
        let report = try makeStore(on: disk).retain(exact: true)
        #expect(report.erasedRowCount == 2 && report.remaining == [])
        try events.send(batch("1"), to: writer)
      } catch {
        _ = try? writer.close()
        throw error
      }
      _ = try writer.close()
      #expect(try store.events(now: .min).count == 4, "the expired are gone, the others there")
    }
  }
}
