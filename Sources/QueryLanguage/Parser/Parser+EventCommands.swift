// The commands that look at one row at a time, and those that order, cut and choose rows.

extension Parser {
  /// Fields ::= ( "fields" | "field" ) FieldsItem ( "," FieldsItem )*
  mutating func parseFields() throws(ParseFailure) -> FieldsCommand {
    var items = [try parseFieldsItem()]
    while consume(.comma) != nil { items.append(try parseFieldsItem()) }
    return FieldsCommand(items: items)
  }

  /// FieldsItem ::= "*" | Aliased
  private mutating func parseFieldsItem() throws(ParseFailure) -> FieldsCommand.Item {
    if token.kind == .star {
      advance()
      return .all
    }
    return .expression(try parseAliased())
  }

  /// Display ::= "display" AliasedList
  mutating func parseDisplay() throws(ParseFailure) -> DisplayCommand {
    DisplayCommand(columns: try parseAliasedList())
  }

  /// Filter ::= ( "filter" | "where" ) Expression
  mutating func parseFilter() throws(ParseFailure) -> FilterCommand {
    FilterCommand(condition: try parseExpression())
  }

  /// Search ::= "search" PatternOperand
  mutating func parseSearch() throws(ParseFailure) -> SearchCommand {
    SearchCommand(pattern: try parsePatternOperand())
  }

  /// FilterIndex ::= "filterIndex" IndexCondition ( ( "and" | "&&" ) IndexCondition )*
  mutating func parseFilterIndex() throws(ParseFailure) -> FilterIndexCommand {
    var conditions = [try parseIndexCondition()]
    while true {
      if token.kind == .andSign { reportForeign(token, instead: "and") }
      guard token.kind == .andSign || isAt(.and) else { break }
      advance()
      conditions.append(try parseIndexCondition())
    }
    let isSign = BinaryOperator(token.kind) != nil || token.kind == .orSign
    if isSign || token.keyword == .or {
      throw report(LanguageDiagnostics.indexOperator(text(token), at: token.range))
    }
    return FilterIndexCommand(conditions: conditions)
  }

  /// IndexCondition ::= Name ( ( "=" | "==" ) Literal | "in" ( List | Subquery | RoundList ) )
  private mutating func parseIndexCondition() throws(ParseFailure) -> Expression {
    let start = token.range.start
    let field = Expression(.field(try parsePlainField(of: .filterIndex)), range: range(from: start))
    if token.kind == .equal || token.kind == .equalEqual {
      if token.kind == .equalEqual { reportForeign(token, instead: "=") }
      advance()
      return try make(.binary(.equal, field, try parseLiteral("a value")), from: start)
    }
    guard isAt(.in) else { throw indexOperatorExpected() }
    advance()
    guard token.kind == .leftBracket || token.kind == .leftParenthesis else {
      throw unexpected("a list such as [\"a\", \"b\"]")
    }
    let set = try parseInSet()
    return try make(
      .membership(Membership(operand: field, isNegated: false, set: set)), from: start)
  }

  private mutating func indexOperatorExpected() -> ParseFailure {
    let isWord = token.keyword == .like || token.keyword == .not
    let isSign = [.matches, .notMatches, .exclamation].contains(token.kind)
    if isWord || isSign || BinaryOperator(token.kind) != nil {
      return report(LanguageDiagnostics.indexOperator(text(token), at: token.range))
    }
    return unexpected("'=' or 'in'")
  }

  /// Sort ::= ( "sort" | "order" ) "by"? SortKey ( "," SortKey )*
  mutating func parseSort() throws(ParseFailure) -> SortCommand {
    let next = peek()
    let isKey = [.comma, .pipe, .end, .rightParenthesis].contains(next.kind)
    if token.keyword == .by, !isKey, next.keyword != .asc, next.keyword != .desc { advance() }
    var keys = [try parseSortKey()]
    while consume(.comma) != nil { keys.append(try parseSortKey()) }
    return SortCommand(keys: keys)
  }

