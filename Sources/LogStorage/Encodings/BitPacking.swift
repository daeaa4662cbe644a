/// Unsigned integers of one width laid bit after bit, lowest bits first.
///
/// Value `i` of width `w` occupies bits `i * w ..< (i + 1) * w` of the stream, bit 0 being the lowest
/// bit of the first byte. With width 3 the values 5, 1, 7 are bits 101 001→ bytes
/// `0b11_001_101, 0b0000_0001`. Widths go from 0 to 56, so that one unaligned 64-bit load that starts at
/// the value's first byte always holds it whole; wider values are stored as bytes instead.
enum BitPacking {
  static let maximalWidth = 56

  /// Bits needed for `value`.
  static func width(_ value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

  static func byteCount(count: Int, width: Int) -> Int { (count * width + 7) / 8 }

  /// Packs `value(i)` for `0..<count`.
  ///
  /// - Precondition: every value is below `2^width`, `width <= 56`.
  @inline(__always)
  static func pack(count: Int, width: Int, _ value: (Int) -> UInt64) -> [UInt8] {
    precondition(width <= maximalWidth)
    let size = byteCount(count: count, width: width)
    return [UInt8](unsafeUninitializedCapacity: size + 8) { target, used in
      // 8 bytes of slack let each step store a whole word; they are not counted as used.
      let raw = UnsafeMutableRawPointer(target.baseAddress!)
      raw.initializeMemory(as: UInt8.self, repeating: 0, count: size + 8)
      var pending: UInt64 = 0
      var bits = 0
      var position = 0
      for i in 0..<count {
        pending |= value(i) &<< UInt64(bits)
        bits &+= width
        if bits >= 8 {
          raw.storeBytes(of: pending.littleEndian, toByteOffset: position, as: UInt64.self)
          let whole = bits >> 3
          position &+= whole
          pending = whole == 8 ? 0 : pending &>> UInt64(whole &<< 3)
          bits &= 7
        }
      }
      if bits > 0 {
        raw.storeBytes(
          of: UInt8(truncatingIfNeeded: pending), toByteOffset: position, as: UInt8.self)
      }
      used = size
    }
  }

  /// Calls `body` with each value in turn.
  ///
  /// - Precondition: `bytes` holds `byteCount(count:width:)` bytes and 8 readable ones more.
  @inline(__always)
  static func unpack(
    _ bytes: UnsafeRawPointer, count: Int, width: Int, _ body: (Int, UInt64) -> Void
  ) {
    let mask: UInt64 = width == 0 ? 0 : ~0 &>> UInt64(64 &- width)
    var bit = 0
    for i in 0..<count {
      let word = UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
      body(i, (word &>> UInt64(bit & 7)) & mask)
      bit &+= width
    }
  }
}
