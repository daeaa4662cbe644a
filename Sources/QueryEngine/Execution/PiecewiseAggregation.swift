// Aggregations that can be done a row group at a time: any worker makes the piece of a row group,
// and the pieces are merged one after the other, in the order of the scan.

/// An aggregation whose pieces are made side by side.
protocol PiecewiseAggregation: Sendable {
  associatedtype Piece: Sendable
  associatedtype Merger: PieceMerger where Merger.Piece == Piece

  /// What the rows of a frame contribute.
  func piece(of frame: inout Frame) throws -> Piece
  /// About how many bytes a piece takes.
  func byteCount(of piece: Piece) -> Int
  /// What takes the pieces.
  func merger(layout: PlanLayout, budget: MemoryBudget) -> Merger
}

extension PiecewiseAggregation {
  func byteCount(of piece: Piece) -> Int { 0 }
}

/// Takes pieces in order and makes the rows of the result.
protocol PieceMerger: Sendable {
  associatedtype Piece: Sendable

  mutating func merge(_ piece: Piece) throws
  /// Hands on the rows of the result, in their order, until `isDone`.
  mutating func finish(until isDone: () -> Bool, _ body: (RowBatch) throws -> Void) throws
}

/// Makes all rows of the result at once.
protocol WholePieceMerger: PieceMerger {
  mutating func finish() throws -> [RowBatch]
}

extension WholePieceMerger {
  mutating func finish(until isDone: () -> Bool, _ body: (RowBatch) throws -> Void) throws {
    for batch in try finish() where !isDone() { try body(batch) }
  }
}

extension Barrier {
  /// The aggregation, if this is one that can be done in pieces.
  var aggregation: (any PiecewiseAggregation)? {
    switch self {
    case .stats(let stats): stats
    case .command(let command): command as? any PiecewiseAggregation
    case .dedup, .matches: nil
    }
  }
}

extension StatsStep: PiecewiseAggregation {
  func piece(of frame: inout Frame) throws -> PartialGroups { try PartialGroups(self, of: &frame) }

  func byteCount(of piece: PartialGroups) -> Int { piece.byteCount }

  func merger(layout: PlanLayout, budget: MemoryBudget) -> GroupMerger {
    GroupMerger(self, layout: layout, budget: budget)
  }
}

/// Aggregates rows that an earlier segment hands on.
final class AggregationStage<Aggregation: PiecewiseAggregation>: RowStage {
  private let aggregation: Aggregation
  private let layout: PlanLayout
  private let control: RunControl
  private let next: any RowStage
  private var merger: Aggregation.Merger

  init(_ aggregation: Aggregation, layout: PlanLayout, control: RunControl, next: any RowStage) {
    self.aggregation = aggregation
    self.layout = layout
    self.control = control
    self.next = next
    merger = aggregation.merger(layout: layout, budget: control.budget)
  }

  var isSatisfied: Bool { false }

  func consume(_ batch: RowBatch) throws {
    try control.check()
    var frame = Frame(batch, layout: layout)
    try merger.merge(try aggregation.piece(of: &frame))
  }

  func finish() throws {
    try merger.finish(until: { next.isSatisfied }) { try next.consume($0) }
    try next.finish()
  }
}
