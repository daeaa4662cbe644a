import Columnar
import QueryEngine

/// One line a field, for rows that are too wide to stand side by side.
struct VerticalRenderer: ResultRenderer {
  static let needsColumnsFirst = false
  private let zone: DisplayZone
  private var rowNumber = 0

  init(zone: DisplayZone) { self.zone = zone }

  mutating func begin(columns: [String]?, to output: inout OutputBuffer) {}

  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws {
    let cells = batch.columns.map { CellColumn($0, style: .display, zone: zone) }
    let widest = batch.names.map { CellWidth.of($0) }.max() ?? 0
    let labels = batch.names.map { name in
      TextStyle.output.dim(name + String(repeating: " ", count: widest - CellWidth.of(name)))
        + "  "
    }
    for row in 0..<batch.rowCount {
      rowNumber += 1
      if rowNumber > 1 { output.append("\n") }
      output.append(TextStyle.output.bold("Row \(rowNumber)") + "\n")
      for (label, cell) in zip(labels, cells) where !cell.isEmpty(row) {
        output.append(label)
        cell.append(row, to: &output.bytes)
        output.append("\n")
      }
      try output.flushIfLarge()
    }
  }

  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) {
    if rowNumber == 0 { output.append("(no rows)\n") }
  }
}
