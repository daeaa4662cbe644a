/// Reads the store's little-endian forms from bytes that may be damaged.
///
/// Every read checks its bounds and throws `DecodingFailure`; nothing here can trap or read outside
/// the given range, whatever the bytes are.
package struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  package private(set) var position = 0

  /// The bytes must outlive the reader.
  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  package var remaining: Int { bytes.count - position }

  package mutating func byte() throws(DecodingFailure) -> UInt8 {
    guard position < bytes.count else { throw DecodingFailure("a byte is missing at the end") }
    defer { position += 1 }
    return bytes[position]
  }

  /// A fixed-width integer, lowest byte first.
  package mutating func fixed<T: FixedWidthInteger>(_: T.Type) throws(DecodingFailure) -> T {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { throw DecodingFailure("\(size) bytes are missing at the end") }
    defer { position += size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  @inline(__always)
  package mutating func varint() throws(DecodingFailure) -> UInt64 {
    // Most are of one byte.
    if position < bytes.count {
      let first = bytes[position]
      if first < 0x80 {
        position += 1
        return UInt64(first)
      }
    }
    return try longVarint()
  }

  @inline(never)
  private mutating func longVarint() throws(DecodingFailure) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      guard shift < 63 || next <= 1 else { throw DecodingFailure("a number is too long") }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
    }
  }

  /// Reads `count` varints one after the other and gives each to `body`: of a row group's table, of which every query
  /// reads tens of thousands before it sees a row.
  @inline(__always)
  mutating func varints(
    _ count: Int, _ body: (_ index: Int, _ value: UInt64) -> Void
  ) throws(DecodingFailure) {
    var place = position
    for index in 0..<count {
      if place < bytes.count {
        // Compared with the end just now.
        let first = bytes[unchecked: place]
        if first < 0x80 {
          place &+= 1
          body(index, UInt64(first))
          continue
        }
      }
      position = place
      body(index, try longVarint())
      place = position
    }
    position = place
  }

  /// The same for numbers that must not exceed `limit`; `body` gets none that do.
  @inline(__always)
  mutating func counts(
    _ count: Int, limit: Int, _ body: (_ index: Int, _ value: Int) -> Void
  ) throws(DecodingFailure) {
    var tooLarge: UInt64?
    try varints(count) { index, value in
      if value <= UInt64(limit) { body(index, Int(value)) } else { tooLarge = value }
    }
    if let tooLarge {
      throw DecodingFailure("a count of \(tooLarge) where at most \(limit) is possible")
    }
  }

  /// A varint that must not exceed `limit`: the guard against absurd sizes before memory is taken.
  package mutating func count(limit: Int) throws(DecodingFailure) -> Int {
    let value = try varint()
    guard value <= UInt64(limit) else {
      throw DecodingFailure("a count of \(value) where at most \(limit) is possible")
    }
    return Int(value)
  }

  package mutating func zigzag() throws(DecodingFailure) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
  }

  /// The next `count` bytes, not copied.
  package mutating func take(_ count: Int) throws(DecodingFailure) -> UnsafeRawBufferPointer {
    guard count >= 0, remaining >= count else {
      throw DecodingFailure("\(count) bytes are wanted where \(remaining) remain")
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  package mutating func text() throws(DecodingFailure) -> String {
    let length = try count(limit: remaining)
    return String(decoding: try take(length), as: UTF8.self)
  }
}

/// Bytes do not have the form that their place demands. The caller adds which file, row group and
/// column it was.
package struct DecodingFailure: Error, Sendable, Hashable {
  package let reason: String

  package init(_ reason: String) { self.reason = reason }
}

extension UnsafeRawBufferPointer {
  /// A byte at a place that was compared with the count before.
  @inline(__always)
  fileprivate subscript(unchecked place: Int) -> UInt8 {
    assert(place >= 0 && place < count)
    return baseAddress.unsafelyUnwrapped.load(fromByteOffset: place, as: UInt8.self)
  }
}
