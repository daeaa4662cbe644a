extension Bitmap {
  /// A bitmap whose bit `row` is what `test(row)` says, called once per row in ascending order.
  ///
  /// Inlined into its caller, so that a kernel's comparison becomes the body of a loop without a branch that compilers turn
  /// into one over vectors: a byte is written for each row, and eight bytes become eight bits by one multiplication.
  @inline(__always)
  package init(count: Int, where test: (Int) -> Bool) {
    let words = [UInt64](unsafeUninitializedCapacity: (count + 63) >> 6) { buffer, used in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { flags in
        for index in 0..<count >> 6 {
          let base = index << 6
          for bit in 0..<64 { flags[bit] = test(base &+ bit) ? 1 : 0 }
          buffer.initializeElement(at: index, to: Self.word(of: flags))
        }
        if count & 63 != 0 {
          let base = count & ~63
          for bit in 0..<64 { flags[bit] = base &+ bit < count && test(base &+ bit) ? 1 : 0 }
          buffer.initializeElement(at: count >> 6, to: Self.word(of: flags))
        }
      }
      used = (count + 63) >> 6
    }
    self.init(words: words, count: count)
  }

  /// The lowest bits of 64 bytes, which are 0 or 1.
  ///
  /// Of eight bytes `b₀ … b₇` as one number, Σ bᵢ·2^(8i), times Σ 2^(7j) for j from 1 to 8, each product has a place of
  /// its own, so nothing carries; the one of bᵢ that lies in the highest byte is at 8i + 7(8 − i) = 56 + i. After Hacker's
  /// Delight, "Gathering bits".
  @inline(__always)
  private static func word(of flags: UnsafeMutableBufferPointer<UInt8>) -> UInt64 {
    let raw = UnsafeRawBufferPointer(flags)
    var word: UInt64 = 0
    for eight in 0..<8 {
      let bytes = UInt64(
        littleEndian: raw.loadUnaligned(fromByteOffset: eight &* 8, as: UInt64.self))
      word |= ((bytes &* 0x0102_0408_1020_4080) >> 56) << UInt64(truncatingIfNeeded: eight &* 8)
    }
    return word
  }

  /// A bitmap whose bit is set where a number is not negative, as positions are of rows that have one.
  package init(notNegative numbers: [Int32]) {
    self = numbers.withUnsafeBufferPointer { numbers in
      Bitmap(count: numbers.count) { numbers[$0] >= 0 }
    }
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
