import Columnar
import QueryLanguage

// `logcompare` behind a `stats` runs the commands before it as an inner query over the earlier
// window. There `@timestamp` in a key means the time so much later, so that `by bin(1h)` names the
// same hours in both.

extension Analyzer {
  mutating func bindLogcompare(_ command: LogcompareCommand, at range: SourceRange) {
    let shift = Period(command.timeshift)
    let aggregation = segments.last { $0.barrier?.makesNewRows == true }?.barrier
    if case .stats(let stats)? = aggregation {
      bindLogcompare(stats, shift, at: range)
    } else {
      bindComparison("logcompare", at: range) {
        $0.moved { shift.shift(bound: $0, isNegative: true) }
      }
    }
  }

  private mutating func bindLogcompare(
    _ stats: StatsStep, _ shift: Period, at range: SourceRange
  ) {
    guard let window = scan.window, isBounded(window) else {
      report(Self.noWindow("logcompare", at: range))
      return
    }
    let earlier = window.moved { shift.shift(bound: $0, isNegative: true) }
    let (length, overflow) = window.lowerBound.subtractingReportingOverflow(earlier.lowerBound)
    let distance = Period(DurationLiteral(count: overflow ? .max : length, unit: .millisecond))
    var shown = visibleNames(at: range).map(\.name)
    let known = visible.made.filter { scope.named[$0.name] == $0.slot }
    let keyOutputs = orderedKeys(stats)
    let isKey = Set(keyOutputs)
    var plan = planSoFar(
      window: earlier, columns: known.map { .named($0.name, $0.slot) })
    plan.moveKeys(by: distance, time: eventSlots[.timestamp])
    let subplan = add(Subplan(name: "logcompare", plan: plan, use: .rows))
    var keys: [LogcompareStep.Key] = []
    var columns: [LogcompareStep.Output] = []
    var made: [RowOutput] = []
    for (position, column) in known.enumerated() {
      let value = output(FieldName(segments: [column.name]), mayBeStructure: true)
      made.append(value)
      if isKey.contains(column.slot) {
        keys.append(.init(now: column.slot, position: position, output: value.slot))
        continue
      }
      let others = ["_baseline", "_delta"].map {
        output(FieldName(segments: [column.name + $0]), mayBeStructure: true)
      }
      made += others
      if shown.contains(column.name) { shown += others.map(\.name) }
      columns.append(
        .init(
          now: column.slot, position: position, value: value.slot, baseline: others[0].slot,
          delta: others[1].slot))
    }
    keys.sort {
      (keyOutputs.firstIndex(of: $0.now) ?? 0) < (keyOutputs.firstIndex(of: $1.now) ?? 0)
    }
    closeSegment(
      barrier: .command(LogcompareStep(subplan: subplan, keys: keys, columns: columns)))
    scope = Scope()
    scope.isOpen = false
    visible.startAfresh()
    for output in made {
      scope.define(output.name, output.slot)
      if shown.contains(output.name) { visible.make(output.name, output.slot) }
    }
  }

  /// The keys in the order in which they order rows.
  private func orderedKeys(_ stats: StatsStep) -> [SlotID] {
    var keys = stats.keys.map(\.output)
    if let time = stats.timeKey { keys.insert(keys.remove(at: time), at: 0) }
    return keys
  }
}

extension LogicalPlan {
  /// Lets the keys of all aggregations, and what they are computed from, see times so much later.
  fileprivate mutating func moveKeys(by distance: Period, time: SlotID?) {
    guard let time else { return }
    var moved: Set<SlotID> = []
    for index in segments.indices {
      guard case .stats(var stats)? = segments[index].barrier else { continue }
      for key in stats.keys.indices {
        stats.keys[key].expression = move(stats.keys[key].expression, distance, time, &moved)
      }
      segments[index].barrier = .stats(stats)
    }
  }

  private mutating func move(
    _ expression: BoundExpression, _ distance: Period, _ time: SlotID, _ moved: inout Set<SlotID>
  ) -> BoundExpression {
    for slot in expression.slots where moved.insert(slot).inserted {
      guard case .expression(let definition) = slots[slot].source else { continue }
      let later = move(definition, distance, time, &moved)
      let old = slots[slot]
      slots[slot] = Slot(
        name: old.name, source: .expression(later), segment: old.segment,
        mayBeStructure: old.mayBeStructure, mention: old.mention)
    }
    return expression.replacing(time) { .init(.shift($0, distance, isNegative: false)) }
  }
}

extension BoundExpression {
  fileprivate func replacing(
    _ wanted: SlotID, _ change: (BoundExpression) -> BoundExpression
  ) -> BoundExpression {
    slot == wanted ? change(self) : mapChildren { $0.replacing(wanted, change) }
  }
}
