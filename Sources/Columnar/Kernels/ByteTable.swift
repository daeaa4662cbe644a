// Hash tables from keys to dense numbers: the first key gets 0, the next new one 1, and so on. They
// are the ground of grouping, of `dedup`, of long `in` lists and of merging dictionaries.
//
// Open addressing with linear probing, at most three quarters full. A slot holds the upper half of
// the key's hash and the key's number plus one, so that most foreign keys are turned away without
// looking at their bytes. The same half tells the slot, so a table that grows looks at no key again. The hash is seeded: with a fixed one, a log could be written whose keys all
// collide.
//
// The keys themselves lie in blocks that stay where they are (KeyBlocks): a buffer that doubles would
// for a moment take three times what the keys do, which are most of a table of long texts.

/// Hashes for tables in memory; not stable across processes.
package enum TableHash {
  /// A fresh seed for this process.
  package static let seed = UInt64.random(in: .min ... .max)

  /// Both halves of the full product, folded: every bit of the result hangs on every bit given.
  @inline(__always)
  static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  @inline(__always)
  package static func hash(_ word: UInt64, seed: UInt64) -> UInt64 {
    mix(word ^ seed ^ 0x9E37_79B9_7F4A_7C15, seed ^ 0xD6E8_FEB8_6659_FD93)
  }

  @inline(__always)
  package static func hash(_ bytes: UnsafeBufferPointer<UInt8>, seed: UInt64) -> UInt64 {
    let count = bytes.count
    guard let base = UnsafeRawPointer(bytes.baseAddress), count > 0 else {
      return hash(0, seed: seed)
    }
    // All loads below lie within 0..<count: the loop stops before the last 16 bytes, the tail reads
    // backwards from the end or forwards from the start.
    @inline(__always) func word(_ offset: Int) -> UInt64 {
      base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    @inline(__always) func half(_ offset: Int) -> UInt64 {
      UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    var state = seed ^ (UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15)
    var offset = 0
    while count &- offset > 16 {
      state = mix(word(offset) ^ 0xA076_1D64_78BD_642F, word(offset &+ 8) ^ state)
      offset &+= 16
    }
    let a: UInt64
    let b: UInt64
    if count >= 16 {
      (a, b) = (word(count &- 16), word(count &- 8))
    } else if count >= 8 {
      (a, b) = (word(0), word(count &- 8))
    } else if count >= 4 {
      (a, b) = (half(0), half(count &- 4))
    } else {
      (a, b) = (UInt64(bytes[0]) << 16 | UInt64(bytes[count >> 1]) << 8, UInt64(bytes[count &- 1]))
    }
    return mix(mix(a ^ 0xE703_7ED1_A0B4_28DB, b ^ state), seed ^ 0x8EBC_6AF0_9C88_C6E3)
  }
}

/// Byte strings and their dense numbers.
///
/// Keys of up to eight bytes stand in the slots themselves, as a word: names, codes and short ids are then found with one
/// access to memory in place of three.
package struct ByteTable: Sendable {
  private let seed: UInt64
  private var slots: [UInt64]
  private var longCount = 0
  private var shortSlots: [ShortSlot]
  private var keys = KeyBlocks()

  /// Keys whose slots are fetched together.
  private static let batch = 64
  /// Keeps fetching from being taken for useless.
  private var fetchedNumbers: UInt32 = 0

  private struct ShortSlot: Sendable {
    /// The bytes of the key, the first one lowest. None ends in a zero byte, so that its length need not be kept.
    var word: UInt64 = 0
    /// Number of the key plus one; 0 for an empty slot.
    var number: UInt32 = 0
  }

  package init(seed: UInt64 = TableHash.seed) {
    self.seed = seed
    slots = [UInt64](repeating: 0, count: 16)
    shortSlots = [ShortSlot](repeating: ShortSlot(), count: 16)
  }

  /// How many keys there are.
  package var count: Int { keys.count }

  /// Bytes the table occupies.
  package var byteCount: Int {
    slots.capacity * 8 + shortSlots.capacity * MemoryLayout<ShortSlot>.stride + keys.byteCount
  }

  /// The number of a key, which is `count` before the call if the key is new.
  package mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> UInt32 {
    if let word = Self.word(key) {
      let (found, slot) = search(word)
      if let found { return found }
      return add(key, word, at: slot)
    }
    let hash = TableHash.hash(key, seed: seed)
    let (found, slot) = search(key, hash)
    if let found { return found }
    return add(key, hash: hash, at: slot)
  }

  /// The numbers of many keys, new ones numbered in their order.
  ///
  /// The slots of a batch of keys are fetched before the first of them is looked at: a large table lies far from the
  /// processor, and so it waits for many slots at once.
  ///
  /// - Parameter key: the bytes of key `i`.
  @inline(__always)
  package mutating func insert(
    _ count: Int, _ key: (Int) -> UnsafeBufferPointer<UInt8>
  ) -> [UInt32] {
    var numbers: [UInt32] = []
    numbers.reserveCapacity(count)
    var start = 0
    while start < count {
      let end = min(count, start + Self.batch)
      let mask = shortSlots.count &- 1
      var fetched: UInt32 = 0
      shortSlots.withUnsafeBufferPointer { slots in
        for i in start..<end {
          if let word = Self.word(key(i)) {
            fetched |=
              slots[Int(truncatingIfNeeded: TableHash.hash(word, seed: seed)) & mask].number
          }
        }
      }
      fetchedNumbers |= fetched
      for i in start..<end { numbers.append(insert(key(i))) }
      start = end
    }
    return numbers
  }

  /// The numbers of the keys of another table that have these numbers there.
  package mutating func insert(_ others: [UInt32], of other: ByteTable) -> [UInt32] {
    var numbers = insert(others[..<min(others.count, StopPoint.rowsBetween)], of: other)
    while numbers.count < others.count {
      // Nobody will look at the rest.
      if StopPoint.isPassed { return numbers.filled(to: others.count, with: numbers[0]) }
      let end = min(others.count, numbers.count + StopPoint.rowsBetween)
      numbers += insert(others[numbers.count..<end], of: other)
    }
    return numbers
  }

  private mutating func insert(_ others: ArraySlice<UInt32>, of other: ByteTable) -> [UInt32] {
    other.keys.withKeys { keys in
      others.withUnsafeBufferPointer { others in
        insert(others.count) { keys[Int(others[$0])].bytes }
      }
    }
  }

  /// The number of a key, or `nil` if it was never inserted.
  package func find(_ key: UnsafeBufferPointer<UInt8>) -> UInt32? {
    if let word = Self.word(key) { return search(word).found }
    return search(key, TableHash.hash(key, seed: seed)).found
  }

  /// The ranks of some keys among one another, in the order of `sort`, from 1.
  ///
  /// - Parameter limit: how many of the first are wanted; only ranks up to it tell keys apart.
  package func ranks(of numbers: [UInt32], limit: Int = .max) -> [UInt64] {
    keys.withKeys { keys in
      TextRanks.ranks(numbers.count, limit: limit) { keys[Int(numbers[$0])].bytes }
    }
  }

  /// Calls `body` with the bytes of the key of a number.
  package func withKey<R>(_ number: UInt32, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    keys.withKeys { body($0[Int(number)].bytes) }
  }

  // MARK: Short keys

  /// A short key as a word; `nil` for the others.
  @inline(__always)
  private static func word(_ key: UnsafeBufferPointer<UInt8>) -> UInt64? {
    let count = key.count
    guard count > 0, count <= 8, let base = key.baseAddress, base[count &- 1] != 0 else {
      return nil
    }
    let raw = UnsafeRawPointer(base)
    // All loads lie within the key; where two overlap, they bring the same bits to the same places.
    if count >= 4 {
      let low = UInt64(UInt32(littleEndian: raw.loadUnaligned(as: UInt32.self)))
      let high = UInt64(
        UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)))
      return low | high &<< UInt64((count &- 4) &* 8)
    }
    let middle = count >> 1
    return UInt64(base[0]) | UInt64(base[middle]) &<< UInt64(middle &* 8)
      | UInt64(base[count &- 1]) &<< UInt64((count &- 1) &* 8)
  }

  @inline(__always)
  private func search(_ word: UInt64) -> (found: UInt32?, slot: Int) {
    let mask = shortSlots.count &- 1
    var slot = Int(truncatingIfNeeded: TableHash.hash(word, seed: seed)) & mask
    return shortSlots.withUnsafeBufferPointer { slots in
      while true {
        let content = slots[slot]
        if content.number == 0 { return (nil, slot) }
        if content.word == word { return (content.number &- 1, slot) }
        slot = (slot &+ 1) & mask
      }
    }
  }

  @inline(never)
  private mutating func add(
    _ key: UnsafeBufferPointer<UInt8>, _ word: UInt64, at slot: Int
  ) -> UInt32 {
    let number = append(key)
    shortSlots[slot] = ShortSlot(word: word, number: number &+ 1)
    if (count - longCount) * 4 > shortSlots.count * 3 { growShort() }
    return number
  }

  private mutating func growShort() {
    var larger = [ShortSlot](repeating: ShortSlot(), count: shortSlots.count * 2)
    let mask = larger.count - 1
    for content in shortSlots where content.number != 0 {
      var slot = Int(truncatingIfNeeded: TableHash.hash(content.word, seed: seed)) & mask
      while larger[slot].number != 0 { slot = (slot &+ 1) & mask }
      larger[slot] = content
    }
    shortSlots = larger
  }

  // MARK: Long keys

  @inline(__always)
  private func search(
    _ key: UnsafeBufferPointer<UInt8>, _ hash: UInt64
  ) -> (found: UInt32?, slot: Int) {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: hash >> 32) & mask
    while true {
      let content = slots[slot]
      if content == 0 { return (nil, slot) }
      if content >> 32 == hash >> 32 {
        let number = Int(content & 0xFFFF_FFFF) &- 1
        let isEqual = keys.withKeys { TextBytes.areEqual($0[number].bytes, key) }
        if isEqual { return (UInt32(truncatingIfNeeded: number), slot) }
      }
      slot = (slot &+ 1) & mask
    }
  }

  @inline(never)
  private mutating func add(
    _ key: UnsafeBufferPointer<UInt8>, hash: UInt64, at slot: Int
  ) -> UInt32 {
    let number = append(key)
    slots[slot] = (hash & ~0xFFFF_FFFF) | UInt64(number &+ 1)
    longCount += 1
    if longCount * 4 > slots.count * 3 { growLong() }
    return number
  }

  private mutating func append(_ key: UnsafeBufferPointer<UInt8>) -> UInt32 {
    precondition(count < UInt32.max - 1, "more keys than 32 bits number")
    let number = UInt32(truncatingIfNeeded: count)
    keys.append(key)
    return number
  }

  private mutating func growLong() {
    var larger = [UInt64](repeating: 0, count: slots.count * 2)
    let mask = larger.count - 1
    for content in slots where content != 0 {
      var slot = Int(truncatingIfNeeded: content >> 32) & mask
      while larger[slot] != 0 { slot = (slot &+ 1) & mask }
      larger[slot] = content
    }
    slots = larger
  }
}

