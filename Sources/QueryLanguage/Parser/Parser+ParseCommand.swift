// `parse` and `json`: cutting fields out of a text.

extension Parser {
  /// Parse ::= "parse" ParseSource? ( Glob | RegexParse | Logfmt | CSV )
  mutating func parseParse() throws(ParseFailure) -> ParseCommand {
    let source = try parseParseSource()
    if token.kind == .string { return ParseCommand(source: source, method: try parseGlob()) }
    if token.kind == .slash { return ParseCommand(source: source, method: try parseRegexMethod()) }
    if isAtMode(.logfmt) { return ParseCommand(source: source, method: try parseLogfmt()) }
    if isAtMode(.csv) { return ParseCommand(source: source, method: try parseCSV()) }
    throw unexpected("a pattern such as \"user=* ip=*\" or /user=(?<user>\\S+)/")
  }

  /// ParseSource ::= Expression
  ///
  /// It ends before a slash outside brackets, which opens the pattern.
  private mutating func parseParseSource() throws(ParseFailure) -> Expression? {
    let isPattern = token.kind == .string || token.kind == .slash
    if isPattern || isAtMode(.logfmt) || isAtMode(.csv) { return nil }
    slashBeginsPattern = true
    defer { slashBeginsPattern = false }
    return try parseExpression()
  }

  /// `logfmt` and `csv` are modes only before `as`; anywhere else they name fields.
  private func isAtMode(_ mode: Keyword) -> Bool {
    token.keyword == mode && peek().keyword == .as
  }

  /// Glob ::= String AliasList?
  private mutating func parseGlob() throws(ParseFailure) -> ParseCommand.Method {
    let pattern = try parseString("a pattern")
    return .glob(pattern, aliases: isAt(.as) ? try parseAliasList() : [])
  }

  /// RegexParse ::= Regex ( "multi" AliasList? | AliasList "multi"? )?
  private mutating func parseRegexMethod() throws(ParseFailure) -> ParseCommand.Method {
    let pattern = try takeRegex()
    var isMulti = consume(.multi) != nil
    let aliases = isAt(.as) ? try parseAliasList() : []
    if !isMulti, !aliases.isEmpty { isMulti = consume(.multi) != nil }
    return .regex(pattern, aliases: aliases, isMulti: isMulti)
  }

  /// Logfmt ::= "logfmt" "as" Name
  private mutating func parseLogfmt() throws(ParseFailure) -> ParseCommand.Method {
    advance()
    try require(.as)
    return .logfmt(alias: try parseAliasName())
  }

  /// CSV ::= "csv" AliasList
  private mutating func parseCSV() throws(ParseFailure) -> ParseCommand.Method {
    advance()
    return .csv(aliases: try parseAliasList())
  }

  /// JSON ::= "json" ( "field" "=" Name )? JSONPath ( "," JSONPath )*
  mutating func parseJSON() throws(ParseFailure) -> JSONCommand {
    var field: FieldName?
    if isAt(.field), peek().kind == .equal {
      takeOption()
      field = try parseName()
    }
    var extractions = [try parseJSONPath()]
    while consume(.comma) != nil { extractions.append(try parseJSONPath()) }
    return JSONCommand(field: field, extractions: extractions)
  }

  /// JSONPath ::= String "as" Name
  private mutating func parseJSONPath() throws(ParseFailure) -> JSONCommand.Extraction {
    let path = try parseString("a path in quotes such as \"a.b.0\"")
    try require(.as)
    return JSONCommand.Extraction(path: path, alias: try parseAliasName())
  }
}
