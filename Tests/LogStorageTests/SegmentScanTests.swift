import Columnar
import TestSupport
import Testing

@testable import LogStorage

@Suite struct SegmentScanTests {
  /// Row groups that overlap in all ways, over several segments and groups.
  private func overlapping(seed: UInt64) throws -> LogStore {
    var random = SeededGenerator(seed: seed)
    let store = try makeStore()
    for segment in 0..<6 {
      let parts = (0..<Int.random(in: 1...4, using: &random)).map { part in
        SampleEvents(
          "\(segment).\(part)", count: Int.random(in: 1...20, using: &random),
          from: SampleTime.day + Int64.random(in: 0...100_000, using: &random),
          step: Int64.random(in: 0...5000, using: &random))
      }
      try store.publish(parts, to: "g\(segment % 2)")
    }
    return store
  }

  @Test(arguments: 0..<30)
  func `ordered scans deliver in order and keep the promise of the bound`(_ seed: UInt64) throws {
    let store = try overlapping(seed: seed)
    let all = Set(try store.events())
    for order in [ScanRequest.Order.newestFirst, .oldestFirst] {
      let cursor = try store.snapshot().scan(ScanRequest(order: order))
      var previous: Int64?
      var promised: Int64?
      var count = 0
      var ordinals: [Int] = []
      while let rowGroup = try cursor.next() {
        let times = try rowGroup.timestamps()
        let key = order == .newestFirst ? times.last! : times[0]
        if let previous {
          #expect(order == .newestFirst ? key <= previous : key >= previous, "seed \(seed)")
          let bound = try #require(promised, "seed \(seed): more came after no bound")
          #expect(order == .newestFirst ? key <= bound : key >= bound, "seed \(seed)")
        }
        previous = key
        promised = rowGroup.boundOfRest
        ordinals.append(rowGroup.ordinal)
        count += rowGroup.rowCount
      }
      #expect(promised == nil, "seed \(seed): the last row group has no bound")
      #expect(ordinals == Array(0..<ordinals.count))
      #expect(count == all.count)
    }
  }

  @Test func `row groups of the same time come in the order of arrival, or the reverse of it`()
    throws
  {
    let store = try makeStore()
    for i in 0..<6 {
      try store.publish(SampleEvents("\(i)", count: 2, from: SampleTime.day, step: 0), to: "api")
    }
    func labels(_ order: ScanRequest.Order) throws -> [String] {
      try store.events(ScanRequest(order: order)).filter { $0.contains("\"n\":0") }
        .compactMap { $0.split(separator: "\"").dropFirst(3).first.map(String.init) }
    }
    #expect(try labels(.oldestFirst) == ["0", "1", "2", "3", "4", "5"])
    #expect(try labels(.newestFirst) == ["5", "4", "3", "2", "1", "0"])
  }

  @Test(arguments: 0..<10)
  func `a window shows exactly the events inside it`(_ seed: UInt64) throws {
    let store = try overlapping(seed: seed)
    var random = SeededGenerator(seed: seed &+ 1000)
    let all = try store.events()
    for _ in 0..<10 {
      let bounds = (0..<2).map { _ in
        SampleTime.day + Int64.random(in: -1000...200_000, using: &random)
      }
      let window = bounds.min()!...bounds.max()!
      let expected = all.filter { window.contains(Int64($0.split(separator: " ")[0])!) }
      let request = ScanRequest(window: window, order: .oldestFirst)
      #expect(Set(try store.events(request)) == Set(expected), "seed \(seed), \(window)")
    }
  }

  @Test func `what is skipped and what is read adds up to everything`() throws {
    let store = try makeStore()
    for i in 0..<4 {
      try store.publish(
        SampleEvents("\(i)", count: 10, from: SampleTime.day + Int64(i) * 100_000), to: "api")
    }
    let request = ScanRequest(window: SampleTime.day...(SampleTime.day + 104_000))
    let cursor = try store.snapshot().scan(request)
    while try cursor.next() != nil {}
    let statistics = cursor.statistics
    #expect(statistics.segmentsRead == 2)
    #expect(statistics.segmentsSkipped == 2)
    #expect(statistics.rowGroupsRead == 2)
    #expect(statistics.rowGroupsSkipped == 2)
    #expect(statistics.rowsScanned == 15)
    #expect(statistics.rowsSkipped == 20)
    #expect(statistics.logGroupsScanned == 1)
    #expect(statistics.bytesRead > 0)
  }

