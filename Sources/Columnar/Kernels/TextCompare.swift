// Comparisons of texts. Equality of two texts is equality of their bytes; only texts with bytes
// outside of ASCII can differ from that, because invalid UTF-8 is read as U+FFFD, and these few go
// to the single-value rules when it can matter.

/// A column of texts against a literal.
struct TextComparison: Sendable {
  private enum Form: Sendable {
    /// `=` and `!=` with a text.
    case equality(holdsWhenEqual: Bool)
    /// An order by code points: the literal is a text that is no number.
    case codePoints
    /// The literal converts to a number and so may the texts.
    case numeric(IntegerTest, DoubleTest, whenNotNumber: NonNumber)
    /// Every text by the rules for one value.
    case general
  }

  /// What a text that is no number does in a comparison with a number.
  private enum NonNumber: Sendable {
    case holds(Bool)
    /// A literal text: then both compare by code points.
    case codePoints
  }

  private let comparison: FieldPredicate.Comparison
  private let literal: Value
  private let bytes: [UInt8]
  private let form: Form

  init(
    _ comparison: FieldPredicate.Comparison, _ literal: Value, integers: IntegerTest,
    doubles: DoubleTest
  ) {
    self.comparison = comparison
    self.literal = literal
    bytes = if case .string(let text) = literal { Array(text.utf8) } else { [] }
    form =
      switch literal {
      case .string(let text):
        if comparison == .equal || comparison == .notEqual {
          text.unicodeScalars.contains("\u{FFFD}")
            ? .general : .equality(holdsWhenEqual: comparison == .equal)
        } else if literal.number == nil {
          .codePoints
        } else {
          .numeric(integers, doubles, whenNotNumber: .codePoints)
        }
      case .integer, .double, .sourceNumber:
        .numeric(
          integers, doubles, whenNotNumber: .holds(comparison.holds(.string("x"), literal)))
      case .missing, .boolean, .jsonBoolean, .timestamp, .list, .map:
        .general
      }
  }

  func rows(of texts: StringVector) -> Bitmap {
    let offsets = texts.offsets
    return texts.bytes.withUnsafeBufferPointer { all in
      bytes.withUnsafeBufferPointer { literalBytes in
        @inline(__always) func text(_ row: Int) -> UnsafeBufferPointer<UInt8> {
          UnsafeBufferPointer(rebasing: all[Int(offsets[row])..<Int(offsets[row + 1])])
        }
        switch form {
        case .equality(let holdsWhenEqual):
          return Bitmap(count: texts.count) {
            TextBytes.areEqual(text($0), literalBytes) == holdsWhenEqual
          }
        case .codePoints:
          return Bitmap(count: texts.count) { byCodePoints(text($0), literalBytes) }
        case .numeric(let integers, let doubles, let nonNumber):
          return Bitmap(count: texts.count) { row in
            let text = text(row)
            switch NumberText.number(of: text) {
            case .integer(let number): return integers.holds(number)
            case .double(let number): return doubles.holds(number)
            case nil:
              switch nonNumber {
              case .holds(let holds): return holds
              case .codePoints: return byCodePoints(text, literalBytes)
              }
            }
          }
        case .general:
          return Bitmap(count: texts.count) { generally(text($0)) }
        }
      }
    }.masked(texts.validity)
  }

  private func byCodePoints(
    _ text: UnsafeBufferPointer<UInt8>, _ literalBytes: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    if !TextBytes.isASCII(text) { return generally(text) }
    return comparison.holds(TextComparisonRule.order(text, literalBytes))
  }

  private func generally(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    comparison.holds(.string(String(decoding: text, as: UTF8.self)), literal)
  }
}

/// Two columns of texts.
struct TextPairComparison {
  private let comparison: FieldPredicate.Comparison
  private let a: StringVector
  private let b: StringVector

  init(_ comparison: FieldPredicate.Comparison, _ a: StringVector, _ b: StringVector) {
    self.comparison = comparison
    self.a = a
    self.b = b
  }

