import Columnar
import Synchronization

/// Which segments a request needs, by the manifest alone.
struct ScanPlan {
  /// A segment with what the scan may show of it.
  struct Candidate {
    var segment: SegmentRecord
    var logGroup: String
    /// Event times a query may see: its window and the retention of the group.
    var window: ClosedRange<Int64>?
    /// Events before it are past the retention of the group, ms.
    var cutoff: Int64
    /// Set for events that are in no segment yet; `segment` describes them then.
    var chunk: WriteAheadChunk?

    /// Whether the window leaves all its events, and it has some.
    var isWhole: Bool {
      segment.rowCount > 0
        && (window.map { $0.contains(segment.minTime) && $0.contains(segment.maxTime) } ?? true)
    }
  }

  var request: ScanRequest
  var candidates: [Candidate] = []
  var statistics = ScanStatistics()

  /// - Throws: `StorageError` (`unknownGroup`).
  init(_ request: ScanRequest, _ view: StoreView, now: Int64) throws {
    self.request = request
    let state = view.state
    let groups = try request.logGroups.map { try $0.map { try requireGroup($0, in: state) } }
    var seen: Set<UInt64> = []
    for group in groups ?? Array(state.groups.values) where seen.insert(group.id).inserted {
      add(group, view.logs, now: now)
    }
    statistics.logGroupsScanned = seen.count
    // Nobody knows whose events the damaged parts of a log held.
    statistics.damagedParts += state.faults + view.logs.flatMap(\.damage)
  }

  private mutating func add(
    _ group: ManifestState.GroupState, _ logs: [WriteAheadContents], now: Int64
  ) {
    let oldest = group.cutoff(now: now) ?? .min
    let lower = max(request.window?.lowerBound ?? .min, oldest)
    let upper = request.window?.upperBound ?? .max
    let isOpen = lower == .min && upper == .max
    func consider(_ segment: SegmentRecord, _ chunk: WriteAheadChunk?) {
      if lower > upper || segment.maxTime < lower || segment.minTime > upper {
        statistics.skip(
          segment: segment, segment.maxTime < oldest ? .pastRetention : .outsideWindow)
      } else {
        candidates.append(
          Candidate(
            segment: segment, logGroup: group.name, window: isOpen ? nil : lower...upper,
            cutoff: oldest, chunk: chunk))
      }
    }
    for segment in group.segments.values { consider(segment, nil) }
    for chunk in logs.flatMap({ WriteAheadChunk.chunks(of: $0, group: group.id) }) {
      consider(chunk.record, chunk)
    }
  }
}

/// Hands out the row groups of a snapshot in the order of their times.
///
/// Row groups of different segments overlap in time, so the order is that of a merge. It is made
/// without opening more segments than needed: segments wait, sorted by the bound the manifest knows
/// (newest-first: their newest event), row groups of opened segments wait in a heap sorted by
/// theirs. A segment is opened only when its bound comes before the heap's first row group:
///
///     waiting    C 09:00        heap     A2 12:00  A1 10:00
///                B 11:30
///     next()  →  A2, bound of the rest 11:30; next() opens B, whose row groups join the heap …
///
/// What is left over when a row group is handed out bounds everything that can follow:
/// `boundOfRest`. Choosing happens under a lock; reading tables, judging predicates and reading
/// times happens outside, by the worker.
final class SegmentScan: RowGroupCursor {
  private let request: ScanRequest
  /// What filters over ids can tell of the request's predicates.
  private let questions: [IdentifierQuestion]
  /// Keeps the pin.
  private let snapshot: Snapshot
  private let cache: SegmentCache
  private let progress: Mutex<Progress>
  private let bytesRead = Atomic<Int>(0)

  private struct Progress {
    /// Not yet opened, the next one last.
    var waiting: [(key: Int64, candidate: ScanPlan.Candidate)]
    /// Of opened segments.
    var heap = RowGroupHeap()
    var segments: [Opened] = []
    /// Events that nobody wants to see, by log group.
    var counted: [String: Int] = [:]
    var ordinal = 0
    /// The ordinal that the row group will have of which was told last what will be read.
    var announcedOrdinal = -1
    var statistics: ScanStatistics
    /// Open files of scans that cannot pin.
    var opened: [SegmentID: any RowGroupSource] = [:]
  }

  /// A segment of the scan that was opened.
  private struct Opened {
    var candidate: ScanPlan.Candidate
    var source: any RowGroupSource
  }

