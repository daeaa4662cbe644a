import LogStorage

/// Works out what a plan would read and cost: counts are those of the scan's own judgement, the rest is
/// projected from trials.
struct Forecaster {
  /// How long all trials together may take.
  private static let trialMilliseconds = 100
  /// A trial that took no longer is followed by a larger one.
  private static let shortMilliseconds = 20.0

  let plan: LogicalPlan
  let options: QueryOptions

  private var runner: QueryRunner { QueryRunner(plan, options: options) }

  /// - Parameter written: the plan before it was optimized.
  func forecast(comparedWith written: LogicalPlan, on source: any EventSource) throws
    -> QueryForecast
  {
    var forecast = QueryForecast(
      plan: PlanPrinter(plan).text(comparedWith: written), estimate: QueryEstimate(),
      memoryLimit: options.memoryLimit)
    if let files = source as? FileEventSource {
      forecast.readsFiles = true
      forecast.fileByteCount = files.readsStandardInput ? nil : files.byteCount
      return forecast
    }
    forecast.scans = try RunControl(options).stopping { try scans(on: source, listsChunks: true) }
    guard let own = forecast.scans.last?.survey else { return forecast }
    let workers = max(1, options.workers)
    let trials = try self.trials(
      on: source, own, sizes: [(1, 1), (workers, workers), (4 * workers, workers)],
      milliseconds: Self.trialMilliseconds)
    let projection = Projection(trials, plan, options, forecast.scans.map(\.survey))
    forecast.estimate = projection.estimate
    forecast.endsEarly = projection.endsEarly
    if let last = trials.last, !last.traces.isEmpty {
      forecast.trialRowGroupCount = last.rowGroupCount
      forecast.trialMilliseconds = last.elapsedMilliseconds
      forecast.filters = filters(last.traces)
      forecast.chunks = projection.chunks(last.traces)
      forecast.estimate.bytesRead = projection.bytesRead(forecast.chunks)
    }
    return forecast
  }

  /// What the statistics of a run are expected to say, with as little work as that takes.
  ///
  /// - Parameters:
  ///   - rate: what runs like this one took before; without it, one row group is tried.
  ///   - trialMilliseconds: how long that may take; `nil` for no trial.
  func estimate(
    on source: any EventSource, rate: RunRate?, trialMilliseconds: Int?
  ) throws -> QueryEstimate? {
    guard !(source is FileEventSource), plan.estimate == nil else { return nil }
    let surveys = try scans(on: source, listsChunks: false).map(\.survey)
    guard let own = surveys.last else { return nil }
    var trials: [TrialRun] = []
    if rate == nil, let milliseconds = trialMilliseconds {
      trials = try self.trials(on: source, own, sizes: [(1, 1)], milliseconds: milliseconds)
    }
    let projection = Projection(trials, plan, options, surveys)
    return rate.map { projection.estimate(at: $0) } ?? projection.estimate
  }

  // MARK: Scans

  private func scans(
    on source: any EventSource, listsChunks: Bool
  ) throws -> [QueryForecast.Scan] {
    var scans: [QueryForecast.Scan] = []
    for (number, subplan) in plan.subplans.enumerated() {
      let inner = Forecaster(plan: subplan.plan, options: options)
      for scan in try inner.scans(on: source, listsChunks: false) {
        let name = "subquery \(number + 1) for \(subplan.name)"
        let isOwn = scan.name == "query"
        scans.append(.init(name: isOwn ? name : "\(name), \(scan.name)", survey: scan.survey))
      }
    }
    let survey = try source.survey(runner.scanRequest(on: source), listsChunks: listsChunks)
    return scans + [.init(name: "query", survey: survey)]
  }

  // MARK: Trials

  /// Trials of growing size.
  ///
  /// - Parameter sizes: typical row groups of each, and its workers.
  private func trials(
    on source: any EventSource, _ own: ScanSurvey, sizes: [(rowGroups: Int, workers: Int)],
    milliseconds: Int
  ) throws -> [TrialRun] {
    let rowGroupCount = own.statistics.rowGroupsRead
    guard rowGroupCount > 0, plan.estimate == nil else { return [] }
    // Row groups of some ten events, as of a stream that has just begun, would tell little.
    let typicalRowCount = max(1, own.statistics.rowsScanned / rowGroupCount)
    let start = ContinuousClock.now
    var trials: [TrialRun] = []
    for (size, workers) in sizes {
      let spent = Int((ContinuousClock.now - start) / .milliseconds(1))
      let trial = try TrialRun(
        plan, options: options, on: source, rows: size * typicalRowCount, workers: workers,
        milliseconds: max(1, milliseconds - spent))
      // One that was cut off tells less than a smaller one that was not.
      guard trial.statistics != nil || trials.isEmpty else { break }
      trials.append(trial)
      guard trial.statistics != nil, trial.elapsedMilliseconds < Self.shortMilliseconds,
        size < rowGroupCount
      else { break }
    }
    return trials
  }

  // MARK: Filters

  private func filters(_ traces: [ReadTrace]) -> [QueryForecast.Filter] {
    let printer = PlanPrinter(plan)
    return plan.segments[0].filters.enumerated().map { number, condition in
      filter(printer.text(condition), traces.compactMap { $0.steps[number] }, of: traces.count)
    }
  }

  private func filter(
    _ condition: String, _ steps: [ReadTrace.Step], of rowGroupCount: Int
  ) -> QueryForecast.Filter {
    var means: Set<DecisionMeans> = []
    var filter = QueryForecast.Filter(condition: condition, means: [])
    var chunkCount = 0
    for step in steps {
      filter.rowsBefore += step.rowsBefore
      filter.rowsAfter += step.rowsAfter
      filter.milliseconds += step.time / .milliseconds(1)
      chunkCount += step.chunks.count
      filter.textCount += step.textCount
      // The columns behind whole texts were read to put them together, not to decide.
      means.formUnion(
        step.textCount > 0
          ? [.wholeTexts] : step.chunks.compactMap { DecisionMeans($0.name, $0.encoding) })
    }
    // Which event has the field is asked for every field; it is told where nothing else decides.
    if means.count > 1, !steps.contains(where: \.readsShapeTexts) { means.remove(.shapes) }
    if means.isEmpty, filter.rowsBefore > 0 { means.insert(.known) }
    filter.means = means.sorted()
    filter.chunksPerRowGroup = Double(chunkCount) / Double(max(1, rowGroupCount))
    return filter
  }
}

extension ReadTrace.Step {
  fileprivate var readsShapeTexts: Bool { chunks.contains { $0.name.content == .shapeTexts } }
}
