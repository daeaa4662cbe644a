import LogStorage

/// From trials on a few row groups to a run on all of them.
struct Projection {
  private let trials: [TrialRun]
  private let plan: LogicalPlan
  private let workers: Int
  private let own: ScanSurvey
  private let inner: [ScanSurvey]
  private let resultLimit: Int?

  /// - Parameter surveys: of the scans of inner queries, then of the query itself.
  init(
    _ trials: [TrialRun], _ plan: LogicalPlan, _ options: QueryOptions, _ surveys: [ScanSurvey]
  ) {
    self.trials = trials
    self.plan = plan
    workers = max(1, options.workers)
    own = surveys.last ?? ScanSurvey()
    inner = surveys.dropLast()
    resultLimit = options.resultLimit
  }

  private var allRowGroups: Int { own.statistics.rowGroupsRead }
  private var allRows: Int { own.statistics.rowsScanned }
  private var innerRowGroups: Int { inner.reduce(0) { $0 + $1.statistics.rowGroupsRead } }

  // MARK: Row groups

  /// Whether the query has enough before it has seen all row groups.
  var endsEarly: Bool { rowGroups < allRowGroups }

  /// Row groups of the query's own scan that are handed out.
  private var rowGroups: Int {
    // The smallest trial has one worker; with more, each has drawn one that turns out not to be needed.
    if let enough = trials.first(where: \.isSatisfied) {
      let isAlone = enough.workers == 1
      return min(allRowGroups, enough.rowGroupCount + (isAlone ? workers - 1 : 0))
    }
    guard let wanted = rowsWanted, let matching = matchingShare, allRows > 0 else {
      return allRowGroups
    }
    let needed = Double(wanted) / matching / Double(allRows)
    return needed >= 1
      ? allRowGroups
      : min(allRowGroups, Int((needed * Double(allRowGroups)).rounded(.up)) + workers - 1)
  }

  /// The part of all rows that pass the filters; `nil` if that is not known, or none was met.
  private var matchingShare: Double? {
    if plan.segments[0].filters.isEmpty { return 1 }
    guard let last = trials.last, let matched = last.statistics?.recordsMatched, matched > 0,
      last.rowCount > 0
    else { return nil }
    return Double(matched) / Double(last.rowCount)
  }

  /// Rows after which a scan in order of time ends; `nil` if it does not end before its end.
  private var rowsWanted: Int? {
    let first = plan.segments[0]
    guard first.barrier == nil, first.tail == nil, first.timeOrder(in: plan) != nil else {
      return nil
    }
    return [first.limit, resultLimit].compactMap { $0 }.min()
  }

  /// The trial that was all that the run will be.
  private var whole: TrialRun? { trials.last.flatMap { $0.isSatisfied ? $0 : nil } }

  /// The part of all events that lies in the row groups handed out.
  private var share: Double {
    whole.map { Double($0.rowCount) / Double(max(1, allRows)) } ?? rowGroupShare
  }

  private var rowGroupShare: Double { Double(rowGroups) / Double(max(1, allRowGroups)) }

  /// How many times the work of the last trial the run is; 0 if it did none.
  private var growth: Double {
    guard let last = trials.last, last.rowCount > 0 else { return 0 }
    return share * Double(allRows) / Double(last.rowCount)
  }

  private var innerGrowth: Double {
    guard let last = trials.last, last.innerRowCount > 0 else { return 0 }
    return Double(innerRows) / Double(last.innerRowCount)
  }

  // MARK: Chunks

  /// The chunks of the query's own scan that will be read, the largest first: what the trial read of its row groups,
  /// in the sizes it has in all of them.
  func chunks(_ traces: [ReadTrace]) -> [QueryForecast.Chunks] {
    var readers: [ChunkName: Int] = [:]
    for trace in traces {
      let names = Set(trace.steps.values.flatMap { $0.chunks.map(\.name) })
      for name in names { readers[name, default: 0] += trace.rowCount }
    }
    // A row group of two events has no say in what those of fifty thousand are asked for.
    let rowCount = max(1, traces.reduce(0) { $0 + $1.rowCount })
    return readers.compactMap { name, count -> QueryForecast.Chunks? in
      guard let total = own.chunks[name] else { return nil }
      if whole != nil { return Self.chunks(named: name, total.encodings, in: traces) }
      let part = share * Double(count) / Double(rowCount)
      return QueryForecast.Chunks(
        name: name, encodings: total.encodings, chunkCount: scaled(total.chunkCount, part),
        byteCount: scaled(total.byteCount, part))
    }
    .filter { $0.chunkCount > 0 }
    .sorted {
      ($1.byteCount, $0.name.description) < ($0.byteCount, $1.name.description)
    }
  }

  /// What trials that were the whole run have read under a name.
  private static func chunks(
    named name: ChunkName, _ encodings: Set<ColumnEncoding>, in traces: [ReadTrace]
  ) -> QueryForecast.Chunks {
    let read = traces.flatMap { $0.steps.values }.flatMap(\.chunks).filter { $0.name == name }
    return QueryForecast.Chunks(
      name: name, encodings: encodings, chunkCount: read.count,
      byteCount: read.reduce(0) { $0 + $1.byteCount })
  }

