/// JSON texts to values and back.
package enum JSONValue {
  /// Objects and arrays within each other after which a text is refused; the store refuses to
  /// take such events apart as well.
  package static let depthLimit = 128

  /// The value of a JSON text (RFC 8259, strictly), or `nil` when it is none or nested too deep.
  ///
  /// `null` is `.missing`. Members with equal keys are all kept, in order. Bytes that are not UTF-8 and
  /// surrogates without a partner become U+FFFD.
  ///
  /// - Complexity: O(bytes)
  package static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Value? {
    var parser = JSONParser(text)
    return parser.document()
  }

  /// As above, for raw bytes.
  package static func parse(_ text: UnsafeRawBufferPointer) -> Value? {
    text.withMemoryRebound(to: UInt8.self) { parse($0) }
  }

  /// As above, for a string.
  package static func parse(_ text: String) -> Value? { text.withUTF8Bytes { parse($0) } }

  /// The value at a dotted path of a JSON text, found by the rule of ``Value/member(path:)`` without
  /// making the values around it: `.missing` when there is none, `nil` when the text is no JSON.
  ///
  /// - Complexity: O(bytes)
  package static func member(path: String, in text: UnsafeBufferPointer<UInt8>) -> Value? {
    path.withUTF8Bytes { path in
      var search = JSONPathSearch(path: path, text: text)
      return search.value()
    }
  }

  /// Appends a value as compact JSON: missing values as `null`, numbers in full precision or as their
  /// event wrote them, computed conditions as `1` and `0`, times as strings.
  package static func append(_ value: Value, to output: inout [UInt8]) {
    switch value {
    case .missing: output.append(contentsOf: "null".utf8)
    case .string(let text): append(string: text, to: &output)
    case .integer(let number): NumberFormat.append(number, to: &output)
    case .double(let number): NumberFormat.appendExact(number, to: &output)
    case .sourceNumber(let number): output.append(contentsOf: number.text.utf8)
    case .boolean(let condition): output.append(UInt8(ascii: condition ? "1" : "0"))
    case .jsonBoolean(let condition):
      output.append(contentsOf: condition ? "true".utf8 : "false".utf8)
    case .timestamp(let time):
      output.append(UInt8(ascii: "\""))
      Timestamp.append(time, to: &output)
      output.append(UInt8(ascii: "\""))
    case .list(let elements): append(elements, to: &output)
    case .map(let members): append(members, to: &output)
    }
  }

  /// A value as compact JSON.
  package static func text(of value: Value) -> String {
    var bytes: [UInt8] = []
    append(value, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func append(_ elements: [Value], to output: inout [UInt8]) {
    output.append(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      append(element, to: &output)
    }
    output.append(UInt8(ascii: "]"))
  }

  private static func append(_ members: ValueMap, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "{"))
    for index in members.keys.indices {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      append(string: members.keys[index], to: &output)
      output.append(UInt8(ascii: ":"))
      append(members.values[index], to: &output)
    }
    output.append(UInt8(ascii: "}"))
  }

  /// Appends a text as a JSON string with its quotes.
  package static func append(string: String, to output: inout [UInt8]) {
    string.withUTF8Bytes { append(string: $0, to: &output) }
  }

  /// Appends a text in UTF-8 as a JSON string with its quotes.
  package static func append(
    string: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]
  ) {
    output.append(UInt8(ascii: "\""))
    var start = 0
    for i in 0..<string.count {
      let byte = string[i]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
        continue
      }
      output.append(contentsOf: UnsafeBufferPointer(rebasing: string[start..<i]))
      appendEscape(byte, to: &output)
      start = i + 1
    }
    output.append(contentsOf: UnsafeBufferPointer(rebasing: string[start...]))
    output.append(UInt8(ascii: "\""))
  }

  private static func appendEscape(_ byte: UInt8, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x09: output.append(UInt8(ascii: "t"))
    case 0x0A: output.append(UInt8(ascii: "n"))
    case 0x0C: output.append(UInt8(ascii: "f"))
    case 0x0D: output.append(UInt8(ascii: "r"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
    default:
      let digit = byte & 0x0F
      output.append(contentsOf: "u00".utf8)
      output.append(0x30 + byte >> 4)
      output.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }
}
