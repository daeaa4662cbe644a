package import Columnar

/// Shows a query one encoded row group: what of it is visible, and its columns, read when they are first asked for.
///
/// Belongs to one worker, which drops it when it is done; what was decoded stays with the handle if the store keeps such
/// things (``DecodedChunkCache``).
package final class EncodedRowGroupReader: RowGroup {
  package let handle: RowGroupHandle
  package let logGroup: String
  package let ordinal: Int
  package let boundOfRest: Int64?
  package private(set) var visibleRows: Range<Int>
  private let sequenceBase: UInt64
  private let countBytes: (@Sendable (Int) -> Void)?
  private let decoder: RowGroupDecoder
  package let trace: ReadTrace?

  /// - Parameters:
  ///   - window: event times that are visible, ms; `nil` for all.
  ///   - sequenceBase: what the manifest adds to the sequence numbers of the segment.
  ///   - countBytes: told the size of every read, from any thread.
  /// - Throws: `StorageError` when the event times are needed for the window and damaged.
  package init(
    handle: RowGroupHandle, logGroup: String, ordinal: Int, boundOfRest: Int64?,
    window: ClosedRange<Int64>?, sequenceBase: UInt64,
    countBytes: (@Sendable (Int) -> Void)? = nil
  ) throws {
    self.handle = handle
    self.logGroup = logGroup
    self.ordinal = ordinal
    self.boundOfRest = boundOfRest
    self.sequenceBase = sequenceBase &+ handle.entry.sequenceBase
    self.countBytes = countBytes
    trace = nil
    decoder = handle.takeDecoder(countBytes: countBytes)
    visibleRows = 0..<handle.table.rowCount
    if let window { visibleRows = try rows(in: window) }
  }

  /// The same rows, read anew.
  private init(
    handle: RowGroupHandle, logGroup: String, ordinal: Int, boundOfRest: Int64?,
    visibleRows: Range<Int>, sequenceBase: UInt64, countBytes: (@Sendable (Int) -> Void)?,
    trace: ReadTrace? = nil
  ) {
    self.handle = handle
    self.logGroup = logGroup
    self.ordinal = ordinal
    self.boundOfRest = boundOfRest
    self.visibleRows = visibleRows
    self.sequenceBase = sequenceBase
    self.countBytes = countBytes
    self.trace = trace
    decoder =
      trace.map { handle.tracedDecoder($0, countBytes: countBytes) }
      ?? handle.takeDecoder(countBytes: countBytes)
  }

  deinit {
    if trace == nil {
      handle.giveBack(decoder)
    } else if let decompressor = decoder.end() {
      DecompressorPool.shared.give(decompressor)
    }
  }

  /// Where decoded columns are not kept, a scan also finds the table unread.
  package func traced(by trace: ReadTrace) throws -> (any RowGroup)? {
    let fresh =
      handle.isOfSegment && !handle.keepsDecoded
      ? try RowGroupHandle(
        source: handle.source, entry: handle.entry, cache: nil, neighbor: handle,
        isOfSegment: true) : handle
    return EncodedRowGroupReader(
      handle: fresh, logGroup: logGroup, ordinal: ordinal, boundOfRest: boundOfRest,
      visibleRows: visibleRows, sequenceBase: sequenceBase, countBytes: countBytes, trace: trace)
  }

  package var again: (@Sendable () throws -> any RowGroup)? {
    guard handle.isOfSegment else { return nil }
    decoder.isWantedAgain = true
    return {
      [handle, logGroup, ordinal, boundOfRest, visibleRows, sequenceBase, countBytes, trace] in
      EncodedRowGroupReader(
        handle: handle, logGroup: logGroup, ordinal: ordinal, boundOfRest: boundOfRest,
        visibleRows: visibleRows, sequenceBase: sequenceBase, countBytes: countBytes, trace: trace)
    }
  }

  package var rowCount: Int { handle.table.rowCount }
  package var rawByteCount: Int { Int(handle.entry.rawByteCount) }
  package var timeRange: ClosedRange<Int64>? {
    handle.entry.minTime <= handle.entry.maxTime
      ? handle.entry.minTime...handle.entry.maxTime : nil
  }

  private func rows(in window: ClosedRange<Int64>) throws -> Range<Int> {
    let entry = handle.entry
    if window.lowerBound <= entry.minTime, entry.maxTime <= window.upperBound {
      return 0..<rowCount
    }
    let times = try timestamps()
    let first = times.partitioningIndex { $0 >= window.lowerBound }
    let end = times.partitioningIndex { $0 > window.upperBound }
    return first..<max(first, end)
  }

  // MARK: What every row has

  package func timestamps() throws -> [Int64] { try decoder.timestamps() }

  package func ingestionTimes() throws -> [Int64] { try decoder.integers(of: .ingestionTime) }

  package func sequenceNumbers(_ rows: SelectionVector?) throws -> [UInt64] {
    let stored = try decoder.integers(of: .sequence)
    guard let rows else { return stored.map { UInt64(bitPattern: $0) &+ sequenceBase } }
    return rows.map { UInt64(bitPattern: stored[Int($0)]) &+ sequenceBase }
  }

  package func streams() throws -> ColumnVector {
    let names = handle.table.streams
    let codes = try decoder.codes(of: .streamCodes, cardinality: names.count)
    if names.count == 1 { return .constant(.string(names[0]), count: rowCount) }
    return .dictionary(DictionaryVector(codes: codes, entries: .values(names.map(Value.string))))
  }

  func shapeCodes() throws -> [UInt16] { try decoder.shapeCodes() }

  /// A column chunk, decoded.
  func columnData(_ index: Int) throws -> ColumnData { try decoder.columnData(index) }

  package func messages(_ rows: SelectionVector?) throws -> StringVector {
    try decoder.messages(rows)
  }

  package func willReadMessages(_ rows: SelectionVector) throws {
    try decoder.willReadMessages(rows)
  }

  package func recordParts() throws -> RecordParts? { try RecordParts(decoder) }

  // MARK: Fields

  package func mayHave(_ field: String) -> Bool { handle.mayHave(field) }

  package func mayMatch(_ predicate: FieldPredicate) -> Bool { handle.mayMatch(predicate) }

  package func column(_ field: String, rows: SelectionVector?) throws -> ColumnVector {
    try decoder.field(field, rows: rows)
  }

  package func counts(of field: String) throws -> [CountedValues]? {
    try decoder.counts(of: field)
  }

  package func placedValues(of field: String) throws -> PlacedValues? {
    try decoder.placedValues(of: field)
  }

  package func search(
    _ field: String, for literals: [ByteSearch], rows: SelectionVector?
  ) throws -> Bitmap? {
    guard literals.allSatisfy({ !$0.pattern.isEmpty }),
      let found = try decoder.search(field, for: literals)
    else { return nil }
    return rows.map { found.gather($0) } ?? found
  }

  package func find(
    _ field: String, equal text: [UInt8], rows: SelectionVector?
  ) throws -> Bitmap? {
    guard let found = try decoder.find(field, equal: text) else { return nil }
    return rows.map { found.gather($0) } ?? found
  }

  package func presence(of field: String, rows: SelectionVector?) throws -> Bitmap {
    let present = try decoder.presence(of: field)
    return rows.map { present.gather($0) } ?? present
  }

  package func searchMessages(
    for literals: [ByteSearch], rows: SelectionVector?
  ) throws -> Bitmap? {
    guard literals.allSatisfy({ !$0.pattern.isEmpty }) else { return nil }
    // Few texts are sooner put together than all columns searched.
    if let rows, rows.count * 16 < rowCount { return nil }
    var found = Bitmap(repeating: false, count: rowCount)
    for literal in literals {
      found.formUnion(try MessageSearch(search: literal, decoder: decoder).matches())
    }
    return rows.map { found.gather($0) } ?? found
  }

  package func discoveredFields() throws -> [(name: String, rowCount: Int)] {
    try FieldDiscovery(table: handle.table).fields(
      shapeCodes: try shapeCodes(), messages: { try messages($0) })
  }

  /// Bytes of the chunks of each field, by its display path. Identifiers that several fields share lie in
  /// pools and are no field's.
  package func storedByteCounts() -> [String: Int] {
    var counts: [String: Int] = [:]
    for (chunk, byteCount) in zip(handle.table.chunks, handle.table.storedByteCounts())
    where chunk.role == .column && chunk.kind != .text {
      counts[chunk.path, default: 0] += byteCount
    }
    return counts
  }

  // MARK: Everything

  /// The events as they were accepted, for rewriting them.
  ///
  /// - Parameter lost: what is not read but put in from what the directory says of it.
  package func records(without lost: LostColumns = []) throws -> RowGroupRecords {
    let texts = try messages(nil)
    let names = handle.table.streams
    let entry = handle.entry
    return RowGroupRecords(
      bytes: texts.bytes, offsets: texts.offsets, times: try timestamps(),
      ingestionTimes: lost.contains(.arrival)
        ? [Int64](repeating: entry.minIngestTime, count: rowCount) : try ingestionTimes(),
      sequences: lost.contains(.order)
        ? (0..<UInt64(rowCount)).map { entry.minSequence &+ $0 &+ sequenceBase }
        : try sequenceNumbers(), streams: names,
      streamOf: try decoder.codes(of: .streamCodes, cardinality: names.count).map { UInt32($0) })
  }
}

/// Columns that events can do without.
package struct LostColumns: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  /// Times of arrival; the earliest of the row group stands in for all.
  package static let arrival = LostColumns(rawValue: 1)
  /// Sequence numbers; those of the row group are given out in the order of its rows.
  package static let order = LostColumns(rawValue: 2)
}

extension Array {
  /// Index of the first element for which the condition holds, in an array where it holds for all
  /// that follow one for which it does.
  ///
  /// - Complexity: O(log count)
  func partitioningIndex(where condition: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if condition(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
