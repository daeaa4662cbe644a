import Glibc
import QueryLanguage

// Queries answered a row at a time, straight from the language reference. Only the syntax tree is
// shared with the engine. What is not understood here is refused, so that the test cannot pass by
// leaving something out.

/// A row: its event and what commands made.
struct NaiveRow {
  var message = ""
  var event = NaiveValue.missing
  var made: [String: NaiveValue] = [:]
  /// Whether names that nothing made are fields of the event.
  var isEvent = true

  func field(_ name: FieldName) -> NaiveValue {
    if let value = made[name.name] { return value }
    guard isEvent else { return .missing }
    if name.name == "@message" { return .text(message) }
    return Self.path(event, ArraySlice(name.segments))
  }

  /// The member at a path; a key with dots wins over the path, the last of equal keys over others.
  private static func path(_ value: NaiveValue, _ path: ArraySlice<String>) -> NaiveValue {
    if path.isEmpty { return value }
    switch value {
    case .map(let map):
      for length in stride(from: path.count, to: 0, by: -1) {
        let key = path.prefix(length).joined(separator: ".")
        if let member = map.last(where: { $0.key == key }) {
          return Self.path(member.value, path.dropFirst(length))
        }
      }
      return .missing
    case .list(let list):
      guard let first = path.first, let index = Int(first), list.indices.contains(index) else {
        return .missing
      }
      return Self.path(list[index], path.dropFirst())
    default: return .missing
    }
  }
}

struct NaiveRefusal: Error, CustomStringConvertible {
  let description: String
}

struct NaiveEvaluator {
  private var rows: [NaiveRow]
  private var columns: [String] = []
  private var sorts: [SortCommand] = []
  private var limit: Int?

  /// The rows of a query as texts by column, `nil` where a field is missing.
  static func answer(_ query: Query, on texts: [String]) throws -> [[String?]] {
    let rows = texts.reversed().map { text in
      NaiveRow(message: text, event: NaiveJSON.parse(text))
    }
    var evaluator = NaiveEvaluator(rows: rows)
    for command in query.commands { try evaluator.run(command.kind) }
    try evaluator.endSegment()
    return evaluator.rows.map { row in
      evaluator.columns.map { column in row.field(FieldName(segments: [column])).shown }
    }
  }

  private mutating func run(_ command: Command.Kind) throws {
    switch command {
    case .fields(let fields):
      for column in fields.expressions {
        for index in rows.indices {
          let value = try Self.value(column.expression, rows[index])
          rows[index].made[column.outputName] = value
        }
        if !columns.contains(column.outputName) { columns.append(column.outputName) }
      }
    case .filter(let filter):
      rows = try rows.filter { try Self.value(filter.condition, $0).isTrue }
    case .sort(let sort): sorts.append(sort)
    case .limit(let limit) where limit.form != .tail:
      self.limit = min(self.limit ?? .max, limit.count)
    case .dedup(let dedup):
      try endSegment()
      var seen: Set<[String]> = []
      rows = rows.filter { row in
        let key = dedup.fields.map { row.field($0).key }
        return key.contains(nil) || seen.insert(key.compactMap(\.self)).inserted
      }
    case .stats(let stats):
      sorts = []
      try group(stats)
    default: throw NaiveRefusal(description: command.name)
    }
  }

  /// The deferred commands: sorts in written order, each stable, then the limit.
  private mutating func endSegment() throws {
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
    if let limit { rows = Array(rows.prefix(limit)) }
    sorts = []
    limit = nil
  }
}

// MARK: - stats

