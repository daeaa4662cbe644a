// The commands that bring in rows or columns from elsewhere.

extension Parser {
  /// Source ::= "source" SourceSelector+ SourceTime*
  mutating func parseSource() throws(ParseFailure) -> SourceCommand {
    var command = SourceCommand(selectors: [], start: nil, end: nil)
    while true {
      if try parseSourceTime(&command) { continue }
      guard token.kind == .string || token.kind == .name else { break }
      guard command.start == nil, command.end == nil else {
        throw unexpected("'START=', 'END=', '|' or the end of the query")
      }
      let selector = try parseSourceSelector()
      if case .names(let more) = selector, case .names(let names) = command.selectors.last {
        // Two lists of names in a row unite, as if a comma stood between them.
        command.selectors[command.selectors.count - 1] = .names(names + more)
      } else {
        command.selectors.append(selector)
      }
    }
    guard !command.selectors.isEmpty else {
      throw unexpected(
        "a log group in quotes, 'logGroups(…)', 'logGroupTags(…)' or 'dataSource(…)'")
    }
    return command
  }

  /// SourceSelector ::= SourceName ( "," SourceName )* | LogGroups | LogGroupTags | DataSource
  private mutating func parseSourceSelector() throws(ParseFailure) -> SourceCommand.Selector {
    if token.kind == .name, peek().kind == .leftParenthesis {
      switch token.keyword {
      case .logGroups: return .logGroups(try parseLogGroups())
      case .logGroupTags: return .logGroupTags(try parseLogGroupTags())
      case .dataSource: return .dataSource(try parseDataSource())
      default:
        throw report(
          LanguageDiagnostics.unknownSelector(
            text(token), at: token.range))
      }
    }
    var names = [try parseSourceName()]
    while consume(.comma) != nil { names.append(try parseSourceName()) }
    return .names(names)
  }

  /// SourceName ::= String | Name
  private mutating func parseSourceName() throws(ParseFailure) -> StringLiteral {
    if token.kind == .string { return takeString() }
    let name = try parseName("a log group")
    return StringLiteral(value: name.name, range: name.range)
  }

  /// LogGroups ::= "logGroups" "(" ( LogGroupsArgument ( "," LogGroupsArgument )* )? ")"
  private mutating func parseLogGroups() throws(ParseFailure) -> SourceCommand.LogGroupsSelector {
    takeOption()
    var selector = SourceCommand.LogGroupsSelector(
      namePrefixes: [], accountIdentifiers: [], logGroupClasses: [])
    while token.kind == .name {
      try parseLogGroupsArgument(&selector)
      guard consume(.comma) != nil else { break }
    }
    try require(.rightParenthesis)
    return selector
  }

  /// LogGroupsArgument ::= ( "namePrefix" | "accountIdentifier" | "accountIdentifiers" | "class" |
  ///   "logGroupClass" ) ":" Strings
  private mutating func parseLogGroupsArgument(
    _ selector: inout SourceCommand.LogGroupsSelector
  ) throws(ParseFailure) {
    let keyword = token.keyword
    switch keyword {
    case .namePrefix, .accountIdentifier, .accountIdentifiers, .class, .logGroupClass: break
    default:
      throw unknownArgument(among: [.namePrefix, .accountIdentifier, .class])
    }
    advance()
    try require(.colon)
    let values = try parseStrings()
    switch keyword {
    case .namePrefix: selector.namePrefixes += values
    case .accountIdentifier, .accountIdentifiers: selector.accountIdentifiers += values
    default: selector.logGroupClasses += values
    }
  }

  private mutating func unknownArgument(among options: [Keyword]) -> ParseFailure {
    report(
      LanguageDiagnostics.unknownOption(
        text(token), of: .source, among: options.map(\.spelling), at: token.range))
  }

  /// Strings ::= String | "[" ( String ( "," String )* ","? )? "]"
  private mutating func parseStrings() throws(ParseFailure) -> [StringLiteral] {
    if token.kind == .string { return [takeString()] }
    guard token.kind == .leftBracket else {
      throw unexpected("a text in quotes or a list of texts")
    }
    advance()
    var strings: [StringLiteral] = []
    while token.kind != .rightBracket {
      strings.append(try parseString("a text in quotes"))
      guard consume(.comma) != nil else { break }
    }
    try require(.rightBracket)
    return strings
  }

