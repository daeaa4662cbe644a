// The bytes of a row group's table.
//
// What is alike for all chunks stands together — all roles, all kinds, all lengths —, as a thousand columns that are much the
// same then cost a few bytes each once compressed. Where chunks lie follows from their lengths: those that stand alone follow each other
// at multiples of eight, then come the packs; inside of a pack, and in the table itself, chunks follow each other.
//
//     chunk        a        b          c          d            e
//     place        alone    constant   pack       pack         alone
//     length       1000     3          40         2            500
//     is at        0        table, 0   pack 0, 0  pack 0, 40   1000 (next multiple of 8); pack 0 at 1504

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension RowGroupTable {
  private static let version: UInt8 = 2
  /// Also says the form of the shapes, and has chunks in chunks of rare values; written only where that is needed.
  private static let rareVersion: UInt8 = 3
  /// Raw bytes above which a table is damaged.
  private static let rawLimit = 256 << 20

  /// How a chunk's place is written.
  private enum PlaceCode: UInt8 {
    case alone = 0
    case table = 1
    case pack = 2
    case nextPack = 3
    /// Behind the columns before it in the first chunk of rare values of its kind.
    case rare = 4
    /// The same in the second one.
    case otherRare = 5
  }

  private var needsRareVersion: Bool {
    shapes.form != .listed || chunks.contains { $0.role == .rareValues }
  }

  func encoded(compressor: Compressor?) -> [UInt8] {
    var writer = ByteWriter(capacity: 64 * chunks.count)
    let isRare = needsRareVersion
    writer.append(isRare ? Self.rareVersion : Self.version)
    writer.append(varint: rowCount)
    writer.append(varint: streams.count)
    for stream in streams { writer.append(text: stream) }
    writeChunks(to: &writer)
    writer.append(varint: packs.count)
    for pack in packs { writer.append(varint: pack.length) }
    for pack in packs { writer.append(fixed: pack.check) }
    writer.append(contentsOf: constants)
    if isRare { writer.append(shapes.form.rawValue) }
    shapes.write(to: &writer) { columnsByUse() }
    var frame = ByteWriter(capacity: writer.count / 3)
    frame.append(stream: writer.bytes, compressor: compressor, level: CompressionLevel.packs)
    return frame.bytes
  }

  private func writeChunks(to writer: inout ByteWriter) {
    writer.append(varint: chunks.count)
    for chunk in chunks { writer.append(chunk.role.rawValue) }
    for chunk in chunks { writer.append(chunk.kind.rawValue) }
    for chunk in chunks { writer.append(chunk.encoding!.rawValue) }
    var pack = -1
    var firstRuns: [SlotKind: Int] = [:]
    for (index, chunk) in chunks.enumerated()
    where chunk.role == .rareValues && firstRuns[chunk.kind] == nil {
      firstRuns[chunk.kind] = index
    }
    for chunk in chunks {
      let place: PlaceCode
      switch chunk.place {
      case .alone: place = .alone
      case .table: place = .table
      case .pack(let number, _):
        place = number == pack ? .pack : .nextPack
        pack = number
      case .rare(let values, _):
        place = firstRuns[chunk.kind] == values ? .rare : .otherRare
      }
      writer.append(place.rawValue << 1 | (chunk.hasEscapes ? 1 : 0))
    }
    for chunk in chunks { writer.append(varint: Int(chunk.instance)) }
    for chunk in chunks { writer.append(varint: chunk.valueCount) }
    for chunk in chunks { writer.append(varint: chunk.length) }
    for chunk in chunks {
      if case .alone(_, let check) = chunk.place { writer.append(fixed: check) }
    }
    var previous: [UInt8] = []
    for chunk in chunks where chunk.role == .column {
      let path = Array(chunk.path.utf8)
      let shared = zip(path, previous).prefix { $0 == $1 }.count
      writer.append(varint: shared)
      writer.append(varint: path.count - shared)
      writer.append(contentsOf: Array(path[shared...]))
      previous = path
    }
    for chunk in chunks { chunk.zone.write(to: &writer) }
  }

  // MARK: Reading

  /// Reads a table back and checks that its parts fit each other and a row group of `byteCount` bytes.
  ///
  /// - Parameter neighbor: the table of a row group that probably has the same paths: then their texts are shared.
  init(
    decoding bytes: UnsafeRawBufferPointer, byteCount: Int, decompressor: Decompressor,
    neighbor: RowGroupTable? = nil
  ) throws(DecodingFailure) {
    var outer = ByteReader(bytes)
    let raw = try outer.stream(limit: Self.rawLimit, decompressor: decompressor)
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
    guard version >= 1, version <= Self.rareVersion else {
      throw DecodingFailure("row group table version \(version) is not known to this version")
    }
    let rowCount = try reader.count(limit: StorageLimits.rowsPerRowGroup)
    var table = RowGroupTable(
      rowCount: rowCount, chunks: [], packs: [], constants: [], shapes: ShapeList(),
      streams: [])
    for _ in 0..<(try reader.count(limit: reader.remaining)) {
      table.streams.append(try reader.text())
    }
    if version == 1 {
      try table.readFirstVersion(&reader, byteCount: byteCount)
    } else {
      var paths = PathReader(neighbor)
      try table.readChunks(&reader, &paths, byteCount: byteCount)
      let number = version == Self.rareVersion ? try reader.byte() : ShapeList.Form.listed.rawValue
      guard let form = ShapeList.Form(rawValue: number) else {
        throw DecodingFailure("form \(number) of shapes is not known to this version")
      }
      table.shapes = try ShapeList(
        from: &reader, form: form, chunkCount: table.chunks.count,
        columnsByUse: { table.columnsByUse() })
    }
    let rows = table.shapes.rowCounts.reduce(0) { $0 + Int($1) }
    guard rows == rowCount else {
      throw DecodingFailure("shapes cover \(rows) of \(rowCount) rows")
    }
    try table.checkValueCounts()
    return table
  }

  /// A column has as many values as the shapes that have it have rows.
  private func checkValueCounts() throws(DecodingFailure) {
    var counts = [Int](repeating: 0, count: chunks.count)
    counts.withUnsafeMutableBufferPointer { counts in
      shapes.forEachSlot { column, rowCount in counts[column] &+= rowCount }
    }
    for i in chunks.indices where chunks[i].role == .column && chunks[i].valueCount != counts[i] {
      throw DecodingFailure(
        "column '\(chunks[i].path)' has \(chunks[i].valueCount) values for \(counts[i]) rows")
    }
  }

  private mutating func readChunks(
    _ reader: inout ByteReader, _ paths: inout PathReader, byteCount: Int
  ) throws(DecodingFailure) {
    // Each chunk takes four bytes at least, so memory is only taken for chunks that may be there.
    let count = try reader.count(limit: min(reader.remaining / 4, ShapeList.chunkLimit))
    let roles = try reader.take(count)
    let kinds = try reader.take(count)
    let encodings = try reader.take(count)
    let flags = try reader.take(count)
    var made = [Chunk](repeating: .empty, count: count)
    let rowLimit = rowCount
    let constantByteCount = try made.withUnsafeMutableBufferPointer {
      made throws(DecodingFailure) in
      for i in 0..<count {
        guard let role = Role(rawValue: roles[i]) else {
          throw DecodingFailure("a chunk of unknown role")
        }
        guard let kind = SlotKind(rawValue: kinds[i]) else {
          throw DecodingFailure("a column of unknown kind")
        }
        made[i].role = role
        made[i].kind = kind
        made[i].encoding = ColumnEncoding(rawValue: encodings[i])
        made[i].hasEscapes = flags[i] & 1 != 0
      }
      try reader.counts(count, limit: Int(UInt16.max)) { made[$0].instance = UInt16($1) }
      try reader.counts(count, limit: Int(UInt32.max)) { made[$0].valueCount = $1 }
      for i in 0..<count where made[i].role.isOfRows && made[i].valueCount > rowLimit {
        throw DecodingFailure("\(made[i].valueCount) values where there are \(rowLimit) rows")
      }
      try reader.counts(count, limit: 1 << 32) { made[$0].length = $1 }
      let constantByteCount = try Self.readPlaces(
        of: made, &reader, flags: flags, byteCount: byteCount)
      for i in 0..<count where made[i].role == .column { made[i].path = try paths.read(&reader) }
      for i in 0..<count { made[i].zone = try ZoneMap(from: &reader) }
      return constantByteCount
    }
    chunks = made
    try readPacks(&reader, byteCount: byteCount)
    constants = Array(try reader.take(constantByteCount))
  }

  /// Places of all chunks; the offsets of packs follow from the end of the last chunk that stands alone.
  ///
  /// - Returns: the bytes of the chunks that lie in the table.
  private static func readPlaces(
    of chunks: UnsafeMutableBufferPointer<Chunk>, _ reader: inout ByteReader,
    flags: UnsafeRawBufferPointer,
    byteCount: Int
  ) throws(DecodingFailure) -> Int {
    var end = 0
    var constantEnd = 0
    var pack = -1
    var packEnd = 0
    for i in chunks.indices {
      let length = chunks[i].length
      guard let code = PlaceCode(rawValue: flags[i] >> 1) else {
        throw DecodingFailure("a chunk in an unknown place")
      }
      switch code {
      case .alone:
        let offset = end.roundedUpToEight
        end = offset + length
        guard end <= byteCount else { throw DecodingFailure("a chunk beyond the row group's end") }
        chunks[i].place = .alone(offset: offset, check: try reader.fixed(UInt32.self))
      case .table:
        chunks[i].place = .table(offset: constantEnd)
        constantEnd += length
      case .pack, .nextPack:
        if code == .nextPack {
          pack += 1
          packEnd = 0
        }
        guard pack >= 0 else { throw DecodingFailure("a chunk in no pack") }
        chunks[i].place = .pack(pack, offset: packEnd)
        packEnd += length
        guard packEnd <= StorageLimits.packByteCount else {
          throw DecodingFailure("a pack of more than \(StorageLimits.packByteCount) bytes")
        }
      case .rare, .otherRare: break
      }
    }
    try readRarePlaces(of: chunks, flags: flags)
    return constantEnd
  }

  /// Columns whose values are in chunks of rare values: they follow each other there, and are all that is there.
  private static func readRarePlaces(
    of chunks: UnsafeMutableBufferPointer<Chunk>, flags: UnsafeRawBufferPointer
  ) throws(DecodingFailure) {
    var runs: [SlotKind: [Int]] = [:]
    var ends: [Int: Int] = [:]
    for i in chunks.indices {
      let code = PlaceCode(rawValue: flags[i] >> 1)
      let isRare = code == .rare || code == .otherRare
      guard isRare == (chunks[i].encoding == .rare) else {
        throw DecodingFailure("a column of rare values in the wrong place")
      }
      if chunks[i].role == .rareValues { runs[chunks[i].kind, default: []].append(i) }
      guard isRare else { continue }
      let number = code == .rare ? 0 : 1
      guard let own = runs[chunks[i].kind], number < own.count, chunks[i].role == .column,
        chunks[i].length == 0, chunks[i].valueCount < StorageLimits.valuesPerRareColumn
      else { throw DecodingFailure("a column of rare values that are not there") }
      let first = ends[own[number], default: 0]
      chunks[i].place = .rare(chunk: own[number], first: first)
      ends[own[number]] = first + chunks[i].valueCount
    }
    for run in runs.values.joined() where chunks[run].valueCount != ends[run, default: 0] {
      throw DecodingFailure(
        "\(chunks[run].valueCount) rare values where columns have \(ends[run, default: 0])")
    }
  }

  private mutating func readPacks(
    _ reader: inout ByteReader, byteCount: Int
  ) throws(DecodingFailure) {
    var end = 0
    var last = -1
    for chunk in chunks {
      switch chunk.place {
      case .alone(let offset, _): end = offset + chunk.length
      case .pack(let number, _): last = number
      case .table, .rare: break
      }
    }
    let count = try reader.count(limit: reader.remaining)
    guard count == last + 1 else {
      throw DecodingFailure("\(count) packs where chunks are in \(last + 1)")
    }
    for _ in 0..<count {
      let offset = end.roundedUpToEight
      let length = try reader.count(limit: byteCount)
      end = offset + length
      guard end <= byteCount else { throw DecodingFailure("a pack beyond the row group's end") }
      packs.append(Pack(offset: offset, length: length, check: 0))
    }
    for i in packs.indices { packs[i].check = try reader.fixed(UInt32.self) }
  }
}

extension RowGroupTable.Chunk {
  /// What a chunk is before anything of it has been read.
  fileprivate static let empty = Self(
    role: .column, path: "", kind: .text, instance: 0, encoding: nil, hasEscapes: false,
    valueCount: 0, place: .table(offset: 0), length: 0, zone: .none)
}

extension RowGroupTable.Role {
  /// Whether there is at most one value for each row.
  fileprivate var isOfRows: Bool {
    switch self {
    case .shapeTexts, .identifierPool, .identifierFilter, .rareValues: false
    default: true
    }
  }
}

/// Reads paths, each of which repeats the beginning of the one before it. The row groups of a segment have nearly
/// the same ones, in the same order: a path that another table has next is taken from there.
struct PathReader {
  private var bytes: [UInt8] = []
  private var text = ""
  private let known: [RowGroupTable.Chunk]
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
    path.utf8.count == bytes.count
      && path.utf8.withContiguousStorageIfAvailable { path in
        // Both have as many bytes.
        path.baseAddress.map { memcmp($0, bytes, bytes.count) == 0 } ?? true
      } ?? false
  }
}

extension Int {
  /// The next multiple of eight from here on.
  var roundedUpToEight: Int { (self + 7) & ~7 }
}
