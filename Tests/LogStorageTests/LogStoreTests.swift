import Testing

@testable import LogStorage

@Suite struct LogStoreTests {
  @Test func `what was published is seen, in order, by another opening of the store`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("b", count: 5, from: SampleTime.day + 5000), to: "api")
    try store.publish(SampleEvents("a", count: 5, from: SampleTime.day), to: "api")
    let again = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
    let events = try again.events()
    #expect(events.count == 10)
    #expect(events == events.sorted())
    #expect(events[0].hasSuffix(#"{"label":"a","n":0,"ok":true}"#))
    #expect(events[9].hasSuffix(#"{"label":"b","n":4,"ok":false}"#))
  }

  @Test func `sequence numbers are unique in the store and ascend with publishing`() throws {
    let store = try makeStore()
    for i in 0..<3 {
      try store.publish(SampleEvents("\(i)", count: 4, from: SampleTime.day), to: "g\(i % 2)")
    }
    let cursor = try store.snapshot().scan(ScanRequest(order: .oldestFirst))
    var numbers: [UInt64] = []
    while let rowGroup = try cursor.next() { numbers += try rowGroup.sequenceNumbers() }
    #expect(Set(numbers).count == 12)
    #expect(numbers.min() == 1)
    #expect(numbers.max() == 12)
  }

  @Test func `opening a path without a store says so`() throws {
    let disk = CrashingFileSystem()
    #expect(throws: StorageError.self) {
      try LogStore.open("/nowhere", mode: .readOnly, options: storeOptions(disk))
    }
    #expect(disk.operationCount == 0)
  }

  @Test func `a directory with other files is not turned into a store`() throws {
    let disk = CrashingFileSystem()
    _ = try disk.makeDirectory("/store")
    _ = try disk.open("/store/thesis.txt", .createExclusive)
    let error = #expect(throws: StorageError.self) { try makeStore(on: disk) }
    #expect(error?.code == .noStore)
    #expect(error?.message.contains("thesis.txt") == true)
  }

  @Test func `a store of another version is refused with both numbers`() throws {
    let disk = CrashingFileSystem()
    _ = try makeStore(on: disk)
    disk.damage("/store/FORMAT") { $0 = Array("varve store 7\n".utf8) }
    let error = #expect(throws: StorageError.self) { try makeStore(on: disk) }
    #expect(error?.code == .unknownVersion)
    #expect(error?.message == "/store/FORMAT: store version 7, this program reads version 1")
  }

  @Test func `a network file system is refused unless forced`() throws {
    let disk = CrashingFileSystem()
    disk.setNetworkFileSystem("nfs4")
    _ = try disk.makeDirectory("/store")
    var options = storeOptions(disk)
    let error = #expect(throws: StorageError.self) {
      try LogStore.open("/store", mode: .create, options: options)
    }
    #expect(error?.code == .noStore)
    #expect(error?.message.contains("nfs4") == true)
    #expect(error?.message.contains("--allow-network-file-system") == true)
    #expect(try disk.list("/store").isEmpty)
    options.allowsNetworkFileSystem = true
    let store = try LogStore.open("/store", mode: .create, options: options)
    try store.publish(SampleEvents("a", count: 2, from: SampleTime.day), to: "api")
    #expect(try store.events().count == 2)
  }

  @Test func `a disk that is full while a file is loaded takes nothing of it`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("a", count: 2, from: SampleTime.day), to: "api")
    let lines = Array(String(repeating: "{\"a\":1}\n", count: 50).utf8)
    for full in ["/store/tmp/", "make /store/tmp", "/store/segments", "/store/manifest-"] {
      disk.fail(full, with: StorageError(.diskFull, "\(full): No space left on device"))
      let error = #expect(throws: StorageError.self) {
        try IngestSession(
          store: store, options: IngestSession.Options(logGroup: "api", now: SampleTime.now)
        ).ingest(.memory(lines, name: "input"))
      }
      #expect(error?.code == .diskFull)
      disk.fail(full, with: nil)
      #expect(try store.events().count == 2, "\(full)")
      #expect(try disk.list("/store/tmp").isEmpty, "\(full)")
    }
    _ = try IngestSession(
      store: store, options: IngestSession.Options(logGroup: "api", now: SampleTime.now)
    ).ingest(.memory(lines, name: "input"))
    #expect(try store.events().count == 52)
    #expect(try store.verify().problems == [])
  }

  @Test func `an unknown group is refused with the nearest names`() throws {
    let store = try makeStore()
    for name in ["/aws/lambda/orders", "/aws/lambda/payments", "web"] {
      try store.createGroup(name)
    }
    let error = #expect(throws: StorageError.self) {
      try store.events(ScanRequest(logGroups: ["/aws/lambda/order"]))
    }
    #expect(error?.code == .unknownGroup)
    #expect(error?.message.contains("'/aws/lambda/orders'") == true)
    #expect(error?.message.contains("'web'") == false)
  }

  @Test(arguments: ["", "a b", "über", "a:b", String(repeating: "x", count: 513)])
  func `bad names of groups are refused`(_ name: String) throws {
    let store = try makeStore()
    let error = #expect(throws: StorageError.self) { try store.createGroup(name) }
    #expect(error?.code == .invalidArgument)
    #expect(try store.groups().isEmpty)
  }

  @Test func `summaries add up over segments and streams`() throws {
    let store = try makeStore()
    let events = SampleEvents("a", count: 6, from: SampleTime.day).alternating("side")
    try store.publish(events, to: "api")
    try store.publish(SampleEvents("b", count: 2, from: SampleTime.day - 1000), to: "api")
    try store.setRetention("api", days: 30)
    let group = try #require(try store.groups().first)
    #expect(group.eventCount == 8)
    #expect(group.segmentCount == 2)
    #expect(group.streamCount == 2)
    #expect(group.retentionDays == 30)
    #expect(group.firstEvent == SampleTime.day - 1000)
    #expect(group.lastEvent == SampleTime.day + 5000)
    let raw = (events.texts + SampleEvents("b", count: 2, from: 0).texts).joined().utf8.count
    #expect(group.rawByteCount == UInt64(raw))
    #expect(try store.streams(of: "api").map(\.name) == ["main", "side"])
    #expect(try store.streams(of: "api").map(\.eventCount) == [5, 3])
  }

  @Test func `a deleted group is gone and its name can be used again`() throws {
    let store = try makeStore()
    try store.publish(SampleEvents("a", count: 3, from: SampleTime.day), to: "api")
    try store.deleteGroup("api")
    #expect(try store.groups().isEmpty)
    try store.publish(SampleEvents("b", count: 2, from: SampleTime.day), to: "api")
    #expect(try store.events().count == 2)
  }

  @Test func `a deleted stream is gone and the others are untouched`() throws {
    let store = try makeStore()
    let mixed = SampleEvents("a", count: 7, from: SampleTime.day).alternating("noise")
    try store.publish(
      [mixed, SampleEvents("b", count: 3, from: SampleTime.day + 100_000)], to: "api")
    let before = try store.events()
    #expect(try store.deleteStream("noise", of: "api") == 3)
    let kept = before.enumerated().filter { $0.offset > 6 || $0.offset % 2 == 0 }.map(\.element)
    #expect(try store.events() == kept)
    #expect(try store.streams(of: "api").map(\.name) == ["main"])
    #expect(try store.verify().problems == [])
    let error = #expect(throws: StorageError.self) {
      try store.deleteStream("mian", of: "api")
    }
    #expect(error?.message.contains("'main'") == true)
  }

  @Test func `a bookmark is recorded with the events it stands for`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    let writer = try store.makeSegmentWriter(logGroup: "api")
    try writer.append(SampleEvents("a", count: 1, from: 0).encoded())
    let bookmark = InputBookmark(key: "file 7", offset: 99, updated: 5)
    try store.publish([writer.finish()], bookmark: bookmark)
    #expect(try makeStore(on: disk).bookmark("file 7") == bookmark)
    #expect(try store.bookmark("file 8") == nil)
  }

  @Test func `a store opened for reading refuses to write`() throws {
    let disk = CrashingFileSystem()
    _ = try makeStore(on: disk)
    let store = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
    let error = #expect(throws: StorageError.self) { try store.createGroup("x") }
    #expect(error?.code == .notPermitted)
  }

  @Test func `a read-only medium can be read without a pin`() throws {
    let disk = CrashingFileSystem()
    try makeStore(on: disk).publish(SampleEvents("a", count: 3, from: 0), to: "api")
    disk.setReadOnly(true)
    let store = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
    #expect(try store.events().count == 3)
  }

  @Test func `threads that publish at once lose nothing`() async throws {
    let disk = CrashingFileSystem()
    _ = try makeStore(on: disk)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for worker in 0..<4 {
        tasks.addTask {
          // Each has its own opening of the store, as processes have.
          let store = try makeStore(on: disk, rotation: 1000)
          for round in 0..<5 {
            try store.publish(
              SampleEvents("\(worker)-\(round)", count: 2, from: SampleTime.day), to: "api")
          }
        }
      }
      try await tasks.waitForAll()
    }
    let store = try makeStore(on: disk)
    #expect(Set(try store.events()).count == 40)
    #expect(try store.verify().problems == [])
  }
}
