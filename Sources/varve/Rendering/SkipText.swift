import LogStorage

/// One reason for which parts of the store were skipped, with how much of it.
struct SkipLine {
  var reason: SkipReason
  var count: SkipCount

  /// Why, as a person reads it.
  var text: String {
    switch reason {
    case .outsideWindow: "outside the window"
    case .pastRetention: "older than the log group keeps events"
    case .fieldAbsent(let field): "no event has \(field)"
    case .outsideBounds(let field): "the least and greatest \(field) rule it out"
    case .identifierAbsent(let field): "no \(field) is the one looked for"
    }
  }

  var json: String {
    JSONText.object { json in
      switch reason {
      case .outsideWindow: json.add("reason", "outsideWindow")
      case .pastRetention: json.add("reason", "pastRetention")
      case .fieldAbsent(let field):
        json.add("reason", "fieldAbsent")
        json.add("field", field)
      case .identifierAbsent(let field):
        json.add("reason", "identifierAbsent")
        json.add("field", field)
      case .outsideBounds(let field):
        json.add("reason", "outsideBounds")
        json.add("field", field)
      }
      json.add("segments", count.segments)
      json.add("rowGroups", count.rowGroups)
      json.add("records", count.rows)
    }
  }
}

extension [SkipReason: SkipCount] {
  /// What skipped most events first.
  var ordered: [SkipLine] {
    map { SkipLine(reason: $0.key, count: $0.value) }
      .sorted { ($1.count.rows, $0.text) < ($0.count.rows, $1.text) }
  }
}
