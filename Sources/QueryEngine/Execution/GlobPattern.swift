import Columnar

// `parse "took * ms for *"`: literal pieces with a capture between each two. The first piece may
// stand anywhere in the text; each capture reaches to the next place where its following piece
// stands; a star at the end takes the rest of the text.
//
//     pattern  took * ms for *
//     text     job a took 17 ms for x y     captures "17" and "x y"
//
// Lazy captures need no backtracking: if a piece is not found behind the previous one, moving the
// previous one further right would not help.

/// A pattern with wildcards, ready to be applied.
struct GlobPattern: Sendable {
  /// The literal text around the wildcards: one piece more than there are wildcards.
  let pieces: [[UInt8]]

  /// Reads `*` as a wildcard and `\*` as a star.
  init(_ text: String) {
    var pieces: [[UInt8]] = [[]]
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "*") {
        pieces[pieces.count - 1].append(rest.removeFirst())
      } else if byte == UInt8(ascii: "*") {
        pieces.append([])
      } else {
        pieces[pieces.count - 1].append(byte)
      }
    }
    self.pieces = pieces
  }

  var captureCount: Int { pieces.count - 1 }

  /// The place of each capture, or `nil` if the pattern is not in the text.
  func captures(in text: Span<UInt8>, from start: Int, to end: Int) -> [Range<Int>]? {
    guard var position = Self.find(pieces[0], in: text, from: start, to: end) else { return nil }
    position += pieces[0].count
    var captures: [Range<Int>] = []
    captures.reserveCapacity(captureCount)
    for (index, piece) in pieces.enumerated().dropFirst() {
      if piece.isEmpty, index == pieces.count - 1 {
        captures.append(position..<end)
        break
      }
      guard let found = Self.find(piece, in: text, from: position, to: end) else { return nil }
      captures.append(position..<found)
      position = found + piece.count
    }
    return captures
  }

  /// The first place of a piece; a plain search, as the texts between pieces are short.
  private static func find(
    _ piece: [UInt8], in text: Span<UInt8>, from start: Int, to end: Int
  ) -> Int? {
    guard let first = piece.first else { return start }
    var position = start
    let last = end - piece.count
    while position <= last {
      if text[position] == first {
        var length = 1
        while length < piece.count, text[position + length] == piece[length] { length += 1 }
        if length == piece.count { return position }
      }
      position += 1
    }
    return nil
  }
}
