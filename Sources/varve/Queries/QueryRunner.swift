import LogStorage
import QueryEngine
import QueryLanguage

/// Runs one query and prints its answer, its warnings and its statistics: what `query` and the
/// shell have in common.
struct QueryRunner {
  var format: OutputFormat
  var zone: DisplayZone
  var showsStatistics: Bool
  var isQuiet: Bool
  /// What the queries before took.
  private let rates = RateBook()

  init(format: OutputFormat, zone: DisplayZone, showsStatistics: Bool, isQuiet: Bool) {
    self.format = format
    self.zone = zone
    self.showsStatistics = showsStatistics
    self.isQuiet = isQuiet
  }

  /// Answers one query. The answer is flushed before anything is said on standard error.
  ///
  /// - Returns: `.success`, or `.incomplete` when damaged parts were left out.
  /// - Throws: `QueryError`, `QueryFailure`, `CommandFailure`.
  func answer(
    _ text: String, options: QueryOptions, from source: () throws -> any EventSource
  ) throws -> CommandExit {
    let query = try PreparedQuery(text, options: options)
    var writer = try ResultWriter(format: format, columns: query.columns, zone: zone)
    let (events, outcome): (any EventSource, QueryOutcome)
    do {
      events = try source()
      outcome = try query.run(on: events) { try writer.write($0) }
    } catch {
      try writer.abandon(waiting: !error.endsAtOnce)
      throw error
    }
    try writer.finish(outcome)
    if !isQuiet, format != .json { DiagnosticText.show(outcome.warnings, of: query.text) }
    if !isQuiet, let files = events as? FileEventSource { report(files.found) }
    var statistics = outcome.statistics
    if showsStatistics {
      // The answer is out: an estimate that fails must not take it back.
      statistics.estimate = try? query.estimate(of: statistics, on: events, rates: rates)
    }
    report(statistics)
    return outcome.statistics.damagedParts.isEmpty ? .success : .incomplete
  }

  /// What reading files brought to light, so that nobody takes an answer for more than it is.
  private func report(_ found: FileEventSource.Findings) {
    if found.withoutTimeCount > 0 {
      let events = HumanUnits.count(found.withoutTimeCount, "event")
      Terminal.say("note: \(events) without a time of its own: @timestamp is the time of reading\n")
    }
    if found.tooLongCount > 0 {
      let lines = HumanUnits.count(found.tooLongCount, "line")
      let limit = HumanUnits.bytes(StorageLimits.bytesPerEvent)
      Terminal.say("note: \(lines) longer than \(limit) left out\n")
    }
    if found.cutOffCount > 0 {
      Terminal.say("note: the last record, which the damage cut in the middle, left out\n")
    }
    if found.wrapperMemberCount > 0 {
      let members = HumanUnits.count(found.wrapperMemberCount, "member")
      Terminal.say("note: \(members) of wrapper objects beside their events left out\n")
    }
  }

  private func report(_ statistics: QueryStatistics) {
    DamageReport.show(statistics.damagedParts)
    if !isQuiet {
      for note in statistics.approximations { Terminal.say("note: \(note)\n") }
    }
    if showsStatistics { Terminal.say(statistics.line + "\n") }
  }
}

extension QueryStatistics {
  /// JSON for programs, a sentence for people.
  fileprivate var line: String {
    Terminal.isErrorInteractive ? TextStyle.error.dim(sentence) : json
  }
}

extension Error {
  /// Whether the query was cancelled or its time was up.
  fileprivate var endsAtOnce: Bool {
    switch self as? QueryFailure {
    case .cancelled?, .timedOut?: true
    default: false
    }
  }
}
