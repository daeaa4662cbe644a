import Columnar

// Some commands can say nothing of the first row before they have seen the last: where the fences of
// `outlier` lie, which bins `fillmissing` has to add. Their rows are held, counted against the
// budget, and handed on at the end.

/// What a command makes of all rows together.
protocol RowCollection: RowCommand {
  /// The rows that all rows become, in their order.
  ///
  /// - Parameter rows: `nil` if there is none.
  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch]
}

extension RowCollection {
  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    CollectingStage(self, layout: layout, control: control, next: next)
  }
}

/// Holds all rows and hands on what a command makes of them.
final class CollectingStage: RowStage {
  private let command: any RowCollection
  private let layout: PlanLayout
  private let control: RunControl
  private let next: any RowStage
  private var batches: [RowBatch] = []
  private var reserved = 0

  init(
    _ command: any RowCollection, layout: PlanLayout, control: RunControl, next: any RowStage
  ) {
    self.command = command
    self.layout = layout
    self.control = control
    self.next = next
  }

  var isSatisfied: Bool { false }

  func consume(_ batch: RowBatch) throws {
    try control.check()
    guard batch.rowCount > 0 else { return }
    // Twice: once as they came, once put together.
    try reserve(2 * batch.byteCount)
    batches.append(batch)
  }

  private func reserve(_ byteCount: Int) throws {
    try control.budget.reserve(byteCount, for: command.name)
    reserved += byteCount
  }

  func finish() throws {
    let rows = batches.isEmpty ? nil : RowBatch.concatenated(batches)
    batches = []
    for batch in try command.result(of: rows, layout: layout) {
      for start in stride(from: 0, to: batch.rowCount, by: SortBuffer.rowsPerBatch) {
        try control.check()
        guard !next.isSatisfied else { break }
        let end = min(start + SortBuffer.rowsPerBatch, batch.rowCount)
        try next.consume(batch.slice(start..<end))
      }
    }
    control.budget.release(reserved)
    try next.finish()
  }
}

extension RowBatch {
  /// One row with values in some slots, and none in all others that these rows have.
  func row(with values: [SlotID: Value]) -> RowBatch {
    var columns = columns.map { $0 == nil ? nil : ColumnVector.missing(count: 1) }
    for (slot, value) in values where !value.isMissing { columns[slot] = .values([value]) }
    for (slot, value) in values where value.isMissing { columns[slot] = .missing(count: 1) }
    return RowBatch(rowCount: 1, columns: columns)
  }
}
