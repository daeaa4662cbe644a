import Columnar

// Many commands do one thing to the rows in the order in which they come: sum up, copy down,
// multiply. To the plan they are all the same: they read some slots, fill others behind the
// segment they end, and know the stage that does it.

/// A command that ends a segment and works on its rows in their order.
protocol RowCommand: Sendable {
  /// The command as a query writes it.
  var name: String { get }
  /// The slots it reads.
  var inputs: [SlotID] { get }
  /// The slots it fills for the segments behind it.
  var outputs: [SlotID] { get }
  /// Whether its rows are new ones, of which only `outputs` are known.
  var makesNewRows: Bool { get }
  /// Whether it reads the discovered fields of events, shown or not.
  var takesDiscovered: Bool { get }
  /// What does it in one run.
  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage
}

extension RowCommand {
  var makesNewRows: Bool { false }
  var takesDiscovered: Bool { false }
}

/// What a command does to the rows, a batch at a time, in order.
protocol RowTransform {
  /// Bytes kept from one batch to the next, about.
  var byteCount: Int { get }
  /// The rows that the next rows become.
  mutating func apply(_ batch: RowBatch, _ frame: inout Frame) throws -> RowBatch
  /// Says what is to be said behind the last row, if all rows came.
  func finish()
}

extension RowTransform {
  func finish() {}
}

/// Hands on the rows as a transform makes them.
final class TransformStage<Transform: RowTransform>: RowStage {
  private let name: String
  private var transform: Transform
  private let layout: PlanLayout
  private let control: RunControl
  private let next: any RowStage
  private var reserved = 0

  init(
    _ name: String, _ transform: Transform, layout: PlanLayout, control: RunControl,
    next: any RowStage
  ) {
    self.name = name
    self.transform = transform
    self.layout = layout
    self.control = control
    self.next = next
  }

  var isSatisfied: Bool { next.isSatisfied }

  func consume(_ batch: RowBatch) throws {
    try control.check()
    var frame = Frame(batch, layout: layout)
    let result = try transform.apply(batch, &frame)
    let byteCount = MemoryBudget.growing(transform.byteCount)
    try control.budget.reserve(byteCount - reserved, for: name)
    reserved = byteCount
    guard result.rowCount > 0 else { return }
    let added = max(0, result.byteCount - batch.byteCount)
    try control.budget.reserve(added, for: name)
    defer { control.budget.release(added) }
    try next.consume(result)
  }

  func finish() throws {
    if !next.isSatisfied { transform.finish() }
    control.budget.release(reserved)
    try next.finish()
  }
}
