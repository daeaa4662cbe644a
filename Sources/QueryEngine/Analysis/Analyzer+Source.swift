import Columnar
import QueryLanguage

// `SOURCE "a", "b" START=-1h END=now`: names of groups and a window, in front of the query. What
// selects groups by prefix, account, class or tag waits for the server that has them.

extension Analyzer {
  mutating func bindSource(_ command: SourceCommand, at range: SourceRange) {
    if options.logGroups != nil { report(AnalyzerDiagnostics.groupsGivenTwice(at: range)) }
    if !hasSource { scan.logGroups = nil }
    hasSource = true
    for selector in command.selectors {
      guard case .names(let names) = selector else {
        report(AnalyzerDiagnostics.notAvailable("SOURCE logGroups(…)", at: range))
        continue
      }
      let known = scan.logGroups ?? []
      let added = names.map { Self.groupName($0.value) }.filter { !known.contains($0) }
      scan.logGroups = known + added
    }
    bindWindow(command, at: range)
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
    scan.window = lower...upper
  }

  private mutating func milliseconds(_ time: SourceCommand.Time, at range: SourceRange) -> Int64? {
    switch time {
    case .now: return options.now
    case .relative(let duration, let isNegative):
      return Period(duration).shift(options.now, isNegative: isNegative)
    case .epoch(let number):
      let value = number.doubleValue
      return Int64(exactly: (value >= 1e11 ? value : value * 1000).rounded())
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
