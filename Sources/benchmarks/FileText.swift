import Glibc

/// Reads and writes whole files.
enum FileText {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// - Throws: `Failure`.
  static func read(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "r") else { throw failure("cannot read", path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      bytes.append(contentsOf: chunk[..<count])
      if count < chunk.count {
        if ferror(file) != 0 { throw failure("cannot read", path) }
        return bytes
      }
    }
  }

  /// - Throws: `Failure`.
  static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw failure("cannot write", path) }
    var text = text
    let count = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) }
    guard fclose(file) == 0, count == text.utf8.count else { throw failure("cannot write", path) }
  }

  private static func failure(_ what: String, _ path: String) -> Failure {
    Failure(description: "\(what) \(path): \(String(cString: strerror(errno)))")
  }
}
