import LogStorage
import Synchronization

/// A file system in memory whose files can be changed behind a store's back, copied as a whole, and thrown away.
final class MemoryFileSystem: FileSystem {
  final class Content: Sendable {
    let bytes: Mutex<[UInt8]>
    let holders = Mutex<[ObjectIdentifier: FileLock]>([:])

    init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }
  }

  private struct Tree {
    var files: [String: Content] = [:]
    var directories: Set<String> = ["/"]
  }

  private let tree = Mutex(Tree())

  /// What is there now, with nobody holding anything: as after the death of all processes.
  func copy() -> MemoryFileSystem {
    let fresh = MemoryFileSystem()
    tree.withLock { old in
      fresh.tree.withLock { new in
        new.directories = old.directories
        new.files = old.files.mapValues { Content($0.bytes.withLock { $0 }) }
      }
    }
    return fresh
  }

  var paths: [String] { tree.withLock { $0.files.keys.sorted() } }

  func bytes(of path: String) -> [UInt8] {
    tree.withLock { $0.files[path]?.bytes.withLock { $0 } ?? [] }
  }

  func set(_ path: String, _ bytes: [UInt8]) {
    tree.withLock { $0.files[path]?.bytes.withLock { $0 = bytes } }
  }

  private func missing(_ path: String) -> StorageError {
    StorageError(.missingFile, "\(path): No such file or directory")
  }

  func open(_ path: String, _ mode: FileOpenMode) throws -> any RandomAccessFile {
    try tree.withLock { tree in
      if let known = tree.files[path] {
        if case .createExclusive = mode { throw StorageError(.inputOutput, "\(path): File exists") }
        if case .createForPlacing = mode {
          throw StorageError(.inputOutput, "\(path): File exists")
        }
        return MemoryFile(path, known)
      }
      switch mode {
      case .read, .append: throw missing(path)
      default: break
      }
      guard tree.directories.contains(parentDirectory(of: path)) else { throw missing(path) }
      let content = Content([])
      tree.files[path] = content
      return MemoryFile(path, content)
    }
  }

  func rename(_ path: String, to newPath: String) throws {
    try tree.withLock { tree in
      guard let content = tree.files.removeValue(forKey: path) else { throw missing(path) }
      tree.files[newPath] = content
    }
  }

  func unlink(_ path: String) throws {
    try tree.withLock { if $0.files.removeValue(forKey: path) == nil { throw missing(path) } }
  }

  func makeDirectory(_ path: String) throws -> Bool {
    tree.withLock { $0.directories.insert(path).inserted }
  }

  func removeDirectory(_ path: String) throws -> Bool { false }

  func list(_ directory: String) throws -> [String] {
    tree.withLock { tree in
      (tree.files.keys + tree.directories.filter { $0 != "/" })
        .filter { parentDirectory(of: $0) == directory }
        .map { String($0.dropFirst(directory.utf8.count + 1)) }.sorted()
    }
  }

  func status(of path: String) throws -> FileStatus? {
    tree.withLock { tree in
      if tree.directories.contains(path) {
        return FileStatus(byteCount: 0, isDirectory: true, modified: 0, device: 1, inode: 0)
      }
      return tree.files[path].map {
        FileStatus(
          byteCount: UInt64($0.bytes.withLock { $0.count }), isDirectory: false, modified: 0,
          device: 1, inode: 1)
      }
    }
  }

  func syncDirectory(_ path: String) throws {}
  func freeSpace(at path: String) throws -> UInt64 { 1 << 40 }
  func networkFileSystem(at path: String) throws -> String? { nil }
}

private final class MemoryFile: RandomAccessFile {
  let path: String
  private let content: MemoryFileSystem.Content

  init(_ path: String, _ content: MemoryFileSystem.Content) {
    self.path = path
    self.content = content
  }

  deinit { content.holders.withLock { $0[ObjectIdentifier(self)] = nil } }

  func length() throws -> UInt64 { UInt64(content.bytes.withLock { $0.count }) }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    content.bytes.withLock { bytes in
      guard offset < UInt64(bytes.count) else { return 0 }
      let count = min(buffer.count, bytes.count - Int(offset))
      bytes.withUnsafeBytes {
        buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + count]))
      }
      return count
    }
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws { content.bytes.withLock { $0 += bytes } }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
    content.bytes.withLock { content in
      let end = Int(offset) + bytes.count
      if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
      content.replaceSubrange(Int(offset)..<end, with: bytes)
    }
  }

  func truncate(to byteCount: UInt64) throws {
    content.bytes.withLock { $0.removeLast($0.count - Int(byteCount)) }
  }

  func sync() throws {}
  func syncData() throws {}

  func lock(_ kind: FileLock, waiting: Bool) throws -> Bool {
    content.holders.withLock { holders in
      let others = holders.filter { $0.key != ObjectIdentifier(self) }.values
      guard kind == .exclusive ? others.isEmpty : !others.contains(.exclusive) else { return false }
      holders[ObjectIdentifier(self)] = kind
      return true
    }
  }

  func unlock() throws { content.holders.withLock { $0[ObjectIdentifier(self)] = nil } }
}
