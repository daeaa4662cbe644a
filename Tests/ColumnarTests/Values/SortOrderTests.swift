import Columnar
import TestSupport
import Testing

@Suite struct SortOrderTests {
  @Test func `values come missing first, then texts run by run, then numbers by value`() {
    let ascending: [Value] = [
      .missing,
      .string(""), .string(" 12"), .string("5A"), .string("11A"), .string("111A"),
      .string("@"), .string("A5"), .string("A10"), .string("A10b"), .string("NaN"),
      .string("a2b"), .string("a10b"), .string("a10c"), .string("a007"), .string("ab"),
      .string("ab1"), .string("ab!"), .string("abc"), .string("é"),
      .string("-1e400"), .string("-5"), .integer(-1), .boolean(false), .string("00"),
      .double(0.5), .boolean(true), .string("01"), source("1.0"), .jsonBoolean(true), .integer(2),
      .string("10"), .timestamp(1_000), .integer(.max), .string("9223372036854775808"),
      .string("1e400"),
    ]
    for (i, left) in ascending.enumerated() {
      for (j, right) in ascending.enumerated() {
        let expected: Ordering = i < j ? .less : i == j ? .equal : .greater
        #expect(SortOrder.order(left, right) == expected, "\(left) \(right)")
      }
    }
  }

  @Test func `structures count as missing`() {
    #expect(SortOrder.order(.list([]), .missing) == .equal)
    #expect(SortOrder.order(.map(ValueMap()), .string("")) == .less)
  }

  @Test func `equal numbers come by length and then text`() {
    let texts = ["1", "+1", "01", "1.", "1.0", "001", "1e0"]
    let sorted = texts.sorted { SortOrder.order(.string($0), .string($1)) == .less }
    #expect(sorted == ["1", "+1", "01", "1.", "001", "1.0", "1e0"])
  }

  /// The rule as the reference of the language puts it: runs of digits and of anything else, one pair after the other.
  private func orderByRuns(_ a: String, _ b: String) -> Ordering {
    func runs(_ text: String) -> [[UInt8]] {
      var runs: [[UInt8]] = []
      for byte in text.utf8 {
        let isDigit = (0x30...0x39).contains(byte)
        if let last = runs.last?.last, (0x30...0x39).contains(last) == isDigit {
          runs[runs.count - 1].append(byte)
        } else {
          runs.append([byte])
        }
      }
      return runs
    }
    let (left, right) = (runs(a), runs(b))
    for (x, y) in zip(left, right) where x != y {
      let areDigits = [x, y].allSatisfy { (0x30...0x39).contains($0[0]) }
      if areDigits, x.count != y.count { return x.count < y.count ? .less : .greater }
      return x.lexicographicallyPrecedes(y) ? .less : .greater
    }
    return left.count == right.count ? .equal : left.count < right.count ? .less : .greater
  }

  @Test func `texts come in the order of their runs`() {
    let seed = UInt64.random(in: 0..<10_000)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let pieces = ["0", "00", "9", "12345678901", "a", "abcdefgh", "!", "é", "\u{0}", "\u{1}", ""]
    let texts = (0..<250).map { _ in
      (0..<Int.random(in: 0...6, using: &random)).map { _ in
        pieces.randomElement(using: &random)!
      }.joined()
    }
    for a in texts {
      for b in texts {
        let found = Array(a.utf8).withUnsafeBufferPointer { a in
          Array(b.utf8).withUnsafeBufferPointer { SortOrder.naturalOrder(a, $0) }
        }
        #expect(found == orderByRuns(a, b), "\(a)|\(b), seed \(seed)")
      }
    }
  }

  @Test func `the order is total, and bytes give the order of values`() {
    let seed: UInt64 = 0x50F7
    var random = SeededGenerator(seed: seed)
    let letters: [Character] = ["0", "1", "9", "a", "!", ".", "-", "e", "é", " "]
    let texts = (0..<60).map { _ in
      String(
        (0..<Int.random(in: 0...5, using: &random)).map { _ in
          letters.randomElement(using: &random)!
        })
    }
    func order(_ a: String, _ b: String) -> Ordering {
      SortOrder.order(.string(a), .string(b))
    }
    for a in texts {
      for b in texts {
        let found = order(a, b)
        #expect(order(b, a) == found.reversed, "\(a)|\(b), seed \(seed)")
        #expect((found == .equal) == (a == b), "\(a)|\(b), seed \(seed)")
        let ofBytes = Array(a.utf8).withUnsafeBufferPointer { a in
          Array(b.utf8).withUnsafeBufferPointer { SortOrder.order(texts: a, $0) }
        }
        #expect(ofBytes == found)
        for c in texts where found == .less && order(b, c) == .less {
          #expect(order(a, c) == .less, "\(a)|\(b)|\(c), seed \(seed)")
        }
      }
    }
  }
}
