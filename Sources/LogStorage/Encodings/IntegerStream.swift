/// Runs of `Int64`, in the smallest of a few simple forms.
///
/// *Step*: first and difference, when every difference is the same (constants, row counters).
/// *Packed*: the distance to the minimum, bit-packed to the width of the largest. *Bytes*: the same distances
/// as whole bytes, byte plane by byte plane (all low bytes, then all next ones …), through zstd, which finds
/// repetition that packing cannot. Both also exist over the differences of neighbours when those
/// span fewer bits, as in sorted times. 1000, 1003, 1007, 1010 become differences 3, 4, 3 over a minimum of 3: one bit each.
///
/// Frame-of-reference and delta coding with bit packing: Lemire and Boytsov, "Decoding billions of
/// integers per second through vectorization" (2015).
enum IntegerStream {
  private enum Form: UInt8 {
    case step = 0
    case packed = 1
    case bytes = 2
    case deltaPacked = 3
    case deltaBytes = 4
  }

  /// Appends the form with the fewest bytes.
  ///
  /// - Complexity: O(values), two or three passes and at most one zstd run
  static func encode(_ values: [Int64], to writer: inout ByteWriter, compressor: Compressor?) {
    guard let first = values.first else {
      writer.append(Form.step.rawValue)
      writer.append(zigzag: 0)
      writer.append(zigzag: 0)
      return
    }
    let facts = Facts(values)
    if facts.minimalDelta == facts.maximalDelta {
      writer.append(Form.step.rawValue)
      writer.append(zigzag: first)
      writer.append(zigzag: facts.minimalDelta)
      return
    }
    let plainWidth = BitPacking.width(UInt64(bitPattern: facts.maximum &- facts.minimum))
    let deltaWidth = BitPacking.width(UInt64(bitPattern: facts.maximalDelta &- facts.minimalDelta))
    let usesDelta = !facts.deltaOverflows && deltaWidth < plainWidth
    let width = usesDelta ? deltaWidth : plainWidth
    let base = usesDelta ? facts.minimalDelta : facts.minimum
    let count = usesDelta ? values.count - 1 : values.count
    let packedSize =
      width > BitPacking.maximalWidth ? Int.max : BitPacking.byteCount(count: count, width: width)

    values.withUnsafeBufferPointer { v in
      let distance: (Int) -> UInt64 =
        usesDelta
        ? { i in UInt64(bitPattern: v[i + 1] &- v[i] &- base) }
        : { i in UInt64(bitPattern: v[i] &- base) }
      if count >= 64 || packedSize == Int.max {
        let planes = bytePlanes(count: count, width: width, distance)
        let small = planes.withUnsafeBytes { compressor?.compress($0) }
        if packedSize == Int.max || small.map({ $0.count < packedSize - packedSize / 32 }) == true {
          writer.append(usesDelta ? Form.deltaBytes.rawValue : Form.bytes.rawValue)
          if usesDelta { writer.append(zigzag: first) }
          writer.append(zigzag: base)
          writer.append(UInt8((width + 7) / 8))
          if let small {
            writer.append(compressedStream: small, rawCount: planes.count)
          } else {
            writer.append(stream: planes, compressor: nil)
          }
          return
        }
      }
      writer.append(usesDelta ? Form.deltaPacked.rawValue : Form.packed.rawValue)
      if usesDelta { writer.append(zigzag: first) }
      writer.append(zigzag: base)
      writer.append(UInt8(width))
      writer.append(contentsOf: BitPacking.pack(count: count, width: width, distance))
    }
  }

  private static func bytePlanes(count: Int, width: Int, _ distance: (Int) -> UInt64) -> [UInt8] {
    let planeCount = (width + 7) / 8
    return [UInt8](unsafeUninitializedCapacity: planeCount * count) { target, used in
      for i in 0..<count {
        var rest = distance(i)
        var position = i
        for _ in 0..<planeCount {
          target[position] = UInt8(truncatingIfNeeded: rest)
          rest &>>= 8
          position &+= count
        }
      }
      used = planeCount * count
    }
  }

