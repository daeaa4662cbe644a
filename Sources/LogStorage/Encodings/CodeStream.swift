/// Codes below a known cardinality: dictionary codes, shape codes, stream codes.
///
/// Bit-packed to the width of the largest code, or as one or two byte planes through zstd when
/// neighbouring rows repeat each other enough for that to be smaller. One distinct code takes no bytes. When all
/// rows of a shape have one code — the name of the service that writes records so, its way to write times —,
/// codes are stored once per shape, in order of the shapes' first rows.
enum CodeStream {
  private enum Form: UInt8 {
    case packed = 0
    case planes = 1
    case ofShapes = 2
  }

  /// - Precondition: every code is below `cardinality`, which is at most 65,536.
  static func encode(
    _ codes: [UInt16], cardinality: Int, to writer: inout ByteWriter, compressor: Compressor?
  ) {
    let width = cardinality <= 1 ? 0 : BitPacking.width(UInt64(cardinality - 1))
    let packedSize = BitPacking.byteCount(count: codes.count, width: width)
    if width > 0, packedSize >= 32, let compressor {
      let planes = bytePlanes(codes, planeCount: width > 8 ? 2 : 1)
      let small = planes.withUnsafeBytes { compressor.compress($0) }
      if let small, small.count < packedSize - packedSize / 32 {
        writer.append(Form.planes.rawValue)
        writer.append(compressedStream: small, rawCount: planes.count)
        return
      }
    }
    writer.append(Form.packed.rawValue)
    codes.withUnsafeBufferPointer { codes in
      writer.append(
        contentsOf: BitPacking.pack(count: codes.count, width: width) { UInt64(codes[$0]) })
    }
  }

  /// Appends one code per shape.
  static func encode(
    ofShapes codes: [UInt16], cardinality: Int, to writer: inout ByteWriter,
    compressor: Compressor?
  ) {
    writer.append(Form.ofShapes.rawValue)
    writer.append(varint: codes.count)
    encode(codes, cardinality: cardinality, to: &writer, compressor: compressor)
  }

  private static func bytePlanes(_ codes: [UInt16], planeCount: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: codes.count * planeCount) { target, used in
      for (i, code) in codes.enumerated() { target[i] = UInt8(truncatingIfNeeded: code) }
      if planeCount == 2 {
        for (i, code) in codes.enumerated() {
          target[codes.count &+ i] = UInt8(truncatingIfNeeded: code >> 8)
        }
      }
      used = codes.count * planeCount
    }
  }

  /// Reads `count` codes that may be stored once per shape.
  ///
  /// - Parameter shapes: the shape of the row of each value, numbered in order of first row.
  static func decode(
    _ reader: inout ByteReader, count: Int, cardinality: Int, decompressor: Decompressor,
    shapes: () throws -> [UInt16]
  ) throws -> [UInt16] {
    var ahead = reader
    guard try ahead.byte() == Form.ofShapes.rawValue else {
      return try decode(
        &reader, count: count, cardinality: cardinality, decompressor: decompressor)
    }
    reader = ahead
    let shapeCount = try reader.count(limit: min(count, 65_536))
    let codes = try decode(
      &reader, count: shapeCount, cardinality: cardinality, decompressor: decompressor)
    let shapes = try shapes()
    guard shapes.count == count else { throw DecodingFailure("shapes of another row count") }
    return try shapes.map { shape in
      guard Int(shape) < shapeCount else { throw DecodingFailure("a shape without a code") }
      return codes[Int(shape)]
    }
  }

  /// Reads `count` codes; every one is checked to be below `cardinality`.
  static func decode(
    _ reader: inout ByteReader, count: Int, cardinality: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> [UInt16] {
    let number = try reader.byte()
    guard let form = Form(rawValue: number) else {
      throw DecodingFailure("code form \(number) is not known to this version")
    }
    let width = cardinality <= 1 ? 0 : BitPacking.width(UInt64(cardinality - 1))
    var largest: UInt16 = 0
    let codes: [UInt16]
    switch form {
    case .packed:
      var bytes = [UInt8](try reader.take(BitPacking.byteCount(count: count, width: width)))
      bytes.append(contentsOf: repeatElement(0, count: 8))
      codes = [UInt16](unsafeUninitializedCapacity: count) { target, used in
        bytes.withUnsafeBytes { raw in
          BitPacking.unpack(raw.baseAddress!, count: count, width: width) { i, code in
            target[i] = UInt16(truncatingIfNeeded: code)
          }
        }
        used = count
      }
    case .ofShapes:
      throw DecodingFailure("codes of shapes where rows have none")
    case .planes:
      let planeCount = width > 8 ? 2 : 1
      let planes = try reader.stream(limit: count * planeCount, decompressor: decompressor)
      guard planes.count == count * planeCount else {
        throw DecodingFailure("code planes of the wrong size")
      }
      codes = [UInt16](unsafeUninitializedCapacity: count) { target, used in
        planes.withUnsafeBufferPointer { planes in
          for i in 0..<count { target[i] = UInt16(planes[i]) }
          if planeCount == 2 {
            for i in 0..<count { target[i] |= UInt16(planes[count &+ i]) &<< 8 }
          }
        }
        used = count
      }
    }
    for code in codes { largest = max(largest, code) }
    guard count == 0 || Int(largest) < max(cardinality, 1) else {
      throw DecodingFailure("a code of \(largest) where \(cardinality) entries exist")
    }
    return codes
  }
}
