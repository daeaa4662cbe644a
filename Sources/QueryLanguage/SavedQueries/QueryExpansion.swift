// Calls of saved queries become their texts before the query is read.
//
//     $slow(least = 250) | limit 3
//     filter durationMs > 250↵ | limit 3
//
// So the commands of a saved query mean what they would mean if they stood there, and all rules of
// places and names see the whole. What is then found to be wrong is shown where it can be changed: in
// the written text, under the call if it is inside the saved query, with the line it is about.
//
// A saved query cannot call another one, so there is one round and no recursion.

/// A query with its saved queries put in.
package struct QueryExpansion: Sendable {
  /// The query as it was written.
  package let written: SourceText
  /// The whole query; its places are those of the expanded text, which `written(_:)` takes back.
  package private(set) var parsed: ParsedQuery
  /// Whether every call was replaced; if not, `parsed` says why, and the rest of it tells little.
  package private(set) var isComplete = true

  private var splicing: Splicing?
  /// The names of the saved queries, as `splicing` has them.
  private var names: [String] = []

  package init(_ text: String, saved: SavedQueries?) {
    parsed = QueryParser.parse(text)
    written = parsed.source
    let calls = parsed.savedQueryCalls
    guard !calls.isEmpty else { return }
    // What is wrong with a call itself would be gone with it.
    isComplete = !parsed.diagnostics.contains { diagnostic in
      diagnostic.severity == .error && calls.contains { $0.range.contains(diagnostic.range) }
    }
    var errors: [Diagnostic] = []
    var whole = Splicing(written)
    var length = written.bytes.count
    for call in calls where length <= Self.mostBytes {
      guard let text = Self.text(of: call, saved, &errors) else { continue }
      whole.replace(call.range, by: text)
      names.append(call.call.name.text)
      length += text.utf8.count
    }
    whole.finish()
    let scalars = whole.result.scalarOffset(of: whole.result.bytes.count)
    if errors.isEmpty, scalars > LanguageLimits.queryLength {
      errors = [SavedQueryDiagnostics.tooLong(scalars, at: calls[0].range)]
    }
    if errors.isEmpty, isComplete {
      parsed = QueryParser.parse(whole.result.string)
      splicing = whole
      check(whole)
    } else {
      fail(errors)
    }
  }

  /// No query is longer, whatever its characters.
  private static let mostBytes = 4 * LanguageLimits.queryLength

  private mutating func fail(_ errors: [Diagnostic]) {
    isComplete = false
    parsed.diagnostics += errors
    parsed.diagnostics.sort { ($0.range.start, $0.range.end) < ($1.range.start, $1.range.end) }
  }

  /// Refuses what a saved query that was checked when it was kept cannot do.
  private mutating func check(_ whole: Splicing) {
    var errors = parsed.savedQueryCalls.map { call in
      let outer = whole.replacement(at: call.range).map { names[$0] }
      return SavedQueryDiagnostics.nestedCall(of: call.call.name.text, in: outer, at: call.range)
    }
    if errors.isEmpty, !parsed.hasErrors {
      let seen = SavedQueryTemplate(whole.result.string).patterns
      for (replacement, name) in zip(whole.replacements, names) {
        let inside = { (range: SourceRange) in replacement.result.contains(range) }
        if seen.filter(inside) != parsed.patterns.filter(inside) {
          errors.append(SavedQueryDiagnostics.ambiguousSlash(name, at: replacement.result))
        }
      }
    }
    if !errors.isEmpty { fail(errors) }
  }

  // MARK: One call

  private static func text(
    of call: PlacedCall, _ saved: SavedQueries?, _ errors: inout [Diagnostic]
  ) -> String? {
    let name = call.call.name
    do {
      guard let query = try saved?.query(name.text) else {
        errors.append(SavedQueryDiagnostics.unknownQuery(name, among: saved?.names() ?? []))
        return nil
      }
      return fill(query, by: call, &errors)
    } catch {
      errors.append(SavedQueryDiagnostics.cannotRead(name.text, error, at: name.range))
      return nil
    }
  }

  private static func fill(
    _ query: SavedQuery, by call: PlacedCall, _ errors: inout [Diagnostic]
  ) -> String? {
    let template = SavedQueryTemplate(query.text)
    let known = Set(template.placeholders.map(\.name))
    var found = call.call.arguments.filter { !known.contains($0.name.text) }
      .map { SavedQueryDiagnostics.unknownParameter($0.name, of: query) }
    let result = template.filled { placeholder in
      let argument = call.call.arguments.first { $0.name.text == placeholder.name }
      guard let value = argument?.value ?? query.defaultValue(of: placeholder.name) else {
        let error = SavedQueryDiagnostics.missingParameter(
          placeholder.name, of: query, at: call.range)
        if !found.contains(error) { found.append(error) }
        return ""
      }
      if let text = placeholder.text(of: value) { return text }
      found.append(
        SavedQueryDiagnostics.unusableValue(
          value, of: placeholder.name, at: argument?.value.range ?? call.range, placeholder))
      return ""
    }
    errors += found
    // A comment at its end must not swallow what follows the call.
    return found.isEmpty ? result.result.string + "\n" : nil
  }

  // MARK: The way back

  /// A diagnostic about the expanded query as one about the written one.
  package func written(_ diagnostic: Diagnostic) -> Diagnostic {
    // What a run finds out may have no place.
    guard let splicing, diagnostic.range != .none else {
      return diagnostic
    }
    var moved = splicing.written(diagnostic)
    guard let index = splicing.replacement(at: diagnostic.range), moved.id != .nestedSavedQuery
    else { return moved }
    if let label = moved.label {
      moved.notes.insert(DiagnosticNote(label), at: 0)
      moved.label = nil
    }
    let text = splicing.result
    let line = text.lineRange(text.lineIndex(of: diagnostic.range.start))
    let own = splicing.replacements[index].result
    let shown = text[
      SourceRange(max(line.start, own.start), max(own.start, min(line.end, own.end)))]
    moved.notes.append(
      DiagnosticNote("it stands in the saved query '\(names[index])': \(Self.shortened(shown))"))
    return moved
  }

  private static func shortened(_ line: String) -> String {
    let line = line.drop { $0 == " " || $0 == "\t" }
    return line.count > 80 ? line.prefix(79) + "…" : String(line.filter { $0 != "\n" })
  }
}
