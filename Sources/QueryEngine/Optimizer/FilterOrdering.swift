import Columnar

// Conditions of one segment are independent of each other, so the cheap ones go first: each narrows
// what the dearer ones see. Among conditions of one cost the written order stays.
//
//     filter @message like /x.*y/ | filter status = 500     →  status = 500, then the regex

/// Puts cheap filters before dear ones.
enum FilterOrdering {
  static func apply(to plan: inout LogicalPlan) {
    for index in plan.segments.indices {
      let slots = plan.slots
      plan.segments[index].filters = plan.segments[index].filters.enumerated()
        .map { (cost: $0.element.cost(slots), place: $0.offset, filter: $0.element) }
        .sorted { ($0.cost, $0.place) < ($1.cost, $1.place) }
        .map(\.filter)
    }
  }
}

extension BoundExpression {
  /// A rough measure of the work per row.
  fileprivate func cost(_ plan: [Slot]) -> Int {
    let own =
      switch kind {
      case .literal: 0
      case .slot(let slot): Self.cost(of: plan[slot], plan)
      case .contains: 20
      case .matches, .matchesText: 60
      case .call: 30
      case .among(_, let values, _): 2 + values.count
      case .amongRows: 8
      default: 2
      }
    return min(1_000_000, children.reduce(own) { min(1_000_000, $0 + $1.cost(plan)) })
  }

  private static func cost(of slot: Slot, _ plan: [Slot]) -> Int {
    switch slot.source {
    case .event(.message): 100
    case .event(.timestamp): 1
    case .event: 10
    case .capture: 200
    case .expression(let definition): definition.cost(plan)
    case .barrier: 1
    }
  }
}
