import LogStorage
import QueryLanguage

// What `SOURCE` says of log groups can be answered only by a source of events, which knows their
// names. So the plan keeps what was said, and it is resolved on each run:
//
//     SOURCE "a", "b" | SOURCE logGroups(namePrefix: ["web-"])
//     └ choice 1: names         └ choice 2: prefixes          the union of both is read

/// The log groups that the `SOURCE` commands of a query select.
struct GroupSelection: Sendable {
  /// A name or the beginning of one, with its place in the query.
  struct Word: Sendable {
    let text: String
    let range: SourceRange
  }

  /// What one `SOURCE` says; all of it must hold of a group.
  struct Choice: Sendable {
    /// Groups by name, all of which must exist; `nil` if none are named.
    var names: [Word]?
    /// Lists of prefixes: a group begins with one of each list.
    var prefixes: [[Word]] = []
    let range: SourceRange

    func groups(among known: [String]) -> [String] {
      let named = names.map { $0.map(\.text) } ?? known
      return named.filter { name in
        known.contains(name)
          && prefixes.allSatisfy { list in list.contains { name.hasPrefix($0.text) } }
      }
    }
  }

  /// One for each `SOURCE`; a group is read if one of them selects it.
  var choices: [Choice] = []

  /// The selected groups, each once.
  func groups(among known: [String]) -> [String] {
    var taken: Set<String> = []
    return choices.flatMap { $0.groups(among: known) }.filter { taken.insert($0).inserted }
  }

  /// What was written, for explanations and for sources that have no groups.
  var description: [String] {
    choices.flatMap { choice in
      (choice.names ?? []).map(\.text)
        + choice.prefixes.map { list in list.map { $0.text + "*" }.joined(separator: " or ") }
    }
  }

  /// What is wrong with the selection in a source that has these groups.
  func diagnostics(among known: [String]) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for choice in choices {
      let before = found.count
      for word in choice.names ?? [] where !known.contains(word.text) {
        found.append(SourceDiagnostics.unknownGroup(word.text, known, at: word.range))
      }
      for list in choice.prefixes
      where !known.contains(where: { name in
        list.contains { name.hasPrefix($0.text) }
      }) {
        let range = SourceRange(list[0].range.start, list[list.count - 1].range.end)
        found.append(SourceDiagnostics.noPrefix(list.map(\.text), known, at: range))
      }
      if found.count == before, choice.groups(among: known).isEmpty, !known.isEmpty {
        found.append(SourceDiagnostics.nothingSelected(at: choice.range))
      }
    }
    let count = found.isEmpty ? groups(among: known).count : 0
    if count > EngineLimits.selectedGroups {
      found.append(SourceDiagnostics.tooManyGroups(count, at: choices[0].range))
    }
    return found
  }
}

extension ScanStep {
  /// The groups to read, `nil` for all of them.
  func groups(of source: any EventSource) -> [String]? {
    guard let selection else { return logGroups }
    guard let known = source.logGroupNames else {
      // A source without groups says so itself, by the name of the first one.
      return selection.description.isEmpty ? nil : selection.description
    }
    return selection.groups(among: known)
  }
}

extension LogicalPlan {
  /// What is wrong with the `SOURCE`s of the plan and its inner queries in this source.
  func sourceDiagnostics(of source: any EventSource) -> [Diagnostic] {
    guard let known = source.logGroupNames else { return [] }
    let inner = subplans.flatMap { $0.plan.sourceDiagnostics(of: source) }
    // An inner query without SOURCE of its own has that of the outer one.
    let own = scan.selection?.diagnostics(among: known) ?? []
    return own + inner.filter { !own.contains($0) }
  }
}
