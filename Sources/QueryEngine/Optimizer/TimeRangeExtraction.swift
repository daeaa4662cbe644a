import Columnar

// `filter @timestamp >= 1772445600000` bounds the window of the scan, so that whole days are never
// opened. `toMillis(@timestamp)` is the same number. The filter stays in the plan and decides the
// rows; the window only spares the scan what the filter would refuse anyway.

/// Narrows the window of the scan by conditions on the time of the events.
enum TimeRangeExtraction {
  static func apply(to plan: inout LogicalPlan) {
    var lower = plan.scan.window?.lowerBound ?? .min
    var upper = plan.scan.window?.upperBound ?? .max
    for filter in plan.segments[0].filters {
      guard case .compare(let comparison, let left, let right) = filter.kind else { continue }
      if isTime(left, plan), let time = time(right) {
        narrow(&lower, &upper, comparison, time)
      } else if isTime(right, plan), let time = time(left) {
        narrow(&lower, &upper, comparison.mirror, time)
      }
    }
    // A window that holds nothing is left to the filters: they refuse every row.
    guard lower <= upper, lower > .min || upper < .max else { return }
    plan.scan.window = lower...upper
  }

  private static func isTime(_ expression: BoundExpression, _ plan: LogicalPlan) -> Bool {
    if case .call(let call) = expression.kind, call.function.name.lowercased() == "tomillis" {
      return call.arguments.first?.isEventTime(in: plan) ?? false
    }
    return expression.isEventTime(in: plan)
  }

  /// The time a literal compares as; texts go by the rules of comparisons and are left alone.
  private static func time(_ expression: BoundExpression) -> Int64? {
    switch expression.literal {
    case .integer(let value)?, .timestamp(let value)?: value
    case .string(let text)?: Timestamp.parse(text)
    default: nil
    }
  }

  private static func narrow(
    _ lower: inout Int64, _ upper: inout Int64, _ comparison: FieldPredicate.Comparison,
    _ time: Int64
  ) {
    switch comparison {
    case .equal:
      lower = max(lower, time)
      upper = min(upper, time)
    case .less: upper = min(upper, time == .min ? time : time - 1)
    case .lessOrEqual: upper = min(upper, time)
    case .greater: lower = max(lower, time == .max ? time : time + 1)
    case .greaterOrEqual: lower = max(lower, time)
    case .notEqual: break
    }
  }
}

extension FieldPredicate.Comparison {
  /// The comparison with its sides exchanged.
  var mirror: FieldPredicate.Comparison {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }
}