  /// What one pass finds out.
  private struct Facts {
    var minimum: Int64
    var maximum: Int64
    var minimalDelta: Int64 = 0
    var maximalDelta: Int64 = 0
    var deltaOverflows = false

    init(_ values: [Int64]) {
      minimum = values[0]
      maximum = values[0]
      guard values.count > 1 else { return }
      minimalDelta = .max
      maximalDelta = .min
      var previous = values[0]
      for value in values.dropFirst() {
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        let (delta, overflow) = value.subtractingReportingOverflow(previous)
        deltaOverflows = deltaOverflows || overflow
        minimalDelta = min(minimalDelta, delta)
        maximalDelta = max(maximalDelta, delta)
        previous = value
      }
      if deltaOverflows {
        minimalDelta = .min
        maximalDelta = .max
      }
    }
  }

  /// Reads `count` values.
  static func decode(
    _ reader: inout ByteReader, count: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> [Int64] {
    let number = try reader.byte()
    guard let form = Form(rawValue: number) else {
      throw DecodingFailure("integer form \(number) is not known to this version")
    }
    switch form {
    case .step:
      let first = try reader.zigzag()
      let step = try reader.zigzag()
      var value = first
      return [Int64](unsafeUninitializedCapacity: count) { target, used in
        for i in 0..<count {
          target[i] = value
          value &+= step
        }
        used = count
      }
    case .packed, .bytes:
      let base = try reader.zigzag()
      return try distances(
        &reader, count: count, packed: form == .packed, decompressor: decompressor
      ) { distance in base &+ Int64(bitPattern: distance) }
    case .deltaPacked, .deltaBytes:
      guard count > 0 else { throw DecodingFailure("differences of nothing") }
      let first = try reader.zigzag()
      let base = try reader.zigzag()
      var previous = first
      return try distances(
        &reader, behind: first, count: count - 1, packed: form == .deltaPacked,
        decompressor: decompressor
      ) { distance in
        previous = previous &+ base &+ Int64(bitPattern: distance)
        return previous
      }
    }
  }

  /// Unpacks distances and turns each, in order, into a value.
  ///
  /// - Parameter first: a value before those of the distances.
  @inline(__always)
  private static func distances(
    _ reader: inout ByteReader, behind first: Int64? = nil, count: Int, packed: Bool,
    decompressor: Decompressor, _ value: (UInt64) -> Int64
  ) throws(DecodingFailure) -> [Int64] {
    let width = Int(try reader.byte())
    let start = first == nil ? 0 : 1
    if packed {
      guard width <= BitPacking.maximalWidth else {
        throw DecodingFailure("a width of \(width) bits")
      }
      let size = BitPacking.byteCount(count: count, width: width)
      var bytes = [UInt8](try reader.take(size))
      bytes.append(contentsOf: repeatElement(0, count: 8))
      return [Int64](unsafeUninitializedCapacity: start + count) { target, used in
        if let first { target[0] = first }
        bytes.withUnsafeBytes { raw in
          BitPacking.unpack(raw.baseAddress!, count: count, width: width) { i, distance in
            target[start &+ i] = value(distance)
          }
        }
        used = start + count
      }
    }
    guard width <= 8 else { throw DecodingFailure("integers of \(width) bytes") }
    let planes = try reader.stream(limit: width * count, decompressor: decompressor)
    guard planes.count == width * count else {
      throw DecodingFailure("byte planes of the wrong size")
    }
    return [Int64](unsafeUninitializedCapacity: start + count) { target, used in
      if let first { target[0] = first }
      planes.withUnsafeBufferPointer { planes in
        // Most are of one byte or two, and then the loop has no loop in it.
        switch width {
        case 1:
          for i in 0..<count { target[start &+ i] = value(UInt64(planes[i])) }
        case 2:
          for i in 0..<count {
            target[start &+ i] = value(UInt64(planes[i]) | UInt64(planes[count &+ i]) &<< 8)
          }
        default:
          for i in 0..<count {
            var distance: UInt64 = 0
            for plane in 0..<width {
              distance |= UInt64(planes[plane &* count &+ i]) &<< UInt64(plane &<< 3)
            }
            target[start &+ i] = value(distance)
          }
        }
      }
      used = start + count
    }
  }
}
