import Columnar

// Most literals can lie over none of the thousands of variables of a row group's templates and shapes, and that is
// to be found out in a few instructions for each. So a literal of up to 62 bytes becomes bit masks, bit k for its byte k:
//
//     literal "ms for user"     equal["m"]   00000000001      inLetters   11110111011 (all but the blanks)
//                               equal[" "]   00001000100
//
// A piece that ends in "a m" lets the literal go over into the variable behind it at byte 1 (its "m" is the literal's
// first byte) and at byte 0; a piece that begins with " for" lets it leave the variable at byte 2. Between both, all
// bytes must be such as the variable holds: bits of its mask without a gap.

/// A literal as masks of the places where a byte can stand.
struct LiteralMasks {
  private let count: Int
  /// For each byte, where the literal has it; with both cases where case is ignored.
  private let equal: [UInt64]
  /// For each alphabet, where the literal has bytes of it.
  private let within: [UInt64]

  /// `nil` for literals that are too long.
  init?(_ search: ByteSearch) {
    count = search.pattern.count
    guard count > 0, count <= 62 else { return nil }
    var equal = [UInt64](repeating: 0, count: 256)
    var kinds = [UInt64](repeating: 0, count: 6)
    for (k, byte) in search.pattern.enumerated() {
      let bit: UInt64 = 1 << UInt64(k)
      equal[Int(byte)] |= bit
      kinds[Alphabet(of: byte).rawValue.trailingZeroBitCount] |= bit
      if search.ignoringCase, byte &- 0x61 < 26 {
        equal[Int(byte & 0xDF)] |= bit
        kinds[Alphabet.upperLetters.rawValue.trailingZeroBitCount] |= bit
      }
    }
    var within = [UInt64](repeating: 0, count: 64)
    for alphabet in 1..<64 {
      within[alphabet] = within[alphabet & (alphabet - 1)] | kinds[alphabet.trailingZeroBitCount]
    }
    self.equal = equal
    self.within = within
  }

  /// Whether the literal may start before or in a variable and lie over it; `false` is certain.
  ///
  /// - Parameters:
  ///   - before: where the piece in front of the variable lies in `text`; `after`, the one behind it.
  ///   - isLast: no variable follows the piece behind it.
  @inline(__always)
  func mayReach(
    _ alphabet: Alphabet, mayBeEmpty: Bool, in text: UnsafePointer<UInt8>, before: Range<Int>,
    after: Range<Int>, isLast: Bool
  ) -> Bool {
    // Bytes of the literal at which the variable may begin, and at which it may have ended.
    var starts: UInt64 = 1
    if before.count > 0 {
      starts |= equal[Int(text[before.upperBound &- 1])] &<< 1
      if before.count > 1 { starts &= equal[Int(text[before.upperBound &- 2])] &<< 2 | 0b11 }
      starts &= (2 &<< UInt64(min(count &- 1, before.count))) &- 1
    }
    var ends: UInt64 = 1 &<< UInt64(count)
    if after.count > 0 {
      var inside = equal[Int(text[after.lowerBound])]
      if after.count > 1 {
        inside &= equal[Int(text[after.lowerBound &+ 1])] &>> 1 | 1 &<< UInt64(count &- 1)
      }
      ends |= inside
    } else if !isLast {
      ends = ~0
    }
    let held = within[Int(alphabet.rawValue & 63)]
    while starts != 0 {
      let start = UInt64(starts.trailingZeroBitCount)
      starts &= starts &- 1
      // The variable may reach from `start` to any byte up to the first that it cannot hold.
      let length = UInt64((~(held &>> start)).trailingZeroBitCount)
      var reached = ((2 &<< (start &+ length)) &- 1) & ~((1 &<< start) &- 1)
      if !mayBeEmpty || start == 0 { reached &= ~(1 &<< start) }
      if ends & reached != 0 { return true }
    }
    return false
  }
}

/// The pieces of all templates of a column laid end to end, so that a search passes over them once.
struct PieceLayout {
  /// Every piece of every template.
  private let pieces: StringVector
  /// Number of each template's first piece, and of the piece behind the last.
  private let firstPieces: [Int]
  /// What the variable behind each piece holds; behind the last piece of a template stands none.
  private let alphabets: [Alphabet]

  init(_ templates: [(pieces: ShapePieces, alphabets: [Alphabet])]) {
    var pieces = StringVector()
    var firstPieces = [0]
    var alphabets: [Alphabet] = []
    for template in templates {
      for piece in 0...template.pieces.slotCount {
        pieces.bytes +=
          template.pieces.text[
            template.pieces.bounds[piece]..<template.pieces.bounds[piece + 1]]
        pieces.offsets.append(UInt32(truncatingIfNeeded: pieces.bytes.count))
      }
      alphabets += template.alphabets + [[]]
      firstPieces.append(pieces.count)
    }
    self.pieces = pieces
    self.firstPieces = firstPieces
    self.alphabets = alphabets
  }

  var byteCount: Int { pieces.bytes.count + alphabets.count * 5 + firstPieces.count * 8 }

  /// Calls `body` with each template in whose texts the literal may occur, and whether it stands in a piece, that is, in
  /// all of them.
  func forEachCandidate(
    _ search: ByteSearch, _ masks: LiteralMasks?,
    _ body: (_ template: Int, _ isInPiece: Bool) throws -> Void
  ) rethrows {
    let hits = search.rows(in: pieces)
    let anyHit = !hits.isEmpty
    for template in 0..<firstPieces.count - 1 {
      let range = firstPieces[template]..<firstPieces[template + 1]
      if anyHit, range.contains(where: { hits[$0] }) {
        try body(template, true)
      } else if range.count > 1, mayReachVariable(of: range, masks) {
        try body(template, false)
      }
    }
  }

  private func mayReachVariable(of range: Range<Int>, _ masks: LiteralMasks?) -> Bool {
    guard let masks else { return true }
    return pieces.bytes.withUnsafeBufferPointer { text in
      // Templates without any text are pieces without bytes.
      guard let base = text.baseAddress else { return true }
      return pieces.offsets.withUnsafeBufferPointer { offsets in
        for piece in range.lowerBound..<range.upperBound - 1 {
          let middle = Int(offsets[piece &+ 1])
          if masks.mayReach(
            alphabets[piece], mayBeEmpty: false, in: base, before: Int(offsets[piece])..<middle,
            after: middle..<Int(offsets[piece &+ 2]), isLast: piece &+ 2 == range.upperBound)
          {
            return true
          }
        }
        return false
      }
    }
  }
}
