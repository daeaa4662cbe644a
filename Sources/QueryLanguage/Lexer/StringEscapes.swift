/// Resolves and writes the escapes of string literals.
///
/// Known are `\\ \" \' \n \t \r \/ \uXXXX`, where a pair of `\u` may form one character. A
/// backslash before anything else stays: the `"\d+"` of a pattern needs no doubled backslash.
enum StringEscapes {
  /// The text that the inside of a literal stands for.
  static func resolve(_ inside: some Collection<UInt8>) -> String {
    let bytes = Array(inside)
    guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
    var text: [UInt8] = []
    var position = 0
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count,
        let (replacement, length) = escape(bytes, position)
      {
        text.append(contentsOf: replacement)
        position += length
      } else {
        text.append(bytes[position])
        position += 1
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func escape(_ bytes: [UInt8], _ start: Int) -> ([UInt8], Int)? {
    let next = bytes[start + 1]
    switch next {
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "/"):
      return ([next], 2)
    case UInt8(ascii: "n"): return ([0x0A], 2)
    case UInt8(ascii: "t"): return ([0x09], 2)
    case UInt8(ascii: "r"): return ([0x0D], 2)
    case UInt8(ascii: "u"): return unicodeEscape(bytes, start)
    default: return nil
    }
  }

  private static func unicodeEscape(_ bytes: [UInt8], _ start: Int) -> ([UInt8], Int)? {
    guard let first = codeUnit(bytes, start) else { return nil }
    if let scalar = Unicode.Scalar(first) { return (Array(String(scalar).utf8), 6) }
    // Half of a surrogate pair: a character only together with its other half.
    guard UTF16.isLeadSurrogate(first), let second = codeUnit(bytes, start + 6),
      UTF16.isTrailSurrogate(second)
    else { return nil }
    return (Array(String(decoding: [first, second], as: UTF16.self).utf8), 12)
  }

  private static func codeUnit(_ bytes: [UInt8], _ start: Int) -> UInt16? {
    guard start + 6 <= bytes.count, bytes[start] == UInt8(ascii: "\\"),
      bytes[start + 1] == UInt8(ascii: "u")
    else { return nil }
    let digits = bytes[start + 2..<start + 6]
    let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    return isHex ? UInt16(String(decoding: digits, as: UTF8.self), radix: 16) : nil
  }

  /// A literal in double quotes that resolves to `text`.
  static func quoted(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": literal += "\\\\"
      case "\"": literal += "\\\""
      case "\n": literal += "\\n"
      case "\t": literal += "\\t"
      case "\r": literal += "\\r"
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }
}
