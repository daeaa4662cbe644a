/// Takes texts apart into what stays the same and what varies.
///
/// A text is read as runs of letters and digits with other bytes between them. What varies is cut out as a
/// *variable* and leaves a marker; the rest is the text's *template*:
///
///     charge ch_126801db0636 took 12ms for 10.0.0.7     charge ch_␁ took ␁ms for ␁
///                                                       126801db0636 · 12 · 10.0.0.7
///
/// Variables are: UUIDs; times as ISO 8601 writes them; runs of at least eight lower-case hexadecimal digits; numbers
/// with their decimals (a minus sign before them belongs to them, up to three letters of a unit behind them do not); and any other
/// run with a digit in it, without the letters before its digits if only digits follow. JSON escapes are constant.
/// Texts whose parts are marked off are taken apart at the marks instead (``TemplateSplitter/Style``). Everything is decided
/// by bytes alone: one text has one template of a style, always, and putting the variables back gives the text byte for byte.
///
/// Splitting messages into a constant type and variables of known kinds: Rodrigues, Luo and Yuan, "CLP: Efficient
/// and Scalable Search on Compressed Text Logs" (OSDI 2021).
final class TemplateSplitter {
  /// What marks off the variables.
  enum Style: Sendable {
    /// Runs of letters and digits, as above.
    case words
    /// Blanks and quotes: `10.0.0.7 "GET / HTTP/1.1" status=200` is `␁ "␁" status=␁`.
    case fields
    /// Ends of lines, and a colon behind a label: `Image: C:\\a.exe␊User: me` is `Image: ␁␊User: ␁`.
    case lines
  }

  let style: Style
  /// The texts are the insides of JSON strings.
  let hasEscapes: Bool

  /// Stands for a variable in a template.
  static let marker = SlotKind.string.rawValue
  /// Texts with bytes up to this one are not split: they could not be told from markers.
  private static let lastMarker = SlotKind.text.rawValue

