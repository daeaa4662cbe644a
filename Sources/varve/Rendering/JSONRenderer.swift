import Columnar
import QueryEngine
import QueryLanguage

/// One object with the columns, all rows, the statistics and the warnings.
struct JSONRenderer: ResultRenderer {
  static let needsColumnsFirst = false
  private let zone: DisplayZone
  /// Columns in order of first appearance when the query does not tell them beforehand.
  private var discovered: [String]?
  private var hasRows = false

  init(zone: DisplayZone) { self.zone = zone }

  mutating func begin(columns: [String]?, to output: inout OutputBuffer) {
    output.append("{")
    if let columns {
      output.append(Self.member(columns: columns) + ",")
    } else {
      discovered = []
    }
    output.append("\"rows\":[")
  }

  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws {
    if let known = discovered {
      discovered = known + batch.names.filter { !known.contains($0) }
    }
    let rows = JSONRows(batch, zone: zone)
    for row in 0..<batch.rowCount {
      output.append(hasRows ? ",\n" : "\n")
      hasRows = true
      rows.append(row, to: &output.bytes)
      try output.flushIfLarge()
    }
  }

  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) {
    output.append(hasRows ? "\n]" : "]")
    if let discovered { output.append("," + Self.member(columns: discovered)) }
    if let outcome {
      output.append(",\"statistics\":" + outcome.statistics.json)
      let warnings = outcome.warnings.map(\.json).joined(separator: ",")
      output.append(",\"warnings\":[\(warnings)]")
    }
    output.append("}\n")
  }

  private static func member(columns: [String]) -> String {
    "\"columns\":[" + columns.map(JSONText.quoted).joined(separator: ",") + "]"
  }
}

extension Diagnostic {
  /// Code, text and place, in bytes of the query.
  var json: String {
    JSONText.object {
      $0.add("code", id.code)
      $0.add("name", id.name)
      $0.add("severity", severity.rawValue)
      $0.add("message", message)
      $0.add("start", range.start)
      $0.add("end", range.end)
    }
  }
}
