import Columnar

// The store can rule out a row group by what it knows of its columns, if it is told what every
// wanted event satisfies. Each filter of the first segment holds for every wanted event; those about
// one field of the event and literals are handed down. A row group that cannot satisfy one of them
// is never read.
//
//     filter status >= 500 and svc in ["a", "b"] and ms > limit
//            └ compare      └ oneOf                  └ not handed down: two fields

/// Hands the filters of the first segment to the scan as far as it can use them.
enum PredicateExtraction {
  static func apply(to plan: inout LogicalPlan) {
    plan.scan.predicates = plan.segments[0].filters.flatMap { predicates($0, plan) }
  }

  private static func predicates(_ filter: BoundExpression, _ plan: LogicalPlan) -> [FieldPredicate]
  {
    switch filter.kind {
    case .compare(let comparison, let left, let right):
      return comparisons(comparison, left, right, plan)
    case .among(let operand, let values, isNegated: false):
      return field(operand, plan).map { [FieldPredicate(field: $0, test: .oneOf(values))] } ?? []
    case .amongRows(let operand, .result(let result), isNegated: false):
      // A long list rules out little and is gone through for each row group.
      guard result.values.count <= 1_000 else { return [] }
      return field(operand, plan)
        .map { [FieldPredicate(field: $0, test: .oneOf(result.values))] } ?? []
    case .present(let operand):
      return field(operand, plan).map { [FieldPredicate(field: $0, test: .present)] } ?? []
    case .contains(let operand, let pattern, isNegated: false):
      return contains(operand, pattern, plan)
    case .and(let operands): return operands.flatMap { predicates($0, plan) }
    default:
      // Every other condition that reads one field and is false without it.
      return []
    }
  }

  private static func comparisons(
    _ comparison: FieldPredicate.Comparison, _ left: BoundExpression, _ right: BoundExpression,
    _ plan: LogicalPlan
  ) -> [FieldPredicate] {
    if let field = field(left, plan), let value = right.literal, !value.isMissing {
      return [FieldPredicate(field: field, test: .compare(comparison, value))]
    }
    if let field = field(right, plan), let value = left.literal, !value.isMissing {
      return [FieldPredicate(field: field, test: .compare(comparison.mirror, value))]
    }
    return []
  }

  private static func contains(
    _ operand: BoundExpression, _ pattern: BoundExpression, _ plan: LogicalPlan
  ) -> [FieldPredicate] {
    guard let field = field(operand, plan), case .string(let text)? = pattern.literal else {
      return []
    }
    return [
      FieldPredicate(field: field, test: .contains(Array(text.utf8), ignoringCase: false))
    ]
  }

  /// The field of the event that an expression is, if the store knows it by name.
  private static func field(_ expression: BoundExpression, _ plan: LogicalPlan) -> String? {
    guard let slot = expression.slot, case .event(let field) = plan.slots[slot].source else {
      return nil
    }
    switch field {
    case .discovered(let name): return name
    case .message: return "@message"
    case .timestamp, .ingestionTime, .logStream, .log, .pointer: return nil
    }
  }
}
