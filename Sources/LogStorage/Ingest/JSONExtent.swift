/// Finds where a JSON value ends, without judging whether it is valid.
///
/// Strings and brackets are followed, nothing else: enough to cut a stream of objects into records, which the
/// scanner then judges.
enum JSONExtent {
  /// The position after the value that starts at `start`, or `nil` when it is not complete.
  ///
  /// - Complexity: O(bytes of the value)
  static func end(of bytes: UnsafePointer<UInt8>, from start: Int, limit: Int) -> Int? {
    var i = start
    guard i < limit else { return nil }
    switch bytes[i] {
    case UInt8(ascii: "{"), UInt8(ascii: "["): break
    case UInt8(ascii: "\""): return stringEnd(bytes, from: i, limit: limit)
    default:
      while i < limit, !isDelimiter(bytes[i]) { i += 1 }
      return i < limit ? i : nil
    }
    var depth = 0
    while i < limit {
      switch bytes[i] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return i + 1 }
      case UInt8(ascii: "\""):
        guard let end = stringEnd(bytes, from: i, limit: limit) else { return nil }
        i = end
        continue
      default: break
      }
      i += 1
    }
    return nil
  }

  /// The position after the string whose opening quote is at `start`.
  static func stringEnd(_ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int) -> Int? {
    var i = start + 1
    while i < limit {
      if bytes[i] == UInt8(ascii: "\"") { return i + 1 }
      i += bytes[i] == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
  }

  static func skipBlanks(_ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int) -> Int {
    var i = start
    while i < limit, isBlank(bytes[i]) { i += 1 }
    return i
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  private static func isDelimiter(_ byte: UInt8) -> Bool {
    isBlank(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]")
      || byte == UInt8(ascii: "}") || byte == UInt8(ascii: ":")
  }

  /// Calls `body` with the key and value ranges of each member of the object at `start`, keys without quotes,
  /// until it returns false or the object ends or is cut off.
  static func members(
    _ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int,
    _ body: (_ key: Range<Int>, _ valueStart: Int, _ valueEnd: Int?) -> Bool
  ) {
    var i = skipBlanks(bytes, from: start + 1, limit: limit)
    while i < limit, bytes[i] == UInt8(ascii: "\"") {
      guard let keyEnd = stringEnd(bytes, from: i, limit: limit) else { return }
      let key = i + 1..<keyEnd - 1
      i = skipBlanks(bytes, from: keyEnd, limit: limit)
      guard i < limit, bytes[i] == UInt8(ascii: ":") else { return }
      let value = skipBlanks(bytes, from: i + 1, limit: limit)
      let valueEnd = end(of: bytes, from: value, limit: limit)
      guard body(key, value, valueEnd), let valueEnd else { return }
      i = skipBlanks(bytes, from: valueEnd, limit: limit)
      guard i < limit, bytes[i] == UInt8(ascii: ",") else { return }
      i = skipBlanks(bytes, from: i + 1, limit: limit)
    }
  }
}
