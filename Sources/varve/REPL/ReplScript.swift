import Glibc
import QueryEngine
import QueryLanguage

/// Reads queries from something that is no terminal: each ends with `;` at the end of a line.
struct ReplScript {
  private var buffer: [UInt8] = []
  /// Where the unread part of `buffer` starts.
  private var start = 0
  private var isAtEnd = false

  /// The next query without its `;`, or `nil` at the end of the input. A last query may do without.
  ///
  /// A `;` inside a line belongs to the query. Blank space and empty queries are skipped.
  mutating func next() throws -> String? {
    var lines: [UInt8] = []
    while let line = try nextLine() {
      lines += line
      guard let end = lines.lastIndex(where: { !Self.isBlank($0) }) else { continue }
      if lines[end] == UInt8(ascii: ";") {
        if let query = Self.trimmed(lines[..<end]) { return query }
        lines = []
      }
    }
    return Self.trimmed(lines[...])
  }

  /// The next line with its line end.
  private mutating func nextLine() throws -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return buffer[start...end]
      }
      if isAtEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return buffer[start...]
      }
      searched = buffer.count - start
      buffer.removeFirst(start)
      start = 0
      try fill()
    }
  }

  private mutating func fill() throws {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(STDIN_FILENO, &chunk, chunk.count)
    if count > 0 {
      buffer.append(contentsOf: chunk[..<count])
    } else if count == 0 {
      isAtEnd = true
    } else if errno != EINTR {
      throw CommandFailure("cannot read standard input: \(String(cString: strerror(errno)))")
    }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String? {
    guard let first = bytes.firstIndex(where: { !isBlank($0) }),
      let last = bytes.lastIndex(where: { !isBlank($0) })
    else { return nil }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }
}

extension QueryError {
  /// The same, and where a line begins with what does not go on with the line above, a word on how
  /// queries end.
  var hintingAtEndsOfQueries: QueryError {
    var diagnostics = diagnostics
    let first = diagnostics.firstIndex { diagnostic in
      let start = diagnostic.range.start
      let line = text.lineIndex(of: start)
      let isBehindOthers = text.bytes[text.lineStarts[line]..<start].contains { $0 > 0x20 }
      return diagnostic.id.code == "E117" && line > 0 && !isBehindOthers
    }
    guard let first else { return self }
    diagnostics[first].notes.insert(
      DiagnosticNote("queries end with ';' at the end of a line, if this is meant to be another"),
      at: 0)
    return QueryError(text: text, diagnostics: diagnostics)
  }
}
