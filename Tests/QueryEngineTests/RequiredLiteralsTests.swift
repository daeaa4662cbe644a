import Columnar
import TestSupport
import Testing

@testable import QueryEngine

/// What every match is said to contain, every match contains.
@Suite struct RequiredLiteralsTests {
  private static func literals(_ pattern: String) -> [String]? {
    RequiredLiterals.searches(of: Array(pattern.utf8))?.map {
      String(decoding: $0.pattern, as: UTF8.self)
    }
  }

  @Test(
    arguments: [
      ("Order ORD-\\d+ transitioned (\\w+)", [" transitioned "]),
      ("(?i)time(d )?out|refused|deadlock", ["time", "refu", "deadloc"]),
      ("(error|fatal): disc", [": disc"]),
      ("x(error|fatal)", ["error", "fatal"]),
      ("abcd+e", ["abcd"]), ("abc(?=def)", ["abc"]), ("a{2}bcd", ["bcd"]),
      ("a\\.b\\.c", ["a.b.c"]), ("[abc]defg[h]", ["defg"]), ("(?:took|ran) in", ["took", "ran"]),
    ] as [(String, [String])])
  func `the longest runs are found`(_ pattern: String, _ expected: [String]) {
    #expect(Self.literals(pattern) == expected)
  }

  @Test(arguments: [
    ".*", "\\d+ms|.*", "(abc)?", "ab", "abc|\\d", "(?x)a b c", "\\x41bcdef", "a(?i)bcdef",
    "\\Qabc\\E", "(*UTF)abcdef", "(abc)\\1x{", "(?i)sks", "abc|",
  ])
  func `nothing is demanded where that is not certain`(_ pattern: String) {
    #expect(Self.literals(pattern) == nil)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `a text that matches holds one of them`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let words = ["abc", "error", "k", "ss", "é", " ", "-", "10", "Ab", "\u{212A}", "ſ"]
    let atoms =
      ["\\d", "\\w+", ".", "[a-k]", "[^]x]", "\\.", "(?:abc|err)", "(e|é)", "^", "$", "\\b"]
      + words
    let marks = ["", "", "", "?", "*", "+", "{0,2}", "{1,3}", "+?", "|"]
    func text(_ parts: [String], _ count: ClosedRange<Int>) -> String {
      (0..<Int.random(in: count, using: &random)).map { _ in parts.randomElement(using: &random)! }
        .joined()
    }
    var tested = 0
    for _ in 0..<4_000 {
      let body = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        atoms.randomElement(using: &random)! + marks.randomElement(using: &random)!
      }.joined()
      let pattern = (Bool.random(using: &random) ? "(?i)" : "") + body
      guard let regex = try? CompiledRegex(pattern), let literals = regex.requiredLiterals
      else { continue }
      for _ in 0..<20 {
        let text = text(words + ["ABC", "ERROR", "x"], 1...6)
        guard regex.matches(text) else { continue }
        tested += 1
        #expect(literals.contains { $0.isIn(text) }, "\(pattern) on \(text), seed \(seed)")
      }
    }
    #expect(tested > 200)
  }
}
