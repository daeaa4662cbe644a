import Columnar

struct DistinctFilter {
  var seen: Set<[String]> = []
  var byteCount: Int { seen.count * 64 }
  mutating func firstRows(of columns: [ColumnVector], rowCount: Int) -> SelectionVector {
    var out: SelectionVector = []
    for r in 0..<rowCount {
      let vs = columns.map { $0.value(at: r) }
      if vs.contains(where: \.isMissing) { out.append(UInt32(r)); continue }
      if seen.insert(vs.map { $0.text ?? "" }).inserted { out.append(UInt32(r)) }
    }
    return out
  }
}
struct PartialGroups: Sendable {
  var rows: [([Value], [[Value]])] = []
  init(_ stats: StatsStep, of frame: inout Frame) throws {
    let ks = try stats.keys.map { try $0.expression.evaluate(&frame).sortable().values() }
    let n = frame.rowCount
    let asx = try stats.aggregates.map { a -> [Value] in
      if let e = a.aggregate.argument { return try e.evaluate(&frame).values() }
      return Array(repeating: .integer(1), count: n)
    }
    rows = (0..<n).map { r in (ks.map { $0[r] }, asx.map { [$0[r]] }) }
  }
}
struct GroupMerger: Sendable {
  let stats: StatsStep; let layout: PlanLayout; let budget: MemoryBudget
  var groups: [[String]: ([Value], [[Value]])] = [:]
  init(_ stats: StatsStep, layout: PlanLayout, budget: MemoryBudget) {
    self.stats = stats; self.layout = layout; self.budget = budget
  }
  mutating func merge(_ p: PartialGroups) throws {
    for (k, a) in p.rows {
      var g = groups[k.map { $0.text ?? "\u{0}" }] ?? (k, stats.aggregates.map { _ in [] })
      for i in a.indices { g.1[i] += a[i].filter { !$0.isMissing } }
      groups[k.map { $0.text ?? "\u{0}" }] = g
    }
  }
  mutating func finish() throws -> [RowBatch] {
    if groups.isEmpty {
      if stats.keys.isEmpty {
        groups[[]] = ([], stats.aggregates.map { _ in [] })
      } else {
        return []
      }
    }
    let gs = Array(groups.values)
    var cols = [ColumnVector?](repeating: nil, count: layout.plan.slots.count)
    for (i, k) in stats.keys.enumerated() { cols[k.output] = ColumnVector(gs.map { $0.0[i] }) }
    func d(_ v: Value) -> Double? {
      v.number.map {
        switch $0 {
        case .integer(let i): Double(i);
        case .double(let d): d
        }
      }
    }
    for (i, a) in stats.aggregates.enumerated() {
      cols[a.output] = ColumnVector(
        gs.map { g -> Value in
          let vs = g.1[i]; let ns = vs.compactMap(d)
          switch a.aggregate.function {
          case .count, .countOverTime: return .integer(Int64(vs.count))
          case .countDistinct: return .integer(Int64(Set(vs.map { $0.text ?? "" }).count))
          case .sum, .sumOverTime:
            let whole = vs.compactMap { v -> Int64? in
              if case .integer(let i)? = v.number { i } else { nil }
            }
            if whole.count == ns.count, !ns.isEmpty { return .integer(whole.reduce(0, +)) }
            return ns.isEmpty ? .missing : .double(ns.reduce(0, +))
          case .avg: return ns.isEmpty ? .missing : .double(ns.reduce(0, +) / Double(ns.count))
          case .max: return vs.max { RowSort.less($0, $1) < 0 } ?? .missing
          case .min: return vs.min { RowSort.less($0, $1) < 0 } ?? .missing
          default: return .missing
          }
        })
    }
    let batch = RowBatch(rowCount: gs.count, columns: cols)
    let order =
      (stats.timeKey.map { [$0] } ?? []) + stats.keys.indices.filter { $0 != stats.timeKey }
    let rows = RowSort.order(
      order.map { cols[stats.keys[$0].output]! }, order.map { _ in false }, limit: nil)
    return [order.isEmpty ? batch : batch.gather(rows)]
  }
}