  /// A row group chosen for a worker.
  private struct Choice {
    var candidate: ScanPlan.Candidate
    var source: any RowGroupSource
    /// Number of the row group in its segment.
    var index: Int
    var ordinal: Int
    var boundOfRest: Int64?

    var entry: RowGroupEntry { source.rowGroups[index] }
  }

  /// - Parameter isSurvey: whether no column will be read, which leaves what is kept decoded as old as it is.
  init(_ plan: ScanPlan, snapshot: Snapshot, cache: SegmentCache, isSurvey: Bool = false) {
    request = plan.request
    questions = plan.request.predicates.compactMap(IdentifierQuestion.init)
    self.snapshot = snapshot
    self.cache = cache
    if !isSurvey { cache.chunks.beginScan() }
    let order = plan.request.order
    // Ascending ids break ties, so that the order is the same in every run.
    var statistics = plan.statistics
    var counted: [String: Int] = [:]
    let countsByManifest = !isSurvey && Self.countsByManifest(plan)
    let opened = plan.candidates.filter { candidate in
      guard countsByManifest, candidate.isWhole else { return true }
      let segment = candidate.segment
      counted[candidate.logGroup, default: 0] += Int(segment.rowCount)
      statistics.segmentsSkipped += 1
      statistics.rowGroupsSkipped += Int(segment.rowGroupCount)
      statistics.rawBytesScanned += Int(segment.rawByteCount)
      return false
    }
    // Sorted by number: the records of thousands of segments are large.
    let sorted = opened.indices.map { index in
      let segment = opened[index].segment
      return (key: Self.key(segment.minTime, segment.maxTime, order), id: segment.id, index: index)
    }
    .sorted { ($1.key, $1.id) < ($0.key, $0.id) }
    let waiting = sorted.map { (key: $0.key, candidate: opened[$0.index]) }
    progress = Mutex(Progress(waiting: waiting, counted: counted, statistics: statistics))
  }

  /// Whether events are counted by what the manifest says of their segments. A few segments are opened all the
  /// same: that takes no time, and shows when one cannot be read.
  private static func countsByManifest(_ plan: ScanPlan) -> Bool {
    plan.request.needsOnlyCounts && plan.request.predicates.isEmpty
      && plan.candidates.count { $0.isWhole } >= 64
  }

  /// What the order sorts by, ascending: the oldest event, or the newest one turned round (the
  /// complement reverses the order of all 64-bit numbers without overflow).
  private static func key(_ minTime: Int64, _ maxTime: Int64, _ order: ScanRequest.Order) -> Int64 {
    order == .newestFirst ? ~maxTime : minTime
  }

  var statistics: ScanStatistics {
    progress.withLock {
      var statistics = $0.statistics
      statistics.bytesRead = bytesRead.load(ordering: .relaxed)
      return statistics
    }
  }

  func next() throws -> (any RowGroup)? {
    if request.needsOnlyCounts, let rows = progress.withLock({ nextCounted(&$0) }) { return rows }
    while let choice = progress.withLock({ choose(&$0) }) {
      try StopPoint.check()
      if let rowGroup = try undamaged(choice, { try read(choice) }) { return rowGroup }
    }
    return nil
  }

  /// What comes of a row group; `nil`, with the damage noted, where it cannot be read.
  private func undamaged<Result>(
    _ choice: Choice, _ body: () throws -> Result?
  ) throws -> Result? {
    do {
      return try body()
    } catch let error as StorageError where error.code != .cancelled {
      let entry = choice.entry
      noteDamage(
        choice.candidate, rows: UInt64(entry.rowCount), entry.minTime, entry.maxTime, error)
      return nil
    }
  }

  /// Goes through all row groups as `next()` does, and reads their tables only.
  func survey(listsChunks: Bool) throws -> ScanSurvey {
    var survey = ScanSurvey()
    while let choice = progress.withLock({ choose(&$0) }) {
      try StopPoint.check()
      let id = choice.candidate.segment.id
      survey.tables[TableName(segment: id, rowGroup: nil)] = choice.source.openingByteCount
      if let rows = countedRows(choice) {
        survey.eventCount += rows.rowCount
        survey.rawByteCount += Int(choice.entry.rawByteCount)
        continue
      }
      if skipsByDirectory(choice) {
        let likely = Self.likelyRowCount(of: choice.entry, in: choice.candidate.window)
        survey.eventCount += likely
        survey.rawByteCount += Self.rawByteCount(of: choice.entry, visible: likely)
        continue
      }
      survey.tables[TableName(segment: id, rowGroup: choice.index)] =
        choice.source.tableByteCount(choice.index)
      _ = try undamaged(choice) { try add(choice, to: &survey, listsChunks: listsChunks) }
    }
    survey.statistics = statistics
    return survey
  }

