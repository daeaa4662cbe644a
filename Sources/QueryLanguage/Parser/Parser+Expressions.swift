// Expressions: one function per level of `Precedence`, from loose to tight.

extension Parser {
  /// Expression ::= OrExpression
  mutating func parseExpression() throws(ParseFailure) -> Expression {
    try nested { (parser) throws(ParseFailure) in try parser.parseOr() }
  }

  /// OrExpression ::= AndExpression ( ( "or" | "||" ) AndExpression )*
  private mutating func parseOr() throws(ParseFailure) -> Expression {
    let start = token.range.start
    var operands = [try parseAnd()]
    while takeOperator(.or, foreign: .orSign) { operands.append(try parseAnd()) }
    return operands.count == 1 ? operands[0] : try make(.or(operands), from: start)
  }

  /// AndExpression ::= NotExpression ( ( "and" | "&&" ) NotExpression )*
  private mutating func parseAnd() throws(ParseFailure) -> Expression {
    let start = token.range.start
    var operands = [try parseNot()]
    while takeOperator(.and, foreign: .andSign) { operands.append(try parseNot()) }
    return operands.count == 1 ? operands[0] : try make(.and(operands), from: start)
  }

  /// Takes `and` or `or`, in either spelling.
  private mutating func takeOperator(_ keyword: Keyword, foreign: Token.Kind) -> Bool {
    if token.keyword == keyword {
      advance()
      return true
    }
    guard token.kind == foreign else {
      expect("an operator")
      return false
    }
    reportForeign(token, instead: keyword.spelling)
    advance()
    return true
  }

  mutating func reportForeign(_ token: Token, instead spelling: String) {
    report(LanguageDiagnostics.foreignSpelling(text(token), of: spelling, at: token.range))
  }

  /// NotExpression ::= "not" NotExpression | Predicate
  private mutating func parseNot() throws(ParseFailure) -> Expression {
    guard token.keyword == .not else { return try parsePredicate() }
    let start = advance().range.start
    let operand = try nested { (parser) throws(ParseFailure) in try parser.parseNot() }
    return try make(.unary(.not, operand), from: start)
  }

  /// Predicate ::= Additive ( Comparison | Match | InTest )?
  private mutating func parsePredicate() throws(ParseFailure) -> Expression {
    let start = token.range.start
    let operand = try parseAdditive()
    let isNegated = token.keyword == .not && [.like, .in].contains(peek().keyword)
    let word = isNegated ? peek() : token
    if word.keyword == .like || token.kind == .matches || token.kind == .notMatches {
      return try refuseChain(parseMatch(operand, from: start))
    }
    if word.keyword == .in { return try refuseChain(parseInTest(operand, from: start)) }
    guard let comparison = BinaryOperator(token.kind), comparison.isComparison else {
      expect("an operator")
      return operand
    }
    return try refuseChain(parseComparison(operand, comparison, from: start))
  }

  /// Comparison ::= ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) Additive
  private mutating func parseComparison(
    _ left: Expression, _ comparison: BinaryOperator, from start: Int
  ) throws(ParseFailure) -> Expression {
    let sign = advance()
    if sign.kind == .equalEqual { reportForeign(sign, instead: "=") }
    if sign.kind == .less, token.kind == .greater, token.isGlued {
      let range = sign.range.union(token.range)
      throw report(LanguageDiagnostics.unequalSign(at: range))
    }
    let right = try parseAdditive()
    return try make(.binary(comparison, left, right), from: start)
  }

  /// Comparisons do not chain; says so at the second one.
  private mutating func refuseChain(_ first: Expression) throws(ParseFailure) -> Expression {
    let word = token.keyword == .not ? peek() : token
    let isWord = word.keyword == .like || word.keyword == .in
    let isSign = token.kind == .matches || token.kind == .notMatches
    let isComparison = BinaryOperator(token.kind)?.isComparison ?? false
    guard isWord || isSign || isComparison else { return first }
    // The operand in the middle can be repeated for the user if it is a single token.
    let last = consumed.last ?? token.range
    var middle: String?
    if case .binary(_, _, let right) = first.kind, right.range == last { middle = source[last] }
    throw report(
      LanguageDiagnostics.chainedComparison(at: token.range, after: last.end, middle: middle))
  }

