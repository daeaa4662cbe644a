import Testing

@testable import LogStorage

@Suite struct ManifestLogTests {
  private let log = "/store/manifest-1.log"

  /// A store with groups `g0` … `g<count-1>`, one record each.
  private func storeWithGroups(_ count: Int) throws -> (CrashingFileSystem, LogStore) {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    for i in 0..<count { try store.createGroup("g\(i)") }
    return (disk, store)
  }

  @Test func `every action survives encoding`() throws {
    let disk = CrashingFileSystem()
    let writer = try SegmentWriter(
      id: SegmentID(high: 3, low: 4), logGroup: "a", path: "/s", created: 0, fileSystem: disk)
    try writer.append(SampleEvents("a", count: 3, from: -5).alternating("ü").encoded())
    let record = SegmentRecord(try writer.finish(), group: 9)
    var successor = record
    successor.inherit(from: [record, record])
    let removed = RemovedSegment(record, reason: .compacted, generation: 12)
    let actions: [ManifestAction] = [
      .snapshotBegins, .groupCreated(id: 9, name: "a/b", created: -1), .groupDeleted(id: 9),
      .retentionSet(group: 9, days: 30), .retentionSet(group: 9, days: nil),
      .streamDeleted(group: 9, name: "s"), .segmentAdded(record), .segmentAdded(successor),
      .segmentRemoved(id: record.id, group: 9, digest: record.digest, reason: .expired),
      .segmentAwaitsCollection(removed), .segmentCollected(id: record.id),
      .countersSet(nextSequence: .max, nextGroup: 2),
      .bookmarkSet(InputBookmark(key: "k", offset: 1, updated: 2)), .recordsLost(4...9),
      .lossAccepted,
    ]
    let transaction = ManifestTransaction(time: 5, actions: actions)
    #expect(try ManifestTransaction(transaction.body, name: "test") == transaction)
  }

