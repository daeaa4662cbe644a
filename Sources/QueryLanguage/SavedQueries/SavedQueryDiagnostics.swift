// What calls of saved queries, and the saved queries themselves, can be wrong about.

extension DiagnosticID {
  package static let unknownParameter = DiagnosticID("E222", "unknown-parameter")
  package static let nestedSavedQuery = DiagnosticID("E224", "nested-saved-query")
  package static let unknownSavedQuery = DiagnosticID("E407", "unknown-saved-query")
}

enum SavedQueryDiagnostics {
  static func ambiguousSlash(_ query: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unexpectedToken,
      "'/' in the saved query '\(query)' could divide or open a regular expression", at: range,
      notes: [.init("put brackets around the division")])
  }

  static func cannotRead(_ query: String, _ error: any Error, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unknownSavedQuery, "the saved query '\(query)' cannot be read: \(error)", at: range)
  }

  static func misplacedPlaceholder(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unexpectedToken, "the placeholder '\(text)' is part of a name or number", at: range,
      notes: [
        .init("it stands for a whole value, or inside a text or a regular expression"),
        .init("to choose a number of minutes, say, write the period as the value: 5m"),
      ])
  }

  static func missingParameter(
    _ parameter: String, of query: SavedQuery, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .parameterWithoutValue, "parameter '\(parameter)' has no value and no default", at: range,
      notes: [.init("write \(query.callName)(\(parameter) = …)")])
  }

  static func nestedCall(of inner: String, in outer: String?, at range: SourceRange) -> Diagnostic {
    let place = outer.map { " '\($0)'" } ?? ""
    return Diagnostic(
      .nestedSavedQuery, "the saved query\(place) calls another one, '\(inner)'", at: range,
      notes: [.init("a saved query cannot call a saved query; put the text of '\(inner)' into it")])
  }

  static func noPlaceForValue(
    _ placeholder: String, trial: String, _ message: String, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .unexpectedToken, "no value can stand here in place of '\(placeholder)'", at: range,
      notes: [.init("with \(trial): \(message)")])
  }

  static func tooLong(_ length: Int, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .queryTooLong,
      "with its saved queries the query has \(length) characters; at most "
        + "\(LanguageLimits.queryLength) are possible", at: range)
  }

  static func unknownParameter(
    _ argument: Identifier, of query: SavedQuery
  ) -> Diagnostic {
    let known = query.parameters
    let near = NameSuggestion.nearest(to: argument.text, among: known)
    return Diagnostic(
      .unknownParameter, "the saved query '\(query.name)' has no parameter '\(argument.text)'",
      at: argument.range, label: near.map { "did you mean '\($0)'?" },
      notes: [
        .init(known.isEmpty ? "it has none" : "parameters: \(known.joined(separator: ", "))")
      ])
  }

  static func unknownQuery(_ name: Identifier, among known: [String]) -> Diagnostic {
    let near = NameSuggestion.nearest(to: name.text, among: known)
    let list = "saved queries: \(known.joined(separator: ", "))"
    return Diagnostic(
      .unknownSavedQuery, "no saved query '\(name.text)'", at: name.range,
      label: near.map { "did you mean '\($0)'?" },
      notes: [.init(known.isEmpty ? "there are no saved queries" : list)])
  }

  static func unusableValue(
    _ value: Expression, of parameter: String, at range: SourceRange,
    _ placeholder: SavedQueryTemplate.Placeholder
  ) -> Diagnostic {
    let literal = QueryPrinter.text(of: value)
    let place =
      switch placeholder.context {
      case .operand: "behind an operand, where it would be an operator"
      case .text: "inside a text"
      case .pattern: "inside a regular expression"
      }
    return Diagnostic(
      .argumentNotLiteral, "the value \(literal) of '\(parameter)' cannot stand \(place)",
      at: range)
  }
}
