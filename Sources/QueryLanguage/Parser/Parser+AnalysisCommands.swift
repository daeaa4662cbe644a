// The commands that turn many rows into few, and those that compare sets of rows.

extension Parser {
  /// Stats ::= "stats" AliasedList ( "group"? "by" AliasedList )? ( "offset" Period )?
  mutating func parseStats() throws(ParseFailure) -> StatsCommand {
    var command = StatsCommand(outputs: try parseAliasedList(), keys: [])
    if consume(.group) != nil {
      try require(.by)
      command.keys = try parseAliasedList()
    } else if consume(.by) != nil {
      command.keys = try parseAliasedList()
    }
    if consume(.offset) != nil { command.offset = try requireDuration() }
    return command
  }

  /// Pattern ::= "pattern" Aliased
  mutating func parsePatternCommand() throws(ParseFailure) -> PatternCommand {
    PatternCommand(input: try parseAliased())
  }

  /// Anomaly ::= "anomaly"
  func parseAnomaly() -> AnomalyCommand { AnomalyCommand() }

  /// Diff ::= "diff" ( "previousDay" | "previousWeek" | "previousMonth" )?
  mutating func parseDiff() throws(ParseFailure) -> DiffCommand {
    if consume(.previousDay) != nil { return DiffCommand(baseline: .previousDay) }
    if consume(.previousWeek) != nil { return DiffCommand(baseline: .previousWeek) }
    if consume(.previousMonth) != nil { return DiffCommand(baseline: .previousMonth) }
    return DiffCommand(baseline: .preceding)
  }

  /// Logcompare ::= "logcompare" "timeshift" Period
  mutating func parseLogcompare() throws(ParseFailure) -> LogcompareCommand {
    try require(.timeshift)
    return LogcompareCommand(timeshift: try requireDuration())
  }

  /// Relevantfields ::= "relevantfields" NameList? "where" Expression
  mutating func parseRelevantfields() throws(ParseFailure) -> RelevantfieldsCommand {
    let fields = isAt(.where) ? [] : try parseNameList(of: .relevantfields)
    try require(.where)
    return RelevantfieldsCommand(fields: fields, condition: try parseExpression())
  }

  /// CountFrequent ::= ( "countFrequent" | "count_frequent" ) NameList
  mutating func parseCountFrequent() throws(ParseFailure) -> CountFrequentCommand {
    CountFrequentCommand(fields: try parseNameList(of: .countFrequent))
  }

  /// Fillmissing ::= "fillmissing" ( "with" Filling ( "," Filling )* )?
  mutating func parseFillmissing() throws(ParseFailure) -> FillmissingCommand {
    guard consume(.with) != nil else { return FillmissingCommand(fillings: []) }
    var fillings = [try parseFilling()]
    while consume(.comma) != nil { fillings.append(try parseFilling()) }
    return FillmissingCommand(fillings: fillings)
  }

  /// Filling ::= Literal "for" Name
  private mutating func parseFilling() throws(ParseFailure) -> FillmissingCommand.Filling {
    let value = try parseLiteral("a value such as 0")
    try require(.for)
    return FillmissingCommand.Filling(value: value, field: try parseName())
  }

  /// Estimate ::= "estimate"
  func parseEstimate() -> EstimateCommand { EstimateCommand() }
}
