import QueryLanguage

// A filter behind the only `stats` may speak of fields that the `stats` dropped. Old queries do:
//
//     stats count(*) as n by svc | filter who.id = "u1"
//
// They mean the events, so the filter moves to just before the `stats` (W103). It may also name
// group keys that are plain fields, since those are the same on both sides; together with an
// aggregate it makes no sense and stays where it is, to be refused there (E301).

/// A command at the place where it acts.
struct ArrangedCommand {
  let command: Command
  /// Names that mean other fields in this command: the aliases of plain group keys.
  var renamedKeys: [String: FieldName] = [:]
}

extension Analyzer {
  /// The commands with filters hoisted over the only `stats`.
  mutating func arranged(_ commands: [Command]) -> [ArrangedCommand] {
    let all = commands.map { ArrangedCommand(command: $0) }
    let places = commands.indices.filter {
      if case .stats = commands[$0].kind { true } else { false }
    }
    guard places.count == 1, case .stats(let stats) = commands[places[0]].kind else { return all }
    var outputs = StatsNames(stats)
    var hoisted: [ArrangedCommand] = []
    var rest: [ArrangedCommand] = []
    var isOverStats = true
    for command in commands[(places[0] + 1)...] {
      if command.kind.worksOnRowsInOrder { isOverStats = false }
      if isOverStats, case .filter(let filter) = command.kind,
        outputs.allowHoisting(of: filter.condition)
      {
        hoisted.append(ArrangedCommand(command: command, renamedKeys: outputs.plainKeys))
        report(AnalyzerDiagnostics.filterMoved(at: command.range))
      } else {
        rest.append(ArrangedCommand(command: command))
        outputs.addNames(of: command)
      }
    }
    return all[..<places[0]] + hoisted + [all[places[0]]] + rest
  }
}

extension Command.Kind {
  /// Whether what the command makes would be another if a filter behind it moved in front of it.
  fileprivate var worksOnRowsInOrder: Bool {
    switch self {
    case .dedup, .parse: false
    default: isBarrier
    }
  }
}

/// The names behind a `stats`.
private struct StatsNames {
  /// Group keys taken from a plain field, by name, with that field.
  private(set) var plainKeys: [String: FieldName] = [:]
  private var others: Set<String> = []
  private var labelled: Set<Expression> = []

  init(_ stats: StatsCommand) {
    for key in stats.keys {
      if let field = key.expression.fieldName {
        plainKeys[key.outputName] = field
      } else {
        others.insert(key.outputName)
        if key.isTimeKey { others.insert("@timestamp") }
        if key.alias == nil { labelled.insert(key.expression) }
      }
    }
    for output in stats.outputs {
      others.insert(output.outputName)
      if output.alias == nil { labelled.insert(output.expression) }
    }
  }

  /// Adds what a command behind the `stats` makes.
  mutating func addNames(of command: Command) {
    let made: [AliasedExpression] =
      switch command.kind {
      case .fields(let fields): fields.expressions
      case .display(let display): display.columns
      default: []
      }
    for aliased in made where aliased.expression.fieldName == nil || aliased.alias != nil {
      others.insert(aliased.outputName)
      if aliased.alias == nil { labelled.insert(aliased.expression) }
    }
    if case .json(let json) = command.kind {
      others.formUnion(json.extractions.map(\.alias.name))
    }
    if case .lookup(let lookup) = command.kind {
      others.formUnion(lookup.outputs.map(\.field.name))
    }
    if case .cidrlookup(let lookup) = command.kind {
      others.formUnion(lookup.outputs.map(\.field.name))
    }
    if case .parse(let parse) = command.kind {
      others.formUnion(parse.aliases.map(\.name))
      if case .regex(let literal, _, _) = parse.method,
        let regex = try? CompiledRegex(literal.pattern)
      {
        others.formUnion(regex.captureNames.compactMap(\.self))
      }
    }
  }

  /// Whether a condition names a field that is no output, and no output but plain keys.
  func allowHoisting(of condition: Expression) -> Bool {
    var namesDropped = false
    var namesOutput = false
    visit(condition) { name in
      if isKnown(name.name, in: others) {
        namesOutput = true
      } else if plainKeys[name.name] == nil {
        namesDropped = true
      }
    } onLabel: {
      namesOutput = true
    }
    return namesDropped && !namesOutput
  }

  /// Whether the name or the map it reaches into is an output.
  private func isKnown(_ name: String, in names: Set<String>) -> Bool {
    if names.contains(name) || name.hasPrefix("@") && names.contains(String(name.dropFirst())) {
      return true
    }
    var prefix = Substring(name)
    while let dot = prefix.lastIndex(of: ".") {
      prefix = prefix[..<dot]
      if names.contains(String(prefix)) { return true }
    }
    return false
  }

  private func visit(
    _ expression: Expression, onName: (FieldName) -> Void, onLabel: () -> Void
  ) {
    if labelled.contains(expression) { return onLabel() }
    if let name = expression.fieldName { return onName(name) }
    for child in expression.children { visit(child, onName: onName, onLabel: onLabel) }
  }
}

extension AliasedExpression {
  /// Whether the expression is a call of `bin`, `datefloor` or `dateceil` as it stands.
  var isTimeKey: Bool {
    guard case .call(let call) = expression.kind else { return false }
    return ["bin", "datefloor", "dateceil"].contains(call.function.folded)
  }
}

extension ParseCommand {
  /// The names it gives, without the named groups of a regular expression.
  var aliases: [FieldName] {
    switch method {
    case .glob(_, let aliases), .regex(_, let aliases, _), .csv(let aliases): aliases
    case .logfmt(let alias): [alias]
    }
  }
}
