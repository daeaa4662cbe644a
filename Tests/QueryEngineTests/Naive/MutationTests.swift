import QueryLanguage
import TestSupport
import Testing

@testable import QueryEngine

/// A query with one token missing or misspelt must not be answered as if nothing had happened.
///
/// Each query is damaged in every way there is: each token left out, and each token spelt wrong. A
/// damaged query is *noticed* when it is refused or when it is another query, that is when its tree
/// prints differently; that trees are answered as they stand is what ``DifferentialTests`` shows.
/// Tokens to which the language gives no meaning are not left out; ``Token`` has the rules.
///
/// `VARVE_TEST_MUTATIONS` says how many queries are damaged.
@Suite struct MutationTests {
  @Test func `no token is ignored`() throws {
    let seed = DifferentialTests.setting("VARVE_TEST_SEED", 1)
    let count = DifferentialTests.setting("VARVE_TEST_MUTATIONS", 200)
    var generator = RandomQueries(random: SeededGenerator(seed: seed))
    var damaged = 0
    var unnoticed = 0
    for _ in 0..<count {
      let query = generator.query()
      let whole = QueryParser.parse(query)
      try #require(!whole.hasErrors, "\(query)")
      let tokens = Token.all(in: query)
      for index in tokens.indices {
        for text in Token.damages(of: tokens, at: index) {
          damaged += 1
          if Self.isNoticed(text, whole) { continue }
          unnoticed += 1
          Issue.record("seed \(seed): \(query)\nanswered alike: \(text)")
        }
      }
      if unnoticed >= 12 { return }
    }
    #expect(damaged > Int(count) * 10)
  }

  /// Whether the damaged text is refused or read as something else.
  private static func isNoticed(_ text: String, _ whole: ParsedQuery) -> Bool {
    let parsed = QueryParser.parse(text)
    if parsed.hasErrors { return true }
    return QueryPrinter.text(of: parsed.query) != QueryPrinter.text(of: whole.query)
  }
}

/// A token of a query as written, cut by rules of the test's own.
struct Token: Equatable {
  enum Kind { case word, number, quoted, regex, sign }

  let kind: Kind
  let text: String
  /// Whether a blank stands behind it.
  var hasBlank = false

  static func all(in query: String) -> [Token] {
    var tokens: [Token] = []
    var rest = Array(query)[...]
    while let first = rest.first {
      if first == " " {
        if !tokens.isEmpty { tokens[tokens.count - 1].hasBlank = true }
        rest.removeFirst()
        continue
      }
      let token = next(rest, isRegexPossible: regexMayFollow(tokens))
      tokens.append(token)
      rest = rest.dropFirst(token.text.count)
    }
    return tokens
  }

  /// A slash opens a regular expression behind these; elsewhere it divides.
  private static func regexMayFollow(_ tokens: [Token]) -> Bool {
    guard let last = tokens.last else { return false }
    if ["like", "=~", "!~", "parse"].contains(last.text) { return true }
    return tokens.count > 1 && tokens[tokens.count - 2].text == "parse"
  }

  private static func next(_ rest: ArraySlice<Character>, isRegexPossible: Bool) -> Token {
    let first = rest[rest.startIndex]
    if first == "\"" || first == "'" || (first == "/" && isRegexPossible) {
      var text = String(first)
      var isEscaped = false
      for character in rest.dropFirst() {
        text.append(character)
        if character == first, !isEscaped { break }
        isEscaped = character == "\\" && !isEscaped
      }
      return Token(kind: first == "/" ? .regex : .quoted, text: text)
    }
    let word = rest.prefix { $0.isLetter || $0.isNumber || "_@.".contains($0) }
    if !word.isEmpty { return Token(kind: first.isNumber ? .number : .word, text: String(word)) }
    let pair = String(rest.prefix(2))
    let isPair = ["!=", "<=", ">=", "=~", "!~"].contains(pair)
    return Token(kind: .sign, text: isPair ? pair : String(first))
  }

  /// The query without one token, and with that token misspelt.
  static func damages(of tokens: [Token], at index: Int) -> [String] {
    var without = tokens
    without.remove(at: index)
    var damages = isFree(tokens, index) ? [] : [joined(without)]
    if let misspelt = tokens[index].misspelt {
      var changed = tokens
      changed[index] = misspelt
      damages.append(joined(changed))
    }
    return damages
  }

  private static func joined(_ tokens: [Token]) -> String {
    tokens.map { $0.text + ($0.hasBlank ? " " : "") }.joined()
  }

  /// A letter changed in a word, text or pattern; a sign has no spelling to get wrong.
  private var misspelt: Token? {
    switch kind {
    case .sign: nil
    case .word: Token(kind: kind, text: text + "q", hasBlank: hasBlank)
    case .number: Token(kind: kind, text: "9" + text, hasBlank: hasBlank)
    case .quoted, .regex:
      Token(kind: kind, text: "\(text.prefix(1))q\(text.dropFirst())", hasBlank: hasBlank)
    }
  }

  /// Whether a token means nothing where it stands, and may go; misspelt it is noticed all the same.
  private static func isFree(_ tokens: [Token], _ index: Int) -> Bool {
    let token = tokens[index]
    // `asc` is what a key of `sort` has when nothing is said.
    if token.text == "asc" { return true }
    // The comma between the names of filldown is free: blanks do as well.
    if token.text == "," {
      let stage = tokens[..<index].last { ["filldown", "|"].contains($0.text) }
      return stage?.text == "filldown"
    }
    return false
  }
}
