// What the placement rules say, in alphabetical order.

extension LanguageDiagnostics {
  static func estimateNotLast(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .estimateNotLast, "estimate must be the last command", at: range,
      notes: [.init("it estimates the query before it")])
  }

  static func limitAny(_ count: Int, at range: SourceRange, hasSort: Bool) -> Diagnostic {
    let reason =
      hasSort ? "asks for any rows, but sort for an order" : "needs the events themselves"
    return Diagnostic(
      .limitAny, .warning, "'limit any' \(reason); it is read as 'limit \(count)'", at: range,
      fixIts: [FixIt("write limit \(count)", [.init(range, "limit \(count)")])])
  }

  static func limitBeforeStats(
    _ name: String, at range: SourceRange, stats: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .limitBeforeStats, "\(name) must come after the last stats", at: range,
      notes: [
        .init("this stats would follow it", at: stats),
        .init("to aggregate a part of the events, narrow it by filter or by time"),
      ])
  }

  static func nestedSubquery(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .nestedSubquery, "a subquery cannot contain another subquery", at: range,
      notes: [.init("run the inner query first and write its values as a list")])
  }

  static func patternAfterSort(at range: SourceRange, sort: SourceRange) -> Diagnostic {
    Diagnostic(
      .patternAfterSort, "pattern cannot follow sort; put sort after pattern", at: range,
      notes: [.init("the sort before it", at: sort)])
  }

  static func repeatedAlias(
    _ name: String, at range: SourceRange, first: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .repeatedAlias, "ephemeral field is already defined: \(name)", at: range,
      label: "defined twice in this command", notes: [.init("first defined here", at: first)])
  }

  static func severalJoins(at range: SourceRange, first: SourceRange) -> Diagnostic {
    Diagnostic(
      .severalJoins, "a query can have only one join", at: range,
      notes: [.init("the first one", at: first)])
  }

  static func sourceNotFirst(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .sourceNotFirst, "SOURCE must come first", at: range,
      notes: [.init("only other SOURCE commands may stand before it")])
  }

  static func tooManyStats(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .tooManyStats, "a query can have at most \(LanguageLimits.statsCommands) stats commands",
      at: range)
  }

  static func wildcardCount(_ glob: GlobShape, aliases: Int, at range: SourceRange) -> Diagnostic {
    let wildcards = "\(glob.wildcardCount) wildcard\(glob.wildcardCount == 1 ? "" : "s")"
    let names = "\(aliases) name\(aliases == 1 ? " is" : "s are")"
    var diagnostic = Diagnostic(
      .wildcardCount, "the pattern has \(wildcards) but \(names) given", at: range,
      notes: [.init("each '*' takes one name after 'as'; a star itself is written \\*")])
    if glob.hasAdjacentWildcards {
      diagnostic.message = "two wildcards side by side cannot be told apart"
      diagnostic.notes = [.init("put text between them, or use one '*'")]
    } else if glob.wildcardCount == 0 {
      diagnostic.message = "the pattern captures nothing; it has no wildcard '*'"
    }
    return diagnostic
  }
}
