import Columnar
package import QueryLanguage

// The commands that see all rows before they hand on the first, and `estimate`, which sees none.

extension DiagnosticID {
  package static let fillmissingWithoutBin = DiagnosticID("E209", "fillmissing-without-bin")
}

extension Analyzer {
  mutating func bindOutlier(_ command: OutlierCommand) {
    var made: [RowOutput] = []
    var fields: [OutlierStep.Field] = []
    var names: Set<String> = []
    for name in command.fields where names.insert(name.name).inserted {
      let input = bindInput(name, of: "outlier")
      var changed: RowOutput?
      if command.action == .transform { changed = output(name, mayBeStructure: false) }
      var mark: RowOutput?
      if command.marks {
        let marker = FieldName(segments: ["\(name.name)_outlier"], range: name.range)
        mark = output(marker, mayBeStructure: false)
      }
      made += [changed, mark].compactMap(\.self)
      fields.append(.init(input: input, output: changed?.slot, mark: mark?.slot))
    }
    let step = OutlierStep(
      dropsRows: command.action == .remove, factor: command.factor,
      usesLowerFence: command.usesLowerFence, fields: fields)
    close(with: step, made)
  }

  mutating func bindSessionize(_ command: SessionizeCommand, at range: SourceRange) {
    let fields = command.fields.map { bindInput($0, of: "sessionize") }
    guard let time = rowTime(for: "sessionize", at: range) else { return }
    let maxspan = command.maxspan ?? DurationLiteral(count: 30, unit: .minute)
    let name = command.alias ?? FieldName(segments: ["session_id"], range: range)
    let output = output(name, mayBeStructure: false)
    let step = SessionizeStep(
      fields: fields, time: time, pause: Period(maxspan), output: output.slot)
    close(with: step, [output])
  }

  /// The time of the rows, reported if an earlier `stats` dropped it.
  private mutating func rowTime(for command: String, at range: SourceRange) -> SlotID? {
    if scope.isOpen { return eventSlot(.timestamp) }
    if let slot = scope.named["@timestamp"] ?? scope.timeKey { return slot }
    report(AnalyzerDiagnostics.timeDropped(command, period: nil, at: range))
    return nil
  }

  /// `estimate` stands last: its one column is all that is left.
  mutating func bindEstimate() {
    closeSegment(barrier: nil)
    let slot = addSlot("estimatedBytes", .barrier, mayBeStructure: false)
    estimate = slot
    visible.startAfresh()
    visible.display = [.named("estimatedBytes", slot)]
  }
}

// MARK: - addtotals

extension Analyzer {
  mutating func bindAddtotals(_ command: AddtotalsCommand, at range: SourceRange) {
    var fields: [SlotID] = []
    if command.fields.isEmpty {
      fields = summable(at: range)
    } else {
      for name in command.fields { fields.append(bindInput(name, of: "addtotals")) }
    }
    var made: [RowOutput] = []
    if command.addsRowTotal {
      let name = command.fieldName ?? FieldName(segments: ["Total"], range: range)
      made.append(output(name, mayBeStructure: false))
    }
    let showsDiscovered = outputColumns().contains { $0.isDiscovered }
    let step = AddtotalsStep(
      fields: fields, takesDiscovered: command.fields.isEmpty && showsDiscovered,
      listed: visibleNames(at: range).map(\.name), total: made.first?.slot,
      addsSummaryRow: command.addsSummaryRow, visible: command.addsSummaryRow ? outputColumns() : []
    )
    close(with: step, made)
  }

  /// The visible columns that may hold numbers to sum: neither fields of the system nor group keys.
  private mutating func summable(at range: SourceRange) -> [SlotID] {
    let keys = groupKeys()
    return visibleNames(at: range).compactMap { name in
      guard !name.name.hasPrefix("@"), let bound = resolve(name) else { return nil }
      let slot = slot(of: bound, named: name.name)
      return keys.contains(origin(of: slot)) ? nil : slot
    }
  }

  /// The keys of the last aggregation.
  private func groupKeys() -> Set<SlotID> {
    for segment in segments.reversed() {
      if case .stats(let stats)? = segment.barrier { return Set(stats.keys.map(\.output)) }
    }
    return []
  }

  /// The slot that a slot is another name of.
  private func origin(of slot: SlotID) -> SlotID {
    if case .expression(let definition) = slots[slot].source, let other = definition.slot {
      return origin(of: other)
    }
    return slot
  }
}

// MARK: - fillmissing

extension Analyzer {
  mutating func bindFillmissing(_ command: FillmissingCommand, at range: SourceRange) {
    guard let key = onlyTimeKey() else {
      report(Self.fillmissingWithoutBin(at: range))
      return
    }
    var made: [RowOutput] = []
    var fillings: [FillmissingStep.Filling] = []
    for filling in command.fillings {
      let input = bindInput(filling.field)
      guard let value = fillingValue(filling.value) else { continue }
      let output = output(filling.field, mayBeStructure: slots[input].mayBeStructure)
      if key.isKey(input) {
        report(Self.fillsKey(filling.field))
        continue
      }
      made.append(output)
      fillings.append(.init(input: input, output: output.slot, value: value))
    }
    let step = FillmissingStep(
      time: key.slot, period: key.period, isUp: key.isUp, keys: key.others, fillings: fillings)
    // The rows get an order of their own: one asked for before has no effect on it.
    segment.sortKeys = segment.limit == nil && segment.tail == nil ? [] : segment.sortKeys
    close(with: step, made)
  }

  private struct TimeKey {
    var slot: SlotID
    var period: Period
    var isUp: Bool
    var others: [SlotID]

    func isKey(_ slot: SlotID) -> Bool { slot == self.slot || others.contains(slot) }
  }

  /// The time key of the `stats` that is the nearest barrier, if that has exactly one.
  private func onlyTimeKey() -> TimeKey? {
    guard let barrier = segments.last(where: { $0.barrier != nil })?.barrier,
      case .stats(let stats) = barrier
    else { return nil }
    var found: [TimeKey] = []
    for key in stats.keys {
      guard case .rounded(_, let period, let isUp) = key.expression.kind else { continue }
      let others = stats.keys.map(\.output).filter { $0 != key.output }
      found.append(TimeKey(slot: key.output, period: period, isUp: isUp, others: others))
    }
    return found.count == 1 ? found[0] : nil
  }

  /// The value of a literal, with its sign if it has one.
  private mutating func fillingValue(_ expression: Expression) -> Value? {
    let bound = bindExpression(expression)
    if let literal = bound.literal { return literal }
    if case .negate(let operand) = bound.kind, let number = operand.literal?.number {
      switch number {
      case .integer(let integer) where integer != .min: return .integer(-integer)
      default: return .double(-number.asDouble)
      }
    }
    report(
      Diagnostic(
        .badArgument, .error, "fillmissing fills with a literal, not '\(source[expression.range])'",
        at: expression.range))
    return nil
  }

  private static func fillmissingWithoutBin(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .fillmissingWithoutBin, .error, "fillmissing needs a stats … by bin(…) before it", at: range,
      notes: [.init("the nearest command before it that makes rows must be a stats with one bin")])
  }

  private static func fillsKey(_ name: FieldName) -> Diagnostic {
    Diagnostic(
      .badArgument, .error, "'\(name.name)' is a key of the groups, which every added row has",
      at: name.range, notes: [.init("name an output of the stats")])
  }
}
