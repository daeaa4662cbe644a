import Columnar
import Testing

@Suite struct ComparisonTests {
  private typealias Comparison = FieldPredicate.Comparison
  private static let all: [Comparison] = [
    .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
  ]

  /// Checks all six comparisons both ways; `order` is `nil` when only `!=` holds.
  private func check(_ left: Value, _ right: Value, _ order: Ordering?) {
    for comparison in Self.all {
      let expected = order.map { comparison.holds($0) } ?? (comparison == .notEqual)
      #expect(left.satisfies(comparison, right) == expected, "\(left) \(comparison) \(right)")
      #expect(
        right.satisfies(comparison.mirrored, left) == expected,
        "mirrored: \(left) \(comparison) \(right)")
    }
    #expect(left.compare(right) == order)
  }

  @Test func `nothing holds for missing values and structures`() {
    let nothing: [Value] = [.missing, .list([.integer(1)]), .map(ValueMap())]
    let others: [Value] = [
      .missing, .integer(1), .string(""), .boolean(false), .timestamp(0), .list([.integer(1)]),
    ]
    for left in nothing {
      for right in others {
        for comparison in Self.all {
          #expect(!left.satisfies(comparison, right))
          #expect(!right.satisfies(comparison, left))
        }
      }
    }
  }

  @Test func `numbers and texts that are numbers compare by value`() {
    check(.integer(200), .integer(200), .equal)
    check(.integer(200), .double(200), .equal)
    check(.integer(200), .string("200"), .equal)
    check(.integer(200), .string(" 2e2 "), .equal)
    check(.integer(7), .string("007"), .equal)
    check(.integer(200), .string("404"), .less)
    check(source("200.0"), .string("200"), .equal)
    check(source("1.50"), .double(1.5), .equal)
    check(.double(2.5), .integer(2), .greater)
    check(.integer(9), .string("10"), .less)
  }

  @Test func `a number and a text that is none are unequal and in no order`() {
    check(.integer(200), .string("abc"), nil)
    check(.integer(0), .string(""), nil)
    check(.double(1.5), .string("1.5ms"), nil)
    check(.integer(1), .string("true"), nil)
    check(.integer(0), .string("1970-01-01"), nil)
  }

  @Test func `whole numbers and doubles compare exactly`() {
    check(.integer(9_007_199_254_740_993), .double(9_007_199_254_740_992), .greater)
    check(.integer(.max), .double(0x1p63), .less)
    check(.integer(.min), .double(-0x1p63), .equal)
    check(.integer(.min), .double(-1e300), .greater)
    check(.integer(.max), .double(1e300), .less)
    check(.integer(-2), .double(-2.5), .greater)
    check(.integer(-3), .double(-2.5), .less)
    check(.integer(0), .double(-0.0), .equal)
    check(.integer(0), .double(.leastNonzeroMagnitude), .less)
    check(.integer(0), .double(-.leastNonzeroMagnitude), .greater)
  }

  @Test func `booleans compare as numbers, and with the words true and false`() {
    for isTrue in [Value.boolean(true), .jsonBoolean(true)] {
      check(isTrue, .integer(1), .equal)
      check(isTrue, .jsonBoolean(true), .equal)
      check(isTrue, .boolean(false), .greater)
      check(isTrue, .string("true"), .equal)
      check(isTrue, .string("TRUE"), .equal)
      check(isTrue, .string("false"), .greater)
      check(isTrue, .string("1"), .equal)
      check(isTrue, .string("2"), .less)
      check(isTrue, .string("yes"), nil)
      check(isTrue, .string(""), nil)
    }
    check(.jsonBoolean(false), .string("False"), .equal)
  }

  @Test func `times compare with times in text and with ms`() {
    let time = Value.timestamp(1_772_445_600_000)
    check(time, .timestamp(1_772_445_600_000), .equal)
    check(time, .string("2026-03-02 10:00:00.000"), .equal)
    check(time, .string("2026-03-02T11:00:00+01:00"), .equal)
    check(time, .string("2026-03-02"), .greater)
    check(time, .string("2026-03-03"), .less)
    check(time, .integer(1_772_445_600_000), .equal)
    check(time, .string("1772445600001"), .less)
    check(time, .string("yesterday"), nil)
    check(time, .boolean(true), .greater)
  }

  @Test func `two texts are equal only byte for byte`() {
    for (left, right) in [
      ("200", "200.0"), ("007", "7"), ("a", "A"), ("é", "e\u{301}"), ("", " "), ("1", "1 "),
    ] {
      #expect(!Value.string(left).satisfies(.equal, .string(right)))
      #expect(Value.string(left).satisfies(.notEqual, .string(right)))
    }
    #expect(Value.string("é").satisfies(.equal, .string("é")))
  }

  @Test func `two texts are ordered as numbers if both are`() {
    func less(_ left: String, _ right: String) -> Bool {
      Value.string(left).satisfies(.less, .string(right))
    }
    #expect(less("9", "10"))
    #expect(less("-1.5", "1e0"))
    #expect(!less("10", "9"))
    #expect(less("10a", "9"))
    #expect(less("a", "b"))
    #expect(less("Z", "a"))
    #expect(less("", "a"))
    #expect(less("ab", "abc"))
    #expect(less("\u{FFFD}", "😀"), "code points, not UTF-16 units")
    #expect(Value.string("200").satisfies(.lessOrEqual, .string("200.0")))
    #expect(Value.string("200").satisfies(.greaterOrEqual, .string("200.0")))
    #expect(!Value.string("200").satisfies(.less, .string("200.0")))
  }
}
