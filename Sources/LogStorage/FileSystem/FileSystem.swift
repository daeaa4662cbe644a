/// The store's only way to the disk: every file operation goes through a value of this type, so
/// that tests can drop what was not synced, refuse writes or stop at any call.
///
/// Paths are plain strings as the system calls take them. All methods throw `StorageError`:
/// `missingFile` when the path names nothing, `diskFull` when there is no room, else `inputOutput`.
package protocol FileSystem: Sendable {
  /// Opens a file.
  func open(_ path: String, _ mode: FileOpenMode) throws -> any RandomAccessFile
  /// Moves a file over whatever has the new name; durable after `syncDirectory`.
  func rename(_ path: String, to newPath: String) throws
  /// Removes a file's name; open handles stay readable.
  func unlink(_ path: String) throws
  /// Makes a directory whose parent exists; `false` when it was already there.
  func makeDirectory(_ path: String) throws -> Bool
  /// Removes an empty directory; `false` when it is not empty or not there.
  func removeDirectory(_ path: String) throws -> Bool
  /// Names in a directory, without `.` and `..`, in ascending byte order.
  func list(_ directory: String) throws -> [String]
  /// What a path names, or `nil` when it names nothing.
  func status(of path: String) throws -> FileStatus?
  /// Makes the names in a directory durable.
  func syncDirectory(_ path: String) throws
  /// Bytes an ordinary user can still write at this path.
  func freeSpace(at path: String) throws -> UInt64
  /// The name of the network file system that holds the path (`NFS`), or `nil` for a local one.
  func networkFileSystem(at path: String) throws -> String?
}

/// How a file is opened.
package enum FileOpenMode: Sendable {
  /// For reading; the file must exist.
  case read
  /// For reading and appending; the file must exist.
  case append
  /// For reading and appending; made when missing.
  case createOrAppend
  /// For reading and appending; it is an error (`inputOutput`) when it exists.
  case createExclusive
  /// For reading and for writing at chosen places, not for appending; it is an error (`inputOutput`)
  /// when it exists.
  case createForPlacing
  /// The same, and made when missing.
  case openForPlacing
}

/// What a path names.
package struct FileStatus: Sendable, Hashable {
  package var byteCount: UInt64
  package var isDirectory: Bool
  /// Last change of the content, ms since 1970.
  package var modified: Int64
  /// Device and inode: the same file under any name.
  package var device: UInt64
  package var inode: UInt64

  package init(
    byteCount: UInt64, isDirectory: Bool, modified: Int64, device: UInt64, inode: UInt64
  ) {
    self.byteCount = byteCount
    self.isDirectory = isDirectory
    self.modified = modified
    self.device = device
    self.inode = inode
  }
}

/// A lock of one open file, seen by all processes, gone with the handle.
package enum FileLock: Sendable {
  case shared
  case exclusive
}

/// An open file. Any number of threads may read at once; one appends. Closed (and unlocked) when
/// the last reference goes.
package protocol RandomAccessFile: AnyObject, Sendable {
  /// The path it was opened with.
  var path: String { get }
  /// Present length in bytes.
  func length() throws -> UInt64
  /// Fills the buffer from a position of the file; returns fewer bytes than asked only at its end.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int
  /// Says that some bytes will be read soon, so that the system can fetch them meanwhile. Promises nothing.
  func willRead(at offset: UInt64, count: Int)
  /// Writes all bytes at the end of the file.
  func append(_ bytes: UnsafeRawBufferPointer) throws
  /// Writes all bytes at a place; only in files opened for that. Zeros fill what lies between the
  /// end of the file and the place.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws
  /// Cuts the file.
  func truncate(to byteCount: UInt64) throws
  /// Makes content and attributes durable. Never call it again after it threw: pages may be gone.
  func sync() throws
  /// Makes content and length durable.
  func syncData() throws
  /// Has the disk keep room behind the end of the file: so much more can be appended even when
  /// others have filled it. Only a wish; cutting the file gives the room back.
  func keepRoom(_ byteCount: Int)
  /// Locks the file. Without `waiting` returns `false` when another handle is in the way.
  func lock(_ kind: FileLock, waiting: Bool) throws -> Bool
  /// Gives the lock back.
  func unlock() throws
}

extension RandomAccessFile {
  package func willRead(at offset: UInt64, count: Int) {}
  package func keepRoom(_ byteCount: Int) {}

  /// Reads exactly `count` bytes.
  ///
  /// - Throws: `StorageError` `damaged` when the file ends before.
  package func read(at offset: UInt64, count: Int) throws -> [UInt8] {
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
    }
    guard bytes.count == count else {
      throw StorageError(
        .damaged,
        "\(path): ends \(count - bytes.count) bytes too early, reading \(count) at \(offset)")
    }
    return bytes
  }

  /// Writes an array at a place.
  package func write(_ bytes: [UInt8], at offset: UInt64) throws {
    try bytes.withUnsafeBytes { try write($0, at: offset) }
  }

  /// Writes an array at the end of the file.
  package func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try append($0) }
  }
}

extension FileSystem {
  /// Makes a directory and all its missing parents, each durable in its parent.
  package func makeDirectories(_ path: String) throws {
    if let status = try status(of: path) {
      guard status.isDirectory else {
        throw StorageError(.inputOutput, "\(path): a file is where a directory must be")
      }
      return
    }
    let parent = parentDirectory(of: path)
    if parent != path { try makeDirectories(parent) }
    if try makeDirectory(path) { try syncDirectory(parent) }
  }

  /// The whole content of a file.
  package func contents(of path: String) throws -> [UInt8] {
    let file = try open(path, .read)
    return try file.read(at: 0, count: Int(file.length()))
  }
}

/// The directory that holds a path (`.` for a bare name).
package func parentDirectory(of path: String) -> String {
  guard let slash = path.utf8.dropLast().lastIndex(of: UInt8(ascii: "/")) else {
    return path.utf8.first == UInt8(ascii: "/") ? "/" : "."
  }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Bytes that can be read from any position: a file, or memory.
package protocol ByteSource: Sendable {
  /// Exactly `count` bytes from a position.
  ///
  /// - Throws: `StorageError`; `damaged` when the source ends before.
  func read(at offset: UInt64, count: Int) throws -> [UInt8]
  /// Says that some bytes will be read soon.
  func willRead(at offset: UInt64, count: Int)
  /// What messages call the source (a path).
  var name: String { get }
}

extension ByteSource {
  package func willRead(at offset: UInt64, count: Int) {}
}

/// A file as a source of bytes.
package struct FileByteSource: ByteSource {
  package let file: any RandomAccessFile

  package init(_ file: any RandomAccessFile) { self.file = file }

  package var name: String { file.path }

  package func read(at offset: UInt64, count: Int) throws -> [UInt8] {
    try file.read(at: offset, count: count)
  }

  package func willRead(at offset: UInt64, count: Int) {
    file.willRead(at: offset, count: count)
  }
}

/// Memory as a source of bytes.
package struct MemoryByteSource: ByteSource {
  package let bytes: [UInt8]
  package let name: String

  package init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  package func read(at offset: UInt64, count: Int) throws -> [UInt8] {
    guard count >= 0, offset <= UInt64(bytes.count), count <= bytes.count - Int(offset) else {
      throw StorageError(
        .damaged, "\(name): ends too early, reading \(count) bytes at \(offset) of \(bytes.count)")
    }
    return Array(bytes[Int(offset)..<Int(offset) + count])
  }
}

extension StorageError.Code {
  /// A file that must be there is not.
  package static let missingFile = StorageError.Code("missing-file")
}
