import Columnar

/// Keeps the first row of each combination of values (language reference, 6.8).
///
/// Rows must come in the order of the query; the filter lives as long as the rows do.
struct DistinctFilter: Sendable {
  private var table: GroupTable

  init(keyCount: Int) { table = GroupTable(keyCount: keyCount) }

  /// How many combinations have been seen.
  var count: Int { table.count }

  /// How many values a combination has.
  var keyCount: Int { table.keyCount }

  /// The combinations of a range of numbers, one column per key.
  func keyColumns(_ range: Range<Int>) -> [ColumnVector] {
    table.keyColumns(range.map { UInt32($0) })
  }

  /// Bytes the filter occupies, about.
  var byteCount: Int { table.byteCount }

  /// The rows of a batch to keep, ascending: those whose combination was not seen before, and those
  /// that have no value in a column.
  mutating func firstRows(of columns: [ColumnVector], rowCount: Int) -> SelectionVector {
    var known = table.count
    let groups = table.assignGroups(keys: columns, rowCount: rowCount)
    var incomplete = Bitmap(repeating: false, count: rowCount)
    for column in columns {
      var missing = column.keyPresence()
      missing.invert()
      incomplete.formUnion(missing)
    }
    var rows: SelectionVector = []
    for (row, group) in groups.enumerated() {
      let isFirst = Int(group) >= known
      if isFirst { known = Int(group) + 1 }
      if isFirst || incomplete[row] { rows.append(UInt32(truncatingIfNeeded: row)) }
    }
    return rows
  }
}

extension ColumnVector {
  /// Set for the rows that have a value that can be a key: one that is no map and no list.
  fileprivate func keyPresence() -> Bitmap {
    switch self {
    case .values(let values):
      var present = presence()
      for (row, value) in values.enumerated() where value.isStructure { present[row] = false }
      return present
    case .constant(let value, let count) where value.isStructure:
      return Bitmap(repeating: false, count: count)
    case .dictionary(let v):
      guard case .values = v.entries else { return presence() }
      return v.rows(whereEntry: v.entries.keyPresence())
    default:
      return presence()
    }
  }
}
