import Columnar

/// Reads the chunks of one row group, each when it is first asked for, and keeps them decoded.
///
/// One reader at a time has it, from ``RowGroupHandle/takeDecoder(countBytes:)`` until it gives it back. Where a
/// store keeps decoded chunks, the next reader finds them there.
///
/// Unchecked: it is not safe for two threads at once. The handle's lock orders the hand-over, and while it rests there
/// only the holder of that lock touches it.
final class RowGroupDecoder: ColumnSurroundings, @unchecked Sendable {
  /// Lives longer: a reader holds it while it has the decoder, and it owns the decoder otherwise.
  unowned let handle: RowGroupHandle
  private var lent: Decompressor?
  private var countBytes: (@Sendable (Int) -> Void)?
  /// Told what is read, if somebody wants to know.
  var trace: ReadTrace?
  /// The scan that has it.
  private(set) var scan: UInt64 = 0
  /// Whether the same scan comes back for more of the row group.
  var isWantedAgain = false

  private var integers = KeptValues<RowGroupTable.Role, [Int64]>()
  private var codes = KeptValues<RowGroupTable.Role, [UInt16]>()
  private var pieces: [ShapePieces]?
  /// The texts that pieces are made of, end to end, as long as not all of them were asked for.
  private var shapeTexts: (text: [UInt8], starts: [Int])?
  private var pieceByteCount = 0
  private var columns = KeptValues<Int, ColumnData>()
  private var packs = KeptValues<Int, [UInt8]>()
  private var pools = KeptValues<Int, [UInt8]>()
  private var rows = KeptValues<Int, [UInt32]>()
  private var ranks = KeptValues<Int, RowRanks>()
  var fields = KeptValues<String, ColumnVector>()
  /// Columns that the same shapes have, of those whose rows were asked for.
  private var columnsOfShapes: [(valueCount: Int, has: [Bool], columns: [Int])] = []
  private var alphabets: [Int: Alphabet] = [:]
  private var knownSlotLists: SlotLists?
  /// Columns on the way to which another one is being read.
  private var columnsBeingRead: Set<Int> = []

  init(_ handle: RowGroupHandle) {
    self.handle = handle
  }

  private var rowCount: Int { handle.table.rowCount }

  // MARK: Lending

  func begin(
    scan: UInt64, decompressor: Decompressor, countBytes: (@Sendable (Int) -> Void)?
  ) {
    self.scan = scan
    self.lent = decompressor
    self.countBytes = countBytes
  }

  func end() -> Decompressor? {
    countBytes = nil
    defer { lent = nil }
    return lent
  }

  var decompressor: Decompressor {
    guard let lent else { preconditionFailure("a decoder that nobody has") }
    return lent
  }

  // MARK: Memory

  /// Bytes per row above which a decoded chunk is not kept between scans: whole texts, mostly,
  /// which would push out a dozen columns of codes and numbers each.
  private static let keptBytesPerRow = 24

  /// What it keeps, in bytes.
  var byteCount: Int {
    integers.byteCount { $0.count * 8 } + codes.byteCount { $0.count * 2 }
      + pieceByteCount
      + columns.byteCount(\.byteCount) + pools.byteCount(\.count) + packs.byteCount(\.count)
      + rows.byteCount { $0.count * 4 } + ranks.byteCount(\.byteCount)
      + fields.byteCount(\.approximateByteCount) + alphabets.count * 32
      + (knownSlotLists?.byteCount ?? 0)
      + columnsOfShapes.reduce(0) { $0 + $1.has.count + $1.columns.count * 8 + 64 }
      + handle.filterByteCount
  }

  /// Drops what is not worth keeping between scans.
  func dropBulk() {
    if !isWantedAgain { dropFirstMet() }
    isWantedAgain = false
    for case .templates(let run) in columns.values { run.dropBulk() }
    drop(largerThan: max(4_096, rowCount * Self.keptBytesPerRow), lastUsedUpTo: 0)
  }

  /// Drops what no scan before this one has asked for.
  private func dropFirstMet() {
    integers.dropFirstMet(by: scan)
    codes.dropFirstMet(by: scan)
    columns.dropFirstMet(by: scan)
    packs.dropFirstMet(by: scan)
    pools.dropFirstMet(by: scan)
    rows.dropFirstMet(by: scan)
    ranks.dropFirstMet(by: scan)
    fields.dropFirstMet(by: scan)
  }

