/// What the workers of an ingestion produce, brought into the order of the input and into segments.
///
/// One owner at a time: the session keeps it behind a lock.
struct IngestOutput {
  /// A segment is closed at this size, so that later merges move bounded amounts.
  private static let segmentByteCount: UInt64 = 256 << 20
  /// Days that may have an unfinished segment at once; each holds an open file.
  private static let openDays = 32

  private let store: LogStore
  private let logGroup: String
  private let arrivalTime: Int64
  private var writers: [Int64: SegmentWriter] = [:]
  private var finished: [FinishedSegment] = []
  private var memtable = Memtable()
  /// Results that wait for those of earlier blocks.
  private var waiting: [Int: BlockEncoder.Result] = [:]
  private var nextOrdinal = 0
  private(set) var counts = IngestCounts()

  init(store: LogStore, logGroup: String, arrivalTime: Int64) {
    self.store = store
    self.logGroup = logGroup
    self.arrivalTime = arrivalTime
  }

  /// Takes what became of block number `ordinal` and writes all that is in order now.
  ///
  /// - Throws: `StorageError`; the ingestion must then be abandoned.
  mutating func take(
    _ result: BlockEncoder.Result, ordinal: Int, encoder: BlockEncoder
  ) throws {
    waiting[ordinal] = result
    while let next = waiting.removeValue(forKey: nextOrdinal) {
      nextOrdinal += 1
      try write(next, encoder: encoder)
    }
  }

  private mutating func write(_ result: BlockEncoder.Result, encoder: BlockEncoder) throws {
    counts.add(result.scanned)
    for (day, rowGroup) in result.rowGroups { try write(rowGroup, day: day) }
    for (day, rows) in result.strays {
      let full = memtable.add(
        result.scanned, rows: rows, day: day, ingestionTime: arrivalTime)
      for (day, records) in full { try write(encoder.encode(records), day: day) }
    }
  }

  private mutating func write(_ rowGroup: EncodedRowGroup, day: Int64) throws {
    if writers[day] == nil {
      if writers.count >= Self.openDays,
        let largest = writers.max(by: { $0.value.byteCount < $1.value.byteCount })?.key
      {
        try finish(day: largest)
      }
      writers[day] = try store.makeSegmentWriter(logGroup: logGroup)
    }
    // A file may be larger than what is left of the disk; what is kept for deleting must not go for it.
    try store.requireFreeSpace(above: rowGroup.bytes.count)
    try writers[day]!.append(rowGroup)
    if writers[day]!.byteCount >= Self.segmentByteCount { try finish(day: day) }
  }

  private mutating func finish(day: Int64) throws {
    guard let writer = writers.removeValue(forKey: day) else { return }
    finished.append(try writer.finish())
  }

  /// Publishes everything taken so far in one step.
  ///
  /// - Throws: `StorageError`; nothing of it is visible then.
  mutating func publish(encoder: BlockEncoder, bookmark: BookmarkedInput? = nil) throws {
    for (day, records) in memtable.drain() { try write(encoder.encode(records), day: day) }
    for day in writers.keys.sorted() { try finish(day: day) }
    guard !finished.isEmpty || bookmark.map({ $0.before?.offset != $0.after.offset }) ?? false
    else { return }
    counts.storedByteCount += finished.reduce(0) { $0 + $1.byteCount }
    try store.publish(finished, bookmark: bookmark?.after, replacing: bookmark?.before)
    finished = []
  }

  /// Removes what was written and not published.
  mutating func discard() {
    for writer in writers.values { writer.discard() }
    for segment in finished { segment.discard() }
    writers = [:]
    finished = []
    waiting = [:]
  }
}

/// Figures of an ingestion that its blocks give.
package struct IngestCounts: Sendable {
  package var eventCount: UInt64 = 0
  /// Events that are no JSON objects.
  package var textEventCount: UInt64 = 0
  /// Events that got the time of arrival because they hold none.
  package var withoutTimeCount: UInt64 = 0
  package var rawByteCount: UInt64 = 0
  package var storedByteCount: UInt64 = 0
  package var firstTime: Int64?
  package var lastTime: Int64?

  package init() {}

  mutating func add(_ scanned: ScannedBlock) {
    eventCount += UInt64(scanned.times.count)
    withoutTimeCount += UInt64(scanned.recordsWithoutTime)
    for shape in scanned.shapeOfRecord where shape == 0 { textEventCount += 1 }
    for record in scanned.block.records { rawByteCount += UInt64(record.length) }
    for time in scanned.times {
      firstTime = min(firstTime ?? time, time)
      lastTime = max(lastTime ?? time, time)
    }
  }

  mutating func merge(_ other: IngestCounts) {
    eventCount += other.eventCount
    textEventCount += other.textEventCount
    withoutTimeCount += other.withoutTimeCount
    rawByteCount += other.rawByteCount
    storedByteCount += other.storedByteCount
    firstTime = [firstTime, other.firstTime].compactMap { $0 }.min()
    lastTime = [lastTime, other.lastTime].compactMap { $0 }.max()
  }
}
