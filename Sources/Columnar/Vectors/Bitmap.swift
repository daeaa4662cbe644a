/// One bit per row: the validity of a vector, or the rows that a condition keeps.
///
/// - Invariant: bits at and past `count` in the last word are zero, so that counting and
///   combining need no tail case.
package struct Bitmap: Sendable, Hashable {
  /// 64 rows a word, row 0 in the lowest bit of word 0.
  package private(set) var words: [UInt64]
  /// How many rows the bitmap covers.
  package let count: Int

  /// A bitmap whose bits all have the same value.
  package init(repeating bit: Bool, count: Int) {
    self.count = count
    words = [UInt64](repeating: bit ? ~0 : 0, count: (count + 63) >> 6)
    clearTail()
  }

  /// Takes ownership of ready words; bits past `count` are cleared.
  package init(words: [UInt64], count: Int) {
    precondition(words.count == (count + 63) >> 6, "a bitmap needs one word per 64 rows")
    self.words = words
    self.count = count
    clearTail()
  }

  private mutating func clearTail() {
    if count & 63 != 0 { words[words.count - 1] &= (1 << UInt64(count & 63)) &- 1 }
  }

  package subscript(row: Int) -> Bool {
    get { words[row >> 6] >> UInt64(row & 63) & 1 != 0 }
    set {
      let bit: UInt64 = 1 << UInt64(row & 63)
      if newValue { words[row >> 6] |= bit } else { words[row >> 6] &= ~bit }
    }
  }

  /// How many bits are set.
  ///
  /// - Complexity: O(count / 64)
  package var setCount: Int {
    var total = 0
    for word in words { total &+= word.nonzeroBitCount }
    return total
  }

  /// Whether every bit is set.
  package var isFull: Bool { setCount == count }

  /// Whether no bit is set.
  package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  /// Keeps the bits that are set in both.
  package mutating func formIntersection(_ other: Bitmap) {
    precondition(count == other.count, "bitmaps of different length")
    for i in words.indices { words[i] &= other.words[i] }
  }

  /// Keeps the bits that are set in either.
  package mutating func formUnion(_ other: Bitmap) {
    precondition(count == other.count, "bitmaps of different length")
    for i in words.indices { words[i] |= other.words[i] }
  }

  /// Turns every bit over.
  package mutating func invert() {
    for i in words.indices { words[i] = ~words[i] }
    clearTail()
  }

  /// Turns over the bits of some rows: of `rows[i]` where bit `i` of `chosen` is set.
  ///
  /// - Precondition: there is a bit in `chosen` for each row, and every row is below `count`.
  package mutating func flip(_ rows: [UInt32], where chosen: Bitmap) {
    precondition(chosen.count == rows.count, "bitmaps of different length")
    for (index, word) in chosen.words.enumerated() {
      var rest = word
      while rest != 0 {
        let row = rows[index << 6 &+ rest.trailingZeroBitCount]
        words[Int(row >> 6)] ^= 1 << UInt64(row & 63)
        rest &= rest &- 1
      }
    }
  }

  /// The numbers of the set bits, ascending.
  package func setRows() -> [UInt32] {
    var rows: [UInt32] = []
    rows.reserveCapacity(setCount)
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        rows.append(UInt32(truncatingIfNeeded: index << 6 &+ rest.trailingZeroBitCount))
        rest &= rest &- 1
      }
    }
    return rows
  }
}
