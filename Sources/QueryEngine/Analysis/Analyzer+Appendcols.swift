import QueryLanguage

extension Analyzer {
  mutating func bindAppendcols(_ command: AppendcolsCommand) {
    var inner = bindSubquery(command.subquery)
    var columns: [OutputStep.Column] = []
    var steps: [AppendcolsStep.Column] = []
    var outputs: [RowOutput] = []
    var columnsAreKnown = true
    for column in inner.outputColumns() {
      guard case .named(let name, _) = column else {
        report(Self.unknownColumns(at: command.subquery.range))
        columnsAreKnown = false
        continue
      }
      let existing = existingField(name)
      if let existing, !command.overrides, isInEveryRow(existing) { continue }
      let made = output(FieldName(segments: [name]), mayBeStructure: true)
      steps.append(
        AppendcolsStep.Column(position: columns.count, existing: existing, output: made.slot))
      columns.append(column)
      outputs.append(made)
    }
    if outputs.isEmpty, columnsAreKnown {
      report(Self.nothingAppended(at: command.subquery.range))
    }
    inner.closeSegment(barrier: nil)
    let subplan = add(
      Subplan(
        name: "appendcols", plan: inner.assembled(OutputStep(columns: columns)), use: .rows,
        rowLimit: command.maximumRows, timeLimit: Self.subqueryTime))
    close(
      with: AppendcolsStep(subplan: subplan, overrides: command.overrides, columns: steps),
      outputs)
  }

  /// The field of the rows that has this name.
  private mutating func existingField(_ name: String) -> SlotID? {
    if let slot = scope.named[name] { return slot }
    guard scope.isOpen || scope.join != nil else { return nil }
    return resolve(FieldName(segments: [name])).map { slot(of: $0, named: name) }
  }

  private func isInEveryRow(_ slot: SlotID) -> Bool {
    if case .event(let field) = slots[slot].source { field.isInEveryEvent } else { false }
  }

  private static func unknownColumns(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .subqueryColumns, .error, "the columns of the subquery are not known beforehand", at: range,
      notes: [.init("name them in its fields, in place of *")])
  }

  private static func nothingAppended(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .subqueryColumns, .error,
      "the subquery shows nothing that the rows do not have already", at: range,
      notes: [.init("end it with fields and the columns to append, or say override=true")])
  }
}
