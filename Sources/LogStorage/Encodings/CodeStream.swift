import Columnar

/// Codes below a known cardinality: dictionary codes, shape codes, stream codes.
///
/// The smallest of three forms. Bit-packed to the width of the largest code; as one or two byte planes through zstd,
/// where neighbouring rows repeat each other; or, where there are no more than sixteen codes, as many of them in each byte as
/// go in, through zstd: a level that is INFO in four rows of five takes 0.7 bits, but an entropy coder of whole bits, which
/// is what zstd has for bytes that do not repeat, writes at least one for each byte. With two codes in a byte the frequent pair
/// takes that one bit, and half as many bytes are to be decoded:
///
///     codes of three levels    0 0 1 0 2 | 0 0 0 0 0 | 1 0 0
///     digits to base three     five in a byte, the first one lowest, as 3⁵ = 243 is the most below 256
///     bytes                    0 + 0·3 + 1·9 + 0·27 + 2·81 = 171,  0,  1
///
/// One distinct code takes no bytes. When all rows of a shape have one code — the name of the service that writes records
/// so, its way to write times —, codes are stored once per shape, in order of the shapes' first rows.
enum CodeStream {
  private enum Form: UInt8 {
    case packed = 0
    case planes = 1
    case ofShapes = 2
    case digits = 3
  }

  /// - Precondition: every code is below `cardinality`, which is at most 65,536.
  static func encode(
    _ codes: [UInt16], cardinality: Int, to writer: inout ByteWriter, compressor: Compressor?
  ) {
    let width = cardinality <= 1 ? 0 : BitPacking.width(UInt64(cardinality - 1))
    let packedSize = BitPacking.byteCount(count: codes.count, width: width)
    if width > 0, packedSize >= 32, let compressor {
      let planes = bytePlanes(codes, planeCount: width > 8 ? 2 : 1)
      var form = Form.planes
      var rawCount = planes.count
      var small = compressed(planes, compressor)
      if let digits = Digits(cardinality: cardinality)?.bytes(of: codes),
        let other = compressed(digits, compressor), other.count < small?.count ?? .max
      {
        form = .digits
        rawCount = digits.count
        small = other
      }
      if let small, small.count < packedSize - packedSize / 32 {
        writer.append(form.rawValue)
        small.withUnsafeBytes { writer.append(compressedStream: $0, rawCount: rawCount) }
        return
      }
    }
    writer.append(Form.packed.rawValue)
    codes.withUnsafeBufferPointer { codes in
      writer.append(
        contentsOf: BitPacking.pack(count: codes.count, width: width) { UInt64(codes[$0]) })
    }
  }

