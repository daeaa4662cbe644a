import Columnar
package import QueryLanguage

// Everything the analyzer can complain about, with its stable name and its wording, in the order
// of the codes. What belongs to the text alone is in the parser's catalogue.

extension DiagnosticID {
  package static let badRegex = DiagnosticID("E105", "bad-regex")
  package static let callInSort = DiagnosticID("E107", "call-in-sort")
  package static let loneDuration = DiagnosticID("E110", "lone-duration")
  package static let groupsGivenTwice = DiagnosticID("E201", "groups-given-twice")
  package static let afterDedup = DiagnosticID("E207", "after-dedup")
  package static let afterComparison = DiagnosticID("E217", "after-comparison")
  package static let offsetWithoutBin = DiagnosticID("E307", "offset-without-bin")
  package static let unknownField = DiagnosticID("E301", "unknown-field")
  package static let alreadyDefined = DiagnosticID("E302", "already-defined")
  package static let structure = DiagnosticID("E303", "structure")
  package static let notAggregated = DiagnosticID("E304", "not-aggregated")
  package static let nestedAggregate = DiagnosticID("E305", "nested-aggregate")
  package static let timeDropped = DiagnosticID("E306", "time-dropped")
  package static let misplacedAggregate = DiagnosticID("E308", "misplaced-aggregate")
  package static let topkNotAlone = DiagnosticID("E309", "topk-not-alone")
  package static let unknownFunction = DiagnosticID("E401", "unknown-function")
  package static let argumentCount = DiagnosticID("E401", "argument-count")
  package static let badArgument = DiagnosticID("E402", "bad-argument")
  package static let badDateCode = DiagnosticID("E403", "bad-date-code")
  package static let sortBeforeStats = DiagnosticID("W101", "sort-before-stats")
  package static let severalDisplays = DiagnosticID("W102", "several-displays")
  package static let filterMoved = DiagnosticID("W103", "filter-moved")
  package static let systemNameFallback = DiagnosticID("W107", "system-name-fallback")
  package static let noTimeKey = DiagnosticID("W109", "no-time-key")
  package static let sortKeyUnknown = DiagnosticID("W111", "sort-key-unknown")
  package static let regexStepLimit = DiagnosticID("W201", "regex-step-limit")
  package static let structureAsMissing = DiagnosticID("W202", "structure-as-missing")
  package static let listCut = DiagnosticID("W203", "list-cut")
  package static let valueCut = DiagnosticID("W204", "value-cut")
  package static let concatHint = DiagnosticID("H1", "use-concat")
  package static let countHint = DiagnosticID("H2", "use-sum")
  package static let fieldAbsent = DiagnosticID("H3", "field-absent")
  package static let likeIsLiteral = DiagnosticID("H4", "like-is-literal")
  package static let noList = DiagnosticID("H5", "no-list")
}

