import Columnar

// `join` keeps the right side whole in memory, with an index of its keys, and lets the left rows pass
// by: each is copied once for every right row of an equal key, in the order of the right side.
//
//     left          right (entry: key, ms)        inner join
//     a, "7"        0: 7, 10                      a, "7" | 7, 10
//     b, "8"        1: 9, 20                      a, "7" | 7, 30
//     c, 9          2: 7, 30                      c, 9   | 9, 20
//
// A right side that memory has no room for lies on disk, in parts; see SpilledJoin.
//
// Keys are equal as `=` has it, so the text "7" meets the number 7; a missing key meets nothing. A left
// join keeps b with a missing right side.

/// `join`: pairs rows with those of an inner query.
struct JoinStep: RowCommand {
  /// A column of the inner query and the slot it becomes.
  struct Column: Sendable {
    let position: Int
    let slot: SlotID
  }

  let subplan: Int
  /// The key of the left side.
  let key: SlotID
  /// Whether left rows without partner are kept.
  let isLeft: Bool
  var columns: [Column]

  var name: String { "\(isLeft ? "left join" : "join") with subquery \(subplan + 1) on" }
  var inputs: [SlotID] { [key] }
  var outputs: [SlotID] { columns.map(\.slot) }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    JoinStage(self, layout: layout, control: control, next: next)
  }
}

/// Copies each left row once for each of its partners.
final class JoinStage: RowStage {
  private let step: JoinStep
  private let layout: PlanLayout
  private let control: RunControl
  private let next: any RowStage
  private let right: [ColumnVector]
  private var spilled: SpilledJoin?
  private var leftRows: SelectionVector = []
  private var rightRows: SelectionVector = []

  init(_ step: JoinStep, layout: PlanLayout, control: RunControl, next: any RowStage) {
    self.step = step
    self.layout = layout
    self.control = control
    self.next = next
    right = step.columns.map { layout.results[step.subplan].column($0.position) }
  }

  var isSatisfied: Bool { next.isSatisfied }

  func consume(_ batch: RowBatch) throws {
    try control.check()
    var frame = Frame(batch, layout: layout)
    let keys = try frame.column(step.key)
    let result = layout.results[step.subplan]
    if let side = result.spilled {
      if spilled == nil { spilled = try SpilledJoin(step, with: side, control: control) }
      return try spilled!.add(batch, key: keys)
    }
    let index = result.index
    for row in 0..<batch.rowCount where !isSatisfied {
      let partners = index.entries(equalTo: keys, at: row)
      if partners.isEmpty, step.isLeft { try add(UInt32(row), ColumnVector.missingRow, of: batch) }
      for partner in partners { try add(UInt32(row), partner, of: batch) }
    }
    try handOn(batch)
  }

  /// Many partners are handed on in pieces, so that the copies of a row are never all in memory.
  private func add(_ row: UInt32, _ partner: UInt32, of batch: RowBatch) throws {
    leftRows.append(row)
    rightRows.append(partner)
    if leftRows.count >= SortBuffer.rowsPerBatch { try handOn(batch) }
  }

  private func handOn(_ batch: RowBatch) throws {
    defer {
      leftRows.removeAll(keepingCapacity: true)
      rightRows.removeAll(keepingCapacity: true)
    }
    guard !leftRows.isEmpty, !isSatisfied else { return }
    try control.check()
    var result = batch.gather(leftRows)
    for (column, values) in zip(step.columns, right) {
      result.columns[column.slot] = values.gatherOrMissing(rightRows)
    }
    let byteCount = result.byteCount
    try control.budget.reserve(byteCount, for: "join")
    defer { control.budget.release(byteCount) }
    try next.consume(result)
  }

  func finish() throws {
    try spilled?.drain(until: { next.isSatisfied }) { batch in
      try control.check()
      try next.consume(batch)
    }
    spilled = nil
    try next.finish()
  }
}
