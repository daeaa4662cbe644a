extension Value {
  /// The value as a number: booleans are 1 and 0, times their epoch ms, texts what they show in
  /// full; `nil` for everything else.
  package var number: Number? {
    switch self {
    case .integer(let number), .timestamp(let number): .integer(number)
    case .double(let number): .double(number)
    case .sourceNumber(let number): .double(number.value)
    case .boolean(let condition), .jsonBoolean(let condition): .integer(condition ? 1 : 0)
    case .string(let text): text.withUTF8Bytes { NumberText.number(of: $0) }
    case .missing, .list, .map: nil
    }
  }

  /// The value as a text: numbers unrounded, or as their event wrote them; computed conditions as
  /// `1` and `0`, those of events as `true` and `false`; `nil` for missing values and structures.
  package var text: String? {
    switch self {
    case .string(let text): text
    case .integer(let number): String(number)
    case .double(let number): NumberFormat.exactText(number)
    case .sourceNumber(let number): number.text
    case .boolean(let condition): condition ? "1" : "0"
    case .jsonBoolean(let condition): condition ? "true" : "false"
    case .timestamp(let time): Timestamp.text(time)
    case .missing, .list, .map: nil
    }
  }

  /// Whether a filter on the value keeps the row: true booleans, numbers other than zero, the text
  /// `true` in any case and texts of numbers other than zero.
  package var truth: Bool {
    switch self {
    case .boolean(let condition), .jsonBoolean(let condition): condition
    case .integer(let number): number != 0
    case .double(let number): number != 0
    case .sourceNumber(let number): number.value != 0
    case .string(let text):
      text.withUTF8Bytes { bytes in
        BooleanText.boolean(of: bytes)
          ?? NumberText.number(of: bytes).map { !$0.isZero } ?? false
      }
    case .missing, .timestamp, .list, .map: false
    }
  }

  /// Appends the value as results show it: computed numbers rounded, structures as compact JSON;
  /// nothing for a missing value.
  package func appendDisplay(to output: inout [UInt8]) {
    switch self {
    case .missing: break
    case .integer(let number): NumberFormat.append(number, to: &output)
    case .double(let number): NumberFormat.appendDisplay(number, to: &output)
    case .timestamp(let time): Timestamp.append(time, to: &output)
    case .string(let text): output.append(contentsOf: text.utf8)
    case .sourceNumber(let number): output.append(contentsOf: number.text.utf8)
    case .boolean(let condition): output.append(UInt8(ascii: condition ? "1" : "0"))
    case .jsonBoolean(let condition):
      output.append(contentsOf: condition ? "true".utf8 : "false".utf8)
    case .list, .map: JSONValue.append(self, to: &output)
    }
  }

  /// The value as results show it; `nil` when it is missing.
  package var displayText: String? {
    if isMissing { return nil }
    if case .string(let text) = self { return text }
    var bytes: [UInt8] = []
    appendDisplay(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
