import Glibc

/// Reads query texts from files.
enum QueryText {
  /// The text of a file, or of standard input for `-`.
  ///
  /// - Throws: `CommandFailure` when it cannot be read.
  static func read(_ path: String) throws -> String {
    String(decoding: try bytes(of: path, what: "the query"), as: UTF8.self)
  }

  /// The bytes of a file, or of standard input for `-`.
  ///
  /// - Parameters:
  ///   - what: what the file holds, for messages.
  ///   - limit: after so many bytes no more are read; the caller refuses what is longer.
  /// - Throws: `CommandFailure` when it cannot be read.
  static func bytes(of path: String, what: String, limit: Int = .max) throws -> [UInt8] {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CommandFailure(
        "cannot read \(what) from '\(path)': \(String(cString: strerror(errno)))")
    }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 || bytes.count > limit { return bytes }
      if count > 0 {
        bytes.append(contentsOf: buffer[..<count])
      } else if errno != EINTR {
        throw CommandFailure(
          "cannot read \(what) from '\(path)': \(String(cString: strerror(errno)))")
      }
    }
  }
}
