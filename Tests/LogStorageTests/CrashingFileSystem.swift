import Glibc
import Synchronization

@testable import LogStorage

/// A file system in memory that can lose power.
///
/// Each file has what processes see and what is durable; each directory has the names processes see
/// and those that are durable. `sync` makes content durable, `syncDirectory` makes names durable. A
/// crash (at the n-th call that changes anything, or asked for) throws from then on; `restart()`
/// gives a machine with only what was durable, plus, of unsynced appends, a part chosen by
/// `tornBytes`.
///
/// Locks work between handles as `flock` does, without waiting: a test that would wait for ever
/// fails instead.
final class CrashingFileSystem: FileSystem {
  struct Crash: Error {}

  /// One file's content, whatever its names.
  final class Node: Sendable {
    let content = Mutex<[UInt8]>([])
    let durable = Mutex<[UInt8]>([])
    let locks = Mutex<[ObjectIdentifier: FileLock]>([:])
    let modified = Mutex<Int64>(0)
  }

  struct Machine: @unchecked Sendable {
    // Only touched under the mutex of the file system that owns it.
    var files: [String: Node] = [:]
    var durableFiles: [String: Node] = [:]
    var directories: Set<String> = ["/"]
    var durableDirectories: Set<String> = ["/"]
    var operations = 0
    var crashAt: Int?
    var isDown = false
    var failures: [String: StorageError] = [:]
    var isReadOnly = false
    var freeByteCount: UInt64 = 1 << 40
    var ignoredSyncs: String?
  }

  let machine = Mutex(Machine())
  let clock: Int64

  init(clock: Int64 = SampleTime.now) { self.clock = clock }

  /// Calls so far that changed something.
  var operationCount: Int { machine.withLock { $0.operations } }

  /// Whether the power is gone: what was tried since may have been given up in silence.
  var isDown: Bool { machine.withLock { $0.isDown } }

  /// Loses power at the n-th changing call from now.
  func crash(afterOperations count: Int) {
    machine.withLock { $0.crashAt = $0.operations + count }
  }

  /// Makes all operations on paths that contain the text fail, until `nil` is set; `sync <path>`
  /// and
  /// `make <path>` fail only those.
  func fail(_ part: String, with error: StorageError?) {
    machine.withLock { $0.failures[part] = error }
  }

  func setReadOnly(_ isReadOnly: Bool) { machine.withLock { $0.isReadOnly = isReadOnly } }

  /// The machine after power comes back: only what was durable is there, and `tornBytes` of what
  /// was appended to a file after its last sync.
  func restart(tornBytes: Int = 0) -> CrashingFileSystem {
    let fresh = CrashingFileSystem(clock: clock)
    machine.withLock { old in
      fresh.machine.withLock { new in
        new.directories = old.durableDirectories
        new.durableDirectories = old.durableDirectories
        for (path, node) in old.durableFiles {
          let copy = Node()
          let durable = node.durable.withLock { $0 }
          let content = node.content.withLock { $0 }
          var bytes = durable
          if content.starts(with: durable) {
            bytes += content.dropFirst(durable.count).prefix(tornBytes)
          }
          copy.content.withLock { $0 = bytes }
          copy.durable.withLock { $0 = bytes }
          copy.modified.withLock { $0 = clock }
          new.files[path] = copy
          new.durableFiles[path] = copy
        }
      }
    }
    return fresh
  }

  /// Counts a change; throws when the power is gone.
  func step(_ path: String) throws {
    try machine.withLock { machine in
      if machine.isDown { throw Crash() }
      machine.operations += 1
      if let crashAt = machine.crashAt, machine.operations >= crashAt {
        machine.isDown = true
        throw Crash()
      }
      if machine.isReadOnly { throw StorageError(.notPermitted, "\(path): read-only") }
      try Self.failIfAsked(machine, path)
    }
  }

