// Names, aliases, literals and the lists of them that commands share.

extension Parser {
  /// The field that the current token, a name, stands for.
  mutating func takeName() -> FieldName {
    let range = advance().range
    return FieldName(segments: lexer.segments(of: range), range: range)
  }

  /// A name that must be there.
  mutating func parseName(
    _ what: String = "a field name"
  ) throws(ParseFailure) -> FieldName {
    guard token.kind == .name else { throw unexpected(what) }
    return takeName()
  }

  /// A field of a command that cannot compute: an expression is refused with the remedy.
  mutating func parsePlainField(of command: Keyword) throws(ParseFailure) -> FieldName {
    let first = token
    let isLiteral = [.number, .string, .duration].contains(first.kind)
    let isCall = first.kind == .name && peek().kind == .leftParenthesis && command != .join
    if isLiteral || isCall {
      throw report(LanguageDiagnostics.namesOnly(command, at: first.range))
    }
    let name = try parseName()
    // A comparison is part of these two commands, and their own functions judge it.
    if command != .join, command != .filterIndex, BinaryOperator(token.kind) != nil {
      throw notAPlainField(of: command, first: first)
    }
    return name
  }

  /// Refuses what stands behind a name; a hyphen most likely belongs to it.
  mutating func notAPlainField(of command: Keyword, first: Token) -> ParseFailure {
    let next = peek()
    let isHyphen = token.kind == .minus && token.isGlued && next.isGlued
    let isWhole = isHyphen && next.kind == .name && lexer.isBareWord(next.range)
    let hyphenated = isWhole ? first.range.union(next.range) : nil
    return report(
      LanguageDiagnostics.namesOnly(command, at: token.range, hyphenated: hyphenated, in: source))
  }

  /// NameList ::= Name ( "," Name )*
  mutating func parseNameList(of command: Keyword) throws(ParseFailure) -> [FieldName] {
    var names = [try parsePlainField(of: command)]
    while consume(.comma) != nil { names.append(try parsePlainField(of: command)) }
    return names
  }

  /// SpacedNames ::= Name ( ","? Name )*
  mutating func parseSpacedNames(of command: Keyword) throws(ParseFailure) -> [FieldName] {
    var names = [try parsePlainField(of: command)]
    while consume(.comma) != nil || token.kind == .name {
      names.append(try parsePlainField(of: command))
    }
    return names
  }

  /// A bare word that must be there.
  mutating func parseIdentifier(_ what: String) throws(ParseFailure) -> Identifier {
    guard token.kind == .name, lexer.isBareWord(token.range) else { throw unexpected(what) }
    let range = advance().range
    return Identifier(text: source[range], range: range)
  }

  // MARK: Aliases

  /// Alias ::= "as" Name
  mutating func parseAlias() throws(ParseFailure) -> FieldName? {
    guard consume(.as) != nil else { return nil }
    return try parseAliasName()
  }

  /// The name behind `as`; quotes around it are refused, but understood.
  mutating func parseAliasName() throws(ParseFailure) -> FieldName {
    guard token.kind == .string else { return try parseName("a name") }
    let literal = takeString()
    let name = FieldName(segments: [literal.value], range: literal.range)
    report(
      LanguageDiagnostics.quotedAlias(
        at: literal.range, instead: QueryPrinter.text(of: name)))
    return name
  }

  /// AliasList ::= "as" Name ( "," Name )*
  mutating func parseAliasList() throws(ParseFailure) -> [FieldName] {
    try require(.as)
    var names = [try parseAliasName()]
    while consume(.comma) != nil { names.append(try parseAliasName()) }
    return names
  }

  /// Aliased ::= Expression Alias?
  mutating func parseAliased() throws(ParseFailure) -> AliasedExpression {
    let start = token.range.start
    let first = tokenCount
    let expression = try parseExpression()
    let label = label(fromToken: first)
    let alias = try parseAlias()
    return AliasedExpression(
      expression: expression, alias: alias, label: label, range: range(from: start))
  }

  /// AliasedList ::= Aliased ( "," Aliased )*
  mutating func parseAliasedList() throws(ParseFailure) -> [AliasedExpression] {
    var list = [try parseAliased()]
    while consume(.comma) != nil { list.append(try parseAliased()) }
    return list
  }

  // MARK: Literals

  /// Literal ::= ( "-" | "+" )? Number | String | Duration | Boolean | Null
  mutating func parseLiteral(_ what: String = "a literal") throws(ParseFailure) -> Expression {
    let start = token.range.start
    if token.kind == .minus || token.kind == .plus, peek().kind == .number {
      let sign: UnaryOperator = advance().kind == .minus ? .minus : .plus
      let operand = try parseLiteral(what)
      return try make(.unary(sign, operand), from: start)
    }
    switch token.kind {
    case .number: return try make(.number(try parseNumber()), from: start)
    case .string: return try make(.string(takeString()), from: start)
    case .duration: return try make(.duration(parseDuration()), from: start)
    default: break
    }
    switch token.keyword {
    case .true, .false:
      let isTrue = advance().keyword == .true
      return try make(.boolean(isTrue), from: start)
    case .null:
      advance()
      return try make(.null, from: start)
    default: throw unexpected(what)
    }
  }

