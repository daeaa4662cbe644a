/// The door of the language: text in, tree and diagnostics out.
package enum QueryParser {
  /// Parses a query.
  ///
  /// Never fails: broken stages stand in the tree as `.invalid`, and `diagnostics` tells what is
  /// wrong with each. Only a query without errors may be run.
  ///
  /// - Complexity: O(length), which is bounded by `LanguageLimits.queryLength`.
  package static func parse(_ text: String) -> ParsedQuery {
    var parsed = parseOnce(SourceText(text))
    for (index, diagnostic) in parsed.diagnostics.enumerated() {
      let isEarly = index < LanguageLimits.diagnosticsWithFixIts
      parsed.diagnostics[index].fixIts = isEarly ? confirmed(diagnostic, in: parsed) : []
    }
    return parsed
  }

  private static func parseOnce(_ source: SourceText) -> ParsedQuery {
    let length = source.scalarOffset(of: source.bytes.count)
    guard length <= LanguageLimits.queryLength else { return refused(source, length: length) }
    var parser = Parser(source)
    let query = parser.parseTopLevel()
    var diagnostics = parser.diagnostics
    diagnostics += PlacementRules.check(query)
    diagnostics.sort { ($0.range.start, $0.range.end) < ($1.range.start, $1.range.end) }
    return ParsedQuery(
      source: source, query: query, diagnostics: diagnostics,
      savedQueryCalls: parser.savedQueryCalls, patterns: parser.patterns)
  }

  private static func refused(_ source: SourceText, length: Int) -> ParsedQuery {
    let diagnostic = LanguageDiagnostics.queryTooLong(length, at: SourceRange(at: 0))
    let query = Query(commands: [], range: source.range)
    return ParsedQuery(source: source, query: query, diagnostics: [diagnostic])
  }

  /// Those fix-its of a diagnostic that repair it and break nothing else.
  private static func confirmed(_ diagnostic: Diagnostic, in parsed: ParsedQuery) -> [FixIt] {
    diagnostic.fixIts.filter { fixIt in
      let fixed = parseOnce(SourceText(fixIt.applied(to: parsed.source)))
      return fixed.diagnostics.count < parsed.diagnostics.count
        && fixed.errorCount <= parsed.errorCount
        && !fixed.diagnostics.contains { $0.range == diagnostic.range && $0.id == diagnostic.id }
    }
  }
}

/// A call of a saved query with its place, from `$` to the bracket.
struct PlacedCall: Sendable {
  var call: SavedQueryCall
  var range: SourceRange
}

/// What became of a query's text.
package struct ParsedQuery: Sendable {
  package var source: SourceText
  /// The whole tree, one entry per stage, broken ones included.
  package var query: Query
  /// What is wrong or doubtful, in the order of the text.
  package var diagnostics: [Diagnostic]
  /// The calls of saved queries, in the order of the text.
  var savedQueryCalls: [PlacedCall] = []
  /// The regular expressions, in the order of the text.
  var patterns: [SourceRange] = []

  /// Whether the query must not run.
  package var hasErrors: Bool { errorCount > 0 }

  /// How many of the diagnostics are errors.
  package var errorCount: Int { diagnostics.count { $0.severity == .error } }
}

extension Parser {
  /// Parses the whole text; whatever follows a complete query is an error.
  mutating func parseTopLevel() -> Query { parseQuery() }
}
