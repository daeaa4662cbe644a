import Columnar

/// Reads `key=value key="a value" word` texts.
enum LogfmtReader {
  /// The pairs of a text as a map, or `nil` if there is none. A bare word among pairs has the text
  /// `true`; a token that is no key is skipped.
  static func map(_ text: ArraySlice<UInt8>) -> Value? {
    var rest = text
    var map = ValueMap()
    var hasPair = false
    while !rest.isEmpty {
      rest = rest.drop { $0 <= UInt8(ascii: " ") }
      let key = rest.prefix { $0 > UInt8(ascii: " ") && $0 != equals && $0 != quote }
      rest = rest[key.endIndex...]
      guard !key.isEmpty else {
        // No key: skip to the next blank.
        rest = rest.drop { $0 > UInt8(ascii: " ") }
        continue
      }
      map.keys.append(String(decoding: key, as: UTF8.self))
      if rest.first == equals {
        hasPair = true
        rest = rest.dropFirst()
        map.values.append(.string(value(&rest)))
      } else {
        map.values.append(.string("true"))
      }
    }
    return hasPair ? .map(map) : nil
  }

  private static let equals = UInt8(ascii: "=")
  private static let quote = UInt8(ascii: "\"")

  private static func value(_ rest: inout ArraySlice<UInt8>) -> String {
    guard rest.first == quote else {
      let text = rest.prefix { $0 > UInt8(ascii: " ") }
      rest = rest[text.endIndex...]
      return String(decoding: text, as: UTF8.self)
    }
    rest = rest.dropFirst()
    var bytes: [UInt8] = []
    while let byte = rest.popFirst(), byte != quote {
      if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
        bytes.append(unescaped(next))
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func unescaped(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "n"): UInt8(ascii: "\n")
    case UInt8(ascii: "t"): UInt8(ascii: "\t")
    case UInt8(ascii: "r"): UInt8(ascii: "\r")
    default: byte
    }
  }
}

/// Reads comma-separated values (RFC 4180).
enum CSVReader {
  /// The fields of the first record; blanks are kept, `""` inside quotes is a quote.
  static func firstRecord(_ text: [UInt8]) -> [String]? {
    var fields: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var rest = text[...]
    while let byte = rest.popFirst() {
      switch (byte, isQuoted) {
      case (UInt8(ascii: "\""), true):
        if rest.first == UInt8(ascii: "\"") {
          field.append(rest.removeFirst())
        } else {
          isQuoted = false
        }
      case (UInt8(ascii: "\""), false) where field.isEmpty: isQuoted = true
      case (UInt8(ascii: ","), false):
        fields.append(String(decoding: field, as: UTF8.self))
        field = []
      case (UInt8(ascii: "\n"), false): rest = []
      case (UInt8(ascii: "\r"), false) where rest.first == UInt8(ascii: "\n"): rest = []
      default: field.append(byte)
      }
    }
    return fields + [String(decoding: field, as: UTF8.self)]
  }
}
