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
  let plan: LogicalPlan
  let options: QueryOptions
  let control: RunControl
  let context: RunContext

  init(_ plan: LogicalPlan, options: QueryOptions) {
    self.plan = plan
    self.options = options
    control = RunControl(options)
    context = RunContext(functions: Self.functions(plan, options))
  }

  /// Runs an inner query.
  init(
    _ plan: LogicalPlan, options: QueryOptions, control: RunControl, sharing outer: RunContext
  ) {
    self.plan = plan
    self.options = options
    self.control = control
    context = RunContext(functions: Self.functions(plan, options), sharing: outer)
  }

  private static func functions(_ plan: LogicalPlan, _ options: QueryOptions) -> FunctionContext {
    FunctionContext(now: options.now, window: plan.scan.statedWindow)
  }

  func run(
    on source: any EventSource, sink: @escaping (ColumnBatch) throws -> Void
  ) throws -> QueryStatistics {
    let start = ContinuousClock.now
    let regexes = plan.regexes
    let givenUpBefore = regexes.map(\.limitedCount)
    var statistics = QueryStatistics()
    let context = context
    let plan = plan
    statistics.resultCount = try runPlan(on: source, &statistics) { batch in
      try sink(
        LongValues.cut(batch) {
          context.warn(AnalyzerDiagnostics.valueCut($0, at: plan.place(ofColumn: $0)))
        })
    }
    for (regex, before) in zip(regexes, givenUpBefore) where regex.limitedCount > before {
      context.warn(
        AnalyzerDiagnostics.regexStepLimit(
          regex.pattern, count: regex.limitedCount - before, at: regex.place))
    }
    context.functions.givenUp.warnings.forEach(context.warn)
    try hintAtAbsentFields(of: source)
    statistics.addDamage(control.damage.parts)
    statistics.peakMemoryBytes = control.budget.peak
    statistics.spilledBytes = control.budget.disk.byteCount
    statistics.elapsedMilliseconds = (ContinuousClock.now - start).milliseconds
    statistics.approximations = context.approximations
    return statistics
  }

  /// Says which fields of the query no event has, if there are others of nearly their names.
  private func hintAtAbsentFields(of source: any EventSource) throws {
    guard options.suggestsFields, plan.estimate == nil, !asksForSpan else { return }
    let met = context.metFields
    var unmet: [AbsentFields.Field] = []
    for slot in plan.slots {
      guard case .event(.discovered(let name)) = slot.source else { continue }
      if !met.contains(name), !unmet.contains(where: { $0.name == name }) {
        unmet.append(.init(name: name, mention: slot.mention, isOperand: slot.isOperand))
      }
    }
    guard !unmet.isEmpty else { return }
    for hint in try AbsentFields(plan.scan, on: source, control).hints(for: unmet) {
      context.warn(hint)
    }
  }

  /// Runs the inner queries, then the plan itself, and returns how many rows the sink got.
  ///
  /// - Parameter statistics: what reading costs is added to it; what matched is the plan's own.
  func runPlan(
    on source: any EventSource, _ statistics: inout QueryStatistics,
    sink: @escaping (ColumnBatch) throws -> Void
  ) throws -> Int {
    try control.stopping { try runSteps(on: source, &statistics, sink: sink) }
  }

  private func runSteps(
    on source: any EventSource, _ statistics: inout QueryStatistics,
    sink: @escaping (ColumnBatch) throws -> Void
  ) throws -> Int {
    let start = ContinuousClock.now
    if let slot = plan.estimate { return try runEstimate(into: slot, on: source, sink: sink) }
    try refuseSecondReading(of: source)
    try control.budget.reserve(plan.tableByteCount, for: "lookup")
    defer { control.budget.release(plan.tableByteCount) }
    var results: [SubplanResult] = []
    for subplan in plan.subplans {
      results.append(try SubplanRun.result(of: subplan, in: self, on: source, &statistics))
    }
    let answered = ContinuousClock.now
    let chain = StageChain(try layout(with: results, on: source), control: control)
    let output = OutputStage(layout: chain.layout, limit: options.resultLimit, sink: sink)
    let first = chain.stages(behind: 0, before: output)
    let result = try scanRunner(chain.layout, source).run(into: first)
    let scanned = ContinuousClock.now
    try first.finish()
    statistics.add(result)
    statistics.phases = [
      ("scan", (scanned - answered).milliseconds),
      ("finish", (ContinuousClock.now - scanned).milliseconds),
    ]
    if !results.isEmpty {
      statistics.phases.insert(("subqueries", (answered - start).milliseconds), at: 0)
    }
    return output.rowCount
  }

  /// The plan ready to run, with what its inner queries found.
  private func layout(
    with results: [SubplanResult], on source: any EventSource
  ) throws -> PlanLayout {
    var filled = plan.filled(with: results)
    if options.isOptimized, !results.isEmpty { PredicateExtraction.apply(to: &filled) }
    var context = context
    if asksForSpan, let span = try SelectedSpan.find(plan.scan, on: source, control) {
      let functions = FunctionContext(now: options.now, window: span)
      context = RunContext(functions: functions, sharing: context)
    }
    return PlanLayout(filled, context: context, results: results)
  }

  /// Whether the times of the first and last event stand for the window that was not given.
  private var asksForSpan: Bool { plan.scan.statedWindow == nil && plan.asksForWindow }

  /// What is read from standard input is gone; a second reading would find nothing there.
  private func refuseSecondReading(of source: any EventSource) throws(QueryFailure) {
    guard let files = source as? FileEventSource, files.readsStandardInput else { return }
    if !plan.subplans.isEmpty || asksForSpan {
      throw .refused(
        code: "E190",
        "this query reads the events twice, and standard input can be read once; "
          + (asksForSpan ? "give it --start and --end, or put" : "put")
          + " the events into a file or a store")
    }
  }

  // MARK: Estimates

  /// The one row of `estimate`.
  private func runEstimate(
    into slot: SlotID, on source: any EventSource, sink: @escaping (ColumnBatch) throws -> Void
  ) throws -> Int {
    let layout = PlanLayout(plan, context: context)
    let output = OutputStage(layout: layout, limit: nil, sink: sink)
    var row = RowBatch(rowCount: 1, columns: plan.slots.map { _ in nil })
    row.columns[slot] = .values([.integer(Int64(try estimatedBytes(on: source)))])
    try output.consume(row)
    return output.rowCount
  }

  /// The bytes of texts in the row groups that the scans cannot skip; of files, their size.
  private func estimatedBytes(on source: any EventSource) throws -> Int {
    if let files = source as? FileEventSource {
      guard !files.readsStandardInput else {
        throw QueryFailure.refused(
          code: "E190", "how much comes from standard input is not known before it is read")
      }
      return files.byteCount
    }
    var byteCount = 0
    for subplan in plan.subplans {
      byteCount += try QueryRunner(subplan.plan, options: options).estimatedBytes(on: source)
    }
    let layout = PlanLayout(plan, context: context)
    let cursor = try source.scan(scanRunner(layout, source).request)
    while try cursor.next() != nil { try control.check() }
    return byteCount + cursor.statistics.rawBytesScanned
  }

  /// What the scan of the plan asks for, before inner queries have narrowed it.
  func scanRequest(on source: any EventSource) -> ScanRequest {
    scanRunner(PlanLayout(plan, context: context), source).request
  }

  private func scanRunner(_ layout: PlanLayout, _ source: any EventSource) -> ScanRunner {
    ScanRunner(
      layout: layout, source: source, control: control, workers: max(1, options.workers))
  }

}