  func rows() -> Bitmap {
    a.bytes.withUnsafeBufferPointer { aBytes in
      b.bytes.withUnsafeBufferPointer { bBytes in
        Bitmap(count: a.count) { row in
          let x = UnsafeBufferPointer(rebasing: aBytes[a.range(row)])
          let y = UnsafeBufferPointer(rebasing: bBytes[b.range(row)])
          return comparison == .equal || comparison == .notEqual
            ? equality(x, y) == (comparison == .equal) : ordered(x, y)
        }
      }
    }
  }

  private func equality(
    _ x: UnsafeBufferPointer<UInt8>, _ y: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    if TextBytes.areEqual(x, y) { return true }
    if TextBytes.isASCII(x) || TextBytes.isASCII(y) { return false }
    return FieldPredicate.Comparison.equal.holds(value(x), value(y))
  }

  private func ordered(
    _ x: UnsafeBufferPointer<UInt8>, _ y: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    if TextBytes.isASCII(x), TextBytes.isASCII(y) {
      return TextComparisonRule.holds(comparison, x, y)
    }
    return comparison.holds(value(x), value(y))
  }

  private func value(_ text: UnsafeBufferPointer<UInt8>) -> Value {
    .string(String(decoding: text, as: UTF8.self))
  }
}

/// Texts as bytes.
package enum TextBytes {
  /// How many code points a text in UTF-8 has: all bytes but those that go on with one, which begin with the bits 10.
  package static func codePointCount(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    guard let base = UnsafeRawPointer(text.baseAddress) else { return 0 }
    var following = 0
    var i = 0
    while i &+ 8 <= text.count {
      // The eight bytes at i lie inside the text.
      let word = base.loadUnaligned(fromByteOffset: i, as: UInt64.self)
      following &+= ((word >> 7) & ~(word >> 6) & 0x0101_0101_0101_0101).nonzeroBitCount
      i &+= 8
    }
    while i < text.count {
      following &+= text[i] & 0xC0 == 0x80 ? 1 : 0
      i &+= 1
    }
    return text.count &- following
  }

  @inline(__always)
  static func areEqual(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard a.count == b.count else { return false }
    guard let x = UnsafeRawPointer(a.baseAddress), let y = UnsafeRawPointer(b.baseAddress) else {
      return true
    }
    var i = 0
    while i &+ 8 <= a.count {
      // Both buffers hold a.count bytes, so the eight at i lie inside.
      if x.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        != y.loadUnaligned(fromByteOffset: i, as: UInt64.self)
      {
        return false
      }
      i &+= 8
    }
    while i < a.count {
      if a[i] != b[i] { return false }
      i &+= 1
    }
    return true
  }

  /// The first place, from one up to which two texts agree, where they differ or one of them ends.
  ///
  /// - Precondition: neither text ends before `start`.
  @inline(__always)
  static func firstDifference(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>, from start: Int = 0
  ) -> Int {
    let end = min(a.count, b.count)
    guard let x = UnsafeRawPointer(a.baseAddress), let y = UnsafeRawPointer(b.baseAddress) else {
      return end
    }
    var i = start
    while i &+ 8 <= end {
      // Both buffers hold `end` bytes, so the eight at i lie inside. The lowest byte of a word is the first one.
      let differing =
        UInt64(littleEndian: x.loadUnaligned(fromByteOffset: i, as: UInt64.self))
        ^ UInt64(littleEndian: y.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      if differing != 0 { return i &+ differing.trailingZeroBitCount >> 3 }
      i &+= 8
    }
    while i < end, a[i] == b[i] { i &+= 1 }
    return i
  }

  /// Whether a text is UTF-8; no other one is changed by being read.
  @inline(__always)
  static func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    isASCII(text) || (try? UTF8Span(validating: text.span)) != nil
  }

  @inline(__always)
  static func isASCII(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var union: UInt8 = 0
    for byte in text { union |= byte }
    return union < 0x80
  }
}