  /// A copy, as the compressor's own bytes last until it is used again.
  private static func compressed(_ bytes: [UInt8], _ compressor: Compressor) -> [UInt8]? {
    bytes.withUnsafeBytes { compressor.compress($0).map { [UInt8]($0) } }
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

  /// How many of `count` codes are each one below `cardinality`, as far as possible without making the codes; `nil` where
  /// they are stored once per shape.
  static func counts(
    _ reader: inout ByteReader, count: Int, cardinality: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> [Int64]? {
    var ahead = reader
    switch Form(rawValue: try ahead.byte()) {
    case .ofShapes: return nil
    case .digits:
      reader = ahead
      return try Digits.wanted(cardinality).counts(
        in: try digits(&reader, count: count, cardinality: cardinality, decompressor), count: count)
    default:
      let codes = try decode(
        &reader, count: count, cardinality: cardinality, decompressor: decompressor)
      var counts = [Int64](repeating: 0, count: max(cardinality, 1))
      for code in codes { counts[Int(code)] += 1 }
      return counts
    }
  }

  private static func digits(
    _ reader: inout ByteReader, count: Int, cardinality: Int, _ decompressor: Decompressor
  ) throws(DecodingFailure) -> [UInt8] {
    try reader.stream(
      limit: Digits.wanted(cardinality).byteCount(of: count), decompressor: decompressor)
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
    case .digits:
      // Each code is below the cardinality, as each byte was looked up.
      return try Digits.wanted(cardinality).codes(
        in: try digits(&reader, count: count, cardinality: cardinality, decompressor), count: count)
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

/// Several codes in one byte, as digits of a number to the base of how many codes there are.
private struct Digits {
  private let base: Int
  /// Digits in a byte, two to eight.
  private let perByte: Int
  /// How many bytes stand for digits: the base to the power of `perByte`.
  private let byteLimit: Int

  /// `nil` where not even two codes go into a byte, or there is nothing to tell apart.
  init?(cardinality: Int) {
    guard cardinality >= 2, cardinality <= 16 else { return nil }
    var limit = cardinality
    var digits = 1
    while limit * cardinality <= 256 {
      limit *= cardinality
      digits += 1
    }
    base = cardinality
    perByte = digits
    byteLimit = limit
  }

  /// For codes that say they are stored so.
  static func wanted(_ cardinality: Int) throws(DecodingFailure) -> Digits {
    guard let digits = Digits(cardinality: cardinality) else {
      throw DecodingFailure("several codes in a byte where there are \(cardinality)")
    }
    return digits
  }

  func byteCount(of count: Int) -> Int { (count + perByte - 1) / perByte }

  /// Behind the last code zeros fill the last byte.
  func bytes(of codes: [UInt16]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount(of: codes.count)) { target, used in
      for first in stride(from: 0, to: codes.count, by: perByte) {
        var number = 0
        for code in codes[first..<min(first + perByte, codes.count)].reversed() {
          number = number &* base &+ Int(code)
        }
        target[used] = UInt8(truncatingIfNeeded: number)
        used += 1
      }
    }
  }

  /// How many of the codes are each one, told from how many of the bytes are each one.
  ///
  /// - Throws: as ``codes(in:count:)``.
  func counts(in bytes: [UInt8], count: Int) throws(DecodingFailure) -> [Int64] {
    try check(bytes, count: count)
    var counts = [Int64](repeating: 0, count: base)
    // Of the last byte only the digits that are codes count.
    let wholeCount = count / perByte
    for (byte, number) in ByteHistogram.counts(of: bytes[..<wholeCount]).enumerated() {
      var rest = byte
      for _ in 0..<perByte where number > 0 {
        counts[rest % base] += Int64(number)
        rest /= base
      }
    }
    var rest = Int(bytes.last ?? 0)
    for _ in 0..<count - wholeCount * perByte {
      counts[rest % base] += 1
      rest /= base
    }
    return counts
  }

  private func check(_ bytes: [UInt8], count: Int) throws(DecodingFailure) {
    guard bytes.count == byteCount(of: count) else {
      throw DecodingFailure("\(bytes.count) bytes for \(count) codes, \(perByte) in each")
    }
    var largest: UInt8 = 0
    for byte in bytes { largest = max(largest, byte) }
    guard Int(largest) < byteLimit else {
      throw DecodingFailure("a byte of \(largest) where \(byteLimit) stand for codes")
    }
  }

  /// - Throws: `DecodingFailure` when there are not as many bytes as the codes take, or one stands for no codes.
  func codes(in bytes: [UInt8], count: Int) throws(DecodingFailure) -> [UInt16] {
    try check(bytes, count: count)
    let table = digitsOfBytes()
    return [UInt16](unsafeUninitializedCapacity: bytes.count * perByte + 8) { target, used in
      // Eight codes are written for each byte, of which the next byte's overwrite those that do not count; the last
      // ones end at most eight codes behind `bytes.count * perByte`. The table has 256 entries.
      guard let base = target.baseAddress else { return }
      let raw = UnsafeMutableRawPointer(base)
      table.withUnsafeBufferPointer { table in
        for i in bytes.indices {
          raw.storeBytes(
            of: table[Int(bytes[i])], toByteOffset: 2 &* i &* perByte, as: SIMD8<UInt16>.self)
        }
      }
      used = count
    }
  }

  private func digitsOfBytes() -> [SIMD8<UInt16>] {
    (0..<256).map { byte in
      var digits = SIMD8<UInt16>()
      var rest = byte
      for place in 0..<perByte {
        digits[place] = UInt16(rest % base)
        rest /= base
      }
      return digits
    }
  }
}
