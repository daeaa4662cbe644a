import Columnar

/// A plan with what running it needs to look up: which values outlive which segment.
final class PlanLayout: Sendable {
  let plan: LogicalPlan
  /// By extraction, the slot of each capture; `nil` where a capture has none of its own.
  let captures: [[SlotID?]]
  /// By segment, the slots whose values are read behind its end and exist by then, ascending.
  let liveOut: [[SlotID]]
  /// Whether the result shows the discovered fields of each event, or a command reads them all.
  let showsDiscovered: Bool

  let context: RunContext

  /// What the inner queries of the plan left, by their number.
  let results: [SubplanResult]

  init(_ plan: LogicalPlan, context: RunContext, results: [SubplanResult] = []) {
    self.plan = plan
    self.context = context
    self.results = results
    captures = Self.captureSlots(plan)
    liveOut = plan.segments.indices.map { Self.live(after: $0, in: plan) }
    showsDiscovered =
      plan.output.names == nil
      || plan.segments.contains { segment in
        guard case .command(let command)? = segment.barrier else { return false }
        return command.takesDiscovered
      }
  }

  private static func captureSlots(_ plan: LogicalPlan) -> [[SlotID?]] {
    var captures = plan.extractions.map { [SlotID?](repeating: nil, count: $0.captureCount) }
    for (slot, definition) in plan.slots.enumerated() {
      if case .capture(let extraction, let index) = definition.source {
        captures[extraction][index] = slot
      }
    }
    return captures
  }

  /// The slots whose values are read behind a segment, those of its own barrier among them.
  static func slotsRead(behind segment: Int, in plan: LogicalPlan) -> Set<SlotID> {
    var wanted = Wanted(plan: plan, segment: segment)
    wanted.addAll(behind: segment)
    return wanted.visited
  }

  /// The slots that a barrier fills exist only behind it, so they are not live before.
  private static func live(after segment: Int, in plan: LogicalPlan) -> [SlotID] {
    var wanted = Wanted(plan: plan, segment: segment)
    if let barrier = plan.segments[segment].barrier { wanted.add(barrier) }
    if plan.segments[segment].barrier?.makesNewRows == true { return wanted.slots.sorted() }
    wanted.addAll(behind: segment)
    return wanted.slots.sorted()
  }
}

/// Collects the slots that are read, following definitions that stand behind the segment's end.
private struct Wanted {
  let plan: LogicalPlan
  let segment: Int
  private(set) var slots: Set<SlotID> = []
  private(set) var visited: Set<SlotID> = []

  init(plan: LogicalPlan, segment: Int) {
    self.plan = plan
    self.segment = segment
  }

  /// Adds what the segments behind one read, up to the first that makes new rows.
  mutating func addAll(behind segment: Int) {
    for later in plan.segments[(segment + 1)...] {
      later.filters.forEach { add($0) }
      later.sortKeys.forEach { add($0.expression) }
      if let barrier = later.barrier { add(barrier) }
      if later.barrier?.makesNewRows == true { return }
    }
    for case .named(_, let slot) in plan.output.columns { add(slot) }
  }

  mutating func add(_ expression: BoundExpression) {
    for slot in expression.slots { add(slot) }
  }

  mutating func add(_ barrier: Barrier) {
    switch barrier {
    case .stats(let stats):
      for key in stats.keys { add(key.expression) }
      for output in stats.aggregates {
        if let argument = output.aggregate.argument { add(argument) }
        if let time = output.aggregate.time { add(time) }
      }
    case .dedup(let keys): keys.forEach { add($0) }
    case .matches(let extraction, _): add(plan.extractions[extraction].source)
    case .command(let command): command.inputs.forEach { add($0) }
    }
  }

  mutating func add(_ slot: SlotID) {
    guard visited.insert(slot).inserted else { return }
    let definition = plan.slots[slot]
    if definition.segment <= segment {
      slots.insert(slot)
      return
    }
    switch definition.source {
    case .expression(let expression): add(expression)
    case .capture(let extraction, _): add(plan.extractions[extraction].source)
    case .event: slots.insert(slot)
    case .barrier: break
    }
  }
}