  /// LogGroupTags ::= "logGroupTags" "(" "[" TagFilter ( "," TagFilter )* ","? "]" ")"
  private mutating func parseLogGroupTags() throws(ParseFailure) -> [SourceCommand.TagFilter] {
    takeOption()
    try require(.leftBracket)
    var filters = [try parseTagFilter()]
    while consume(.comma) != nil, token.kind != .rightBracket {
      filters.append(try parseTagFilter())
    }
    try require(.rightBracket)
    try require(.rightParenthesis)
    return filters
  }

  /// TagFilter ::= "{" ( "key" | '"key"' ) ":" String ( "," ( "values" | '"values"' ) ":" Strings )?
  ///   "}"
  private mutating func parseTagFilter() throws(ParseFailure) -> SourceCommand.TagFilter {
    try require(.leftBrace)
    try requireWord(.key)
    try require(.colon)
    var filter = SourceCommand.TagFilter(key: try parseString("a tag's key in quotes"), values: [])
    if consume(.comma) != nil {
      try requireWord(.values)
      try require(.colon)
      filter.values = try parseStrings()
    }
    try require(.rightBrace)
    return filter
  }

  /// Takes a word that may stand in quotes, as in JSON.
  private mutating func requireWord(_ keyword: Keyword) throws(ParseFailure) {
    let isQuoted =
      token.kind == .string
      && source[token.range].dropFirst().dropLast().lowercased() == keyword.rawValue
    if isQuoted { advance() } else { try require(keyword) }
  }

  /// DataSource ::= "dataSource" "(" "[" ( String ( "," String )* ","? )? "]" ")"
  private mutating func parseDataSource() throws(ParseFailure) -> [StringLiteral] {
    takeOption()
    guard token.kind == .leftBracket else { throw unexpected("a list such as [\"name.type\"]") }
    let strings = try parseStrings()
    try require(.rightParenthesis)
    return strings
  }

  /// SourceTime ::= ( "start" | "end" ) "=" TimeArgument
  private mutating func parseSourceTime(
    _ command: inout SourceCommand
  ) throws(ParseFailure) -> Bool {
    guard token.keyword == .start || token.keyword == .end, peek().kind == .equal else {
      expect("'START='")
      expect("'END='")
      return false
    }
    let word = token
    takeOption()
    let time = try parseTimeArgument()
    let isRepeated = word.keyword == .start ? command.start != nil : command.end != nil
    if isRepeated { throw report(LanguageDiagnostics.repeated(text(word), at: word.range)) }
    if word.keyword == .start { command.start = time } else { command.end = time }
    return true
  }

  /// TimeArgument ::= "now" | "-"? Duration | Number | String
  private mutating func parseTimeArgument() throws(ParseFailure) -> SourceCommand.Time {
    switch token.kind {
    case .string: return .text(takeString())
    case .number: return .epoch(try parseNumber())
    case .duration: return .relative(parseDuration(allowsZero: true), isNegative: false)
    case .minus where peek().kind == .duration:
      advance()
      return .relative(parseDuration(allowsZero: true), isNegative: true)
    default:
      guard token.keyword == .now else {
        throw unexpected("a time: 'now', -3600s, epoch seconds or \"2026-03-02T10:00:00Z\"")
      }
      advance()
      return .now
    }
  }
}

// MARK: - Saved queries

extension Parser {
  /// SavedQueryCall ::= "$" Name "(" ( SavedQueryArgument ( "," SavedQueryArgument )* )? ")"
  mutating func parseSavedQueryCall() throws(ParseFailure) -> SavedQueryCall {
    let start = advance().range.start
    let name = try parseName("the name of a saved query")
    var call = SavedQueryCall(name: Identifier(text: name.name, range: name.range), arguments: [])
    guard token.kind == .leftParenthesis else {
      throw report(LanguageDiagnostics.savedQueryName(found: token, in: source))
    }
    advance()
    while token.kind != .rightParenthesis {
      call.arguments.append(try parseSavedQueryArgument())
      guard consume(.comma) != nil else { break }
    }
    try require(.rightParenthesis)
    checkArguments(of: call, at: range(from: start))
    savedQueryCalls.append(PlacedCall(call: call, range: range(from: start)))
    return call
  }