  private func add(
    _ choice: Choice, to survey: inout ScanSurvey, listsChunks: Bool
  ) throws -> Bool? {
    let entry = choice.entry
    let visible: Int
    if !listsChunks, request.predicates.isEmpty, isWhole(choice) {
      // Nothing of its table is asked for, which may not have been read yet.
      visible = Int(entry.rowCount)
      noteRead(entry, visible: visible)
      survey.storedByteCount += Int(entry.length)
    } else if let handle = try judged(choice) {
      visible = try visibleRowCount(choice, handle)
      noteRead(entry, visible: visible)
      if visible > 0 {
        survey.storedByteCount += Int(entry.length)
        if listsChunks {
          for chunk in handle.table.chunks {
            survey.chunks[ChunkName(chunk), default: ChunkTotal()].add(chunk)
          }
          for (number, pack) in handle.table.packs.enumerated() {
            survey.chunks[ChunkName(pack: number), default: ChunkTotal()].add(pack)
          }
        }
      }
    } else {
      visible = Self.likelyRowCount(of: entry, in: choice.candidate.window)
    }
    survey.eventCount += visible
    survey.rawByteCount += Self.rawByteCount(of: entry, visible: visible)
    return true
  }

  /// Of a row group whose times are not read: its share of rows by time.
  private static func likelyRowCount(
    of entry: RowGroupEntry, in window: ClosedRange<Int64>?
  ) -> Int {
    guard let window, entry.minTime < entry.maxTime else { return Int(entry.rowCount) }
    let inside = Double(
      min(window.upperBound, entry.maxTime) - max(window.lowerBound, entry.minTime))
    let share = inside / Double(entry.maxTime - entry.minTime)
    return Int(Double(entry.rowCount) * min(1, max(0, share)))
  }

  /// Whether the window leaves all rows of a row group.
  private func isWhole(_ choice: Choice) -> Bool {
    guard let window = choice.candidate.window else { return true }
    return window.contains(choice.entry.minTime) && window.contains(choice.entry.maxTime)
  }

  private func visibleRowCount(_ choice: Choice, _ handle: RowGroupHandle) throws -> Int {
    if isWhole(choice) { return Int(handle.entry.rowCount) }
    return try reader(choice, handle).visibleRows.count
  }

  /// Opens every segment now and keeps it open; `false` when a file has gone.
  func openAll() throws -> Bool {
    try progress.withLock { progress in
      for (_, candidate) in progress.waiting {
        do {
          progress.opened[candidate.segment.id] = try open(candidate)
        } catch let error as StorageError where error.code == .missingFile {
          return false
        } catch is StorageError {
          // Reported when its turn comes.
        }
      }
      return true
    }
  }

  /// Some of the events that need not be read.
  private func nextCounted(_ progress: inout Progress) -> CountedRows? {
    guard let (logGroup, left) = progress.counted.first else { return nil }
    let count = min(left, StorageLimits.rowsPerRowGroup)
    progress.counted[logGroup] = left > count ? left - count : nil
    progress.statistics.rowsScanned += count
    defer { progress.ordinal += 1 }
    return CountedRows(rowCount: count, ordinal: progress.ordinal, logGroup: logGroup)
  }

  // MARK: Choosing

  private func choose(_ progress: inout Progress) -> Choice? {
    while let next = progress.waiting.last,
      progress.heap.first.map({ next.key <= $0.key }) ?? true
    {
      progress.waiting.removeLast()
      openRowGroups(of: next.candidate, &progress)
    }
    guard let item = progress.heap.removeFirst() else { return nil }
    defer { progress.ordinal += 1 }
    let segment = progress.segments[item.segment]
    return Choice(
      candidate: segment.candidate, source: segment.source, index: item.index,
      ordinal: progress.ordinal, boundOfRest: boundOfRest(progress))
  }

  private func boundOfRest(_ progress: Progress) -> Int64? {
    guard request.order != .unspecified else { return nil }
    guard
      let key = [progress.heap.first?.key, progress.waiting.last?.key].compactMap({ $0 }).min()
    else { return nil }
    return request.order == .newestFirst ? ~key : key
  }