  func requirePower(_ path: String) throws {
    try machine.withLock {
      if $0.isDown { throw Crash() }
      try Self.failIfAsked($0, path)
    }
  }

  private static func failIfAsked(_ machine: Machine, _ path: String) throws {
    for (part, error) in machine.failures where path.contains(part) { throw error }
  }

  private func missing(_ path: String) -> StorageError {
    StorageError(.missingFile, "\(path): cannot open: No such file or directory")
  }

  func open(_ path: String, _ mode: FileOpenMode) throws -> any RandomAccessFile {
    try requirePower(path)
    let known = machine.withLock { $0.files[path] }
    switch (mode, known) {
    case (.read, let node?): return CrashingFile(path, node, self)
    case (.append, let node?), (.createOrAppend, let node?):
      if machine.withLock({ $0.isReadOnly }) {
        throw StorageError(.notPermitted, "\(path): read-only")
      }
      return CrashingFile(path, node, self)
    case (.read, nil), (.append, nil): throw missing(path)
    case (.createExclusive, _?): throw StorageError(.inputOutput, "\(path): File exists")
    case (.createOrAppend, nil), (.createExclusive, nil):
      try step(path)
      try requirePower("make " + path)
      let node = Node()
      node.modified.withLock { $0 = clock }
      try machine.withLock {
        guard $0.directories.contains(parentDirectory(of: path)) else { throw missing(path) }
        $0.files[path] = node
      }
      return CrashingFile(path, node, self)
    }
  }

  func rename(_ path: String, to newPath: String) throws {
    try step(path)
    try machine.withLock {
      guard $0.directories.contains(parentDirectory(of: newPath)),
        let node = $0.files.removeValue(forKey: path)
      else { throw missing(path) }
      $0.files[newPath] = node
    }
  }

  func unlink(_ path: String) throws {
    try step(path)
    try machine.withLock {
      if $0.files.removeValue(forKey: path) == nil { throw missing(path) }
    }
  }

  func makeDirectory(_ path: String) throws -> Bool {
    try step(path)
    return try machine.withLock {
      guard $0.directories.contains(parentDirectory(of: path)) else { throw missing(path) }
      return $0.directories.insert(path).inserted
    }
  }

  func removeDirectory(_ path: String) throws -> Bool {
    try step(path)
    return machine.withLock { machine in
      let isEmpty = !machine.files.keys.contains { $0.hasPrefix(path + "/") }
      return isEmpty && machine.directories.remove(path) != nil
    }
  }

  func list(_ directory: String) throws -> [String] {
    try requirePower(directory)
    return try machine.withLock { machine in
      guard machine.directories.contains(directory) else { throw missing(directory) }
      return (machine.files.keys + machine.directories.filter { $0 != "/" })
        .filter { parentDirectory(of: $0) == directory }
        .map { String($0.dropFirst(directory == "/" ? 1 : directory.utf8.count + 1)) }
        .sorted()
    }
  }

  func status(of path: String) throws -> FileStatus? {
    try requirePower(path)
    return machine.withLock { machine in
      if machine.directories.contains(path) {
        return FileStatus(byteCount: 0, isDirectory: true, modified: clock, device: 1, inode: 0)
      }
      return machine.files[path].map { node in
        FileStatus(
          byteCount: UInt64(node.content.withLock { $0.count }), isDirectory: false,
          modified: node.modified.withLock { $0 }, device: 1, inode: 1)
      }
    }
  }

  func syncDirectory(_ path: String) throws {
    try step(path)
    machine.withLock { machine in
      for name in machine.durableFiles.keys where parentDirectory(of: name) == path {
        machine.durableFiles[name] = nil
      }
      for (name, node) in machine.files where parentDirectory(of: name) == path {
        machine.durableFiles[name] = node
      }
      for name in machine.durableDirectories where name != "/" && parentDirectory(of: name) == path
      {
        machine.durableDirectories.remove(name)
      }
      for name in machine.directories where name != "/" && parentDirectory(of: name) == path {
        machine.durableDirectories.insert(name)
      }
    }
  }

