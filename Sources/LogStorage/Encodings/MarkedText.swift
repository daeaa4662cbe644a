/// A text whose parts are marked off by blanks, quotes, brackets and ends of lines: access logs, `key=value` lines,
/// labelled lines.
///
///     10.0.0.7 - [26/Jan/2019:19:45:25 +0330] "GET /a b HTTP/1.1" status=200 note="two words"
///     ──────── ─  ──────────────────────────   ──────────────────        ───       ─────────
///
///     User logged on:␊Account Name:  SYSTEM␊Process: C:\a.exe␊This event is generated at logon.␊
///                                    ──────          ────────
///
/// The texts may be the insides of JSON strings, where quotes, tabs and ends of lines are escapes. An escape is never
/// cut in two. Positions asked for are below `count`.
struct MarkedText {
  let bytes: UnsafeBufferPointer<UInt8>
  let hasEscapes: Bool

  var count: Int { bytes.count }

  /// The end of the byte or escape at `i`.
  @inline(__always)
  private func unitEnd(_ i: Int) -> Int {
    guard hasEscapes, bytes[i] == UInt8(ascii: "\\") else { return i &+ 1 }
    let isUnicode = i &+ 1 < count && bytes[i &+ 1] == UInt8(ascii: "u")
    return min(i &+ (isUnicode ? 6 : 2), count)
  }

  private func isEscape(_ i: Int, _ letter: Unicode.Scalar) -> Bool {
    hasEscapes && i &+ 1 < count && bytes[i] == UInt8(ascii: "\\")
      && bytes[i &+ 1] == UInt8(ascii: letter)
  }

  // MARK: Fields

  /// The end of the quote at `i`, or `nil`.
  private func quoteEnd(_ i: Int) -> Int? {
    guard i < count else { return nil }
    if bytes[i] == UInt8(ascii: "\"") { return i &+ 1 }
    return isEscape(i, "\"") ? i &+ 2 : nil
  }

  private func isFieldEnd(_ i: Int) -> Bool { i == count || bytes[i] == UInt8(ascii: " ") }

  /// Behind the key and the equals sign of `key=value`, or `start`.
  func keyEnd(_ start: Int) -> Int {
    var i = start
    while i < count {
      switch bytes[i] {
      case UInt8(ascii: "="): return i > start && i &+ 1 < count ? i &+ 1 : start
      case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
        i &+= 1
      default: return start
      }
    }
    return start
  }

  /// The field at `i`: what is inside of its quotes or brackets, if it has some, and where it ends.
  func field(at i: Int) -> (inside: Range<Int>, end: Int) {
    if let start = quoteEnd(i) {
      var k = start
      while k < count {
        if let end = quoteEnd(k), isFieldEnd(end) { return (start..<k, end) }
        k = unitEnd(k)
      }
    } else if i < count, bytes[i] == UInt8(ascii: "[") {
      var k = i &+ 1
      while k < count, bytes[k] != UInt8(ascii: "]") { k = unitEnd(k) }
      if k < count, isFieldEnd(k &+ 1) { return (i &+ 1..<k, k &+ 1) }
    }
    var end = i
    while !isFieldEnd(end) { end = unitEnd(end) }
    return (i..<end, end)
  }

  // MARK: Lines

  /// The line at `i`: what stands behind its label, empty if it has none, and where it ends, with the bytes that end it.
  func line(at start: Int) -> (value: Range<Int>, end: Int) {
    var value = -1
    var i = start
    while i < count, !isLineEnd(i) {
      if value < 0, bytes[i] == UInt8(ascii: ":") {
        let behind = gapEnd(i &+ 1)
        if behind > i &+ 1 {
          value = behind
          i = behind
          continue
        }
      }
      i = unitEnd(i)
    }
    let valueEnd = i
    while i < count, isLineEnd(i) { i = unitEnd(i) }
    return (value < 0 || value > valueEnd ? valueEnd..<valueEnd : value..<valueEnd, i)
  }

  private func isLineEnd(_ i: Int) -> Bool {
    bytes[i] == 0x0A || bytes[i] == 0x0D || isEscape(i, "n") || isEscape(i, "r")
  }

  /// Behind blanks and tabs.
  private func gapEnd(_ start: Int) -> Int {
    var i = start
    while i < count {
      if bytes[i] == UInt8(ascii: " ") || bytes[i] == 0x09 {
        i &+= 1
      } else if isEscape(i, "t") {
        i &+= 2
      } else {
        break
      }
    }
    return i
  }

  // MARK: Style

  /// Whether most of a sample of texts are marked off so that the style fits them.
  static func fits(_ style: TemplateSplitter.Style, _ column: SlotColumn, hasEscapes: Bool) -> Bool
  {
    var fitting = 0
    var sampled = 0
    for i in stride(from: 0, to: column.count, by: max(1, column.count / 64)) {
      let text = MarkedText(
        bytes: UnsafeBufferPointer(start: column.start(i), count: column.length(i)),
        hasEscapes: hasEscapes)
      sampled += 1
      if style == .lines ? text.hasLabelledLines : text.hasQuotedFields { fitting += 1 }
    }
    return fitting * 2 > sampled
  }

  private var hasLabelledLines: Bool {
    var labelled = 0
    var i = 0
    while i < count {
      let line = line(at: i)
      if !line.value.isEmpty { labelled += 1 }
      i = line.end
    }
    return labelled >= 3
  }

  private var hasQuotedFields: Bool {
    var i = 0
    while i < count {
      if bytes[i] == UInt8(ascii: " ") {
        i += 1
        continue
      }
      let start = keyEnd(i)
      if quoteEnd(start) != nil { return true }
      i = field(at: start).end
    }
    return false
  }
}
