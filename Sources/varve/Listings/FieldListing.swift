import Columnar
import LogStorage

/// What `fields` prints: the fields that queries discover by themselves.
struct FieldListing {
  private struct Field {
    var events = 0
    var types: Set<String> = []
    var storedBytes = 0
  }

  private var fields: [String: Field] = [:]
  /// Names in order of first appearance.
  private var names: [String] = []
  private var eventCount = 0
  /// Parts of the store that could not be read and are missing from the figures.
  private(set) var damagedParts: [String] = []
  /// Bytes of the group on disk, to list fields by what they cost; `nil` lists them as they appear.
  private let totalByteCount: UInt64?

  /// Reads the fields of some groups, or of all.
  ///
  /// - Complexity: one table of contents per row group, and each field's values in the first row
  ///   group that has it, for their type.
  init(_ source: any EventSource, groups: [String], totalByteCount: UInt64? = nil) throws {
    self.totalByteCount = totalByteCount
    let cursor = try source.scan(ScanRequest(logGroups: groups.isEmpty ? nil : groups))
    while let rowGroup = try cursor.next() {
      eventCount += rowGroup.rowCount
      for (name, rowCount) in try rowGroup.discoveredFields() {
        if fields[name] == nil { names.append(name) }
        let isNew = fields[name] == nil
        fields[name, default: Field()].events += rowCount
        if isNew {
          fields[name]?.types = Self.types(
            of: try rowGroup.column(DiscoveredName.path(ofName: name), rows: nil))
        }
      }
      let stored = (rowGroup as? EncodedRowGroupReader)?.storedByteCounts() ?? [:]
      for (path, bytes) in stored {
        fields[DiscoveredName.name(ofPath: path)]?.storedBytes += bytes
      }
    }
    damagedParts = cursor.statistics.damagedParts
  }

  /// Prints the fields, and what is missing from them.
  ///
  /// - Throws: `CommandExit.incomplete` after printing when parts were left out.
  func print(as format: OutputFormat) throws {
    try listing.print(as: format)
    DamageReport.show(damagedParts)
    if !damagedParts.isEmpty { throw CommandExit.incomplete }
  }

  private var listing: Listing {
    guard let totalByteCount else { return listingByAppearance }
    var listing = Listing(
      ("field", .text), ("type", .text), ("stored", .bytes), ("bytesPerEvent", .text),
      ("shareOfGroup", .share))
    // Fields of equal size stay in the order of their appearance.
    let order = names.enumerated().sorted {
      (fields[$1.element]?.storedBytes ?? 0, $0.offset)
        < (fields[$0.element]?.storedBytes ?? 0, $1.offset)
    }
    for name in order.map(\.element) {
      guard let field = fields[name] else { continue }
      let perEvent = Double(field.storedBytes) / Double(max(field.events, 1))
      listing.add(
        .string(name), .string(field.types.sorted().joined(separator: ", ")),
        Value(field.storedBytes), .double((perEvent * 1_000).rounded() / 1_000),
        .double(Double(field.storedBytes) / Double(max(totalByteCount, 1))))
    }
    return listing
  }

  private var listingByAppearance: Listing {
    var listing = Listing(
      ("field", .text), ("type", .text), ("events", .count), ("share", .share),
      ("stored", .bytes))
    for name in names {
      guard let field = fields[name] else { continue }
      listing.add(
        .string(name), .string(field.types.sorted().joined(separator: ", ")), Value(field.events),
        .double(Double(field.events) / Double(max(eventCount, 1))), Value(field.storedBytes))
    }
    return listing
  }

  private static func types(of vector: ColumnVector) -> Set<String> {
    switch vector {
    case .missing: []
    case .integers, .doubles, .decimals: ["number"]
    case .timestamps: ["timestamp"]
    case .booleans: ["boolean"]
    case .strings: ["string"]
    case .dictionary(let dictionary): types(of: dictionary.entries)
    case .constant(let value, _): type(of: value).map { [$0] } ?? []
    case .values(let values): Set(values.compactMap(type(of:)))
    }
  }

  private static func type(of value: Value) -> String? {
    switch value {
    case .missing: nil
    case .string: "string"
    case .integer, .double, .sourceNumber: "number"
    case .boolean, .jsonBoolean: "boolean"
    case .timestamp: "timestamp"
    case .list: "list"
    case .map: "map"
    }
  }
}