  /// SavedQueryArgument ::= Identifier "=" ( Literal | LiteralList )
  private mutating func parseSavedQueryArgument() throws(ParseFailure) -> SavedQueryCall.Argument {
    let name = try parseIdentifier("the name of a parameter")
    try require(.equal)
    if token.kind == .name, token.keyword?.role != .expression {
      throw report(LanguageDiagnostics.argumentNotLiteral(name.text, token, in: source))
    }
    let value = try parseArgumentValue()
    guard [.comma, .rightParenthesis, .pipe, .end].contains(token.kind) else {
      // An operator behind it, say: one literal and no more.
      throw report(LanguageDiagnostics.argumentNotLiteral(name.text, token, in: source))
    }
    return SavedQueryCall.Argument(name: name, value: value)
  }

  /// The value of an argument: Literal | LiteralList
  mutating func parseArgumentValue() throws(ParseFailure) -> Expression {
    let start = token.range.start
    guard token.kind == .leftBracket else { return try parseLiteral("a literal") }
    return try make(.list(try parseLiteralList()), from: start)
  }

  /// LiteralList ::= "[" ( Literal ( "," Literal )* ","? )? "]"
  private mutating func parseLiteralList() throws(ParseFailure) -> [Expression] {
    try require(.leftBracket)
    var literals: [Expression] = []
    while token.kind != .rightBracket {
      literals.append(try parseLiteral())
      guard consume(.comma) != nil else { break }
    }
    try require(.rightBracket)
    return literals
  }

  private mutating func checkArguments(of call: SavedQueryCall, at range: SourceRange) {
    for (index, argument) in call.arguments.enumerated() {
      if call.arguments[..<index].contains(where: { $0.name.text == argument.name.text }) {
        report(LanguageDiagnostics.repeatedParameter(argument.name.text, at: argument.name.range))
      }
    }
    if call.arguments.count > LanguageLimits.savedQueryParameters {
      report(
        LanguageDiagnostics.tooMany(
          "parameters", LanguageLimits.savedQueryParameters, found: call.arguments.count, at: range)
      )
    }
  }
}

// MARK: - Lookups, joins

extension Parser {
  /// Lookup ::= "lookup" TableName LookupColumn ( "," LookupColumn )* LookupOutputs
  mutating func parseLookup() throws(ParseFailure) -> LookupCommand {
    let table = try parseTableName()
    if token.keyword == .output || token.keyword == .outputnew {
      throw unexpected("the column to match")
    }
    var matches = [try parseLookupColumn()]
    while consume(.comma) != nil { matches.append(try parseLookupColumn()) }
    let (mode, outputs) = try parseLookupOutputs()
    return LookupCommand(table: table, matches: matches, mode: mode, outputs: outputs)
  }

  /// Cidrlookup ::= "cidrlookup" TableName Name Alias? LookupOutputs
  mutating func parseCidrlookup() throws(ParseFailure) -> CidrlookupCommand {
    let table = try parseTableName()
    let address = try parseName("the field that holds the address")
    let network = try parseAlias()
    let (mode, outputs) = try parseLookupOutputs()
    return CidrlookupCommand(
      table: table, addressField: address, networkColumn: network, mode: mode, outputs: outputs)
  }

  /// LookupOutputs ::= ( "OUTPUT" | "OUTPUTNEW" ) LookupColumn ( "," LookupColumn )*
  private mutating func parseLookupOutputs() throws(ParseFailure) -> (LookupMode, [LookupColumn]) {
    let mode: LookupMode
    if consume(.output) != nil {
      mode = .overwrite
    } else if consume(.outputnew) != nil {
      mode = .fillMissing
    } else {
      throw unexpected()
    }
    var outputs = [try parseLookupColumn()]
    while consume(.comma) != nil { outputs.append(try parseLookupColumn()) }
    return (mode, outputs)
  }

