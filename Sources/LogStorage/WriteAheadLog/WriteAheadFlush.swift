/// Turns the events of a write-ahead log into segments, and puts these into the log's place.
///
/// Events gather in a memtable for each log group; full row groups go into the unfinished segment of
/// their day as they come, the rest when the log is exchanged. One owner.
struct WriteAheadFlush {
  private struct Key: Hashable, Comparable {
    var group: UInt64
    var day: Int64

    static func < (a: Key, b: Key) -> Bool { (a.group, a.day) < (b.group, b.day) }
  }

  /// Days that may have an unfinished segment at once; each holds an open file.
  private static let openSegments = 64

  private let store: LogStore
  private let scanner = JSONScanner()
  private let encoder = RowGroupEncoder()
  private var tables: [UInt64: Memtable] = [:]
  private var groupNames: [UInt64: String] = [:]
  private var writers: [Key: SegmentWriter] = [:]
  private var finished: [(group: UInt64, segment: FinishedSegment)] = []
  private(set) var counts = IngestCounts()

  init(store: LogStore) { self.store = store }

  /// Takes the events of a record.
  ///
  /// - Parameter scanned: with the sequence number of the first event as its `firstRecord`.
  /// - Throws: `StorageError`; the events are still in their log then.
  mutating func add(
    _ scanned: ScannedBlock, group: UInt64, name: String, ingestionTime: Int64
  ) throws {
    counts.add(scanned)
    groupNames[group] = name
    let order = BlockEncoder.timeOrder(scanned.times)
    for part in BlockEncoder.days(order, times: scanned.times) {
      // In the order of arrival, as the numbers of the events ascend.
      let rows = order[part.rows].sorted()
      let full = tables[group, default: Memtable()].add(
        scanned, rows: rows, day: part.day, ingestionTime: ingestionTime)
      for (day, records) in full { try write(records, Key(group: group, day: day)) }
    }
  }

  /// Takes the events of a record read from a log.
  mutating func add(
    _ block: RecordBlock, head: WriteAheadRecord.Head, name: String
  ) throws {
    try add(
      scanner.scan(block, arrivalTime: head.ingestionTime), group: head.group, name: name,
      ingestionTime: head.ingestionTime)
  }

  private mutating func write(_ records: RowGroupRecords, _ key: Key) throws {
    if writers[key] == nil {
      if writers.count >= Self.openSegments,
        let largest = writers.max(by: { $0.value.byteCount < $1.value.byteCount })?.key
      {
        try finish(largest)
      }
      // These events were accepted already: the reserve of a full disk is for them too.
      writers[key] = try store.makeSegmentWriter(named: groupNames[key.group] ?? "")
    }
    try writers[key]!.append(encoder.encode(records, scanner: scanner))
  }

  private mutating func finish(_ key: Key) throws {
    guard let writer = writers.removeValue(forKey: key) else { return }
    finished.append((key.group, try writer.finish()))
  }

  /// Publishes everything taken so far, forgets the logs that it came from and opens new ones, all in
  /// one record of the manifest.
  ///
  /// - Returns: what the manifest says of the logs opened.
  /// - Throws: `StorageError`; nothing has changed then.
  mutating func exchange(
    _ old: [UInt64], for new: [UInt64]
  ) throws -> [UInt64: WriteAheadLogRecord] {
    for (group, table) in tables.sorted(by: { $0.key < $1.key }) {
      var table = table
      for (day, records) in table.drain() { try write(records, Key(group: group, day: day)) }
    }
    tables = [:]
    for key in writers.keys.sorted() { try finish(key) }
    let opened = try store.exchange(finished, forget: old, open: new)
    counts.storedByteCount += finished.reduce(0) { $0 + $1.segment.byteCount }
    finished = []
    return opened
  }

  /// Removes what was written and not published.
  mutating func discard() {
    for writer in writers.values { writer.discard() }
    for (_, segment) in finished { segment.discard() }
    writers = [:]
    finished = []
    tables = [:]
  }
}

extension LogStore {
  /// Makes segments part of the store in the place of the logs that held their events, in one record:
  /// every event is reachable before and after it, and never twice.
  ///
  /// Segments of groups that were deleted meanwhile are dropped, as the events in the log were. The
  /// segments' sequence numbers are those that the logs gave, so no base is added.
  fileprivate func exchange(
    _ segments: [(group: UInt64, segment: FinishedSegment)], forget old: [UInt64],
    open new: [UInt64]
  ) throws -> [UInt64: WriteAheadLogRecord] {
    let groups = try manifest.refresh().groups
    let live = segments.filter { groups[$0.group] != nil }
    for (group, segment) in segments where groups[group] == nil { segment.discard() }
    let records = live.map { SegmentRecord($0.segment, group: $0.group) }
    try place(live.map(\.segment), records)
    // The locks of the files must outlive the append, or the collector could take them for orphans.
    defer { withExtendedLifetime(segments) {} }
    let now = options.clock.now()
    let state = try manifest.append { state in
      for log in old where state.writeAheadLogs[log] == nil {
        throw StorageError(
          .busy, "\(names.writeAheadLog(log)): another process has published this log")
      }
      var actions = records.filter { state.groups[$0.group] != nil }
        .map { ManifestAction.segmentAdded($0) }
      actions += old.map { .writeAheadLogForgotten(id: $0) }
      actions += new.enumerated().map { index, id in
        .writeAheadLogOpened(
          WriteAheadLogRecord(
            id: id,
            firstSequence: state.nextSequence + UInt64(index) * WriteAheadFile.sequenceCount,
            sequenceCount: WriteAheadFile.sequenceCount, created: now))
      }
      if !new.isEmpty {
        let next = state.nextSequence + UInt64(new.count) * WriteAheadFile.sequenceCount
        actions.append(.countersSet(nextSequence: next, nextGroup: state.nextGroup))
      }
      return actions
    }
    return state.writeAheadLogs.filter { new.contains($0.key) }
  }
}
