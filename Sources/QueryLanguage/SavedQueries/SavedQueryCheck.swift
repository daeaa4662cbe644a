// Whether a saved query can be read, before anybody calls it.
//
// Its placeholders have no values yet. Those without default get one for the trial: of a number, a
// text, a period and a list the first with which the query has the fewest mistakes. What is then
// wrong at a placeholder may be the trial value's fault and is left to the call; what is wrong
// elsewhere is wrong for any value.

/// A trial of a saved query's text.
package struct SavedQueryCheck: Sendable {
  /// The text with values in it, for the analyzer.
  package let trial: String
  /// Mistakes of the template itself, in places of the saved text; if there are any, it is no use
  /// to look further.
  package private(set) var diagnostics: [Diagnostic]

  private let splicing: Splicing
  private let trialPlaceholders: [Bool]

  package init(_ query: SavedQuery) {
    let template = SavedQueryTemplate(query.text)
    let guessed = Self.guesses(template, query)
    splicing = Self.filled(template, query, guessed)
    trial = splicing.result.string
    trialPlaceholders = template.placeholders.map { guessed[$0.name] != nil }
    let parsed = QueryParser.parse(trial)
    let nested = parsed.savedQueryCalls.map {
      SavedQueryDiagnostics.nestedCall(of: $0.call.name.text, in: nil, at: $0.range)
    }
    diagnostics = template.diagnostics + nested.map(splicing.written)
    if !parsed.hasErrors, SavedQueryTemplate(trial).patterns != parsed.patterns {
      diagnostics.append(
        SavedQueryDiagnostics.ambiguousSlash(query.name, at: template.source.range))
    }
    if query.parameters.count > LanguageLimits.savedQueryParameters {
      let range = template.placeholders[LanguageLimits.savedQueryParameters].range
      diagnostics.append(
        LanguageDiagnostics.tooMany(
          "parameters", LanguageLimits.savedQueryParameters, found: query.parameters.count,
          at: range))
    }
  }

  /// Diagnostics about the trial as ones about the saved text, without those that a call must judge.
  ///
  /// - Parameter contextual: kinds that depend on what stands before a call.
  package func written(
    _ found: [Diagnostic], without contextual: Set<DiagnosticID>
  ) -> [Diagnostic] {
    found.compactMap { diagnostic in
      let isError = diagnostic.severity == .error
      if isError, contextual.contains(diagnostic.id) { return nil }
      let touched = splicing.replacements.indices.first { index in
        trialPlaceholders[index]
          && splicing.touches(diagnostic.range, splicing.replacements[index])
      }
      guard isError, let touched else { return splicing.written(diagnostic) }
      guard diagnostic.id == .unexpectedToken else { return nil }
      let place = splicing.replacements[touched]
      return SavedQueryDiagnostics.noPlaceForValue(
        splicing.written[place.written], trial: splicing.result[place.result], diagnostic.message,
        at: place.written)
    }
  }

  // MARK: Trial values

  private static let candidates: [Expression] = [
    Expression(.number(NumberLiteral(value: .integer(1), text: "1"))),
    Expression(.string(StringLiteral(value: "x"))),
    Expression(.duration(DurationLiteral(count: 1, unit: .minute))),
    Expression(.list([Expression(.string(StringLiteral(value: "x")))])),
  ]

  /// A value for each parameter without default, one parameter after the other.
  private static func guesses(
    _ template: SavedQueryTemplate, _ query: SavedQuery
  ) -> [String: Expression] {
    var values: [String: Expression] = [:]
    for placeholder in template.placeholders where query.defaultValue(of: placeholder.name) == nil {
      values[placeholder.name] = candidates[0]
    }
    for parameter in values.keys.sorted().prefix(LanguageLimits.savedQueryParameters) {
      var best = (count: Int.max, value: candidates[0])
      for candidate in candidates where best.count > 0 {
        values[parameter] = candidate
        let count = QueryParser.parse(filled(template, query, values).result.string).errorCount
        if count < best.count { best = (count, candidate) }
      }
      values[parameter] = best.value
    }
    return values
  }

  private static func filled(
    _ template: SavedQueryTemplate, _ query: SavedQuery, _ guesses: [String: Expression]
  ) -> Splicing {
    template.filled { placeholder in
      let value = guesses[placeholder.name] ?? query.defaultValue(of: placeholder.name)
      // Of what cannot stand here the parser complains, as of a placeholder without value.
      return value.flatMap { placeholder.text(of: $0) } ?? "{{\(placeholder.name)}}"
    }
  }
}
