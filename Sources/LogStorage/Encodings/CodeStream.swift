/// Codes below a known cardinality: dictionary codes, shape codes, stream codes.
///
/// Bit-packed to the width of the largest code, or as one or two byte planes through zstd when
/// neighbouring rows repeat each other enough for that to be smaller. One distinct code takes no bytes.
enum CodeStream {
  private enum Form: UInt8 {
    case packed = 0
    case planes = 1
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
