/// JSON numbers, as events write them, to values.
package enum NumberLexeme {
  /// The value of a number's text: `.integer` when the text is the canonical form of an Int64, else
  /// a `.sourceNumber` that keeps it. What no double can hold, and what is no number, stays a text.
  ///
  /// - Complexity: O(bytes)
  package static func value(of lexeme: UnsafeRawBufferPointer) -> Value {
    lexeme.withMemoryRebound(to: UInt8.self) { value(of: $0) }
  }

  /// As above, for bytes of a buffer that is bound already.
  package static func value(of lexeme: UnsafeBufferPointer<UInt8>) -> Value {
    guard let number = NumberText.numberWithoutBlanks(lexeme) else {
      return .string(String(decoding: lexeme, as: UTF8.self))
    }
    switch number {
    case .integer(let whole):
      if isCanonical(lexeme) { return .integer(whole) }
      return source(lexeme, Double(whole))
    case .double(let double):
      guard double.isFinite else { return .string(String(decoding: lexeme, as: UTF8.self)) }
      return source(lexeme, double)
    }
  }

  private static func source(_ lexeme: UnsafeBufferPointer<UInt8>, _ value: Double) -> Value {
    .sourceNumber(SourceNumber(value: value, text: String(decoding: lexeme, as: UTF8.self)))
  }

  /// Whether a text of digits with an optional sign is how its number prints: no `+`, no leading zero, no
  /// `-0`.
  private static func isCanonical(_ lexeme: UnsafeBufferPointer<UInt8>) -> Bool {
    switch lexeme[0] {
    case UInt8(ascii: "+"): false
    case UInt8(ascii: "0"): lexeme.count == 1
    case UInt8(ascii: "-"): lexeme[1] != UInt8(ascii: "0")
    default: true
    }
  }
}
