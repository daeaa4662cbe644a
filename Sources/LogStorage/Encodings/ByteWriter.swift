/// Grows a run of bytes in the store's little-endian forms.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8]

  package init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  package var count: Int { bytes.count }

  package mutating func append(_ byte: UInt8) { bytes.append(byte) }

  package mutating func append(contentsOf other: [UInt8]) { bytes.append(contentsOf: other) }

  package mutating func append(contentsOf other: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: other)
  }

  /// Appends a fixed-width integer, lowest byte first.
  package mutating func append<T: FixedWidthInteger>(fixed value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends an unsigned integer in groups of seven bits, lowest first; the high bit of a byte says
  /// that another follows. One byte up to 127, ten at most.
  package mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  package mutating func append(varint value: Int) { append(varint: UInt64(value)) }

  /// Appends a signed integer folded so that small magnitudes stay short (0, −1, 1, −2 … → 0, 1, 2, 3 …).
  package mutating func append(zigzag value: Int64) {
    append(varint: UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)))
  }

  /// Appends a length and then the UTF-8 of a text.
  package mutating func append(text: String) {
    append(varint: text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }
}
