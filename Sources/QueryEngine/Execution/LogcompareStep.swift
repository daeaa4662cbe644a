import Columnar

// `logcompare` behind a `stats`: its groups of two windows side by side. Those of the earlier window
// come from an inner query, in which the times that groups are made by were moved into this window,
// so that groups with equal keys belong together.
//
//     now       k=a n=5, k=b n=1        k  n  n_baseline  n_delta
//     baseline  k=a n=2, k=c n=1        a  5  2           3
//                                       b  1
//                                       c     1
//
// The rows are ordered by their keys.

/// `logcompare` behind a `stats`.
struct LogcompareStep: RowCollection {
  struct Output: Sendable {
    let now: SlotID
    /// The column of the inner query.
    let position: Int
    let value: SlotID
    let baseline: SlotID
    let delta: SlotID
  }

  struct Key: Sendable {
    let now: SlotID
    let position: Int
    let output: SlotID
  }

  let subplan: Int
  /// Most significant first.
  let keys: [Key]
  let columns: [Output]

  var name: String { "logcompare" }
  var inputs: [SlotID] { keys.map(\.now) + columns.map(\.now) }
  var outputs: [SlotID] {
    keys.map(\.output) + columns.flatMap { [$0.value, $0.baseline, $0.delta] }
  }
  var makesNewRows: Bool { true }

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    let earlier = layout.results[subplan]
    let slotCount = layout.plan.slots.count
    let rows =
      rows
      ?? RowBatch(rowCount: 0, columns: (0..<slotCount).map { _ in .missing(count: 0) })
    var frame = Frame(rows, layout: layout)
    var groups = GroupTable(keyCount: keys.count)
    let nowKeys = try keys.map { try frame.column($0.now) }
    let nowGroups = groups.assignGroups(keys: nowKeys, rowCount: rows.rowCount)
    let earlierGroups = groups.assignGroups(
      keys: keys.map { earlier.column($0.position) }, rowCount: earlier.rowCount)
    let isEmpty = rows.rowCount + earlier.rowCount == 0
    guard !isEmpty else { return [] }
    let nowRows = firstRows(nowGroups, of: groups.count)
    let earlierRows = firstRows(earlierGroups, of: groups.count)
    var result = [ColumnVector?](repeating: nil, count: slotCount)
    for (key, column) in zip(keys, groups.keyColumns()) { result[key.output] = column }
    for column in columns {
      let now = values(of: try frame.column(column.now), at: nowRows)
      let before = values(of: earlier.column(column.position), at: earlierRows)
      result[column.value] = ColumnVector(now)
      result[column.baseline] = ColumnVector(before)
      result[column.delta] = ColumnVector(zip(now, before).map { Self.difference($0, $1) })
    }
    let batch = RowBatch(rowCount: groups.count, columns: result)
    guard !keys.isEmpty else { return [batch] }
    let sortKeys = keys.map { result[$0.output] ?? .missing(count: groups.count) }
    return [
      batch.gather(RowSort.order(sortKeys, sortKeys.map { _ in false }, limit: nil))
    ]
  }

  private func firstRows(_ groups: [UInt32], of count: Int) -> [Int?] {
    var rows = [Int?](repeating: nil, count: count)
    for (row, group) in groups.enumerated() where rows[Int(group)] == nil {
      rows[Int(group)] = row
    }
    return rows
  }

  private func values(of column: ColumnVector, at rows: [Int?]) -> [Value] {
    rows.map { $0.map { column.value(at: $0) } ?? .missing }
  }

  /// What was added since, of two numbers.
  private static func difference(_ now: Value, _ before: Value) -> Value {
    guard let a = now.number, let b = before.number else { return .missing }
    if case .integer(let x) = a, case .integer(let y) = b {
      let (difference, overflow) = x.subtractingReportingOverflow(y)
      if !overflow { return .integer(difference) }
    }
    let difference = a.asDouble - b.asDouble
    return difference.isFinite ? .double(difference) : .missing
  }
}
