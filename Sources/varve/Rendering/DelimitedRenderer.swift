import Columnar
import QueryEngine

/// Comma and tab separated values with a header line.
struct DelimitedRenderer: ResultRenderer {
  enum Dialect {
    /// RFC 4180: fields with commas, quotes or line ends stand in quotes, lines end in CR LF.
    case csv
    /// Tabs, line ends and backslashes inside a field are written as `\t`, `\n`, `\r`, `\\`.
    case tsv
  }

  static let needsColumnsFirst = true
  private let dialect: Dialect
  private let zone: DisplayZone

  init(_ dialect: Dialect, zone: DisplayZone) { (self.dialect, self.zone) = (dialect, zone) }

  mutating func begin(columns: [String]?, to output: inout OutputBuffer) {
    for (index, name) in (columns ?? []).enumerated() {
      if index > 0 { output.bytes.append(separator) }
      append(field: Array(name.utf8)[...], to: &output.bytes)
    }
    endLine(&output)
  }

  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws {
    let cells = batch.columns.map { CellColumn($0, style: .exact, zone: zone) }
    for row in 0..<batch.rowCount {
      for (index, cell) in cells.enumerated() {
        if index > 0 { output.bytes.append(separator) }
        append(field: cell.text(row), to: &output.bytes)
      }
      endLine(&output)
      try output.flushIfLarge()
    }
  }

  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) {}

  private var separator: UInt8 { dialect == .csv ? UInt8(ascii: ",") : UInt8(ascii: "\t") }

  private func endLine(_ output: inout OutputBuffer) {
    output.append(dialect == .csv ? "\r\n" : "\n")
  }

  private func append(field: ArraySlice<UInt8>, to out: inout [UInt8]) {
    switch dialect {
    case .csv: appendCSV(field, to: &out)
    case .tsv: appendTSV(field, to: &out)
    }
  }

  private func appendCSV(_ field: ArraySlice<UInt8>, to out: inout [UInt8]) {
    guard field.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else {
      return out.append(contentsOf: field)
    }
    out.append(0x22)
    for byte in field {
      if byte == 0x22 { out.append(0x22) }
      out.append(byte)
    }
    out.append(0x22)
  }

  private func appendTSV(_ field: ArraySlice<UInt8>, to out: inout [UInt8]) {
    for byte in field {
      switch byte {
      case 0x09: out.append(contentsOf: "\\t".utf8)
      case 0x0A: out.append(contentsOf: "\\n".utf8)
      case 0x0D: out.append(contentsOf: "\\r".utf8)
      case 0x5C: out.append(contentsOf: "\\\\".utf8)
      default: out.append(byte)
      }
    }
  }
}
