import Glibc
import Testing

@testable import LogStorage

@Suite struct PosixFileSystemTests {
  private let fileSystem = PosixFileSystem()

  /// Runs a test in a directory of its own, and removes it.
  private func withDirectory(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/varve-test-XXXXXX".utf8CString)
    let path = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeAll(path) }
    try body(path)
  }

  private func removeAll(_ path: String) throws {
    if try fileSystem.status(of: path)?.isDirectory == true {
      for name in try fileSystem.list(path) { try removeAll("\(path)/\(name)") }
      _ = try fileSystem.removeDirectory(path)
    } else {
      try fileSystem.unlink(path)
    }
  }

  @Test func `files are written, read, cut, renamed and removed`() throws {
    try withDirectory { root in
      let file = try fileSystem.open(root + "/a", .createExclusive)
      try file.append([1, 2, 3, 4])
      try file.append([5])
      try file.sync()
      #expect(try file.length() == 5)
      #expect(try file.read(at: 1, count: 3) == [2, 3, 4])
      try file.truncate(to: 2)
      try file.append([9])
      #expect(try fileSystem.contents(of: root + "/a") == [1, 2, 9])
      try fileSystem.rename(root + "/a", to: root + "/b")
      try fileSystem.syncDirectory(root)
      #expect(try fileSystem.list(root) == ["b"])
      #expect(try fileSystem.status(of: root + "/a") == nil)
      #expect(try fileSystem.status(of: root + "/b")?.byteCount == 3)
      try fileSystem.unlink(root + "/b")
      #expect(try fileSystem.list(root).isEmpty)
      #expect(try fileSystem.freeSpace(at: root) > 0)
    }
  }

  @Test func `room that is kept changes neither length nor content`() throws {
    try withDirectory { root in
      let file = try fileSystem.open(root + "/a", .createExclusive)
      try file.append([1, 2])
      file.keepRoom(64 << 10)
      #expect(try file.length() == 2)
      try file.append([3])
      #expect(try fileSystem.contents(of: root + "/a") == [1, 2, 3])
    }
  }

  @Test func `reading past the end is damage, not silence`() throws {
    try withDirectory { root in
      let file = try fileSystem.open(root + "/a", .createExclusive)
      try file.append([1, 2])
      let error = #expect(throws: StorageError.self) { try file.read(at: 1, count: 5) }
      #expect(error?.code == .damaged)
      #expect(throws: StorageError.self) { try file.read(at: .max, count: 1) }
    }
  }

  @Test func `errors say what was tried on which path`() throws {
    let missing = #expect(throws: StorageError.self) { try fileSystem.open("/no/such", .read) }
    #expect(missing?.code == .missingFile)
    #expect(missing?.message == "/no/such: cannot open: No such file or directory")
    try withDirectory { root in
      _ = try fileSystem.open(root + "/a", .createExclusive)
      let error = #expect(throws: StorageError.self) {
        try fileSystem.open(root + "/a", .createExclusive)
      }
      #expect(error?.code == .inputOutput)
    }
  }

  @Test func `locks keep other handles out until they are given back`() throws {
    try withDirectory { root in
      let first = try fileSystem.open(root + "/lock", .createOrAppend)
      let second = try fileSystem.open(root + "/lock", .createOrAppend)
      #expect(try first.lock(.shared, waiting: false))
      #expect(try second.lock(.shared, waiting: false))
      #expect(try first.lock(.exclusive, waiting: false) == false)
      try second.unlock()
      #expect(try first.lock(.exclusive, waiting: false))
      #expect(try second.lock(.shared, waiting: false) == false)
    }
  }

  @Test func `network file systems are told from local ones by the mount table`() {
    let table = """
      22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
      90 22 0:44 / /home rw shared:2 - nfs4 server:/home rw,vers=4.2
      91 22 0:45 / /mnt rw - fuse.sshfs me@host: rw
      """
    func type(_ major: UInt64, _ minor: UInt64) -> String? {
      networkFileSystemType(ofDevice: major << 8 | minor, inMountTable: table)
    }
    #expect(type(8, 1) == nil)
    #expect(type(0, 44) == "nfs4")
    #expect(type(0, 45) == "fuse.sshfs")
    #expect(type(0, 46) == nil)
  }

  @Test func `several openings create, publish, read and maintain one store at once`() async throws
  {
    var template = Array("/tmp/varve-test-XXXXXX".utf8CString)
    let root = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeAll(root) }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for worker in 0..<3 {
        tasks.addTask {
          let store = try LogStore.open(root + "/store", mode: .create)
          for round in 0..<6 {
            let events = SampleEvents("\(worker)-\(round)", count: 3, from: SampleTime.day)
            try store.publish(events, to: "api")
          }
        }
      }
      tasks.addTask {
        let store = try LogStore.open(root + "/store", mode: .create)
        for _ in 0..<10 {
          // Whole segments of three events each, or none of them.
          #expect(try store.events().count % 3 == 0)
          _ = try store.retain()
        }
      }
      try await tasks.waitForAll()
    }
    let store = try LogStore.open(root + "/store", mode: .readOnly)
    #expect(Set(try store.events()).count == 54)
    #expect(try store.verify().problems == [])
  }
}
