import Glibc

/// Which ids the pool of a row group may hold: six bits for each id that it has.
///
/// Ids are noise, so a row group stores them as they are, and a search for one would read every pool. The filter answers
/// before: an id that is there is always let through, one that is not is turned away 31 times of 32.
///
/// It is a table of fingerprints of five bits. A hash of an id names three places and a fingerprint; the table is filled so
/// that the three places of each id, xored, give its fingerprint:
///
///     id a    places 0 4 8     fingerprint 5      table  0 1 2 3 4 5 6 7 8 9 …
///     id b    places 1 4 9     fingerprint 2             7 0 . . 2 . . . 0 0        a: 7 ^ 2 ^ 0 = 5, b: 0 ^ 2 ^ 0 = 2
///
/// Filling is undoing: as long as some place is named by one id only, that id is set aside, and no longer counts.
/// When all are set aside, they are put back in the opposite order, each into the place that was its own: nothing that comes later
/// disturbs it. The three places lie in neighbouring segments of the table, which makes this succeed with a
/// table hardly larger than the ids; if it does not, another seed is tried.
///
/// T. M. Graf, D. Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters" (2022).
struct IdentifierFilter: Sendable {
  /// Bits of a fingerprint in filters that are made now.
  static let widthNow = 5
  /// Widths that filters may have; those of the first stores have the least.
  private static let widths = 3...8
  /// Pools smaller than this, in bytes, are as soon searched themselves.
  private static let leastPoolByteCount = 16 << 10
  private static let mostSeeds: UInt64 = 64

  private let seed: UInt64
  private let layout: Layout
  /// Bits of a fingerprint.
  private let width: Int
  /// Fingerprints, bit-packed, with room behind them to read eight bytes at the last one.
  private let table: [UInt8]

  var byteCount: Int { table.count }

  /// The sizes of the table's parts.
  private struct Layout: Sendable {
    let segmentBits: Int
    let segmentCount: Int

    var count: Int { (segmentCount + 2) << segmentBits }

    /// - Precondition: `segmentBits` is at most 18 and `segmentCount` below 2^32.
    init(segmentBits: Int, segmentCount: Int) {
      self.segmentBits = segmentBits
      self.segmentCount = segmentCount
    }

    /// Segments that suffice for `count` ids, and are few enough to be small.
    init(ids count: Int) {
      // Powers of 3.33, roughly, as the paper found.
      var bits = 2
      var power = 1.7
      while power < Double(count), bits < 18 {
        power *= 3.33
        bits += 1
      }
      segmentBits = bits
      // Small tables need more room: 1.125 places an id for a million ids, 1.2 for fifty thousand.
      let factor = max(1.125, 0.875 + 0.25 * log(1e6) / log(Double(count)))
      let places = Int(Double(count) * factor)
      segmentCount = max(1, (places + (1 << bits) - 1) >> bits - 2)
    }

    /// One of the three places of a hash, which differ.
    @inline(__always)
    func place(_ number: Int, _ hash: UInt64) -> Int {
      let length = UInt64(1) << UInt64(segmentBits)
      let first = hash.multipliedFullWidth(by: UInt64(segmentCount) << UInt64(segmentBits)).high
      return switch number {
      case 0: Int(first)
      case 1: Int((first + length) ^ (hash >> 18 & (length - 1)))
      default: Int((first + 2 * length) ^ (hash & (length - 1)))
      }
    }
  }

  /// Makes the filter of a pool; `nil` if the pool is small or, which is next to impossible, no seed fits.
  ///
  /// - Parameters:
  ///   - width: bytes of an id.
  ///   - fingerprintWidth: bits.
  /// - Complexity: O(ids)
  init?(pool: [UInt8], width: Int, fingerprintWidth: Int = Self.widthNow) {
    guard width >= 8, pool.count >= Self.leastPoolByteCount else { return nil }
    let layout = Layout(ids: pool.count / width)
    for seed in 0..<Self.mostSeeds {
      let hashes = Self.hashes(pool, width: width, seed: seed)
      guard let fingerprints = Self.fill(hashes, layout, width: fingerprintWidth) else { continue }
      self.seed = seed
      self.layout = layout
      self.width = fingerprintWidth
      var table = fingerprints.withUnsafeBufferPointer { fingerprints in
        BitPacking.pack(count: layout.count, width: fingerprintWidth) {
          UInt64(fingerprints[$0])
        }
      }
      table.append(contentsOf: repeatElement(0, count: 8))
      self.table = table
      return
    }
    return nil
  }