  private func open(_ candidate: ScanPlan.Candidate) throws -> any RowGroupSource {
    if let chunk = candidate.chunk { return chunk }
    return try cache.open(candidate.segment) { count($0) }
  }

  private func openRowGroups(of candidate: ScanPlan.Candidate, _ progress: inout Progress) {
    let record = candidate.segment
    do {
      let segment = try progress.opened.removeValue(forKey: record.id) ?? open(candidate)
      progress.statistics.segmentsRead += 1
      if !request.needsOnlyCounts {
        (segment as? OpenSegment)?.willReadTables(
          in: candidate.window, questions, isNewestFirst: request.order == .newestFirst)
      }
      let number = progress.segments.count
      progress.segments.append(Opened(candidate: candidate, source: segment))
      for (index, entry) in segment.rowGroups.enumerated() {
        if let window = candidate.window,
          entry.maxTime < window.lowerBound || entry.minTime > window.upperBound
        {
          progress.statistics.skip(
            entry, entry.maxTime < candidate.cutoff ? .pastRetention : .outsideWindow)
        } else {
          progress.heap.insert(
            RowGroupHeap.Item(
              key: Self.key(entry.minTime, entry.maxTime, request.order),
              tieBreak: tieBreak(entry, record), id: record.id, segment: number, index: index))
        }
      }
    } catch {
      note(
        candidate, rows: record.rowCount, record.minTime, record.maxTime, "\(error)",
        &progress.statistics)
    }
  }

  /// Row groups of equal key come in the order of arrival, or the reverse of it.
  private func tieBreak(_ entry: RowGroupEntry, _ record: SegmentRecord) -> UInt64 {
    let base = entry.sequenceBase &+ record.sequenceBase
    return request.order == .newestFirst
      ? ~(entry.maxSequence &+ base) : entry.minSequence &+ base
  }

  // MARK: Reading

  /// The row group for a worker, or `nil` when nothing in it can match.
  private func read(_ choice: Choice) throws -> (any RowGroup)? {
    if let rows = countedRows(choice) { return rows }
    (choice.source as? OpenSegment)?.fetchNextTable()
    let judged = try judged(choice)
    judged?.willRead(fields: request.fields, inRows: !request.countsValues)
    readAhead()
    guard let handle = judged else { return nil }
    let rowGroup = try reader(choice, handle)
    noteRead(handle.entry, visible: rowGroup.visibleRows.count)
    return rowGroup.visibleRows.isEmpty ? nil : rowGroup
  }

  /// A row group of which only the number of events is asked for, if the window leaves all: its segment's directory
  /// has it.
  private func countedRows(_ choice: Choice) -> CountedRows? {
    let entry = choice.entry
    guard request.needsOnlyCounts, request.predicates.isEmpty, isWhole(choice) else { return nil }
    let count = Int(entry.rowCount)
    noteRead(entry, visible: count)
    return CountedRows(
      rowCount: count, ordinal: choice.ordinal, logGroup: choice.candidate.logGroup)
  }

  /// The row group's table, or `nil` when it says that nothing in it can match.
  private func judged(_ choice: Choice) throws -> RowGroupHandle? {
    if skipsByDirectory(choice) { return nil }
    let handle = try choice.source.handle(choice.index) { count($0) }
    guard let reason = handle.skipReason(request.predicates) else { return handle }
    progress.withLock { $0.statistics.skip(handle.entry, reason) }
    return nil
  }

  /// Whether the directory and a filter say that nothing in the row group can match.
  private func skipsByDirectory(_ choice: Choice) -> Bool {
    guard let reason = choice.source.skipReason(choice.index, questions) else {
      return false
    }
    progress.withLock { $0.statistics.skip(choice.entry, reason) }
    return true
  }

  private func reader(_ choice: Choice, _ handle: RowGroupHandle) throws -> EncodedRowGroupReader {
    let candidate = choice.candidate
    return try EncodedRowGroupReader(
      handle: handle, logGroup: candidate.logGroup, ordinal: choice.ordinal,
      boundOfRest: choice.boundOfRest, window: candidate.window,
      sequenceBase: candidate.segment.sequenceBase, countBytes: { [self] in count($0) })
  }

  private func noteRead(_ entry: RowGroupEntry, visible: Int) {
    progress.withLock { progress in
      guard visible > 0 else { return progress.statistics.skip(entry, .outsideWindow) }
      progress.statistics.rowGroupsRead += 1
      progress.statistics.rowsScanned += visible
      progress.statistics.rawBytesScanned += Self.rawByteCount(of: entry, visible: visible)
    }
  }