  @Test func `counting opens no segment whose events all count, and the newest event few`() throws {
    let disk = CrashingFileSystem()
    let writing = try makeStore(on: disk)
    for i in 0..<200 {
      try writing.publish(
        SampleEvents("\(i)", count: 3, from: SampleTime.day + Int64(i) * 10_000),
        to: i % 5 == 0 ? "web" : "api")
    }
    func count(_ request: ScanRequest) throws -> (rows: Int, opened: Int) {
      let store = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
      let before = disk.openings(of: ".seg")
      let cursor = try store.snapshot().scan(request)
      var rows = 0
      while let rowGroup = try cursor.next() { rows += rowGroup.visibleRows.count }
      #expect(cursor.statistics.rowsScanned == rows)
      return (rows, disk.openings(of: ".seg") - before)
    }
    var request = ScanRequest()
    #expect(try count(request) == (600, 200))
    request.needsOnlyCounts = true
    #expect(try count(request) == (600, 0))
    request.logGroups = ["api"]
    #expect(try count(request) == (480, 0))
    // Few are opened.
    request.logGroups = ["web"]
    #expect(try count(request) == (120, 40))
    // Two segments are cut by the window.
    request.logGroups = nil
    request.window = (SampleTime.day + 1)...(SampleTime.day + 1_000_500)
    #expect(try count(request) == (300, 2))
    let store = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
    let before = disk.openings(of: ".seg")
    let newest = try store.snapshot().scan(ScanRequest(order: .newestFirst))
    #expect(try newest.next()?.timestamps().last == SampleTime.day + 1_992_000)
    #expect(disk.openings(of: ".seg") - before <= 2)
  }

  @Test func `row groups in which no event can match are skipped`() throws {
    let store = try makeStore()
    try store.publish(SampleEvents("a", count: 10, from: SampleTime.day), to: "api")
    let predicate = FieldPredicate(field: "absent", test: .present)
    let cursor = try store.snapshot().scan(ScanRequest(predicates: [predicate]))
    #expect(try cursor.next() == nil)
    #expect(cursor.statistics.rowGroupsSkipped == 1)
  }

  @Test func `events past the retention are hidden at once, to the millisecond`() throws {
    let store = try makeStore()
    try store.publish(SampleEvents("a", count: 10, from: SampleTime.day), to: "api")
    try store.setRetention("api", days: 1)
    let now = SampleTime.day + Day.milliseconds + 4000
    #expect(try store.events(now: now).count == 6)
    #expect(try store.events(now: now + 1).count == 5)
    #expect(try store.events(now: now + 60_000).isEmpty)
    try store.setRetention("api", days: nil)
    #expect(try store.events(now: now + 60_000).count == 10)
  }

  @Test func `a snapshot stays as it was while others publish and delete`() throws {
    let store = try makeStore()
    try store.publish(SampleEvents("a", count: 3, from: SampleTime.day), to: "api")
    let snapshot = try store.snapshot()
    try store.publish(SampleEvents("b", count: 3, from: SampleTime.day), to: "api")
    try store.deleteGroup("api")
    _ = try store.collectGarbage()
    #expect(try snapshot.events().count == 3)
    #expect(try store.events().isEmpty)
  }

  @Test func `a damaged segment is left out and named, the rest is answered`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("a", count: 3, from: SampleTime.day), to: "api")
    try store.publish(SampleEvents("b", count: 4, from: SampleTime.day), to: "api")
    let victim = disk.paths(containing: ".seg")[0]
    disk.damage(victim) { $0[$0.count - 40] ^= 0xFF }
    let cursor = try store.snapshot().scan(ScanRequest(order: .oldestFirst))
    var rows = 0
    while let rowGroup = try cursor.next() { rows += rowGroup.rowCount }
    let damaged = cursor.statistics.damagedParts
    #expect(rows == 3 || rows == 4)
    #expect(damaged.count == 1)
    #expect(damaged.first?.contains(victim) == true)
    #expect(damaged.first?.contains("log group 'api', \(7 - rows) events from 2026-11-21") == true)
    #expect(try store.verify().problems.count >= 1)
  }

  @Test func `a missing segment is named`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("a", count: 3, from: SampleTime.day), to: "api")
    try disk.unlink(disk.paths(containing: ".seg")[0])
    let cursor = try store.snapshot().scan(ScanRequest())
    #expect(try cursor.next() == nil)
    #expect(cursor.statistics.damagedParts.count == 1)
  }

  @Test func `without a pin a file that went while the manifest was read is looked for anew`()
    throws
  {
    let disk = CrashingFileSystem()
    let writer = try makeStore(on: disk)
    for i in 0..<3 {
      try writer.publish(
        SampleEvents("\(i)", count: 3, from: SampleTime.day - 2 * Day.milliseconds), to: "api")
    }
    disk.setReadOnly(true)
    let reader = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
    let snapshot = try reader.snapshot()
    disk.setReadOnly(false)
    #expect(try writer.retain().mergedSegmentCount == 3)
    #expect(disk.paths(containing: ".seg").count == 1)
    #expect(try snapshot.events().count == 9)
  }

  @Test func `many workers get every row group once`() async throws {
    let store = try overlapping(seed: 7)
    let expected = try store.events().count
    let cursor = try store.snapshot().scan(ScanRequest())
    let counts = try await withThrowingTaskGroup(of: Int.self) { tasks in
      for _ in 0..<4 {
        tasks.addTask {
          var rows = 0
          while let rowGroup = try cursor.next() { rows += rowGroup.visibleRows.count }
          return rows
        }
      }
      return try await tasks.reduce(0, +)
    }
    #expect(counts == expected)
  }
}
