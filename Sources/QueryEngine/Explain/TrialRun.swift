import LogStorage

// How long a query takes depends on what its texts look like and on what this machine can do, and both are best asked
// by trying: the query itself is run on the first row groups of its scans, its rows are thrown away,
// and the clock is read. Several trials of growing size tell what every row group costs apart from what
// is done once:
//
//     trial    row groups   workers   scan        memory
//     1        1            1         1.4 ms      64 KiB
//     2        2            2         1.6 ms      96 KiB
//     3        8            2         5.2 ms      288 KiB     → 0.6 ms and 32 KiB a row group
//
// Trials end after a tenth of a second; a query that takes longer on its first row group is only known to
// take longer than that. The same trials tell what a filter is decided on: readers of row groups write
// down which chunks they read meanwhile (`ReadTrace`).

/// A query, run on its first row groups.
struct TrialRun {
  /// Row groups of the query's own scan that were worked on.
  let rowGroupCount: Int
  /// Events in them.
  let rowCount: Int
  /// Events in those of inner queries.
  let innerRowCount: Int
  let workers: Int
  /// What was done with the row groups of the query's own scan.
  let traces: [ReadTrace]
  let innerTraces: [ReadTrace]
  /// Whether the query had enough before the trial was over.
  let isSatisfied: Bool
  /// From its begin to its end, or to where it was cut off.
  let elapsedMilliseconds: Double
  /// What it counted; `nil` if it did not come to its end in time.
  let statistics: QueryStatistics?

  /// Milliseconds of a phase.
  func milliseconds(_ phase: String) -> Double {
    statistics?.phases.first { $0.name == phase }?.milliseconds ?? 0
  }

  /// - Throws: ``QueryFailure/cancelled`` and what the source throws.
  init(
    _ plan: LogicalPlan, options: QueryOptions, on source: any EventSource, rows: Int,
    workers: Int, milliseconds: Int
  ) throws {
    self.workers = workers
    var options = options
    let start = ContinuousClock.now
    let end = start + .milliseconds(milliseconds)
    options.deadline = options.deadline.map { min($0, end) } ?? end
    options.workers = workers
    options.suggestsFields = false
    options.progress = nil
    let trial = TrialSource(source, rowLimit: rows)
    var statistics: QueryStatistics?
    do {
      statistics = try QueryRunner(plan, options: options).run(on: trial) { _ in }
    } catch let failure as QueryFailure {
      // What a few row groups end in, the whole query will meet when it is run.
      if case .cancelled = failure { throw failure }
    }
    elapsedMilliseconds = (ContinuousClock.now - start) / .milliseconds(1)
    self.statistics = statistics
    let scans = trial.scans
    traces = scans.last?.traces ?? []
    innerTraces = scans.dropLast().flatMap(\.traces)
    rowGroupCount = traces.count
    rowCount = scans.last?.rowCount ?? 0
    innerRowCount = scans.dropLast().reduce(0) { $0 + $1.rowCount }
    isSatisfied = statistics != nil && scans.last?.wantsMore == false
  }
}
