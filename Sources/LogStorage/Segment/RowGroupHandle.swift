package import Columnar
import Synchronization

/// The immutable, shareable part of an encoded row group: where it lies, its table, and what the table
/// says about fields. Readers are made from it, one per query and worker.
///
/// Warm engines keep handles: opening a store again then costs no reads and no parsing.
package final class RowGroupHandle: Sendable {
  package let source: any ByteSource
  package let entry: RowGroupEntry
  let table: RowGroupTable
  /// What was worked out about fields so far.
  private let resolutions = Mutex<[String: FieldResolution]>([:])
  private let cache: DecodedChunkCache?
  /// Its bytes lie in a segment's file and not in memory.
  let isOfSegment: Bool
  private let rest = Mutex(Rest())
  private let announced = Mutex(Announced())
  private let filters = Mutex<[Int: IdentifierFilter]>([:])

  /// What the file was told to fetch.
  private struct Announced {
    var fields: Set<String> = []
    var chunks: Set<Int> = []
  }

  /// The decoder while nobody has it, and what the cache was told of it.
  private struct Rest {
    var decoder: RowGroupDecoder?
    var byteCount = 0
    /// Somebody is leaving a decoder, and waits for room.
    var isTakingBack = false
  }

  /// Reads and checks the table.
  ///
  /// - Throws: `StorageError` (`damaged`) naming the source and the row group's position.
  package convenience init(source: any ByteSource, entry: RowGroupEntry) throws {
    try self.init(source: source, entry: entry, cache: nil)
  }

  /// - Parameters:
  ///   - cache: bounds the decoded chunks that are kept; `nil` keeps none.
  ///   - neighbor: another row group of the segment, with probably the same fields.
  ///   - isOfSegment: whether the bytes lie in a segment's file; by default if there is a cache.
  init(
    source: any ByteSource, entry: RowGroupEntry, cache: DecodedChunkCache?,
    neighbor: RowGroupHandle? = nil, isOfSegment: Bool? = nil
  ) throws {
    self.source = source
    self.entry = entry
    self.isOfSegment = isOfSegment ?? (cache != nil)
    self.cache = cache.flatMap { $0.limit > 0 ? $0 : nil }
    let decompressor = DecompressorPool.shared.take()
    defer { DecompressorPool.shared.give(decompressor) }
    let bytes = try source.read(
      at: entry.offset + UInt64(entry.metadataOffset), count: Int(entry.metadataLength))
    let check = bytes.withUnsafeBytes { XXH64.hash($0) }
    guard check == entry.check else {
      throw Self.damage(
        source, entry, "its table has checksum \(hex(check)) where \(hex(entry.check)) is recorded")
    }
    do {
      table = try bytes.withUnsafeBytes {
        try RowGroupTable(
          decoding: $0, byteCount: Int(entry.metadataOffset), decompressor: decompressor,
          neighbor: neighbor?.table)
      }
    } catch let failure as DecodingFailure {
      throw Self.damage(source, entry, failure.reason)
    }
    guard table.rowCount == Int(entry.rowCount) else {
      throw Self.damage(
        source, entry, "its table has \(table.rowCount) rows where \(entry.rowCount) are recorded")
    }
  }

  deinit {
    cache?.remove(ObjectIdentifier(self), rest.withLock { $0.byteCount })
  }

  // MARK: Decoded chunks

  /// Whether what is decoded is kept for later scans.
  var keepsDecoded: Bool { cache != nil }

  /// A decoder for one reader, with what earlier ones left in it.
  func takeDecoder(countBytes: (@Sendable (Int) -> Void)?) -> RowGroupDecoder {
    let known = rest.withLock { rest in
      defer { rest.decoder = nil }
      return rest.decoder
    }
    let decoder = known ?? RowGroupDecoder(self)
    decoder.begin(
      scan: cache?.scan ?? 0, decompressor: DecompressorPool.shared.take(), countBytes: countBytes)
    return decoder
  }

  /// A decoder with nothing decoded in it, which tells what it reads and is not to be given back.
  func tracedDecoder(
    _ trace: ReadTrace, countBytes: (@Sendable (Int) -> Void)?
  ) -> RowGroupDecoder {
    let decoder = RowGroupDecoder(self)
    decoder.trace = trace
    decoder.begin(
      scan: 0, decompressor: DecompressorPool.shared.take(), countBytes: countBytes)
    return decoder
  }

  /// Takes a decoder back, and keeps what it decoded as far as the cache has room.
  func giveBack(_ decoder: RowGroupDecoder) {
    if let decompressor = decoder.end() { DecompressorPool.shared.give(decompressor) }
    guard let cache else { return }
    decoder.dropBulk()
    var byteCount = decoder.byteCount
    // Of two readers at the same time the first to end leaves its decoder.
    let former = rest.withLock { rest -> Int? in
      if rest.decoder != nil || rest.isTakingBack { return nil }
      rest.isTakingBack = true
      return rest.byteCount
    }
    guard let former else { return }
    var fits = cache.settle(self, byteCount, former: former)
    if !fits {
      // The fields that were asked for are worth more than the chunks they and some texts were made of.
      let whole = byteCount
      decoder.dropChunks()
      byteCount = decoder.byteCount
      fits = cache.settle(self, byteCount, former: whole)
    }
    rest.withLock { rest in
      rest.isTakingBack = false
      rest.decoder = fits ? decoder : nil
      rest.byteCount = fits ? byteCount : 0
    }
    if !fits { cache.free(byteCount) }
  }

  /// Drops decoded chunks that no scan since `scan` has used.
  ///
  /// - Returns: how many bytes that makes free.
  func dropDecoded(lastUsedUpTo scan: UInt64) -> Int {
    rest.withLock { rest in
      guard let decoder = rest.decoder else { return 0 }
      decoder.drop(lastUsedUpTo: scan)
      let former = rest.byteCount
      rest.byteCount = decoder.byteCount
      return former - rest.byteCount
    }
  }

  // MARK: Chunks

  /// Bytes of the row group, compared with their checksum.
  ///
  /// - Throws: `DecodingFailure` when they are not what was written.
  func bytes(offset: Int, length: Int, check: UInt32) throws -> [UInt8] {
    let bytes = try source.read(at: entry.offset + UInt64(offset), count: length)
    let found = bytes.withUnsafeBytes { UInt32(truncatingIfNeeded: XXH64.hash($0)) }
    guard found == check else {
      throw DecodingFailure(
        "checksum \(String(found, radix: 16)) where \(String(check, radix: 16)) is recorded")
    }
    return bytes
  }

  /// The filter over the ids of a width, if it is stored. Small, and kept.
  func identifierFilter(width: Int) throws -> IdentifierFilter? {
    if let known = filters.withLock({ $0[width] }) { return known }
    let stored = table.chunks.last { $0.role == .identifierFilter && Int($0.instance) == width }
    guard let stored, case .alone(let offset, let check) = stored.place else { return nil }
    let filter = try bytes(offset: offset, length: stored.length, check: check)
      .withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return try IdentifierFilter(from: &reader)
      }
    filters.withLock { $0[width] = filter }
    return filter
  }

  /// Bytes of the filters that are kept.
  var filterByteCount: Int { filters.withLock { $0.reduce(0) { $0 + $1.value.byteCount } } }

  // MARK: Reading ahead

  /// Gaps between chunks up to which they are fetched in one piece.
  private static let fetchedGap = 16 << 10

  /// Says that fields will be read for all rows, so that their chunks can be fetched side by side. Ids are left out: what
  /// looks for one reads them seldom.
  ///
  /// - Parameter inRows: whether the values will be placed in rows.
  func willRead(fields: [String], inRows: Bool) {
    guard isOfSegment else { return }
    let news = announced.withLock { announced in
      fields.filter { announced.fields.insert($0).inserted }
    }
    if news.isEmpty { return }
    var wanted: [Int] = []
    for field in news {
      let chunks = resolution(of: field).chunks
      wanted += chunks.filter { table.chunks[$0].encoding != .identifier }
    }
    if wanted.isEmpty { return }
    if inRows { wanted += table.chunks.indices.filter { table.chunks[$0].role == .shapeCodes } }
    willRead(chunks: wanted)
  }

  /// Says that the filters will be read which answer the questions.
  ///
  /// - Returns: whether there are some: then what else the row group has is probably not read at all.
  func willReadFilters(_ questions: [IdentifierQuestion]) -> Bool {
    let areAsked = questions.contains { question in
      resolution(of: question.field).chunks.contains { table.chunks[$0].encoding == .identifier }
    }
    if !areAsked { return false }
    let filters = table.chunks.indices.filter { table.chunks[$0].role == .identifierFilter }
    willRead(chunks: filters)
    return !filters.isEmpty
  }

  /// Which bytes of the row group are read for a chunk; `nil` if it lies in the table.
  private func bytes(of chunk: RowGroupTable.Chunk) -> Range<Int>? {
    switch chunk.place {
    case .alone(let offset, _): return offset..<offset + chunk.length
    case .pack(let number, _):
      let pack = table.packs[number]
      return pack.offset..<pack.offset + pack.length
    case .table: return nil
    case .rare(let values, _): return bytes(of: table.chunks[values])
    }
  }

  /// Says that chunks will be read; each is passed on once.
  func willRead(chunks: [Int]) {
    guard isOfSegment else { return }
    var wanted = announced.withLock { announced in
      chunks.filter { announced.chunks.insert($0).inserted }
    }
    if wanted.isEmpty { return }
    if wanted.contains(where: { table.chunks[$0].encoding == .identifier }) {
      wanted += table.chunks.indices.filter { table.chunks[$0].role == .identifierPool }
    }
    let places = Set(wanted.compactMap { bytes(of: table.chunks[$0]) })
    var pieces: [Range<Int>] = []
    for place in places.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = pieces.last, place.lowerBound - last.upperBound <= Self.fetchedGap {
        pieces[pieces.count - 1] = last.lowerBound..<max(last.upperBound, place.upperBound)
      } else {
        pieces.append(place)
      }
    }
    // Bytes come in the order in which they were asked for: what stands by itself, mostly ids and their pool, before the
    // long run of columns, which are worked on in their order as they come.
    for piece in pieces.sorted(by: { $0.count < $1.count }) {
      source.willRead(at: entry.offset + UInt64(piece.lowerBound), count: piece.count)
    }
  }

  static func damage(
    _ source: any ByteSource, _ entry: RowGroupEntry, _ what: String
  ) -> StorageError {
    StorageError(
      .damaged,
      "\(source.name): row group at byte \(entry.offset) (\(entry.rowCount) events from "
        + "\(Day.timeText(entry.minTime)) to \(Day.timeText(entry.maxTime))) is damaged: \(what)")
  }

  /// Where the values of a field are, shape by shape.
  func resolution(of field: String) -> FieldResolution {
    if let known = resolutions.withLock({ $0[field] }) { return known }
    let made = FieldResolution(field: field, table: table)
    resolutions.withLock { $0[field] = made }
    return made
  }

  /// Whether any row can have this field.
  package func mayHave(_ field: String) -> Bool { !resolution(of: field).isAbsent }

  /// Whether any row can satisfy the predicate, judged from the table alone.
  package func mayMatch(_ predicate: FieldPredicate) -> Bool {
    PredicatePruning.skipReason(predicate, handle: self) == nil
  }

  /// Why no row can satisfy all of the predicates, judged from the table alone; `nil` if one may.
  ///
  /// - Parameter readsFilters: whether ids are looked for in filters, which lie beside the table.
  func skipReason(_ predicates: [FieldPredicate], readsFilters: Bool = true) -> SkipReason? {
    for predicate in predicates {
      let reason = PredicatePruning.skipReason(
        predicate, handle: self, readsFilters: readsFilters)
      if let reason { return reason }
    }
    return nil
  }

  /// Chunk of a role that every row group has.
  func chunk(of role: RowGroupTable.Role) throws -> Int {
    guard let index = table.chunks.firstIndex(where: { $0.role == role }) else {
      throw Self.damage(source, entry, "it has no chunk of role \(role)")
    }
    return index
  }
}

