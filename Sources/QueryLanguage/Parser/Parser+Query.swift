// The pipeline: a query is stages between bars, a stage is a command.

extension Parser {
  /// Query ::= Stage ( "|" Stage )*
  ///
  /// Parses up to the end of the text or, inside a subquery, to its closing bracket.
  mutating func parseQuery() -> Query {
    let start = token.range.start
    let outerBrackets = beginStage()
    var commands: [Command] = []
    while true {
      commands.append(parseStage())
      guard token.kind == .pipe else { break }
      advance()
    }
    endStages(restoring: outerBrackets)
    return Query(commands: commands, range: range(from: start))
  }

  /// Subquery ::= "(" Query ")"
  mutating func parseSubquery() throws(ParseFailure) -> Subquery {
    guard token.kind == .leftParenthesis else { throw unexpected("'(' and a query") }
    let start = advance().range.start
    subqueryDepth += 1
    defer { subqueryDepth -= 1 }
    let query = try withoutPatternSlash { (parser) throws(ParseFailure) in
      try parser.nested { (parser) throws(ParseFailure) in try parser.parseInnerQuery() }
    }
    try require(.rightParenthesis)
    return Subquery(query: query, range: range(from: start))
  }

  private mutating func parseInnerQuery() throws(ParseFailure) -> Query {
    guard subqueryDepth <= Self.subqueryDepthLimit else {
      throw report(LanguageDiagnostics.nestedTooDeeply(at: token.range))
    }
    return parseQuery()
  }

  /// Deeper than the language allows (1), so that a rule and not the parser speaks first.
  private static let subqueryDepthLimit = 4

  private mutating func parseStage() -> Command {
    let start = token
    let kind: Command.Kind
    do throws(ParseFailure) {
      kind = try parseCommand()
      try requireStageEnd(after: kind)
      return Command(
        kind: kind, range: range(from: start.range.start), keywordRange: start.range)
    } catch {
      recover()
      slashBeginsPattern = false
      let range = start.kind == .end ? start.range : range(from: start.range.start)
      return Command(
        kind: .invalid(InvalidCommand(keyword: start.keyword)), range: range,
        keywordRange: start.range)
    }
  }

  private mutating func requireStageEnd(after kind: Command.Kind) throws(ParseFailure) {
    if token.kind == .pipe || token.kind == .end { return }
    if subqueryDepth > 0, token.kind == .rightParenthesis { return }
    expect("'|'")
    expect(subqueryDepth > 0 ? "')'" : "the end of the query")
    throw unexpected()
  }

  /// Stage ::= Source | SavedQueryCall | Fields | Display | Filter | Search | FilterIndex | Parse |
  ///   JSON | Stats | Sort | Limit | Dedup | Pattern | Anomaly | Diff | Logcompare |
  ///   Relevantfields | Unnest | Expand | Lookup | Cidrlookup | Join | Appendcols | Addtotals |
  ///   Accum | Autoregress | Filldown | Fillmissing | Outlier | Sessionize | CountFrequent |
  ///   Estimate
  private mutating func parseCommand() throws(ParseFailure) -> Command.Kind {
    if token.kind == .dollar { return .savedQuery(try parseSavedQueryCall()) }
    guard let keyword = token.keyword, keyword.role == .command else { throw notACommand() }
    warnOfForeignCommand(keyword)
    let word = advance()
    switch keyword {
    case .accum: return .accum(try parseAccum())
    case .addtotals: return .addtotals(try parseAddtotals())
    case .anomaly: return .anomaly(parseAnomaly())
    case .appendcols: return .appendcols(try parseAppendcols())
    case .autoregress: return .autoregress(try parseAutoregress())
    case .cidrlookup: return .cidrlookup(try parseCidrlookup())
    case .countFrequent, .countFrequentSnake: return .countFrequent(try parseCountFrequent())
    case .dedup: return .dedup(try parseDedup())
    case .diff: return .diff(try parseDiff())
    case .display: return .display(try parseDisplay())
    case .estimate: return .estimate(parseEstimate())
    case .expand: return .expand(try parseExpand())
    case .field, .fields: return .fields(try parseFields())
    case .filldown: return .filldown(try parseFilldown())
    case .fillmissing: return .fillmissing(try parseFillmissing())
    case .filter, .where: return .filter(try parseFilter())
    case .filterIndex: return .filterIndex(try parseFilterIndex())
    case .join: return .join(try parseJoin())
    case .json: return .json(try parseJSON())
    case .limit, .head, .tail: return .limit(try parseLimit(word))
    case .logcompare: return .logcompare(try parseLogcompare())
    case .lookup: return .lookup(try parseLookup())
    case .order, .sort: return .sort(try parseSort())
    case .outlier: return .outlier(try parseOutlier())
    case .parse: return .parse(try parseParse())
    case .pattern: return .pattern(try parsePatternCommand())
    case .relevantfields: return .relevantfields(try parseRelevantfields())
    case .search: return .search(try parseSearch())
    case .sessionize: return .sessionize(try parseSessionize())
    case .source: return .source(try parseSource())
    case .stats: return .stats(try parseStats())
    case .unnest: return .unnest(try parseUnnest())
    default: preconditionFailure("every keyword of role command has a case above")
    }
  }

  private mutating func warnOfForeignCommand(_ keyword: Keyword) {
    switch keyword {
    case .field: reportForeign(token, instead: "fields")
    case .order: reportForeign(token, instead: "sort")
    case .search: reportForeign(token, instead: "filter @message like")
    default: break
    }
  }

  /// Reports a stage that begins with no command.
  private mutating func notACommand() -> ParseFailure {
    if isFull { return ParseFailure() }
    switch token.kind {
    case .end where tokenCount == 0: return report(LanguageDiagnostics.emptyQuery(at: token.range))
    case .pipe, .end, .rightParenthesis: return unexpected("a command")
    case .name: return report(LanguageDiagnostics.unknownCommand(token, next: peek(), in: source))
    default: return unexpected("a command")
    }
  }
}
