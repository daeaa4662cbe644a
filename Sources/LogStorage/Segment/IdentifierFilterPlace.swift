import Columnar

/// Where a row group's filter over ids lies, and of which fields it holds every value: what a segment's directory says of
/// it, so that a search for one id passes over a row group without even reading its table.
///
///     directory    row group 0   filter of ids of 16 bytes at 2,310,744   trace_id, parent.trace_id
///                  row group 1   filter of ids of 16 bytes at 2,298,120   trace_id
///     trace_id = "4bf9…"         row group 0: not in its filter, so it is not there; row group 1: may be there
///     parent.trace_id = "4bf9…"  row group 1: its table must be asked, as that field may have other values there
package struct IdentifierFilterPlace: Sendable, Hashable {
  /// From the row group's first byte on.
  var offset: UInt32
  var length: UInt32
  /// Low half of the XXH64 of its bytes.
  var check: UInt32
  /// Bytes of an id in the filter's pool.
  var width: UInt8
  /// Fields that have nothing but ids in this row group, ascending.
  var fields: [String]

  /// Bytes of an entry in the directory.
  static let byteCount = 32
  /// Fields that a segment can tell of.
  static let mostFields = 128

  /// The filter of the largest pool; `nil` if there is none, or no field has nothing but ids.
  init?(in table: RowGroupTable) {
    let filter = table.chunks.filter { $0.role == .identifierFilter }
      .max { $0.valueCount * Int($0.instance) < $1.valueCount * Int($1.instance) }
    guard let filter, case .alone(let offset, let check) = filter.place,
      let offset = UInt32(exactly: offset), let length = UInt32(exactly: filter.length),
      let width = UInt8(exactly: filter.instance)
    else { return nil }
    let paths = Set(
      table.chunks.filter { $0.role == .column && $0.holdsIdentifiers }.map(\.path))
    let fields = paths.filter { path in
      let resolution = FieldResolution(field: path, table: table)
      return !resolution.hasTexts && !resolution.hasStructures
        && resolution.chunks.allSatisfy { table.chunks[$0].holdsIdentifiers }
    }
    if fields.isEmpty { return nil }
    self.offset = offset
    self.length = length
    self.check = check
    self.width = width
    self.fields = fields.sorted()
  }

  /// Whether all that it tells is told by another one, too.
  func isContained(in other: IdentifierFilterPlace?) -> Bool {
    guard var other else { return false }
    guard Set(fields).isSubset(of: other.fields) else { return false }
    other.fields = fields
    return self == other
  }

  // MARK: Stored form

  /// The names that a segment's footer lists for its directory, ascending; not more than there is room for.
  static func names(of entries: [RowGroupEntry]) -> [String] {
    let all = entries.reduce(into: Set<String>()) {
      $0.formUnion($1.identifierFilter?.fields ?? [])
    }
    return Array(all.sorted().prefix(mostFields))
  }

  /// Appends `byteCount` bytes: offset, length, check u32; width u8; three zeros; a bit for each of the names, of which the
  /// lowest is the first one's.
  func encode(names: [String], into writer: inout FieldWriter) {
    writer.put(offset)
    writer.put(length)
    writer.put(check)
    writer.put(width)
    writer.put(raw: [0, 0, 0])
    var bits: UInt128 = 0
    for (number, name) in names.enumerated() where fields.contains(name) { bits |= 1 << number }
    writer.put(bits)
  }

  /// Reads what was written; `nil` where the directory tells of none.
  init?(_ reader: inout FieldReader, names: [String]) throws {
    offset = try reader.number()
    length = try reader.number()
    check = try reader.number()
    width = try reader.number()
    _ = try reader.raw(3)
    let bits = try reader.number(UInt128.self)
    fields = names.indices.filter { bits >> $0 & 1 != 0 }.map { names[$0] }
    if length == 0 || fields.isEmpty { return nil }
  }
}

extension RowGroupTable.Chunk {
  /// Whether its values are ids of texts, which lie in pools.
  fileprivate var holdsIdentifiers: Bool { encoding == .identifier && kind == .string }
}

/// What a predicate asks of filters over ids: whether one of these is there. Made once for all row groups of a scan.
struct IdentifierQuestion: Sendable {
  let field: String
  /// None, if no literal is an id: then no row of nothing but ids satisfies the predicate.
  let ids: [[UInt8]]

  /// `nil` if filters cannot decide on the predicate.
  init?(_ predicate: FieldPredicate) {
    let literals: [Value]
    switch predicate.test {
    case .compare(.equal, let literal): literals = [literal]
    case .oneOf(let some): literals = some
    case .compare, .present, .contains: return nil
    }
    if predicate.field.hasPrefix("@") { return nil }
    var ids: [[UInt8]] = []
    for literal in literals {
      switch IdentifierLiteral(literal) {
      case .identifier(let id): ids.append(id)
      case .noIdentifier: continue
      case .anything: return nil
      }
    }
    field = predicate.field
    self.ids = ids
  }
}

extension IdentifierFilterPlace {
  /// Whether the filter tells all that is asked.
  func decides(_ question: IdentifierQuestion) -> Bool {
    fields.contains(question.field) && question.ids.allSatisfy { $0.count == Int(width) }
  }
}
