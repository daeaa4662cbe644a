/// XXH64 (Yann Collet, "xxHash fast digest algorithm", version 0.1.1), the checksum of every stored
/// chunk, footer and log record, and the hash of canonical values in sketches.
///
/// Not cryptographic: it finds the faults of disks, cables and programmers, not of attackers.
///
/// The algorithm reads 32-byte stripes into four independent lanes, mixes each lane by
/// multiply-rotate-multiply, folds the lanes, adds what is left over in pieces of 8, 4 and 1 bytes,
/// and finally avalanches. Example: `XXH64.hash("abc")` with seed 0 has no stripe and
/// no 8-byte piece, so it is seed + P5 + 3, then three 1-byte steps, then the avalanche:
/// 0x44BC2CF5AD770999.
package struct XXH64: Sendable {
  private var lane1: UInt64
  private var lane2: UInt64
  private var lane3: UInt64
  private var lane4: UInt64
  private let seed: UInt64
  private var total: UInt64 = 0
  /// Bytes that do not fill a stripe yet, fewer than 32.
  private var pending: [UInt8] = []

  /// Starts a checksum over bytes that come in pieces.
  package init(seed: UInt64 = 0) {
    self.seed = seed
    lane1 = seed &+ Self.prime1 &+ Self.prime2
    lane2 = seed &+ Self.prime2
    lane3 = seed
    lane4 = seed &- Self.prime1
  }

  /// The XXH64 of all bytes at once.
  ///
  /// - Complexity: O(bytes), several GB/s.
  package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    var checksum = XXH64(seed: seed)
    let striped = bytes.count & ~31
    checksum.consumeStripes(UnsafeRawBufferPointer(rebasing: bytes[..<striped]))
    checksum.total = UInt64(bytes.count)
    return checksum.finish(UnsafeRawBufferPointer(rebasing: bytes[striped...]))
  }

  /// The XXH64 of all bytes at once.
  package static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { hash($0, seed: seed) }
  }

  /// Adds bytes; how they are cut into pieces does not matter.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    total &+= UInt64(bytes.count)
    var rest = bytes
    if !pending.isEmpty {
      let missing = min(32 - pending.count, rest.count)
      pending.append(contentsOf: rest[..<missing])
      rest = UnsafeRawBufferPointer(rebasing: rest[missing...])
      guard pending.count == 32 else { return }
      let full = pending
      full.withUnsafeBytes { consumeStripes($0) }
      pending.removeAll(keepingCapacity: true)
    }
    let striped = rest.count & ~31
    consumeStripes(UnsafeRawBufferPointer(rebasing: rest[..<striped]))
    pending.append(contentsOf: rest[striped...])
  }

  /// The checksum of everything added so far; more may be added afterwards.
  package var value: UInt64 { pending.withUnsafeBytes { finish($0) } }

  // MARK: - The algorithm

  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// - Precondition: `bytes.count` is a multiple of 32.
  private mutating func consumeStripes(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count >= 32 else { return }
    var (a, b, c, d) = (lane1, lane2, lane3, lane4)
    var offset = 0
    let end = bytes.count
    while offset < end {
      a = Self.mix(a, Self.load64(base + offset))
      b = Self.mix(b, Self.load64(base + offset + 8))
      c = Self.mix(c, Self.load64(base + offset + 16))
      d = Self.mix(d, Self.load64(base + offset + 24))
      offset &+= 32
    }
    (lane1, lane2, lane3, lane4) = (a, b, c, d)
  }

  /// Folds the lanes and the last bytes, fewer than 32.
  private func finish(_ tail: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64
    if total >= 32 {
      hash =
        Self.rotate(lane1, 1) &+ Self.rotate(lane2, 7) &+ Self.rotate(lane3, 12)
        &+ Self.rotate(lane4, 18)
      hash = (hash ^ Self.mix(0, lane1)) &* Self.prime1 &+ Self.prime4
      hash = (hash ^ Self.mix(0, lane2)) &* Self.prime1 &+ Self.prime4
      hash = (hash ^ Self.mix(0, lane3)) &* Self.prime1 &+ Self.prime4
      hash = (hash ^ Self.mix(0, lane4)) &* Self.prime1 &+ Self.prime4
    } else {
      hash = seed &+ Self.prime5
    }
    return Self.avalanche(Self.fold(tail, into: hash &+ total))
  }

  private static func fold(_ tail: UnsafeRawBufferPointer, into start: UInt64) -> UInt64 {
    guard let base = tail.baseAddress else { return start }
    var hash = start
    var offset = 0
    while offset + 8 <= tail.count {
      hash = rotate(hash ^ mix(0, load64(base + offset)), 27) &* prime1 &+ prime4
      offset += 8
    }
    if offset + 4 <= tail.count {
      let word = UInt32(littleEndian: (base + offset).loadUnaligned(as: UInt32.self))
      hash = rotate(hash ^ (UInt64(word) &* prime1), 23) &* prime2 &+ prime3
      offset += 4
    }
    while offset < tail.count {
      hash = rotate(hash ^ (UInt64(tail[offset]) &* prime5), 11) &* prime1
      offset += 1
    }
    return hash
  }

  private static func avalanche(_ value: UInt64) -> UInt64 {
    var hash = value
    hash = (hash ^ (hash >> 33)) &* prime2
    hash = (hash ^ (hash >> 29)) &* prime3
    return hash ^ (hash >> 32)
  }

  @inline(__always)
  private static func mix(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value &<< bits) | (value &>> (64 &- bits))
  }

  @inline(__always)
  private static func load64(_ pointer: UnsafeRawPointer) -> UInt64 {
    UInt64(littleEndian: pointer.loadUnaligned(as: UInt64.self))
  }
}
