import TestSupport
import Testing

@testable import QueryLanguage

/// What values of saved queries can and cannot do.
@Suite struct SavedQueryTests {
  private static let templates = [
    "filter a = {{x}} | limit 3", "filter a like \"<{{x}}>\" | limit 3",
    "filter a like '<{{x}}>' | limit 3", "filter a like /<{{x}}>/ | limit 3",
    "filter a like /\"{{x}}/ and b = \"{{x}}\" | limit 3",
    "parse a /u={{x}} (?<u>.)/ | filter b / {{x}} = 2 / 1 | limit 3",
    "filter regexReplace(a, /{{x}}/, '{{x}}') = b # {{x}}\n| limit 3",
    "fields a / 2 as h | filter a =~ /\\/{{x}}\\/'/ and c = '{{x}}' | limit 3",
    "filter a in (filter b like \"{{x}}\" | fields b) | limit 3",
  ]

  /// Whatever text is given, the query keeps its commands: no value becomes an operator or a pipe.
  @Test func `texts at random change no command`() {
    let pieces = [
      "\"", "'", "`", "/", "\\", "|", "#", "\n", "{{x}}", "{{", "}}", "(", ")", "[", "]", " ", "a",
      "1", "or", "limit 1", "$q()", "é", "u0022", "*", "-", "=",
    ]
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<3_000 {
      let template = Self.templates.randomElement(using: &random)!
      let length = Int.random(in: 0...6, using: &random)
      let text = (0..<length).map { _ in pieces.randomElement(using: &random)! }.joined()
      let call = "$q(x = \(StringEscapes.quoted(text)))"
      let query = SavedQuery(name: "q", text: template)
      let filled = QueryExpansion(call, saved: SavedQueries([query])).parsed
      let plain = QueryExpansion("$q(x = \"v\")", saved: SavedQueries([query])).parsed
      #expect(!filled.hasErrors, "\(seed): \(template) with \(call): \(filled.diagnostics)")
      #expect(
        Self.shape(filled.query) == Self.shape(plain.query), "\(seed): \(template) with \(call)")
    }
  }

  @Test func `the value arrives as it was given`() {
    for text in ["it's", "say \"hi\"", "c:\\new", "a\nb\tc", "{{x}}", "\\", "/", "é日"] {
      for quote in ["\"", "'"] {
        let query = SavedQuery(name: "q", text: "filter a = \(quote)<{{x}}>\(quote)")
        let call = "$q(x = \(StringEscapes.quoted(text)))"
        let parsed = QueryExpansion(call, saved: SavedQueries([query])).parsed
        guard case .filter(let filter) = parsed.query.commands[0].kind,
          case .binary(_, _, let right) = filter.condition.kind,
          case .string(let value) = right.kind
        else {
          Issue.record("\(text): \(parsed.diagnostics)")
          continue
        }
        #expect(value.value == "<\(text)>")
      }
    }
  }

  @Test func `the kept text is read back as it was`() {
    let query = SavedQuery(
      name: "q", text: "default\n\n# a\nlimit {{n}}\n",
      defaults: [("n", "3"), ("t", "x\ny"), ("l", "[1, 'a']"), ("p", "-5"), ("e", "\"")])
    #expect(SavedQuery(name: "q", encoded: query.encoded) == query)
    #expect(
      query.defaultLines
        == "default n = 3\ndefault t = \"x\\ny\"\ndefault l = [1, \"a\"]\ndefault p = -5\n"
        + "default e = \"\\\"\"\n")
  }

  @Test func `places of the result come from places of the text`() {
    var splicing = Splicing(SourceText("ab(c)de"))
    splicing.replace(SourceRange(2, 5), by: "12345")
    splicing.finish()
    #expect(splicing.result.string == "ab12345de")
    let places = [(0, 2), (2, 7), (3, 4), (1, 3), (6, 8), (7, 9), (9, 9), (2, 2), (7, 7)]
    let expected = [(0, 2), (2, 5), (2, 5), (1, 5), (2, 6), (5, 7), (7, 7), (2, 2), (5, 5)]
    for (place, expected) in zip(places, expected) {
      let range = splicing.writtenRange(SourceRange(place.0, place.1))
      #expect(range == SourceRange(expected.0, expected.1), "\(place)")
    }
  }

  @Test func `many calls of a long query end in an error, not in memory`() {
    let long = SavedQuery(
      name: "q", text: "filter a in [" + String(repeating: "1, ", count: 3_000) + "1]")
    let calls = Array(repeating: "$q()", count: 1_400).joined(separator: "|")
    let parsed = QueryExpansion(calls, saved: SavedQueries([long])).parsed
    #expect(parsed.diagnostics.map(\.id) == [.queryTooLong])
  }

  @Test func `a query that calls itself ends in an error`() {
    let query = SavedQuery(name: "q", text: "limit 1 | $q()")
    let expansion = QueryExpansion("$q()", saved: SavedQueries([query]))
    #expect(expansion.parsed.diagnostics.map(\.id) == [.nestedSavedQuery])
    #expect(!expansion.isComplete)
  }

  private static func shape(_ query: Query) -> [String] {
    query.commands.flatMap { [$0.name] + $0.subqueries.flatMap { shape($0.query) } }
  }
}
