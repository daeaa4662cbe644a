/// Reads live segments for rewriting and writes their successors: what compaction, deletion of
/// streams and exact retention share.
///
/// Nothing is published that was not compared with its source: inputs must have the SHA-256 that
/// the manifest has recorded, re-encoded row groups are decoded again and must give the same
/// events, and the sums over all events must agree.
struct SegmentRewriter {
  let store: LogStore
  private let scanner = JSONScanner()

  init(store: LogStore) { self.store = store }

  /// A row group of an input segment.
  struct Part {
    var segment: OpenSegment
    var record: SegmentRecord
    var index: Int

    var entry: RowGroupEntry { segment.reader.rowGroups[index] }
  }

  /// Opens a segment after reading all of it against its SHA-256.
  ///
  /// - Throws: `StorageError` (`damaged`).
  func open(_ record: SegmentRecord) throws -> OpenSegment {
    let path = store.names.segment(record.id, group: record.group, day: record.day)
    let file = try store.fileSystem.open(path, .read)
    guard try store.paced({ try SegmentDigest.compute(file) }) == record.digest else {
      throw StorageError(
        .damaged, "\(path): its SHA-256 is not the one recorded; 'varve verify' names the damage")
    }
    return try store.cache.open(record) { _ in }
  }

  /// The events of a row group with their final sequence numbers.
  func records(of part: Part, without lost: LostColumns = []) throws -> RowGroupRecords {
    try store.paced {
      try reader(part.segment.handle(part.index) { _ in }, base: part.record.sequenceBase)
        .records(without: lost)
    }
  }

  /// The streams of a row group with the numbers of their events.
  func streams(of part: Part) throws -> [StreamCount] {
    let names = try part.segment.handle(part.index) { _ in }.table.streams
    if names.count == 1 {
      return [StreamCount(name: names[0], rowCount: UInt64(part.entry.rowCount))]
    }
    return try records(of: part).streamCounts
  }

  private func reader(_ handle: RowGroupHandle, base: UInt64) throws -> EncodedRowGroupReader {
    try EncodedRowGroupReader(
      handle: handle, logGroup: "", ordinal: 0, boundOfRest: nil, window: nil, sequenceBase: base)
  }

  /// Copies a row group as bytes; its sequence numbers get the base of the segment they come from.
  func copy(_ part: Part, to writer: SegmentWriter) throws {
    var entry = part.entry
    entry.sequenceBase &+= part.record.sequenceBase
    try store.paced {
      try writer.append(part.segment.reader.bytes(of: part.entry), entry: entry)
    }
  }

  /// Encodes events, and decodes the result to compare.
  func write(_ records: RowGroupRecords, to writer: SegmentWriter) throws {
    try store.paced { try encode(records, to: writer) }
  }

  private func encode(_ records: RowGroupRecords, to writer: SegmentWriter) throws {
    let encoded = RowGroupEncoder(level: 6).encode(records, scanner: scanner)
    let source = MemoryByteSource(encoded.bytes, name: "re-encoded row group")
    let decoded = try reader(RowGroupHandle(source: source, entry: encoded.entry), base: 0)
      .records()
    guard decoded.describesSameEvents(as: records) else {
      throw StorageError(
        .damaged,
        "rewriting log group '\(writer.logGroup)': a row group of \(records.count) events "
          + "reads back differently; the segments stay as they are")
    }
    try writer.append(encoded.bytes, entry: encoded.entry)
  }

  /// Moves a finished successor to its place and returns its record, which has no base left to add.
  func place(_ segment: FinishedSegment, group: UInt64) throws -> SegmentRecord {
    let record = SegmentRecord(segment, group: group)
    try store.place([segment], [record])
    return record
  }

  /// Removes a placed successor that did not get into the manifest.
  func discard(_ record: SegmentRecord) {
    try? store.fileSystem.unlink(
      store.names.segment(record.id, group: record.group, day: record.day))
  }

  /// Throws unless the segments are still live, exactly as they were read.
  func requireLive(_ records: [SegmentRecord], in state: ManifestState) throws {
    for record in records
    where state.groups[record.group]?.segments[record.id]?.digest != record.digest {
      throw StorageError(
        .busy, "segment \(record.id) was removed while it was being rewritten; nothing was changed")
    }
  }
}

extension RowGroupRecords {
  /// Whether two lists hold the same events in the same order, whatever the numbers of their
  /// streams.
  func describesSameEvents(as other: RowGroupRecords) -> Bool {
    guard bytes == other.bytes, offsets == other.offsets, times == other.times,
      ingestionTimes == other.ingestionTimes, sequences == other.sequences
    else { return false }
    return zip(streamOf, other.streamOf).allSatisfy {
      streams[Int($0)] == other.streams[Int($1)]
    }
  }

  /// The sum over the events of some rows.
  func contentSum(of rows: some Sequence<Int>) -> ContentSum {
    let hashes = streams.map { XXH64.hash(Array($0.utf8)) }
    var sum = ContentSum()
    bytes.withUnsafeBytes { bytes in
      for row in rows {
        let text = Int(offsets[row])..<Int(offsets[row + 1])
        sum.add(
          text: UnsafeRawBufferPointer(rebasing: bytes[text]), time: times[row],
          streamHash: hashes[Int(streamOf[row])])
      }
    }
    return sum
  }
}

/// The SHA-256 of a file, read in pieces.
enum SegmentDigest {
  private static let pieceByteCount = 1 << 20

  static func compute(_ file: any RandomAccessFile) throws -> [UInt8] {
    var digest = SHA256()
    var offset: UInt64 = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceByteCount, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try file.read(at: offset, into: buffer)
      if count == 0 { return digest.digest }
      digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += UInt64(count)
    }
  }
}
