package import LogStorage
package import QueryLanguage

/// What a query read, kept and cost.
package struct QueryStatistics: Sendable {
  /// Events that passed the filters before the first aggregation.
  package var recordsMatched = 0
  /// Events in the row groups that were read.
  package var recordsScanned = 0
  /// Bytes of the texts of those events.
  package var bytesScanned = 0
  /// Bytes read from disk, as stored.
  package var bytesRead = 0
  /// Events in segments and row groups that were skipped.
  package var recordsSkipped = 0
  package var logGroupsScanned = 0
  package var segmentsRead = 0
  package var segmentsSkipped = 0
  package var rowGroupsRead = 0
  package var rowGroupsSkipped = 0
  /// What was skipped, by reason.
  package var skips: [SkipReason: SkipCount] = [:]
  /// The most bytes that group tables, sorts and sets held at one time.
  package var peakMemoryBytes = 0
  /// Bytes written to temporary files, for want of memory.
  package var spilledBytes = 0
  /// Rows handed to the sink.
  package var resultCount = 0
  /// Wall time of all phases.
  package var elapsedMilliseconds = 0.0
  /// Wall time by phase, in the order the phases ran.
  package var phases: [(name: String, milliseconds: Double)] = []
  /// What was expected of these figures, if that was asked for.
  package var estimate: QueryEstimate?
  /// Which values of the answer are approximate and why; empty when all are exact.
  package var approximations: [String] = []
  /// Parts of the store that could not be read, each named with its group and time range; not empty
  /// means that the answer is complete only for the rest.
  package var damagedParts: [String] = []

  package init() {}
}

/// What a finished query leaves besides its rows.
package struct QueryOutcome: Sendable {
  package var statistics: QueryStatistics
  /// Warnings and hints, those of the text first, those of the run after them.
  package var warnings: [Diagnostic]

  package init(statistics: QueryStatistics, warnings: [Diagnostic]) {
    self.statistics = statistics
    self.warnings = warnings
  }
}