  /// SortKey ::= Expression ( "asc" | "desc" )?
  private mutating func parseSortKey() throws(ParseFailure) -> SortCommand.Key {
    let start = token.range.start
    let first = tokenCount
    let expression = try parseExpression()
    let label = label(fromToken: first)
    let isDescending = consume(.asc) == nil && consume(.desc) != nil
    return SortCommand.Key(
      expression: expression, isDescending: isDescending, label: label, range: range(from: start))
  }

  /// Limit ::= "limit" "any"? Digits | ( "head" | "tail" ) Digits?
  mutating func parseLimit(_ word: Token) throws(ParseFailure) -> LimitCommand {
    var form: LimitCommand.Form =
      switch word.keyword {
      case .head: .head
      case .tail: .tail
      default: .limit
      }
    let isStageEnd = [.pipe, .end, .rightParenthesis].contains(token.kind)
    if form != .limit, isStageEnd {
      return LimitCommand(form: form, count: LanguageLimits.defaultHeadRows, countRange: word.range)
    }
    if form == .limit, consume(.any) != nil { form = .any }
    let start = token.range.start
    if token.kind == .minus || token.kind == .plus { advance() }
    let isNumber = token.kind == .number || token.kind == .duration
    guard isNumber else {
      throw report(LanguageDiagnostics.limitNumber(word, found: token, in: source))
    }
    let range = SourceRange(start, advance().range.end)
    guard let count = Int(source[range]) else {
      throw report(LanguageDiagnostics.limitOutOfRange(text(word), found: source[range], at: range))
    }
    return LimitCommand(form: form, count: count, countRange: range)
  }

  /// Dedup ::= "dedup" NameList
  mutating func parseDedup() throws(ParseFailure) -> DedupCommand {
    DedupCommand(fields: try parseNameList(of: .dedup))
  }

  /// Unnest ::= "unnest" Expression "into" Name
  mutating func parseUnnest() throws(ParseFailure) -> UnnestCommand {
    let expression = try parseExpression()
    try require(.into)
    return UnnestCommand(expression: expression, alias: try parseAliasName())
  }

  /// Expand ::= "expand" Name
  mutating func parseExpand() throws(ParseFailure) -> ExpandCommand {
    ExpandCommand(field: try parsePlainField(of: .expand))
  }

  /// Accum ::= "accum" Name Alias?
  mutating func parseAccum() throws(ParseFailure) -> AccumCommand {
    AccumCommand(field: try parsePlainField(of: .accum), alias: try parseAlias())
  }

  /// Autoregress ::= "autoregress" Name Alias? ( "p" "=" Digits ( "-" Digits )? )?
  mutating func parseAutoregress() throws(ParseFailure) -> AutoregressCommand {
    let field = try parsePlainField(of: .autoregress)
    let alias = try parseAlias()
    var lags = 1...1
    if consume(.p) != nil {
      try require(.equal)
      lags = try parseLags()
    }
    if let alias, lags.count > 1 {
      report(LanguageDiagnostics.aliasOfSeveralLags(at: alias.range))
    }
    return AutoregressCommand(field: field, alias: alias, lags: lags)
  }

  private mutating func parseLags() throws(ParseFailure) -> ClosedRange<Int> {
    let start = token.range.start
    let first = try parseInteger(of: "p", in: 1...LanguageLimits.lag)
    guard consume(.minus) != nil else { return first...first }
    let last = try parseInteger(of: "p", in: 1...LanguageLimits.lag)
    guard first <= last else {
      throw report(LanguageDiagnostics.backwardLags(first, last, at: range(from: start)))
    }
    return first...last
  }

  /// Filldown ::= "filldown" ( FieldPattern ( ","? FieldPattern )* )?
  mutating func parseFilldown() throws(ParseFailure) -> FilldownCommand {
    var fields: [FieldPattern] = []
    while token.kind == .name || token.kind == .star {
      fields.append(try parseFieldPattern())
      if consume(.comma) != nil, token.kind != .name, token.kind != .star {
        throw unexpected("a field name")
      }
    }
    if fields.isEmpty { expect("a field name") }
    return FilldownCommand(fields: fields)
  }

