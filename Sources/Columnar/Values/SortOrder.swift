// The order of `sort`, ascending: missing values, then values that are no numbers, then numbers.
//
// Numbers stand by value; equal ones by the length of their text, then the text: 0, 00, 1. Booleans
// are 0 and 1 with their own texts, so that 1 stands ahead of true: they are two groups of a `stats`,
// and which comes first must not depend on which was read first. A text is a number here when it is
// one from the first byte to the last, without blanks.
//
// Other texts are cut into runs of ASCII digits and runs of anything else, and compared run by run:
// two runs of digits by length and then value, other pairs by code points. Hence
//
//     5A < 111A      runs 5|A and 111|A: 5 is shorter than 111
//     a2b < a10b     runs a|2|b and a|10|b
//     a7 < a007      2 runs each, 7 is shorter than 007
//     ab1 < ab!      runs ab|1 and ab!: ab ends first
//
// Runs are totally ordered (a run of digits and another differ in their first code point), so texts
// are too, and only identical texts are equal.

/// What `sort` compares of a value, worked out once.
package enum SortKey: Sendable {
  case missing
  /// No number.
  case text(String)
  /// A number and its text; `nil` stands for the canonical text.
  case number(Number, text: String?)

  /// Structures count as missing.
  package init(_ value: Value) {
    switch value {
    case .missing, .list, .map: self = .missing
    case .integer(let number), .timestamp(let number):
      self = .number(.integer(number), text: nil)
    case .double(let number): self = .number(.double(number), text: nil)
    case .sourceNumber(let number): self = .number(.double(number.value), text: number.text)
    case .boolean(let condition): self = .number(.integer(condition ? 1 : 0), text: nil)
    case .jsonBoolean(let condition):
      self = .number(.integer(condition ? 1 : 0), text: condition ? "true" : "false")
    case .string(let text):
      if let number = text.withUTF8Bytes({ NumberText.numberWithoutBlanks($0) }) {
        self = .number(number, text: text)
      } else {
        self = .text(text)
      }
    }
  }

  private var rank: Int {
    switch self {
    case .missing: 0
    case .text: 1
    case .number: 2
    }
  }

  private var canonicalText: String {
    switch self {
    case .missing: ""
    case .text(let text), .number(_, .some(let text)): text
    case .number(.integer(let number), nil): String(number)
    case .number(.double(let number), nil): NumberFormat.exactText(number)
    }
  }

  /// How two keys stand to each other, ascending.
  package static func order(_ left: SortKey, _ right: SortKey) -> Ordering {
    switch (left, right) {
    case (.number(let a, let leftText), .number(let b, let rightText)):
      let order = Number.order(a, b)
      if order != .equal || (leftText == nil && rightText == nil) { return order }
      return left.canonicalText.withUTF8Bytes { left in
        right.canonicalText.withUTF8Bytes { SortOrder.byLength(left, $0) }
      }
    case (.text(let a), .text(let b)):
      return a.withUTF8Bytes { a in b.withUTF8Bytes { SortOrder.naturalOrder(a, $0) } }
    default:
      return Ordering(left.rank, right.rank)
    }
  }
}

/// The order of `sort` on values and on UTF-8.
package enum SortOrder {
  /// How two values stand to each other, ascending; missing values and structures come first.
  package static func order(_ left: Value, _ right: Value) -> Ordering {
    SortKey.order(SortKey(left), SortKey(right))
  }

  /// How two present texts in UTF-8 stand to each other, ascending.
  package static func order(
    texts left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
  ) -> Ordering {
    switch (NumberText.numberWithoutBlanks(left), NumberText.numberWithoutBlanks(right)) {
    case (.none, .none): return naturalOrder(left, right)
    case (.none, .some): return .less
    case (.some, .none): return .greater
    case (.some(let a), .some(let b)):
      let order = Number.order(a, b)
      return order == .equal ? byLength(left, right) : order
    }
  }

  /// How two texts that are no numbers stand to each other: run by run.
  package static func naturalOrder(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
  ) -> Ordering {
    // What both begin with decides nothing; of a run of digits that does not end there the length counts.
    var i = TextBytes.firstDifference(left, right)
    while i > 0, isDigit(left[i - 1]) { i -= 1 }
    if i > 0, !(i < left.count && isDigit(left[i]) && i < right.count && isDigit(right[i])) {
      return orderWithinRun(left, right, i)
    }
    var j = i
    while i < left.count, j < right.count {
      let leftRun = run(of: left, from: i)
      let rightRun = run(of: right, from: j)
      let bothDigits = isDigit(left[i]) && isDigit(right[j])
      let a = UnsafeBufferPointer(rebasing: left[i..<leftRun])
      let b = UnsafeBufferPointer(rebasing: right[j..<rightRun])
      let order = bothDigits ? byLength(a, b) : TextComparisonRule.order(a, b)
      if order != .equal { return order }
      i = leftRun
      j = rightRun
    }
    return Ordering(left.count - i, right.count - j)
  }

  /// How two texts stand to each other that agree up to a place inside a run of bytes that are no digits, or right behind
  /// one: the one whose run goes on comes last.
  private static func orderWithinRun(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>, _ place: Int
  ) -> Ordering {
    func rank(_ text: UnsafeBufferPointer<UInt8>) -> Int {
      // A digit behind the end of a run stands before whatever else it could go on with.
      guard place < text.count else { return -2 }
      return isDigit(text[place]) ? -1 : Int(text[place])
    }
    return Ordering(rank(left), rank(right))
  }

  /// Where the run of digits, or of other bytes, that starts here ends.
  @inline(__always)
  private static func run(of text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let kind = isDigit(text[start])
    var end = start + 1
    while end < text.count, isDigit(text[end]) == kind { end += 1 }
    return end
  }

  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// Shorter first, then by code points.
  @inline(__always)
  fileprivate static func byLength(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
  ) -> Ordering {
    left.count == right.count
      ? TextComparisonRule.order(left, right) : Ordering(left.count, right.count)
  }
}