  private var tableByteCount: Int {
    let read = inner.reduce(into: [:]) { all, survey in all.merge(survey.tables) { a, _ in a } }
    let more = own.tables.filter { read[$0.key] == nil }
    return read.values.reduce(0, +) + scaled(more.values.reduce(0, +), rowGroupShare)
  }

  /// Bytes of tables and chunks.
  func bytesRead(_ chunks: [QueryForecast.Chunks]) -> Int {
    return tableByteCount + chunks.reduce(0) { $0 + $1.byteCount } + innerChunkBytes
  }

  private var innerChunkBytes: Int {
    trials.last.map { scaled(byteCount($0.innerTraces), innerGrowth) } ?? 0
  }

  private func byteCount(_ traces: [ReadTrace]) -> Int {
    traces.reduce(0) { sum, trace in
      sum + trace.steps.values.reduce(0) { $0 + $1.chunks.reduce(0) { $0 + $1.byteCount } }
    }
  }

  // MARK: Costs

  /// By the trials.
  var estimate: QueryEstimate {
    var estimate = counts
    guard let last = trials.last else {
      if allRowGroups == 0 { (estimate.elapsedMilliseconds, estimate.peakMemoryBytes) = (0, 0) }
      return estimate
    }
    estimate.bytesRead += scaled(byteCount(last.traces), growth) + innerChunkBytes
    guard last.statistics != nil else {
      let cutOff = last.elapsedMilliseconds * max(1, growth + innerGrowth) / Double(workers)
      (estimate.elapsedMilliseconds, estimate.isTimeLowerBound) = (cutOff, true)
      return estimate
    }
    estimate.peakMemoryBytes = memory
    estimate.elapsedMilliseconds = milliseconds
    return estimate
  }

  /// By what runs like this one took before.
  func estimate(at rate: RunRate) -> QueryEstimate {
    var estimate = counts
    let rowGroups = Double(rate.endsEarly ? min(rate.rowGroupCount, allRowGroups) : allRowGroups)
    let part = rowGroups / Double(max(1, allRowGroups))
    estimate.rowGroupsRead = Int(rowGroups) + innerRowGroups
    estimate.recordsScanned = scaled(own.statistics.rowsScanned, part) + innerRows
    estimate.bytesScanned = scaled(own.statistics.rawBytesScanned, part) + innerRawBytes
    let growth = (rowGroups + Double(innerRowGroups)) / Double(max(1, rate.rowGroupCount))
    estimate.bytesRead = Int(Double(rate.bytesRead) * growth)
    estimate.peakMemoryBytes = Int(Double(rate.peakMemoryBytes) * max(1, growth))
    estimate.elapsedMilliseconds = rate.milliseconds * growth
    return estimate
  }

  private var innerRows: Int { inner.reduce(0) { $0 + $1.statistics.rowsScanned } }
  private var innerRawBytes: Int { inner.reduce(0) { $0 + $1.statistics.rawBytesScanned } }

  /// What the surveys say; of bytes to be read, those of tables.
  private var counts: QueryEstimate {
    var estimate = QueryEstimate()
    estimate.segmentsRead =
      own.statistics.segmentsRead + inner.reduce(0) { $0 + $1.statistics.segmentsRead }
    estimate.rowGroupsRead = rowGroups + innerRowGroups
    estimate.recordsScanned = scaled(own.statistics.rowsScanned, share) + innerRows
    estimate.bytesScanned = scaled(own.statistics.rawBytesScanned, share) + innerRawBytes
    estimate.bytesRead = tableByteCount
    return estimate
  }

  private var milliseconds: Double {
    guard let last = trials.last else { return 0 }
    let alike = trials.filter { $0.workers == last.workers }
    let scan = Self.projected(alike, wholeRows) { $0.milliseconds("scan") / speedUp($0) }
    let finish = Self.projected(alike, wholeRows) { $0.milliseconds("finish") }
    return scan + finish + last.milliseconds("subqueries") * innerGrowth
  }

  /// How many workers will share what one did in a trial.
  private func speedUp(_ trial: TrialRun) -> Double {
    Double(min(workers, max(1, rowGroups))) / Double(trial.workers)
  }

  /// Tables grow with the distinct values in them, which become rarer: what a line tells is rather too much.
  private var memory: Int {
    Int(Self.projected(trials, wholeRows) { Double($0.statistics?.peakMemoryBytes ?? 0) })
  }

  private var wholeRows: Double { share * Double(allRows) }

  /// The line through the last two trials, as far out as the whole run lies.
  private static func projected(
    _ trials: [TrialRun], _ whole: Double, _ value: (TrialRun) -> Double
  ) -> Double {
    guard let last = trials.last, last.rowCount > 0 else { return 0 }
    let (size, reached) = (Double(last.rowCount), value(last))
    guard let before = trials.dropLast().last, before.rowCount < last.rowCount else {
      return reached * whole / size
    }
    let slope = (reached - value(before)) / (size - Double(before.rowCount))
    return max(reached * min(1, whole / size), reached + max(0, slope) * (whole - size))
  }

  private func scaled(_ count: Int, _ part: Double) -> Int {
    part == 1 ? count : Int((Double(count) * part).rounded())
  }
}
