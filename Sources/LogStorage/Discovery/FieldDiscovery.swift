import Columnar

/// The fields that a query finds by itself in a row group, with how many rows have each.
///
/// Shapes answer for JSON events without reading a value, except that a field whose value is JSON
/// `null` counts as present here.
struct FieldDiscovery {
  let table: RowGroupTable

  func fields(
    shapeCodes: [UInt16], messages: (SelectionVector?) throws -> StringVector
  ) throws -> [(name: String, rowCount: Int)] {
    var order: [String] = []
    var counts: [String: Int] = [:]
    func add(_ name: String, _ rows: Int) {
      if counts[name] == nil { order.append(name) }
      counts[name, default: 0] += rows
    }
    for (index, shape) in table.shapes.enumerated() where index > 0 && shape.rowCount > 0 {
      var seen: Set<String> = []
      for (slot, chunk) in shape.columns.enumerated() where slot < shape.firstHiddenSlot {
        let path = table.chunks[chunk].path
        if seen.insert(path).inserted { add(path, shape.rowCount) }
      }
    }
    return order.map { ($0, counts[$0]!) }
  }
}
