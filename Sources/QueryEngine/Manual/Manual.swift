import QueryLanguage

/// The manual: pages of text for the terminal, and reference pages in Markdown.
package enum Manual {
  /// The page about a command, a function, a code or a list of them; `nil` if there is none.
  package static func page(_ topic: String) -> String? {
    switch topic.lowercased() {
    case "commands": return commandList
    case "functions": return functionList
    case "codes": return codeList
    default: break
    }
    let pages = [
      CommandManual.entry(topic).map { text(of: $0) }, function(topic),
      DiagnosticCatalog.entry(topic).map { text(of: $0) },
    ].compactMap(\.self)
    return pages.isEmpty ? nil : pages.joined(separator: "\n")
  }

  /// Every word that has a page.
  package static var topics: [String] {
    ["commands", "functions", "codes"]
      + CommandManual.entries.flatMap { [$0.name] + $0.aliases } + FunctionCatalog.names
      + DiagnosticCatalog.entries.map(\.code)
  }

  /// What to say of a word without a page.
  package static func unknown(_ topic: String) -> String {
    let near = NameSuggestion.nearest(to: topic, among: topics).map { "; did you mean '\($0)'?" }
    return "there is no help for '\(topic)'\(near ?? "")"
      + " ('help commands', 'help functions' and 'help codes' list what there is)"
  }

  // MARK: Pages

  private static func text(of entry: CommandManual.Entry) -> String {
    var lines = entry.syntax.map { "  \($0)" }
    lines += ["", entry.meaning]
    lines += entry.notes.map { "- \($0)" }
    if !entry.aliases.isEmpty { lines += ["Also: \(entry.aliases.joined(separator: ", "))"] }
    lines += ["", entry.examples.count == 1 ? "Example:" : "Examples:"]
    lines += entry.examples.map { "  \($0.query)" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func function(_ name: String) -> String? {
    functions.first { item in item.names.contains { $0.lowercased() == name.lowercased() } }
      .map { item in
        var lines = ["  \(item.signature) → \(item.result)", "", item.summary]
        if item.names.count > 1 {
          lines.append("Also: \(item.names.dropFirst().joined(separator: ", "))")
        }
        lines += ["", "Example:", "  \(item.query)"]
        return lines.joined(separator: "\n") + "\n"
      }
  }

  private static func text(of entry: DiagnosticCatalog.Entry) -> String {
    var lines = ["  \(entry.code)  \(entry.title)", "", entry.meaning, entry.remedy]
    if let example = entry.example { lines += ["", "A query that gives it:", "  \(example)"] }
    return lines.joined(separator: "\n") + "\n"
  }

  private static var commandList: String {
    table(CommandManual.entries.map { ($0.name, $0.meaning) })
  }

  private static var codeList: String {
    table(DiagnosticCatalog.entries.map { ($0.code, $0.title) })
  }

  private static var functionList: String {
    var sections: [String] = []
    for category in FunctionCategory.allCases {
      let members = functions.filter { $0.category == category }
      guard !members.isEmpty else { continue }
      sections.append("\(category.rawValue)\n" + table(members.map { ($0.signature, $0.summary) }))
    }
    return sections.joined(separator: "\n")
  }

  private static func table(_ rows: [(String, String)]) -> String {
    let widest = min(rows.map(\.0.count).max() ?? 0, 26)
    return rows.map { left, right in
      let pad = max(0, widest - left.count)
      return "  \(left)\(String(repeating: " ", count: pad))  \(right)\n"
    }.joined()
  }

  // MARK: Functions of both kinds

  /// A function, scalar or aggregate, as the manual shows it.
  struct FunctionPage {
    let names: [String]
    let category: FunctionCategory
    let signature: String
    let result: String
    let summary: String
    /// A whole query that shows it at work.
    let query: String
    /// The sample it is about.
    let file: String
  }

  static let functions: [FunctionPage] =
    FunctionCatalog.aggregates.map {
      FunctionPage(
        names: [$0.name] + $0.aliases, category: $0.category, signature: $0.signature,
        result: $0.result, summary: $0.summary, query: $0.example, file: "api.ndjson")
    }
    + FunctionCatalog.scalars.map {
      FunctionPage(
        names: [$0.name] + $0.aliases, category: $0.category, signature: $0.signature,
        result: $0.result, summary: $0.summary,
        query: "fields \(doubleQuoted($0.example)) as result | limit 1", file: "glue.ndjson")
    }

  /// The expression with its texts in double quotes, so that it can stand in a shell's single ones.
  private static func doubleQuoted(_ expression: String) -> String {
    expression.replacing("\"", with: "\\\"").replacing("'", with: "\"")
  }
}
