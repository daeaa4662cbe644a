// The parser: tokens to tree, by recursive descent.
//
// One function per production; its doc comment quotes the rule of `Grammar/insights.ebnf`, and a
// test compares the two. A function that meets something it cannot use reports one diagnostic and
// throws `ParseFailure`; the stage it belongs to becomes `.invalid`, the parser goes on behind the
// next `|`, and so one run reports every broken stage. Mistakes that leave no doubt about what was
// meant (`"x" == y`, a quoted alias) are reported without throwing.
//
//     fields a, | limt 5 | sort b c
//               ^ E117     |        ^ E117, all three from one run
//                 ^~~~ E106
//
// What could have stood at a place is not written into messages by hand: `consume` notes each kind
// of token it was asked for in vain, and `unexpected` makes the sentence from these notes.
//
// Recursion is bounded by `LanguageLimits.nesting`, the tree's height by
// `LanguageLimits.expressionHeight`, and every loop consumes a token each time round.

/// Ends the parsing of one stage; its diagnostic has been reported already.
struct ParseFailure: Error {}

/// The cursor over one query's tokens, and what was found so far.
struct Parser {
  let source: SourceText
  let lexer: Lexer

  /// The token to be looked at next.
  private(set) var token: Token
  /// The ranges of the tokens consumed, in order: labels and messages quote them.
  private(set) var consumed: [SourceRange] = []
  private var previousKind: Token.Kind?
  /// What could have stood in place of `token`, as far as it was asked for.
  private var expectations: [String] = []
  /// Keywords among `expectations`, for a suggestion.
  private var expectedKeywords: [Keyword] = []
  private(set) var diagnostics: [Diagnostic] = []
  private var errorCount = 0

  /// How many brackets, calls, prefix operators and subqueries enclose `token`.
  private var nesting = 0
  /// How many subqueries enclose `token`.
  var subqueryDepth = 0
  /// The brackets open since the stage began; recovery closes them.
  private var openBrackets = 0
  /// Whether a slash behind an operand begins a pattern: in the source of `parse`.
  var slashBeginsPattern = false
  /// The regular expressions taken, in order.
  private(set) var patterns: [SourceRange] = []
  /// The calls of saved queries, in order.
  var savedQueryCalls: [PlacedCall] = []

  init(_ source: SourceText) {
    self.source = source
    lexer = Lexer(source)
    token = lexer.token(at: 0)
  }
}

// MARK: - Cursor

extension Parser {
  /// Takes the current token.
  @discardableResult
  mutating func advance() -> Token {
    let taken = token
    guard taken.kind != .end else { return taken }
    switch taken.kind {
    case .leftParenthesis, .leftBracket, .leftBrace: openBrackets += 1
    case .rightParenthesis, .rightBracket, .rightBrace: openBrackets -= 1
    default: break
    }
    moveOn(from: taken.range, kind: taken.kind)
    return taken
  }

  private mutating func moveOn(from range: SourceRange, kind: Token.Kind) {
    consumed.append(range)
    previousKind = kind
    expectations.removeAll(keepingCapacity: true)
    expectedKeywords.removeAll(keepingCapacity: true)
    token = follower(ofKind: kind, at: range.end)
  }

  private func follower(ofKind kind: Token.Kind, at offset: Int) -> Token {
    lexer.token(
      at: offset, afterDot: kind == .dot,
      afterOperand: kind == .rightParenthesis || kind == .rightBracket)
  }

  /// The token `distance` places behind the current one.
  func peek(_ distance: Int = 1) -> Token {
    var ahead = token
    for _ in 0..<distance { ahead = follower(ofKind: ahead.kind, at: ahead.range.end) }
    return ahead
  }

  /// The place just behind the last token taken.
  var previousEnd: Int { consumed.last?.end ?? 0 }

  /// From `start` to the end of the last token taken.
  func range(from start: Int) -> SourceRange {
    SourceRange(start, max(start, previousEnd))
  }

  func text(_ token: Token) -> String { source[token.range] }

  /// Takes the current token if it is of this kind; notes that it could have been otherwise.
  mutating func consume(_ kind: Token.Kind) -> Token? {
    guard token.kind == kind else {
      expect("'\(kind.rawValue)'")
      return nil
    }
    return advance()
  }

