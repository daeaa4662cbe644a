/// Collects the chunks of a row group and lays them out.
///
/// Large chunks stand alone, each compressed by itself, so that a query reads no others. Small ones would pay for that:
/// a frame, a checksum and padding cost more than they hold, and what a thousand columns repeat of each other —
/// forty addresses of one repository in every event — no frame of its own can see. They are laid end to
/// end, uncompressed, into *packs*, which are compressed whole. A constant of a few bytes stands in the table itself.
///
///     chunk, uncompressed bytes      small row group        full row group
///     "GET"           constant       table                  table
///     0.8 KB                         pack                   pack
///     90 KB                          pack                   alone
///
/// A full row group is read column by column, many times: there only chunks smaller than a page are packed, of columns that
/// few events have. A small one is read whole in no time.
struct RowGroupWriter {
  private(set) var bytes: [UInt8] = []
  private(set) var chunks: [RowGroupTable.Chunk] = []
  private var constants: [UInt8] = []
  private var packs: [[UInt8]] = []
  /// How many values of each chunk of rare ones columns have so far.
  private var rareEnds: [Int: Int] = [:]
  private let compressor: Compressor?

  /// The longest constant that stands in the table, in bytes.
  private static let tableConstantByteCount = 64

  init(rawByteCount: Int, compressor: Compressor?) {
    self.compressor = compressor
    bytes.reserveCapacity(rawByteCount / 4)
  }

  /// The size up to which the uncompressed chunks of a row group are packed, in bytes.
  static func packedByteCount(rawByteCount: Int) -> Int {
    rawByteCount <= 4 << 20 ? 128 << 10 : 4 << 10
  }

  /// The most values that a packed column has, but for constants: what an eighth of all events has is asked for
  /// often, and should not cost a pack each time.
  static func packedValueCount(rawByteCount: Int, rowCount: Int) -> Int {
    rawByteCount <= 4 << 20 ? .max : rowCount / 8
  }

  // MARK: Chunks

  mutating func integers(_ values: [Int64], role: RowGroupTable.Role) {
    var writer = ByteWriter(capacity: values.count)
    IntegerStream.encode(values, to: &writer, compressor: compressor)
    append(writer.bytes, role: role, encoding: .integer, valueCount: values.count)
  }

  mutating func codes(_ codes: [UInt16], cardinality: Int, role: RowGroupTable.Role) {
    var writer = ByteWriter(capacity: codes.count)
    writer.append(varint: cardinality)
    CodeStream.encode(codes, cardinality: cardinality, to: &writer, compressor: compressor)
    append(writer.bytes, role: role, encoding: .dictionary, valueCount: codes.count)
  }

  mutating func texts(_ texts: [[UInt8]], role: RowGroupTable.Role) {
    var writer = ByteWriter()
    IntegerStream.encode(texts.map { Int64($0.count) }, to: &writer, compressor: compressor)
    writer.append(
      stream: Array(texts.joined()), compressor: compressor, level: CompressionLevel.packs)
    append(writer.bytes, role: role, encoding: .plainString, valueCount: texts.count)
  }

  mutating func column(_ column: EncodedColumn, key: RowGroupEncoder.ColumnKey, valueCount: Int) {
    append(
      column.bytes, role: .column, encoding: column.encoding, valueCount: valueCount,
      isPacked: column.isPacked)
    chunks[chunks.count - 1].path = key.path
    chunks[chunks.count - 1].kind = key.kind
    chunks[chunks.count - 1].instance = key.instance
    chunks[chunks.count - 1].hasEscapes = column.hasEscapes
    chunks[chunks.count - 1].zone = column.zone
  }

  mutating func rareValues(_ values: EncodedColumn, kind: SlotKind, valueCount: Int) {
    append(
      values.bytes, role: .rareValues, encoding: values.encoding, valueCount: valueCount)
    chunks[chunks.count - 1].kind = kind
  }

  /// A column whose values are the next ones of a chunk of rare values.
  mutating func rareColumn(
    key: RowGroupEncoder.ColumnKey, in chunk: Int, valueCount: Int, hasEscapes: Bool
  ) {
    let first = rareEnds[chunk, default: 0]
    chunks.append(
      RowGroupTable.Chunk(
        role: .column, path: key.path, kind: key.kind, instance: key.instance, encoding: .rare,
        hasEscapes: hasEscapes, valueCount: valueCount, place: .rare(chunk: chunk, first: first),
        length: 0, zone: .none))
    rareEnds[chunk] = first + valueCount
  }

  /// Pools stay as they are: ids are noise, and searches run over their packed form, unless a filter tells them not to.
  mutating func pools(_ pools: IdentifierPools) {
    for (width, pool) in pools.pools.sorted(by: { $0.key < $1.key }) where pool.count > 0 {
      append(pool.bytes, role: .identifierPool, encoding: .plainString, valueCount: pool.count)
      chunks[chunks.count - 1].instance = UInt16(width)
      // What only lives in memory is searched itself.
      guard compressor != nil, let filter = IdentifierFilter(pool: pool.bytes, width: width) else {
        continue
      }
      var writer = ByteWriter(capacity: filter.byteCount)
      filter.write(to: &writer)
      append(
        writer.bytes, role: .identifierFilter, encoding: .plainString, valueCount: pool.count)
      chunks[chunks.count - 1].instance = UInt16(width)
    }
  }

  mutating func append(
    _ chunk: [UInt8], role: RowGroupTable.Role, encoding: ColumnEncoding, valueCount: Int,
    isPacked: Bool = false
  ) {
    let place: RowGroupTable.Place
    if encoding == .constant, chunk.count <= Self.tableConstantByteCount {
      place = .table(offset: constants.count)
      constants += chunk
    } else if isPacked, chunk.count <= StorageLimits.packByteCount {
      place = pack(chunk)
    } else {
      pad()
      place = .alone(offset: bytes.count, check: Self.check(chunk))
      bytes += chunk
    }
    chunks.append(
      RowGroupTable.Chunk(
        role: role, path: "", kind: .text, instance: 0, encoding: encoding, hasEscapes: false,
        valueCount: valueCount, place: place, length: chunk.count, zone: .none))
  }

  private mutating func pack(_ chunk: [UInt8]) -> RowGroupTable.Place {
    if packs.last.map({ $0.count + chunk.count > StorageLimits.packByteCount }) ?? true {
      packs.append([])
    }
    defer { packs[packs.count - 1] += chunk }
    return .pack(packs.count - 1, offset: packs[packs.count - 1].count)
  }

  private static func check(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { UInt32(truncatingIfNeeded: XXH64.hash($0)) }
  }

  private mutating func pad() {
    while bytes.count % 8 != 0 { bytes.append(0) }
  }

  // MARK: Table

  /// Appends the packs and the table.
  ///
  /// - Returns: the table and where it lies.
  mutating func finish(
    rowCount: Int, shapes: ShapeList, streams: [String]
  ) -> (table: RowGroupTable, offset: Int) {
    var table = RowGroupTable(
      rowCount: rowCount, chunks: chunks, packs: [], constants: constants, shapes: shapes,
      streams: streams)
    for pack in packs {
      pad()
      var writer = ByteWriter(capacity: pack.count / 4)
      writer.append(stream: pack, compressor: compressor, level: CompressionLevel.packs)
      table.packs.append(
        RowGroupTable.Pack(
          offset: bytes.count, length: writer.count, check: Self.check(writer.bytes)))
      bytes += writer.bytes
    }
    pad()
    let offset = bytes.count
    bytes += table.encoded(compressor: compressor)
    return (table, offset)
  }
}
