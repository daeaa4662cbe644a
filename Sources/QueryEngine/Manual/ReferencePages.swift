/// The reference as Markdown. Examples stand as commands without their output; who writes the
/// pages runs them and puts it below.
package enum ReferencePages {
  /// The names of the pages.
  package static let names = ["commands", "functions", "codes"]

  /// A page, or `nil` for an unknown name.
  package static func markdown(_ name: String) -> String? {
    switch name {
    case "commands":
      page("Commands", "A query is a chain of commands, joined by `|`.", commands)
    case "functions":
      page("Functions", "Names of functions are read in any case.", functions)
    case "codes":
      page("Errors, warnings and hints", "Codes are stable; the wording may improve.", codes)
    default: nil
    }
  }

  private static func page(_ title: String, _ words: String, _ sections: [String]) -> String {
    """
    # \(title)

    \(words) This page is written by `RECORD=1 swift test --filter ReferencePage`
    from the same catalogue as `varve help`; every example on it is run by a test.

    """ + "\n" + sections.joined(separator: "\n")
  }

  private static var commands: [String] {
    CommandManual.entries.map { entry in
      var lines = ["## \(entry.name)", "", "```text"] + entry.syntax + ["```", "", entry.meaning]
      if !entry.aliases.isEmpty {
        lines += ["Also: " + entry.aliases.map { "`\($0)`" }.joined(separator: ", ") + "."]
      }
      if !entry.notes.isEmpty { lines += [""] + entry.notes.map { "- \($0)" } }
      if !["source", "join", "diff", "logcompare"].contains(entry.name) {
        for example in entry.examples {
          lines +=
            [""]
            + console(
              example.query, file: example.file, after: example.preparation)
        }
      } else {
        lines += ["", "```text"] + entry.examples.map(\.query) + ["```"]
      }
      return lines.joined(separator: "\n") + "\n"
    }
  }

  private static var functions: [String] {
    FunctionCategory.allCases.compactMap { category in
      let members = Manual.functions.filter { $0.category == category }
      guard !members.isEmpty else { return nil }
      return "## \(category.rawValue)\n\n"
        + members.map { function in
          var lines = ["### \(function.names[0])", ""]
          lines += ["`\(function.signature)` → \(function.result)", "", function.summary]
          let others = function.names.dropFirst().map { "`\($0)`" }
          if !others.isEmpty { lines += ["Also: \(others.joined(separator: ", "))."] }
          lines += [""] + console(function.query, file: function.file)
          return lines.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }
  }

  private static var codes: [String] {
    DiagnosticCatalog.entries.map { entry in
      var lines = ["## \(entry.code): \(entry.title)", "", entry.meaning, entry.remedy]
      if let example = entry.example { lines += ["", "```text", example, "```"] }
      return lines.joined(separator: "\n") + "\n"
    }
  }

  private static func console(
    _ query: String, file: String, after preparation: String? = nil
  ) -> [String] {
    var clock = query.contains("now()") ? " --now 2026-03-14T04:00:00Z" : ""
    // These tell the window, so there must be one.
    if ["queryStartTime", "queryEndTime", "queryTimeRange"].contains(where: query.contains) {
      clock = " --start 2026-03-14T00:00:00Z --end 2026-03-14T04:00:00Z"
    }
    return ["```console"] + (preparation.map { ["$ \($0)"] } ?? []) + [
      "$ varve query '\(query)' SampleLogs/\(file) --output table --quiet\(clock)",
      "```",
    ]
  }
}