/// 64-bit words and their dense numbers.
package struct WordTable: Sendable {
  private let seed: UInt64
  /// Number of the key in a slot plus one; 0 for an empty slot.
  private var slots: [UInt32]
  /// Keys by number.
  package private(set) var keys: [UInt64] = []

  package init(seed: UInt64 = TableHash.seed) {
    self.seed = seed
    slots = [UInt32](repeating: 0, count: 16)
  }

  /// Bytes the table occupies.
  package var byteCount: Int { slots.capacity * 4 + keys.capacity * 8 }

  /// The number of a key, which is `keys.count` before the call if the key is new.
  @inline(__always)
  package mutating func insert(_ key: UInt64) -> UInt32 {
    let (found, slot) = search(key)
    if let found { return found }
    return add(key, at: slot)
  }

  /// The number of a key, or `nil` if it was never inserted.
  package func find(_ key: UInt64) -> UInt32? { search(key).found }

  /// The numbers of many keys, new ones numbered in their order.
  ///
  /// - Complexity: O(keys)
  package mutating func insert(_ words: [UInt64]) -> [UInt32] {
    var numbers: [UInt32] = []
    numbers.reserveCapacity(words.count)
    for word in words { numbers.append(insert(word)) }
    return numbers
  }

  @inline(__always)
  private func search(_ key: UInt64) -> (found: UInt32?, slot: Int) {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: TableHash.hash(key, seed: seed)) & mask
    while true {
      let content = slots[slot]
      if content == 0 { return (nil, slot) }
      if keys[Int(content &- 1)] == key { return (content &- 1, slot) }
      slot = (slot &+ 1) & mask
    }
  }

  @inline(never)
  private mutating func add(_ key: UInt64, at slot: Int) -> UInt32 {
    let number = UInt32(truncatingIfNeeded: keys.count)
    slots[slot] = number &+ 1
    keys.append(key)
    if keys.count * 4 > slots.count * 3 { grow() }
    return number
  }

  private mutating func grow() {
    precondition(keys.count < UInt32.max - 1, "more keys than 32 bits number")
    var larger = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = larger.count - 1
    for (number, key) in keys.enumerated() {
      var slot = Int(truncatingIfNeeded: TableHash.hash(key, seed: seed)) & mask
      while larger[slot] != 0 { slot = (slot &+ 1) & mask }
      larger[slot] = UInt32(number + 1)
    }
    slots = larger
  }
}
