import Glibc

/// Reads query texts from files.
enum QueryText {
  /// The text of a file, or of standard input for `-`.
  ///
  /// - Throws: `CommandFailure` when it cannot be read.
  static func read(_ path: String) throws -> String {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CommandFailure(
        "cannot read the query from '\(path)': \(String(cString: strerror(errno)))")
    }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      if count > 0 {
        bytes.append(contentsOf: buffer[..<count])
      } else if errno != EINTR {
        throw CommandFailure(
          "cannot read the query from '\(path)': \(String(cString: strerror(errno)))")
      }
    }
  }
}