  /// Takes the current token if it is this word; notes that it could have been otherwise.
  mutating func consume(_ keyword: Keyword) -> Token? {
    guard isAt(keyword) else { return nil }
    return advance()
  }

  /// Whether the current token is this word; notes that it could have been otherwise.
  mutating func isAt(_ keyword: Keyword) -> Bool {
    guard token.keyword == keyword else {
      expect("'\(keyword.spelling)'")
      expectedKeywords.append(keyword)
      return false
    }
    return true
  }

  /// Notes what could have stood in place of the current token.
  mutating func expect(_ what: String) {
    if !expectations.contains(what) { expectations.append(what) }
  }

  /// Takes a token that must be there.
  @discardableResult
  mutating func require(_ kind: Token.Kind) throws(ParseFailure) -> Token {
    guard let taken = consume(kind) else { throw unexpected() }
    return taken
  }

  /// Takes a word that must be there.
  @discardableResult
  mutating func require(_ keyword: Keyword) throws(ParseFailure) -> Token {
    guard let taken = consume(keyword) else { throw unexpected() }
    return taken
  }

  /// Takes the regular expression that the current slash opens.
  mutating func takeRegex() throws(ParseFailure) -> RegexLiteral {
    guard let literal = lexer.regex(at: token.range.start) else {
      throw report(LanguageDiagnostics.unterminatedRegex(at: token.range))
    }
    moveOn(from: literal.range, kind: .string)
    patterns.append(literal.range)
    if token.isGlued, token.kind == .name || token.kind == .number || token.kind == .duration {
      report(LanguageDiagnostics.regexFlags(text(token), at: token.range, of: literal, in: source))
      advance()
    }
    return literal
  }

  /// The text from the token consumed as number `first` to the last one, blanks made one space.
  func label(fromToken first: Int) -> String {
    var label = ""
    for (index, range) in consumed.enumerated().dropFirst(first) {
      if index > first, consumed[index - 1].end < range.start { label += " " }
      label += source[range]
    }
    return label
  }

  /// How many tokens were consumed: where a label begins.
  var tokenCount: Int { consumed.count }
}

// MARK: - Diagnostics

extension Parser {
  /// Adds a diagnostic, up to the limit of its kind; equal ones only once.
  ///
  /// Errors and warnings are counted apart, lest many warnings hide that the query is broken.
  @discardableResult
  mutating func report(_ diagnostic: Diagnostic) -> ParseFailure {
    let isError = diagnostic.severity == .error
    let count = isError ? errorCount : diagnostics.count - errorCount
    if count < LanguageLimits.diagnostics, !diagnostics.contains(diagnostic) {
      diagnostics.append(diagnostic)
      errorCount += isError ? 1 : 0
    }
    return ParseFailure()
  }

  /// Whether no more errors are taken, so that none need be made.
  var isFull: Bool { errorCount >= LanguageLimits.diagnostics }

  /// Reports that the current token cannot stand here; `what` could, or else what was asked for.
  mutating func unexpected(_ what: String? = nil) -> ParseFailure {
    if isFull { return ParseFailure() }
    switch token.kind {
    case .unterminated:
      return report(LanguageDiagnostics.unterminatedText(at: token.range, in: source))
    case .unexpected:
      return report(LanguageDiagnostics.unexpectedCharacter(at: token.range, in: source))
    case .parameter:
      return report(LanguageDiagnostics.parameterWithoutValue(at: token.range, in: source))
    default:
      return report(unexpectedToken(what))
    }
  }

  private func unexpectedToken(_ what: String?) -> Diagnostic {
    let expected = what ?? LanguageDiagnostics.alternatives(expectations)
    var diagnostic = LanguageDiagnostics.expected(
      expected, after: consumed.last.map { source[$0] }, found: token, in: source)
    guard what == nil, token.kind == .name else { return diagnostic }
    let word = text(token)
    let spellings = expectedKeywords.map(\.spelling)
    if let near = NameSuggestion.nearest(to: word, among: spellings), word.count > 1 {
      diagnostic.label = "did you mean '\(near)'?"
      diagnostic.fixIts = [FixIt("replace '\(word)' with '\(near)'", [.init(token.range, near)])]
    }
    addMissingSeparator(to: &diagnostic)
    return diagnostic
  }

