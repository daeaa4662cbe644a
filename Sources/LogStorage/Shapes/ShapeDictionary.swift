/// The distinct shapes met by one scanner, numbered in order of first use. Shape 0 is `Shape.text`.
///
/// A key is found by its 64-bit hash and confirmed byte by byte; a hash alone never decides. A new
/// key is resolved to paths once.
struct ShapeDictionary {
  private var entries: [ShapeResolver.Resolution] = []
  private var hashes: [UInt64] = []
  /// Open addressing; 0 is empty, else shape + 1. Always a power of two, at most half full.
  private var slots = [UInt32](repeating: 0, count: 2_048)
  private let seed = UInt64.random(in: .min ... .max)
  private var resolver: ShapeResolver
  /// Bytes held, roughly.
  private(set) var byteCount = 0

  /// - Parameter timeFields: Paths of fields that may hold the event time, best first, no two alike.
  init(timeFields: [String]) {
    resolver = ShapeResolver(timeFields: timeFields)
    entries.append(
      ShapeResolver.Resolution(shape: .text, timeSlots: [], hasRepeatedContainer: false))
    hashes.append(0)
  }

  var count: Int { entries.count }

  /// The shape with this number.
  func shape(_ index: Int) -> Shape { entries[index].shape }

  /// Whether records of a shape are kept as texts, as their slots do not tell which value of a key is the last.
  func isKeptAsText(_ index: Int) -> Bool { entries[index].hasRepeatedContainer }

  /// The slots of a shape that may hold the event time, best first.
  func timeSlots(_ index: Int) -> [ShapeResolver.TimeSlot] { entries[index].timeSlots }

  /// The number of the shape with this key; a new shape is added.
  ///
  /// - Parameter key: Made by `ShapeParser` from a valid record.
  mutating func index(of key: UnsafeBufferPointer<UInt8>) -> (index: Int, isNew: Bool) {
    let hash = XXH64.hash(UnsafeRawBufferPointer(key), seed: seed)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if hashes[index] == hash, isEqual(entries[index].shape.key, key) { return (index, false) }
      slot = (slot + 1) & (slots.count - 1)
    }
    let resolution = resolver.resolve(key)
    entries.append(resolution)
    hashes.append(hash)
    slots[slot] = UInt32(entries.count)
    byteCount +=
      key.count + resolution.shape.slots.count * MemoryLayout<SlotDescriptor>.stride + 128
    if entries.count * 2 > slots.count { grow() }
    return (entries.count - 1, true)
  }

  private func isEqual(_ stored: [UInt8], _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    guard stored.count == key.count else { return false }
    return stored.withUnsafeBufferPointer { $0.elementsEqual(key) }
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for index in 1..<entries.count {
      var slot = Int(truncatingIfNeeded: hashes[index]) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index) + 1
    }
  }
}
