/// Whole numbers and decimals, to and from their text.
enum DecimalText {
  /// The value of a canonical whole number (`-?[1-9][0-9]*` or `0`, within Int64), else `nil`: a
  /// leading zero, `-0`, `+`, a point or an exponent would not come back as it was.
  @inline(__always)
  static func integer(_ p: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
    var i = 0
    let negative = count > 0 && p[0] == 0x2D
    if negative { i = 1 }
    let digits = count &- i
    guard digits >= 1, digits <= 19 else { return nil }
    if p[i] == 0x30 { return digits == 1 && !negative ? 0 : nil }
    var magnitude: UInt64 = 0
    while i < count {
      let digit = p[i] &- 0x30
      if digit > 9 { return nil }
      magnitude = magnitude &* 10 &+ UInt64(digit)
      i &+= 1
    }
    // 19 digits stay below 10^19 < 2^64, so the magnitude did not wrap.
    if negative {
      return magnitude <= 1 << 63 ? Int64(bitPattern: 0 &- magnitude) : nil
    }
    return magnitude < 1 << 63 ? Int64(magnitude) : nil
  }

  /// Mantissa and count of decimals of `-?(0|[1-9][0-9]*)(\.[0-9]+)?` with at most 18 digits, else
  /// `nil`. `-0.0` has no mantissa of its own and is refused.
  @inline(__always)
  static func decimal(_ p: UnsafePointer<UInt8>, _ count: Int) -> (mantissa: Int64, scale: UInt8)? {
    var i = 0
    let negative = count > 0 && p[0] == 0x2D
    if negative { i = 1 }
    let first = i
    var mantissa: Int64 = 0
    var point = -1
    guard count &- i >= 1, count &- i <= 19 else { return nil }
    while i < count {
      let digit = p[i] &- 0x30
      if digit <= 9 {
        mantissa = mantissa &* 10 &+ Int64(digit)
      } else if p[i] == 0x2E, point < 0, i > first, i &+ 1 < count {
        point = i
      } else {
        return nil
      }
      i &+= 1
    }
    let digits = count &- first &- (point < 0 ? 0 : 1)
    guard digits <= 18 else { return nil }
    let whole = (point < 0 ? count : point) &- first
    if p[first] == 0x30, whole > 1 { return nil }
    if negative, mantissa == 0 { return nil }
    let scale = point < 0 ? 0 : count &- point &- 1
    return (negative ? 0 &- mantissa : mantissa, UInt8(truncatingIfNeeded: scale))
  }

  /// Appends the canonical text of a whole number.
  @inline(__always)
  static func append(_ value: Int64, to output: inout [UInt8]) {
    append(mantissa: value, scale: 0, to: &output)
  }

  /// Appends `mantissa / 10^scale` with exactly `scale` decimals.
  static func append(mantissa: Int64, scale: Int, to output: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { buffer in
      var rest = mantissa.magnitude
      var position = 48
      var written = 0
      repeat {
        if written == scale, scale > 0 {
          position &-= 1
          buffer[position] = 0x2E
        }
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
        position &-= 1
        buffer[position] = 0x30 &+ UInt8(truncatingIfNeeded: digit)
        rest = quotient
        written &+= 1
      } while rest != 0 || written <= scale
      if mantissa < 0 {
        position &-= 1
        buffer[position] = 0x2D
      }
      output.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[position...]))
    }
  }
}

/// Decimals as they were written: mantissa / 10^scale.
struct DecimalRun: Sendable {
  var mantissas: [Int64]
  /// One per value, or empty when `scale` holds for all.
  var scales: [UInt8]
  var scale: UInt8

  func append(_ i: Int, to output: inout [UInt8]) {
    DecimalText.append(
      mantissa: mantissas[i], scale: Int(scales.isEmpty ? scale : scales[i]), to: &output)
  }
}
