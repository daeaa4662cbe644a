import Columnar
import LogStorage
import Synchronization

// The first segment, on all workers. What it feeds decides how: an aggregation takes partial
// groups in any number and merges them in the order of the scan; a sort, and a small limit, take
// each row group's best rows; everything else wants the rows themselves, in order of time, as soon
// as that order is certain.

/// Runs the first segment of a plan over a source.
struct ScanRunner {
  let layout: PlanLayout
  let source: any EventSource
  let control: RunControl
  let workers: Int

  /// What became of the scan.
  struct Result {
    var statistics: ScanStatistics
    /// Events that passed the filters.
    var matchedCount: Int
  }

  private var segment: PlanSegment { layout.plan.segments[0] }

  /// Runs to the end, or until `next` is satisfied.
  func run(into next: any RowStage) throws -> Result {
    let matched = MatchCounter()
    let cursor = try source.scan(request)
    if case .stats(let stats)? = segment.barrier, stats.takesRowsInAnyOrder {
      try runCounting(stats, cursor, matched, into: next)
    } else if let aggregation = segment.barrier?.aggregation {
      try runAggregation(aggregation, cursor, matched, into: next)
    } else if isOrderedByTime, !hasSmallLimit {
      try runOrdered(cursor, matched, into: next)
    } else {
      try runSorted(cursor, matched, into: next)
    }
    return Result(statistics: cursor.statistics, matchedCount: matched.count)
  }

  /// What the source is asked for; also used to explain.
  var request: ScanRequest {
    let scan = layout.plan.scan
    var request = ScanRequest(
      logGroups: scan.groups(of: source), window: scan.window, order: order,
      predicates: scan.predicates, fields: fieldsOfAllEvents)
    request.needsOnlyCounts = isCountOfAllEvents
    request.countsValues = isCountOfValues
    request.workers = workers
    return request
  }

  /// Whether nothing of any event is read: `stats count(*)` by itself.
  private var isCountOfAllEvents: Bool {
    guard case .stats(let stats)? = segment.barrier, stats.keys.isEmpty else { return false }
    return segment.filters.isEmpty && segment.sortKeys.isEmpty
      && segment.tail == nil && segment.limit == nil
      && stats.aggregates.allSatisfy { output in
        if case .countRows = output.aggregate.kind {
          output.aggregate.argument == nil
        } else {
          false
        }
      }
  }

  /// Whether all events are counted by the values of one field, or all that have it.
  private var isCountOfValues: Bool {
    guard case .stats(let stats)? = segment.barrier else { return false }
    return segment.tail == nil && segment.limit == nil && stats.slotOfOnlyCountedKey != nil
      && (segment.filters.isEmpty || isFilteredByPresence(of: stats.slotOfOnlyCountedKey))
  }

  /// Whether all that is asked of events is that they have a field: `filter ispresent(f)`.
  private func isFilteredByPresence(of slot: SlotID?) -> Bool {
    guard let slot, segment.filters.count == 1,
      case .present(let operand) = segment.filters[0].kind, case .slot(slot) = operand.kind
    else { return false }
    return true
  }

  /// Fields that the filters, the sort and an aggregation read of every event, unless an earlier filter turned it away.
  private var fieldsOfAllEvents: [String] {
    var expressions = segment.filters + segment.sortKeys.map(\.expression)
    if case .stats(let stats)? = segment.barrier {
      expressions += stats.keys.map(\.expression)
      expressions += stats.aggregates.compactMap(\.aggregate.argument)
    }
    var names: [String] = []
    var seen: Set<SlotID> = []
    var waiting = expressions.flatMap(\.slots)
    while let slot = waiting.popLast() {
      guard seen.insert(slot).inserted else { continue }
      switch layout.plan.slots[slot].source {
      case .event(.discovered(let name)): names.append(name)
      case .expression(let definition): waiting += definition.slots
      case .capture(let extraction, _):
        waiting += layout.plan.extractions[extraction].source.slots
      case .event, .barrier: break
      }
    }
    return names
  }

  /// Row groups in order of time where the rows leave in that order, else in the cheapest one.
  private var order: ScanRequest.Order {
    if segment.barrier?.aggregation != nil { return .unspecified }
    return segment.timeOrder(in: layout.plan) ?? .unspecified
  }

  private var rows: SegmentRows { SegmentRows(layout: layout, index: 0) }

  /// Whether the rows leave the segment in order of time.
  private var isOrderedByTime: Bool { segment.timeOrder(in: layout.plan) != nil }

  /// Whether the rows wanted are so few that they are best kept by themselves.
  private var hasSmallLimit: Bool { rows.topCount.map { $0 <= 10_000 } ?? false }

  // MARK: Aggregation

