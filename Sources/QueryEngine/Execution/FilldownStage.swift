import Columnar

/// `filldown`: the last value above, where a field has none or an empty text.
struct FilldownStep: RowCommand {
  let inputs: [SlotID]
  /// One for each input.
  let outputs: [SlotID]

  var name: String { "filldown" }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    TransformStage(
      name, LastValues(step: self), layout: layout, control: control, next: next)
  }
}

/// The last value of each field, as a column of at most one row.
private struct LastValues: RowTransform {
  let step: FilldownStep
  private var last: [ColumnVector]

  init(step: FilldownStep) {
    self.step = step
    last = step.inputs.map { _ in .missing(count: 0) }
  }

  var byteCount: Int { last.reduce(0) { $0 + $1.approximateByteCount } }

  mutating func apply(_ batch: RowBatch, _ frame: inout Frame) throws -> RowBatch {
    var result = batch
    for (index, slot) in step.inputs.enumerated() {
      let own = try frame.column(slot)
      let above = last[index].count
      let all = above == 0 ? own : ColumnVector.concatenate([last[index], own])
      var source: Int? = above == 0 ? nil : 0
      let rows = (0..<batch.rowCount).map { row -> UInt32 in
        if !own.isBlank(at: row) { source = above + row }
        return UInt32(source ?? above + row)
      }
      result.columns[step.outputs[index]] = all.gather(rows)
      if let source { last[index] = all.slice(source..<source + 1) }
    }
    return result
  }
}

extension ColumnVector {
  /// Whether a row has no value or an empty text.
  fileprivate func isBlank(at row: Int) -> Bool {
    if case .strings(let texts) = self {
      return !(texts.validity?[row] ?? true) || texts.range(row).isEmpty
    }
    let value = value(at: row)
    return value.isMissing || value == .string("")
  }
}
