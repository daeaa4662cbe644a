import Glibc
import Synchronization
import TestSupport

@testable import LogStorage

/// A file system in memory that can lose power.
///
/// Each file has what processes see and what is durable; each directory has the names processes see
/// and those that are durable. `sync` makes content durable, `syncDirectory` makes names durable. A
/// crash (at the n-th call that changes anything, or asked for) throws from then on; `restart()`
/// gives a machine with only what was durable, plus, of unsynced writes, a part: the first
/// `tornBytes`, or sectors chosen by a seed, as a disk writes them in any order.
///
/// Locks work between handles as `flock` does, without waiting: a test that would wait for ever
/// fails instead.
final class CrashingFileSystem: FileSystem {
  struct Crash: Error {}

  /// One file's content, whatever its names.
  final class Node: Sendable {
    let content = Mutex<[UInt8]>([])
    let durable = Mutex<[UInt8]>([])
    /// What was written since the last sync.
    let dirty = Mutex<[Range<Int>]>([])
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
    var networkFileSystem: String?
    var opened: [String] = []
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

  /// The machine after power comes back: only what was durable is there, and of what was written to a
  /// file after its last sync the first `tornBytes`, or some sectors.
  func restart(tornBytes: Int = 0, sectors seed: UInt64? = nil) -> CrashingFileSystem {
    let fresh = CrashingFileSystem(clock: clock)
    var random = SeededGenerator(seed: seed ?? 0)
    machine.withLock { old in
      fresh.machine.withLock { new in
        new.directories = old.durableDirectories
        new.durableDirectories = old.durableDirectories
        for (path, node) in old.durableFiles.sorted(by: { $0.key < $1.key }) {
          let copy = Node()
          let bytes =
            seed == nil ? node.left(first: tornBytes) : node.left(sectors: &random)
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
    let known = machine.withLock { machine in
      machine.opened.append(path)
      return machine.files[path]
    }
    switch (mode, known) {
    case (.read, let node?): return CrashingFile(path, node, self)
    case (.append, let node?), (.createOrAppend, let node?), (.openForPlacing, let node?):
      if machine.withLock({ $0.isReadOnly }) {
        throw StorageError(.notPermitted, "\(path): read-only")
      }
      return CrashingFile(path, node, self)
    case (.read, nil), (.append, nil): throw missing(path)
    case (.createExclusive, _?), (.createForPlacing, _?):
      throw StorageError(.inputOutput, "\(path): File exists")
    case (.createOrAppend, nil), (.createExclusive, nil), (.createForPlacing, nil),
      (.openForPlacing, nil):
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

  func networkFileSystem(at path: String) throws -> String? {
    machine.withLock { $0.networkFileSystem }
  }

  func setNetworkFileSystem(_ name: String) {
    machine.withLock { $0.networkFileSystem = name }
  }

  /// Changes bytes of a file behind the store's back.
  func damage(_ path: String, _ change: (inout [UInt8]) -> Void) {
    guard let node = machine.withLock({ $0.files[path] }) else { return }
    node.content.withLock { change(&$0) }
  }

  /// Changes bytes of a file on the disk itself, so that they stay changed after a crash.
  func damageAtRest(_ path: String, _ change: (inout [UInt8]) -> Void) {
    guard let node = machine.withLock({ $0.files[path] }) else { return }
    node.content.withLock { change(&$0) }
    node.durable.withLock { change(&$0) }
  }

  /// Puts a file on the disk, wherever it is.
  func plant(_ path: String, _ bytes: [UInt8]) {
    let node = Node()
    node.content.withLock { $0 = bytes }
    node.durable.withLock { $0 = bytes }
    machine.withLock {
      $0.files[path] = node
      $0.durableFiles[path] = node
    }
  }

  /// Paths of files whose names contain a text.
  func paths(containing part: String) -> [String] {
    machine.withLock { $0.files.keys.filter { $0.contains(part) }.sorted() }
  }

  /// Paths opened so far that contain a text.
  func openings(of part: String) -> Int {
    machine.withLock { $0.opened.count { $0.contains(part) } }
  }

  func setModified(_ path: String, _ time: Int64) {
    machine.withLock { $0.files[path] }?.modified.withLock { $0 = time }
  }
}

extension CrashingFileSystem.Node {
  fileprivate func put(_ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int) {
    content.withLock { content in
      let end = offset + bytes.count
      if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
      content.replaceSubrange(offset..<end, with: bytes)
    }
    dirty.withLock { $0.append(offset..<offset + bytes.count) }
  }

  fileprivate func cut(to byteCount: Int) {
    content.withLock { $0.removeLast($0.count - byteCount) }
    dirty.withLock { dirty in
      dirty = dirty.map { $0.clamped(to: 0..<byteCount) }.filter { !$0.isEmpty }
    }
  }

  /// What is left when the power has gone: the first bytes of what was written since the last sync.
  fileprivate func left(first count: Int) -> [UInt8] {
    var left = count
    return survivors { range in
      defer { left -= min(left, range.count) }
      return [range.prefix(left)]
    }
  }

  /// The same when the disk had written some of the sectors, in any order.
  fileprivate func left(sectors random: inout SeededGenerator) -> [UInt8] {
    survivors { range in
      var kept: [Range<Int>] = []
      var start = range.lowerBound
      while start < range.upperBound {
        let next = min(range.upperBound, (start / 512 + 1) * 512)
        if Bool.random(using: &random) { kept.append(start..<next) }
        start = next
      }
      return kept
    }
  }

  private func survivors(_ choose: (Range<Int>) -> [Range<Int>]) -> [UInt8] {
    let content = content.withLock { $0 }
    var bytes = durable.withLock { $0 }
    for written in dirty.withLock({ $0 }) {
      for range in choose(written.clamped(to: 0..<content.count)) where !range.isEmpty {
        let missing = range.upperBound - bytes.count
        if missing > 0 { bytes += [UInt8](repeating: 0, count: missing) }
        bytes.replaceSubrange(range, with: content[range])
      }
    }
    return bytes
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
    try write(bytes, at: UInt64(node.content.withLock { $0.count }))
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
    let wasDown = fileSystem.isDown
    do {
      try fileSystem.step(path)
    } catch {
      if error is CrashingFileSystem.Crash, !wasDown {
        node.put(bytes.prefix(bytes.count / 2), at: Int(offset))
      }
      throw error
    }
    node.put(bytes[...], at: Int(offset))
  }

  func truncate(to byteCount: UInt64) throws {
    try fileSystem.step(path)
    node.cut(to: Int(byteCount))
  }

  func sync() throws {
    try fileSystem.step(path)
    try fileSystem.requirePower("sync " + path)
    if let lie = fileSystem.machine.withLock({ $0.ignoredSyncs }), path.contains(lie) { return }
    let content = node.content.withLock { $0 }
    node.durable.withLock { $0 = content }
    node.dirty.withLock { $0 = [] }
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
