// A text with other texts put into it, and the way back from places of the result.
//
//     written  $slow(least = 5) | limt 3          result  filter ms > 5↵ | limt 3
//              ~~~~~~~~~~~~~~~~   ^ 19                    ~~~~~~~~~~~~~~   ^ 17
//
// A place outside is moved by the difference; one inside stands for the whole that was replaced.

/// A text in which pieces were replaced.
struct Splicing: Sendable {
  struct Replacement: Sendable {
    /// The piece of the written text.
    let written: SourceRange
    /// What stands for it in the result.
    let result: SourceRange
  }

  let written: SourceText
  private(set) var result: SourceText
  /// In the order of the text.
  private(set) var replacements: [Replacement] = []
  private var bytes: [UInt8] = []
  private var position = 0

  init(_ written: SourceText) {
    self.written = written
    result = written
  }

  /// Replaces a piece; pieces come in the order of the text and do not overlap.
  mutating func replace(_ range: SourceRange, by text: String) {
    bytes += written.bytes[position..<range.start]
    let start = bytes.count
    bytes += text.utf8
    replacements.append(
      Replacement(written: range, result: SourceRange(start, bytes.count)))
    position = range.end
  }

  /// Takes the rest of the text over.
  mutating func finish() {
    bytes += written.bytes[position...]
    result = SourceText(String(decoding: bytes, as: UTF8.self))
    bytes = []
  }

  /// The range of the written text that a range of the result comes from.
  func writtenRange(_ range: SourceRange) -> SourceRange {
    let start = place(range.start) { $0.result.start <= $1 && $1 < $0.result.end }
    let end = place(range.end, isEnd: true) { $0.result.start < $1 && $1 <= $0.result.end }
    return SourceRange(start, max(start, end))
  }

  private func place(
    _ offset: Int, isEnd: Bool = false, _ isInside: (Replacement, Int) -> Bool
  ) -> Int {
    var moved = offset
    for replacement in replacements {
      if isInside(replacement, offset) {
        return isEnd ? replacement.written.end : replacement.written.start
      }
      guard replacement.result.end <= offset else { break }
      moved = replacement.written.end + offset - replacement.result.end
    }
    return moved
  }

  /// The number of the replacement in which a range of the result begins.
  func replacement(at range: SourceRange) -> Int? {
    replacements.firstIndex { $0.result.start <= range.start && range.start < $0.result.end }
  }

  /// Whether a range of the result has anything of a replacement in it.
  func touches(_ range: SourceRange, _ replacement: Replacement) -> Bool {
    range.start < replacement.result.end
      && replacement.result.start < max(range.end, range.start + 1)
  }

  /// A diagnostic about the result as one about the written text. Repairs of what was put in are
  /// dropped, since nobody can make them there.
  func written(_ diagnostic: Diagnostic) -> Diagnostic {
    var moved = diagnostic
    moved.range = writtenRange(diagnostic.range)
    moved.notes = diagnostic.notes.map { note in
      DiagnosticNote(note.message, at: note.range.map(writtenRange))
    }
    moved.fixIts = diagnostic.fixIts.compactMap { fixIt in
      let edits = fixIt.edits
      guard !edits.contains(where: { edit in replacements.contains { touches(edit.range, $0) } })
      else { return nil }
      return FixIt(
        fixIt.message, edits.map { .init(writtenRange($0.range), $0.replacement) })
    }
    return moved
  }
}