  /// FieldPattern ::= ( Name | "*" ) ( "." | "*" | Name | Digits )*
  ///
  /// Its parts are glued together: a blank begins the next pattern.
  private mutating func parseFieldPattern() throws(ParseFailure) -> FieldPattern {
    let start = token.range.start
    let first = token
    var pieces = [""]
    var isFirst = true
    while isFirst || token.isGlued {
      switch token.kind {
      case .star: pieces.append("")
      case .name: pieces[pieces.count - 1] += lexer.segments(of: token.range).joined(separator: ".")
      case .dot, .number, .duration: pieces[pieces.count - 1] += text(token)
      default:
        if BinaryOperator(token.kind) != nil || token.kind == .leftParenthesis {
          throw notAPlainField(of: .filldown, first: first)
        }
        return FieldPattern(pieces: pieces, range: range(from: start))
      }
      advance()
      isFirst = false
    }
    return FieldPattern(pieces: pieces, range: range(from: start))
  }

  /// Outlier ::= "outlier" OutlierOption* SpacedNames
  mutating func parseOutlier() throws(ParseFailure) -> OutlierCommand {
    var command = OutlierCommand(
      action: .transform, factor: 2.5, usesLowerFence: false, marks: false, fields: [])
    while try parseOutlierOption(&command) {}
    command.fields = try parseSpacedNames(of: .outlier)
    return command
  }

  /// OutlierOption ::= "action" "=" ( "remove" | "transform" ) | "param" "=" Number
  ///   | "uselower" "=" Boolean | "mark" "=" Boolean
  private mutating func parseOutlierOption(
    _ command: inout OutlierCommand
  ) throws(ParseFailure) -> Bool {
    guard peek().kind == .equal else { return false }
    switch token.keyword {
    case .action:
      takeOption()
      let isRemove = consume(.remove) != nil
      if !isRemove { try require(.transform) }
      command.action = isRemove ? .remove : .transform
    case .param:
      takeOption()
      command.factor = try parseNumber().doubleValue
    case .uselower:
      takeOption()
      command.usesLowerFence = try parseBoolean()
    case .mark:
      takeOption()
      command.marks = try parseBoolean()
    default: throw unknownOption(of: .outlier, among: [.action, .param, .uselower, .mark])
    }
    return true
  }

  /// Takes the name of an option and its `=`.
  mutating func takeOption() {
    advance()
    advance()
  }

  mutating func unknownOption(of command: Keyword, among options: [Keyword]) -> ParseFailure {
    report(
      LanguageDiagnostics.unknownOption(
        text(token), of: command, among: options.map(\.spelling), at: token.range))
  }

  /// Sessionize ::= "sessionize" NameList ( "maxspan" Period )? Alias?
  mutating func parseSessionize() throws(ParseFailure) -> SessionizeCommand {
    let fields = try parseNameList(of: .sessionize)
    let maxspan = consume(.maxspan) == nil ? nil : try requireDuration()
    return SessionizeCommand(fields: fields, maxspan: maxspan, alias: try parseAlias())
  }

  /// Addtotals ::= "addtotals" AddtotalsOption* SpacedNames?
  mutating func parseAddtotals() throws(ParseFailure) -> AddtotalsCommand {
    var command = AddtotalsCommand(
      fieldName: nil, addsRowTotal: true, addsSummaryRow: false, fields: [])
    while try parseAddtotalsOption(&command) {}
    if token.kind == .name { command.fields = try parseSpacedNames(of: .addtotals) }
    return command
  }

  /// AddtotalsOption ::= "fieldname" "=" Name | "row" "=" Boolean | "col" "=" Boolean
  private mutating func parseAddtotalsOption(
    _ command: inout AddtotalsCommand
  ) throws(ParseFailure) -> Bool {
    guard peek().kind == .equal else { return false }
    switch token.keyword {
    case .fieldname:
      takeOption()
      command.fieldName = try parseAliasName()
    case .row:
      takeOption()
      command.addsRowTotal = try parseBoolean()
    case .col:
      takeOption()
      command.addsSummaryRow = try parseBoolean()
    default: throw unknownOption(of: .addtotals, among: [.fieldname, .row, .col])
    }
    return true
  }
}
