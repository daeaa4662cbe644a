/// Numbers as text.
package enum NumberFormat {
  /// Appends a whole number.
  package static func append(_ number: Int64, to output: inout [UInt8]) {
    var magnitude = number.magnitude
    if magnitude < 10, number >= 0 {
      output.append(0x30 &+ UInt8(truncatingIfNeeded: magnitude))
      return
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var position = 20
      repeat {
        position &-= 1
        digits[position] = 0x30 &+ UInt8(truncatingIfNeeded: magnitude % 10)
        magnitude /= 10
      } while magnitude != 0
      if number < 0 { output.append(UInt8(ascii: "-")) }
      output.append(contentsOf: UnsafeBufferPointer(rebasing: digits[position...]))
    }
  }

  /// Appends a computed number as results show it: whole numbers without a point, others rounded
  /// half to even to 4 decimals, those below 0.0001 in size to 4 digits; no exponent below 10^21.
  ///
  /// - Precondition: `number` is finite.
  package static func appendDisplay(_ number: Double, to output: inout [UInt8]) {
    if let whole = whole(number) {
      append(whole, to: &output)
      return
    }
    var digits = DecimalDigits(number)
    if number.magnitude < 0.0001 {
      digits.round(significant: 4)
    } else {
      digits.round(decimals: 4)
    }
    digits.append(to: &output)
  }

  /// Appends a number in full precision, the shortest text that gives it back; it is valid JSON.
  ///
  /// - Precondition: `number` is finite.
  package static func appendExact(_ number: Double, to output: inout [UInt8]) {
    if let whole = whole(number) {
      append(whole, to: &output)
    } else {
      DecimalDigits(number).append(to: &output)
    }
  }

  /// A number in full precision.
  package static func exactText(_ number: Double) -> String {
    var bytes: [UInt8] = []
    appendExact(number, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A number as results show it.
  package static func displayText(_ number: Double) -> String {
    var bytes: [UInt8] = []
    appendDisplay(number, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The number as a whole one within Int64; −0 is 0.
  @inline(__always)
  static func whole(_ number: Double) -> Int64? {
    guard number >= -0x1p63, number < 0x1p63 else { return nil }
    let whole = Int64(number)
    return Double(whole) == number ? whole : nil
  }
}
