// How often things came in each part of a window, kept in as little as they take: most forms of text
// are rare, and most tokens of a form have few values.
//
//     entries   (web-1, part 0) × 4   (web-1, part 3) × 2   (web-2, part 0) × 1  |  (web-3, part 1) × 1
//               settled: sorted, no two alike, found by halving                  |  the rest, as it came
//
// What is new goes behind the settled ones; when that is a quarter of them, it is sorted in, and equal
// ones are added up. Each count so costs a few steps, whether there is one key or ten thousand.

/// Counts of keys by parts of a window.
struct PartTally: Sendable {
  struct Entry: Sendable {
    var key: UInt64
    var part: UInt32
    var count: UInt32

    @inline(__always)
    func precedes(_ other: Entry) -> Bool {
      key != other.key ? key < other.key : part < other.part
    }

    @inline(__always)
    func isLike(_ other: Entry) -> Bool { key == other.key && part == other.part }
  }

  /// Entries that wait to be sorted in, at least, and those of them that are looked at.
  private static let fewestLoose = 16

  private var entries: [Entry] = []
  private var settledCount: UInt32 = 0
  /// How many different keys the settled entries have.
  private(set) var keyCount: UInt32 = 0

  var isEmpty: Bool { entries.isEmpty }
  var byteCount: Int { entries.capacity * MemoryLayout<Entry>.stride }

  /// Adds to the count of a key.
  ///
  /// - Returns: whether `keyCount` has been counted anew.
  @inline(__always)
  mutating func add(_ key: UInt64, _ count: UInt32, part: Int) -> Bool {
    add(Entry(key: key, part: UInt32(truncatingIfNeeded: part), count: count))
  }

  private mutating func add(_ entry: Entry) -> Bool {
    if let place = place(of: entry) {
      entries[place].count &+= entry.count
      return false
    }
    entries.append(entry)
    return settleIfFull()
  }

  /// Where an entry like this one stands, but for one of many loose ones.
  private func place(of entry: Entry) -> Int? {
    var low = 0
    var high = Int(settledCount)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].precedes(entry) { low = middle + 1 } else { high = middle }
    }
    if low < Int(settledCount), entries[low].isLike(entry) { return low }
    var place = max(Int(settledCount), entries.count - Self.fewestLoose)
    while place < entries.count {
      if entries[place].isLike(entry) { return place }
      place += 1
    }
    return nil
  }

  /// Adds all counts of another tally.
  ///
  /// - Parameter change: what becomes of a key.
  /// - Returns: whether `keyCount` has been counted anew.
  mutating func add(_ other: PartTally, _ change: (UInt64) -> UInt64) -> Bool {
    if entries.isEmpty { entries.reserveCapacity(other.entries.count) }
    for var entry in other.entries {
      entry.key = change(entry.key)
      entries.append(entry)
    }
    return settleIfFull()
  }

  private mutating func settleIfFull() -> Bool {
    let loose = entries.count - Int(settledCount)
    guard loose >= max(Self.fewestLoose, Int(settledCount) / 4) else { return false }
    settle()
    return true
  }

  /// Sorts in what is loose and counts the keys.
  mutating func settle() {
    guard entries.count > Int(settledCount) else { return }
    entries[Int(settledCount)...].sort { $0.precedes($1) }
    var merged: [Entry] = []
    merged.reserveCapacity(entries.count)
    var keys: UInt32 = 0
    var (left, right) = (0, Int(settledCount))
    while left < Int(settledCount) || right < entries.count {
      let takesLeft =
        right == entries.count
        || (left < Int(settledCount) && !entries[right].precedes(entries[left]))
      let entry = entries[takesLeft ? left : right]
      if takesLeft { left += 1 } else { right += 1 }
      guard let last = merged.last, last.key == entry.key else {
        keys += 1
        merged.append(entry)
        continue
      }
      if last.part == entry.part {
        merged[merged.count - 1].count &+= entry.count
      } else {
        merged.append(entry)
      }
    }
    entries = merged
    settledCount = UInt32(truncatingIfNeeded: entries.count)
    keyCount = keys
  }

  /// Gives each key another one; keys that become the same are counted as one.
  mutating func changeKeys(_ change: (UInt64) -> UInt64) {
    for place in entries.indices { entries[place].key = change(entries[place].key) }
    settledCount = 0
    settle()
  }

  /// Calls `body` with each key and its counts in all parts; only for a settled tally.
  func forEach(_ body: (UInt64, [UInt32]) -> Void) {
    var place = 0
    while place < entries.count {
      let key = entries[place].key
      var counts = [UInt32](repeating: 0, count: TokenParts.count)
      while place < entries.count, entries[place].key == key {
        counts[Int(entries[place].part)] &+= entries[place].count
        place += 1
      }
      body(key, counts)
    }
  }
}
