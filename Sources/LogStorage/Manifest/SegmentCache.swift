import Synchronization

/// A segment that was opened, with the tables of its row groups as far as they were needed.
final class OpenSegment: RowGroupSource {
  let reader: SegmentReader
  private let chunks: DecodedChunkCache
  private let handles: Mutex<[RowGroupHandle?]>

  init(_ reader: SegmentReader, chunks: DecodedChunkCache) {
    self.reader = reader
    self.chunks = chunks
    handles = Mutex([RowGroupHandle?](repeating: nil, count: reader.rowGroups.count))
  }

  var rowGroups: [RowGroupEntry] { reader.rowGroups }

  /// The row group's table; read and parsed at most once, but for races that do it twice.
  ///
  /// - Throws: `StorageError` (`damaged`).
  func handle(_ index: Int, countBytes: (Int) -> Void) throws -> RowGroupHandle {
    let (known, neighbor) = handles.withLock { handles in
      (handles[index], handles[index] == nil ? handles.first { $0 != nil } ?? nil : nil)
    }
    if let known { return known }
    let entry = reader.rowGroups[index]
    let made = try RowGroupHandle(
      source: reader.source, entry: entry, cache: chunks, neighbor: neighbor)
    countBytes(Int(entry.metadataLength))
    handles.withLock { $0[index] = made }
    return made
  }

  var openingByteCount: Int {
    Int(reader.byteCount - reader.footer.directoryOffset) + SegmentFrame.headerByteCount
      + SegmentFrame.tailByteCount
  }

  func tableByteCount(_ index: Int) -> Int { Int(reader.rowGroups[index].metadataLength) }

  func hasTable(_ index: Int) -> Bool { handles.withLock { $0[index] != nil } }

  /// Row groups whose tables are fetched together.
  private static let tablesFetched = 64

  /// Says that tables which are not known yet will be read.
  func willReadTables(in window: ClosedRange<Int64>?) {
    let unknown = handles.withLock { handles in handles.indices.filter { handles[$0] == nil } }
    let wanted = unknown.filter { index in
      let entry = reader.rowGroups[index]
      return window.map { entry.minTime <= $0.upperBound && entry.maxTime >= $0.lowerBound } ?? true
    }
    if wanted.count > 1 { reader.willReadTables(of: wanted.suffix(Self.tablesFetched)) }
  }

  /// What it weighs in memory when all tables are loaded, estimated from their stored size.
  var metadataByteCount: Int {
    reader.rowGroups.reduce(4096) { $0 + Int($1.metadataLength) }
  }
}

/// Open segments of a store, kept so that a warm engine neither opens files nor parses tables
/// again.
///
/// Bounded in open files and in stored bytes of tables; those unused for longest go first.
final class SegmentCache: Sendable {
  private static let maximumSegments = 256
  private static let maximumMetadataByteCount = 16 << 20

  /// What the row groups of the open segments keep decoded.
  let chunks: DecodedChunkCache
  private let names: FileNames
  private let fileSystem: any FileSystem
  private let contents = Mutex(Contents())

  private struct Contents {
    var segments: [SegmentID: Entry] = [:]
    var metadataByteCount = 0
    var time: UInt64 = 0
    /// The newest state that `keep` was told.
    var generation: UInt64 = 0
  }

  private struct Entry {
    var segment: OpenSegment
    var lastUse: UInt64
  }

  /// - Parameter decodedByteCount: bytes of decoded chunks that are kept between scans.
  init(names: FileNames, fileSystem: any FileSystem, decodedByteCount: Int) {
    self.names = names
    self.fileSystem = fileSystem
    chunks = DecodedChunkCache(limit: decodedByteCount)
  }

  /// Opens a segment, or returns it when it is open.
  ///
  /// - Throws: `StorageError`: `missingFile`, `damaged` also when the file is not the one the
  /// manifest
  ///   describes, `unknownVersion`.
  func open(_ record: SegmentRecord, countBytes: (Int) -> Void) throws -> OpenSegment {
    if let known = use(record.id) { return known }
    let path = names.segment(record.id, group: record.group, day: record.day)
    let reader = try SegmentReader(path: path, fileSystem: fileSystem)
    guard reader.id == record.id, reader.byteCount == record.byteCount,
      reader.footer.rowCount == record.rowCount,
      reader.footer.contentSum == record.contentSum
    else {
      throw StorageError(
        .damaged,
        "\(path): is not the segment that the manifest describes "
          + "(\(reader.byteCount) bytes, recorded \(record.byteCount))")
    }
    let segment = OpenSegment(reader, chunks: chunks)
    countBytes(segment.openingByteCount)
    insert(segment, record.id)
    return segment
  }

  /// Closes segments that the newest state no longer has, so that the disk gets their space back.
  /// Scans under way keep what they hold.
  func keep(only state: ManifestState) {
    contents.withLock { contents in
      guard contents.generation < state.generation else { return }
      contents.generation = state.generation
      for (id, entry) in contents.segments where !state.isLive(id) {
        contents.segments[id] = nil
        contents.metadataByteCount -= entry.segment.metadataByteCount
      }
    }
  }

  /// Whether a segment is kept open.
  func isOpen(_ id: SegmentID) -> Bool { contents.withLock { $0.segments[id] != nil } }

  private func use(_ id: SegmentID) -> OpenSegment? {
    contents.withLock { contents in
      guard var entry = contents.segments[id] else { return nil }
      contents.time += 1
      entry.lastUse = contents.time
      contents.segments[id] = entry
      return entry.segment
    }
  }

  private func insert(_ segment: OpenSegment, _ id: SegmentID) {
    contents.withLock { contents in
      contents.time += 1
      if contents.segments[id] == nil { contents.metadataByteCount += segment.metadataByteCount }
      contents.segments[id] = Entry(segment: segment, lastUse: contents.time)
      while contents.segments.count > Self.maximumSegments
        || contents.metadataByteCount > Self.maximumMetadataByteCount
      {
        guard contents.segments.count > 1,
          let oldest = contents.segments.min(by: { $0.value.lastUse < $1.value.lastUse })
        else { return }
        contents.segments[oldest.key] = nil
        contents.metadataByteCount -= oldest.value.segment.metadataByteCount
      }
    }
  }
}
