import Glibc

/// Bytes on their way to a file descriptor: rows are put together in memory and written in large
/// pieces, never one `print` a row.
struct OutputBuffer {
  /// Once this much is waiting, `flushIfLarge` writes it.
  private static let flushThreshold = 1 << 16

  private let descriptor: Int32
  /// What waits to be written; renderers append to it.
  var bytes: [UInt8] = []

  init(descriptor: Int32) {
    self.descriptor = descriptor
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
  /// - Throws: `CommandFailure` when the descriptor does not take the bytes.
  mutating func flush() throws {
    defer { bytes.removeAll(keepingCapacity: true) }
    try Self.write(bytes, to: descriptor)
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    try bytes.withUnsafeBytes { buffer in
      var start = 0
      while start < buffer.count {
        let written = Glibc.write(descriptor, buffer.baseAddress! + start, buffer.count - start)
        if written >= 0 {
          start += written
        } else if errno == EAGAIN {
          waitUntilWritable(descriptor)
        } else if errno != EINTR {
          throw CommandFailure("cannot write the output: \(String(cString: strerror(errno)))")
        }
      }
    }
  }

  /// A descriptor that somebody else made non-blocking is waited for, not hammered.
  private static func waitUntilWritable(_ descriptor: Int32) {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = poll(&waiting, 1, -1)
  }
}
