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
    /// Which identifiers a pool may hold; their width stands in the place of the instance.
    case identifierFilter = 8
    /// Values of columns that few events have, column after column.
    case rareValues = 9
  }

  /// Where the bytes of a chunk are.
  enum Place: Sendable, Hashable {
    /// By themselves, from this byte of the row group on; `check` is the low half of their XXH64.
    case alone(offset: Int, check: UInt32)
    /// Among the small constants of the table, from this one on.
    case table(offset: Int)
    /// In a pack, from this byte of its raw bytes on.
    case pack(Int, offset: Int)
    /// Among the values of a chunk of rare values, from this one on.
    case rare(chunk: Int, first: Int)
  }

  /// Small chunks that are compressed together.
  struct Pack: Sendable, Hashable {
    /// Position in the row group's bytes.
    var offset: Int
    var length: Int
    /// Low half of the XXH64 of the pack's stored bytes.
    var check: UInt32
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
    var place: Place
    var length: Int
    var zone: ZoneMap
  }

  var rowCount: Int
  var chunks: [Chunk]
  var packs: [Pack]
  /// Bytes of the chunks that lie in the table.
  var constants: [UInt8]
  /// Shape 0 is always the text shape.
  var shapes: ShapeList
  var streams: [String]

  /// The columns, those with the most values first, of equally many the first.
  func columnsByUse() -> [UInt16] {
    let columns = chunks.indices.filter { chunks[$0].role == .column }
    return columns.sorted { (chunks[$1].valueCount, $0) < (chunks[$0].valueCount, $1) }
      .map { UInt16($0) }
  }

  /// The bytes of a chunk that lies in the table.
  ///
  /// - Precondition: the table was made, or read and checked, with this chunk in it.
  func constant(_ chunk: Chunk, from offset: Int) -> ArraySlice<UInt8> {
    constants[offset..<offset + chunk.length]
  }
}
