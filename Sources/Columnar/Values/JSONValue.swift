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
    if string.count < shortText {
      appendShort(string, to: &output)
    } else {
      for start in stride(from: 0, to: string.count, by: bytesPerStep) {
        let end = min(start + bytesPerStep, string.count)
        appendLong(UnsafeBufferPointer(rebasing: string[start..<end]), to: &output)
      }
    }
    output.append(UInt8(ascii: "\""))
  }

  /// Texts below it are written byte by byte.
  private static let shortText = 32
  /// Bytes of a long text for which room is made at a time.
  private static let bytesPerStep = 512
  /// Bytes of an escape, at most: `\u001f`.
  private static let longestEscape = 6

  private static func appendShort(
    _ string: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]
  ) {
    var start = 0
    for i in 0..<string.count where needsEscape(string[i]) {
      output.append(contentsOf: UnsafeBufferPointer(rebasing: string[start..<i]))
      appendEscape(string[i], to: &output)
      start = i + 1
    }
    output.append(contentsOf: UnsafeBufferPointer(rebasing: string[start...]))
  }

  /// Records as texts have a quote every few bytes: eight bytes are copied at a time, and what lies behind the first one
  /// that needs an escape is written over.
  private static func appendLong(
    _ string: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]
  ) {
    let before = output.count
    let room = string.count * longestEscape + 8
    output.append(contentsOf: repeatElement(0, count: room))
    let written = output.withUnsafeMutableBytes { output -> Int in
      // Every byte read makes six bytes at most, so that eight more fit behind whatever has been written.
      let target = output.baseAddress! + before
      let source = UnsafeRawPointer(string.baseAddress!)
      var (read, written) = (0, 0)
      while read < string.count {
        if read &+ 8 <= string.count {
          let word = source.loadUnaligned(fromByteOffset: read, as: UInt64.self)
          target.storeBytes(of: word, toByteOffset: written, as: UInt64.self)
          let clean = cleanByteCount(UInt64(littleEndian: word))
          read &+= clean
          written &+= clean
          if clean == 8 { continue }
        }
        let byte = string[read]
        read &+= 1
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          target.storeBytes(of: UInt8(ascii: "\\"), toByteOffset: written, as: UInt8.self)
          target.storeBytes(of: byte, toByteOffset: written &+ 1, as: UInt8.self)
          written &+= 2
        } else if needsEscape(byte) {
          for part in escape(byte) {
            target.storeBytes(of: part, toByteOffset: written, as: UInt8.self)
            written &+= 1
          }
        } else {
          target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
          written &+= 1
        }
      }
      return written
    }
    output.removeLast(room - written)
  }

  /// How many of the first bytes of a word, the lowest one first, need no escape.
  ///
  /// A difference borrows from the byte above only where a byte has been found, so the lowest mark is right; marks
  /// above it need not be ("Determine if a word has a byte less than n", Bit Twiddling Hacks).
  @inline(__always)
  private static func cleanByteCount(_ word: UInt64) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let (quotes, slashes) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
    let marks =
      ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)
      | ((word &- ones &* 0x20) & ~word)
    return (marks & (ones &* 0x80)).trailingZeroBitCount >> 3
  }

  @inline(__always)
  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private static func escape(_ byte: UInt8) -> [UInt8] {
    var escape: [UInt8] = []
    appendEscape(byte, to: &escape)
    return escape
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
