import Columnar

/// `accum`: the sum of a field so far, in the order of the rows.
struct AccumStep: RowCommand {
  let field: SlotID
  let output: SlotID

  var name: String { "accum" }
  var inputs: [SlotID] { [field] }
  var outputs: [SlotID] { [output] }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    TransformStage(
      name, RunningSum(step: self), layout: layout, control: control, next: next)
  }
}

/// A sum that grows from row to row.
private struct RunningSum: RowTransform {
  let step: AccumStep
  private var sum = NumberSum()

  init(step: AccumStep) { self.step = step }

  var byteCount: Int { 0 }

  mutating func apply(_ batch: RowBatch, _ frame: inout Frame) throws -> RowBatch {
    let column = try frame.column(step.field)
    var sums: [Value] = []
    sums.reserveCapacity(batch.rowCount)
    for row in 0..<batch.rowCount {
      guard let number = column.value(at: row).number else {
        sums.append(.missing)
        continue
      }
      sum.add(number)
      sums.append(sum.value)
    }
    var result = batch
    result.columns[step.output] = .values(sums)
    return result
  }

}

/// A sum of numbers: the whole ones exactly, others with the error of each addition carried along.
struct NumberSum {
  private var whole: Int128 = 0
  private var rest = CompensatedSum()
  private var isFractional = false

  mutating func add(_ number: Number) {
    switch number {
    case .integer(let number): whole &+= Int128(number)
    case .double(let number):
      rest.add(number)
      isFractional = true
    }
  }

  /// The sum so far; missing if it is too large for a number.
  var value: Value {
    if !isFractional, let exact = Int64(exactly: whole) { return .integer(exact) }
    let sum = Double(whole) + rest.value
    return sum.isFinite ? .double(sum) : .missing
  }
}
