import Synchronization

/// A segment that was opened, with the tables of its row groups as far as they were needed.
final class OpenSegment: RowGroupSource {
  let reader: SegmentReader
  private let chunks: DecodedChunkCache
  private let handles: Mutex<[RowGroupHandle?]>
  /// Filters over ids that were read, by row group.
  private let filters = Mutex<[Int: IdentifierFilter]>([:])
  /// What is to be fetched soon, the next one last.
  private let fetched = Mutex<[FetchedBytes]>([])

  private struct FetchedBytes {
    var offset: UInt64
    var count: Int
  }

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

  func skipReason(_ index: Int, _ questions: [IdentifierQuestion]) -> SkipReason? {
    if questions.isEmpty { return nil }
    guard let place = reader.rowGroups[index].identifierFilter else { return nil }
    for question in questions where place.decides(question) {
      if question.ids.isEmpty { return .identifierAbsent(question.field) }
      // A damaged filter decides nothing; who reads the row group reports what is wrong with it.
      guard let filter = try? filter(index, place) else { return nil }
      if !question.ids.contains(where: filter.mayHold) { return .identifierAbsent(question.field) }
    }
    return nil
  }

  private func filter(_ index: Int, _ place: IdentifierFilterPlace) throws -> IdentifierFilter {
    if let known = filters.withLock({ $0[index] }) { return known }
    let entry = reader.rowGroups[index]
    let bytes = try reader.source.read(
      at: entry.offset + UInt64(place.offset), count: Int(place.length))
    guard place.check == UInt32(truncatingIfNeeded: XXH64.hash(bytes)) else {
      throw DecodingFailure("a filter whose checksum is another")
    }
    let filter = try bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return try IdentifierFilter(from: &reader)
    }
    // They count with the tables, which bounds what warm engines keep.
    if chunks.limit > 0 { filters.withLock { $0[index] = filter } }
    return filter
  }

  var openingByteCount: Int {
    Int(reader.byteCount - reader.footer.directoryOffset) + SegmentFrame.headerByteCount
      + SegmentFrame.tailByteCount
  }

  func tableByteCount(_ index: Int) -> Int { Int(reader.rowGroups[index].metadataLength) }

  func hasTable(_ index: Int) -> Bool { handles.withLock { $0[index] != nil } }

  /// Tables, or filters, that the system is fetching while one is worked on.
  private static let fetchedAhead = 8

  /// Takes note that of row groups which are not known yet the tables will be read, or the filters, where these decide,
  /// and has the system fetch the first few.
  ///
  /// Telling the system of one takes as long as parsing a quarter of it. So the others are told of one by one as row
  /// groups are drawn, see ``fetchNextTable()``: by whichever worker draws, and not at all if a scan ends before.
  func willReadTables(
    in window: ClosedRange<Int64>?, _ questions: [IdentifierQuestion], isNewestFirst: Bool
  ) {
    let unknown = handles.withLock { handles in handles.indices.filter { handles[$0] == nil } }
    let wanted = unknown.filter { index in
      let entry = reader.rowGroups[index]
      return window.map { entry.minTime <= $0.upperBound && entry.maxTime >= $0.lowerBound } ?? true
    }
    if wanted.count <= 1 { return }
    let known = questions.isEmpty ? [] : filters.withLock { Set($0.keys) }
    let places = wanted.compactMap { index -> FetchedBytes? in
      let entry = reader.rowGroups[index]
      guard filterDecides(index, questions), let place = entry.identifierFilter else {
        return FetchedBytes(
          offset: entry.offset + UInt64(entry.metadataOffset), count: Int(entry.metadataLength))
      }
      if known.contains(index) { return nil }
      return FetchedBytes(offset: entry.offset + UInt64(place.offset), count: Int(place.length))
    }
    // The next one is last.
    fetched.withLock { $0 = isNewestFirst ? places : places.reversed() }
    for _ in 0..<Self.fetchedAhead { fetchNextTable() }
  }

  /// Has the system fetch one more of the tables, or filters, that are still to be read.
  func fetchNextTable() {
    guard let next = fetched.withLock({ $0.popLast() }) else { return }
    reader.source.willRead(at: next.offset, count: next.count)
  }

  /// Whether a filter decides on a predicate before the table is read.
  func filterDecides(_ index: Int, _ questions: [IdentifierQuestion]) -> Bool {
    if questions.isEmpty { return false }
    guard let place = reader.rowGroups[index].identifierFilter else { return false }
    return questions.contains { place.decides($0) }
  }

  /// What it weighs in memory when all tables and filters are loaded, estimated from their stored size.
  var metadataByteCount: Int {
    reader.rowGroups.reduce(4096) {
      $0 + Int($1.metadataLength) + Int($1.identifierFilter?.length ?? 0)
    }
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
