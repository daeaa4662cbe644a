// Where a text occurs in a column of texts.
//
// Searching each text by itself costs more in set-up than in search, so the whole byte buffer of
// the vector is searched at once, and a hit is mapped to its row by the offsets. A hit that starts
// in one text and ends in the next is none; the search then goes on one byte further. After a true
// hit the search jumps to the end of its row, because one hit decides the row.
//
// The search itself looks at eight positions a step. Two bytes of the pattern are chosen, the
// *probes*, rare ones for preference; XOR with a word full of a probe makes its occurrences zero
// bytes, and `(x - 0x01…01) & ~x & 0x80…80` marks zero bytes (marks above the first may be wrong,
// so every mark is verified, but none is lost). Example: searching "error" with the probes "o" (at
// 3) and "e" (at 0), the words at position p and p + 3 are tested together; a position where both
// marks stand is compared with the full pattern.
//
// Ignoring case folds ASCII letters only: a probe that is a letter is compared after `| 0x20`.

/// A literal text, prepared for being searched in many vectors.
package struct ByteSearch: Sendable {
  /// The pattern; in lower case when case is ignored.
  package let pattern: [UInt8]
  package let ignoringCase: Bool
  /// Distances of the two probes from the start of the pattern, the second not the first unless the
  /// pattern has one byte.
  private let firstProbe: Int
  private let secondProbe: Int

  /// - Parameter ignoringCase: whether ASCII letters match in either case.
  package init(_ pattern: [UInt8], ignoringCase: Bool = false) {
    self.ignoringCase = ignoringCase
    let pattern = ignoringCase ? pattern.map(Self.folded) : pattern
    self.pattern = pattern
    // The rarest first; of equally rare ones the later, so that runs of one byte do not tie up.
    let order = pattern.indices.sorted { a, b in
      let (x, y) = (Self.commonness(pattern[a]), Self.commonness(pattern[b]))
      return x == y ? a > b : x < y
    }
    let rarest = order.first ?? 0
    firstProbe = rarest
    secondProbe = order.first { pattern[$0] != pattern[rarest] } ?? order.dropFirst().first ?? 0
  }

  /// The rows whose text contains the pattern. Missing rows do not; an empty pattern is in every text.
  ///
  /// - Complexity: O(bytes)
  package func rows(in texts: StringVector) -> Bitmap {
    if pattern.isEmpty { return texts.validity.orFull(texts.count) }
    var words = [UInt64](repeating: 0, count: (texts.count + 63) >> 6)
    let end = Int(texts.offsets[texts.count])
    texts.bytes.withUnsafeBufferPointer { bytes in
      texts.offsets.withUnsafeBufferPointer { offsets in
        var row = 0
        var position = Int(offsets[0])
        while let hit = firstHit(in: bytes, from: position, to: end) {
          row = Self.row(of: hit, in: offsets, from: row)
          let rowEnd = Int(offsets[row + 1])
          if hit + pattern.count <= rowEnd {
            words[row >> 6] |= 1 << UInt64(row & 63)
            position = rowEnd
          } else {
            position = hit + 1
          }
        }
      }
    }
    var result = Bitmap(words: words, count: texts.count)
    if let validity = texts.validity { result.formIntersection(validity) }
    return result
  }

  /// The rows of any column whose value, as a text, contains the pattern; not missing rows, nor maps
  /// and lists. A dictionary is searched once per entry.
  ///
  /// - Complexity: O(bytes)
  package func rows(in column: ColumnVector) -> Bitmap {
    switch column {
    case .missing(let count):
      return Bitmap(repeating: false, count: count)
    case .constant(let value, let count):
      return Bitmap(repeating: value.text.map { isIn($0) } ?? false, count: count)
    case .strings(let v):
      return rows(in: v)
    case .dictionary(let v):
      return v.rows(whereEntry: rows(in: v.entries))
    default:
      let values = column.values()
      return Bitmap(count: values.count) { values[$0].text.map { isIn($0) } ?? false }
    }
  }

  /// Whether the pattern occurs in the bytes.
  package func isIn(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    pattern.isEmpty || firstHit(in: bytes, from: 0, to: bytes.count) != nil
  }

  /// Whether the pattern occurs in the text.
  package func isIn(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { isIn($0) }
  }

  // MARK: Mapping hits to rows

  /// The row whose text contains the byte at `position`, searched from `start` upwards by doubling
  /// steps, since the next hit is usually near.
  @inline(__always)
  private static func row(
    of position: Int, in offsets: UnsafeBufferPointer<UInt32>, from start: Int
  ) -> Int {
    let last = offsets.count - 2
    var low = start
    var step = 1
    while low + step <= last, Int(offsets[low + step]) <= position {
      low += step
      step &<<= 1
    }
    var high = min(low + step, last + 1)
    // offsets[low] <= position < offsets[high]; of empty texts at one place the last is not empty.
    while high - low > 1 {
      let middle = (low + high) >> 1
      if Int(offsets[middle]) <= position { low = middle } else { high = middle }
    }
    return low
  }

  // MARK: Searching

  /// Position of the first occurrence that starts at or after `start` and ends by `end`.
  private func firstHit(
    in bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int
  ) -> Int? {
    precondition(start >= 0 && end <= bytes.count)
    let lastStart = end - pattern.count
    if start > lastStart { return nil }
    guard let base = bytes.baseAddress else { return nil }
    let fold: UInt64 = ignoringCase ? 0x2020_2020_2020_2020 : 0
    return pattern.withUnsafeBufferPointer { pattern in
      ignoringCase
        ? scan(base, start, lastStart, pattern, fold: fold)
        : scan(base, start, lastStart, pattern, fold: 0)
    }
  }

  @inline(__always)
  private func scan(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ lastStart: Int,
    _ pattern: UnsafeBufferPointer<UInt8>, fold: UInt64
  ) -> Int? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let first = ones &* UInt64(pattern[firstProbe] | UInt8(truncatingIfNeeded: fold))
    let second = ones &* UInt64(pattern[secondProbe] | UInt8(truncatingIfNeeded: fold))
    let a = UnsafeRawPointer(base) + firstProbe
    let b = UnsafeRawPointer(base) + secondProbe
    var position = start
    // A word at a probe reads to position + probe + 7 <= lastStart + pattern.count - 1 < end.
    while position &+ 7 <= lastStart {
      let x = (a.loadUnaligned(fromByteOffset: position, as: UInt64.self) | fold) ^ first
      let y = (b.loadUnaligned(fromByteOffset: position, as: UInt64.self) | fold) ^ second
      // A zero byte in both is a zero byte of their union.
      let both = x | y
      var marks = (both &- ones) & ~both & highs
      while marks != 0 {
        // Little-endian: the lowest byte of the word is the earliest position.
        let candidate = position &+ marks.trailingZeroBitCount >> 3
        if matches(base + candidate, pattern) { return candidate }
        marks &= marks &- 1
      }
      position &+= 8
    }
    while position <= lastStart {
      if matches(base + position, pattern) { return position }
      position &+= 1
    }
    return nil
  }

  @inline(__always)
  private func matches(
    _ text: UnsafePointer<UInt8>, _ pattern: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    if ignoringCase {
      for i in 0..<pattern.count where Self.folded(text[i]) != pattern[i] { return false }
    } else {
      for i in 0..<pattern.count where text[i] != pattern[i] { return false }
    }
    return true
  }

  /// An ASCII letter in lower case, any other byte as it is.
  @inline(__always)
  private static func folded(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// How often a byte is expected in logs, in rough classes.
  private static func commonness(_ byte: UInt8) -> Int {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "e"): 9
    case UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "0"), UInt8(ascii: "1"): 8
    case UInt8(ascii: "t"), UInt8(ascii: "a"), UInt8(ascii: "i"), UInt8(ascii: "o"): 7
    case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "s"), UInt8(ascii: "2"): 7
    case UInt8(ascii: "3")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): 6
    case UInt8(ascii: "c"), UInt8(ascii: "d"), UInt8(ascii: "l"), UInt8(ascii: "m"): 5
    case UInt8(ascii: "p"), UInt8(ascii: "u"), UInt8(ascii: "_"), UInt8(ascii: "/"): 4
    case UInt8(ascii: "a")...UInt8(ascii: "z"): 3
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): 2
    default: 1
    }
  }
}