  /// The template of the text split last; valid until the next one.
  private(set) var template = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256)
  private(set) var templateCount = 0
  /// The variables of all texts split so far, as slots: offset in the high, length in the low half.
  private(set) var variables: [UInt64] = []

  init(_ style: Style, hasEscapes: Bool) {
    self.style = style
    self.hasEscapes = hasEscapes
  }

  deinit { template.deallocate() }

  /// Splits the text that a slot views: sets `template`, appends to `variables`.
  ///
  /// - Returns: false, with nothing appended, if the text holds a marker byte.
  func split(_ slot: UInt64, base: UnsafePointer<UInt8>) -> Bool {
    let count = Int(slot & 0xFFFF_FFFF)
    let offset = Int(slot >> 32)
    templateCount = 0
    if template.count < count {
      template.deallocate()
      template = .allocate(capacity: count * 2)
    }
    let bytes = UnsafeBufferPointer(start: base + offset, count: count)
    if bytes.contains(where: { $0 <= Self.lastMarker }) { return false }
    switch style {
    case .words: splitWords(Text(bytes: base + offset, count: count), offset)
    case .fields: splitFields(MarkedText(bytes: bytes, hasEscapes: hasEscapes), offset)
    case .lines: splitLines(MarkedText(bytes: bytes, hasEscapes: hasEscapes), offset)
    }
    return true
  }

  /// Appends to the template. It never gets longer than the text: a marker stands for at least one byte.
  @inline(__always)
  private func emit(_ byte: UInt8) {
    template[templateCount] = byte
    templateCount &+= 1
  }

  private func emit(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    for i in range { emit(bytes[i]) }
  }

  /// Cuts out a variable; an empty range stays out of the template.
  @inline(__always)
  private func cut(_ range: Range<Int>, _ offset: Int) {
    guard !range.isEmpty else { return }
    emit(Self.marker)
    variables.append(
      UInt64(offset &+ range.lowerBound) &<< 32 | UInt64(range.count))
  }

  private func splitWords(_ text: Text, _ offset: Int) {
    var i = 0
    while i < text.count {
      guard Text.isLetterOrDigit(text.bytes[i]) else {
        let end = text.constantEnd(i)
        while i < end {
          emit(text.bytes[i])
          i &+= 1
        }
        continue
      }
      let variable = text.variable(at: i)
      while i < variable.lowerBound {
        emit(text.bytes[i])
        i &+= 1
      }
      guard !variable.isEmpty else { continue }
      var start = variable.lowerBound
      if text.hasSign(before: start) {
        start &-= 1
        templateCount &-= 1
      }
      i = variable.upperBound
      cut(start..<i, offset)
    }
  }

  private func splitFields(_ text: MarkedText, _ offset: Int) {
    var i = 0
    while i < text.count {
      if text.bytes[i] == UInt8(ascii: " ") {
        emit(UInt8(ascii: " "))
        i += 1
        continue
      }
      let start = text.keyEnd(i)
      let field = text.field(at: start)
      emit(text.bytes, i..<field.inside.lowerBound)
      cut(field.inside, offset)
      emit(text.bytes, field.inside.upperBound..<field.end)
      i = field.end
    }
  }

  private func splitLines(_ text: MarkedText, _ offset: Int) {
    var i = 0
    while i < text.count {
      let line = text.line(at: i)
      emit(text.bytes, i..<line.value.lowerBound)
      cut(line.value, offset)
      emit(text.bytes, line.value.upperBound..<line.end)
      i = line.end
    }
  }

  /// A text with what can be asked of its bytes. Every index asked for is below `count`.
  private struct Text {
    let bytes: UnsafePointer<UInt8>
    let count: Int

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }

    @inline(__always)
    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
      isDigit(byte) || (byte | 0x20) &- 0x61 <= 25
    }

    @inline(__always)
    private static func isLowerHex(_ byte: UInt8) -> Bool {
      isDigit(byte) || byte &- 0x61 <= 5
    }

    /// The end of the constant at `i`: one byte, or a JSON escape whole, as its letters and digits are no text.
    @inline(__always)
    func constantEnd(_ i: Int) -> Int {
      guard bytes[i] == UInt8(ascii: "\\"), i &+ 1 < count,
        bytes[i &+ 1] > TemplateSplitter.lastMarker
      else {
        return i &+ 1
      }
      guard bytes[i &+ 1] == UInt8(ascii: "u"), i &+ 6 <= count else { return i &+ 2 }
      for k in i &+ 2..<i &+ 6 where !Self.isLetterOrDigit(bytes[k]) { return i &+ 2 }
      return i &+ 6
    }

    /// What varies in the run of letters and digits that starts at `i`; empty, at its end, if nothing does.
    func variable(at i: Int) -> Range<Int> {
      if Self.isDigit(bytes[i]), let end = timeEnd(i) { return i..<end }
      var end = i
      var digitCount = 0
      var hexCount = 0
      var firstDigit = -1
      while end < count, Self.isLetterOrDigit(bytes[end]) {
        if Self.isDigit(bytes[end]) {
          if firstDigit < 0 { firstDigit = end }
          digitCount &+= 1
        }
        if Self.isLowerHex(bytes[end]) { hexCount &+= 1 }
        end &+= 1
      }
      if hexCount == end &- i, hexCount >= 8, digitCount < hexCount || !continues(end) {
        return i..<(hexCount == 8 && isUUID(i) ? i + 36 : end)
      }
      if digitCount == 0 { return end..<end }
      if firstDigit == i { return i..<numberEnd(i) }
      // worker17, u5049: the letters are constant; a1b2 is not taken apart.
      let isOneNumber = digitCount == end &- firstDigit
      return (isOneNumber ? firstDigit : i)..<end
    }

    /// Whether a dot and a digit follow at `i`.
    private func continues(_ i: Int) -> Bool {
      i &+ 1 < count && bytes[i] == UInt8(ascii: ".") && Self.isDigit(bytes[i &+ 1])
    }

    /// The end of the number at `i`: digits with dots inside, without a unit behind it. Digits mixed with
    /// letters in any other way are one variable to the end of the run.
    private func numberEnd(_ i: Int) -> Int {
      var end = digitsEnd(i)
      while continues(end) { end = digitsEnd(end &+ 1) }
      var letters = end
      while letters < count, bytes[letters] &- 0x61 <= 25 { letters &+= 1 }
      let isUnit = letters == count || !Self.isLetterOrDigit(bytes[letters])
      if isUnit, letters &- end <= 3 { return end }
      while end < count, Self.isLetterOrDigit(bytes[end]) { end &+= 1 }
      return end
    }

    private func digitsEnd(_ i: Int) -> Int {
      var end = i
      while end < count, Self.isDigit(bytes[end]) { end &+= 1 }
      return end
    }

    /// Whether the byte before `i` is a minus sign that nothing stands before it could make a dash.
    func hasSign(before i: Int) -> Bool {
      guard i > 0, bytes[i &- 1] == UInt8(ascii: "-"), Self.isDigit(bytes[i]) else { return false }
      guard i > 1 else { return true }
      let previous = bytes[i &- 2]
      return !Self.isLetterOrDigit(previous) && previous != UInt8(ascii: "-")
    }

    private func isUUID(_ i: Int) -> Bool {
      guard count &- i >= 36 else { return false }
      for k in 0..<36 {
        let isDash = k == 8 || k == 13 || k == 18 || k == 23
        guard isDash ? bytes[i &+ k] == 0x2D : Self.isLowerHex(bytes[i &+ k]) else { return false }
      }
      return count &- i == 36 || !Self.isLetterOrDigit(bytes[i &+ 36])
    }

    /// The end of a time as ISO 8601 writes it, if one starts at `i`.
    private func timeEnd(_ i: Int) -> Int? {
      guard count &- i >= 19, bytes[i &+ 4] == 0x2D, bytes[i &+ 7] == 0x2D, bytes[i &+ 13] == 0x3A,
        bytes[i &+ 16] == 0x3A
      else { return nil }
      var end = i &+ 19
      if end &+ 1 < count, bytes[end] == 0x2E || bytes[end] == 0x2C, Self.isDigit(bytes[end &+ 1]) {
        end = digitsEnd(end &+ 1)
      }
      if end < count, bytes[end] == UInt8(ascii: "Z") {
        end &+= 1
      } else if count &- end >= 6, bytes[end] == 0x2B || bytes[end] == 0x2D,
        bytes[end &+ 3] == 0x3A
      {
        end &+= 6
      }
      guard TimestampTextRun.parse(bytes + i, end &- i) != nil else { return nil }
      return end
    }
  }
}
