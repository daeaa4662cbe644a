/// The table of contents of one row group: its columns, where their chunks lie, and its shapes.
///
/// A row group is self-contained: paths, shapes and stream names are its own, numbered locally. So
/// compaction copies a row group as bytes, damage stays inside it, and a query learns from this
/// one small frame (some KiB) whether the rest is worth reading.
struct RowGroupTable: Sendable {
  /// What a chunk holds; the raw values are part of the format.
  enum Role: UInt8, Sendable {
    case column = 0
    case eventTime = 1
    case ingestionTime = 2
    case sequence = 3
    case streamCodes = 4
    case shapeCodes = 5
    case shapeTexts = 6
    /// Packed identifiers of one width, which stands in the place of the instance.
    case identifierPool = 7
  }

  /// Where one chunk lies and what is known of it.
  struct Chunk: Sendable {
    var role: Role
    /// Display path; empty for chunks that are no columns and for whole texts.
    var path: String
    var kind: SlotKind
    var instance: UInt16
    /// `nil` when the number is not known to this version: the column cannot be read, others can.
    var encoding: ColumnEncoding?
    var hasEscapes: Bool
    var valueCount: Int
    /// Position in the row group's bytes.
    var offset: Int
    var length: Int
    /// Low half of the XXH64 of the chunk's bytes.
    var check: UInt32
    var zone: ZoneMap
  }

  /// One shape of the row group; its text lies in the chunk of shape texts.
  struct ShapeEntry: Sendable {
    var rowCount: Int
    /// For each slot the index of its chunk.
    var columns: [Int]
    /// Slots from this one on are not discovered by themselves.
    var firstHiddenSlot: Int
    /// Paths of `{}` and `[]`, which have no slot and yet are values that a query may name.
    var emptyContainers: [String]
  }

  var rowCount: Int
  var chunks: [Chunk]
  /// Shape 0 is always the text shape.
  var shapes: [ShapeEntry]
  var streams: [String]

  private static let version: UInt8 = 1

  func encoded(compressor: Compressor?) -> [UInt8] {
    var writer = ByteWriter(capacity: 64 * chunks.count)
    writer.append(Self.version)
    writer.append(varint: rowCount)
    writer.append(varint: streams.count)
    for stream in streams { writer.append(text: stream) }
    writer.append(varint: chunks.count)
    var previous: [UInt8] = []
    for chunk in chunks { write(chunk, previous: &previous, to: &writer) }
    writer.append(varint: shapes.count)
    for shape in shapes {
      writer.append(varint: shape.rowCount)
      writer.append(varint: shape.columns.count)
      for column in shape.columns { writer.append(varint: column) }
      writer.append(varint: shape.firstHiddenSlot)
      writer.append(varint: shape.emptyContainers.count)
      for path in shape.emptyContainers { writer.append(text: path) }
    }
    var frame = ByteWriter(capacity: writer.count / 3)
    frame.append(stream: writer.bytes, compressor: compressor)
    return frame.bytes
  }

  private func write(_ chunk: Chunk, previous: inout [UInt8], to writer: inout ByteWriter) {
    writer.append(chunk.role.rawValue)
    if chunk.role == .identifierPool { writer.append(varint: Int(chunk.instance)) }
    if chunk.role == .column {
      let path = Array(chunk.path.utf8)
      let shared = zip(path, previous).prefix { $0 == $1 }.count
      writer.append(varint: shared)
      writer.append(varint: path.count - shared)
      writer.append(contentsOf: Array(path[shared...]))
      previous = path
      writer.append(chunk.kind.rawValue)
      writer.append(varint: Int(chunk.instance))
    }
    writer.append(chunk.encoding!.rawValue)
    writer.append(UInt8(chunk.hasEscapes ? 1 : 0))
    writer.append(varint: chunk.valueCount)
    writer.append(varint: chunk.offset)
    writer.append(varint: chunk.length)
    writer.append(fixed: chunk.check)
    chunk.zone.write(to: &writer)
  }

  init(rowCount: Int, chunks: [Chunk], shapes: [ShapeEntry], streams: [String]) {
    self.rowCount = rowCount
    self.chunks = chunks
    self.shapes = shapes
    self.streams = streams
  }

  /// Reads a table back and checks that its parts fit each other and a row group of `byteCount` bytes.
  ///
  /// - Parameter neighbor: the table of a row group that probably has the same paths: then their texts are shared.
  init(
    decoding bytes: UnsafeRawBufferPointer, byteCount: Int, decompressor: Decompressor,
    neighbor: RowGroupTable? = nil
  ) throws(DecodingFailure) {
    var outer = ByteReader(bytes)
    let raw = try outer.stream(limit: 256 << 20, decompressor: decompressor)
    var result: Result<RowGroupTable, DecodingFailure> = .failure(DecodingFailure(""))
    raw.withUnsafeBytes { raw in
      do throws(DecodingFailure) {
        result = .success(try Self.parse(raw, byteCount: byteCount, neighbor))
      } catch {
        result = .failure(error)
      }
    }
    self = try result.get()
  }

