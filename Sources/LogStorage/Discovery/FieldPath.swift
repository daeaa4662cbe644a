import Columnar

/// Finds a dotted path in the text of a JSON object.
enum FieldPath {
  /// The value at the path, maps and lists included; missing when there is none.
  ///
  /// - Complexity: O(bytes of the text)
  static func value(of field: String, inObject text: UnsafeRawBufferPointer) -> Value {
    JSONValue.parse(text)?.member(path: field) ?? .missing
  }
}

enum TextFields {
  static func value(of field: String, in text: UnsafeRawBufferPointer) -> Value { .missing }
}

enum NumberLexeme {
  static func value(of text: UnsafeRawBufferPointer) -> Value {
    if let base = text.bindMemory(to: UInt8.self).baseAddress,
      let value = DecimalText.integer(base, text.count)
    {
      return .integer(value)
    }
    let lexeme = String(decoding: text, as: UTF8.self)
    guard let value = Double(lexeme), value.isFinite else { return .string(lexeme) }
    return .sourceNumber(SourceNumber(value: value, text: lexeme))
  }
}
