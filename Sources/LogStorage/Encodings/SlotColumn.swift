/// The values of one column before encoding: views into the raw bytes of the block they came from.
///
/// Nothing is copied until an encoding writes its stream. A view is the offset in the high and the
/// length in the low 32 bits of a word, as the scanner made it.
struct SlotColumn {
  /// The block's bytes; at least `RecordBlock.padding` readable bytes follow the last slot.
  let base: UnsafePointer<UInt8>
  let slots: UnsafeBufferPointer<UInt64>

  var count: Int { slots.count }

  @inline(__always)
  func start(_ i: Int) -> UnsafePointer<UInt8> { base + Int(slots[i] >> 32) }

  @inline(__always)
  func length(_ i: Int) -> Int { Int(slots[i] & 0xFFFF_FFFF) }

  @inline(__always)
  func bytes(_ i: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start(i), count: length(i))
  }

  /// Sum of the lengths of all values.
  var byteCount: Int {
    var total: UInt64 = 0
    for slot in slots { total &+= slot & 0xFFFF_FFFF }
    return Int(total)
  }

  /// Whether values `i` and `j` have the same bytes.
  @inline(__always)
  func equal(_ i: Int, _ j: Int) -> Bool {
    let n = length(i)
    return n == length(j) && memoryEqual(start(i), start(j), n)
  }
}

/// Whether two runs of `count` bytes agree; eight at a time.
@inline(__always)
func memoryEqual(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let x = UnsafeRawPointer(a)
  let y = UnsafeRawPointer(b)
  var i = 0
  while i &+ 8 <= count {
    if x.loadUnaligned(fromByteOffset: i, as: UInt64.self)
      != y.loadUnaligned(fromByteOffset: i, as: UInt64.self)
    {
      return false
    }
    i &+= 8
  }
  while i < count {
    if a[i] != b[i] { return false }
    i &+= 1
  }
  return true
}

/// A fast 64-bit hash of short texts (multiply and fold, after Wang Yi's wyhash); it only ever
/// narrows a search that bytes then decide.
@inline(__always)
func shortHash(_ p: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
  let raw = UnsafeRawPointer(p)
  var h: UInt64 = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
  var i = 0
  while i &+ 8 <= count {
    h = fold(h ^ raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))
    i &+= 8
  }
  if i < count {
    var tail: UInt64 = 0
    while i < count {
      tail = tail &<< 8 | UInt64(p[i])
      i &+= 1
    }
    h = fold(h ^ tail)
  }
  return fold(h)
}

@inline(__always)
private func fold(_ x: UInt64) -> UInt64 {
  let (high, low) = (x ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
  return high ^ low
}
