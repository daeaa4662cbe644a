package import Columnar

/// Reads the columns of one encoded row group, each when it is first asked for.
///
/// Belongs to one worker. Chunks are read with one positioned read each, checked against their checksum,
/// decoded once and kept until the reader is dropped.
package final class EncodedRowGroupReader: RowGroup, ColumnSurroundings {
  package let handle: RowGroupHandle
  package let logGroup: String
  package let ordinal: Int
  package let boundOfRest: Int64?
  package private(set) var visibleRows: Range<Int>
  private let sequenceBase: UInt64
  private let countBytes: (@Sendable (Int) -> Void)?
  private let decompressor = DecompressorPool.shared.take()

  private var cachedTimes: [Int64]?
  private var cachedShapeCodes: [UInt16]?
  private var cachedColumns: [Int: ColumnData] = [:]
  private var cachedPieces: [ShapePieces]?
  private var cachedPools: [Int: [UInt8]] = [:]
  private var cachedRows: [Int: [UInt32]] = [:]
  private var cachedPositions: [Int: [UInt32]] = [:]
  /// Columns on the way to which another one is being read.
  private var columnsBeingRead: Set<Int> = []

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
    visibleRows = 0..<handle.table.rowCount
    if let window { visibleRows = try rows(in: window) }
  }

  deinit { DecompressorPool.shared.give(decompressor) }

  package var rowCount: Int { handle.table.rowCount }
  package var rawByteCount: Int { Int(handle.entry.rawByteCount) }

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

  package func timestamps() throws -> [Int64] {
    if let cachedTimes { return cachedTimes }
    let times = try integers(of: .eventTime)
    cachedTimes = times
    return times
  }

  package func ingestionTimes() throws -> [Int64] { try integers(of: .ingestionTime) }

  package func sequenceNumbers() throws -> [UInt64] {
    try integers(of: .sequence).map { UInt64(bitPattern: $0) &+ sequenceBase }
  }

  package func streams() throws -> ColumnVector {
    let names = handle.table.streams
    let codes = try codes(of: .streamCodes, cardinality: names.count)
    if names.count == 1 { return .constant(.string(names[0]), count: rowCount) }
    return .dictionary(DictionaryVector(codes: codes, entries: .values(names.map(Value.string))))
  }

  func shapeCodes() throws -> [UInt16] {
    if let cachedShapeCodes { return cachedShapeCodes }
    let codes = try codes(of: .shapeCodes, cardinality: handle.table.shapes.count)
    var counts = [Int](repeating: 0, count: handle.table.shapes.count)
    for code in codes { counts[Int(code)] += 1 }
    guard zip(counts, handle.table.shapes).allSatisfy({ $0 == $1.rowCount }) else {
      throw damage(column: "shapes", "its codes do not add up to the table's counts")
    }
    cachedShapeCodes = codes
    return codes
  }

  private func integers(of role: RowGroupTable.Role) throws -> [Int64] {
    let index = try handle.chunk(of: role)
    return try decoding(index) { bytes in
      var reader = ByteReader(bytes)
      return try IntegerStream.decode(&reader, count: rowCount, decompressor: decompressor)
    }
  }

  private func codes(of role: RowGroupTable.Role, cardinality: Int) throws -> [UInt16] {
    let index = try handle.chunk(of: role)
    return try decoding(index) { bytes in
      var reader = ByteReader(bytes)
      let stored = try reader.count(limit: 65_536)
      guard stored == cardinality else {
        throw DecodingFailure("codes of \(stored) values where \(cardinality) are known")
      }
      return try CodeStream.decode(
        &reader, count: rowCount, cardinality: cardinality, decompressor: decompressor)
    }
  }

  // MARK: Chunks

  /// Reads and checks a chunk's bytes and decodes them; names the column if that fails.
  private func decoding<T>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
    let chunk = handle.table.chunks[index]
    let name = chunk.role == .column ? "column '\(chunk.path)'" : "\(chunk.role)"
    let bytes = try handle.source.read(
      at: handle.entry.offset + UInt64(chunk.offset), count: chunk.length)
    countBytes?(bytes.count)
    do {
      return try bytes.withUnsafeBytes { bytes in
        let check = UInt32(truncatingIfNeeded: XXH64.hash(bytes))
        guard check == chunk.check else {
          throw DecodingFailure(
            "checksum \(String(check, radix: 16)) where \(String(chunk.check, radix: 16)) is recorded"
          )
        }
        return try body(bytes)
      }
    } catch let failure as DecodingFailure {
      throw damage(column: name, failure.reason)
    }
  }

  private func damage(column: String, _ what: String) -> StorageError {
    RowGroupHandle.damage(handle.source, handle.entry, "\(column): \(what)")
  }

  /// A column chunk, decoded.
  func columnData(_ index: Int) throws -> ColumnData {
    if let known = cachedColumns[index] { return known }
    let chunk = handle.table.chunks[index]
    guard let encoding = chunk.encoding else {
      throw damage(column: "column '\(chunk.path)'", "its encoding is not known to this version")
    }
    guard !columnsBeingRead.contains(index) else {
      throw damage(column: "column '\(chunk.path)'", "it refers to itself")
    }
    columnsBeingRead.insert(index)
    defer { columnsBeingRead.remove(index) }
    let context = ColumnContext(decompressor: decompressor, surroundings: self) {
      [unowned self] in try rows(ofColumn: index)
    }
    let data = try decoding(index) { bytes in
      try ColumnDecoder.decode(
        bytes, encoding: encoding, count: chunk.valueCount, context: context)
    }
    cachedColumns[index] = data
    return data
  }

  /// The packed identifiers of a width, read once.
  func identifierPool(width: Int) throws -> [UInt8] {
    if let known = cachedPools[width] { return known }
    let chunks = handle.table.chunks
    guard
      let index = chunks.firstIndex(where: {
        $0.role == .identifierPool && Int($0.instance) == width
      })
    else {
      throw DecodingFailure("it refers to identifiers of \(width) bytes, which are not there")
    }
    let pool = try decoding(index) { Array($0) }
    guard pool.count == chunks[index].valueCount * width else {
      throw DecodingFailure("a pool of the wrong size")
    }
    cachedPools[width] = pool
    return pool
  }

  /// The rows whose shapes have the column; `nil` for all.
  private func rows(ofColumn index: Int) throws -> [UInt32]? {
    if handle.table.chunks[index].valueCount == rowCount { return nil }
    if let known = cachedRows[index] { return known }
    let has = handle.table.shapes.map { $0.columns.contains(index) }
    var rows: [UInt32] = []
    rows.reserveCapacity(handle.table.chunks[index].valueCount)
    for (row, code) in try shapeCodes().enumerated() where has[Int(code)] {
      rows.append(UInt32(truncatingIfNeeded: row))
    }
    cachedRows[index] = rows
    return rows
  }

  /// For each row, where its value stands in a column, `.max` for none; `nil` if every row has one.
  private func positions(inColumn index: Int) throws -> [UInt32]? {
    guard let rows = try rows(ofColumn: index) else { return nil }
    if let known = cachedPositions[index] { return known }
    var positions = [UInt32](repeating: .max, count: rowCount)
    for (position, row) in rows.enumerated() {
      positions[Int(row)] = UInt32(truncatingIfNeeded: position)
    }
    cachedPositions[index] = positions
    return positions
  }

  /// - Throws: `StorageError` if the column is damaged, `DecodingFailure` if some row does not have it.
  func reference(to chunk: Int, rows: [UInt32]) throws -> ColumnReference {
    guard handle.table.chunks.indices.contains(chunk), handle.table.chunks[chunk].role == .column
    else { throw DecodingFailure("a reference to chunk \(chunk), which is no column") }
    let data = try columnData(chunk)
    guard let positions = try positions(inColumn: chunk) else {
      return ColumnReference(column: [data], positions: rows)
    }
    let found = rows.map { positions[Int($0)] }
    guard !found.contains(.max) else {
      throw DecodingFailure("a reference to a value that some row does not have")
    }
    return ColumnReference(column: [data], positions: found)
  }

  // MARK: Texts

  package func messages(_ rows: SelectionVector?) throws -> StringVector {
    let assembly = MessageAssembly(
      table: handle.table, shapeCodes: try shapeCodes(), pieces: try shapePieces())
    return try assembly.messages(
      rows: rows ?? (0..<UInt32(rowCount)).map { $0 }, column: { try columnData($0) })
  }

  private func shapePieces() throws -> [ShapePieces] {
    if let cachedPieces { return cachedPieces }
    let index = try handle.chunk(of: .shapeTexts)
    let shapes = handle.table.shapes
    let pieces = try decoding(index) { bytes in
      var reader = ByteReader(bytes)
      let lengths = try IntegerStream.decode(
        &reader, count: shapes.count, decompressor: decompressor)
      guard lengths.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
        throw DecodingFailure("a shape of impossible length")
      }
      let total = lengths.reduce(0, &+)
      let text = try reader.stream(limit: Int(total), decompressor: decompressor)
      guard text.count == total else { throw DecodingFailure("texts of the wrong size") }
      var start = 0
      return try zip(lengths, shapes).map { length, shape in
        defer { start += Int(length) }
        let pieces = ShapePieces(key: text[start..<start + Int(length)])
        guard shape.rowCount == 0 || pieces.slotCount == shape.columns.count else {
          throw DecodingFailure("a shape whose slots do not fit its columns")
        }
        return pieces
      }
    }
    cachedPieces = pieces
    return pieces
  }

  // MARK: Fields

  package func mayHave(_ field: String) -> Bool { handle.mayHave(field) }

  package func mayMatch(_ predicate: FieldPredicate) -> Bool { handle.mayMatch(predicate) }

  package func column(_ field: String, rows: SelectionVector?) throws -> ColumnVector {
    let resolution = handle.resolution(of: field)
    let count = rows?.count ?? rowCount
    if resolution.isAbsent || count == 0 { return .missing(count: count) }
    let reading = FieldReading(
      field: field, resolution: resolution, table: handle.table, shapeCodes: try shapeCodes(),
      rows: rows)
    return try reading.vector(column: { try columnData($0) }, messages: { try messages($0) })
  }

  package func search(
    _ field: String, for literal: ByteSearch, rows: SelectionVector?
  ) throws -> FieldSearchResult? {
    let resolution = handle.resolution(of: field)
    guard !resolution.hasStructures, !resolution.hasTexts, resolution.chunks.count == 1,
      !literal.pattern.isEmpty, !literal.ignoringCase
    else { return nil }
    let chunk = resolution.chunks[0]
    guard handle.table.chunks[chunk].kind == .string,
      handle.table.chunks[chunk].encoding == .templates,
      case .templates(let run) = try columnData(chunk)
    else { return nil }
    let search = TemplateSearch(
      search: literal, run: run, hasEscapes: handle.table.chunks[chunk].hasEscapes)
    do {
      let matches = try search.matches()
      let reading = FieldReading(
        field: field, resolution: resolution, table: handle.table, shapeCodes: try shapeCodes(),
        rows: rows)
      return reading.spread(matches, of: chunk)
    } catch let failure as DecodingFailure {
      throw damage(column: "column '\(handle.table.chunks[chunk].path)'", failure.reason)
    }
  }

  package func discoveredFields() throws -> [(name: String, rowCount: Int)] {
    try FieldDiscovery(table: handle.table).fields(
      shapeCodes: try shapeCodes(), messages: { try messages($0) })
  }

  /// Bytes of the chunks of each field, by its display path. Identifiers that several fields share lie in
  /// pools and are no field's.
  package func storedByteCounts() -> [String: Int] {
    var counts: [String: Int] = [:]
    for chunk in handle.table.chunks where chunk.role == .column && chunk.kind != .text {
      counts[chunk.path, default: 0] += chunk.length
    }
    return counts
  }

  // MARK: Everything

  /// The events as they were accepted, for rewriting them.
  package func records() throws -> RowGroupRecords {
    let texts = try messages(nil)
    let names = handle.table.streams
    return RowGroupRecords(
      bytes: texts.bytes, offsets: texts.offsets, times: try timestamps(),
      ingestionTimes: try ingestionTimes(), sequences: try sequenceNumbers(), streams: names,
      streamOf: try codes(of: .streamCodes, cardinality: names.count).map { UInt32($0) })
  }
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