  /// Reads the table of a row group that is to come, and has the system fetch what else of it will be needed, while this
  /// one is worked on.
  ///
  /// Other workers are about to draw the row groups next to come and to read their tables themselves, each a row group;
  /// so this is about the first one behind those, and every table is read once.
  private func readAhead() {
    let next = progress.withLock { progress -> (segment: OpenSegment, index: Int)? in
      let distance = request.workers - 1
      guard !request.fields.isEmpty, progress.announcedOrdinal < progress.ordinal + distance,
        let next = progress.heap.item(distance),
        let segment = progress.segments[next.segment].source as? OpenSegment,
        !segment.hasTable(next.index),
        // Whether its table will be read at all tells a filter when its turn comes.
        !segment.filterDecides(next.index, questions)
      else { return nil }
      progress.announcedOrdinal = progress.ordinal + distance
      return (segment, next.index)
    }
    // What is wrong with it is reported when its turn comes.
    guard let next, let handle = try? next.segment.handle(next.index, countBytes: { count($0) }),
      handle.skipReason(request.predicates, readsFilters: false) == nil
    else { return }
    if !handle.willReadFilters(questions) {
      handle.willRead(fields: request.fields, inRows: !request.countsValues)
    }
  }

  /// Bytes of the visible texts; of a row group seen in part, its share by rows.
  private static func rawByteCount(of entry: RowGroupEntry, visible: Int) -> Int {
    if visible == Int(entry.rowCount) { return Int(entry.rawByteCount) }
    let share = Double(visible) / Double(max(1, entry.rowCount))
    return Int(Double(entry.rawByteCount) * share)
  }

  private func count(_ byteCount: Int) {
    bytesRead.wrappingAdd(byteCount, ordering: .relaxed)
  }

  private func noteDamage(
    _ candidate: ScanPlan.Candidate, rows: UInt64, _ minTime: Int64, _ maxTime: Int64,
    _ error: StorageError
  ) {
    progress.withLock {
      note(candidate, rows: rows, minTime, maxTime, error.message, &$0.statistics)
    }
  }

  private func note(
    _ candidate: ScanPlan.Candidate, rows: UInt64, _ minTime: Int64, _ maxTime: Int64,
    _ reason: String, _ statistics: inout ScanStatistics
  ) {
    statistics.damagedParts.append(
      "log group '\(candidate.logGroup)', \(rows) events from \(Day.timeText(minTime)) "
        + "to \(Day.timeText(maxTime)): \(reason)")
  }
}

/// Row groups of opened segments, the one with the smallest key first; a binary heap.
struct RowGroupHeap {
  struct Item {
    var key: Int64
    /// Sorts items of equal key.
    var tieBreak: UInt64
    var id: SegmentID
    /// Number of the segment in the order of opening.
    var segment: Int
    /// Number of the row group in its segment.
    var index: Int

    static func precedes(_ a: Item, _ b: Item) -> Bool {
      if a.key != b.key { return a.key < b.key }
      return (a.tieBreak, a.id, a.index) < (b.tieBreak, b.id, b.index)
    }
  }

  private var items: [Item] = []

  var first: Item? { items.first }

  /// The item that comes out after as many others; `nil` if there is none.
  ///
  /// - Complexity: O(2ⁿ) for small n, no more than O(items · log items): it lies in the first n levels of the heap.
  func item(_ place: Int) -> Item? {
    guard place < items.count else { return nil }
    if place == 0 { return first }
    let levels = place < 20 ? min(items.count, 2 << place) : items.count
    return items.prefix(levels).sorted(by: Item.precedes)[place]
  }

  mutating func insert(_ item: Item) {
    items.append(item)
    var child = items.count - 1
    while child > 0, Item.precedes(items[child], items[(child - 1) / 2]) {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() -> Item? {
    guard let first = items.first, let last = items.popLast() else { return nil }
    if items.isEmpty { return first }
    items[0] = last
    var parent = 0
    while 2 * parent + 1 < items.count {
      var child = 2 * parent + 1
      if child + 1 < items.count, Item.precedes(items[child + 1], items[child]) { child += 1 }
      guard Item.precedes(items[child], items[parent]) else { break }
      items.swapAt(child, parent)
      parent = child
    }
    return first
  }
}