extension NaiveEvaluator {
  private mutating func group(_ stats: StatsCommand) throws {
    var groups: [(keys: [NaiveValue], rows: [NaiveRow])] = []
    for row in rows {
      let keys = try stats.keys.map { try Self.value($0.expression, row).scalar }
      if let place = groups.firstIndex(where: { $0.keys.map(\.key) == keys.map(\.key) }) {
        groups[place].rows.append(row)
        for index in keys.indices where groups[place].keys[index].isText {
          groups[place].keys[index] = keys[index]
        }
      } else {
        groups.append((keys, [row]))
      }
    }
    if groups.isEmpty, stats.keys.isEmpty { groups = [([], [])] }
    groups.sort { a, b in
      zip(a.keys, b.keys).lazy.map { NaiveValue.order($0, $1) }.first { $0 != 0 } ?? 0 < 0
    }
    rows = try groups.map { group in
      var row = NaiveRow(isEvent: false)
      for (key, value) in zip(stats.keys, group.keys) { row.made[key.outputName] = value }
      for output in stats.outputs {
        row.made[output.outputName] = try Self.aggregate(output.expression, group.rows)
      }
      return row
    }
    columns = (stats.keys + stats.outputs).map(\.outputName)
  }

  private static func aggregate(_ expression: Expression, _ rows: [NaiveRow]) throws -> NaiveValue {
    guard case .call(let call) = expression.kind else {
      throw NaiveRefusal(description: "an output that is no aggregate")
    }
    guard let argument = call.arguments.first else { return .integer(Int64(rows.count)) }
    let present = try rows.map { try value(argument, $0).scalar }.filter { !$0.isMissing }
    let numbers = present.compactMap(\.number)
    switch call.function.folded {
    case "count": return .integer(Int64(present.count))
    case "countdistinct": return .integer(Int64(Set(present.compactMap(\.key)).count))
    case "sum": return numbers.isEmpty ? .missing : sum(numbers)
    case "avg":
      guard !numbers.isEmpty, let total = sum(numbers).number else { return .missing }
      return .double(total.double / Double(numbers.count))
    case "min", "max":
      // A number value is one of `sort`, so that a text with blanks around its digits is none.
      let sign = call.function.folded == "min" ? -1 : 1
      var best: NaiveValue?
      for value in present where best.map({ NaiveValue.order(value, $0) == sign }) ?? true {
        best = value
      }
      return best ?? .missing
    default: throw NaiveRefusal(description: call.function.text)
    }
  }

  /// Whole numbers exactly, with 128 bits; the others with what each addition loses kept aside.
  private static func sum(_ numbers: [NaiveNumber]) -> NaiveValue {
    var whole: Int128 = 0
    var total = 0.0
    var lost = 0.0
    var isWhole = true
    for number in numbers {
      switch number {
      case .integer(let integer): whole += Int128(integer)
      case .double(let double):
        isWhole = false
        let next = total + double
        lost += abs(total) >= abs(double) ? (total - next) + double : (double - next) + total
        total = next
      }
    }
    if isWhole, let exact = Int64(exactly: whole) { return .integer(exact) }
    return NaiveNumber.double(Double(whole) + (total + lost)).value
  }
}

extension NaiveValue {
  fileprivate var isText: Bool { if case .text = self { true } else { false } }
}

// MARK: - Expressions

extension NaiveEvaluator {
  static func value(_ expression: Expression, _ row: NaiveRow) throws -> NaiveValue {
    switch expression.kind {
    case .number(let literal):
      return literal.integerValue.map { .integer($0) } ?? .double(literal.doubleValue)
    case .string(let literal): return .text(literal.value)
    case .boolean(let flag): return .jsonBoolean(flag)
    case .null: return .missing
    case .field(let name): return row.field(name)
    case .unary(.not, let operand): return .condition(try !value(operand, row).isTrue)
    case .unary(let sign, let operand):
      guard let number = try value(operand, row).number else { return .missing }
      return sign == .plus ? number.value : arithmetic(.subtract, .integer(0), number)
    case .and(let parts): return .condition(try parts.allSatisfy { try value($0, row).isTrue })
    case .or(let parts): return .condition(try parts.contains { try value($0, row).isTrue })
    case .binary(let sign, let left, let right): return try binary(sign, left, right, row)
    case .match(let match): return try like(match, row)
    case .membership(let membership): return try contains(membership, row)
    case .call(let call):
      return try function(call.function.folded, call.arguments.map { try value($0, row) })
    default: throw NaiveRefusal(description: "\(expression.kind)")
    }
  }

