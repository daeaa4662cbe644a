import Columnar
import QueryLanguage

// `countFrequent a, b` is `stats count(*) as _approxcount by a, b` in another order: the most
// frequent combination first, equally frequent ones by their values. The counts are exact.

extension Analyzer {
  mutating func bindCountFrequent(_ command: CountFrequentCommand) {
    // An aggregation takes the rows in any order, so what counts on their order is a step before.
    if segment.limit != nil || segment.tail != nil { closeSegment(barrier: nil) }
    sortsOfSegment = []
    var keys: [StatsStep.Key] = []
    var columns: [(name: String, slot: SlotID)] = []
    for field in command.fields {
      let bound = bindField(field)
      if isStructure(bound) {
        report(AnalyzerDiagnostics.structure("countFrequent", field.name, at: field.range))
      }
      let slot = addGroupSlot(field.name)
      keys.append(StatsStep.Key(expression: bound, output: slot))
      columns.append((field.name, slot))
    }
    let count = addGroupSlot("_approxcount")
    columns.append(("_approxcount", count))
    let counting = StatsStep.Output(aggregate: AggregateCall(kind: .countRows), output: count)
    closeSegment(
      barrier: .stats(
        StatsStep(keys: keys, aggregates: [counting], command: "countFrequent")))
    scope = Scope()
    scope.isOpen = false
    visible.startAfresh()
    for column in columns {
      scope.define(column.name, column.slot)
      visible.make(column.name, column.slot)
    }
    segment.sortKeys =
      [SortTerm(expression: BoundExpression(.slot(count)), isDescending: true)]
      + keys.map { SortTerm(expression: BoundExpression(.slot($0.output)), isDescending: false) }
  }

  private mutating func addGroupSlot(_ name: String) -> SlotID {
    addSlot(name, .barrier, mayBeStructure: false, segment: segments.count + 1)
  }
}