  /// Drops everything that fields are made of.
  func dropChunks() {
    columns = KeptValues()
    packs = KeptValues()
    pools = KeptValues()
    rows = KeptValues()
    ranks = KeptValues()
    pieces = nil
    shapeTexts = nil
    pieceByteCount = 0
    knownSlotLists = nil
  }

  /// Drops what no scan since `scan` has used.
  func drop(lastUsedUpTo scan: UInt64) { drop(largerThan: .max, lastUsedUpTo: scan) }

  private func drop(largerThan bound: Int, lastUsedUpTo scan: UInt64) {
    integers.drop(largerThan: bound, lastUsedUpTo: scan) { $0.count * 8 }
    codes.drop(largerThan: bound, lastUsedUpTo: scan) { $0.count * 2 }
    columns.drop(largerThan: bound, lastUsedUpTo: scan) { $0.byteCount }
    packs.drop(largerThan: bound, lastUsedUpTo: scan) { $0.count }
    pools.drop(largerThan: bound, lastUsedUpTo: scan) { $0.count }
    // Identifiers hold on to their pool, which they alone would not count.
    columns.drop {
      if case .identifiers(let run) = $0 { !pools.has(run.form.width) } else { false }
    }
    rows.drop(largerThan: bound, lastUsedUpTo: scan) { $0.count * 4 }
    ranks.drop(largerThan: bound, lastUsedUpTo: scan, \.byteCount)
    fields.drop(largerThan: bound, lastUsedUpTo: scan) { $0.approximateByteCount }
  }

  // MARK: What every row has

  func integers(of role: RowGroupTable.Role) throws -> [Int64] {
    if let known = integers.use(role, scan: scan) { return known }
    let values = try decoding(try handle.chunk(of: role)) { bytes in
      var reader = ByteReader(bytes)
      return try IntegerStream.decode(&reader, count: rowCount, decompressor: decompressor)
    }
    integers.keep(values, role, scan: scan)
    return values
  }

  func codes(of role: RowGroupTable.Role, cardinality: Int) throws -> [UInt16] {
    if let known = codes.use(role, scan: scan) { return known }
    let values = try decoding(try handle.chunk(of: role)) { bytes in
      var reader = ByteReader(bytes)
      let stored = try reader.count(limit: 65_536)
      guard stored == cardinality else {
        throw DecodingFailure("codes of \(stored) values where \(cardinality) are known")
      }
      return try CodeStream.decode(
        &reader, count: rowCount, cardinality: cardinality, decompressor: decompressor)
    }
    if role == .shapeCodes { try checkCounts(ofShapes: values) }
    codes.keep(values, role, scan: scan)
    return values
  }

  private func checkCounts(ofShapes codes: [UInt16]) throws {
    var counts = [Int32](repeating: 0, count: handle.table.shapes.count)
    // Codes were checked to be numbers of shapes when they were decoded.
    counts.withUnsafeMutableBufferPointer { counts in
      codes.withUnsafeBufferPointer { codes in for code in codes { counts[Int(code)] &+= 1 } }
    }
    guard counts == handle.table.shapes.rowCounts else {
      throw damage(column: "shapes", "its codes do not add up to the table's counts")
    }
  }

  func timestamps() throws -> [Int64] { try integers(of: .eventTime) }

  func shapeCodes() throws -> [UInt16] {
    try codes(of: .shapeCodes, cardinality: handle.table.shapes.count)
  }

  // MARK: Chunks

