import Columnar

// `diff`: the patterns of two windows side by side. Those of the earlier window come from an inner
// query that was run before; two patterns are the same if they read the same.
//
//     now       A 5, B 1        @pattern  @sampleCount  @baselineCount  @differenceCount
//     baseline  A 2, C 1        A         5             2                3   Increased by 150%
//                               B         1             0                1   New
//                               C         0             1               -1   Gone

/// `diff` behind a `pattern`, and `logcompare` there.
struct DiffStep: RowCollection {
  let name: String
  let pattern: SlotID
  let count: SlotID
  let severity: SlotID
  /// The inner query of the baseline: pattern, count, severity.
  let subplan: Int
  /// Pattern, count, count of the baseline, difference, description, severity.
  let outputs: [SlotID]

  var inputs: [SlotID] { [pattern, count, severity] }
  var makesNewRows: Bool { true }

  private struct Pair {
    let text: String
    let severity: Value
    var now: Int64 = 0
    var before: Int64 = 0

    var difference: Int64 { now - before }

    var description: String {
      if before == 0 { return "New" }
      if now == 0 { return "Gone" }
      if now == before { return "Unchanged" }
      let share = Double(difference.magnitude) / Double(before) * 100
      let tenths = (share * 10).rounded() / 10
      let shown = tenths == tenths.rounded() ? "\(Int64(tenths))" : "\(tenths)"
      return (difference > 0 ? "Increased by " : "Decreased by ") + shown + "%"
    }
  }

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    var pairs: [Pair] = []
    var places: [String: Int] = [:]
    func place(_ text: String, _ severity: Value) -> Int {
      if let known = places[text] { return known }
      places[text] = pairs.count
      pairs.append(Pair(text: text, severity: severity))
      return pairs.count - 1
    }
    if let rows {
      var frame = Frame(rows, layout: layout)
      let columns = try inputs.map { try frame.column($0).values() }
      for row in 0..<rows.rowCount {
        guard let text = columns[0][row].text else { continue }
        pairs[place(text, columns[2][row])].now += Self.integer(columns[1][row])
      }
    }
    let earlier = layout.results[subplan]
    let columns = (0..<3).map { earlier.column($0).values() }
    for row in 0..<earlier.rowCount {
      guard let text = columns[0][row].text else { continue }
      pairs[place(text, columns[2][row])].before += Self.integer(columns[1][row])
    }
    pairs.sort { a, b in
      a.difference.magnitude != b.difference.magnitude
        ? a.difference.magnitude > b.difference.magnitude
        : a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
    return pairs.isEmpty ? [] : [batch(pairs, slotCount: layout.plan.slots.count)]
  }

  private func batch(_ pairs: [Pair], slotCount: Int) -> RowBatch {
    var columns = [ColumnVector?](repeating: nil, count: slotCount)
    columns[outputs[0]] = ColumnVector(pairs.map { .string($0.text) })
    columns[outputs[1]] = .integers(IntegerVector(values: pairs.map(\.now)))
    columns[outputs[2]] = .integers(IntegerVector(values: pairs.map(\.before)))
    columns[outputs[3]] = .integers(IntegerVector(values: pairs.map(\.difference)))
    columns[outputs[4]] = ColumnVector(pairs.map { .string($0.description) })
    columns[outputs[5]] = ColumnVector(pairs.map(\.severity))
    return RowBatch(rowCount: pairs.count, columns: columns)
  }

  private static func integer(_ value: Value) -> Int64 {
    Int64(exactly: (value.number?.asDouble ?? 0).rounded()) ?? 0
  }
}
