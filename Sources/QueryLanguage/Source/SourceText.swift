/// The text of one query as UTF-8 bytes, with the places of its lines.
///
/// Ranges everywhere in this module are byte offsets into it. Lines and columns, which only people
/// need, are worked out on demand.
package struct SourceText: Sendable {
  /// The text as given.
  package let string: String
  /// The same text as bytes.
  package let bytes: [UInt8]
  /// The offset of the first byte of each line; the first entry is 0.
  package let lineStarts: [Int]

  package init(_ string: String) {
    self.string = string
    bytes = Array(string.utf8)
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      starts.append(offset + 1)
    }
    lineStarts = starts
  }

  /// The text of `range`; a cut through a character is repaired with U+FFFD.
  package subscript(range: SourceRange) -> String {
    String(decoding: bytes[clamped(range)], as: UTF8.self)
  }

  /// The whole text as a range.
  package var range: SourceRange { SourceRange(0, bytes.count) }

  /// The number of lines; a text without line feed has one.
  package var lineCount: Int { lineStarts.count }

  /// The index, from 0, of the line that holds `offset`.
  ///
  /// - Complexity: O(log lines).
  package func lineIndex(of offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// The bytes of a line, counted from 0, without its line end (`\n` or `\r\n`).
  package func lineRange(_ index: Int) -> SourceRange {
    let start = lineStarts[index]
    var end = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return SourceRange(start, end)
  }

  /// Line and column of a byte, both from 1; columns count Unicode scalars.
  package func location(of offset: Int) -> SourceLocation {
    let line = lineIndex(of: offset)
    let scalars = scalarCount(SourceRange(lineStarts[line], max(lineStarts[line], offset)))
    return SourceLocation(line: line + 1, column: scalars + 1)
  }

  /// The offset in Unicode scalars, from 0, of a byte: what the CloudWatch API reports.
  package func scalarOffset(of offset: Int) -> Int {
    scalarCount(SourceRange(0, max(0, offset)))
  }

  private func scalarCount(_ range: SourceRange) -> Int {
    bytes[clamped(range)].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
  }

  private func clamped(_ range: SourceRange) -> Range<Int> {
    let start = min(range.start, bytes.count)
    return start..<min(max(range.end, start), bytes.count)
  }
}

/// A place in a text as people name it; both numbers count from 1.
package struct SourceLocation: Hashable, Sendable {
  package var line: Int
  /// The column, in Unicode scalars.
  package var column: Int
}
