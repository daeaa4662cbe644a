import Columnar

/// The fields that a query finds by itself in a row group, with how many rows have each.
///
/// Shapes answer for JSON events without reading a value, except that a field whose value is JSON
/// `null` counts as present here. Text events are looked into one by one.
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
        if seen.insert(path).inserted {
          add(DiscoveredName.name(ofPath: path), shape.rowCount)
        }
      }
    }
    for (name, rows) in try fieldsOfTexts(shapeCodes, messages) { add(name, rows) }
    return order.map { ($0, counts[$0]!) }
  }

  private func fieldsOfTexts(
    _ shapeCodes: [UInt16], _ messages: (SelectionVector?) throws -> StringVector
  ) throws -> [(name: String, rowCount: Int)] {
    guard table.shapes[0].rowCount > 0 else { return [] }
    let rows = shapeCodes.indices.filter { shapeCodes[$0] == 0 }.map { UInt32($0) }
    let texts = try messages(rows)
    var order: [String] = []
    var counts: [String: Int] = [:]
    texts.bytes.withUnsafeBytes { bytes in
      for row in 0..<texts.count {
        let text = UnsafeRawBufferPointer(rebasing: bytes[texts.range(row)])
        var seen: Set<String> = []
        for (name, _) in TextFields.fields(in: text) where seen.insert(name).inserted {
          if counts[name] == nil { order.append(name) }
          counts[name, default: 0] += 1
        }
      }
    }
    return order.map { ($0, counts[$0]!) }
  }
}