  private static func parse(
    _ raw: UnsafeRawBufferPointer, byteCount: Int, _ neighbor: RowGroupTable?
  ) throws(DecodingFailure) -> RowGroupTable {
    var reader = ByteReader(raw)
    let version = try reader.byte()
    guard version == Self.version else {
      throw DecodingFailure("row group table version \(version) is not known to this version")
    }
    let rowCount = try reader.count(limit: StorageLimits.rowsPerRowGroup)
    var table = RowGroupTable(rowCount: rowCount, chunks: [], shapes: [], streams: [])
    for _ in 0..<(try reader.count(limit: reader.remaining)) {
      table.streams.append(try reader.text())
    }
    let chunkCount = try reader.count(limit: reader.remaining)
    table.chunks.reserveCapacity(chunkCount)
    var paths = PathReader(neighbor)
    for _ in 0..<chunkCount {
      table.chunks.append(
        try chunk(&reader, &paths, rowCount: rowCount, byteCount: byteCount))
    }
    let shapeCount = try reader.count(limit: reader.remaining)
    table.shapes.reserveCapacity(shapeCount)
    var rows = 0
    for _ in 0..<shapeCount {
      let shape = try shape(&reader, chunkCount: chunkCount)
      rows += shape.rowCount
      table.shapes.append(shape)
    }
    guard rows == rowCount else {
      throw DecodingFailure("shapes cover \(rows) of \(rowCount) rows")
    }
    try table.checkValueCounts()
    return table
  }

  /// A column has as many values as the shapes that have it have rows.
  private func checkValueCounts() throws(DecodingFailure) {
    var counts = [Int](repeating: 0, count: chunks.count)
    for shape in shapes where shape.rowCount > 0 {
      for column in shape.columns { counts[column] &+= shape.rowCount }
    }
    for (chunk, count) in zip(chunks, counts)
    where chunk.role == .column && chunk.valueCount != count {
      throw DecodingFailure(
        "column '\(chunk.path)' has \(chunk.valueCount) values for \(count) rows")
    }
  }

  /// Reads paths, each of which repeats the beginning of the one before it. The row groups of a segment have nearly
  /// the same ones, in the same order: a path that another table has next is taken from there.
  private struct PathReader {
    private var bytes: [UInt8] = []
    private var text = ""
    private let known: [Chunk]
    private var next = 0

    init(_ neighbor: RowGroupTable?) { known = neighbor?.chunks ?? [] }

    mutating func read(_ reader: inout ByteReader) throws(DecodingFailure) -> String {
      let shared = try reader.count(limit: bytes.count)
      let rest = try reader.take(try reader.count(limit: reader.remaining))
      // Columns of one path follow each other.
      if shared == bytes.count, rest.isEmpty { return text }
      bytes.removeLast(bytes.count - shared)
      bytes.append(contentsOf: rest)
      text = knownText() ?? String(decoding: bytes, as: UTF8.self)
      return text
    }

    private mutating func knownText() -> String? {
      for place in next..<min(next + 8, known.count) where isEqual(known[place].path) {
        next = place
        return known[place].path
      }
      return nil
    }

    private func isEqual(_ path: String) -> Bool {
      guard path.utf8.count == bytes.count else { return false }
      return path.utf8.withContiguousStorageIfAvailable { $0.elementsEqual(bytes) } ?? false
    }
  }

  private static func chunk(
    _ reader: inout ByteReader, _ paths: inout PathReader, rowCount: Int, byteCount: Int
  ) throws(DecodingFailure) -> Chunk {
    guard let role = Role(rawValue: try reader.byte()) else {
      throw DecodingFailure("a chunk of unknown role")
    }
    var path = ""
    var kind = SlotKind.text
    var instance: UInt16 = 0
    if role == .column {
      path = try paths.read(&reader)
      guard let known = SlotKind(rawValue: try reader.byte()) else {
        throw DecodingFailure("a column of unknown kind")
      }
      kind = known
      instance = UInt16(try reader.count(limit: Int(UInt16.max)))
    } else if role == .identifierPool {
      instance = UInt16(try reader.count(limit: 64))
    }
    let encoding = ColumnEncoding(rawValue: try reader.byte())
    let hasEscapes = try reader.byte() & 1 != 0
    let valueCount = try reader.count(
      limit: role == .shapeTexts || role == .identifierPool ? Int(UInt32.max) : rowCount)
    let offset = try reader.count(limit: byteCount)
    let length = try reader.count(limit: byteCount - offset)
    let check = try reader.fixed(UInt32.self)
    return Chunk(
      role: role, path: path, kind: kind, instance: instance, encoding: encoding,
      hasEscapes: hasEscapes, valueCount: valueCount, offset: offset, length: length, check: check,
      zone: try ZoneMap(from: &reader))
  }

  private static func shape(
    _ reader: inout ByteReader, chunkCount: Int
  ) throws(DecodingFailure) -> ShapeEntry {
    let rows = try reader.count(limit: StorageLimits.rowsPerRowGroup)
    let slotCount = try reader.count(limit: reader.remaining)
    var columns: [Int] = []
    columns.reserveCapacity(slotCount)
    for _ in 0..<slotCount {
      let column = try reader.count(limit: max(chunkCount - 1, 0))
      columns.append(column)
    }
    let firstHiddenSlot = try reader.count(limit: Int(UInt32.max))
    var emptyContainers: [String] = []
    for _ in 0..<(try reader.count(limit: reader.remaining)) {
      emptyContainers.append(try reader.text())
    }
    return ShapeEntry(
      rowCount: rows, columns: columns, firstHiddenSlot: firstHiddenSlot,
      emptyContainers: emptyContainers)
  }
}
