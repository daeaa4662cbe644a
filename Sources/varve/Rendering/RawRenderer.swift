import Columnar
import QueryEngine

/// The bytes of each event exactly as they were ingested, each followed by a line end.
struct RawRenderer: ResultRenderer {
  static let needsColumnsFirst = false

  /// Says before the query runs that there will be nothing to print.
  static func check(_ columns: [String]?) throws {
    if let columns, !columns.contains("@message") { throw noMessage }
  }

  mutating func begin(columns: [String]?, to output: inout OutputBuffer) {}

  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws {
    guard let index = batch.names.firstIndex(of: "@message") else { throw Self.noMessage }
    // `exact` copies texts byte for byte, whatever they hold.
    let cells = CellColumn(batch.columns[index], style: .exact, zone: .utc)
    for row in 0..<batch.rowCount {
      cells.append(row, to: &output.bytes)
      output.bytes.append(UInt8(ascii: "\n"))
      try output.flushIfLarge()
    }
  }

  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) {}

  private static let noMessage = CommandFailure.usage(
    "--output raw prints the @message of each row, and this query's rows have none; "
      + "end it with 'display @message' or choose another output")
}
