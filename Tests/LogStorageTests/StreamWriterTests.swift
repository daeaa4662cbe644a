import Glibc
import Synchronization
import Testing

@testable import LogStorage

/// A number that several threads set.
final class Counter: Sendable {
  private let number = Mutex(0)

  var value: Int { number.withLock { $0 } }
  func set(_ value: Int) { number.withLock { $0 = value } }
}

@Suite struct StreamWriterTests {
  private func batch(_ label: String, count: Int = 2, from start: Int64 = SampleTime.day)
    -> SampleEvents
  {
    SampleEvents(label, count: count, from: start)
  }

  private func logs(_ disk: CrashingFileSystem) -> [String] {
    disk.paths(containing: ".wal")
  }

  @Test func `acknowledged events are seen at once, by others too, and once`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let reader = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
    let writer = try makeStreamWriter(store)
    let events = StreamedEvents()
    for i in 0..<12 {
      try events.send(
        batch("\(i)", from: SampleTime.day + Int64(i) * 10_000), to: writer,
        group: i % 4 == 3 ? "web" : "api")
      #expect(try reader.events().sorted() == events.acknowledged.sorted(), "after batch \(i)")
      #expect(try reader.groups().reduce(0) { $0 + Int($1.eventCount) } == 2 * (i + 1))
    }
    let counts = try writer.close()
    #expect(counts.eventCount == 24)
    #expect(try reader.events().sorted() == events.acknowledged.sorted())
    #expect(logs(disk) == [])
    #expect(try store.state().writeAheadLogs.isEmpty)
    #expect(try store.verify().problems == [])
  }

  @Test func `streams, times of arrival and sequence numbers are those of the batch`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("a", count: 5).alternating("side"), to: writer)
    try events.send(batch("b", count: 3), to: writer)
    func numbers() throws -> [UInt64] {
      let cursor = try store.snapshot().scan(ScanRequest(order: .oldestFirst))
      var numbers: [UInt64] = []
      while let rowGroup = try cursor.next() {
        numbers += try rowGroup.sequenceNumbers()
        #expect(try rowGroup.ingestionTimes().allSatisfy { $0 == SampleTime.now })
      }
      return numbers
    }
    let summaries = try store.streams(of: "api").map { "\($0.name) \($0.eventCount)" }
    #expect(summaries == ["main 6", "side 2"])
    let waiting = try numbers()
    #expect(Set(waiting).count == 8)
    _ = try writer.close()
    // What points to an event goes on pointing to it.
    #expect(try numbers() == waiting)
    #expect(try store.streams(of: "api").map { "\($0.name) \($0.eventCount)" } == summaries)
  }

  @Test func `windows and retention apply to events in logs`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("old", from: SampleTime.day - 40 * Day.milliseconds), to: writer)
    try events.send(batch("new"), to: writer)
    try store.setRetention("api", days: 30)
    #expect(try store.events().count == 2)
    let window = ScanRequest(window: SampleTime.day...SampleTime.day)
    #expect(try store.events(window).count == 1)
    _ = try writer.close()
    #expect(try store.events().count == 2)
  }

  @Test func `a snapshot keeps showing what it saw when the log is published`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store)
    let events = StreamedEvents()
    try events.send(batch("a", count: 3), to: writer)
    let snapshot = try store.snapshot()
    try events.send(batch("b", count: 3), to: writer)
    _ = try writer.close()
    #expect(logs(disk) == [])
    #expect(try snapshot.events() == Array(events.acknowledged.prefix(3)))
    #expect(try store.events().count == 6)
  }

  @Test func `an old log is published though it is not full`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    var limits = StreamWriter.Limits()
    limits.age = .milliseconds(20)
    let writer = try StreamWriter(store: store, limits: limits)
    try StreamedEvents().send(batch("a"), to: writer)
    var waited = 0
    while try store.groups()[0].segmentCount == 0, waited < 2000 {
      usleep(5000)
      waited += 1
    }
    #expect(try store.groups()[0].segmentCount == 1)
    #expect(try store.events().count == 2)
    _ = try writer.close()
    #expect(try store.events().count == 2)
  }

  @Test func `a failed sync ends acknowledgement for good`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("good"), to: writer)
    disk.fail("sync /store/wal", with: StorageError(.inputOutput, "bad sector"))
    try events.send(batch("bad"), to: writer)
    disk.fail("sync /store/wal", with: nil)
    #expect(events.failures.count == 1)
    #expect(throws: StorageError.self) { try events.send(batch("later"), to: writer) }
    #expect(throws: StorageError.self) { try writer.close() }
    #expect(events.acknowledged.count == 2)
    // What was acknowledged is there, and the next writer goes on with another log.
    #expect(try makeStore(on: disk.restart()).events() == events.acknowledged)
    #expect(try store.events() == events.acknowledged)
    _ = try store.recoverLogs()
    #expect(try store.events() == events.acknowledged)
    #expect(logs(disk) == [])
  }

  @Test func `a full disk refuses events by name, and retention and deletion go on`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(
      SampleEvents("old", count: 3, from: SampleTime.day - 40 * Day.milliseconds), to: "past")
    try store.setRetention("past", days: 30)
    try store.createGroup("gone")
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("a"), to: writer)
    disk.setFreeSpace(10 << 20)
    try events.send(batch("b"), to: writer)
    #expect(events.failures.count == 1)
    #expect(events.failures.first?.contains("free") == true)
    let error = #expect(throws: StorageError.self) { try writer.close() }
    #expect(error?.code == .diskFull)
    #expect(throws: StorageError.self) { try makeStreamWriter(store) }
    try store.deleteGroup("gone")
    let report = try store.retain()
    #expect(report.expiredRowCount == 3)
    #expect(report.recoveredRowCount == 2)
    #expect(report.problems == [])
    #expect(try store.events() == events.acknowledged)
  }

  @Test func `a disk that is full in the middle of a write keeps what was acknowledged`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("a"), to: writer)
    disk.fail("/store/wal", with: StorageError(.diskFull, "No space left on device"))
    try events.send(batch("b"), to: writer)
    #expect(events.failures.count == 1)
    disk.fail("/store/wal", with: nil)
    #expect(throws: StorageError.self) { try writer.close() }
    #expect(try store.events() == events.acknowledged)
  }

  @Test func `nothing is acknowledged into a deleted group`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("a"), to: writer, group: "web")
    try events.send(batch("a"), to: writer)
    try store.deleteGroup("api")
    #expect(try store.events().count == 2)
    // The group is made anew, and what went with the old one does not come back.
    try events.send(batch("b"), to: writer)
    _ = try writer.close()
    let seen = try store.events()
    #expect(seen.count == 4)
    #expect(!seen.contains { $0.contains("\"a\"") && $0.hasPrefix("api") })
    #expect(try store.groups().map(\.eventCount) == [2, 2])
    #expect(try store.verify().problems == [])
  }

  @Test func `deleting a stream takes its events from a living writer too`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("a", count: 5).alternating("side"), to: writer)
    let other = try makeStore(on: disk)
    #expect(try other.deleteStream("side", of: "api") == 2)
    #expect(try other.events().count == 3)
    // What comes later stays.
    try events.send(batch("b", count: 4).alternating("side"), to: writer)
    #expect(
      try other.streams(of: "api").map { "\($0.name) \($0.eventCount)" } == ["main 5", "side 2"])
    _ = try writer.close()
    #expect(try other.events().count == 7)
    #expect(try other.verify().problems == [])
  }

  @Test func `the log of a living writer is left alone by others`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try makeStreamWriter(store, rowsPerLog: 1000)
    let events = StreamedEvents()
    try events.send(batch("a"), to: writer)
    let other = try makeStore(on: disk)
    #expect(try other.recoverLogs() == [])
    for path in logs(disk) { disk.setModified(path, 0) }
    _ = try other.retain()
    #expect(logs(disk).count == 1)
    try events.send(batch("b"), to: writer)
    #expect(try other.events().count == 4)
    _ = try writer.close()
    #expect(try other.events().count == 4)
  }

  @Test func `a log that no manifest names is removed when it is old and nobody holds it`() throws {
    let disk = try machineWithDeadWriter([batch("a")])
    let store = try makeStore(on: disk)
    let path = store.names.writeAheadLog(77)
    _ = try disk.open(path, .createExclusive)
    _ = try store.collectGarbage()
    #expect(logs(disk).contains(path))
    for path in logs(disk) { disk.setModified(path, 0) }
    _ = try store.collectGarbage()
    #expect(!logs(disk).contains(path))
    // Those that the manifest names stay, however old.
    #expect(logs(disk).count == 1)
    #expect(try store.events().count == 2)
  }

  @Test func `several writers at once lose nothing`() async throws {
    let disk = CrashingFileSystem()
    _ = try makeStore(on: disk)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for worker in 0..<3 {
        tasks.addTask {
          let store = try makeStore(on: disk, rotation: 1000)
          let writer = try makeStreamWriter(store)
          let events = StreamedEvents()
          for round in 0..<6 {
            try events.send(
              SampleEvents("\(worker)-\(round)", count: 2, from: SampleTime.day), to: writer,
              group: "g\(worker % 2)")
            let seen = Set(try store.events())
            #expect(seen.isSuperset(of: events.acknowledged))
          }
          _ = try writer.close()
        }
      }
      try await tasks.waitForAll()
    }
    let store = try makeStore(on: disk)
    let seen = try store.events()
    #expect(seen.count == 36)
    #expect(Set(seen).count == 36)
    #expect(try store.verify().problems == [])
  }
}
