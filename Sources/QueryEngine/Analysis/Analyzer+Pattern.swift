import QueryLanguage

extension Analyzer {
  /// `pattern expr [as name]`: the name is that of the column of patterns.
  mutating func bindPattern(_ command: PatternCommand) {
    let bound = bindExpression(command.input.expression)
    if isStructure(bound) {
      report(
        AnalyzerDiagnostics.structure("pattern", command.input.label, at: command.input.range))
    }
    let input = slot(of: bound, named: command.input.label)
    bindPattern(input, alias: command.input.alias)
  }

  mutating func bindPattern(_ input: SlotID, alias: FieldName?) {
    // An aggregation takes the rows in any order, so what counts on their order is a step before.
    if segment.limit != nil || segment.tail != nil { closeSegment(barrier: nil) }
    sortsOfSegment = []
    let names = [
      "@pattern", "@ratio", "@sampleCount", "@severityLabel", "@patternId", "@logSamples",
    ]
    let slots = names.map { name in
      addSlot(
        name, .barrier, mayBeStructure: name == "@logSamples", segment: segments.count + 1)
    }
    let isOverEvents = scope.isOpen
    closeSegment(
      barrier: .command(
        PatternStep(
          inputSlot: input, pattern: slots[0], ratio: slots[1],
          sampleCount: slots[2], severity: slots[3], identifier: slots[4], samples: slots[5],
          isOverEvents: isOverEvents)))
    scope = Scope()
    scope.isOpen = false
    visible.startAfresh()
    if let alias { scope.define(alias.name, slots[0]) }
    for (name, slot) in zip(names, slots) { scope.define(name, slot) }
    visible.make(alias?.name ?? names[0], slots[0])
    for index in 1...3 { visible.make(names[index], slots[index]) }
  }
}
