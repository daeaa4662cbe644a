import QueryLanguage

extension Analyzer {
  mutating func bindRelevantfields(_ command: RelevantfieldsCommand, at range: SourceRange) {
    // An aggregation takes the rows in any order, so what counts on their order is a step before.
    if segment.limit != nil || segment.tail != nil { closeSegment(barrier: nil) }
    sortsOfSegment = []
    let condition = slot(of: bindExpression(command.condition), named: "where")
    var fields = command.fields.map { name in
      RelevantFieldsStep.Field(
        name: name.name, input: bindInput(name, of: "relevantfields"))
    }
    let takesAll = command.fields.isEmpty
    if takesAll { fields = allFields() }
    let names = [
      "@fieldName", "@relevanceScore", "@topRelevanceContributors", "@conditionalMedian",
      "@baselineMedian",
    ]
    let slots = names.map { name in
      addSlot(
        name, .barrier, mayBeStructure: name == names[2], segment: segments.count + 1)
    }
    closeSegment(
      barrier: .command(
        RelevantFieldsStep(
          fields: fields, takesDiscovered: takesAll && scope.isOpen, condition: condition,
          fieldName: slots[0], score: slots[1], contributors: slots[2],
          conditionalMedian: slots[3], baselineMedian: slots[4])))
    scope = Scope()
    scope.isOpen = false
    visible.startAfresh()
    for (name, slot) in zip(names, slots) {
      scope.define(name, slot)
      visible.make(name, slot)
    }
  }

  /// What the commands before made, and of events the system fields that tell something.
  private mutating func allFields() -> [RelevantFieldsStep.Field] {
    var fields = scope.available.compactMap { name in
      scope.named[name].map { RelevantFieldsStep.Field(name: name, input: $0) }
    }
    guard scope.isOpen else { return fields }
    for field in [EventField.logStream, .log] where scope.named[field.name] == nil {
      fields.append(RelevantFieldsStep.Field(name: field.name, input: eventSlot(field)))
    }
    return fields
  }
}
