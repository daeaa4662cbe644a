import Columnar

/// `appendcols`: puts the n-th row of an inner query beside the n-th row.
///
/// A field that both have keeps the value of the row itself where there is one, or gives way to
/// the other one with `override`. Behind the last row of the inner query rows stay as they are.
struct AppendcolsStep: RowCommand {
  /// A column of the inner query.
  struct Column: Sendable {
    let position: Int
    /// The field of the same name in the rows.
    let existing: SlotID?
    let output: SlotID
  }

  let subplan: Int
  let overrides: Bool
  let columns: [Column]

  var name: String { "appendcols" }
  var inputs: [SlotID] { columns.compactMap(\.existing) }
  var outputs: [SlotID] { columns.map(\.output) }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    let appended = columns.map { layout.results[subplan].column($0.position) }
    let transform = ColumnAppending(step: self, appended: appended)
    return TransformStage(name, transform, layout: layout, control: control, next: next)
  }
}

private struct ColumnAppending: RowTransform {
  let step: AppendcolsStep
  let appended: [ColumnVector]
  private var position = 0

  init(step: AppendcolsStep, appended: [ColumnVector]) {
    self.step = step
    self.appended = appended
  }

  var byteCount: Int { 0 }

  mutating func apply(_ batch: RowBatch, _ frame: inout Frame) throws -> RowBatch {
    var result = batch
    for (column, whole) in zip(step.columns, appended) {
      let rows = (position..<position + batch.rowCount).map {
        $0 < whole.count ? UInt32($0) : ColumnVector.missingRow
      }
      let added = whole.gatherOrMissing(rows)
      guard let existing = column.existing else {
        result.columns[column.output] = added
        continue
      }
      let own = try frame.column(existing)
      result.columns[column.output] =
        step.overrides ? added.filled(from: own) : own.filled(from: added)
    }
    position += batch.rowCount
    return result
  }
}

extension ColumnVector {
  /// The vector with the other one's values in rows that are missing.
  fileprivate func filled(from other: ColumnVector) -> ColumnVector {
    let present = presence()
    if present.isFull { return self }
    if present.isEmpty { return other }
    return ColumnVector(
      (0..<count).map { present[$0] ? value(at: $0) : other.value(at: $0) })
  }
}
