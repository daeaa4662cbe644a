import Columnar
import LogStorage

/// Writes a plan as text for `explain`.
///
///     scan all log groups, newest first
///       skip unless level = "error"
///     segment 1
///       filter level = "error"
///       group by host: count(*)
///     show host, n
struct PlanPrinter {
  private let plan: LogicalPlan
  /// Whether `?` stands for every value and number: what is left is common to all queries that do the same.
  private let hidesValues: Bool

  init(_ plan: LogicalPlan, hidesValues: Bool = false) {
    self.plan = plan
    self.hidesValues = hidesValues
  }

  /// The plan and, where the optimizer did more than to hand conditions down, the plan as written before it.
  func text(comparedWith written: LogicalPlan) -> String {
    let before = PlanPrinter(written).text()
    var alike = plan
    alike.scan.predicates = written.scan.predicates
    if PlanPrinter(alike).text() == before { return text() }
    return "as written\n\(indent(before))\nas run\n\(indent(text()))"
  }

  private func indent(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
      .joined(separator: "\n")
  }

  func text() -> String {
    var lines = subplanLines() + scanLines()
    for (index, segment) in plan.segments.enumerated() {
      lines += segmentLines(segment, number: index + 1)
    }
    lines.append("show " + outputText())
    return lines.joined(separator: "\n")
  }

  /// The inner queries, which run first.
  private func subplanLines() -> [String] {
    plan.subplans.enumerated().flatMap { number, subplan in
      ["subquery \(number + 1) for \(subplan.name)"]
        + PlanPrinter(subplan.plan, hidesValues: hidesValues).text().split(separator: "\n").map {
          "  \($0)"
        }
    }
  }

  private func scanLines() -> [String] {
    let named = plan.scan.selection.map(\.description) ?? plan.scan.logGroups ?? []
    let groups = named.isEmpty ? "all log groups" : named.joined(separator: ", ")
    var lines = ["scan \(groups)"]
    if let window = plan.scan.window, !hidesValues {
      let lower = window.lowerBound == .min ? "the beginning" : Self.time(window.lowerBound)
      let upper = window.upperBound == .max ? "the end" : Self.time(window.upperBound)
      lines.append("  window from \(lower) to \(upper)")
    }
    let fields = plan.slots.compactMap { slot -> String? in
      guard case .event(let field) = slot.source else { return nil }
      return field.name
    }
    if !fields.isEmpty { lines.append("  fields \(fields.joined(separator: ", "))") }
    lines += plan.scan.predicates.map { "  skip unless \(text($0))" }
    return lines
  }

  private func segmentLines(_ segment: PlanSegment, number: Int) -> [String] {
    var lines: [String] = []
    lines += segment.filters.map { "  filter \(text($0))" }
    if !segment.sortKeys.isEmpty {
      let isTop = segment.limit != nil && segment.tail == nil
      let keys = segment.sortKeys.map {
        "\(text($0.expression)) \($0.isDescending ? "desc" : "asc")"
      }
      lines.append(
        "  \(isTop ? "top \(amount(segment.limit ?? 0))" : "sort") by \(keys.joined(separator: ", "))"
      )
    }
    if let tail = segment.tail { lines.append("  tail \(amount(tail))") }
    if let limit = segment.limit { lines.append("  limit \(amount(limit))") }
    if let barrier = segment.barrier { lines.append("  \(text(barrier))") }
    return lines.isEmpty ? [] : ["segment \(number)"] + lines
  }

  private func text(_ barrier: Barrier) -> String {
    switch barrier {
    case .dedup(let keys): return "dedup " + keys.map(name).joined(separator: ", ")
    case .matches(_, let captures):
      return "parse every match into " + captures.map(name).joined(separator: ", ")
    case .command(let command):
      return command.name + " " + command.inputs.map(name).joined(separator: ", ")
    case .stats(let stats):
      let aggregates = stats.aggregates.map { name($0.output) }.joined(separator: ", ")
      let keys = stats.keys.map { text($0.expression) }.joined(separator: ", ")
      return keys.isEmpty ? "aggregate \(aggregates)" : "group by \(keys): \(aggregates)"
    }
  }

