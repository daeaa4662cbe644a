import Testing

@testable import LogStorage

/// Power is cut at every call that changes the disk, one after the other, and the store must come
/// back with what was acknowledged, whole.
@Suite struct CrashTests {
  private let early = SampleEvents("early", count: 4, from: SampleTime.day - 40 * Day.milliseconds)
  private let late = SampleEvents("late", count: 5, from: SampleTime.day)

  /// Runs `work` again and again, with the power cut one call later each time, until it gets
  /// through.
  private func cutPowerEverywhere(
    _ prepare: (CrashingFileSystem) throws -> Void, _ work: (CrashingFileSystem) throws -> Void,
    _ check: (LogStore, _ crashedAt: Int) throws -> Void
  ) throws {
    for crashAt in 1... {
      for torn in [0, 7, 100_000] {
        let disk = CrashingFileSystem()
        try prepare(disk)
        disk.crash(afterOperations: crashAt)
        do {
          try work(disk)
          if !disk.isDown {
            if torn > 0 { continue }
            #expect(crashAt > 8, "the work takes many calls")
            return
          }
        } catch is CrashingFileSystem.Crash {}
        do {
          let store = try makeStore(on: disk.restart(tornBytes: torn))
          try check(store, crashAt)
          // And life goes on.
          try store.publish(SampleEvents("after", count: 1, from: SampleTime.now), to: "api")
          #expect(try store.events().contains { $0.contains("after") })
          let report = try store.verify()
          #expect(report.problems == [], "crash at call \(crashAt), \(torn) torn")
        }
      }
    }
  }

  @Test func `a store whose creation was cut off can be created again`() throws {
    try cutPowerEverywhere(
      { _ in }, { _ = try makeStore(on: $0) },
      { store, _ in
        let groups = try store.groups()
        #expect(groups.isEmpty)
      })
  }

  @Test func `a crash while publishing shows the segment whole or not at all`() throws {
    let old = late.texts.count
    try cutPowerEverywhere(
      { try makeStore(on: $0).publish(late, to: "api") },
      { disk in
        let store = try makeStore(on: disk)
        try store.publish(SampleEvents("new", count: 3, from: SampleTime.day), to: "api")
      },
      { store, crashedAt in
        let events = try store.events()
        #expect([old, old + 3].contains(events.count), "crash at call \(crashedAt)")
      })
  }

  @Test func `several segments are published all together or not at all`() throws {
    try cutPowerEverywhere(
      { _ = try makeStore(on: $0) },
      { disk in
        let store = try makeStore(on: disk)
        let segments = try ["api", "web"].map { group in
          let writer = try store.makeSegmentWriter(logGroup: group)
          try writer.append(late.encoded())
          return try writer.finish()
        }
        try store.publish(segments, bookmark: InputBookmark(key: "k", offset: 10, updated: 0))
      },
      { store, crashedAt in
        let isThere = try store.bookmark("k") != nil
        #expect(try store.events().count == (isThere ? 10 : 0), "crash at call \(crashedAt)")
      })
  }

  @Test func `a crash while a table is replaced leaves the old one or the new one`() throws {
    let (old, new) = ([UInt8]("a\n1\n".utf8), [UInt8]("a\n2\n3\n".utf8))
    try cutPowerEverywhere(
      { try makeStore(on: $0).lookupTables(forWriting: true).put(old, as: "kept") },
      { disk in
        let store = try makeStore(on: disk)
        try store.lookupTables(forWriting: true).put(new, as: "kept")
        try store.savedQueries(forWriting: true).put(new, as: "Team A/b %")
        #expect(try store.savedQueries(forWriting: true).delete("Team A/b %"))
      },
      { store, crashedAt in
        let content = try store.lookupTables().content(of: "kept")
        #expect(content == old || content == new, "crash at call \(crashedAt)")
        let names = try store.savedQueries().names()
        #expect(names.isEmpty || names == ["Team A/b %"])
        for name in names { #expect(try store.savedQueries().content(of: name) == new) }
      })
  }

  @Test func `a table that was put survives a power cut right after, and so does its end`() throws {
    let disk = CrashingFileSystem()
    try makeStore(on: disk).lookupTables(forWriting: true).put([1, 2], as: "t")
    let second = disk.restart()
    #expect(try makeStore(on: second).lookupTables().content(of: "t") == [1, 2])
    #expect(try makeStore(on: second).lookupTables(forWriting: true).delete("t"))
    #expect(try makeStore(on: second.restart()).lookupTables().names() == [])
  }

  @Test func `a store takes so many tables and no more`() throws {
    let files = try makeStore(on: CrashingFileSystem()).lookupTables(forWriting: true)
    for i in 0..<100 { try files.put([], as: "t\(i)") }
    #expect(throws: StorageError.self) { try files.put([], as: "more") }
    try files.put([7], as: "t99")
    #expect(try files.delete("t0"))
    try files.put([], as: "more")
  }

  @Test func `a crash during retention loses nothing that is not expired`() throws {
    let policy = CompactionPolicy()
    func prepare(_ disk: CrashingFileSystem) throws {
      let store = try makeStore(on: disk)
      try store.publish(early, to: "api")
      for i in 0..<3 {
        try store.publish(
          SampleEvents("\(i)", count: 3, from: SampleTime.day - Day.milliseconds), to: "api")
      }
      try store.publish(late, to: "api")
      try store.setRetention("api", days: 30)
    }
    let disk = CrashingFileSystem()
    try prepare(disk)
    let expected = try makeStore(on: disk).events()
    #expect(expected.count == 14)
    try cutPowerEverywhere(
      prepare,
      { disk in
        let report = try makeStore(on: disk).retain(exact: true, policy: policy)
        #expect(report.expiredRowCount == 4)
        #expect(report.mergedSegmentCount == 3)
      },
      { store, crashedAt in
        #expect(Set(try store.events()) == Set(expected), "crash at call \(crashedAt)")
        let second = try store.retain()
        #expect(second.problems == [])
        #expect(Set(try store.events()) == Set(expected), "crash at call \(crashedAt)")
        #expect(try store.retain().isNoOperation)
      })
  }

  @Test func `a crash while a new manifest log is started keeps the state`() throws {
    try cutPowerEverywhere(
      { disk in
        let store = try makeStore(on: disk)
        for i in 0..<5 { try store.createGroup("g\(i)") }
      },
      { disk in
        let store = try makeStore(on: disk, rotation: 10)
        try store.createGroup("x")
        try store.createGroup("y")
      },
      { store, _ in
        let names = try store.groups().map(\.name)
        #expect(names.count >= 5)
        #expect(names.contains("x") || !names.contains("y"))
      })
  }

  @Test func `what publish returned from survives a power cut right after`() throws {
    let disk = CrashingFileSystem()
    try makeStore(on: disk).publish(late, to: "api")
    let store = try makeStore(on: disk.restart())
    #expect(try store.events().count == 5)
    #expect(try store.verify().problems == [])
  }
}
