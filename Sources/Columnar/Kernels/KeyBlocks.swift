// The keys of a table of byte strings. They are written one behind the other into blocks, each behind
// its length; a block that is full stays where it is and the next one is begun, up to a size twice as large
// as the one before. What is kept per key is where it lies:
//
//     block 0   3 abc  5 hello        block 1   2 hi  7 …
//                 ↑      ↑                        ↑
//     places      0      1                        2
//
// A key longer than a block has a block of its own.

/// Byte strings by number, which stay where they are.
struct KeyBlocks: Sendable {
  private static let smallestBlock = 256
  private static let largestBlock = 1 << 20

  private var blocks: [KeyBlock] = []
  private var places: [KeyPlace] = []
  /// Bytes written into the last block.
  private var used = 0
  /// Bytes of all blocks.
  private var blockByteCount = 0

  var count: Int { places.count }

  /// Bytes that the keys occupy.
  var byteCount: Int { blockByteCount + places.capacity * MemoryLayout<KeyPlace>.stride }

  /// Calls `body` with where the keys lie, which is true as long as it runs.
  @inline(__always)
  func withKeys<R>(_ body: (UnsafeBufferPointer<KeyPlace>) -> R) -> R {
    withExtendedLifetime(blocks) { places.withUnsafeBufferPointer(body) }
  }

  mutating func append(_ key: UnsafeBufferPointer<UInt8>) {
    precondition(key.count <= UInt32.max, "a key of more than 4 GiB")
    let byteCount = KeyPlace.lengthByteCount + key.count
    if !hasRoom(byteCount) { addBlock(byteCount) }
    // The block has room for the length and the key, and is in no other table.
    let place = blocks[blocks.count - 1].bytes + used
    place.storeBytes(of: UInt32(truncatingIfNeeded: key.count), as: UInt32.self)
    if let base = key.baseAddress {
      (place + KeyPlace.lengthByteCount).copyMemory(from: base, byteCount: key.count)
    }
    places.append(KeyPlace(start: UnsafeRawPointer(place)))
    used += byteCount
  }

  /// Whether the last block has room for so many bytes and nobody else writes to it: copies of a table share
  /// their blocks.
  private mutating func hasRoom(_ byteCount: Int) -> Bool {
    guard let last = blocks.indices.last, blocks[last].capacity - used >= byteCount else {
      return false
    }
    return isKnownUniquelyReferenced(&blocks[last])
  }

  @inline(never)
  private mutating func addBlock(_ byteCount: Int) {
    let usual = min(max(Self.smallestBlock, blockByteCount), Self.largestBlock)
    let block = KeyBlock(capacity: max(usual, byteCount))
    blocks.append(block)
    blockByteCount += block.capacity
    used = 0
  }
}

/// Where a key lies: its length, then its bytes.
///
/// `@unchecked Sendable` holds because what it points to is written before it is made and never after.
struct KeyPlace: @unchecked Sendable {
  static let lengthByteCount = MemoryLayout<UInt32>.size

  let start: UnsafeRawPointer

  @inline(__always)
  var bytes: UnsafeBufferPointer<UInt8> {
    let count = Int(start.loadUnaligned(as: UInt32.self))
    let first = (start + Self.lengthByteCount).assumingMemoryBound(to: UInt8.self)
    return UnsafeBufferPointer(start: first, count: count)
  }
}

/// Memory that some keys lie in.
///
/// `@unchecked Sendable` holds because bytes of it that a ``KeyPlace`` points to are not written again, and the
/// others are written by the one table that has the block to itself.
private final class KeyBlock: @unchecked Sendable {
  let bytes: UnsafeMutableRawPointer
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    bytes = .allocate(byteCount: capacity, alignment: 8)
  }

  deinit { bytes.deallocate() }
}
