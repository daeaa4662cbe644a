/// One stage of a query with its place in the text.
package struct Command: Hashable, Sendable {
  /// What a stage can be: one case per command of the language.
  package enum Kind: Hashable, Sendable {
    case accum(AccumCommand)
    case addtotals(AddtotalsCommand)
    case anomaly(AnomalyCommand)
    case appendcols(AppendcolsCommand)
    case autoregress(AutoregressCommand)
    case cidrlookup(CidrlookupCommand)
    case countFrequent(CountFrequentCommand)
    case dedup(DedupCommand)
    case diff(DiffCommand)
    case display(DisplayCommand)
    case estimate(EstimateCommand)
    case expand(ExpandCommand)
    case fields(FieldsCommand)
    case filldown(FilldownCommand)
    case fillmissing(FillmissingCommand)
    case filter(FilterCommand)
    case filterIndex(FilterIndexCommand)
    case join(JoinCommand)
    case json(JSONCommand)
    case limit(LimitCommand)
    case logcompare(LogcompareCommand)
    case lookup(LookupCommand)
    case outlier(OutlierCommand)
    case parse(ParseCommand)
    case pattern(PatternCommand)
    case relevantfields(RelevantfieldsCommand)
    case savedQuery(SavedQueryCall)
    case search(SearchCommand)
    case sessionize(SessionizeCommand)
    case sort(SortCommand)
    case source(SourceCommand)
    case stats(StatsCommand)
    case unnest(UnnestCommand)
    /// A stage that could not be parsed; a diagnostic says why.
    case invalid(InvalidCommand)
  }

  package var kind: Kind
  /// The place of the stage, from its first to its last token.
  @SourceOnly package var range: SourceRange
  /// The place of the word the stage begins with.
  @SourceOnly package var keywordRange: SourceRange

  package init(
    kind: Kind, range: SourceRange = .none, keywordRange: SourceRange = .none
  ) {
    self.kind = kind
    self.range = range
    self.keywordRange = keywordRange
  }

  /// The name of the command as the documentation writes it, such as `fields`.
  package var name: String { kind.name }
}

/// A stage that could not be parsed.
package struct InvalidCommand: Hashable, Sendable {
  /// The command meant, if its word was understood.
  package var keyword: Keyword?
}

extension Command.Kind {
  /// The name of the command as the documentation writes it.
  package var name: String {
    switch self {
    case .accum: "accum"
    case .addtotals: "addtotals"
    case .anomaly: "anomaly"
    case .appendcols: "appendcols"
    case .autoregress: "autoregress"
    case .cidrlookup: "cidrlookup"
    case .countFrequent: "countFrequent"
    case .dedup: "dedup"
    case .diff: "diff"
    case .display: "display"
    case .estimate: "estimate"
    case .expand: "expand"
    case .fields: "fields"
    case .filldown: "filldown"
    case .fillmissing: "fillmissing"
    case .filter: "filter"
    case .filterIndex: "filterIndex"
    case .join: "join"
    case .json: "json"
    case .limit(let command): command.name
    case .logcompare: "logcompare"
    case .lookup: "lookup"
    case .outlier: "outlier"
    case .parse: "parse"
    case .pattern: "pattern"
    case .relevantfields: "relevantfields"
    case .savedQuery: "saved query"
    case .search: "search"
    case .sessionize: "sessionize"
    case .sort: "sort"
    case .source: "SOURCE"
    case .stats: "stats"
    case .unnest: "unnest"
    case .invalid(let command): command.keyword?.rawValue ?? "unknown command"
    }
  }
}
