/// What a text is as a number, as far as its bytes tell without making a `String`.
///
/// Columns of captures hold numbers as text, and a comparison or a sum reads each of them. The usual
/// forms are read here; the rare ones (blanks around, exponents, more than 18 digits, a sign without
/// digits …) are left to the rules for one value.
enum TextNumber {
  /// Certainly no number.
  case none
  case integer(Int64)
  case double(Double)
  /// To be decided by the rules for one value.
  case unsure

  /// - Complexity: O(bytes), and a letter ends it at once
  @inline(__always)
  init(_ text: UnsafeBufferPointer<UInt8>) {
    let count = text.count
    if count == 0 {
      self = .none
      return
    }
    let negative = text[0] == UInt8(ascii: "-")
    var i = negative ? 1 : 0
    let first = i
    var point = -1
    var mantissa: Int64 = 0
    while i < count {
      let digit = text[i] &- 0x30
      if digit < 10 {
        // Wraps past 18 digits, which the count below turns away.
        mantissa = mantissa &* 10 &+ Int64(digit)
      } else if text[i] == UInt8(ascii: "."), point < 0 {
        point = i
      } else {
        self = Self.endsNumber(text[i]) ? .none : .unsure
        return
      }
      i &+= 1
    }
    let digits = count &- first &- (point < 0 ? 0 : 1)
    if digits < 1 || digits > 18 || point == first || point == count &- 1 {
      self = .unsure
      return
    }
    if negative { mantissa = 0 &- mantissa }
    if point < 0 {
      self = .integer(mantissa)
    } else {
      self = .double(DecimalNumber.double(mantissa: mantissa, scale: count &- point &- 1))
    }
  }

  /// Whether no number has this byte, wherever it stands.
  @inline(__always)
  private static func endsNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"): false
    case UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"): false
    case 0x21...0x7E: true
    default: false
    }
  }
}