  /// LookupColumn ::= Name Alias?
  private mutating func parseLookupColumn() throws(ParseFailure) -> LookupColumn {
    LookupColumn(column: try parseName("a column's name"), alias: try parseAlias())
  }

  /// TableName ::= String | ( Name | Digits | "-" )+
  ///
  /// Its parts are glued together, so that `error-codes` needs no quotes.
  private mutating func parseTableName() throws(ParseFailure) -> Identifier {
    let start = token.range.start
    if token.kind == .string {
      let literal = takeString()
      return Identifier(text: literal.value, range: literal.range)
    }
    var text = ""
    var isFirst = true
    while isFirst || token.isGlued {
      switch token.kind {
      case .name: text += lexer.segments(of: token.range).joined(separator: ".")
      case .number, .duration, .minus: text += self.text(token)
      default:
        if isFirst { throw unexpected("the name of a lookup table") }
        return Identifier(text: text, range: range(from: start))
      }
      advance()
      isFirst = false
    }
    return Identifier(text: text, range: range(from: start))
  }

  /// Join ::= "join" JoinOption* "where" Name "=" Name Subquery
  mutating func parseJoin() throws(ParseFailure) -> JoinCommand {
    var type: JoinCommand.JoinType?
    var left: Identifier?
    var right: Identifier?
    while try parseJoinOption(&type, &left, &right) {}
    try require(.where)
    let first = try parsePlainField(of: .join)
    try require(.equal)
    let second = try parsePlainField(of: .join)
    if token.keyword == .and || token.kind == .andSign {
      throw report(LanguageDiagnostics.severalJoinKeys(at: token.range))
    }
    return JoinCommand(
      type: type ?? .inner, leftAlias: left, rightAlias: right, firstKey: first, secondKey: second,
      subquery: try parseSubquery())
  }

  /// JoinOption ::= "type" "=" ( "inner" | "left" ) | "left" "=" Identifier | "right" "=" Identifier
  private mutating func parseJoinOption(
    _ type: inout JoinCommand.JoinType?, _ left: inout Identifier?, _ right: inout Identifier?
  ) throws(ParseFailure) -> Bool {
    for option in [Keyword.type, .left, .right] { _ = isAt(option) }
    guard peek().kind == .equal, !isAt(.where) else { return false }
    let word = token
    let isRepeated: Bool
    switch token.keyword {
    case .type:
      takeOption()
      let isLeft = consume(.left) != nil
      if !isLeft { try require(.inner) }
      isRepeated = type != nil
      type = isLeft ? .left : .inner
    case .left:
      takeOption()
      isRepeated = left != nil
      left = try parseIdentifier("an alias for the left side")
    case .right:
      takeOption()
      isRepeated = right != nil
      right = try parseIdentifier("an alias for the right side")
    default: throw unknownOption(of: .join, among: [.type, .left, .right])
    }
    if isRepeated { throw report(LanguageDiagnostics.repeated(text(word), at: word.range)) }
    return true
  }

  /// Appendcols ::= "appendcols" AppendcolsOption* Subquery
  mutating func parseAppendcols() throws(ParseFailure) -> AppendcolsCommand {
    var overrides = false
    var maximumRows = LanguageLimits.defaultAppendedRows
    while try parseAppendcolsOption(&overrides, &maximumRows) {}
    let subquery = try parseSubquery()
    return AppendcolsCommand(overrides: overrides, maximumRows: maximumRows, subquery: subquery)
  }

  /// AppendcolsOption ::= "override" "=" Boolean | "max" "=" Digits
  private mutating func parseAppendcolsOption(
    _ overrides: inout Bool, _ maximumRows: inout Int
  ) throws(ParseFailure) -> Bool {
    guard peek().kind == .equal else { return false }
    switch token.keyword {
    case .override:
      takeOption()
      overrides = try parseBoolean()
    case .max:
      takeOption()
      maximumRows = try parseInteger(of: "max", in: 1...LanguageLimits.appendedRows)
    default: throw unknownOption(of: .appendcols, among: [.override, .max])
    }
    return true
  }
}