  /// Reads and checks a chunk's bytes and decodes them; names the column if that fails.
  func decoding<T>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
    let chunk = handle.table.chunks[index]
    do {
      switch chunk.place {
      case .alone(let offset, let check):
        trace?.noteRead(ChunkName(chunk), chunk.encoding, byteCount: chunk.length)
        return try checked(offset: offset, length: chunk.length, check: check).withUnsafeBytes(body)
      case .table(let offset):
        trace?.noteRead(ChunkName(chunk), chunk.encoding, byteCount: 0)
        return try handle.table.constant(chunk, from: offset).withUnsafeBytes(body)
      case .pack(let number, let offset):
        trace?.noteRead(ChunkName(chunk), chunk.encoding, byteCount: 0)
        let pack = try pack(number)
        guard offset + chunk.length <= pack.count else {
          throw DecodingFailure("it lies beyond the end of its pack")
        }
        return try pack[offset..<offset + chunk.length].withUnsafeBytes(body)
      case .rare:
        throw DecodingFailure("it has no bytes of its own")
      }
    } catch let failure as DecodingFailure {
      let name = chunk.role == .column ? "column '\(chunk.path)'" : "\(chunk.role)"
      throw damage(column: name, failure.reason)
    }
  }

  /// A chunk's bytes as they are stored, which are not copied where they lie by themselves.
  private func bytes(ofChunk index: Int) throws -> [UInt8] {
    let chunk = handle.table.chunks[index]
    guard case .alone(let offset, let check) = chunk.place else {
      return try decoding(index) { Array($0) }
    }
    trace?.noteRead(ChunkName(chunk), chunk.encoding, byteCount: chunk.length)
    return try checked(offset: offset, length: chunk.length, check: check)
  }

  /// Bytes of the row group, compared with their checksum.
  private func checked(offset: Int, length: Int, check: UInt32) throws -> [UInt8] {
    countBytes?(length)
    return try handle.bytes(offset: offset, length: length, check: check)
  }

  /// The raw bytes of a pack.
  private func pack(_ number: Int) throws -> [UInt8] {
    if let known = packs.use(number, scan: scan) { return known }
    let pack = handle.table.packs[number]
    trace?.noteRead(ChunkName(pack: number), nil, byteCount: pack.length)
    let raw = try checked(offset: pack.offset, length: pack.length, check: pack.check)
      .withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return try reader.stream(limit: StorageLimits.packByteCount, decompressor: decompressor)
      }
    packs.keep(raw, number, scan: scan)
    return raw
  }

  func damage(column: String, _ what: String) -> StorageError {
    RowGroupHandle.damage(handle.source, handle.entry, "\(column): \(what)")
  }

  /// A column chunk, decoded.
  func columnData(_ index: Int) throws -> ColumnData {
    if let known = columns.use(index, scan: scan) {
      if case .identifiers(let run) = known { _ = pools.use(run.form.width, scan: scan) }
      return known
    }
    try StopPoint.check()
    let chunk = handle.table.chunks[index]
    guard let encoding = chunk.encoding else {
      throw damage(column: "column '\(chunk.path)'", "its encoding is not known to this version")
    }
    guard !columnsBeingRead.contains(index) else {
      throw damage(column: "column '\(chunk.path)'", "it refers to itself")
    }
    columnsBeingRead.insert(index)
    defer { columnsBeingRead.remove(index) }
    if case .rare(let values, let first) = chunk.place {
      trace?.noteRead(ChunkName(chunk), chunk.encoding, byteCount: 0)
      let data = try columnData(values).values(in: first..<first + chunk.valueCount)
      columns.keep(data, index, scan: scan)
      return data
    }
    let context = context(ofColumn: index)
    let data = try decoding(index) { bytes in
      try ColumnDecoder.decode(
        bytes, encoding: encoding, count: chunk.valueCount, context: context)
    }
    columns.keep(data, index, scan: scan)
    return data
  }

  private func context(ofColumn index: Int) -> ColumnContext {
    ColumnContext(surroundings: self) { [unowned self] in
      guard handle.table.chunks[index].role == .column else {
        throw DecodingFailure("values that have no rows")
      }
      return try rows(ofColumn: index)
    }
  }

  // MARK: Two threads

  /// A decoder for a second thread, for a time in which this one is not asked for what it has: it knows what this one
  /// knows of all rows, and no column.
  func aside() -> RowGroupDecoder {
    let other = RowGroupDecoder(handle)
    other.begin(
      scan: scan, decompressor: DecompressorPool.shared.take(), countBytes: countBytes)
    other.integers = integers
    other.codes = codes
    other.packs = packs
    other.pools = pools
    other.rows = rows
    other.ranks = ranks
    other.columnsOfShapes = columnsOfShapes
    return other
  }

  /// Takes over what a decoder aside has decoded, which nobody asks any more.
  func adopt(_ other: RowGroupDecoder) {
    for (index, data) in columns.adopt(other.columns) {
      if case .templates(let run) = data { run.context = context(ofColumn: index) }
    }
    packs.adopt(other.packs)
    pools.adopt(other.pools)
    if let decompressor = other.end() { DecompressorPool.shared.give(decompressor) }
  }

  /// Whether a column is decoded.
  func hasColumn(_ index: Int) -> Bool { columns.has(index) }

  /// The bytes that the values of a column have.
  func knownAlphabet(ofColumn index: Int) throws -> Alphabet {
    if let known = alphabets[index] { return known }
    let alphabet = try columnData(index).alphabet
    alphabets[index] = alphabet
    return alphabet
  }

  /// The packed identifiers of a width.
  func identifierPool(width: Int) throws -> [UInt8] {
    if let known = pools.use(width, scan: scan) { return known }
    let chunks = handle.table.chunks
    guard
      let index = chunks.firstIndex(where: {
        $0.role == .identifierPool && Int($0.instance) == width
      })
    else {
      throw DecodingFailure("it refers to identifiers of \(width) bytes, which are not there")
    }
    let pool = try bytes(ofChunk: index)
    guard pool.count == chunks[index].valueCount * width else {
      throw DecodingFailure("a pool of the wrong size")
    }
    pools.keep(pool, width, scan: scan)
    return pool
  }

  /// The rows whose shapes have the column; `nil` for all.
  func rows(ofColumn index: Int) throws -> [UInt32]? {
    let valueCount = handle.table.chunks[index].valueCount
    if valueCount == rowCount { return nil }
    let (first, has) = firstColumn(ofSameShapes: index)
    if let known = rows.use(first, scan: scan) { return known }
    let steps = has.map { $0 ? 1 : 0 }
    let codes = try shapeCodes()
    // The shapes that have the column have as many rows as it has values: the table was checked for
    // that, and the codes for agreeing with the table. So at most `valueCount` places are kept, and
    // what is written without a branch never goes past one more.
    let found = [UInt32](unsafeUninitializedCapacity: valueCount + 1) { target, used in
      steps.withUnsafeBufferPointer { steps in
        codes.withUnsafeBufferPointer { codes in
          for row in codes.indices {
            target[used] = UInt32(truncatingIfNeeded: row)
            used &+= steps[Int(codes[row])]
          }
        }
      }
    }
    rows.keep(found, first, scan: scan)
    return found
  }

  /// The first column asked for whose rows are the same, as the same shapes have it: columns of one kind of event mostly
  /// have.
  ///
  /// - Returns: also which shapes these are.
  private func firstColumn(ofSameShapes index: Int) -> (column: Int, has: [Bool]) {
    if let known = columnsOfShapes.first(where: { $0.columns.contains(index) }) {
      return (known.columns[0], known.has)
    }
    let valueCount = handle.table.chunks[index].valueCount
    let has = handle.table.shapes.having(index)
    for place in columnsOfShapes.indices
    where columnsOfShapes[place].valueCount == valueCount && columnsOfShapes[place].has == has {
      columnsOfShapes[place].columns.append(index)
      return (columnsOfShapes[place].columns[0], has)
    }
    columnsOfShapes.append((valueCount, has, [index]))
    return (index, has)
  }

  /// Where each row's value stands in a column; `nil` if every row has one.
  func ranks(inColumn index: Int) throws -> RowRanks? {
    guard let rows = try rows(ofColumn: index) else { return nil }
    let first = firstColumn(ofSameShapes: index).column
    if let known = ranks.use(first, scan: scan) { return known }
    let found = RowRanks(rows: rows, rowCount: rowCount)
    ranks.keep(found, first, scan: scan)
    return found
  }

  /// - Throws: `StorageError` if the column is damaged, `DecodingFailure` if some row does not have it.
  func reference(to chunk: Int, rows: [UInt32]) throws -> ColumnReference {
    guard handle.table.chunks.indices.contains(chunk), handle.table.chunks[chunk].role == .column
    else { throw DecodingFailure("a reference to chunk \(chunk), which is no column") }
    let data = try columnData(chunk)
    guard let ranks = try ranks(inColumn: chunk) else {
      return ColumnReference(column: [data], positions: rows)
    }
    let found = ranks.positions(of: rows, none: UInt32.max)
    guard !found.contains(.max) else {
      throw DecodingFailure("a reference to a value that some row does not have")
    }
    return ColumnReference(column: [data], positions: found)
  }

  // MARK: Texts

  /// The constant pieces of all shapes.
  func shapePieces() throws -> [ShapePieces] {
    if let pieces { return pieces }
    try readShapeTexts()
    let made = try pieces ?? handle.table.shapes.indices.map { try pieces(ofShape: $0) }
    keep(made)
    shapeTexts = nil
    return made
  }

  /// The constant pieces of one shape: a few records have few of a thousand shapes.
  func pieces(ofShape shape: Int) throws -> ShapePieces {
    if pieces == nil { try readShapeTexts() }
    if let pieces { return pieces[shape] }
    guard let (text, starts) = shapeTexts else {
      preconditionFailure("texts of shapes that were read and are not there")
    }
    let pieces = ShapePieces(key: text[starts[shape]..<starts[shape + 1]])
    let entry = handle.table.shapes[shape]
    guard entry.rowCount == 0 || pieces.slotCount == entry.columns.count else {
      throw damage(
        column: "\(RowGroupTable.Role.shapeTexts)", "a shape whose slots do not fit its columns")
    }
    return pieces
  }

  private func keep(_ made: [ShapePieces]) {
    pieces = made
    pieceByteCount = made.reduce(0) { $0 + $1.text.count + $1.bounds.count * 8 + 96 }
  }

  /// Reads the texts of the shapes, or at once their pieces if these are what is stored.
  private func readShapeTexts() throws {
    if shapeTexts != nil { return }
    let shapes = handle.table.shapes
    let chunk = try handle.chunk(of: .shapeTexts)
    try decoding(chunk) { bytes in
      var reader = ByteReader(bytes)
      if handle.table.chunks[chunk].encoding == .pieces {
        return keep(
          try PieceStream.decode(
            &reader, shapes: shapes, chunks: handle.table.chunks, decompressor: decompressor))
      }
      let lengths = try IntegerStream.decode(
        &reader, count: shapes.count, decompressor: decompressor)
      guard lengths.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
        throw DecodingFailure("a shape of impossible length")
      }
      var starts = [0]
      for length in lengths { starts.append(starts[starts.count - 1] + Int(length)) }
      let total = starts[starts.count - 1]
      let text = try reader.stream(limit: total, decompressor: decompressor)
      guard text.count == total else { throw DecodingFailure("texts of the wrong size") }
      shapeTexts = (text, starts)
      pieceByteCount = text.count + starts.count * 8
    }
  }

  // MARK: Fields

  /// A field's values for all rows, or for the rows asked for.
  ///
  /// Where chunks are kept between scans, a field of codes and numbers is read for all rows once, and few rows are
  /// picked from that: by the second scan that wants few, as the first may be the only one.
  func field(_ field: String, rows: SelectionVector?) throws -> ColumnVector {
    let count = rows?.count ?? rowCount
    let resolution = handle.resolution(of: field)
    if resolution.isAbsent || count == 0 { return .missing(count: count) }
    if let known = fields.use(field, scan: scan) { return rows.map { known.gather($0) } ?? known }
    guard handle.keepsDecoded, rows == nil || isCompact(resolution),
      !isFirstForFew(field, rows)
    else { return try read(field, resolution, rows: rows) }
    let all = try read(field, resolution, rows: nil).coded()
    if all.approximateByteCount <= rowCount * Self.keptBytesPerRow {
      fields.keep(all, field, scan: scan)
    }
    return rows.map { all.gather($0) } ?? all
  }

  /// Whether few rows are wanted of a field that no earlier scan wanted.
  private func isFirstForFew(_ field: String, _ rows: SelectionVector?) -> Bool {
    guard let rows, rows.count * 4 < rowCount else { return false }
    return fields.isFirstUse(field, scan: scan)
  }

  /// The numbers of a field that at most half of the rows have, from the one column in which they are. Texts are better
  /// looked at once for each different one.
  func placedValues(of field: String) throws -> PlacedValues? {
    let resolution = handle.resolution(of: field)
    guard !resolution.hasStructures, !resolution.hasTexts, !resolution.hidesValues,
      resolution.chunks.count == 1
    else { return nil }
    let index = resolution.chunks[0]
    let chunk = handle.table.chunks[index]
    guard chunk.valueCount * 2 <= rowCount, let encoding = chunk.encoding else { return nil }
    switch encoding {
    case .integer, .decimal, .double, .timestampNumber: break
    default: return nil
    }
    let column = DenseColumn(
      data: try columnData(index), kind: chunk.kind, hasEscapes: chunk.hasEscapes)
    guard let rows = try rows(ofColumn: index) else { return nil }
    let values = try column.vector(positions: .all(chunk.valueCount))
    guard values.count == rows.count else { return nil }
    return PlacedValues(values: values, rows: rows)
  }

  /// How many rows have each value of a field, if that can be told without looking at which; else `nil`.
  func counts(of field: String) throws -> [CountedValues]? {
    let resolution = handle.resolution(of: field)
    if resolution.isAbsent { return nil }
    if fields.has(field) { return fields.use(field, scan: scan).flatMap(FieldReading.counts) }
    return try FieldReading(
      field: field, resolution: resolution, table: handle.table, shapeCodes: [], rows: nil,
      ranks: { try self.ranks(inColumn: $0) }
    ).counts(column: { try columnData($0) }, entries: { try countedEntries(ofColumn: $0) })
  }

  /// The entries of a dictionary counted without making its codes, if nobody has made them; where chunks are kept, the
  /// second scan that counts makes and keeps them.
  private func countedEntries(ofColumn index: Int) throws -> CountedEntries? {
    let chunk = handle.table.chunks[index]
    guard chunk.encoding == .dictionary, trace == nil, !columns.has(index) else { return nil }
    if case .rare = chunk.place { return nil }
    if handle.keepsDecoded, !columns.isFirstUse(index, scan: scan) { return nil }
    try StopPoint.check()
    return try decoding(index) {
      try ColumnDecoder.countedEntries(
        $0, count: chunk.valueCount, decompressor: decompressor)
    }
  }

  /// Whether the values are codes and numbers, which take little to read and to keep.
  private func isCompact(_ resolution: FieldResolution) -> Bool {
    !resolution.hasStructures && !resolution.hasTexts
      && resolution.chunks.allSatisfy { index in
        switch handle.table.chunks[index].encoding {
        case .constant, .integer, .decimal, .dictionary, .double: true
        default: false
        }
      }
  }

  private func read(
    _ field: String, _ resolution: FieldResolution, rows: SelectionVector?
  ) throws -> ColumnVector {
    let reading = FieldReading(
      field: field, resolution: resolution, table: handle.table, shapeCodes: try shapeCodes(),
      rows: rows, ranks: { try self.ranks(inColumn: $0) })
    return try reading.vector(column: { try columnData($0) }, messages: { try messages($0) })
  }

  private func slotLists() -> SlotLists? {
    if let knownSlotLists { return knownSlotLists }
    knownSlotLists = SlotLists(handle.table)
    return knownSlotLists
  }

  private func assembly() throws -> MessageAssembly {
    MessageAssembly(
      table: handle.table, shapeCodes: try shapeCodes(),
      pieces: { try self.pieces(ofShape: $0) },
      lists: { self.slotLists() })
  }

  /// Says that the texts of some rows will be read soon.
  func willReadMessages(_ rows: SelectionVector) throws {
    guard trace == nil else { return }
    handle.willRead(chunks: try assembly().columnsNeeded(rows))
  }

  func messages(_ rows: SelectionVector?) throws -> StringVector {
    let texts = try assembly().messages(
      rows: rows, willRead: { handle.willRead(chunks: $0) }, column: { try columnData($0) },
      texts: { try SideBySide(self).texts(of: $0) })
    trace?.noteTexts(texts)
    try StopPoint.check()
    return texts
  }
}

extension ColumnVector {
  /// Texts that repeat as codes of a dictionary, which takes longer to make than the texts but less to keep and to ask;
  /// other columns as they are.
  fileprivate func coded() -> ColumnVector {
    guard case .strings(let texts) = self, texts.count >= 64 else { return self }
    var table = ByteTable()
    var entries = StringVector()
    var codes = [UInt16](repeating: .max, count: texts.count)
    let most = min(texts.count / 2, 65_535)
    for row in 0..<texts.count where texts.validity?[row] ?? true {
      let range = texts.range(row)
      let number = texts.bytes.withUnsafeBufferPointer {
        table.insert(UnsafeBufferPointer(rebasing: $0[range]))
      }
      if Int(number) == entries.count {
        guard entries.count < most else { return self }
        entries.bytes += texts.bytes[range]
        entries.offsets.append(UInt32(entries.bytes.count))
      }
      codes[row] = UInt16(truncatingIfNeeded: number)
    }
    let missing = UInt16(entries.count)
    if let validity = texts.validity {
      for row in codes.indices where !validity[row] { codes[row] = missing }
    }
    return .dictionary(DictionaryVector(codes: codes, entries: .strings(entries)))
  }
}
