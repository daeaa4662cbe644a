/// Doubles as eight byte planes: all lowest bytes, then all next ones, up to the bytes of sign and exponent.
///
/// Numbers with 17 digits are noise in their low bytes and nearly constant in their high ones, so each
/// plane is a stream of its own: zstd shrinks the high planes and leaves the low ones alone. A text is admitted if
/// it is the shortest text of its double, in the form that Swift, Python and others write (`0.25`,
/// `1e-05`, `12345.678901234567`); it is then a function of the double.
enum DoubleStream {
  /// The double whose shortest text is `text`, or `nil`.
  static func admissible(_ text: UnsafeRawBufferPointer) -> Double? {
    // Shorter texts are decimals, which have a better form.
    guard text.count >= 3, text.count <= 24 else { return nil }
    let string = String(decoding: text, as: UTF8.self)
    guard let value = Double(string), value.isFinite, value.description.utf8.elementsEqual(text)
    else { return nil }
    return value
  }

  static func encode(_ values: [Double], to writer: inout ByteWriter, compressor: Compressor?) {
    for plane in 0..<8 {
      let shift = UInt64(plane * 8)
      let bytes = values.map { UInt8(truncatingIfNeeded: $0.bitPattern >> shift) }
      writer.append(stream: bytes, compressor: compressor)
    }
  }

  static func decode(
    _ reader: inout ByteReader, count: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> [Double] {
    var bits = [UInt64](repeating: 0, count: count)
    for plane in 0..<8 {
      let shift = UInt64(plane * 8)
      let bytes = try reader.stream(limit: count, decompressor: decompressor)
      guard bytes.count == count else { throw DecodingFailure("a plane of the wrong size") }
      for i in 0..<count { bits[i] |= UInt64(bytes[i]) << shift }
    }
    return bits.map { Double(bitPattern: $0) }
  }

  /// Appends the text of a value.
  static func append(_ value: Double, to output: inout [UInt8]) {
    output.append(contentsOf: value.description.utf8)
  }
}
