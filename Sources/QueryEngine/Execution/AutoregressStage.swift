import Columnar

/// `autoregress`: the values that a field had some rows before.
struct AutoregressStep: RowCommand {
  let field: SlotID
  /// How many rows back, one for each output, ascending.
  let lags: ClosedRange<Int>
  let outputs: [SlotID]

  var name: String { "autoregress" }
  var inputs: [SlotID] { [field] }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    TransformStage(
      name, EarlierValues(step: self), layout: layout, control: control, next: next)
  }
}

/// The last values of earlier batches, in front of those of the next one.
///
/// With lags 1 to 2, earlier values `a b` and the batch `c d e`, lag 2 is `a b c`: the values of
/// both together, two to the left of the batch.
private struct EarlierValues: RowTransform {
  let step: AutoregressStep
  private var earlier = ColumnVector.missing(count: 0)

  init(step: AutoregressStep) { self.step = step }

  var byteCount: Int { earlier.approximateByteCount }

  mutating func apply(_ batch: RowBatch, _ frame: inout Frame) throws -> RowBatch {
    let own = try frame.column(step.field)
    let all = earlier.count == 0 ? own : ColumnVector.concatenate([earlier, own])
    var result = batch
    for (lag, output) in zip(step.lags, step.outputs) {
      let rows = (0..<batch.rowCount).map { row -> UInt32 in
        let source = earlier.count + row - lag
        return source < 0 ? ColumnVector.missingRow : UInt32(source)
      }
      result.columns[output] = all.gatherOrMissing(rows)
    }
    earlier = all.slice(max(0, all.count - step.lags.upperBound)..<all.count)
    return result
  }
}