  /// Match ::= ( "not"? "like" | "=~" | "!~" ) PatternOperand
  private mutating func parseMatch(
    _ operand: Expression, from start: Int
  ) throws(ParseFailure) -> Expression {
    let isNegated = token.keyword == .not
    if isNegated { advance() }
    let sign = advance()
    if sign.kind == .notMatches {
      report(LanguageDiagnostics.notMatches(at: sign.range, isRegex: token.kind == .slash))
    }
    let matchOperator: PatternMatch.Operator =
      switch sign.kind {
      case .matches: .matches
      case .notMatches: .notMatches
      default: isNegated ? .notLike : .like
      }
    let pattern = try parsePatternOperand()
    return try make(
      .match(PatternMatch(operand: operand, operator: matchOperator, pattern: pattern)),
      from: start)
  }

  /// PatternOperand ::= Regex | Additive
  mutating func parsePatternOperand() throws(ParseFailure) -> PatternOperand {
    if token.kind == .slash { return .regex(try takeRegex()) }
    return .expression(try parseAdditive())
  }

  /// Additive ::= Term ( ( "+" | "-" ) Term )*
  mutating func parseAdditive() throws(ParseFailure) -> Expression {
    let start = token.range.start
    return try parseAdditive(after: parseTerm(), from: start)
  }

  /// The rest of a sum whose first term is read already.
  private mutating func parseAdditive(
    after first: Expression, from start: Int
  ) throws(ParseFailure) -> Expression {
    var left = first
    while let sign = BinaryOperator(token.kind), sign.precedence == .additive {
      advance()
      left = try make(.binary(sign, left, try parseTerm()), from: start)
    }
    expect("an operator")
    return left
  }

  /// Term ::= Unary ( ( "*" | "/" | "%" ) Unary )*
  private mutating func parseTerm() throws(ParseFailure) -> Expression {
    let start = token.range.start
    return try parseTerm(after: parseUnary(), from: start)
  }

  private mutating func parseTerm(
    after first: Expression, from start: Int
  ) throws(ParseFailure) -> Expression {
    var left = first
    while let sign = BinaryOperator(token.kind), sign.precedence == .multiplicative {
      if sign == .divide, slashBeginsPattern { break }
      advance()
      left = try make(.binary(sign, left, try parseUnary()), from: start)
    }
    return left
  }

  /// Unary ::= ( "-" | "+" | "!" ) Unary | Power
  private mutating func parseUnary() throws(ParseFailure) -> Expression {
    let sign: UnaryOperator
    switch token.kind {
    case .minus: sign = .minus
    case .plus: sign = .plus
    case .exclamation: sign = .not
    default: return try parsePower()
    }
    let start = advance().range.start
    let operand = try nested { (parser) throws(ParseFailure) in try parser.parseUnary() }
    return try make(.unary(sign, operand), from: start)
  }

  /// Power ::= Postfix ( "^" Unary )?
  private mutating func parsePower() throws(ParseFailure) -> Expression {
    let start = token.range.start
    return try parsePower(after: parsePostfix(), from: start)
  }

  private mutating func parsePower(
    after base: Expression, from start: Int
  ) throws(ParseFailure) -> Expression {
    guard token.kind == .caret else { return base }
    advance()
    let exponent = try nested { (parser) throws(ParseFailure) in try parser.parseUnary() }
    return try make(.binary(.power, base, exponent), from: start)
  }

  /// Postfix ::= Primary ( "." Name | "[" Expression "]" )*
  private mutating func parsePostfix() throws(ParseFailure) -> Expression {
    let start = token.range.start
    return try parsePostfix(after: parsePrimary(), from: start)
  }

  private mutating func parsePostfix(
    after primary: Expression, from start: Int
  ) throws(ParseFailure) -> Expression {
    var operand = primary
    while true {
      if token.kind == .dot {
        advance()
        operand = try parseMembers(of: operand, from: start)
      } else if token.kind == .leftBracket {
        advance()
        let index = try withoutPatternSlash { (parser) throws(ParseFailure) in
          try parser.parseExpression()
        }
        try require(.rightBracket)
        operand = try make(.index(operand, index), from: start)
      } else {
        return operand
      }
    }
  }

  private mutating func parseMembers(
    of operand: Expression, from start: Int
  ) throws(ParseFailure) -> Expression {
    guard token.kind == .name else { throw unexpected("a member's name") }
    let range = advance().range
    var result = operand
    for segment in lexer.segments(of: range) {
      result = try make(.member(result, Identifier(text: segment, range: range)), from: start)
    }
    return result
  }

  /// Runs `body` inside brackets, where a slash divides again.
  mutating func withoutPatternSlash<Result>(
    _ body: (inout Parser) throws(ParseFailure) -> Result
  ) throws(ParseFailure) -> Result {
    let outer = slashBeginsPattern
    slashBeginsPattern = false
    defer { slashBeginsPattern = outer }
    return try body(&self)
  }
}