  private func outputText() -> String {
    plan.output.columns.map { column in
      switch column {
      case .named(let name, _): name
      case .discovered: "every discovered field"
      }
    }.joined(separator: ", ")
  }

  private func name(_ slot: SlotID) -> String { plan.slots[slot].name }

  private func text(_ predicate: FieldPredicate) -> String {
    switch predicate.test {
    case .compare(let comparison, let value):
      "\(predicate.field) \(comparison.symbol) \(text(value))"
    case .oneOf(let values):
      "\(predicate.field) in [\(values.map(text).joined(separator: ", "))]"
    case .present: "\(predicate.field) is present"
    case .contains(let bytes, _):
      "\(predicate.field) holds \"\(String(decoding: bytes, as: UTF8.self))\""
    }
  }

  private static func time(_ milliseconds: Int64) -> String {
    Value.timestamp(milliseconds).text ?? "\(milliseconds)"
  }

  private func amount(_ number: Int) -> String { hidesValues ? "?" : "\(number)" }

  private func text(_ value: Value) -> String {
    if hidesValues { return "?" }
    if case .string(let text) = value { return "\"\(text)\"" }
    return value.text ?? (value.isMissing ? "null" : "a list or map")
  }

  private func text(_ rows: RowSet) -> String {
    switch rows {
    case .subplan(let number): "subquery \(number + 1)"
    case .result(let result): "\(result.values.count) values"
    }
  }

  /// An expression, nearly as a query writes it.
  func text(_ expression: BoundExpression) -> String {
    switch expression.kind {
    case .literal(let value): text(value)
    case .slot(let slot): name(slot)
    case .negate(let e): "-\(text(e))"
    case .arithmetic(let sign, let a, let b): "(\(text(a)) \(sign.rawValue) \(text(b)))"
    case .shift(let e, _, let isNegative): "(\(text(e)) \(isNegative ? "-" : "+") a period)"
    case .rounded(let e, _, let isUp): "\(isUp ? "ceiling" : "floor")(\(text(e)))"
    case .compare(let sign, let a, let b): "\(text(a)) \(sign.symbol) \(text(b))"
    case .present(let e): "\(text(e)) is present"
    case .and(let list): "(\(list.map(text).joined(separator: " and ")))"
    case .or(let list): "(\(list.map(text).joined(separator: " or ")))"
    case .not(let e): "not \(text(e))"
    case .contains(let a, let b, let isNegated):
      "\(text(a)) \(isNegated ? "not like" : "like") \(text(b))"
    case .matches(let a, let regex, let isNegated):
      "\(text(a)) \(isNegated ? "!~" : "=~") \(hidesValues ? "?" : "/\(regex.pattern)/")"
    case .matchesText(let a, let b, let isNegated, _):
      "\(text(a)) \(isNegated ? "!~" : "=~") \(text(b))"
    case .among(let e, let values, let isNegated):
      "\(text(e)) \(isNegated ? "not in" : "in") [\(values.map(text).joined(separator: ", "))]"
    case .amongList(let e, let list, let isNegated):
      "\(text(e)) \(isNegated ? "not in" : "in") \(text(list))"
    case .amongRows(let e, let rows, let isNegated):
      "\(text(e)) \(isNegated ? "not in" : "in") \(text(rows))"
    case .list(let list): "[\(list.map(text).joined(separator: ", "))]"
    case .member(let e, let name): "\(text(e)).\(name)"
    case .index(let e, let index): "\(text(e))[\(text(index))]"
    case .call(let call):
      "\(call.function.name)(\(call.arguments.map(text).joined(separator: ", ")))"
    case .conditional(let branches, let otherwise):
      "case(\(branches.map { "\(text($0.condition)), \(text($0.value))" }.joined(separator: ", ")), \(text(otherwise)))"
    case .coalesce(let list): "coalesce(\(list.map(text).joined(separator: ", ")))"
    }
  }
}

extension FieldPredicate.Comparison {
  /// The operator as a query writes it.
  var symbol: String {
    switch self {
    case .equal: "="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    }
  }
}