  mutating func parseNumber() throws(ParseFailure) -> NumberLiteral {
    guard token.kind == .number else { throw unexpected("a number") }
    let range = advance().range
    let text = source[range]
    if let integer = Int64(text) {
      return NumberLiteral(value: .integer(integer), text: text, range: range)
    }
    guard let double = Double(text.hasPrefix(".") ? "0" + text : text), double.isFinite else {
      throw report(LanguageDiagnostics.numberTooLarge(text, at: range))
    }
    return NumberLiteral(value: .double(double), text: text, range: range)
  }

  /// A whole number within `bounds`, as an option of `command`.
  mutating func parseInteger(
    of option: String, in bounds: ClosedRange<Int>
  ) throws(ParseFailure) -> Int {
    let start = token.range.start
    if token.kind == .minus || token.kind == .plus { advance() }
    guard token.kind == .number || token.kind == .duration else {
      throw unexpected("a whole number")
    }
    let range = SourceRange(start, advance().range.end)
    guard let value = Int(source[range]), bounds.contains(value) else {
      throw report(
        LanguageDiagnostics.optionOutOfRange(option, bounds, found: source[range], at: range))
    }
    return value
  }

  /// The string that the current token is.
  mutating func takeString() -> StringLiteral {
    let range = advance().range
    let inside = source.bytes[range.start + 1..<range.end - 1]
    return StringLiteral(value: StringEscapes.resolve(inside), range: range)
  }

  mutating func parseString(_ what: String) throws(ParseFailure) -> StringLiteral {
    guard token.kind == .string else { throw unexpected(what) }
    return takeString()
  }

  mutating func parseBoolean() throws(ParseFailure) -> Bool {
    guard token.keyword == .true || token.keyword == .false else {
      throw unexpected("'true' or 'false'")
    }
    return advance().keyword == .true
  }
}

// MARK: - Periods

extension Parser {
  /// The period that the current token, digits with letters, stands for; refused if it is none.
  mutating func parseDuration(allowsZero: Bool = false) -> DurationLiteral {
    let range = advance().range
    return duration(source[range], at: range, allowsZero: allowsZero)
  }

  /// SpacedDuration ::= Digits Unit
  ///
  /// A blank between number and unit, as in `bin(5 m)`: tolerated as a whole argument.
  mutating func takeSpacedDuration() -> DurationLiteral? {
    let unit = peek()
    guard token.kind == .number, unit.kind == .name, DurationUnit(spelling: text(unit)) != nil,
      [.comma, .rightParenthesis].contains(peek(2).kind)
    else { return nil }
    return joinedDuration()
  }

  private mutating func joinedDuration() -> DurationLiteral {
    let number = advance().range
    let unit = advance().range
    return duration(source[number] + source[unit], at: number.union(unit), allowsZero: false)
  }

  /// Period ::= Duration | SpacedDuration
  mutating func requireDuration() throws(ParseFailure) -> DurationLiteral {
    if token.kind == .duration { return parseDuration() }
    guard token.kind == .number else { throw unexpected("a period such as 5m") }
    let unit = peek()
    if unit.kind == .name, DurationUnit(spelling: text(unit)) != nil { return joinedDuration() }
    throw report(LanguageDiagnostics.notAPeriod(text(token), at: token.range))
  }

  private mutating func duration(
    _ text: String, at range: SourceRange, allowsZero: Bool
  ) -> DurationLiteral {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = DurationUnit(spelling: text.dropFirst(digits.count))
    if let unit, let count = Int64(digits), count > 0 || allowsZero {
      return DurationLiteral(count: count, unit: unit, text: text, range: range)
    }
    report(LanguageDiagnostics.notAPeriod(text, at: range))
    return DurationLiteral(count: 1, unit: unit ?? .minute, text: text, range: range)
  }

  /// Refuses plain numbers where a function wants a period, and warns of periods over their cap.
  mutating func checkPeriods(of call: FunctionCall) {
    let position: Int
    switch call.function.folded {
    case "bin": position = 0
    case "datefloor", "dateceil", "rate": position = 1
    default: return
    }
    guard call.arguments.count > position else { return }
    switch call.arguments[position].kind {
    case .number(let number):
      report(LanguageDiagnostics.notAPeriod(number.text, at: number.range))
    case .duration(let duration) where duration.capped.count != duration.count:
      report(LanguageDiagnostics.cappedPeriod(duration, in: call.function.text))
    default: break
    }
  }
}