  /// Whether the pool may hold an id; `false` is certain.
  func mayHold(_ id: [UInt8]) -> Bool {
    let hash = id.withUnsafeBytes { XXH64.hash($0, seed: seed) }
    let found = (0..<3).reduce(0) { $0 ^ fingerprint(layout.place($1, hash)) }
    return found == Self.fingerprint(hash, width: width)
  }

  private func fingerprint(_ place: Int) -> UInt8 {
    let bit = place * width
    let pair = UInt16(table[bit >> 3]) | UInt16(table[bit >> 3 + 1]) << 8
    return UInt8(truncatingIfNeeded: pair >> UInt16(bit & 7)) & (0xFF >> UInt8(8 - width))
  }

  /// Bits that no place depends on alone.
  @inline(__always)
  private static func fingerprint(_ hash: UInt64, width: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - width))
  }

  private static func hashes(_ pool: [UInt8], width: Int, seed: UInt64) -> [UInt64] {
    pool.withUnsafeBytes { bytes in
      (0..<pool.count / width).map { i in
        XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[i * width..<(i + 1) * width]), seed: seed)
      }
    }
  }

  /// The fingerprint of each place, or `nil` if the ids cannot all be set aside.
  private static func fill(_ hashes: [UInt64], _ layout: Layout, width: Int) -> [UInt8]? {
    // How many ids name a place, and the xor of their hashes: of one id, its hash.
    var counts = [UInt32](repeating: 0, count: layout.count)
    var sums = [UInt64](repeating: 0, count: layout.count)
    for hash in hashes {
      for number in 0..<3 {
        let place = layout.place(number, hash)
        counts[place] += 1
        sums[place] ^= hash
      }
    }
    var alone = counts.indices.filter { counts[$0] == 1 }
    var aside: [(hash: UInt64, place: Int)] = []
    aside.reserveCapacity(hashes.count)
    while let place = alone.popLast() {
      guard counts[place] == 1 else { continue }
      let hash = sums[place]
      aside.append((hash, place))
      for number in 0..<3 {
        let other = layout.place(number, hash)
        counts[other] -= 1
        sums[other] ^= hash
        if counts[other] == 1 { alone.append(other) }
      }
    }
    guard aside.count == hashes.count else { return nil }
    var fingerprints = [UInt8](repeating: 0, count: layout.count)
    for (hash, place) in aside.reversed() {
      // The place itself is still 0.
      fingerprints[place] = (0..<3).reduce(fingerprint(hash, width: width)) {
        $0 ^ fingerprints[layout.place($1, hash)]
      }
    }
    return fingerprints
  }

  // MARK: Stored form

  /// Appends the filter: seed, bits of a segment and, from the sixth bit on, by how much fingerprints are wider than the
  /// least; segments, fingerprints.
  func write(to writer: inout ByteWriter) {
    writer.append(varint: seed)
    writer.append(UInt8(layout.segmentBits | (width - Self.widths.lowerBound) << 5))
    writer.append(varint: layout.segmentCount)
    writer.append(contentsOf: Array(table.dropLast(8)))
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    seed = try reader.varint()
    let form = Int(try reader.byte())
    let bits = form & 31
    guard bits <= 18 else { throw DecodingFailure("a filter with segments of 2^\(bits) places") }
    width = Self.widths.lowerBound + form >> 5
    guard Self.widths.contains(width) else {
      throw DecodingFailure("a filter with fingerprints of \(width) bits")
    }
    let segments = try reader.count(limit: reader.remaining * 8)
    guard segments > 0 else { throw DecodingFailure("a filter without segments") }
    layout = Layout(segmentBits: bits, segmentCount: segments)
    let stored = try reader.take(
      BitPacking.byteCount(count: layout.count, width: width))
    table = Array(stored) + [UInt8](repeating: 0, count: 8)
  }
}
