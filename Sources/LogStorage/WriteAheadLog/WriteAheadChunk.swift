/// Where a scan gets row groups from.
protocol RowGroupSource: Sendable {
  /// What is known of its row groups before they are read.
  var rowGroups: [RowGroupEntry] { get }
  /// A row group's table, and where its bytes are.
  ///
  /// - Throws: `StorageError` (`damaged`).
  func handle(_ index: Int, countBytes: (Int) -> Void) throws -> RowGroupHandle
  /// Why no row of a row group can satisfy all of the predicates, if the directory and filters tell without its table.
  func skipReason(_ index: Int, _ questions: [IdentifierQuestion]) -> SkipReason?
  /// Bytes that are read to open it.
  var openingByteCount: Int { get }
  /// Bytes that are read for a row group's table.
  func tableByteCount(_ index: Int) -> Int
}

extension RowGroupSource {
  func skipReason(_ index: Int, _ questions: [IdentifierQuestion]) -> SkipReason? { nil }
}

/// Some records of a write-ahead log that a scan takes for one row group: they are put through the
/// encoder of segments when their turn comes, so that queries know one form of data only.
struct WriteAheadChunk: RowGroupSource {
  let rowGroups: [RowGroupEntry]
  /// What stands for it among segments.
  let record: SegmentRecord
  private let contents: WriteAheadContents
  private let entries: [WriteAheadContents.Entry]

  private init(_ contents: WriteAheadContents, _ entries: [WriteAheadContents.Entry]) {
    self.contents = contents
    self.entries = entries
    let heads = entries.map(\.head)
    let entry = RowGroupEntry(
      length: 0, metadataOffset: 0, metadataLength: 0, check: 0,
      rowCount: UInt32(heads.reduce(0) { $0 + $1.rowCount }),
      rawByteCount: UInt64(heads.reduce(0) { $0 + $1.rawByteCount }),
      minTime: heads.map(\.minTime).min() ?? 0, maxTime: heads.map(\.maxTime).max() ?? 0,
      minIngestTime: heads.map(\.ingestionTime).min() ?? 0,
      maxIngestTime: heads.map(\.ingestionTime).max() ?? 0,
      minSequence: heads.map(\.firstSequence).min() ?? 0,
      maxSequence: heads.map { $0.firstSequence &+ UInt64($0.rowCount) &- 1 }.max() ?? 0,
      contentSum: ContentSum())
    rowGroups = [entry]
    record = SegmentRecord(
      unpublished: SegmentID(high: contents.log.id, low: entries.first?.offset ?? 0),
      group: heads.first?.group ?? 0, entry: entry,
      byteCount: UInt64(entries.reduce(0) { $0 + $1.byteCount }))
  }

  /// The records of a group in pieces that each fit into a row group.
  static func chunks(of contents: WriteAheadContents, group: UInt64) -> [WriteAheadChunk] {
    var chunks: [WriteAheadChunk] = []
    var pending: [WriteAheadContents.Entry] = []
    var rows = 0
    var bytes = 0
    for entry in contents.entries where entry.head.group == group {
      if rows + entry.head.rowCount > StorageLimits.rowsPerRowGroup
        || bytes + entry.head.rawByteCount > StorageLimits.rawBytesPerRowGroup, !pending.isEmpty
      {
        chunks.append(WriteAheadChunk(contents, pending))
        (pending, rows, bytes) = ([], 0, 0)
      }
      pending.append(entry)
      rows += entry.head.rowCount
      bytes += entry.head.rawByteCount
    }
    if !pending.isEmpty { chunks.append(WriteAheadChunk(contents, pending)) }
    return chunks
  }

  var openingByteCount: Int { 0 }

  func tableByteCount(_ index: Int) -> Int { Int(record.byteCount) }

  func handle(_ index: Int, countBytes: (Int) -> Void) throws -> RowGroupHandle {
    var records = RowGroupRecords.empty
    for entry in entries {
      let (head, block) = try contents.block(of: entry)
      countBytes(entry.byteCount)
      records.append(block, ingestionTime: head.ingestionTime)
    }
    let encoded = RowGroupEncoder(compresses: false).encode(records)
    return try RowGroupHandle(
      source: MemoryByteSource(encoded.bytes, name: contents.path), entry: encoded.entry)
  }
}

extension RowGroupRecords {
  /// Appends all records of a block whose times are known.
  mutating func append(_ block: RecordBlock, ingestionTime: Int64) {
    let numbers = block.streams.map { stream -> UInt32 in
      if let known = streams.firstIndex(of: stream) { return UInt32(known) }
      streams.append(stream)
      return UInt32(streams.count - 1)
    }
    for (index, record) in block.records.enumerated() {
      let start = Int(record.offset)
      bytes.append(contentsOf: block.bytes[start..<start + Int(record.length)])
      offsets.append(UInt32(bytes.count))
      times.append(record.time)
      ingestionTimes.append(ingestionTime)
      sequences.append(block.firstRecord + UInt64(index))
      streamOf.append(numbers[Int(record.stream)])
    }
  }
}