// MARK: - Operands

extension Parser {
  /// Primary ::= Number | String | Duration | Boolean | Null | Call | Name | List
  ///   | "(" Expression ")"
  private mutating func parsePrimary() throws(ParseFailure) -> Expression {
    let start = token.range.start
    switch token.kind {
    case .number: return try make(.number(try parseNumber()), from: start)
    case .string: return try make(.string(takeString()), from: start)
    case .duration: return try make(.duration(parseDuration()), from: start)
    case .leftBracket: return try make(.list(try parseList()), from: start)
    case .leftParenthesis:
      let expression = try parseParenthesised()
      return Expression(expression.kind, range: range(from: start))
    case .name: return try parseWord()
    case .slash where lexer.regex(at: token.range.start) != nil:
      throw report(LanguageDiagnostics.misplacedRegex(at: token.range))
    default: throw unexpected("an expression")
    }
  }

  private mutating func parseParenthesised() throws(ParseFailure) -> Expression {
    try require(.leftParenthesis)
    let expression = try withoutPatternSlash { (parser) throws(ParseFailure) in
      try parser.parseExpression()
    }
    try require(.rightParenthesis)
    return expression
  }

  /// Boolean ::= "true" | "false"
  /// Null ::= "null"
  private mutating func parseWord() throws(ParseFailure) -> Expression {
    let start = token.range.start
    if peek().kind == .leftParenthesis, lexer.isBareWord(token.range), token.keyword != .not {
      return try parseCall()
    }
    switch token.keyword {
    case .true, .false:
      let isTrue = advance().keyword == .true
      return try make(.boolean(isTrue), from: start)
    case .null:
      advance()
      return try make(.null, from: start)
    default:
      if isMisplacedClause() { throw unexpected("an expression") }
      return try make(.field(takeName()), from: start)
    }
  }

  /// Whether the current word is meant as part of a clause, as `by` in `stats by x`, since no
  /// operand can be followed by what follows it.
  private func isMisplacedClause() -> Bool {
    switch token.keyword {
    case .as, .by, .in, .like, .and, .or, .into, .where:
      let next = peek()
      if isBehindConnective, token.keyword == .and || token.keyword == .or { return true }
      if next.kind == .number || next.kind == .string || next.kind == .duration { return true }
      return next.kind == .name
        && (next.keyword.map { $0.role != .expression && $0 != .as } ?? true)
    default: return false
    }
  }

  private var isBehindConnective: Bool {
    guard let last = consumed.last, let keyword = Keyword(spelling: source[last]) else {
      return false
    }
    return keyword == .and || keyword == .or || keyword == .not
  }

  /// Call ::= Identifier "(" ( "*" | Arguments )? ")"
  ///   | "regexReplace" "(" Argument "," Regex "," Argument ")"
  private mutating func parseCall() throws(ParseFailure) -> Expression {
    let start = token.range.start
    let name = FunctionName(text(token), range: token.range)
    advance()
    try require(.leftParenthesis)
    var call = FunctionCall(function: name, arguments: [], hasStar: false, range: name.range)
    if token.kind == .star, peek().kind == .rightParenthesis {
      advance()
      call.hasStar = true
    } else if token.kind != .rightParenthesis {
      call.arguments = try withoutPatternSlash { (parser) throws(ParseFailure) in
        try parser.parseArguments(of: name)
      }
    }
    try require(.rightParenthesis)
    call.range = range(from: start)
    checkPeriods(of: call)
    return try make(.call(call), from: start)
  }

  /// Arguments ::= Argument ( "," Argument )*
  private mutating func parseArguments(of name: FunctionName) throws(ParseFailure) -> [Expression] {
    var arguments = [try parseArgument(0, of: name)]
    while consume(.comma) != nil {
      arguments.append(try parseArgument(arguments.count, of: name))
    }
    return arguments
  }

  /// Argument ::= Expression | SpacedDuration
  private mutating func parseArgument(
    _ index: Int, of name: FunctionName
  ) throws(ParseFailure) -> Expression {
    let start = token.range.start
    if token.kind == .slash, index == 1, name.folded == "regexreplace" {
      return try make(.regex(try takeRegex()), from: start)
    }
    if let duration = takeSpacedDuration() { return try make(.duration(duration), from: start) }
    return try parseExpression()
  }

