/// A strict JSON parser over bytes that nobody has checked; every read is bounded.
struct JSONParser {
  let text: UnsafeBufferPointer<UInt8>
  var position = 0
  private var depth = 0

  init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

  /// The whole text as one value.
  mutating func document() -> Value? {
    skipBlanks()
    guard let value = value() else { return nil }
    skipBlanks()
    return position == text.count ? value : nil
  }

  /// The next byte, 0 at the end (which no rule of JSON accepts).
  var next: UInt8 { position < text.count ? text[position] : 0 }

  mutating func skipBlanks() {
    while position < text.count {
      let byte = text[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func value() -> Value? {
    switch next {
    case UInt8(ascii: "{"): nested { $0.object() }
    case UInt8(ascii: "["): nested { $0.array() }
    case UInt8(ascii: "\""): string().map { .string($0) }
    case UInt8(ascii: "t"): word("true") ? .jsonBoolean(true) : nil
    case UInt8(ascii: "f"): word("false") ? .jsonBoolean(false) : nil
    case UInt8(ascii: "n"): word("null") ? .missing : nil
    default: number()
    }
  }

  private mutating func nested(_ body: (inout JSONParser) -> Value?) -> Value? {
    guard open() else { return nil }
    defer { close() }
    return body(&self)
  }

  /// Moves past an opening bracket, unless that is one too deep: parsers of JSON recurse.
  mutating func open() -> Bool {
    guard depth < JSONValue.depthLimit else { return false }
    depth += 1
    position += 1
    return true
  }

  /// Leaves the structure that the last ``open()`` entered.
  mutating func close() { depth -= 1 }

  private mutating func object() -> Value? {
    var map = ValueMap()
    skipBlanks()
    if accept("}") { return .map(map) }
    while true {
      guard let key = string() else { return nil }
      skipBlanks()
      guard accept(":") else { return nil }
      skipBlanks()
      guard let value = value() else { return nil }
      map.keys.append(key)
      map.values.append(value)
      skipBlanks()
      if accept("}") { return .map(map) }
      guard accept(",") else { return nil }
      skipBlanks()
    }
  }

  private mutating func array() -> Value? {
    var elements: [Value] = []
    skipBlanks()
    if accept("]") { return .list(elements) }
    while true {
      guard let value = value() else { return nil }
      elements.append(value)
      skipBlanks()
      if accept("]") { return .list(elements) }
      guard accept(",") else { return nil }
      skipBlanks()
    }
  }

  mutating func word(_ word: StaticString) -> Bool {
    guard text.count - position >= word.utf8CodeUnitCount else { return false }
    for i in 0..<word.utf8CodeUnitCount where text[position + i] != word.utf8Start[i] {
      return false
    }
    position += word.utf8CodeUnitCount
    return true
  }

  // MARK: Numbers

  private mutating func number() -> Value? {
    let start = position
    guard skipNumber() else { return nil }
    return NumberLexeme.value(of: UnsafeBufferPointer(rebasing: text[start..<position]))
  }

  /// Moves past a number; false when there is none.
  mutating func skipNumber() -> Bool {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let first = next
    guard skipDigits(), first != UInt8(ascii: "0") || !hasSecondDigit(start) else { return false }
    if accept(".") {
      guard skipDigits() else { return false }
    }
    if next | 0x20 == UInt8(ascii: "e") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      guard skipDigits() else { return false }
    }
    return true
  }

  /// Whether the digits read since `start`, a sign aside, are more than one.
  private func hasSecondDigit(_ start: Int) -> Bool {
    position - start > (text[start] == UInt8(ascii: "-") ? 2 : 1)
  }

  /// Moves past digits; false when there is none.
  private mutating func skipDigits() -> Bool {
    let start = position
    while next &- 0x30 < 10 { position += 1 }
    return position > start
  }

  // MARK: Strings

  mutating func string() -> String? {
    guard accept("\"") else { return nil }
    let start = position
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return String(
          decoding: UnsafeBufferPointer(rebasing: text[start..<position - 1]), as: UTF8.self)
      }
      if byte == UInt8(ascii: "\\") { return escapedString(from: start) }
      if byte < 0x20 { return nil }
      position += 1
    }
    return nil
  }

  /// Moves past a string without making it; whether it is ASCII without escapes, or `nil` when it is
  /// not valid.
  mutating func skipString() -> Bool? {
    guard accept("\"") else { return nil }
    var union: UInt8 = 0
    var hasEscapes = false
    while position < text.count {
      let byte = text[position]
      position += 1
      union |= byte
      if byte == UInt8(ascii: "\"") { return union < 0x80 && !hasEscapes }
      if byte < 0x20 { return nil }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        guard skipEscape() else { return nil }
      }
    }
    return nil
  }

  private mutating func skipEscape() -> Bool {
    switch next {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      guard hexQuad(at: position + 1) != nil else { return false }
      position += 5
    default: return false
    }
    return true
  }

  /// The rest of a string from its first backslash on.
  private mutating func escapedString(from start: Int) -> String? {
    var bytes = Array(UnsafeBufferPointer(rebasing: text[start..<position]))
    while position < text.count {
      let byte = text[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"): guard escape(to: &bytes) else { return nil }
      case 0..<0x20: return nil
      default: bytes.append(byte)
      }
    }
    return nil
  }

  /// What stands behind a backslash.
  private mutating func escape(to bytes: inout [UInt8]) -> Bool {
    let letter = next
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"): return unicodeEscape(to: &bytes)
    default: return false
    }
    return true
  }

  /// Four digits, and for the first half of a pair the escape that follows.
  private mutating func unicodeEscape(to bytes: inout [UInt8]) -> Bool {
    guard var code = hexQuad(at: position) else { return false }
    position += 4
    if code & 0xFC00 == 0xD800, text.count - position >= 6, text[position] == UInt8(ascii: "\\"),
      text[position + 1] == UInt8(ascii: "u"), let low = hexQuad(at: position + 2),
      low & 0xFC00 == 0xDC00
    {
      code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
      position += 6
    }
    let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
    bytes.append(contentsOf: String(Character(scalar)).utf8)
    return true
  }

  private func hexQuad(at start: Int) -> UInt32? {
    guard start + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for i in start..<start + 4 {
      let byte = text[i]
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
      default: return nil
      }
    }
    return value
  }
}