/// For one field and one row group: what each shape has in its place.
struct FieldResolution: Sendable {
  enum Place: Sendable, Hashable {
    /// The shape does not have the field.
    case absent
    /// A scalar in this chunk.
    case chunk(Int)
    /// An object or array, or something inside a verbatim array: found by parsing the event.
    case structure
    /// A text event, whose fields are found in its text.
    case text
  }

  /// One place per shape of the row group.
  let places: [Place]
  /// Chunks that occur in `places`.
  let chunks: [Int]
  let hasStructures: Bool
  let hasTexts: Bool
  /// Whether some shape has a value, or parts of one, that another value of the same name hides.
  let hidesValues: Bool

  /// Whether no row has the field.
  var isAbsent: Bool { chunks.isEmpty && !hasStructures && !hasTexts }

  /// - Complexity: O(slots of all shapes) for each column of exactly this name, of which there are few.
  init(field: String, table: RowGroupTable) {
    let shapes = table.shapes
    let roles = Self.roles(field: field, table: table)
    var places = [Place](repeating: .absent, count: shapes.count)
    // Of several values of one name the one of the highest instance is visible, as the scanner numbered them.
    let values = roles.indices.filter { roles[$0] == .scalar || roles[$0] == .verbatim }
      .sorted { (table.chunks[$0].instance, $0) < (table.chunks[$1].instance, $1) }
    // Any value of exactly this name hides structures of that name.
    if roles.contains(.within) {
      shapes.forEachShape { shape, columns in
        if columns.contains(where: { roles[Int($0)] == .within }) { places[shape] = .structure }
      }
    }
    var isHiding = false
    for column in values {
      let place: Place = roles[column] == .scalar ? .chunk(column) : .structure
      shapes.forEachShape(having: UInt16(column)) { shape in
        isHiding = isHiding || places[shape] != .absent
        places[shape] = place
      }
    }
    hidesValues = isHiding
    // An object of nothing but empty containers has no column inside, and yet is there.
    let below = field + "."
    for (shape, paths) in shapes.emptyContainers where places[shape] == .absent {
      if paths.contains(where: { $0 == field || $0.hasPrefix(below) }) {
        places[shape] = .structure
      }
    }
    if !places.isEmpty { places[0] = shapes.rowCounts[0] > 0 ? .text : .absent }
    self.places = places
    chunks = Self.visible(values.filter { roles[$0] == .scalar }, places, shapes)
    hasStructures = places.contains(.structure)
    hasTexts = places.first == .text
  }