  private func runAggregation<Aggregation: PiecewiseAggregation>(
    _ aggregation: Aggregation, _ cursor: any RowGroupCursor, _ matched: MatchCounter,
    into next: any RowStage
  ) throws {
    let rows = rows
    let layout = layout
    let budget = control.budget
    let driver = ScanDriver<CountedPiece<Aggregation.Piece>>(
      cursor: cursor, control: control, workers: workers, byteCount: \.byteCount
    ) { rowGroup in
      var frame = Frame(rowGroup, layout: layout)
      try rows.filter(&frame)
      let count = frame.rowCount
      guard count > 0 else { return nil }
      let piece = try aggregation.piece(of: &frame)
      matched.add(count)
      let byteCount = aggregation.byteCount(of: piece)
      budget.count(byteCount)
      return CountedPiece(piece: piece, byteCount: byteCount)
    }
    let total = Mutex(aggregation.merger(layout: layout, budget: budget))
    @Sendable func mergeReady() throws {
      try driver.reduceReady { counted in
        defer { budget.release(counted.byteCount) }
        try total.withLock { try $0.merge(counted.piece) }
      }
    }
    try Workers.run(workers) { worker in
      try driver.work(worker) {
        try mergeReady()
        try driver.waitForRoom(of: budget.mostWaiting, mergeReady)
      }
    }
    try mergeReady()
    var merger = total.withLock { total in
      defer { total = aggregation.merger(layout: layout, budget: budget) }
      return total
    }
    try merger.finish(until: { next.isSatisfied }) { batch in
      try control.check()
      try next.consume(batch)
    }
  }

  /// Counts, of which it does not matter who took which rows: each worker keeps groups of its own, which
  /// are merged at the end.
  private func runCounting(
    _ stats: StatsStep, _ cursor: any RowGroupCursor, _ matched: MatchCounter,
    into next: any RowStage
  ) throws {
    let rows = rows
    let layout = layout
    let budget = control.budget
    let countsPresent = isCountOfValues && !segment.filters.isEmpty
    // Those that no worker is adding to; never more than there are workers.
    let idle = Mutex<[GroupMerger]>([])
    let driver = ScanDriver<Never>(cursor: cursor, control: control, workers: workers) {
      rowGroup in
      var frame = Frame(rowGroup, layout: layout)
      var merger =
        idle.withLock { $0.popLast() } ?? GroupMerger(stats, layout: layout, budget: budget)
      defer { idle.withLock { $0.append(merger) } }
      if countsPresent, let count = try merger.addPresent(frame) {
        matched.add(count)
        return nil
      }
      try rows.filter(&frame)
      let count = frame.rowCount
      guard count > 0 else { return nil }
      try merger.add(&frame)
      matched.add(count)
      return nil
    }
    try Workers.run(workers) { worker in try driver.work(worker) {} }
    var mergers = idle.withLock { mergers in
      defer { mergers = [] }
      return mergers
    }
    // The others go into the first, whose groups are not entered a second time.
    var total = mergers.popLast() ?? GroupMerger(stats, layout: layout, budget: budget)
    while let merger = mergers.popLast() { try total.absorb(merger) }
    try total.finish(until: { next.isSatisfied }) { batch in
      try control.check()
      try next.consume(batch)
    }
  }

  /// A piece that waits to be merged, counted against the budget until it is.
  private struct CountedPiece<Piece: Sendable>: Sendable {
    let piece: Piece
    let byteCount: Int
  }

  // MARK: Sorted rows

  private func runSorted(
    _ cursor: any RowGroupCursor, _ matched: MatchCounter, into next: any RowStage
  ) throws {
    // The row groups of files lie in memory, as long as somebody may come back to them.
    let isFile = source is FileEventSource
    let top = TopRows(rows, budget: control.budget, maySaveReading: !isFile)
    try collect(top, cursor, matched)
    func pass(_ batch: RowBatch) throws {
      try control.check()
      try next.consume(batch)
    }
    do {
      try top.drain(workers: workers, pass)
    } catch let error as StorageError where error.code == .damaged && top.defersReading {
      // A row among the wanted ones cannot be read: others take the places of all that lie with it,
      // which only a scan that reads everything at once can tell.
      let whole = TopRows(rows, budget: control.budget, maySaveReading: false)
      matched.reset()
      try collect(whole, source.scan(request), matched)
      try whole.drain(workers: workers, pass)
    }
  }

  private func collect(
    _ top: TopRows, _ cursor: any RowGroupCursor, _ matched: MatchCounter
  ) throws {
    let rows = rows
    let layout = layout
    let driver = ScanDriver<SortPiece>(
      cursor: cursor, control: control, workers: workers, isEnough: { top.isFilled(by: $0) }
    ) { rowGroup in
      var frame = Frame(rowGroup, layout: layout)
      try rows.filter(&frame)
      let count = frame.rowCount
      var piece = try top.piece(&frame, of: rowGroup)
      matched.add(count)
      piece.boundOfRest = rowGroup.boundOfRest
      return piece
    }
    try Workers.run(workers) { worker in
      try driver.work(worker) {
        var isDone = false
        try driver.reduceReady { piece in if try top.add(piece) { isDone = true } }
        if isDone { driver.stop() }
      }
    }
    try driver.reduceReady { _ = try top.add($0) }
  }

