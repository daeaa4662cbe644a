package import QueryLanguage

// The commands that see the rows in their order. Each reads fields as they are before it and gives
// its outputs names behind it; a field that is replaced gets a new slot under its old name.

extension DiagnosticID {
  package static let newestFirst = DiagnosticID("W104", "newest-first")
}

extension Analyzer {
  mutating func bindAccum(_ command: AccumCommand, at range: SourceRange) {
    warnOfNewestFirst("accum", at: range)
    let field = bindInput(command.field, of: "accum")
    let output = output(command.alias ?? command.field, mayBeStructure: false)
    close(with: AccumStep(field: field, output: output.slot), [output])
  }

  mutating func bindAutoregress(_ command: AutoregressCommand, at range: SourceRange) {
    warnOfNewestFirst("autoregress", at: range)
    let field = bindInput(command.field)
    let outputs = command.lags.map { lag in
      let name = command.alias?.name ?? "\(command.field.name)_p\(lag)"
      return output(
        FieldName(segments: [name], range: command.alias?.range ?? command.field.range),
        mayBeStructure: slots[field].mayBeStructure)
    }
    let step = AutoregressStep(field: field, lags: command.lags, outputs: outputs.map(\.slot))
    close(with: step, outputs)
  }

  mutating func bindFilldown(_ command: FilldownCommand, at range: SourceRange) {
    warnOfNewestFirst("filldown", at: range)
    let names = filledNames(command, at: range)
    let inputs = names.map { bindInput($0) }
    let outputs = zip(names, inputs).map { name, input in
      output(name, mayBeStructure: slots[input].mayBeStructure)
    }
    let patterns = discoveredPatterns(command, at: range)
    if !patterns.isEmpty {
      scope.fillings.append(Filling(segment: segments.count, patterns: patterns))
    }
    close(
      with: FilldownStep(inputs: inputs, outputs: outputs.map(\.slot), patterns: patterns), outputs)
  }

  mutating func bindUnnest(_ command: UnnestCommand) {
    let bound = bindExpression(command.expression)
    let field = slot(of: bound, named: command.alias.name)
    let output = output(command.alias, mayBeStructure: true)
    close(with: UnnestStep(form: .unnest, field: field, output: output.slot), [output])
  }

  mutating func bindExpand(_ command: ExpandCommand) {
    let field = bindInput(command.field)
    let output = output(command.field, mayBeStructure: true)
    close(with: UnnestStep(form: .expand, field: field, output: output.slot), [output])
  }
}

// MARK: - Inputs

extension Analyzer {
  /// The slot of a field that a command reads; a map or list is refused if `command` is named.
  mutating func bindInput(_ name: FieldName, of command: String? = nil) -> SlotID {
    let bound = bindField(name)
    if let command, isStructure(bound) {
      report(AnalyzerDiagnostics.structure(command, name.name, at: name.range))
    }
    return slot(of: bound, named: name.name)
  }

  /// The columns that `filldown` means: every visible one without a list, and those that patterns
  /// with wildcards match.
  private mutating func filledNames(
    _ command: FilldownCommand, at range: SourceRange
  ) -> [FieldName] {
    if command.fields.isEmpty { return visibleNames(at: range) }
    var names: [FieldName] = []
    for pattern in command.fields {
      var matching = [FieldName(segments: [pattern.pieces[0]], range: pattern.range)]
      if pattern.hasWildcard {
        matching = visibleNames(at: pattern.range).filter { pattern.matches($0.name) }
        if matching.isEmpty, !meansDiscovered { report(Self.noMatch(pattern)) }
      }
      for name in matching where !names.contains(where: { $0.name == name.name }) {
        names.append(name)
      }
    }
    return names
  }

  /// Whether the fields that events turn out to have are shown, or no column is listed yet.
  var meansDiscovered: Bool { scope.isOpen && visible.meansDiscovered }

  /// What `filldown` means of the fields that events turn out to have.
  private func discoveredPatterns(
    _ command: FilldownCommand, at range: SourceRange
  ) -> [FieldPattern] {
    guard meansDiscovered else { return [] }
    return command.fields.isEmpty ? [.all(at: range)] : command.fields.filter(\.hasWildcard)
  }

  /// The value of a field behind the `filldown`s that mean it.
  mutating func filled(_ bound: BoundExpression?, _ name: String) -> BoundExpression? {
    guard var bound else { return nil }
    for filling in scope.fillings where filling.patterns.contains(where: { $0.matches(name) }) {
      // What every event has is never filled.
      if let slot = bound.slot, case .event(let field) = slots[slot].source, field.isInEveryEvent {
        return bound
      }
      let input =
        bound.slot
        ?? addSlot(
          name, .expression(bound), mayBeStructure: mayBeStructure(bound), segment: filling.segment)
      bound = BoundExpression(.slot(filledSlot(of: input, in: filling, name)))
    }
    return bound
  }

  private mutating func filledSlot(
    of input: SlotID, in filling: Filling, _ name: String
  ) -> SlotID {
    let key = [filling.segment, input]
    if let known = filledSlots[key] { return known }
    let output = addSlot(
      name, .barrier, mayBeStructure: slots[input].mayBeStructure, segment: filling.segment + 1)
    filledSlots[key] = output
    if case .command(let command)? = segments[filling.segment].barrier,
      var step = command as? FilldownStep
    {
      step.fill(input, into: output)
      segments[filling.segment].barrier = .command(step)
    }
    return output
  }

  /// The names of the columns that the result would show if the query ended here, but for the fields
  /// that `fields *` shows.
  mutating func visibleNames(at range: SourceRange) -> [FieldName] {
    let columns = visible.display ?? visible.listed ?? visible.made.map { .named($0.name, $0.slot) }
    return columns.compactMap { column in
      guard case .named(let name, _) = column else { return nil }
      return FieldName(segments: [name], range: range)
    }
  }

  private static func noMatch(_ pattern: FieldPattern) -> Diagnostic {
    Diagnostic(
      .unknownField, .error,
      "no visible field matches '\(pattern.pieces.joined(separator: "*"))'", at: pattern.range,
      notes: [.init("list the fields it means with fields before it")])
  }

  /// Says that the rows run back in time, unless some `sort` or `stats` has given them an order.
  private mutating func warnOfNewestFirst(_ command: String, at range: SourceRange) {
    let isSorted = ([segment] + segments).contains { !$0.sortKeys.isEmpty }
    guard scope.isOpen, !isSorted else { return }
    report(
      Diagnostic(
        .newestFirst, .warning, "\(command) sees the newest event first", at: range,
        notes: [.init("put sort @timestamp asc before it")]))
  }
}

// MARK: - Outputs

extension Analyzer {
  /// A field that a command makes or replaces.
  struct RowOutput {
    let name: String
    let slot: SlotID
  }

  mutating func output(_ name: FieldName, mayBeStructure: Bool) -> RowOutput {
    let slot = addSlot(
      name.name, .barrier, mayBeStructure: mayBeStructure, segment: segments.count + 1)
    return RowOutput(name: name.name, slot: slot)
  }

  /// Ends the segment, and lets names mean what the command made.
  mutating func close(with command: any RowCommand, _ outputs: [RowOutput]) {
    closeSegment(barrier: .command(command))
    for output in outputs {
      let replaced = scope.named[output.name]
      for (expression, slot) in scope.labelled where slot == replaced {
        scope.labelled[expression] = output.slot
      }
      scope.define(output.name, output.slot)
      visible.make(output.name, output.slot)
      visible.display = visible.display?.map { column in
        if case .named(output.name, _) = column { return .named(output.name, output.slot) }
        return column
      }
    }
  }
}
