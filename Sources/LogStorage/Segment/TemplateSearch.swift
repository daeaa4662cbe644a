import Columnar

/// Where a literal text occurs in a column of templates, decided template by template.
///
/// A template that has the literal between two of its variables decides all its texts at once. Elsewhere the literal could
/// only lie over a variable: its part before the variable would have to end the constant piece there, the
/// part on the variable to consist of bytes that such values have, and the rest to go on with the next piece.
/// That is tested for each variable of each template; for most literals it is nowhere possible, and no text
/// has been looked at. Only texts of the few templates left are put together and searched.
///
///     literal "ms for user"    took ␁ms for user ␁      in the template: all its texts
///                              took ␁ms for user␁       the same
///                              job ␁ms for ␁            possible if the second variable can hold "user": look
///                              order ␁ created          impossible
///
/// The test may say "possible" too often, never too rarely. The literal is searched in what
/// escapes mean; variables have none, but may cut one in two: then the texts are looked at.
struct TemplateSearch {
  let search: ByteSearch
  let run: TemplateRun
  /// Some text of the column may hold a JSON escape.
  let hasEscapes: Bool

  private enum Verdict { case all, none, look }

  /// The texts that hold the literal.
  ///
  /// - Throws: `DecodingFailure` or `StorageError` if what had to be looked at is damaged.
  func matches() throws -> Bitmap {
    let verdicts = run.templates.indices.map { $0 == 0 ? .none : verdict(on: $0) }
    var found = Bitmap(repeating: false, count: run.count)
    try findExceptions(&found)
    if verdicts.allSatisfy({ $0 == .none }) { return found }
    let codes = try run.codes()
    var open: [UInt32] = []
    for (template, verdict) in verdicts.enumerated() {
      switch verdict {
      case .all: for place in codes.places(of: template) { found[Int(place)] = true }
      case .none: break
      case .look: open += codes.places(of: template)
      }
    }
    if open.isEmpty { return found }
    // One by one costs more for each text than all at once.
    let isMost = open.count * 4 > run.count
    let texts = try isMost ? run.texts() : run.texts(open.count) { Int(open[$0]) }
    let hits = rows(in: texts)
    for (k, place) in open.enumerated() where hits[isMost ? Int(place) : k] {
      found[Int(place)] = true
    }
    return found
  }

  private func findExceptions(_ found: inout Bitmap) throws {
    guard run.rowCounts[0] > 0 else { return }
    let hits = rows(in: try run.exceptions())
    if hits.isEmpty { return }
    for (k, place) in try run.codes().places(of: 0).enumerated() where hits[k] {
      found[Int(place)] = true
    }
  }

  private func rows(in texts: TextRun) -> Bitmap {
    let plain = hasEscapes ? JSONEscapes.decoded(texts) : texts
    return search.rows(in: StringVector(offsets: plain.offsets, bytes: plain.bytes))
  }

  private func verdict(on number: Int) -> Verdict {
    if run.rowCounts[number] == 0 { return .none }
    let template = run.templates[number]
    var pieces = template.pieces
    if hasEscapes, pieces.text.contains(UInt8(ascii: "\\")) {
      guard let meant = pieces.unescaped() else { return .look }
      pieces = meant
    }
    return pieces.text.withUnsafeBufferPointer { text in
      for piece in 0...pieces.slotCount {
        let bytes = UnsafeBufferPointer(
          rebasing: text[pieces.bounds[piece]..<pieces.bounds[piece + 1]])
        if search.isIn(bytes) { return .all }
      }
      let alphabets = template.slots.map { run.alphabet(of: $0) }
      for slot in alphabets.indices where mayLieOver(slot, alphabets, pieces, text) { return .look }
      return .none
    }
  }

  /// Whether the literal may start before or in a variable and reach into it.
  private func mayLieOver(
    _ slot: Int, _ alphabets: [Alphabet], _ pieces: ShapePieces, _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    let literal = search.pattern
    let pieceEnd = pieces.bounds[slot + 1]
    let longest = min(literal.count - 1, pieceEnd - pieces.bounds[slot])
    for before in 0...max(0, longest) {
      guard alphabets[slot].mayHold(literal[before]) else { continue }
      if before > 0, text[pieceEnd - 1] != literal[before - 1] { continue }
      var isEqual = true
      for k in 0..<before where text[pieceEnd - before + k] != literal[k] {
        isEqual = false
        break
      }
      if isEqual, mayGoOn(from: before, in: slot, alphabets, pieces, text) { return true }
    }
    return false
  }

  /// Whether the literal from a byte on, which lies in a variable, may be what follows there.
  private func mayGoOn(
    from start: Int, in slot: Int, _ alphabets: [Alphabet], _ pieces: ShapePieces,
    _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    let literal = search.pattern
    var end = start
    while end < literal.count, alphabets[slot].mayHold(literal[end]) {
      end += 1
      if end == literal.count { return true }
      // The variable may end here: the next piece has to go on.
      var position = pieces.bounds[slot + 1]
      var k = end
      while k < literal.count, position < pieces.bounds[slot + 2], text[position] == literal[k] {
        position += 1
        k += 1
      }
      if k == literal.count { return true }
      guard position == pieces.bounds[slot + 2], slot + 1 < alphabets.count else { continue }
      if mayGoOn(from: k, in: slot + 1, alphabets, pieces, text) { return true }
    }
    return false
  }
}

extension ShapePieces {
  /// The pieces with what their JSON escapes mean, or `nil` if that is not decided by the pieces alone.
  fileprivate func unescaped() -> ShapePieces? {
    var text: [UInt8] = []
    var bounds = [0]
    for piece in 0...slotCount {
      let bytes = self.text[self.bounds[piece]..<self.bounds[piece + 1]]
      guard Self.escapesAreWhole(bytes) else { return nil }
      bytes.withUnsafeBytes { JSONEscapes.append($0, to: &text) }
      bounds.append(text.count)
    }
    return ShapePieces(text: text, bounds: bounds)
  }

  /// Whether every backslash stands before all the bytes that belong to it.
  private static func escapesAreWhole(_ bytes: ArraySlice<UInt8>) -> Bool {
    var i = bytes.startIndex
    while let backslash = bytes[i...].firstIndex(of: UInt8(ascii: "\\")) {
      guard backslash + 1 < bytes.endIndex else { return false }
      i = backslash + (bytes[backslash + 1] == UInt8(ascii: "u") ? 6 : 2)
      guard i <= bytes.endIndex else { return false }
    }
    return true
  }
}
