import Columnar
import Glibc

/// Bytes on their way to a file descriptor: rows are put together in memory and written in large
/// pieces, never one `print` a row.
struct OutputBuffer {
  /// Once this much is waiting, `flushIfLarge` writes it.
  private static let flushThreshold = 1 << 16

  /// A pipe takes so many bytes at once whenever it is writable at all.
  private static let pipeByteCount = 4_096
  /// How long to wait for a reader before asking whether the query still runs, in milliseconds.
  private static let readerWait: Int32 = 50

  private let descriptor: Int32
  /// Whether somebody at the other end decides when bytes are taken.
  private let isPipe: Bool
  /// What waits to be written; renderers append to it.
  var bytes: [UInt8] = []

  init(descriptor: Int32) {
    self.descriptor = descriptor
    var status = stat()
    isPipe =
      fstat(descriptor, &status) == 0 && [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
    bytes.reserveCapacity(Self.flushThreshold + (Self.flushThreshold >> 2))
  }

  static func standardOutput() -> OutputBuffer { OutputBuffer(descriptor: STDOUT_FILENO) }

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  mutating func append(_ text: StaticString) {
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Writes what waits if it is much; call it after each row.
  mutating func flushIfLarge() throws {
    if bytes.count >= Self.flushThreshold { try flush() }
  }

  /// Writes everything that waits. A closed pipe ends the process by its signal, silently.
  ///
  /// - Throws: `CommandFailure` when the descriptor does not take the bytes, `Stopped` when the query that writes
  ///   them is to end while it waits for a reader.
  mutating func flush() throws {
    defer { bytes.removeAll(keepingCapacity: true) }
    try write { descriptor in
      while Self.isWritable(descriptor, wait: Self.readerWait) == false { try StopPoint.check() }
      return true
    }
  }

  /// Writes what is taken without waiting and forgets the rest.
  mutating func flushWithoutWaiting() throws {
    defer { bytes.removeAll(keepingCapacity: true) }
    try write { Self.isWritable($0, wait: 0) }
  }

  /// - Parameter mayWrite: asked before each write to a pipe.
  private func write(_ mayWrite: (Int32) throws -> Bool) throws {
    try bytes.withUnsafeBytes { buffer in
      var start = 0
      while start < buffer.count {
        guard try !isPipe || mayWrite(descriptor) else { return }
        let rest = buffer.count - start
        let count = isPipe ? min(rest, Self.pipeByteCount) : rest
        let written = Glibc.write(descriptor, buffer.baseAddress! + start, count)
        if written >= 0 {
          start += written
        } else if errno == EAGAIN {
          _ = Self.isWritable(descriptor, wait: -1)
        } else if errno != EINTR {
          throw CommandFailure("cannot write the output: \(String(cString: strerror(errno)))")
        }
      }
    }
  }

  /// Waits until bytes are taken, or a number of milliseconds; a descriptor that somebody else made
  /// non-blocking is waited for, not hammered.
  private static func isWritable(_ descriptor: Int32, wait: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&waiting, 1, wait) > 0
  }
}
