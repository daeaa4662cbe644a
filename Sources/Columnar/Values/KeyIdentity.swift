// When two values are the same key for `stats … by`, `dedup`, `count_distinct` and the like.
//
// Results are text, so two values are one key when their texts agree; only the spelling that an event
// chose for a number does not matter. A number's key is its canonical decimal text, worked out from
// its digits and not through a double, so that long identifiers stay apart:
//
//     200, 200.0, 2e2, "200"                          one key: 200
//     7, "007"                                        two keys
//     18446744073709551616, 18446744073709551617      two keys, though one double
//     true computed, 1                                one key: 1
//
// Form of a key: the length of the text plus one as a LEB128 number, then the text; a missing value
// is the single byte 0. Keys of several fields are written one after the other without ambiguity.

/// Writes values in a form whose bytes agree exactly when the values are the same key.
package enum KeyIdentity {
  /// Appends the key of any value; structures count as missing.
  package static func append(_ value: Value, to output: inout [UInt8]) {
    switch value {
    case .missing, .list, .map: appendMissing(to: &output)
    case .string(let text): text.withUTF8Bytes { append(text: $0, to: &output) }
    case .integer(let number): append(integer: number, to: &output)
    case .double(let number): append(double: number, to: &output)
    case .sourceNumber(let number):
      number.text.withUTF8Bytes { lexeme in
        sized(&output) { DecimalDigits(lexeme: lexeme).append(to: &$0) }
      }
    case .boolean(let condition): append(integer: condition ? 1 : 0, to: &output)
    case .jsonBoolean(let condition): append(jsonBoolean: condition, to: &output)
    case .timestamp(let time): append(timestamp: time, to: &output)
    }
  }

  /// The key of one value by itself.
  package static func key(of value: Value) -> [UInt8] {
    var bytes: [UInt8] = []
    append(value, to: &bytes)
    return bytes
  }

  /// Appends the key of no value.
  @inline(__always)
  package static func appendMissing(to output: inout [UInt8]) { output.append(0) }

  /// Appends the key of a text in UTF-8.
  @inline(__always)
  package static func append(text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    appendLength(text.count, to: &output)
    output.append(contentsOf: text)
  }

  /// Appends the key of a whole number.
  package static func append(integer: Int64, to output: inout [UInt8]) {
    sized(&output) { NumberFormat.append(integer, to: &$0) }
  }

  /// Appends the key of a computed number.
  package static func append(double: Double, to output: inout [UInt8]) {
    sized(&output) { NumberFormat.appendExact(double, to: &$0) }
  }

  /// Appends the key of the decimal `mantissa / 10^scale`.
  package static func append(mantissa: Int64, scale: Int, to output: inout [UInt8]) {
    var (mantissa, scale) = (mantissa, scale)
    while scale > 0, mantissa % 10 == 0 {
      mantissa /= 10
      scale -= 1
    }
    if scale == 0 {
      append(integer: mantissa, to: &output)
    } else {
      let text = DecimalNumber.text(mantissa: mantissa, scale: scale)
      text.withUTF8Bytes { append(text: $0, to: &output) }
    }
  }

  /// Appends the key of a boolean leaf of an event.
  package static func append(jsonBoolean: Bool, to output: inout [UInt8]) {
    sized(&output) { $0.append(contentsOf: jsonBoolean ? "true".utf8 : "false".utf8) }
  }

  /// Appends the key of a time in ms since 1970.
  package static func append(timestamp: Int64, to output: inout [UInt8]) {
    sized(&output) { Timestamp.append(timestamp, to: &$0) }
  }

  /// Appends what `body` appends, behind its length.
  @inline(__always)
  private static func sized(_ output: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    let start = output.count
    output.append(0)
    body(&output)
    let length = output.count - start - 1
    if length < 127 {
      output[start] = UInt8(truncatingIfNeeded: length + 1)
      return
    }
    // Rare: numbers of more than 126 characters need a longer length.
    let text = Array(output[(start + 1)...])
    output.removeSubrange(start...)
    appendLength(length, to: &output)
    output.append(contentsOf: text)
  }

  @inline(__always)
  private static func appendLength(_ length: Int, to output: inout [UInt8]) {
    var rest = UInt(length) + 1
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(truncatingIfNeeded: rest))
  }
}
