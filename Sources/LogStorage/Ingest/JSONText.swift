/// The words of JSON (RFC 8259), read strictly from raw bytes: where a string, a number or a literal
/// ends, and what an escaped string means.
///
/// All functions read up to 16 bytes past `end` (the padding of a `RecordBlock`), never report a
/// position past it, and never trap. Bytes of 0x80 and above pass: invalid UTF-8 is kept as it is.
enum JSONText {
  typealias Position = UnsafePointer<UInt8>

  /// The position of the quote that closes a string whose inside starts at `start`; `nil` when the
  /// string is not valid JSON or does not end before `end`.
  @inline(__always)
  static func endOfString(_ start: Position, _ end: Position) -> Position? {
    var cursor = start
    while true {
      let hits = specialBytes(load64(cursor))
      if hits == 0 {
        cursor += 8
        if cursor >= end { return nil }
        continue
      }
      cursor += hits.trailingZeroBitCount &>> 3
      if cursor >= end { return nil }
      let byte = cursor.pointee
      if byte == 0x22 { return cursor }
      guard byte == 0x5C, let next = endOfEscape(cursor, end) else { return nil }
      cursor = next
    }
  }

  /// The position after the escape sequence whose backslash is at `start`.
  @inline(never)
  static func endOfEscape(_ start: Position, _ end: Position) -> Position? {
    switch start[1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
      return start + 2 <= end ? start + 2 : nil
    case 0x75:
      guard start + 6 <= end, hexWord(start + 2) != nil else { return nil }
      return start + 6
    default:
      return nil
    }
  }

  /// The position after the number at `start`; it may lie past the end of the record when the
  /// record ends within digits, so the caller checks what follows.
  @inline(__always)
  static func endOfNumber(_ start: Position) -> Position? {
    var cursor = start
    if cursor.pointee == 0x2D { cursor += 1 }
    let first = cursor.pointee &- 0x30
    guard first <= 9 else { return nil }
    cursor += 1
    if first != 0 { cursor = skipDigits(cursor) }
    if cursor.pointee == 0x2E {
      guard isDigit(cursor[1]) else { return nil }
      cursor = skipDigits(cursor + 2)
    }
    if cursor.pointee | 0x20 == 0x65 {
      cursor += 1
      if cursor.pointee == 0x2B || cursor.pointee == 0x2D { cursor += 1 }
      guard isDigit(cursor.pointee) else { return nil }
      cursor = skipDigits(cursor + 1)
    }
    return cursor
  }

  /// The position after `true`, `false` or `null` at `start`.
  @inline(__always)
  static func endOfLiteral(_ start: Position) -> Position? {
    let word = UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
    if word == 0x6575_7274 || word == 0x6C6C_756E { return start + 4 }  // "true", "null"
    return word == 0x736C_6166 && start[4] == 0x65 ? start + 5 : nil  // "false"
  }

  /// The position of the first byte at or after `start` that is no JSON whitespace.
  @inline(__always)
  static func skipBlanks(_ start: Position, _ end: Position) -> Position {
    var cursor = start
    while cursor < end, isBlank(cursor.pointee) { cursor += 1 }
    return cursor
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }

  @inline(__always)
  static func load64(_ position: Position) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(position).loadUnaligned(as: UInt64.self))
  }

  @inline(__always)
  private static func skipDigits(_ start: Position) -> Position {
    var cursor = start
    while isDigit(cursor.pointee) { cursor += 1 }
    return cursor
  }

  /// Has the high bit of the lowest byte that is a quote, a backslash or a control character set;
  /// bits above that one mean nothing.
  @inline(__always)
  private static func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ 0x2222_2222_2222_2222
    let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
    let found =
      ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
      | ((word &- 0x2020_2020_2020_2020) & ~word)
    return found & 0x8080_8080_8080_8080
  }

  // MARK: - Escapes

  /// Writes what the inside of a valid JSON string means, as UTF-8; surrogates without a partner
  /// become U+FFFD. Source and target may start at the same place: the result is never longer.
  ///
  /// - Returns: The number of bytes written.
  static func unescape(
    _ source: UnsafeBufferPointer<UInt8>, into target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var read = 0
    var written = 0
    while read < source.count {
      let byte = source[read]
      guard byte == 0x5C, read + 1 < source.count else {
        target[written] = byte
        (read, written) = (read + 1, written + 1)
        continue
      }
      if source[read + 1] == 0x75 {
        let (scalar, length) = unicodeEscape(source, at: read)
        for unit in UTF8.encode(scalar)! {
          target[written] = unit
          written += 1
        }
        read += length
      } else {
        target[written] = simpleEscape(source[read + 1])
        (read, written) = (read + 2, written + 1)
      }
    }
    return written
  }

  /// What the inside of a valid JSON string means; invalid UTF-8 is repaired.
  static func decoded(_ source: UnsafeBufferPointer<UInt8>) -> String {
    guard source.contains(0x5C) else { return String(decoding: source, as: UTF8.self) }
    let bytes = [UInt8](unsafeUninitializedCapacity: source.count) { buffer, count in
      count = unescape(source, into: buffer.baseAddress!)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func simpleEscape(_ letter: UInt8) -> UInt8 {
    switch letter {
    case 0x62: 0x08
    case 0x66: 0x0C
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    default: letter
    }
  }

  /// The scalar of `\uXXXX` or of a surrogate pair at `index`, and the bytes it takes.
  private static func unicodeEscape(
    _ source: UnsafeBufferPointer<UInt8>, at index: Int
  ) -> (scalar: Unicode.Scalar, length: Int) {
    let base = source.baseAddress! + index
    guard index + 6 <= source.count, let high = hexWord(base + 2) else {
      return ("\u{FFFD}", min(6, source.count - index))
    }
    if let scalar = Unicode.Scalar(high) { return (scalar, 6) }
    guard high < 0xDC00, index + 12 <= source.count, base[6] == 0x5C, base[7] == 0x75,
      let low = hexWord(base + 8), low >= 0xDC00, low < 0xE000,
      let scalar = Unicode.Scalar(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    else { return ("\u{FFFD}", 6) }
    return (scalar, 12)
  }

  /// The number of four hexadecimal digits.
  private static func hexWord(_ start: Position) -> UInt32? {
    var value: UInt32 = 0
    for index in 0..<4 {
      let byte = start[index]
      let digit: UInt8
      if isDigit(byte) {
        digit = byte &- 0x30
      } else {
        let letter = (byte | 0x20) &- 0x61
        guard letter <= 5 else { return nil }
        digit = letter &+ 10
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
