import CFile

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The machine's file system, through the C library's calls.
package struct PosixFileSystem: FileSystem {
  private let tellsWaiting: (@Sendable (String) -> Void)?

  /// - Parameter tellsWaiting: told what for and for whom, once for each lock that is not free within a second.
  package init(tellsWaiting: (@Sendable (String) -> Void)? = nil) {
    self.tellsWaiting = tellsWaiting
  }

  package func open(_ path: String, _ mode: FileOpenMode) throws -> any RandomAccessFile {
    let flags: Int32 =
      switch mode {
      case .read: O_RDONLY
      case .append: O_RDWR | O_APPEND
      case .createOrAppend: O_RDWR | O_APPEND | O_CREAT
      case .createExclusive: O_RDWR | O_APPEND | O_CREAT | O_EXCL
      case .createForPlacing: O_RDWR | O_CREAT | O_EXCL
      case .openForPlacing: O_RDWR | O_CREAT
      }
    let descriptor = retrying { openFile(path, flags | O_CLOEXEC, 0o644) }
    guard descriptor >= 0 else { throw systemError("open", path) }
    return PosixFile(path: path, descriptor: descriptor, tellsWaiting: tellsWaiting)
  }

  package func rename(_ path: String, to newPath: String) throws {
    guard renameFile(path, newPath) == 0 else { throw systemError("rename", path) }
  }

  package func unlink(_ path: String) throws {
    guard unlinkFile(path) == 0 else { throw systemError("remove", path) }
  }

  package func makeDirectory(_ path: String) throws -> Bool {
    if mkdir(path, 0o755) == 0 { return true }
    guard errno == EEXIST else { throw systemError("make directory", path) }
    return false
  }

  package func removeDirectory(_ path: String) throws -> Bool {
    if rmdir(path) == 0 { return true }
    guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT else {
      throw systemError("remove directory", path)
    }
    return false
  }

  package func list(_ directory: String) throws -> [String] {
    guard let stream = opendir(directory) else { throw systemError("list", directory) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: field.pointee))
        {
          String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw systemError("list", directory) }
    return names.sorted()
  }

  package func status(of path: String) throws -> FileStatus? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw systemError("examine", path)
    }
    #if canImport(Glibc)
      let modified = status.st_mtim
    #else
      let modified = status.st_mtimespec
    #endif
    return FileStatus(
      byteCount: UInt64(status.st_size), isDirectory: status.st_mode & S_IFMT == S_IFDIR,
      modified: Int64(modified.tv_sec) * 1000 + Int64(modified.tv_nsec) / 1_000_000,
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  package func syncDirectory(_ path: String) throws {
    let descriptor = retrying { openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
    guard descriptor >= 0 else { throw systemError("open directory", path) }
    defer { close(descriptor) }
    guard retrying({ fsync(descriptor) }) == 0 else { throw systemError("sync directory", path) }
  }

  package func freeSpace(at path: String) throws -> UInt64 {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { throw systemError("measure free space of", path) }
    return UInt64(information.f_bavail) * UInt64(information.f_frsize)
  }

  package func networkFileSystem(at path: String) throws -> String? {
    guard let status = try status(of: path) else {
      throw StorageError(.missingFile, "\(path): there is no such directory")
    }
    // What lies on a device of its own kind is on this machine: those of network file systems are nameless.
    guard deviceNumbers(status.device).major == 0 else { return nil }
    // The kernel's table of mounts; a system without it (macOS) is not asked.
    guard let text = try? text(ofUnsized: "/proc/self/mountinfo") else { return nil }
    return networkFileSystemType(ofDevice: status.device, inMountTable: text)
  }

  /// Reads a file whose length is not known before, as those of `/proc`.
  func text(ofUnsized path: String) throws -> String {
    let file = try open(path, .read)
    var bytes: [UInt8] = []
    while true {
      let piece = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, filled in
        filled = try file.read(
          at: UInt64(bytes.count), into: UnsafeMutableRawBufferPointer(buffer))
      }
      if piece.isEmpty { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece
    }
  }
}

/// Finds a device in a table of mounts (`36 35 98:0 / /mnt rw - nfs4 server:/x rw`) and returns the
/// type of its file system if that lies on another machine.
func networkFileSystemType(ofDevice device: UInt64, inMountTable mountTable: String) -> String? {
  let kinds = ["nfs", "cifs", "smb", "ceph", "lustre", "afs", "9p", "gpfs", "gluster", "sshfs"]
  let (major, minor) = deviceNumbers(device)
  for line in mountTable.split(separator: "\n") {
    let fields = line.split(separator: " ")
    guard fields.count > 6, fields[2] == "\(major):\(minor)",
      let separator = fields.firstIndex(of: "-"), separator + 1 < fields.count
    else { continue }
    let type = fields[separator + 1]
    return kinds.contains { type.hasPrefix($0) || type.hasSuffix($0) } ? String(type) : nil
  }
  return nil
}

/// The two numbers that a device is called by in the kernel's tables.
func deviceNumbers(_ device: UInt64) -> (major: UInt64, minor: UInt64) {
  (
    (device >> 8) & 0xFFF | (device >> 32) & 0xFFFF_F000,
    device & 0xFF | (device >> 12) & 0xFFFF_FF00
  )
}

/// An open file descriptor; closed with its last reference, which also gives up its lock.
final class PosixFile: RandomAccessFile {
  let path: String
  private let descriptor: Int32
  private let tellsWaiting: (@Sendable (String) -> Void)?

  init(path: String, descriptor: Int32, tellsWaiting: (@Sendable (String) -> Void)? = nil) {
    self.path = path
    self.descriptor = descriptor
    self.tellsWaiting = tellsWaiting
  }

  deinit { close(descriptor) }

  func length() throws -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError("examine", path) }
    return UInt64(status.st_size)
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let base = buffer.baseAddress else { return 0 }
    guard offset <= UInt64(Int64.max) else { return 0 }
    var filled = 0
    while filled < buffer.count {
      let position = off_t(Int64(offset)) + off_t(filled)
      let count = retrying { pread(descriptor, base + filled, buffer.count - filled, position) }
      guard count >= 0 else { throw systemError("read", path) }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  func willRead(at offset: UInt64, count: Int) {
    #if canImport(Glibc)
      guard let position = off_t(exactly: offset) else { return }
      _ = posix_fadvise(descriptor, position, off_t(count), POSIX_FADV_WILLNEED)
    #endif
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard let base = bytes.baseAddress else { return }
    var written = 0
    while written < bytes.count {
      let count = retrying { writeFile(descriptor, base + written, bytes.count - written) }
      guard count >= 0 else { throw systemError("write", path) }
      written += count
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
    guard let base = bytes.baseAddress else { return }
    var written = 0
    while written < bytes.count {
      let position = off_t(Int64(offset)) + off_t(written)
      let count = retrying {
        pwrite(descriptor, base + written, bytes.count - written, position)
      }
      guard count >= 0 else { throw systemError("write", path) }
      written += count
    }
  }

  func truncate(to byteCount: UInt64) throws {
    guard retrying({ ftruncate(descriptor, off_t(byteCount)) }) == 0 else {
      throw systemError("cut", path)
    }
  }

  func sync() throws {
    guard retrying({ fsync(descriptor) }) == 0 else { throw systemError("sync", path) }
  }

  func syncData() throws {
    #if canImport(Glibc)
      guard retrying({ fdatasync(descriptor) }) == 0 else { throw systemError("sync", path) }
    #else
      try sync()
    #endif
  }

  func keepRoom(_ byteCount: Int) {
    #if os(Linux)
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { return }
      // The system counts blocks of 512 bytes. Most of the time there is enough.
      let left = Int(status.st_blocks) * 512 - Int(status.st_size)
      if left < byteCount / 2 {
        let keepsSize: Int32 = 1
        _ = fallocate(descriptor, keepsSize, status.st_size, off_t(byteCount))
      }
    #endif
  }

  func lock(_ kind: FileLock, waiting: Bool) throws -> Bool {
    let operation = kind == .shared ? LOCK_SH : LOCK_EX
    if retrying({ flock(descriptor, operation | LOCK_NB) }) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw systemError("lock", path) }
    guard waiting else { return false }
    let watch = watchLock()
    defer { watch?.end() }
    guard retrying({ flock(descriptor, operation) }) == 0 else { throw systemError("lock", path) }
    return true
  }

  private func watchLock() -> LockWatch? {
    var status = stat()
    guard let tellsWaiting, fstat(descriptor, &status) == 0 else { return nil }
    return LockWatch(
      path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino), tell: tellsWaiting)
  }

  func unlock() throws {
    guard flock(descriptor, LOCK_UN) == 0 else { throw systemError("unlock", path) }
  }
}

