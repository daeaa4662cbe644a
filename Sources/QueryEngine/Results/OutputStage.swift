import Columnar

// The end of a query: slots get their names and leave as columns. Where `fields *` shows what each
// event has, a batch brings the columns its own rows have, so two batches may differ.

/// Names the columns and hands batches to the caller.
final class OutputStage: RowStage {
  private let layout: PlanLayout
  private let sink: (ColumnBatch) throws -> Void
  private var rest: Int
  /// Rows handed out so far.
  private(set) var rowCount = 0

  init(layout: PlanLayout, limit: Int?, sink: @escaping (ColumnBatch) throws -> Void) {
    self.layout = layout
    self.sink = sink
    rest = limit ?? .max
  }

  var isSatisfied: Bool { rest == 0 }

  func consume(_ batch: RowBatch) throws {
    guard rest > 0, batch.rowCount > 0 else { return }
    let rows = batch.slice(0..<min(rest, batch.rowCount))
    rest -= rows.rowCount
    rowCount += rows.rowCount
    var frame = Frame(rows, layout: layout)
    var names: [String] = []
    var columns: [ColumnVector] = []
    for column in layout.plan.output.columns {
      switch column {
      case .named(let name, let slot):
        names.append(name)
        columns.append(try frame.column(slot))
      case .discovered:
        // Fields that only rows behind a limit have are no columns of the result.
        for column in rows.discovered
        where !isListed(column.name) && !column.vector.isAllMissing {
          names.append(column.name)
          columns.append(column.vector)
        }
      }
    }
    // What a loop broke off must not leave the query.
    try StopPoint.check()
    try sink(ColumnBatch(names: names, columns: columns, rowCount: rows.rowCount))
  }

  private func isListed(_ name: String) -> Bool {
    layout.plan.output.columns.contains {
      if case .named(let other, _) = $0 { other == name } else { false }
    }
  }

  func finish() throws {}
}