  private static func binary(
    _ sign: BinaryOperator, _ left: Expression, _ right: Expression, _ row: NaiveRow
  ) throws -> NaiveValue {
    let a = try value(left, row)
    let b = try value(right, row)
    if sign == .equal || sign == .notEqual, left.kind == .null || right.kind == .null {
      let isPresent = !(left.kind == .null ? b : a).isMissing
      return .condition(isPresent == (sign == .notEqual))
    }
    if sign.isComparison { return .condition(NaiveValue.holds(sign.rawValue, a, b)) }
    guard let x = a.number, let y = b.number else { return .missing }
    return arithmetic(sign, x, y)
  }

  private static func arithmetic(
    _ sign: BinaryOperator, _ a: NaiveNumber, _ b: NaiveNumber
  ) -> NaiveValue {
    if case .integer(let x) = a, case .integer(let y) = b {
      var exact: (partialValue: Int64, overflow: Bool)?
      switch sign {
      case .add: exact = x.addingReportingOverflow(y)
      case .subtract: exact = x.subtractingReportingOverflow(y)
      case .multiply: exact = x.multipliedReportingOverflow(by: y)
      case .remainder: exact = y == 0 ? nil : x.remainderReportingOverflow(dividingBy: y)
      default: break
      }
      if let exact, !exact.overflow { return .integer(exact.partialValue) }
    }
    let (x, y) = (a.double, b.double)
    switch sign {
    case .add: return NaiveNumber.double(x + y).value
    case .subtract: return NaiveNumber.double(x - y).value
    case .multiply: return NaiveNumber.double(x * y).value
    case .divide: return NaiveNumber.double(x / y).value
    case .remainder: return NaiveNumber.double(x.truncatingRemainder(dividingBy: y)).value
    default: return NaiveNumber.double(pow(x, y)).value
    }
  }

  private static func like(_ match: PatternMatch, _ row: NaiveRow) throws -> NaiveValue {
    guard case .expression(let pattern) = match.pattern else {
      throw NaiveRefusal(description: "a regular expression")
    }
    guard let text = try value(match.operand, row).text, let part = try value(pattern, row).text
    else { return .condition(false) }
    return .condition(contains(text, part) != match.operator.isNegated)
  }

  private static func contains(_ membership: Membership, _ row: NaiveRow) throws -> NaiveValue {
    guard case .list(let list) = membership.set else {
      throw NaiveRefusal(description: "in without a list")
    }
    let operand = try value(membership.operand, row).scalar
    if operand.isMissing { return .condition(false) }
    let isFound = try list.contains { NaiveValue.holds("=", operand, try value($0, row)) }
    return .condition(isFound != membership.isNegated)
  }

  static func contains(_ text: String, _ part: String) -> Bool {
    let bytes = Array(text.utf8)
    let wanted = Array(part.utf8)
    guard wanted.count <= bytes.count else { return false }
    return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) }
  }

  private static func function(_ name: String, _ values: [NaiveValue]) throws -> NaiveValue {
    let first = values[0]
    switch name {
    case "ispresent": return .condition(!first.isMissing)
    case "isnumeric": return .condition(first.number != nil)
    case "coalesce": return values.first { !$0.isMissing } ?? .missing
    case "if": return first.isTrue ? values[1] : values[2]
    case "isempty":
      if first.isStructure { return .condition(false) }
      return .condition(first.isMissing || first.text == "")
    case "concat":
      let texts = values.map(\.text)
      return texts.allSatisfy { $0 == nil } ? .missing : .text(texts.map { $0 ?? "" }.joined())
    case "strlen": return first.text.map { .integer(Int64($0.unicodeScalars.count)) } ?? .missing
    case "toupper": return first.text.map { .text($0.uppercased()) } ?? .missing
    case "tolower": return first.text.map { .text($0.lowercased()) } ?? .missing
    case "strcontains":
      guard let text = first.text, let part = values[1].text else { return .condition(false) }
      return .condition(contains(text, part))
    case "abs":
      guard let number = first.number else { return .missing }
      return number.double < 0 ? arithmetic(.subtract, .integer(0), number) : number.value
    case "tonumber": return first.number?.value ?? .missing
    default: throw NaiveRefusal(description: name)
    }
  }
}