/// Repeats a system call that a signal interrupted.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// `open`, out of the way of the method of the same name.
private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
  open(path, flags, mode)
}

/// `write`, out of the way of the method of the same name.
private func writeFile(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

/// `rename`, out of the way of the method of the same name.
private func renameFile(_ path: String, _ newPath: String) -> Int32 { rename(path, newPath) }

/// `unlink`, out of the way of the method of the same name.
private func unlinkFile(_ path: String) -> Int32 { unlink(path) }

/// Turns `errno` into an error that says what was tried on which path.
private func systemError(_ operation: String, _ path: String) -> StorageError {
  let number = errno
  let reason = String(cString: strerror(number))
  switch number {
  case ENOENT:
    return StorageError(.missingFile, "\(path): cannot \(operation): \(reason)")
  case ENOSPC, EDQUOT:
    return StorageError(
      .diskFull,
      "\(path): cannot \(operation): \(reason); free some space (retention and deletion still work)"
    )
  case EACCES, EPERM, EROFS:
    return StorageError(.notPermitted, "\(path): cannot \(operation): \(reason)")
  default:
    return StorageError(.inputOutput, "\(path): cannot \(operation): \(reason)")
  }
}

extension StorageError.Code {
  /// This user may not do that with this file, or the file system is read-only.
  package static let notPermitted = StorageError.Code("not-permitted")
}
