/// The smallest and largest value of one column chunk, as far as a scan can use them to skip it.
package enum ZoneMap: Sendable, Hashable {
  /// Nothing is known.
  case none
  /// All values are numbers within these bounds.
  case numbers(minimum: Double, maximum: Double)
  /// All values are texts; bounds are of their first eight bytes, shorter texts filled with zeros,
  /// read as big-endian numbers so that they order as bytes do.
  case texts(minimum: UInt64, maximum: UInt64)

  /// The prefix of a text in the form that `texts` bounds have.
  @inline(__always)
  static func prefix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    if bytes.count >= 8 {
      return UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
    }
    var value: UInt64 = 0
    for i in 0..<8 { value = value &<< 8 | (i < bytes.count ? UInt64(bytes[i]) : 0) }
    return value
  }

  func write(to writer: inout ByteWriter) {
    switch self {
    case .none: writer.append(UInt8(0))
    case .numbers(let minimum, let maximum):
      writer.append(UInt8(1))
      writer.append(fixed: minimum.bitPattern)
      writer.append(fixed: maximum.bitPattern)
    case .texts(let minimum, let maximum):
      writer.append(UInt8(2))
      writer.append(fixed: minimum)
      writer.append(fixed: maximum)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte() {
    case 0: self = .none
    case 1:
      let minimum = Double(bitPattern: try reader.fixed(UInt64.self))
      self = .numbers(minimum: minimum, maximum: Double(bitPattern: try reader.fixed(UInt64.self)))
    case 2:
      let minimum = try reader.fixed(UInt64.self)
      self = .texts(minimum: minimum, maximum: try reader.fixed(UInt64.self))
    case let other: throw DecodingFailure("zone map kind \(other) is not known to this version")
    }
  }
}
