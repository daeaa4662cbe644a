import Glibc
import Testing

@testable import LogStorage

/// `retain --exact` takes expired events from wherever they are on the disk, or says where they stay.
@Suite struct ExactRetentionTests {
  private let longAgo = SampleTime.day - 40 * Day.milliseconds

  private func store(on disk: CrashingFileSystem, patience: Int64 = 10_000) throws -> LogStore {
    var options = storeOptions(disk)
    options.patience = patience
    return try LogStore.open("/store", mode: .create, options: options)
  }

  /// A writer that looks at what is asked of it each millisecond, or not before it has something to do.
  private func writer(_ store: LogStore, isAttentive: Bool = true) throws -> StreamWriter {
    var limits = StreamWriter.Limits()
    (limits.logByteCount, limits.firstLogByteCount) = (8192, 8192)
    limits.heartbeat = isAttentive ? 1 : 600_000
    return try StreamWriter(store: store, limits: limits)
  }

  /// Texts of all events on the disk, those past their retention too.
  private func everything(_ store: LogStore) throws -> [String] { try store.events(now: .min) }

  @Test func `expired events in the log of a living writer go, and it goes on`() throws {
    let disk = CrashingFileSystem()
    let store = try store(on: disk)
    let writer = try writer(store)
    let events = StreamedEvents()
    try events.send(SampleEvents("old", count: 3, from: longAgo), to: writer)
    // One record with both.
    let step = 20 * Day.milliseconds
    try events.send(SampleEvents("mixed", count: 3, from: longAgo, step: step), to: writer)
    try events.send(SampleEvents("other", count: 2, from: longAgo), to: writer, group: "web")
    try store.setRetention("api", days: 30)
    let other = try self.store(on: disk)
    let rehearsal = try other.retain(dryRun: true, exact: true)
    #expect(rehearsal.erasedRowCount == 4)
    #expect(disk.paths(containing: ".seg") == [], "a rehearsal asks nobody for anything")
    let logs = disk.paths(containing: ".wal")
    let report = try other.retain(exact: true)
    #expect(report.erasedRowCount == 4 && report.problems == [])
    #expect(report.remaining == [])
    #expect(Set(logs).isDisjoint(with: disk.paths(containing: ".wal")), "the file is gone, too")
    #expect(try everything(other).count == 4)
    #expect(try everything(other).filter { $0.contains("old") } == [])
    // Nothing is asked of a writer whose events are all within their retention.
    try events.send(SampleEvents("new", count: 2, from: SampleTime.day), to: writer)
    let segments = disk.paths(containing: ".seg")
    #expect(try other.retain(exact: true).isNoOperation)
    #expect(disk.paths(containing: ".seg") == segments)
    _ = try writer.close()
    #expect(try everything(store).count == 6)
    #expect(try store.verify().problems == [])
  }

  @Test func `a writer that does not answer is named, with what its log holds`() throws {
    let disk = CrashingFileSystem()
    let store = try store(on: disk, patience: 30)
    let writer = try writer(store, isAttentive: false)
    let events = StreamedEvents()
    try events.send(SampleEvents("old", count: 3, from: longAgo), to: writer)
    try events.send(SampleEvents("new", count: 2, from: SampleTime.day), to: writer)
    try store.setRetention("api", days: 30)
    // It has fallen asleep by then.
    usleep(20_000)
    let report = try store.retain(exact: true)
    #expect(report.erasedRowCount == 0 && report.problems == [])
    let left = try #require(report.remaining.first)
    #expect(report.remaining.count == 1)
    #expect(left.kind == .log && left.logGroup == "api" && left.rowCount == 3)
    #expect(disk.paths(containing: ".wal").contains(left.path))
    #expect(try everything(store).count == 5)
    // It was asked, and answers as soon as it looks.
    try events.send(SampleEvents("more", count: 1, from: SampleTime.day), to: writer)
    var waited = 0
    while try store.state().segmentCount == 0, waited < 2000 {
      usleep(1000)
      waited += 1
    }
    let next = try store.retain(exact: true)
    #expect(next.expiredRowCount + next.erasedRowCount == 3 && next.remaining == [])
    #expect(try everything(store).count == 3)
    _ = try writer.close()
    #expect(try everything(store).count == 3)
    #expect(try store.verify().problems == [])
  }

  @Test func `the log of a writer that died is published and erased in one run`() throws {
    let disk = try machineWithDeadWriter([
      SampleEvents("old", count: 3, from: longAgo),
      SampleEvents("new", count: 2, from: SampleTime.day),
    ]) { try $0.createGroup("api") }
    let store = try store(on: disk)
    try store.setRetention("api", days: 30)
    let rehearsal = try store.retain(dryRun: true, exact: true)
    #expect(rehearsal.recoveredRowCount == 5 && rehearsal.erasedRowCount == 3)
    let report = try store.retain(exact: true)
    #expect(report.recoveredRowCount == 5 && report.erasedRowCount == 3)
    #expect(report.remaining == [])
    #expect(try everything(store).count == 2)
    #expect(disk.paths(containing: ".wal") == [])
  }

  @Test func `segments that a reader has pinned are named until it is done`() throws {
    let disk = CrashingFileSystem()
    let store = try store(on: disk, patience: 30)
    try store.publish(SampleEvents("old", count: 3, from: longAgo), to: "api")
    try store.publish(SampleEvents("web", count: 3, from: longAgo), to: "web")
    try store.setRetention("api", days: 30)
    var snapshot: Snapshot? = try store.snapshot(now: .min)
    let report = try store.retain(exact: true)
    #expect(report.expiredRowCount == 3 && report.removedFileCount == 0)
    #expect(report.remaining.map(\.kind) == [.reader])
    #expect(report.remaining.first?.fileCount == 1)
    #expect(try snapshot?.events().count == 6)
    snapshot = nil
    let next = try store.retain(exact: true)
    #expect(next.removedFileCount == 1 && next.remaining == [])
    // Without `exact` nobody waits for readers.
    snapshot = try store.snapshot(now: .min)
    try store.setRetention("web", days: 30)
    #expect(try store.retain().remaining == [])
  }

  @Test func `what a repair put aside is named`() throws {
    let disk = CrashingFileSystem()
    let store = try store(on: disk)
    try store.publish(SampleEvents("x", count: 3, from: SampleTime.day), to: "api")
    try disk.makeDirectories("/store/damaged")
    disk.plant("/store/damaged/1.seg", [1, 2, 3])
    #expect(try store.retain(exact: true).remaining == [], "no group has a retention")
    try store.setRetention("api", days: 30)
    let left = try store.retain(exact: true).remaining
    #expect(left.map(\.kind) == [.damaged] && left[0].fileCount == 1)
    #expect(left[0].path == "/store/damaged")
  }
}
