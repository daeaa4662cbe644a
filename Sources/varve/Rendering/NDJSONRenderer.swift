import Columnar
import QueryEngine

/// One JSON object a row, columns in order, absent ones left out.
struct NDJSONRenderer: ResultRenderer {
  static let needsColumnsFirst = false
  let zone: DisplayZone

  mutating func begin(columns: [String]?, to output: inout OutputBuffer) {}

  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws {
    let rows = JSONRows(batch, zone: zone)
    for row in 0..<batch.rowCount {
      rows.append(row, to: &output.bytes)
      output.bytes.append(UInt8(ascii: "\n"))
      try output.flushIfLarge()
    }
  }

  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) {}
}

/// The rows of a batch as JSON objects.
struct JSONRows {
  private let cells: [CellColumn]
  /// `"name":` of each column.
  private let keys: [[UInt8]]

  init(_ batch: ColumnBatch, zone: DisplayZone) {
    cells = batch.columns.map { CellColumn($0, style: .json, zone: zone) }
    keys = batch.names.map { Array((JSONText.quoted($0) + ":").utf8) }
  }

  func append(_ row: Int, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "{"))
    var isFirst = true
    for index in cells.indices where !cells[index].isEmpty(row) {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      out.append(contentsOf: keys[index])
      cells[index].append(row, to: &out)
    }
    out.append(UInt8(ascii: "}"))
  }
}
