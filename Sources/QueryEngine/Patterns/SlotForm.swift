import LogStorage

// What a value in a slot of a record looks like, and what two such forms have in common. Joining is
// commutative, associative and idempotent: neither order nor parts can show in the result.
//
//     10.0.0.1  ▯IP        joined: ▯IP            35        ▯Number    joined: ▯ID
//     10.0.0.9  ▯IP                               e01e3a0c  ▯ID
//     info      info       joined: ▯Token
//     warn      warn

/// The forms of values in slots.
enum SlotForm {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  static let token = mark(.token)
  private static let number = mark(.number)
  private static let identifier = mark(.id)
  private static let uuid = mark(.uuid)
  /// Longer values are no more than a token: they differ, and would be most of a pattern.
  static let mostBytes = 200

  private static func mark(_ type: TokenType) -> [UInt8] {
    [TemplateTokenizer.mark, type.rawValue]
  }

  /// The form of a value. A string of hexadecimal digits and nothing else is an identifier, even if none of them is a
  /// digit, or all: in the text of a sentence that could be a word, or a number.
  static func form(
    of value: Bytes, _ kind: SlotKind, _ tokenizer: inout TemplateTokenizer
  ) -> [UInt8] {
    guard value.count <= mostBytes else { return token }
    if kind == .string, value.count >= 8 {
      if value.allSatisfy(TemplateTokenizer.isHexDigit) { return identifier }
      if value.count == 36, TemplateTokenizer.isUUID(value, 0) { return uuid }
    }
    tokenizer.tokenize(value)
    return tokenizer.withTemplate { Array($0) }
  }

  static func join(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
    if a == b { return a }
    let areNumbers = (a == number || a == identifier) && (b == number || b == identifier)
    return areNumbers ? identifier : token
  }

  /// Whether a value is a word that tells how bad a record is.
  static func marks(of value: Bytes, _ kind: SlotKind) -> SeverityMarks {
    guard kind == .string, value.count >= 4, value.count <= 16,
      value.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 })
    else { return [] }
    return SeverityMarks(of: value)
  }
}

/// The words of a text that tell how bad it is.
struct SeverityMarks: OptionSet, Hashable, Sendable {
  let rawValue: UInt8

  static let fatal = SeverityMarks(rawValue: 1)
  static let debug = SeverityMarks(rawValue: 2)
  static let error = SeverityMarks(rawValue: 4)
  static let warn = SeverityMarks(rawValue: 8)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// What a text holds, whatever its case: `fatal` and `debug` count as whole words only.
  init(of text: some Sequence<UInt8>) {
    let folded = text.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
    var marks: SeverityMarks = []
    for start in folded.indices {
      switch folded[start] {
      case UInt8(ascii: "f") where Self.has(folded, start, "fatal", isWhole: true):
        marks.insert(.fatal)
      case UInt8(ascii: "d") where Self.has(folded, start, "debug", isWhole: true):
        marks.insert(.debug)
      case UInt8(ascii: "e") where Self.has(folded, start, "error", isWhole: false):
        marks.insert(.error)
      case UInt8(ascii: "w") where Self.has(folded, start, "warn", isWhole: false):
        marks.insert(.warn)
      default: break
      }
    }
    self = marks
  }

  private static func has(
    _ text: [UInt8], _ start: Int, _ word: StaticString, isWhole: Bool
  ) -> Bool {
    let end = start + word.utf8CodeUnitCount
    guard end <= text.count else { return false }
    for index in start..<end where text[index] != word.utf8Start[index - start] { return false }
    guard isWhole else { return true }
    return (start == 0 || !isWordByte(text[start - 1]))
      && (end == text.count || !isWordByte(text[end]))
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5F || byte >= 128
  }

  var severity: PatternSeverity {
    if contains(.fatal) { return .fatal }
    if contains(.debug) { return .debug }
    if contains(.error) { return .error }
    return contains(.warn) ? .warn : .info
  }
}