/// The stages of one run, one behind the other.
struct StageChain {
  let layout: PlanLayout
  let control: RunControl

  init(_ layout: PlanLayout, control: RunControl) {
    self.layout = layout
    self.control = control
  }

  private var plan: LogicalPlan { layout.plan }

  /// The steps behind the streaming part of a segment, to the end of the query.
  func stages(behind index: Int, before output: any RowStage) -> any RowStage {
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
        next = AggregationStage(stats, layout: layout, control: control, next: next)
      }
    case .dedup(let keys)?:
      next = DedupStage(keys, layout: layout, control: control, next: next)
    case .matches(let extraction, let captures)?:
      next = MatchesStage(
        plan.extractions[extraction], captures, layout: layout, next: next)
    case .command(let command)?:
      // Aggregating commands are done by the scan too.
      if index > 0 || segment.barrier?.aggregation == nil {
        next = command.stage(layout: layout, control: control, next: next)
      }
    case nil: break
    }
    if let limit = segment.limit { next = LimitStage(limit, next: next) }
    if let tail = segment.tail { next = TailStage(tail, control: control, next: next) }
    return next
  }
}

extension Duration {
  fileprivate var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
  }
}

extension LogicalPlan {
  /// Where the query makes a column of the result.
  fileprivate func place(ofColumn name: String) -> SourceRange {
    for case .named(name, let slot) in output.columns { return slots[slot].mention }
    return .none
  }

