/// The rules that make a plan cheaper without changing its answer, in the order they run.
enum Optimizer {
  static func optimized(_ plan: LogicalPlan) -> LogicalPlan {
    var plan = plan
    ConstantFolding.apply(to: &plan)
    FilterOrdering.apply(to: &plan)
    TimeRangeExtraction.apply(to: &plan)
    PredicateExtraction.apply(to: &plan)
    for index in plan.subplans.indices {
      plan.subplans[index].plan = optimized(plan.subplans[index].plan)
    }
    return plan
  }
}
