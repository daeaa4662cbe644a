import QueryLanguage

// `stats` by the language reference: all rows of a group at hand, every aggregate worked out anew.

extension NaiveValue {
  /// Whether one row of group keys stands ahead of another; those that sort alike by what tells them
  /// apart as keys.
  static func precedes(_ a: [NaiveValue], _ b: [NaiveValue]) -> Bool {
    let keys = zip(a.map(\.keyText), b.map(\.keyText))
    let orders = zip(a, b).map { order($0, $1) } + keys.map { order($0, $1) }
    return orders.first { $0 != 0 } ?? 0 < 0
  }

  private var keyText: NaiveValue { key.map { .text($0) } ?? .missing }
}

extension NaiveEvaluator {
  mutating func group(_ stats: StatsCommand) throws {
    var groups: [(keys: [NaiveValue], rows: [NaiveRow])] = []
    var places: [[String?]: Int] = [:]
    for row in rows {
      let keys = try stats.keys.map { try Self.value($0.expression, row).scalar }
      if let place = places[keys.map(\.key)] {
        groups[place].rows.append(row)
        for index in keys.indices where keys[index].outranks(groups[place].keys[index]) {
          groups[place].keys[index] = keys[index]
        }
      } else {
        places[keys.map(\.key)] = groups.count
        groups.append((keys, [row]))
      }
    }
    if groups.isEmpty, stats.keys.isEmpty { groups = [([], [])] }
    let timeKey = stats.keys.firstIndex { Self.isTimeKey($0.expression) }
    groups.sort { a, b in
      if let timeKey {
        let order = NaiveValue.order(a.keys[timeKey], b.keys[timeKey])
        if order != 0 { return order < 0 }
      }
      return NaiveValue.precedes(a.keys, b.keys)
    }
    rows = try groups.map { group in
      var row = NaiveRow(isEvent: false)
      for (key, value) in zip(stats.keys, group.keys) { row.made[key.outputName] = value }
      for output in stats.outputs {
        row.made[output.outputName] = try Self.output(output.expression, group.rows, row)
      }
      return row
    }
  }

  private static func isTimeKey(_ expression: Expression) -> Bool {
    guard case .call(let call) = expression.kind else { return false }
    return ["bin", "datefloor", "dateceil"].contains(call.function.folded)
  }

  private static let aggregates: Set<String> = [
    "count", "countdistinct", "sum", "avg", "min", "max", "pct", "stddev", "variance", "values",
    "topk", "earliest", "latest", "sortsfirst", "sortslast", "countovertime", "sumovertime",
  ]

  /// An expression over aggregates: each is replaced by a column of its value.
  private static func output(
    _ expression: Expression, _ rows: [NaiveRow], _ row: NaiveRow
  ) throws -> NaiveValue {
    switch expression.kind {
    case .call(let call) where aggregates.contains(call.function.folded):
      return try aggregate(call, rows)
    case .binary(let sign, let left, let right):
      return try binary(sign, try output(left, rows, row), try output(right, rows, row))
    default: return try value(expression, row)
    }
  }

  private static func aggregate(_ call: FunctionCall, _ rows: [NaiveRow]) throws -> NaiveValue {
    let name = call.function.folded
    guard var argument = call.arguments.first else { return .integer(Int64(rows.count)) }
    if name == "topk" { argument = call.arguments[1] }
    let present = try rows.map { try value(argument, $0).scalar }.filter { !$0.isMissing }
    let numbers = present.compactMap(\.number)
    switch name {
    case "count", "countovertime": return .integer(Int64(present.count))
    case "countdistinct": return .integer(Int64(Set(present.compactMap(\.key)).count))
    case "sum", "sumovertime": return numbers.isEmpty ? .missing : sum(numbers)
    case "avg":
      guard !numbers.isEmpty, let total = sum(numbers).number else { return .missing }
      return .double(total.double / Double(numbers.count))
    case "min", "sortsfirst": return extreme(present, -1)
    case "max", "sortslast": return extreme(present, 1)
    case "variance": return variance(numbers).map { .double($0) } ?? .missing
    case "stddev": return variance(numbers).map { .double($0.squareRoot()) } ?? .missing
    case "pct": return percentile(numbers, try value(call.arguments[1], NaiveRow()).number?.double)
    // Rows come newest first.
    case "latest": return present.first ?? .missing
    case "earliest": return present.last ?? .missing
    case "values": return present.isEmpty ? .missing : .list(counted(present).map(\.value))
    default:
      let wanted = try value(call.arguments[0], NaiveRow()).number.map { Int($0.double) } ?? 0
      let ordered = counted(present).sorted { a, b in
        a.count != b.count ? a.count > b.count : NaiveValue.precedes([a.value], [b.value])
      }
      return ordered.isEmpty ? .missing : .list(ordered.prefix(wanted).map(\.value))
    }
  }

  /// The first of the values that are first, or last, in the order of sort.
  private static func extreme(_ values: [NaiveValue], _ sign: Int) -> NaiveValue {
    var best: NaiveValue?
    for value in values {
      let order = best.map { NaiveValue.order(value, $0) } ?? sign
      if order == sign { best = value }
      if order == 0, case .spelled = value { best = value }
    }
    return best ?? .missing
  }

  private static func counted(_ values: [NaiveValue]) -> [(value: NaiveValue, count: Int)] {
    var counted: [(value: NaiveValue, count: Int)] = []
    for value in values {
      if let place = counted.firstIndex(where: { $0.value.key == value.key }) {
        counted[place].count += 1
        if value.outranks(counted[place].value) { counted[place].value = value }
      } else {
        counted.append((value, 1))
      }
    }
    return counted
  }

  private static func variance(_ numbers: [NaiveNumber]) -> Double? {
    if numbers.isEmpty { return nil }
    let mean = numbers.reduce(0) { $0 + $1.double } / Double(numbers.count)
    return numbers.reduce(0) { $0 + ($1.double - mean) * ($1.double - mean) }
      / Double(numbers.count)
  }

  private static func percentile(_ numbers: [NaiveNumber], _ percent: Double?) -> NaiveValue {
    guard let percent, !numbers.isEmpty else { return .missing }
    let sorted = numbers.map(\.double).sorted()
    let rank = percent / 100 * Double(sorted.count - 1)
    let low = Int(rank.rounded(.down))
    let high = min(low + 1, sorted.count - 1)
    let part = rank - Double(low)
    return .double(sorted[low] + (sorted[high] - sorted[low]) * part)
  }

  /// Whole numbers exactly, with 128 bits, those too that are kept as doubles; the others with what each
  /// addition loses kept aside.
  static func sum(_ numbers: [NaiveNumber]) -> NaiveValue {
    var whole: Int128 = 0
    var total = 0.0
    var lost = 0.0
    var isWhole = true
    for number in numbers {
      switch number {
      case .integer(let integer): whole += Int128(integer)
      case .double(let double):
        isWhole = false
        if abs(double) < 1e30, let integer = Int128(exactly: double) {
          whole += integer
          continue
        }
        let next = total + double
        lost += abs(total) >= abs(double) ? (total - next) + double : (double - next) + total
        total = next
      }
    }
    if isWhole, let exact = Int64(exactly: whole) { return .integer(exact) }
    return NaiveNumber.double(Double(whole) + (total + lost)).value
  }
}
