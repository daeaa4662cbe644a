import QueryLanguage

// Queries answered a row at a time, straight from the language reference. Only the syntax tree and
// regular expressions are shared with the engine. What is not understood here is refused, so that
// the test cannot pass by leaving something out.

/// A row: its event and what commands made.
struct NaiveRow {
  var message = ""
  var time: Int64?
  var event = NaiveValue.missing
  var made: [String: NaiveValue] = [:]
  /// Fields of the event that `expand` has overwritten, with all that was in them.
  var expanded: Set<String> = []
  /// Whether names that nothing made are fields of the event.
  var isEvent = true

  func field(_ name: FieldName) -> NaiveValue { field(name.segments) }

  func field(_ segments: [String]) -> NaiveValue {
    if let value = made[segments.joined(separator: ".")] { return value }
    for length in stride(from: segments.count - 1, to: 0, by: -1) {
      let name = segments.prefix(length).joined(separator: ".")
      guard let value = made[name] else { continue }
      if value.isStructure || expanded.contains(name) {
        return value.member(segments.dropFirst(length))
      }
    }
    guard isEvent else { return .missing }
    if segments == ["@message"] { return .text(message) }
    if segments == ["@timestamp"] { return time.map { .time($0) } ?? .missing }
    return event.member(ArraySlice(segments))
  }
}

extension NaiveValue {
  /// The member at a path; a key with dots wins over the path, the last of equal keys over others.
  func member(_ path: ArraySlice<String>) -> NaiveValue {
    if path.isEmpty { return self }
    switch self {
    case .map(let map):
      for length in stride(from: path.count, to: 0, by: -1) {
        let key = path.prefix(length).joined(separator: ".")
        if let member = map.last(where: { $0.key == key }) {
          return member.value.member(path.dropFirst(length))
        }
      }
      return .missing
    case .list(let list):
      guard let first = path.first, let index = Int(first), list.indices.contains(index) else {
        return .missing
      }
      return list[index].member(path.dropFirst())
    default: return .missing
    }
  }
}

struct NaiveRefusal: Error, CustomStringConvertible {
  let description: String
}

/// What a query answers, by columns.
struct NaiveAnswer {
  /// A shown value, `nil` where a field is missing.
  struct Cell {
    let text: String?
    /// Whether it was computed with doubles, so that its last bits depend on the order of additions.
    let isComputed: Bool
  }

  let columns: [String]
  let rows: [[Cell]]
}

struct NaiveEvaluator {
  var rows: [NaiveRow]
  /// The columns of an aggregation, those that `fields` listed, and those that commands made.
  private var outputs: [String]?
  private var listed: [String]?
  private var made: [String] = []
  private var displayed: [String]?
  private var sorts: [SortCommand] = []
  private var limit: Int?
  private var tail: Int?

  /// The rows of events, a minute apart, newest first.
  static func rows(of texts: [String]) -> [NaiveRow] {
    texts.enumerated().reversed().map { index, text in
      NaiveRow(
        message: text, time: 1_772_445_600_000 + Int64(index) * 60_000,
        event: text.hasPrefix("{") ? NaiveJSON.parse(text) : .missing)
    }
  }

  /// What a query answers.
  static func answer(_ query: Query, on rows: [NaiveRow]) throws -> NaiveAnswer {
    var evaluator = NaiveEvaluator(rows: rows)
    for command in try hoisted(query.commands.map(\.kind)) { try evaluator.run(command) }
    try evaluator.endSegment()
    let columns = evaluator.visible
    return NaiveAnswer(
      columns: columns,
      rows: evaluator.rows.map { row in
        columns.map { column in
          let value = row.field([column])
          if case .double = value { return .init(text: value.shown, isComputed: true) }
          return .init(text: value.shown, isComputed: false)
        }
      })
  }

  private var visible: [String] {
    if let displayed { return displayed }
    if let listed { return listed }
    return (outputs ?? ["@timestamp", "@message"]) + made
  }

  /// Filters behind the only `stats` that name what it drops stand ahead of it.
  private static func hoisted(_ commands: [Command.Kind]) throws -> [Command.Kind] {
    let places = commands.indices.filter { commands[$0].name == "stats" }
    guard places.count == 1, case .stats(let stats) = commands[places[0]] else { return commands }
    let outputs = Set(stats.outputs.map(\.outputName))
    let keys = Set(stats.keys.map(\.outputName))
    var before = Array(commands[..<places[0]])
    var behind: [Command.Kind] = []
    for command in commands[(places[0] + 1)...] {
      guard case .filter(let filter) = command else {
        behind.append(command)
        continue
      }
      let names = Self.names(filter.condition)
      if names.isSubset(of: outputs.union(keys)) {
        behind.append(command)
      } else if names.isDisjoint(with: outputs) {
        before.append(command)
      } else {
        throw NaiveRefusal(description: "a filter that names outputs and dropped fields")
      }
    }
    return before + [commands[places[0]]] + behind
  }

  private static func names(_ expression: Expression) -> Set<String> {
    if let name = expression.fieldName { return [name.name] }
    return expression.children.reduce(into: []) { $0.formUnion(names($1)) }
  }

  private mutating func run(_ command: Command.Kind) throws {
    switch command {
    case .fields(let fields):
      try compute(fields.expressions)
      let names = fields.expressions.map(\.outputName)
      let shown = listed ?? []
      listed = shown + names.filter { !shown.contains($0) }
    case .display(let display):
      try compute(display.columns)
      displayed = display.columns.map(\.outputName)
    case .filter(let filter):
      rows = try rows.filter { try Self.value(filter.condition, $0).isTrue }
    case .sort(let sort): sorts.append(sort)
    case .limit(let limit) where limit.form == .tail: tail = min(tail ?? .max, limit.count)
    case .limit(let limit): self.limit = min(self.limit ?? .max, limit.count)
    case .parse(let parse): try extract(parse)
    case .stats(let stats):
      sorts = []
      try group(stats)
      startAfresh((stats.keys + stats.outputs).map(\.outputName))
    default:
      try endSegment()
      try runBarrier(command)
    }
  }

  /// An aggregation leaves nothing but its outputs.
  mutating func startAfresh(_ outputs: [String]) {
    self.outputs = outputs
    listed = nil
    made = []
    displayed = nil
  }

  private mutating func compute(_ columns: [AliasedExpression]) throws {
    for column in columns {
      for index in rows.indices {
        rows[index].made[column.outputName] = try Self.value(column.expression, rows[index])
      }
    }
  }

  /// A command made a column: shown where it is made.
  mutating func make(_ name: String) {
    if listed?.contains(name) == false { listed?.append(name) }
    if !made.contains(name), outputs?.contains(name) != true { made.append(name) }
  }

  /// The deferred commands: sorts in written order, each stable, then the limits.
  mutating func endSegment() throws {
    for sort in sorts {
      let keyed = try rows.map { row in
        (row: row, keys: try sort.keys.map { try Self.value($0.expression, row) })
      }
      let ordered = keyed.enumerated().sorted { a, b in
        for (index, key) in sort.keys.enumerated() {
          let order = NaiveValue.order(a.element.keys[index], b.element.keys[index])
          if order != 0 { return (order < 0) != key.isDescending }
        }
        return a.offset < b.offset
      }
      rows = ordered.map(\.element.row)
    }
    if let tail { rows = Array(rows.suffix(tail)) }
    if let limit { rows = Array(rows.prefix(limit)) }
    (sorts, limit, tail) = ([], nil, nil)
  }
}
