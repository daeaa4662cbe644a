// A table as text, in the form of RFC 4180:
//
//     id,name                 a header, which names the columns
//     1,"Smith, Ann"          quotes around a cell that holds commas, line ends or quotes
//     2,"the ""big"" one"     two quotes inside stand for one
//
// What does not have this form is refused with its line, since a table read wrongly would give wrong
// answers for as long as it is used.

/// Why a text is no table.
package struct LookupTableError: Error, Sendable, CustomStringConvertible {
  /// Where (a line, if it is about one) and what, in one line.
  package let description: String

  init(_ description: String) { self.description = description }

  init(line: Int, _ what: String) { description = "line \(line): \(what)" }
}

/// Takes a text apart, a record at a time.
struct TableReader {
  private let bytes: [UInt8]
  private var position: Int
  /// The line of the next byte, from 1.
  private(set) var line = 1
  /// The line on which the last record began.
  private(set) var recordLine = 1

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// The cells of the next record; `nil` at the end. Lines with nothing on them are passed over.
  mutating func next() throws(LookupTableError) -> [String]? {
    while skipLineEnd() {}
    guard position < bytes.count else { return nil }
    recordLine = line
    var cells = [try cell()]
    while position < bytes.count, bytes[position] == UInt8(ascii: ",") {
      position += 1
      cells.append(try cell())
    }
    if position < bytes.count, !skipLineEnd() {
      throw LookupTableError(line: line, "something stands between a closing quote and the comma")
    }
    return cells
  }

  private mutating func skipLineEnd() -> Bool {
    guard position < bytes.count else { return false }
    var end = position
    if bytes[end] == UInt8(ascii: "\r") { end += 1 }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "\n") else { return false }
    position = end + 1
    line += 1
    return true
  }

  private mutating func cell() throws(LookupTableError) -> String {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
      return try plainCell()
    }
    let start = line
    var content: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        guard position < bytes.count, bytes[position] == byte else {
          return try text(content[...], line: start)
        }
        position += 1
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      content.append(byte)
    }
    throw LookupTableError(line: start, "the quote that opens here is never closed")
  }

  private mutating func plainCell() throws(LookupTableError) -> String {
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") { break }
      if byte == UInt8(ascii: "\"") {
        throw LookupTableError(line: line, "a quote inside a cell that does not begin with one")
      }
      if byte == UInt8(ascii: "\r") {
        guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n") else {
          throw LookupTableError(line: line, "a carriage return without a line feed")
        }
        break
      }
      position += 1
    }
    return try text(bytes[start..<position], line: line)
  }

  private func text(_ bytes: ArraySlice<UInt8>, line: Int) throws(LookupTableError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LookupTableError(line: line, "not UTF-8")
    }
    return text
  }
}