enum AnalyzerDiagnostics {
  static func callInSort(_ call: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .callInSort, .error, "'\(call)' is not a column here", at: range,
      notes: [.init("give it a name in stats (… by \(call) as t) and sort by t")])
  }

  static func loneDuration(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .loneDuration, .error, "the duration '\(text)' is no value of its own", at: range,
      notes: [.init("add it to a time, as in @timestamp - \(text)")])
  }

  /// - Parameter isFields: whether it is a `fields`, for which there is another command.
  static func afterComparison(
    _ command: String, at range: SourceRange, isFields: Bool
  ) -> Diagnostic {
    Diagnostic(
      .afterComparison, .error,
      "only filter, sort, limit and display may follow \(command)", at: range,
      notes: isFields ? [.init("write display for the columns to show")] : [])
  }

  static func groupsGivenTwice(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .groupsGivenTwice, .error,
      "log groups are given both in the request and by SOURCE; use one", at: range)
  }

  static func afterDedup(at range: SourceRange) -> Diagnostic {
    Diagnostic(.afterDedup, .error, "only limit may follow dedup", at: range)
  }

  static func unknownField(
    _ name: String, _ available: [String], at range: SourceRange
  ) -> Diagnostic {
    let nearest = NameSuggestion.nearest(to: name, among: available)
    return Diagnostic(
      .unknownField, .error, "field '\(name)' does not exist after stats", at: range,
      label: nearest.map { "did you mean '\($0)'?" },
      notes: [.init("available: \(available.joined(separator: ", "))")],
      fixIts: nearest.map { [replacing(name, with: fieldText($0), at: range)] } ?? [])
  }

  private static func replacing(
    _ old: String, with new: String, at range: SourceRange
  ) -> FixIt {
    FixIt("replace '\(old)' with '\(new)'", [.init(range, new)])
  }

  /// The name as a query writes it: in backticks if it is more than a plain word.
  private static func fieldText(_ name: String) -> String {
    let isPlain = name.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0 == "_" }
    return isPlain ? name : "`\(name)`"
  }

  static func alreadyDefined(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.alreadyDefined, .error, "ephemeral field is already defined: \(name)", at: range)
  }

  static func structure(_ command: String, _ field: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .structure, .error, "\(command) cannot work on a map or list", at: range,
      notes: [.init("pick a member, for example \(field).name")])
  }

  static func notAggregated(_ name: String, at range: SourceRange) -> Diagnostic {
    let isFunction = FunctionCatalog.aggregates.contains {
      $0.name.lowercased() == name.lowercased()
    }
    return Diagnostic(
      .notAggregated, .error, "'\(name)' is neither aggregated nor listed after 'by'", at: range,
      notes: isFunction ? [.init("the function is written with brackets: \(name)(…)")] : [])
  }

  static func nestedAggregate(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .nestedAggregate, .error, "aggregates cannot be nested", at: range,
      notes: [.init("use a second stats")])
  }

  static func timeDropped(_ call: String, period: String?, at range: SourceRange) -> Diagnostic {
    let remedy =
      period.map { "keep max(@timestamp) as t and use datefloor(t, \($0))" }
      ?? "use it in the first stats"
    return Diagnostic(
      .timeDropped, .error, "\(call) needs @timestamp, which the previous stats dropped",
      at: range, notes: [.init(remedy)])
  }

  static func misplacedAggregate(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .misplacedAggregate, .error, "\(name) is an aggregate and can be used only in stats",
      at: range)
  }

  static func topkNotAlone(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .topkNotAlone, .error, "topk cannot be combined with 'by' or other aggregates", at: range)
  }

  static func unknownFunction(
    _ name: String, among names: some Sequence<String>, at range: SourceRange
  ) -> Diagnostic {
    if let percent = Double(name.dropFirst()), name.first == "p" || name.first == "P" {
      return Diagnostic(
        .unknownFunction, .error, "unknown function '\(name)'", at: range,
        notes: [.init("percentiles are written pct(field, \(NumberFormat.displayText(percent)))")])
    }
    let nearest = NameSuggestion.nearest(to: name, among: names)
    return Diagnostic(
      .unknownFunction, .error, "unknown function '\(name)'", at: range,
      label: nearest.map { "did you mean '\($0)'?" },
      fixIts: nearest.map { [replacing(name, with: $0, at: range)] } ?? [])
  }

  static func argumentCount(
    _ name: String, takes: String, given: Int, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .argumentCount, .error, "\(name) takes \(takes), \(given) given", at: range)
  }

  static func badArgument(
    _ name: String, _ number: Int, mustBe what: String, not found: String, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .badArgument, .error, "\(name): argument \(number) must be \(what), not \(found)", at: range)
  }

  static func badDateCode(_ code: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .badDateCode, .error, "'\(code)' is not a supported date letter, format code or time zone",
      at: range)
  }

  static func badRegex(_ detail: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.badRegex, .error, "bad regular expression: \(detail)", at: range)
  }

  static func sortBeforeStats(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .sortBeforeStats, .warning, "sort before stats has no effect", at: range,
      notes: [.init("sort the result instead, after the stats")])
  }

  static func severalDisplays(at range: SourceRange) -> Diagnostic {
    Diagnostic(.severalDisplays, .warning, "only the last display counts", at: range)
  }

  static func filterMoved(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .filterMoved, .warning, "this filter names a field that stats drops; it runs before stats",
      at: range)
  }

  static func systemNameFallback(_ name: String, at range: SourceRange) -> Diagnostic {
    let plain = String(name.dropFirst())
    return Diagnostic(
      .systemNameFallback, .warning, "'\(name)' is read as '\(plain)'", at: range,
      fixIts: [FixIt("write '\(plain)'", [.init(range, plain)])])
  }

  static func noTimeKey(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .noTimeKey, .warning, "\(name) without 'by bin(…)' covers the whole window", at: range)
  }

  static func sortKeyUnknown(
    _ name: String, _ available: [String], at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .sortKeyUnknown, .warning, "sort key '\(name)' does not exist after stats", at: range,
      notes: [.init("available: \(available.joined(separator: ", "))")])
  }

  static func regexStepLimit(
    _ pattern: String, count: Int, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .regexStepLimit, .warning,
      "/\(pattern)/ was given up on \(count) event\(count == 1 ? "" : "s"), which count as no match",
      at: range, notes: [.init("lookaround, backreferences and nested repeats cost many steps")])
  }

  static let structureAsMissing = Diagnostic(
    .structureAsMissing, .warning, "maps and lists count as missing in keys and aggregates",
    at: .none, notes: [.init("pick a member of them, or count them with ispresent")])

  static func listCut(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.listCut, .warning, "the list of \(name) is cut to its greatest length", at: range)
  }

  static func valueCut(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .valueCut, .warning, "a value of \(name) is longer than 1 MB and cut where it is shown",
      at: range, notes: [.init("take a part of it with substr")])
  }

  static func likeIsLiteral(_ text: String, at range: SourceRange) -> Diagnostic {
    let plain = text.split { $0 == "%" || $0 == "*" }
    return Diagnostic(
      .likeIsLiteral, .hint, "like looks for this text as it stands, % and * included", at: range,
      notes: plain.count == 1 ? [.init("like \"\(plain[0])\" finds the word anywhere")] : [])
  }

  static func noList(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .noList, .hint, "in takes a list, and nothing is in a single value", at: range,
      notes: [.init("write [\(text)]")])
  }

  static func operandAbsent(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .fieldAbsent, .hint, "no event in this window has '\(name)'", at: range,
      notes: [.init("a text stands in quotes: '\(name)'")])
  }

  /// - Parameter share: percent of the events that have the other field, if it was counted.
  static func fieldAbsent(
    _ name: String, _ near: String, _ share: Double?, at range: SourceRange
  ) -> Diagnostic {
    let others: String =
      switch share {
      case nil: "did you mean '\(near)'?"
      case 100: "all have '\(near)'"
      case let share? where share < 1: "less than 1 % have '\(near)'"
      case let share?: "\(Int(share)) % have '\(near)'"
      }
    return Diagnostic(
      .fieldAbsent, .hint, "no event in this window has '\(name)'; \(others)", at: range)
  }

  static func concatHint(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .concatHint, .hint, "'+' adds numbers; it gives nothing for texts", at: range,
      notes: [.init("use concat to join texts")])
  }

  static func countHint(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .countHint, .hint, "count of a condition counts every row in which it has a value",
      at: range, notes: [.init("use sum to count the rows for which it is true")])
  }
}
