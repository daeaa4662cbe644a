/// Events of days that have too few of them for a row group of their own, until they have enough.
///
/// A block of input usually falls into one day and becomes a row group at once. Where days mix — an
/// archive of stragglers, a file sorted by something else — each day's events wait here as
/// plain texts. A day leaves when it fills a row group; when all together exceed the budget, the largest leaves.
struct Memtable: Sendable {
  /// Bytes of texts held in all before the largest day is flushed.
  static let budget = 96 << 20

  private var days: [Int64: RowGroupRecords] = [:]
  private(set) var byteCount = 0

  var isEmpty: Bool { days.isEmpty }

  /// Adds the events numbered `rows` of a scanned block to a day.
  ///
  /// - Returns: days to be encoded now.
  mutating func add(
    _ scanned: ScannedBlock, rows: [UInt32], day: Int64, ingestionTime: Int64
  ) -> [(day: Int64, records: RowGroupRecords)] {
    var pending = days.removeValue(forKey: day) ?? RowGroupRecords.empty
    byteCount -= pending.bytes.count
    var full: [(day: Int64, records: RowGroupRecords)] = []
    for row in rows {
      pending.append(scanned, record: Int(row), ingestionTime: ingestionTime)
      if pending.count == StorageLimits.rowsPerRowGroup
        || pending.bytes.count >= StorageLimits.rawBytesPerRowGroup
      {
        full.append((day, pending))
        // The next row group will be like this one: memory that grows by doubling is fetched twice.
        let byteCount = pending.bytes.count
        pending = .empty
        pending.bytes.reserveCapacity(byteCount + byteCount / 8)
      }
    }
    if pending.count > 0 {
      byteCount += pending.bytes.count
      days[day] = pending
    }
    while byteCount > Self.budget,
      let largest = days.max(by: { $0.value.bytes.count < $1.value.bytes.count })
    {
      days[largest.key] = nil
      byteCount -= largest.value.bytes.count
      full.append((largest.key, largest.value))
    }
    return full
  }

  /// Takes all days out, oldest first.
  mutating func drain() -> [(day: Int64, records: RowGroupRecords)] {
    defer {
      days = [:]
      byteCount = 0
    }
    return days.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

extension RowGroupRecords {
  static let empty = RowGroupRecords(
    bytes: [], offsets: [0], times: [], ingestionTimes: [], sequences: [], streams: [],
    streamOf: [])

  fileprivate mutating func append(
    _ scanned: ScannedBlock, record: Int, ingestionTime: Int64
  ) {
    let reference = scanned.block.records[record]
    bytes.append(
      contentsOf: scanned.block.bytes[
        Int(reference.offset)..<Int(reference.offset) + Int(reference.length)])
    offsets.append(UInt32(bytes.count))
    times.append(scanned.times[record])
    ingestionTimes.append(ingestionTime)
    sequences.append(scanned.block.firstRecord + UInt64(record))
    let stream = scanned.block.streams[Int(reference.stream)]
    if let known = streams.firstIndex(of: stream) {
      streamOf.append(UInt32(known))
    } else {
      streamOf.append(UInt32(streams.count))
      streams.append(stream)
    }
  }

  /// The records as a block for the scanner; their times are given.
  func block() -> RecordBlock {
    var padded: [UInt8] = []
    padded.reserveCapacity(bytes.count + RecordBlock.padding)
    padded.append(contentsOf: bytes)
    padded.append(contentsOf: repeatElement(0, count: RecordBlock.padding))
    let references = (0..<count).map { i in
      RecordReference(
        offset: offsets[i], length: offsets[i + 1] - offsets[i], time: times[i],
        stream: streamOf[i])
    }
    return RecordBlock(
      bytes: padded, byteCount: bytes.count, records: references, streams: streams, firstRecord: 0)
  }
}