  /// List ::= "[" ( Expression ( "," Expression )* ","? )? "]"
  mutating func parseList() throws(ParseFailure) -> [Expression] {
    try require(.leftBracket)
    var elements: [Expression] = []
    let start = token.range.start
    while token.kind != .rightBracket {
      let element = try withoutPatternSlash { (parser) throws(ParseFailure) in
        try parser.parseExpression()
      }
      elements.append(element)
      guard consume(.comma) != nil else { break }
    }
    try require(.rightBracket)
    if elements.count > LanguageLimits.listOperands {
      report(
        LanguageDiagnostics.tooMany(
          "values in a list", LanguageLimits.listOperands, found: elements.count,
          at: range(from: start)))
    }
    return elements
  }
}

// MARK: - The right side of `in`

extension Parser {
  /// InTest ::= "not"? "in" InSet
  private mutating func parseInTest(
    _ operand: Expression, from start: Int
  ) throws(ParseFailure) -> Expression {
    let isNegated = consume(.not) != nil
    try require(.in)
    let membership = Membership(operand: operand, isNegated: isNegated, set: try parseInSet())
    return try make(.membership(membership), from: start)
  }

  /// InSet ::= Subquery | RoundList | Additive
  mutating func parseInSet() throws(ParseFailure) -> MembershipSet {
    guard token.kind == .leftParenthesis else {
      let set = try parseAdditive()
      if case .list(let elements) = set.kind { return .list(elements) }
      return .expression(set)
    }
    if beginsSubquery() { return .subquery(try parseSubquery()) }
    return try parseRoundList()
  }

  /// Whether the tokens behind a round bracket say that a query stands in it: a command's word, or
  /// two words in a row, which are no expression, so that a misspelt command is found out.
  private func beginsSubquery() -> Bool {
    let first = peek(1)
    let second = peek(2)
    if first.kind == .dollar { return true }
    guard first.kind == .name, first.keyword?.role != .expression else { return false }
    if second.keyword == .not { return ![.like, .in].contains(peek(3).keyword) }
    if [.and, .or, .like, .in, .as].contains(second.keyword) { return false }
    if let keyword = first.keyword, keyword.role == .command {
      if second.kind == .slash { return keyword == .search || keyword == .parse }
      if second.kind == .rightParenthesis { return Self.completeCommands.contains(keyword) }
      return !isOperatorOrEnd(second)
    }
    return second.kind == .name || second.kind == .string
  }

  /// The commands that need no more than their word.
  private static let completeCommands: Set<Keyword> = [
    .addtotals, .anomaly, .diff, .estimate, .filldown, .fillmissing, .head, .tail,
  ]

  private func isOperatorOrEnd(_ token: Token) -> Bool {
    if token.kind == .comma { return true }
    guard let sign = BinaryOperator(token.kind) else { return false }
    // A minus may belong to an operand, and a star to `fields *`.
    return sign != .subtract && sign != .multiply && sign != .add
  }

  /// RoundList ::= "(" Expression ( "," Expression )* ","? ")"
  ///
  /// One literal or several expressions in round brackets are a list by courtesy; one expression
  /// that is no literal is just that, in brackets, and must yield a list itself.
  private mutating func parseRoundList() throws(ParseFailure) -> MembershipSet {
    let start = token.range.start
    let open = try require(.leftParenthesis)
    var hasComma = false
    var elements: [Expression] = []
    while token.kind != .rightParenthesis || elements.isEmpty {
      let element = try withoutPatternSlash { (parser) throws(ParseFailure) in
        try parser.parseExpression()
      }
      elements.append(element)
      guard consume(.comma) != nil else { break }
      hasComma = true
    }
    let close = try require(.rightParenthesis)
    if !hasComma, !elements[0].isLiteral || continuesOperand {
      let first = Expression(elements[0].kind, range: range(from: start))
      if case .list(let inner) = first.kind { return .list(inner) }
      let base = try parsePower(after: parsePostfix(after: first, from: start), from: start)
      return .expression(
        try parseAdditive(after: parseTerm(after: base, from: start), from: start))
    }
    report(LanguageDiagnostics.roundList(open: open.range, close: close.range))
    return .list(elements)
  }
}

extension Parser {
  /// Whether the current token makes more of the operand before it.
  private var continuesOperand: Bool {
    if token.kind == .dot || token.kind == .leftBracket { return true }
    guard let sign = BinaryOperator(token.kind) else { return false }
    return !sign.isComparison
  }
}

extension Expression {
  /// Whether this is a literal, with or without sign.
  var isLiteral: Bool {
    switch kind {
    case .number, .string, .duration, .boolean, .null: true
    case .unary(.minus, let operand), .unary(.plus, let operand):
      if case .number = operand.kind { true } else { false }
    default: false
    }
  }
}
