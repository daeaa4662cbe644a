import Glibc

/// JSON string escapes, as slots keep them.
enum JSONEscapes {
  /// A run of texts with their escapes undone.
  ///
  /// Escapes are rare even in columns that have them, so whole stretches between backslashes are
  /// copied at once, over the borders of texts.
  static func decoded(_ run: TextRun) -> TextRun {
    var output: [UInt8] = []
    output.reserveCapacity(run.bytes.count)
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(run.offsets.count)
    run.bytes.withUnsafeBytes { bytes in
      var row = 0
      // Bytes before `copied` are in the output; the next escape is at `escape`.
      var copied = 0
      var escape = position(of: UInt8(ascii: "\\"), in: bytes, from: 0)
      while row < run.count {
        let range = run.range(row)
        if escape >= range.upperBound {
          // No escape in this text: it is copied with its neighbours, and only shifts.
          let shift = output.count - copied
          offsets.append(UInt32(range.upperBound + shift))
          row += 1
          continue
        }
        output.append(contentsOf: bytes[copied..<range.lowerBound])
        append(UnsafeRawBufferPointer(rebasing: bytes[range]), to: &output)
        copied = range.upperBound
        offsets.append(UInt32(output.count))
        escape = position(of: UInt8(ascii: "\\"), in: bytes, from: copied)
        row += 1
      }
      output.append(contentsOf: bytes[copied...])
    }
    return TextRun(offsets: offsets, bytes: output)
  }

  private static func position(
    of byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int
  ) -> Int {
    guard start < bytes.count, let base = bytes.baseAddress,
      let found = memchr(base + start, Int32(byte), bytes.count - start)
    else { return .max }
    return UnsafeRawPointer(found) - base
  }

  /// Appends the text that the inside of a JSON string stands for.
  ///
  /// The bytes passed the scanner, so escapes are well formed; a lone surrogate becomes U+FFFD.
  static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    var i = 0
    while i < bytes.count {
      let escape = position(of: UInt8(ascii: "\\"), in: bytes, from: i)
      guard escape < bytes.count - 1 else {
        return output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[i...]))
      }
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[i..<escape]))
      i = escape + 2
      switch bytes[i - 1] {
      case UInt8(ascii: "n"): output.append(0x0A)
      case UInt8(ascii: "t"): output.append(0x09)
      case UInt8(ascii: "r"): output.append(0x0D)
      case UInt8(ascii: "b"): output.append(0x08)
      case UInt8(ascii: "f"): output.append(0x0C)
      case UInt8(ascii: "u"): appendUnicode(bytes, &i, to: &output)
      case let other: output.append(other)
      }
    }
  }

  /// The bytes that the inside of a JSON string stands for.
  static func meaning(of bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    bytes.withUnsafeBytes { append($0, to: &output) }
    return output
  }

  /// The text of a key or value as a `String`.
  static func decoded(_ bytes: [UInt8]) -> String {
    guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
    return String(decoding: meaning(of: bytes), as: UTF8.self)
  }

  /// Appends a text as a JSON string with its quotes.
  static func appendQuoted(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        output.append(UInt8(ascii: "\\"))
        output.append(byte)
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        output.append(contentsOf: "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }

  /// `i` stands behind `\u`; a high surrogate takes the low one that follows with it.
  private static func appendUnicode(
    _ bytes: UnsafeRawBufferPointer, _ i: inout Int, to output: inout [UInt8]
  ) {
    guard var code = hexQuad(bytes, at: i) else {
      output.append(contentsOf: [0xEF, 0xBF, 0xBD])
      return
    }
    i += 4
    if code & 0xFC00 == 0xD800, i + 1 < bytes.count, bytes[i] == UInt8(ascii: "\\"),
      bytes[i + 1] == UInt8(ascii: "u"), let low = hexQuad(bytes, at: i + 2), low & 0xFC00 == 0xDC00
    {
      code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
      i += 6
    }
    let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
    output.append(contentsOf: UTF8.encode(scalar)!)
  }

  private static func hexQuad(_ bytes: UnsafeRawBufferPointer, at start: Int) -> UInt32? {
    guard start + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for byte in bytes[start..<start + 4] {
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