  /// A word where a separator belongs: offers to put one in.
  private func addMissingSeparator(to diagnostic: inout Diagnostic) {
    let place = SourceRange(at: token.range.start)
    if let keyword = token.keyword, keyword.role == .command, expectations.contains("'|'") {
      let spelling = text(token)
      diagnostic.notes.append(DiagnosticNote("commands are separated by '|'"))
      diagnostic.fixIts.append(FixIt("put '|' before '\(spelling)'", [.init(place, "| ")]))
    } else if expectations.contains("','") {
      diagnostic.fixIts.append(
        FixIt("put ',' before '\(text(token))'", [.init(SourceRange(at: previousEnd), ",")]))
    }
  }
}

// MARK: - Bounds and recovery

extension Parser {
  /// Goes one level deeper while `body` runs.
  ///
  /// Every recursion of the parser passes through here, so the stack it needs is bounded.
  mutating func nested<Result>(
    _ body: (inout Parser) throws(ParseFailure) -> Result
  ) throws(ParseFailure) -> Result {
    guard nesting < LanguageLimits.nesting else {
      throw report(LanguageDiagnostics.nestedTooDeeply(at: token.range))
    }
    nesting += 1
    defer { nesting -= 1 }
    return try body(&self)
  }

  /// Makes an expression, if it does not get too high.
  mutating func make(
    _ kind: Expression.Kind, from start: Int
  ) throws(ParseFailure) -> Expression {
    let expression = Expression(kind, range: range(from: start))
    guard expression.height <= LanguageLimits.expressionHeight else {
      throw report(LanguageDiagnostics.chainTooLong(at: expression.range))
    }
    return expression
  }

  /// Forgets the brackets of the stage before; returns their number for the stage around.
  mutating func beginStage() -> Int {
    defer { openBrackets = 0 }
    return openBrackets
  }

  /// Takes up the brackets of the stage around again.
  mutating func endStages(restoring brackets: Int) {
    openBrackets = brackets
  }

  /// Skips to the `|` or, in a subquery, the `)` that ends the broken stage.
  ///
  /// Brackets that the stage left open are closed first, if the text closes them at all: in
  /// `filter a in (1 2 | limit 5)` nothing but the bracket tells that the stage goes on behind `|`,
  /// in `stats count( | limit 5` it is the bracket that is missing.
  mutating func recover() {
    let goal = recoveryGoal()
    while token.kind != .end, token.range.start < goal { skip() }
    openBrackets = 0
    expectations.removeAll()
    expectedKeywords.removeAll()
  }

  private func recoveryGoal() -> Int {
    var depth = openBrackets
    var ahead = token
    var firstPipe: Int?
    while ahead.kind != .end {
      switch ahead.kind {
      case .leftParenthesis, .leftBracket, .leftBrace: depth += 1
      case .rightParenthesis where depth == 0 && subqueryDepth > 0:
        return ahead.range.start
      case .rightParenthesis, .rightBracket, .rightBrace: depth = max(0, depth - 1)
      case .pipe:
        if depth == 0 { return ahead.range.start }
        firstPipe = firstPipe ?? ahead.range.start
      default: break
      }
      ahead = following(ahead)
    }
    return firstPipe ?? ahead.range.start
  }

  private mutating func skip() {
    let next = following(token)
    consumed.append(token.range)
    token = next
  }

  /// The token behind `ahead` when its meaning is unknown: what looks like a regular expression is
  /// skipped as a whole, so that a bar inside it ends no stage.
  private func following(_ ahead: Token) -> Token {
    guard ahead.kind == .slash, !ahead.isGlued, let literal = lexer.regex(at: ahead.range.start),
      !peekIsBlank(at: ahead.range.end), !source[literal.patternRange].contains("\n")
    else { return follower(ofKind: ahead.kind, at: ahead.range.end) }
    return follower(ofKind: .string, at: literal.range.end)
  }

  private func peekIsBlank(at offset: Int) -> Bool {
    offset >= source.bytes.count || source.bytes[offset] <= UInt8(ascii: " ")
  }
}
