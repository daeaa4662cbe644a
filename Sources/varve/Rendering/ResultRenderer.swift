import Columnar
import QueryEngine
import QueryLanguage

/// Prints the rows of one result in one form.
///
/// Calls come in this order: `begin` once, `write` for each batch, `finish` once.
protocol ResultRenderer {
  /// Whether the form needs all column names before the first row.
  static var needsColumnsFirst: Bool { get }

  /// - Parameter columns: the columns of every batch, or `nil` when batches differ in theirs.
  mutating func begin(columns: [String]?, to output: inout OutputBuffer) throws
  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws
  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) throws
}

/// Hands a result to the renderer of a form; a form that needs all columns first and a query that
/// does not tell them (`fields *`) are brought together by holding the rows back until the end.
struct ResultWriter {
  private var renderer: any ResultRenderer
  private var output: OutputBuffer
  private let columns: [String]?
  /// Whether anything was handed to the renderer: a query that fails at once leaves no header behind.
  private var hasBegun = false
  /// Batches held back until their columns are known; `nil` when rows flow at once.
  private var waiting: [ColumnBatch]?

  init(
    format: OutputFormat, columns: [String]?, zone: DisplayZone = .utc,
    output: OutputBuffer = .standardOutput()
  ) throws {
    if format == .raw { try RawRenderer.check(columns) }
    self.output = output
    self.columns = columns
    renderer = Self.makeRenderer(format, zone: zone)
    if columns == nil, type(of: renderer).needsColumnsFirst { waiting = [] }
  }

  private mutating func begin(columns: [String]?) throws {
    guard !hasBegun else { return }
    hasBegun = true
    try renderer.begin(columns: columns, to: &output)
  }

  mutating func write(_ batch: ColumnBatch) throws {
    if waiting != nil {
      waiting?.append(batch)
    } else {
      try begin(columns: columns)
      try renderer.write(batch, to: &output)
      try output.flushIfLarge()
    }
  }

  /// Ends the result and writes everything that waits. Without an outcome the rows are the whole
  /// story, as in listings.
  mutating func finish(_ outcome: QueryOutcome? = nil) throws {
    if let batches = waiting {
      waiting = nil
      let columns = Self.union(batches)
      try begin(columns: columns)
      for batch in batches { try write(batch.arranged(as: columns)) }
    }
    try begin(columns: columns)
    try renderer.finish(outcome, to: &output)
    try output.flush()
  }

  /// Writes what is there of a result that failed half-way. When the query was to end at once, nobody is waited for.
  mutating func abandon(waiting: Bool) throws {
    if waiting { try output.flush() } else { try output.flushWithoutWaiting() }
  }

  private static func makeRenderer(_ format: OutputFormat, zone: DisplayZone) -> any ResultRenderer
  {
    switch format {
    case .table: TableRenderer(zone: zone)
    case .vertical: VerticalRenderer(zone: zone)
    case .json: JSONRenderer(zone: zone)
    case .ndjson: NDJSONRenderer(zone: zone)
    case .csv: DelimitedRenderer(.csv, zone: zone)
    case .tsv: DelimitedRenderer(.tsv, zone: zone)
    case .markdown: MarkdownRenderer(zone: zone)
    case .raw: RawRenderer()
    }
  }

  /// Every column of any batch, in order of first appearance.
  private static func union(_ batches: [ColumnBatch]) -> [String] {
    var seen: Set<String> = []
    return batches.flatMap(\.names).filter { seen.insert($0).inserted }
  }
}

extension ColumnBatch {
  /// The same rows with the columns of `names`; those that the batch does not have are missing.
  fileprivate func arranged(as names: [String]) -> ColumnBatch {
    let place = Dictionary(uniqueKeysWithValues: zip(self.names, columns))
    return ColumnBatch(
      names: names, columns: names.map { place[$0] ?? .missing(count: rowCount) },
      rowCount: rowCount)
  }
}
