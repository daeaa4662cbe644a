import Columnar
import LogStorage
import QueryLanguage

// A run, on one screen: the scan with the first segment on all workers, behind it a chain of stages
// on the calling thread, at its end the caller's sink.
//
//     workers: row group → filters → partial groups ┐
//     caller:                   merged groups → SegmentStage → LimitStage → OutputStage → sink

/// Runs one plan on one source.
struct QueryRunner {
  let layout: PlanLayout
  let options: QueryOptions
  let control: RunControl

  init(_ plan: LogicalPlan, options: QueryOptions) {
    layout = PlanLayout(plan, options: options)
    self.options = options
    control = RunControl(options)
  }

  private var plan: LogicalPlan { layout.plan }

  func run(
    on source: any EventSource, sink: @escaping (ColumnBatch) throws -> Void
  ) throws -> QueryStatistics {
    let start = ContinuousClock.now
    let regexes = plan.regexes
    let givenUpBefore = regexes.map(\.limitedCount)
    let output = OutputStage(layout: layout, limit: options.resultLimit, sink: sink)
    let first = stages(behind: 0, before: output)
    let result = try scanRunner(source).run(into: first)
    let scanned = ContinuousClock.now
    try first.finish()
    let end = ContinuousClock.now
    for (regex, before) in zip(regexes, givenUpBefore) where regex.limitedCount > before {
      layout.context.warn(
        AnalyzerDiagnostics.regexStepLimit(regex.pattern, count: regex.limitedCount - before))
    }
    var statistics = QueryStatistics(result)
    statistics.damagedParts += control.damage.parts
    statistics.resultCount = output.rowCount
    statistics.peakMemoryBytes = control.budget.peak
    statistics.phases = [
      ("scan", milliseconds(scanned - start)), ("finish", milliseconds(end - scanned)),
    ]
    statistics.elapsedMilliseconds = milliseconds(end - start)
    statistics.approximations = layout.context.approximations
    return statistics
  }

  /// What the scan would read and skip, in one line, found without reading a column.
  func forecast(on source: any EventSource) throws -> String {
    // Files have no directory of what is in them: to know it is to read them.
    if source is FileEventSource { return "would read the files whole" }
    let cursor = try source.scan(scanRunner(source).request)
    var events = 0
    while let rowGroup = try cursor.next() {
      try control.check()
      events += rowGroup.visibleRows.count
    }
    let scan = cursor.statistics
    return "would read \(events) events in \(scan.rowGroupsRead) row groups of "
      + "\(scan.segmentsRead) segments; skips \(scan.rowGroupsSkipped) row groups and "
      + "\(scan.segmentsSkipped) segments with \(scan.rowsSkipped) events"
  }

  private func scanRunner(_ source: any EventSource) -> ScanRunner {
    ScanRunner(
      layout: layout, source: source, control: control, workers: max(1, options.workers))
  }

  /// The steps behind the streaming part of a segment, to the end of the query.
  private func stages(behind index: Int, before output: any RowStage) -> any RowStage {
    let segment = plan.segments[index]
    var next: any RowStage
    if index + 1 < plan.segments.count {
      let later = stages(behind: index + 1, before: output)
      next = SegmentStage(
        SegmentRows(layout: layout, index: index + 1), control: control, next: later)
    } else {
      next = output
    }
    switch segment.barrier {
    case .stats(let stats)?:
      // The scan itself aggregates for the first segment.
      if index > 0 {
        next = StatsStage(stats, layout: layout, control: control, next: next)
      }
    case .dedup(let keys)?:
      next = DedupStage(keys, layout: layout, control: control, next: next)
    case .matches(let extraction, let captures)?:
      next = MatchesStage(
        plan.extractions[extraction], captures, layout: layout, next: next)
    case .command(let command)?:
      next = command.stage(layout: layout, control: control, next: next)
    case nil: break
    }
    if let limit = segment.limit { next = LimitStage(limit, next: next) }
    if let tail = segment.tail { next = TailStage(tail, control: control, next: next) }
    return next
  }

  private func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) / 1e15
  }
}

extension LogicalPlan {
  /// Every regular expression of the plan.
  fileprivate var regexes: [CompiledRegex] {
    var found: [CompiledRegex] = []
    func collect(_ expression: BoundExpression) {
      if case .matches(_, let regex, _) = expression.kind { found.append(regex) }
      expression.children.forEach(collect)
    }
    for slot in slots { if case .expression(let definition) = slot.source { collect(definition) } }
    for extraction in extractions {
      collect(extraction.source)
      if case .regex(let regex, _) = extraction.method { found.append(regex) }
    }
    for segment in segments {
      segment.filters.forEach(collect)
      segment.sortKeys.forEach { collect($0.expression) }
      guard case .stats(let stats)? = segment.barrier else { continue }
      stats.keys.forEach { collect($0.expression) }
      stats.aggregates.compactMap(\.aggregate.argument).forEach(collect)
    }
    return found
  }
}

extension QueryStatistics {
  fileprivate init(_ result: ScanRunner.Result) {
    let scan = result.statistics
    self.init()
    recordsMatched = result.matchedCount
    recordsScanned = scan.rowsScanned
    bytesScanned = scan.rawBytesScanned
    bytesRead = scan.bytesRead
    recordsSkipped = scan.rowsSkipped
    logGroupsScanned = scan.logGroupsScanned
    segmentsRead = scan.segmentsRead
    segmentsSkipped = scan.segmentsSkipped
    rowGroupsRead = scan.rowGroupsRead
    rowGroupsSkipped = scan.rowGroupsSkipped
    damagedParts = scan.damagedParts
  }
}