  /// Every regular expression of the plan and of the queries inside it, each once.
  fileprivate var regexes: [CompiledRegex] {
    var known: Set<ObjectIdentifier> = []
    return (ownRegexes + subplans.flatMap(\.plan.regexes))
      .filter { known.insert(ObjectIdentifier($0)).inserted }
  }

  private var ownRegexes: [CompiledRegex] {
    var found: [CompiledRegex] = []
    for extraction in extractions {
      if case .regex(let regex, _) = extraction.method { found.append(regex) }
    }
    forEachExpression { expression in
      if case .matches(_, let regex, _) = expression.kind { found.append(regex) }
    }
    return found
  }

  /// Whether what the plan does depends on the window.
  fileprivate var asksForWindow: Bool {
    var asks = segments.contains { segment in
      guard case .command(let command)? = segment.barrier else { return false }
      return command is FillmissingStep || (command as? PatternStep)?.buckets != nil
    }
    forEachExpression { expression in
      guard case .call(let call) = expression.kind else { return }
      if ["queryStartTime", "queryEndTime", "queryTimeRange"].contains(call.function.name) {
        asks = true
      }
    }
    return asks
  }

  /// Every expression and every part of one.
  private func forEachExpression(_ body: (BoundExpression) -> Void) {
    func collect(_ expression: BoundExpression) {
      body(expression)
      expression.children.forEach(collect)
    }
    for slot in slots { if case .expression(let definition) = slot.source { collect(definition) } }
    for extraction in extractions {
      collect(extraction.source)
    }
    for segment in segments {
      segment.filters.forEach(collect)
      segment.sortKeys.forEach { collect($0.expression) }
      guard case .stats(let stats)? = segment.barrier else { continue }
      stats.keys.forEach { collect($0.expression) }
      stats.aggregates.compactMap(\.aggregate.argument).forEach(collect)
    }
  }
}

extension QueryStatistics {
  /// Adds what a scan cost. What matched is told of the last scan added, that of the query itself,
  /// which runs behind its inner ones; log groups are those of the scan that read most of them.
  fileprivate mutating func add(_ result: ScanRunner.Result) {
    let scan = result.statistics
    recordsMatched = result.matchedCount
    recordsScanned += scan.rowsScanned
    bytesScanned += scan.rawBytesScanned
    bytesRead += scan.bytesRead
    recordsSkipped += scan.rowsSkipped
    logGroupsScanned = max(logGroupsScanned, scan.logGroupsScanned)
    segmentsRead += scan.segmentsRead
    segmentsSkipped += scan.segmentsSkipped
    rowGroupsRead += scan.rowGroupsRead
    rowGroupsSkipped += scan.rowGroupsSkipped
    skips.merge(scan.skips) { $0 + $1 }
    addDamage(scan.damagedParts)
  }

  /// Adds parts that could not be read; one that two scans met is named once.
  fileprivate mutating func addDamage(_ parts: [String]) {
    for part in parts where !damagedParts.contains(part) { damagedParts.append(part) }
  }
}