  /// Those of the chunks that have the visible value of a shape, in the order of the first such shapes.
  private static func visible(_ chunks: [Int], _ places: [Place], _ shapes: ShapeList) -> [Int] {
    if chunks.count == 1 { return places.contains(.chunk(chunks[0])) ? chunks : [] }
    let firsts = chunks.map { places.firstIndex(of: .chunk($0)) ?? places.count }
    return chunks.indices.filter { firsts[$0] < places.count }
      .sorted { firsts[$0] < firsts[$1] }.map { chunks[$0] }
  }

  private enum Role { case none, scalar, verbatim, within }

  /// What each chunk means for the field: its value, its value as a structure, or a part or ancestor.
  private static func roles(field: String, table: RowGroupTable) -> [Role] {
    let name = Array(field.utf8)
    return table.chunks.map { chunk in
      guard chunk.role == .column, chunk.kind != .text else { return .none }
      let isVerbatim = chunk.kind == .verbatim
      return chunk.path.utf8.withContiguousStorageIfAvailable { path in
        role(of: path, name, isVerbatim: isVerbatim)
      }
        ?? Array(chunk.path.utf8).withUnsafeBufferPointer {
          role(of: $0, name, isVerbatim: isVerbatim)
        }
    }
  }

  private static func role(
    of path: UnsafeBufferPointer<UInt8>, _ name: [UInt8], isVerbatim: Bool
  ) -> Role {
    let shorter = min(path.count, name.count)
    for i in 0..<shorter where path[i] != name[i] { return .none }
    let dot = UInt8(ascii: ".")
    if path.count == name.count { return isVerbatim ? .verbatim : .scalar }
    if path.count > shorter {
      return path[shorter] == dot && path.count > shorter + 1 ? .within : .none
    }
    return isVerbatim && name[shorter] == dot ? .within : .none
  }

}

func hex(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Decompression contexts, lent to one reader at a time: making one costs more than most chunks.
final class DecompressorPool: Sendable {
  static let shared = DecompressorPool()

  private let rest = Mutex<[Decompressor]>([])

  func take() -> Decompressor {
    rest.withLock { $0.popLast() } ?? Decompressor()
  }

  func give(_ decompressor: Decompressor) {
    rest.withLock { if $0.count < 16 { $0.append(decompressor) } }
  }
}
