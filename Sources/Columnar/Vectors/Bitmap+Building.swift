extension Bitmap {
  /// A bitmap whose bit `row` is what `test(row)` says, called once per row in ascending order.
  ///
  /// Inlined into its caller, so that a kernel's comparison becomes the body of a loop that fills
  /// one word per 64 rows without a branch.
  @inline(__always)
  package init(count: Int, where test: (Int) -> Bool) {
    let words = [UInt64](unsafeUninitializedCapacity: (count + 63) >> 6) { buffer, used in
      let whole = count >> 6
      for index in 0..<whole {
        var word: UInt64 = 0
        let base = index << 6
        for bit in 0..<64 {
          word |= (test(base &+ bit) ? 1 : 0) << UInt64(truncatingIfNeeded: bit)
        }
        buffer.initializeElement(at: index, to: word)
      }
      if count & 63 != 0 {
        var word: UInt64 = 0
        for row in (whole << 6)..<count where test(row) {
          word |= 1 << UInt64(truncatingIfNeeded: row & 63)
        }
        buffer.initializeElement(at: whole, to: word)
      }
      used = (count + 63) >> 6
    }
    self.init(words: words, count: count)
  }

  /// A bitmap in which exactly the given rows are set.
  ///
  /// - Precondition: every row is below `count`.
  package init(rows: SelectionVector, count: Int) {
    var words = [UInt64](repeating: 0, count: (count + 63) >> 6)
    for row in rows {
      precondition(row < count, "a row outside the bitmap")
      words[Int(row >> 6)] |= 1 << UInt64(row & 63)
    }
    self.init(words: words, count: count)
  }

  /// Clears the bits that are set in `other`.
  package mutating func formSubtraction(_ other: Bitmap) {
    precondition(count == other.count, "bitmaps of different length")
    self = Bitmap(words: zip(words, other.words).map { $0 & ~$1 }, count: count)
  }

  /// The bits of the given rows, in their order.
  package func gather(_ rows: SelectionVector) -> Bitmap {
    words.withUnsafeBufferPointer { words in
      rows.withUnsafeBufferPointer { rows in
        Bitmap(count: rows.count) { i in
          let row = Int(rows[i])
          return words[row >> 6] >> UInt64(row & 63) & 1 != 0
        }
      }
    }
  }

  /// For each code its bit.
  package func spread(codes: [UInt16]) -> Bitmap {
    if isEmpty { return Bitmap(repeating: false, count: codes.count) }
    var flags = [UInt8](repeating: 0, count: count)
    forEachSetRow { flags[$0] = 1 }
    return flags.withUnsafeBufferPointer { flags in
      codes.withUnsafeBufferPointer { codes in
        Bitmap(count: codes.count) { flags[Int(codes[$0])] != 0 }
      }
    }
  }

  /// Calls `body` with the number of each set bit, ascending.
  @inline(__always)
  func forEachSetRow(_ body: (Int) -> Void) {
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        body(index << 6 &+ rest.trailingZeroBitCount)
        rest &= rest &- 1
      }
    }
  }

  /// The rows that both operands call valid; `nil` stands for all of them.
  static func intersection(_ a: Bitmap?, _ b: Bitmap?) -> Bitmap? {
    guard var result = a else { return b }
    if let b { result.formIntersection(b) }
    return result
  }
}