  @Test func `an entry of an unknown kind is refused as a newer version's`() throws {
    var writer = FieldWriter()
    writer.put(Int64(0))
    writer.put(UInt32(1))
    writer.put(UInt8(200))
    let error = #expect(throws: StorageError.self) {
      try ManifestTransaction(writer.bytes, name: "m.log")
    }
    #expect(error?.code == .unknownVersion)
    #expect(error?.message.contains("200") == true)
  }

  @Test func `a kept head vouches for all before it, and one older than the logs is told as that`()
    throws
  {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk, rotation: 300)
    try store.createGroup("a")
    let old = try store.head().digest
    var kept: [[UInt8]] = []
    for name in "bcdefghij" {
      try store.createGroup(String(name))
      kept.append(try store.head().digest)
    }
    #expect(try disk.list("/store").count { $0.hasPrefix("manifest-") } > 2)
    for head in [old] + kept {
      #expect(try store.verify(chainOnly: true, head: head).problems == [])
    }
    let stranger = [UInt8](repeating: 1, count: 32)
    let problem = try store.verify(chainOnly: true, head: stranger).problems.first
    #expect(problem?.contains("is not in the chain") == true)
    #expect(problem?.contains("90 days") == false, "all records are there")
    try disk.unlink("/store/manifest-1.log")
    #expect(try store.verify(chainOnly: true, head: kept.last).problems == [])
    let aged = try store.verify(chainOnly: true, head: old).problems
    #expect(aged.count == 1 && aged[0].contains("records are kept for 90 days"))
  }

  @Test func `replaying the snapshot of a state gives the state`() throws {
    let store = try makeStore()
    try store.publish(SampleEvents("a", count: 3, from: SampleTime.day), to: "api")
    try store.publish(SampleEvents("b", count: 3, from: SampleTime.day), to: "web")
    try store.setRetention("web", days: 3)
    try store.deleteGroup("api")
    let state = try store.state()
    var replayed = ManifestState()
    try replayed.apply(
      ManifestTransaction(time: 0, actions: state.snapshotActions), generation: state.generation,
      name: "test")
    #expect(replayed == state)
  }

  @Test func `a torn tail of any length is cut and nothing before it is lost`() throws {
    let whole = try storeWithGroups(3).0.contents(of: log).count
    let shorter = try storeWithGroups(2).0.contents(of: log).count
    for length in shorter..<whole {
      let (disk, _) = try storeWithGroups(2)
      let tail = try storeWithGroups(3).0.contents(of: log)[shorter..<length]
      disk.damage(log) { $0 += tail }
      let store = try makeStore(on: disk)
      #expect(try store.groups().map(\.name) == ["g0", "g1"])
      #expect(try store.state().faults == [])
      try store.createGroup("new")
      #expect(try makeStore(on: disk).groups().map(\.name) == ["g0", "g1", "new"])
      #expect(try store.verify().problems == [])
    }
  }

  @Test func `an end that has gone is told until it is accepted, and the store goes on`() throws {
    let whole = try storeWithGroups(3).0.contents(of: log).count
    let first = try storeWithGroups(0).0.contents(of: log).count
    for length in first..<whole {
      let (disk, _) = try storeWithGroups(3)
      disk.damage(log) { $0.removeLast(whole - length) }
      let store = try makeStore(on: disk)
      let left = try store.groups().map(\.name)
      #expect(left == Array(["g0", "g1", "g2"].prefix(left.count)) && left.count < 3)
      #expect(try store.state().faults.count == 1)
      #expect(throws: StorageError.self) { try store.events() }
      try store.createGroup("new")
      let other = try makeStore(on: disk)
      #expect(try other.groups().map(\.name) == left + ["new"])
      #expect(try other.state().faults.count == 1)
      #expect(try other.verify().problems.count == 1)
      #expect(disk.paths(containing: "damaged/manifest-1.log").count == 1)
      #expect(try other.repair(dryRun: true).manifestFaults.count == 1)
      #expect(try other.repair(dryRun: false).manifestFaults.count == 1)
      #expect(try store.state().faults == [])
      #expect(try store.events() == [])
      #expect(try store.verify().problems == [])
    }
  }

  @Test func `a hint that is damaged, old or missing says nothing`() throws {
    let (disk, store) = try storeWithGroups(1)
    let old = try disk.contents(of: "/store/manifest.end")
    try store.createGroup("x")
    for content in [old, Array(old.dropLast()), [], [UInt8](repeating: 0, count: 24)] {
      disk.damage("/store/manifest.end") { $0 = content }
      #expect(try makeStore(on: disk).state().faults == [])
    }
    try disk.unlink("/store/manifest.end")
    #expect(try makeStore(on: disk).groups().count == 2)
    #expect(try makeStore(on: disk).state().faults == [])
  }

  @Test func `a tail of garbage is cut`() throws {
    let (disk, _) = try storeWithGroups(2)
    disk.damage(log) { $0 += [UInt8](repeating: 0xA5, count: 300) }
    let store = try makeStore(on: disk)
    try store.createGroup("new")
    #expect(try makeStore(on: disk).groups().count == 3)
  }

  @Test func `a damaged record costs what it says, by name, and is kept aside`() throws {
    let (disk, _) = try storeWithGroups(3)
    let first = try storeWithGroups(1).0.contents(of: log).count
    disk.damage(log) { $0[first + 60] ^= 1 }
    let before = try disk.contents(of: log)
    let store = try makeStore(on: disk)
    #expect(try store.groups().map(\.name) == ["g0", "g2"])
    #expect(try store.state().faults.count == 1)
    #expect(try store.state().faults.first?.contains("byte \(first)") == true)
    try store.createGroup("new")
    #expect(try disk.contents(of: "/store/damaged/manifest-1.log") == before)
    #expect(try makeStore(on: disk).groups().map(\.name) == ["g0", "g2", "new"])
    #expect(try makeStore(on: disk).state().faults.count == 1)
    _ = try store.repair(dryRun: false)
    #expect(try makeStore(on: disk).verify().problems == [])
  }

  @Test func `a record taken out of the middle breaks the chain, by name`() throws {
    let (disk, _) = try storeWithGroups(3)
    let one = try storeWithGroups(1).0.contents(of: log).count
    let two = try storeWithGroups(2).0.contents(of: log).count
    disk.damage(log) { $0.removeSubrange(one..<two) }
    let store = try makeStore(on: disk)
    #expect(try store.groups().map(\.name) == ["g0", "g2"])
    #expect(try store.state().faults.first?.contains("does not continue") == true)
    #expect(try store.verify().problems.isEmpty == false)
  }

  @Test func `a damaged first record is replaced by the end of the log before`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk, rotation: 200)
    for i in 0..<12 { try store.createGroup("g\(i)") }
    let newest = try #require(
      disk.paths(containing: "manifest-").filter { $0.hasSuffix(".log") }.last)
    disk.damage(newest) { $0[90] ^= 1 }
    #expect(try makeStore(on: disk).groups().count == 12)
    #expect(try makeStore(on: disk).state().faults.count == 1)
    // Nothing was lost, so nothing is said any more when a new log has begun.
    try makeStore(on: disk).createGroup("x")
    #expect(try makeStore(on: disk).groups().count == 13)
    #expect(try makeStore(on: disk).state().faults == [])
  }

  @Test func `a damaged CURRENT is told, and the newest log is read`() throws {
    let intact = try storeWithGroups(2).0.contents(of: "/store/CURRENT")
    for position in intact.indices {
      for bit in 0..<8 {
        let (disk, _) = try storeWithGroups(2)
        disk.damage("/store/CURRENT") { $0[position] ^= 1 << UInt8(bit) }
        let store = try makeStore(on: disk)
        #expect(try store.groups().count == 2)
        #expect(try store.state().faults.count == 1)
        try store.createGroup("x")
        #expect(try makeStore(on: disk).groups().count == 3)
        #expect(try makeStore(on: disk).state().faults == [])
      }
    }
  }

  @Test func `a log of another version is refused with both numbers`() throws {
    let (disk, _) = try storeWithGroups(1)
    // As logs were before their headers had checks, for a wrong check is damage.
    disk.damage(log) {
      $0[8] = 4
      $0.replaceSubrange(12..<16, with: [0, 0, 0, 0])
    }
    let error = #expect(throws: StorageError.self) { try makeStore(on: disk).groups() }
    #expect(error?.code == .unknownVersion)
    #expect(error?.message == "\(log): manifest version 4, this program reads version 1")
  }

  @Test func `a full log is followed by a new one, and the chain goes through both`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk, rotation: 200)
    let reader = try makeStore(on: disk)
    for i in 0..<12 {
      try store.createGroup("g\(i)")
      #expect(try reader.groups().count == i + 1)
    }
    #expect(disk.paths(containing: "manifest-").count > 2)
    let report = try store.verify()
    #expect(report.problems == [])
    #expect(report.manifestRecordCount > 12)
    // Changing an old log breaks the chain to the next one.
    disk.damage("/store/manifest-2.log") { $0.removeLast(120) }
    #expect(try store.verify().problems.isEmpty == false)
    #expect(try store.groups().count == 12)
  }

  @Test func `an older log that was cut is told by verify`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk, rotation: 300)
    for i in 0..<6 { try store.createGroup("g\(i)") }
    #expect(try store.verify().problems == [])
    let bytes = try disk.contents(of: log)
    for length in 0..<bytes.count {
      disk.damage(log) { $0 = Array(bytes[..<length]) }
      let report = try makeStore(on: disk).verify()
      #expect(
        (report.problems + report.notes).contains { $0.contains("/store/manifest-") },
        "cut to \(length) bytes")
      #expect(try makeStore(on: disk).groups().count == 6)
    }
  }

  @Test func `when a sync fails the outcome is read again and a new log is started`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.createGroup("a")
    disk.fail("sync /store/manifest-1.log", with: StorageError(.inputOutput, "bad sector"))
    #expect(throws: StorageError.self) { try store.createGroup("b") }
    disk.fail("sync /store/manifest-1.log", with: nil)
    try store.createGroup("c")
    #expect(try makeStore(on: disk).groups().map(\.name) == ["a", "c"])
    #expect(disk.paths(containing: "manifest-2.log").count == 1)
  }
}
