import Columnar

// `fillmissing`: a row for every bin of the window that has none.
//
//     stats count(*) as n by bin(1h), host | fillmissing with 0 for n      window 10:15 to 12:05
//
//     10:00 a 3            10:00 a 3
//     12:00 b 1            10:00 b 0
//                          11:00 a 0
//                          11:00 b 0
//                          12:00 a 0
//                          12:00 b 1
//
// Every combination of the other keys that occurs gets its bins. The result is ordered by time, then
// by the other keys, whatever the order before.

/// `fillmissing` behind a `stats` with one time key.
struct FillmissingStep: RowCollection {
  struct Filling: Sendable {
    let input: SlotID
    let output: SlotID
    let value: Value
  }

  let time: SlotID
  let period: Period
  /// Whether bins are named by their ends, as `dateceil` does.
  let isUp: Bool
  /// The keys besides the time.
  let keys: [SlotID]
  let fillings: [Filling]

  var name: String { "fillmissing" }
  var inputs: [SlotID] { [time] + keys + fillings.map(\.input) }
  var outputs: [SlotID] { fillings.map(\.output) }

  /// Rows that may be added; more are refused with E214.
  static let mostRows = 100_000

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    guard let window = layout.context.functions.window else { return rows.map { [$0] } ?? [] }
    let empty = RowBatch(
      rowCount: 0, columns: layout.plan.slots.indices.map { _ in .missing(count: 0) })
    var known = rows ?? empty
    var frame = Frame(known, layout: layout)
    let times = try frame.column(time)
    let others = try keys.map { try frame.column($0) }
    for filling in fillings { known.columns[filling.output] = try frame.column(filling.input) }
    var groups = GroupTable(keyCount: keys.count)
    let groupOfRow = groups.assignGroups(keys: others, rowCount: known.rowCount)
    var present: [Int64: Set<UInt32>] = [:]
    for row in 0..<known.rowCount {
      guard case .timestamp(let bin) = times.value(at: row) else { continue }
      present[bin, default: []].insert(groupOfRow[row])
    }
    let missing = try missingRows(in: window, groupCount: groups.count, present)
    return [sorted(known, adding: missing, groups.keyColumns())]
  }

  private typealias MissingRow = (bin: Int64, group: UInt32)

  private func missingRows(
    in window: ClosedRange<Int64>, groupCount: Int, _ present: [Int64: Set<UInt32>]
  ) throws(QueryFailure) -> [MissingRow] {
    guard groupCount > 0 else { return [] }
    var missing: [MissingRow] = []
    var bin = rounded(window.lowerBound)
    let last = rounded(window.upperBound)
    while bin <= last {
      let known = present[bin] ?? []
      if known.count < groupCount {
        for group in 0..<UInt32(groupCount) where !known.contains(group) {
          missing.append((bin, group))
          if missing.count > Self.mostRows { throw Self.tooMany }
        }
      }
      guard let following = period.following(bin) else { break }
      bin = following
    }
    return missing
  }

  private func rounded(_ time: Int64) -> Int64 {
    (isUp ? period.ceil(time) : period.floor(time)) ?? time
  }

  private static let tooMany = QueryFailure.refused(
    code: "E214",
    "fillmissing would add more than \(mostRows) rows; use a longer period or a shorter window")

  private func sorted(
    _ known: RowBatch, adding missing: [MissingRow], _ keyColumns: [ColumnVector]
  ) -> RowBatch {
    var columns = known.columns.map { $0 == nil ? nil : ColumnVector.missing(count: missing.count) }
    columns[time] = .timestamps(IntegerVector(values: missing.map(\.bin)))
    for (key, column) in zip(keys, keyColumns) {
      columns[key] = column.gather(SelectionVector(missing.map(\.group)))
    }
    for filling in fillings {
      columns[filling.output] =
        filling.value.isMissing || missing.isEmpty
        ? .missing(count: missing.count) : .constant(filling.value, count: missing.count)
    }
    let all = RowBatch.concatenated([
      known, RowBatch(rowCount: missing.count, columns: columns),
    ])
    let sortKeys = ([time] + keys).map { all.columns[$0] ?? .missing(count: all.rowCount) }
    return all.gather(
      RowSort.order(sortKeys, sortKeys.map { _ in false }, limit: nil))
  }
}
