import Columnar
import QueryEngine

/// A table for a document: pipes and line ends inside cells are escaped.
struct MarkdownRenderer: ResultRenderer {
  static let needsColumnsFirst = true
  private let zone: DisplayZone
  private var columns: [String] = []
  private var hasHeader = false

  init(zone: DisplayZone) { self.zone = zone }

  mutating func begin(columns: [String]?, to output: inout OutputBuffer) {
    self.columns = columns ?? []
  }

  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws {
    let cells = batch.columns.map { CellColumn($0, style: .display, zone: zone) }
    writeHeader(isNumeric: cells.map(\.isNumeric), to: &output)
    for row in 0..<batch.rowCount {
      output.append("|")
      for cell in cells { append(cell.text(row), to: &output) }
      output.append("\n")
      try output.flushIfLarge()
    }
  }

  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) {
    writeHeader(isNumeric: columns.map { _ in false }, to: &output)
  }

  /// The header waits for the first rows: they tell which columns hold numbers.
  private mutating func writeHeader(isNumeric: [Bool], to output: inout OutputBuffer) {
    guard !hasHeader, !columns.isEmpty else { return }
    hasHeader = true
    output.append("|")
    for name in columns { append(Array(name.utf8)[...], to: &output) }
    output.append("\n|")
    for numeric in isNumeric { output.append(numeric ? " ---: |" : " --- |") }
    output.append("\n")
  }

  private func append(_ cell: ArraySlice<UInt8>, to output: inout OutputBuffer) {
    output.append(" ")
    for byte in cell {
      if byte == UInt8(ascii: "|") { output.bytes.append(UInt8(ascii: "\\")) }
      output.bytes.append(byte)
    }
    output.append(cell.isEmpty ? "|" : " |")
  }
}
