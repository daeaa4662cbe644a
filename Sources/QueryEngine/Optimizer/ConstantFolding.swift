import Columnar

// What needs no row is worked out once: `1000 * 60` becomes 60000, `not true` becomes false, and a
// condition that is always true disappears. A definition of the plan is folded like a filter.

/// Replaces expressions without slots by their value.
enum ConstantFolding {
  static func apply(to plan: inout LogicalPlan) {
    let layout = plan
    for index in plan.slots.indices {
      guard case .expression(let definition) = plan.slots[index].source else { continue }
      let slot = plan.slots[index]
      plan.slots[index] = Slot(
        name: slot.name, source: .expression(definition.folded(layout)), segment: slot.segment,
        mayBeStructure: slot.mayBeStructure, mention: slot.mention)
    }
    for index in plan.segments.indices {
      plan.segments[index].filters = plan.segments[index].filters
        .flatMap { conjuncts(of: $0.folded(layout)) }
        .filter { !$0.isAlwaysTrue }
    }
  }

  private static func conjuncts(of condition: BoundExpression) -> [BoundExpression] {
    if case .and(let operands) = condition.kind { return operands.flatMap { conjuncts(of: $0) } }
    return [condition]
  }
}

extension BoundExpression {
  fileprivate var isAlwaysTrue: Bool { literal?.truth ?? false }

  /// The expression with every part that needs no row replaced by its value.
  fileprivate func folded(_ plan: LogicalPlan) -> BoundExpression {
    if literal != nil || slot != nil { return self }
    guard slots.isEmpty, isFoldable else { return mapChildren { $0.folded(plan) } }
    guard let value = constantValue(), !hasGivenUp else { return self }
    return BoundExpression(.literal(value))
  }

  /// Whether a search in it took too many steps, which the run is to find and to say.
  private var hasGivenUp: Bool {
    if case .matches(_, let regex, _) = kind, regex.limitedCount > 0 { return true }
    return children.contains(where: \.hasGivenUp)
  }

  /// Whether the value cannot depend on when and where the query runs. Calls are left alone: the
  /// clock, the window and what inner queries find belong to the run.
  private var isFoldable: Bool {
    switch kind {
    case .call, .amongRows: return false
    default: break
    }
    return children.allSatisfy(\.isFoldable)
  }

  private func constantValue() -> Value? {
    var frame = Frame.single
    guard let vector = try? evaluate(&frame) else { return nil }
    return vector.value(at: 0)
  }
}
