import LogStorage
package import QueryLanguage

// What can be wrong with a `SOURCE`: in its text, and in what it selects.

extension DiagnosticID {
  package static let notKept = DiagnosticID("E191", "not-kept")
  package static let unknownGroup = DiagnosticID("E404", "unknown-group")
}

enum SourceDiagnostics {
  static func unknownGroup(
    _ name: String, _ known: [String], at range: SourceRange
  ) -> Diagnostic {
    let nearest = LogName.nearest(to: name, among: known)
    return Diagnostic(
      .unknownGroup, .error, "no log group '\(name)'", at: range,
      notes: [
        .init(nearest.isEmpty ? groups(known) : "nearest: \(nearest.joined(separator: ", "))")
      ])
  }

  static func noPrefix(
    _ prefixes: [String], _ known: [String], at range: SourceRange
  ) -> Diagnostic {
    let list = prefixes.map { "'\($0)'" }.joined(separator: " or ")
    return Diagnostic(
      .unknownGroup, .error, "no log group begins with \(list)", at: range,
      notes: [.init(groups(known))])
  }

  static func nothingSelected(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unknownGroup, .error, "no log group is all that this SOURCE asks for", at: range,
      notes: [.init("several selectors in one SOURCE must all hold; use two SOURCE for either")])
  }

  static func tooManyGroups(_ count: Int, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .tooMany, .error,
      "SOURCE selects \(count) log groups; at most \(EngineLimits.selectedGroups) can be read",
      at: range, notes: [.init("narrow it down, by a longer prefix for instance")])
  }

  private static func groups(_ known: [String]) -> String {
    if known.isEmpty { return "there are no log groups yet" }
    let shown = known.sorted().prefix(5).joined(separator: ", ")
    return "the log groups are \(shown)\(known.count > 5 ? " and \(known.count - 5) more" : "")"
  }

  static func noAccounts(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .notKept, .error, "log groups here belong to no account", at: range,
      notes: [.init("leave accountIdentifier out; the account in an ARN is passed over")])
  }

  static func noTags(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .notKept, .error, "log groups here have no tags", at: range,
      notes: [.init("select them by name, or by logGroups(namePrefix: [\"…\"])")])
  }

  static func noDataSources(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .notKept, .error, "log groups here belong to no data source", at: range,
      notes: [.init("select them by name, or by logGroups(namePrefix: [\"…\"])")])
  }

  static func onlyStandard(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .notKept, .error, "every log group here is of the class STANDARD", at: range,
      notes: [.init("leave class out")])
  }

  static func unknownClass(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .badArgument, .error, "class must be STANDARD or INFREQUENT_ACCESS, not '\(name)'",
      at: range)
  }

  static func anotherWindow(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .givenTwice, .error, "this SOURCE has another window than the one before it", at: range,
      notes: [.init("all log groups of a query are read over one window")])
  }
}
