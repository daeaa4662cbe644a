import Columnar
import QueryLanguage

// `parse` becomes an extraction: a source text and a way to take it apart. Each name it gives is a
// slot, so a capture that nothing uses costs nothing, and the text is read once for all of them.

extension Analyzer {
  mutating func bindParse(_ command: ParseCommand, at range: SourceRange) {
    let source =
      command.source.map { bindExpression($0) }
      ?? bindField(FieldName(segments: ["@message"], range: range))
    switch command.method {
    case .glob(let pattern, let aliases):
      addExtraction(source, .glob(GlobPattern(pattern.value)), names: aliases)
    case .logfmt(let alias):
      addExtraction(source, .logfmt, names: [alias], mayBeStructure: true)
    case .csv(let aliases):
      addExtraction(source, .csv(count: aliases.count), names: aliases)
    case .regex(let literal, let aliases, let isMulti):
      bindRegex(literal, aliases, isMulti: isMulti, source: source)
    }
  }

  private mutating func bindRegex(
    _ literal: RegexLiteral, _ aliases: [FieldName], isMulti: Bool, source: BoundExpression
  ) {
    guard let regex = compile(literal) else { return }
    guard let (groups, names) = captures(of: regex, aliases, literal) else { return }
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
      report(AnalyzerDiagnostics.alreadyDefined(name.name, at: literal.range))
    }
    let method = Extraction.Method.regex(regex, groups: groups)
    guard isMulti else { return addExtraction(source, method, names: names) }
    let extraction = extractions.count
    extractions.append(
      Extraction(source: source, method: method, captureCount: groups.count))
    let captures = names.map { name in
      forbidReuse(of: name)
      return addSlot(name.name, .barrier, mayBeStructure: false, segment: segments.count + 1)
    }
    closeSegment(barrier: .matches(extraction: extraction, captures: captures))
    for (name, slot) in zip(names, captures) { publish(name, slot) }
  }

  /// The groups to take and their names: named groups keep theirs, the list after `as` names the
  /// others in order; a list equal to the names of the named groups is allowed.
  private mutating func captures(
    of regex: CompiledRegex, _ aliases: [FieldName], _ literal: RegexLiteral
  ) -> (groups: [Int], names: [FieldName])? {
    let groupNames = regex.captureNames
    guard !groupNames.isEmpty else {
      report(
        Diagnostic(
          .nothingCaptured, .error, "the regular expression captures nothing", at: literal.range,
          notes: [.init("use (?<name>…), or put brackets around a part and name it after 'as'")]))
      return nil
    }
    let named = groupNames.compactMap(\.self)
    if aliases.map(\.name) == named || aliases.isEmpty && !named.isEmpty {
      let groups = groupNames.indices.filter { groupNames[$0] != nil }
      return (groups.map { $0 + 1 }, named.map { FieldName(segments: [$0], range: literal.range) })
    }
    let unnamedCount = groupNames.count - named.count
    guard unnamedCount == aliases.count else {
      report(groupCount(unnamedCount, aliases, literal))
      return nil
    }
    var rest = aliases[...]
    let names = groupNames.map { name in
      name.map { FieldName(segments: [$0], range: literal.range) } ?? rest.removeFirst()
    }
    return (Array(1...groupNames.count), names)
  }

  private func groupCount(
    _ unnamed: Int, _ aliases: [FieldName], _ literal: RegexLiteral
  ) -> Diagnostic {
    if aliases.isEmpty {
      return Diagnostic(
        .nothingCaptured, .error, "the groups of the regular expression have no names",
        at: literal.range, notes: [.init("use (?<name>…), or name them in order after 'as'")])
    }
    let groups = "\(unnamed) unnamed group\(unnamed == 1 ? "" : "s")"
    let names = "\(aliases.count) name\(aliases.count == 1 ? " is" : "s are")"
    return Diagnostic(
      .wildcardCount, .error, "the regular expression has \(groups) but \(names) given",
      at: aliases[0].range.union(aliases[aliases.count - 1].range))
  }

  private mutating func addExtraction(
    _ source: BoundExpression, _ method: Extraction.Method, names: [FieldName],
    mayBeStructure: Bool = false
  ) {
    let extraction = extractions.count
    extractions.append(
      Extraction(source: source, method: method, captureCount: names.count))
    for (index, name) in names.enumerated() {
      forbidReuse(of: name)
      let slot = addSlot(
        name.name, .capture(extraction: extraction, index: index), mayBeStructure: mayBeStructure)
      publish(name, slot)
    }
  }

  private mutating func publish(_ name: FieldName, _ slot: SlotID) {
    scope.define(name.name, slot)
    visible.make(name.name, slot)
    parsedSlots.insert(slot)
  }

  private mutating func forbidReuse(of name: FieldName) {
    guard options.isStrict, scope.named[name.name] != nil || isUsed(name.name) else { return }
    report(AnalyzerDiagnostics.alreadyDefined(name.name, at: name.range))
  }

  /// Whether a command before has read the events' field of this name.
  private func isUsed(_ name: String) -> Bool {
    scope.isOpen
      && slots.contains {
        if case .event(let field) = $0.source { field == EventField(name: name) } else { false }
      }
  }
}
