import Columnar
import QueryLanguage

// `SOURCE "a", "b" START=-1h END=now`: log groups and a window, in front of the query.
//
// A store on one machine has names of groups and nothing more to choose them by: all are of the
// class STANDARD, and accounts, tags and data sources are refused, each in its own words. Of an ARN
// only the name counts.

extension Analyzer {
  mutating func bindSource(_ command: SourceCommand, at range: SourceRange) {
    if options.logGroups != nil { report(AnalyzerDiagnostics.groupsGivenTwice(at: range)) }
    // The first SOURCE of a subquery replaces what it has from the outer query.
    if !hasSource { scan.selection = GroupSelection() }
    hasSource = true
    var choice = GroupSelection.Choice(range: range)
    for selector in command.selectors {
      switch selector {
      case .names(let names):
        let words = names.map {
          GroupSelection.Word(text: Self.groupName($0.value), range: $0.range)
        }
        // Two lists of names, apart from each other, must both hold, like all selectors.
        if let before = choice.names {
          choice.names = before.filter { word in words.contains { $0.text == word.text } }
        } else {
          choice.names = words
        }
      case .logGroups(let groups): bindLogGroups(groups, into: &choice)
      case .logGroupTags(let tags):
        report(SourceDiagnostics.noTags(at: tags.first?.key.range ?? range))
      case .dataSource(let names):
        report(SourceDiagnostics.noDataSources(at: names.first?.range ?? range))
      }
    }
    scan.selection?.choices.append(choice)
    bindWindow(command, at: range)
  }

  private mutating func bindLogGroups(
    _ groups: SourceCommand.LogGroupsSelector, into choice: inout GroupSelection.Choice
  ) {
    if !groups.namePrefixes.isEmpty {
      choice.prefixes.append(
        groups.namePrefixes.map { GroupSelection.Word(text: $0.value, range: $0.range) })
    }
    if let account = groups.accountIdentifiers.first {
      report(SourceDiagnostics.noAccounts(at: account.range))
    }
    for name in groups.logGroupClasses {
      switch name.value.uppercased() {
      case "STANDARD": break
      case "INFREQUENT_ACCESS": report(SourceDiagnostics.onlyStandard(at: name.range))
      default:
        report(SourceDiagnostics.unknownClass(name.value, at: name.range))
      }
    }
  }

  private mutating func bindWindow(_ command: SourceCommand, at range: SourceRange) {
    guard command.start != nil || command.end != nil else { return }
    let lower =
      command.start.flatMap { milliseconds($0, at: range) }
      ?? options.window?.lowerBound ?? .min
    let upper =
      command.end.flatMap { milliseconds($0, at: range) }
      ?? options.window?.upperBound ?? .max
    guard lower <= upper else {
      report(
        Diagnostic(.notAPeriod, .error, "the window of SOURCE ends before it starts", at: range))
      return
    }
    if let before = windowOfSource, before != lower...upper {
      report(SourceDiagnostics.anotherWindow(at: range))
    }
    windowOfSource = lower...upper
    scan.window = lower...upper
  }

  private mutating func milliseconds(_ time: SourceCommand.Time, at range: SourceRange) -> Int64? {
    switch time {
    case .now: return options.now
    case .relative(let duration, let isNegative):
      return Period(duration).shift(bound: options.now, isNegative: isNegative)
    case .epoch(let number):
      let value = number.doubleValue
      // No event is later than the last time there is.
      return Int64(exactly: (value >= 1e11 ? value : value * 1000).rounded()) ?? .max
    case .text(let literal):
      if let time = Timestamp.parse(literal.value) { return time }
      report(
        AnalyzerDiagnostics.badArgument(
          "SOURCE", 1, mustBe: "a time such as 2026-03-02T10:00:00Z", not: "'\(literal.value)'",
          at: literal.range))
      return nil
    }
  }

  /// The name of the group that an ARN or a plain name means.
  private static func groupName(_ text: String) -> String {
    guard text.hasPrefix("arn:") else { return text }
    let parts = text.split(separator: ":", maxSplits: 6, omittingEmptySubsequences: false)
    guard parts.count == 7, parts[5] == "log-group" else { return text }
    return parts[6].hasSuffix(":*") ? String(parts[6].dropLast(2)) : String(parts[6])
  }
}