  func freeSpace(at path: String) throws -> UInt64 { machine.withLock { $0.freeByteCount } }

  /// Makes the disk lie: syncs of files whose path contains the text do nothing from now on.
  func ignoreSyncs(of part: String) { machine.withLock { $0.ignoredSyncs = part } }

  /// What is left of the disk; only those that ask are told.
  func setFreeSpace(_ byteCount: UInt64) { machine.withLock { $0.freeByteCount = byteCount } }

  func networkFileSystem(at path: String) throws -> String? { nil }

  /// Changes bytes of a file behind the store's back.
  func damage(_ path: String, _ change: (inout [UInt8]) -> Void) {
    guard let node = machine.withLock({ $0.files[path] }) else { return }
    node.content.withLock { change(&$0) }
  }

  /// Paths of files whose names contain a text.
  func paths(containing part: String) -> [String] {
    machine.withLock { $0.files.keys.filter { $0.contains(part) }.sorted() }
  }

  func setModified(_ path: String, _ time: Int64) {
    machine.withLock { $0.files[path] }?.modified.withLock { $0 = time }
  }
}

/// An open file of a `CrashingFileSystem`.
final class CrashingFile: RandomAccessFile {
  let path: String
  private let node: CrashingFileSystem.Node
  private let fileSystem: CrashingFileSystem

  init(_ path: String, _ node: CrashingFileSystem.Node, _ fileSystem: CrashingFileSystem) {
    self.path = path
    self.node = node
    self.fileSystem = fileSystem
  }

  deinit { node.locks.withLock { $0[ObjectIdentifier(self)] = nil } }

  func length() throws -> UInt64 {
    try fileSystem.requirePower(path)
    return UInt64(node.content.withLock { $0.count })
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try fileSystem.requirePower(path)
    return node.content.withLock { content in
      guard offset < UInt64(content.count) else { return 0 }
      let count = min(buffer.count, content.count - Int(offset))
      content.withUnsafeBytes {
        buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + count]))
      }
      return count
    }
  }

  /// Power that goes during a write leaves the first half of it in the cache.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    do {
      try fileSystem.step(path)
    } catch {
      if error is CrashingFileSystem.Crash {
        node.content.withLock { $0 += bytes.prefix(bytes.count / 2) }
      }
      throw error
    }
    node.content.withLock { $0 += bytes }
  }

  func truncate(to byteCount: UInt64) throws {
    try fileSystem.step(path)
    node.content.withLock { $0.removeLast($0.count - Int(byteCount)) }
  }

  func sync() throws {
    try fileSystem.step(path)
    try fileSystem.requirePower("sync " + path)
    if let lie = fileSystem.machine.withLock({ $0.ignoredSyncs }), path.contains(lie) { return }
    let content = node.content.withLock { $0 }
    node.durable.withLock { $0 = content }
  }

  func syncData() throws { try sync() }

  func lock(_ kind: FileLock, waiting: Bool) throws -> Bool {
    try fileSystem.requirePower(path)
    // Waiting is polling: another thread of the test gives the lock back.
    for _ in 0..<(waiting ? 20_000 : 1) {
      if tryLock(kind) { return true }
      if waiting { usleep(500) }
    }
    if waiting { throw StorageError(.busy, "\(path): waited too long for a lock in a test") }
    return false
  }

  private func tryLock(_ kind: FileLock) -> Bool {
    node.locks.withLock { locks in
      let others = locks.filter { $0.key != ObjectIdentifier(self) }.values
      let isFree = kind == .exclusive ? others.isEmpty : !others.contains(.exclusive)
      if isFree { locks[ObjectIdentifier(self)] = kind }
      return isFree
    }
  }

  func unlock() throws {
    node.locks.withLock { $0[ObjectIdentifier(self)] = nil }
  }
}
