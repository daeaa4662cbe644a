import ArgumentParser

/// The forms in which rows are printed.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table, vertical, json, ndjson, csv, tsv, markdown, raw

  /// A terminal gets a table, a pipe gets one JSON object a row.
  static var standard: OutputFormat { Terminal.isOutputInteractive ? .table : .ndjson }
}
