import Columnar

/// Where a literal can lie in texts that are made of constant pieces with variables between them: the texts
/// of a template, or the events of a shape.
///
/// If a piece holds the literal, all the texts do. Else it can only lie over a variable: its part in front of the
/// variable ends the piece there, the part on the variable consists of bytes that such values have, and the rest goes
/// on with the next piece. That is tested for each variable; for most literals it is nowhere possible, and
/// nothing is read.
///
///     literal "ms for user"    took ␁ms for user ␁      in a piece: all texts
///                              took ␁ms for user␁       the same
///                              job ␁ms for ␁            the second variable, if it can hold "user"
///                              order ␁ created          nowhere
///
/// Where one variable decides, its values are searched with as much of the pieces around them as the literal can
/// reach, each distinct value once where they are coded. Only where the literal may lie over two variables must
/// whole texts be put together. The test may say "possible" too often, never too rarely.
struct PieceSearch {
  /// What the pieces and the bytes of the variables say.
  enum Verdict: Equatable {
    /// Every text holds the literal.
    case all
    /// None does, unless one of these variables, with its surroundings, does; none of them: none does.
    case variables([Candidate])
    /// Only whole texts can tell.
    case texts
  }

  let search: ByteSearch
  /// For short literals.
  let masks: LiteralMasks?

  init(search: ByteSearch) {
    self.search = search
    masks = LiteralMasks(search)
  }

  private var literal: [UInt8] { search.pattern }

  /// A variable that the literal may lie over.
  struct Candidate: Equatable {
    var slot: Int
    /// It may lie in the value as a whole.
    var isInside = false
    /// It may lie partly in a piece beside the value.
    var isAtEdge = false
  }

  /// What is known of the values of a variable.
  struct Variable {
    var alphabet: Alphabet
    var mayBeEmpty: Bool
  }

  func verdict(on pieces: ShapePieces, _ variables: [Variable]) -> Verdict {
    pieces.text.withUnsafeBufferPointer { text in
      // Over the ends of pieces it may be found where it is not, but nowhere is it missed.
      if search.isIn(text) {
        for piece in 0...pieces.slotCount {
          let bytes = text[pieces.bounds[piece]..<pieces.bounds[piece + 1]]
          if search.isIn(UnsafeBufferPointer(rebasing: bytes)) { return .all }
        }
      }
      var found: [Candidate] = []
      for slot in variables.indices {
        guard let candidate = reach(slot, variables, pieces, text) else { return .texts }
        if candidate.isInside || candidate.isAtEdge { found.append(candidate) }
      }
      return .variables(found)
    }
  }

  /// As much of the pieces around a variable as the literal can reach.
  func surroundings(of slot: Int, in pieces: ShapePieces) -> (before: [UInt8], after: [UInt8]) {
    let reach = literal.count - 1
    return (
      Array(pieces.text[pieces.bounds[slot]..<pieces.bounds[slot + 1]].suffix(reach)),
      Array(pieces.text[pieces.bounds[slot + 1]..<pieces.bounds[slot + 2]].prefix(reach))
    )
  }

  // MARK: Bytes

  private func mayHold(_ alphabet: Alphabet, _ byte: UInt8) -> Bool {
    alphabet.mayHold(byte)
      || search.ignoringCase && byte &- 0x61 < 26 && alphabet.contains(.upperLetters)
  }

  private func isEqual(_ byte: UInt8, _ wanted: UInt8) -> Bool {
    byte == wanted || search.ignoringCase && byte &- 0x41 < 26 && byte | 0x20 == wanted
  }

  // MARK: Variables

  /// Whether the literal may start before or in a variable and lie over it; `nil` if it may lie over the
  /// next one too.
  private func reach(
    _ slot: Int, _ variables: [Variable], _ pieces: ShapePieces, _ text: UnsafeBufferPointer<UInt8>
  ) -> Candidate? {
    let end = pieces.bounds[slot + 1]
    let longest = min(literal.count - 1, end - pieces.bounds[slot])
    var result = Candidate(slot: slot)
    if let masks, let base = text.baseAddress,
      !masks.mayReach(
        variables[slot].alphabet, mayBeEmpty: variables[slot].mayBeEmpty, in: base,
        before: pieces.bounds[slot]..<end, after: end..<pieces.bounds[slot + 2],
        isLast: slot + 1 == variables.count)
    {
      return result
    }
    for before in 0...longest {
      if before > 0, !isEqual(text[end - 1], literal[before - 1]) { continue }
      if (0..<before).contains(where: { !isEqual(text[end - before + $0], literal[$0]) }) {
        continue
      }
      guard follow(from: before, &result, variables, pieces, text) else { return nil }
    }
    return result
  }

  /// Follows the literal from a byte that lies in the variable, or behind an empty one; false if it may reach the next
  /// variable.
  private func follow(
    from start: Int, _ result: inout Candidate, _ variables: [Variable], _ pieces: ShapePieces,
    _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    let slot = result.slot
    var end = start
    while true {
      if end > start || start > 0 && variables[slot].mayBeEmpty {
        // The variable may end here: then the next piece has to go on.
        var position = pieces.bounds[slot + 1]
        var k = end
        while k < literal.count, position < pieces.bounds[slot + 2],
          isEqual(text[position], literal[k])
        {
          position += 1
          k += 1
        }
        if k == literal.count {
          if start == 0 && end == literal.count { result.isInside = true }
          if start > 0 || end < literal.count { result.isAtEdge = true }
        } else if position == pieces.bounds[slot + 2], slot + 1 < variables.count,
          variables[slot + 1].mayBeEmpty || mayHold(variables[slot + 1].alphabet, literal[k])
        {
          return false
        }
      }
      guard end < literal.count, mayHold(variables[slot].alphabet, literal[end]) else {
        return true
      }
      end += 1
    }
  }
}
