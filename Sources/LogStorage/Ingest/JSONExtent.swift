/// Finds where a JSON value ends, without judging whether it is valid.
///
/// Strings and brackets are followed, nothing else: enough to cut a stream of objects into records, which the
/// scanner then judges.
enum JSONExtent {
  /// What a look for the end of a value finds.
  enum Extent: Equatable {
    /// The position after the value.
    case end(Int)
    /// The bytes end before the value does.
    case incomplete
    /// A newline within a string: no JSON value can go on there.
    case broken
  }

  /// Where the value that starts at `start` ends.
  ///
  /// - Complexity: O(bytes of the value)
  static func extent(
    of bytes: UnsafePointer<UInt8>, from start: Int, limit: Int
  ) -> Extent {
    var i = start
    guard i < limit else { return .incomplete }
    switch bytes[i] {
    case UInt8(ascii: "{"), UInt8(ascii: "["): break
    case UInt8(ascii: "\""): return stringExtent(bytes, from: i, limit: limit)
    default:
      while i < limit, !isDelimiter(bytes[i]) { i += 1 }
      return i < limit ? .end(i) : .incomplete
    }
    var depth = 0
    while i < limit {
      switch bytes[i] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return .end(i + 1) }
      case UInt8(ascii: "\""):
        let string = stringExtent(bytes, from: i, limit: limit)
        guard case .end(let end) = string else { return string }
        i = end
        continue
      default: break
      }
      i += 1
    }
    return .incomplete
  }

  /// The position after the value that starts at `start`, or `nil` when it is not complete or broken.
  static func end(of bytes: UnsafePointer<UInt8>, from start: Int, limit: Int) -> Int? {
    if case .end(let end) = extent(of: bytes, from: start, limit: limit) { end } else { nil }
  }

  /// The position after the string whose opening quote is at `start`, or `nil`.
  static func stringEnd(_ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int) -> Int? {
    if case .end(let end) = stringExtent(bytes, from: start, limit: limit) { end } else { nil }
  }

  private static func stringExtent(
    _ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int
  ) -> Extent {
    var i = start + 1
    while i < limit {
      switch bytes[i] {
      case UInt8(ascii: "\""): return .end(i + 1)
      case UInt8(ascii: "\\"): i += 2
      case 0x0A: return .broken
      default: i += 1
      }
    }
    return .incomplete
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