  // MARK: Rows in order of time

  private struct OrderedPiece: Sendable {
    let batch: RowBatch?
    let boundOfRest: Int64?
  }

  private func runOrdered(
    _ cursor: any RowGroupCursor, _ matched: MatchCounter, into next: any RowStage
  ) throws {
    let rows = rows
    let layout = layout
    let budget = control.budget
    let isNewestFirst = segment.timeOrder(in: layout.plan) != .oldestFirst
    let driver = ScanDriver<OrderedPiece>(
      cursor: cursor, control: control, workers: workers,
      byteCount: { $0.batch?.byteCount ?? 0 }
    ) {
      rowGroup in
      var frame = Frame(rowGroup, layout: layout)
      try rows.filter(&frame)
      let count = frame.rowCount
      try rows.dropDuplicates(&frame, isNewestFirst: isNewestFirst)
      let batch = count > 0 ? try rows.detached(&frame) : nil
      matched.add(count)
      if let batch { OrderedMerge.reserve(batch, in: budget) }
      return OrderedPiece(batch: batch, boundOfRest: rowGroup.boundOfRest)
    }
    // The sink of the query stays on the calling thread, which is worker 0 of `Workers.run`.
    let consumer = CallingThreadOnly(
      OrderedConsumer(
        merge: OrderedMerge(isNewestFirst: isNewestFirst, budget: budget), next: next,
        control: control))
    try Workers.run(workers) { worker in
      guard worker == 0 else {
        return try driver.work(worker) { try driver.waitForRoom(of: budget.mostWaiting) }
      }
      try driver.work(worker) {
        while let piece = driver.takeFirst() {
          try consumer.value.take(piece.batch, piece.boundOfRest)
        }
        if consumer.value.isSatisfied { driver.stop() }
      }
      driver.consumerEnds()
    }
    while let piece = driver.takeFirst() {
      try consumer.value.take(piece.batch, piece.boundOfRest)
    }
    try consumer.value.takeRest()
  }
}

/// The calling thread's end of an ordered scan.
private final class OrderedConsumer {
  private var merge: OrderedMerge
  private let next: any RowStage
  private let control: RunControl

  init(merge: OrderedMerge, next: any RowStage, control: RunControl) {
    self.merge = merge
    self.next = next
    self.control = control
  }

  var isSatisfied: Bool { next.isSatisfied }

  func take(_ batch: RowBatch?, _ bound: Int64?) throws {
    guard !isSatisfied else { return }
    if let batch { try merge.add(batch) }
    if let bound { try drain(upTo: bound) }
  }

  func takeRest() throws { try drain(upTo: nil) }

  private func drain(upTo bound: Int64?) throws {
    try merge.drain(upTo: bound, until: { next.isSatisfied }) { batch in
      try control.check()
      if !next.isSatisfied { try next.consume(batch) }
    }
  }
}

/// Carries a value through a `@Sendable` closure to the thread it came from.
///
/// `@unchecked Sendable` holds because `Workers.run` calls worker 0 on the calling thread and
/// returns only when all workers have ended; no other worker touches `value`.
private struct CallingThreadOnly<Wrapped>: @unchecked Sendable {
  let value: Wrapped
  init(_ value: Wrapped) { self.value = value }
}

/// Counts events over all workers.
final class MatchCounter: Sendable {
  private let total = Atomic<Int>(0)
  func reset() { total.store(0, ordering: .relaxed) }
  func add(_ count: Int) { total.add(count, ordering: .relaxed) }
  var count: Int { total.load(ordering: .relaxed) }
}

extension PlanSegment {
  /// The order of time in which the rows leave the segment, or `nil` if another order is asked for.
  ///
  /// `sort @timestamp desc` is the order events have anyway, `sort @timestamp asc` its reverse.
  func timeOrder(in plan: LogicalPlan) -> ScanRequest.Order? {
    guard let first = sortKeys.first else { return .newestFirst }
    guard sortKeys.allSatisfy({ $0.expression.isEventTime(in: plan) }) else { return nil }
    return first.isDescending ? .newestFirst : .oldestFirst
  }
}

extension BoundExpression {
  /// Whether this is the time of the event itself.
  func isEventTime(in plan: LogicalPlan) -> Bool {
    guard let slot, case .event(.timestamp) = plan.slots[slot].source else { return false }
    return true
  }
}
