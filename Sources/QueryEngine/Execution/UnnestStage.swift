import Columnar

/// `unnest` and `expand`: one row for each element of a list.
struct UnnestStep: RowCommand {
  enum Form: Sendable {
    /// What is no list counts as a list of itself; an empty list leaves no row.
    case unnest
    /// A text may hold the list; what is no list stays as it is; an empty list leaves one row.
    case expand
  }

  let form: Form
  let field: SlotID
  let output: SlotID

  var name: String { form == .unnest ? "unnest" : "expand" }
  var inputs: [SlotID] { [field] }
  var outputs: [SlotID] { [output] }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    UnnestStage(self, layout: layout, control: control, next: next)
  }

  /// The values that the rows made from one row get.
  func elements(of value: Value) -> [Value] {
    switch (form, value) {
    case (.unnest, .list(let elements)): return elements
    case (.expand, .list(let elements)): return elements.isEmpty ? [.missing] : elements
    case (.expand, .string(let text)):
      guard case .list(let elements)? = JSONValue.parse(text) else { return [value] }
      return elements.isEmpty ? [.missing] : elements
    default: return [value]
    }
  }
}

/// Copies each row once for each element, in place of the row.
final class UnnestStage: RowStage {
  private let step: UnnestStep
  private let layout: PlanLayout
  private let control: RunControl
  private let next: any RowStage
  private var rows: SelectionVector = []
  private var elements: [Value] = []

  init(_ step: UnnestStep, layout: PlanLayout, control: RunControl, next: any RowStage) {
    self.step = step
    self.layout = layout
    self.control = control
    self.next = next
  }

  var isSatisfied: Bool { next.isSatisfied }

  func consume(_ batch: RowBatch) throws {
    try control.check()
    var frame = Frame(batch, layout: layout)
    let column = try frame.column(step.field)
    for row in 0..<batch.rowCount where !isSatisfied {
      // A long list is handed on in pieces, so that its copies of a row are never all in memory.
      for element in step.elements(of: column.value(at: row)) {
        rows.append(UInt32(row))
        elements.append(element)
        if rows.count >= SortBuffer.rowsPerBatch { try handOn(batch) }
      }
    }
    try handOn(batch)
  }

  private func handOn(_ batch: RowBatch) throws {
    defer {
      rows.removeAll(keepingCapacity: true)
      elements.removeAll(keepingCapacity: true)
    }
    guard !rows.isEmpty, !isSatisfied else { return }
    var result = batch.gather(rows)
    result.columns[step.output] = .values(elements)
    let byteCount = result.byteCount
    try control.budget.reserve(byteCount, for: step.name)
    defer { control.budget.release(byteCount) }
    try next.consume(result)
  }

  func finish() throws { try next.finish() }
}
