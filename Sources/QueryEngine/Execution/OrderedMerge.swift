import Columnar
import LogStorage

// Events in order of time without holding them all. Row groups arrive roughly in order; each brings
// a bound that no later one crosses. Rows on the near side of the bound are final and leave, the
// others wait. Newest first, with two row groups that overlap:
//
//     row group 0: 12 11 9 7   bound 10     → 12 11 leave, 9 7 wait
//     row group 1: 10 8 6      bound 5      → 10 9 8 7 6 leave, merged
//
// Of a well-ordered store about one row group waits at any time. A file in no order has a bound that
// never moves: then everything waits, and what memory has no room for is sorted on disk.

/// Merges pieces that are each in order of time.
struct OrderedMerge {
  private struct Run {
    let batch: RowBatch
    var position = 0
    let byteCount: Int
  }

  private let isNewestFirst: Bool
  /// Bytes of `runs`.
  private var waiting = 0
  private let budget: MemoryBudget
  private var runs: [Run] = []
  /// Takes everything that waits once memory has no more room; nothing leaves before the end then.
  private var sorter: SortBuffer?

  init(isNewestFirst: Bool, budget: MemoryBudget) {
    self.isNewestFirst = isNewestFirst
    self.budget = budget
  }

  /// Adds rows that are in order of time, for which ``reserve(_:in:)`` was called.
  ///
  /// - Throws: ``QueryFailure`` when what memory has no room for cannot be written.
  mutating func add(_ batch: RowBatch) throws(QueryFailure) {
    let byteCount = batch.byteCount
    runs.append(Run(batch: batch, byteCount: byteCount))
    waiting += byteCount
    if sorter != nil || !budget.hasRoom(holding: waiting) { try moveToDisk() }
  }

  private mutating func moveToDisk() throws(QueryFailure) {
    if sorter == nil {
      sorter = SortBuffer(
        RowRule(directions: [], tieOrder: isNewestFirst ? .newestFirst : .oldestFirst),
        for: "output in order of time", budget: budget)
    }
    for run in runs {
      let rows = run.batch.slice(run.position..<run.batch.rowCount)
      budget.release(run.byteCount)
      try sorter?.add(SortPiece(batch: rows, keys: []))
    }
    runs = []
    waiting = 0
  }

  /// Counts rows that are going to be added, as soon as there are any: they wait for the consumer too.
  static func reserve(_ batch: RowBatch, in budget: MemoryBudget) { budget.count(batch.byteCount) }

  /// Hands on the rows that no later piece can precede, until `isDone`; `nil` as bound says that none
  /// is to come.
  mutating func drain(
    upTo bound: Int64?, until isDone: () -> Bool, _ body: (RowBatch) throws -> Void
  ) throws {
    if sorter != nil {
      if bound == nil { try sorter?.drain(until: isDone, body) }
      return
    }
    var parts: [RowBatch] = []
    for index in runs.indices {
      let end = endOfFinal(runs[index], bound)
      guard end > runs[index].position else { continue }
      parts.append(runs[index].batch.slice(runs[index].position..<end))
      runs[index].position = end
    }
    forgetSpentRuns()
    guard !parts.isEmpty else { return }
    parts.sort { precedes(key($0, 0), key($1, 0)) }
    try emit(parts, body)
  }

  private mutating func forgetSpentRuns() {
    runs.removeAll { run in
      guard run.position == run.batch.rowCount else { return false }
      budget.release(run.byteCount)
      waiting -= run.byteCount
      return true
    }
  }

  /// Parts that overlap in time are merged, the others pass as they are.
  private func emit(_ parts: [RowBatch], _ body: (RowBatch) throws -> Void) throws {
    var group: [RowBatch] = []
    var last: (Int64, UInt64)?
    for part in parts {
      if let end = last, !precedes(key(part, 0), end) {
        try emitMerged(group, body)
        group = []
        last = nil
      }
      group.append(part)
      let end = key(part, part.rowCount - 1)
      last = last.map { precedes($0, end) ? end : $0 } ?? end
    }
    try emitMerged(group, body)
  }

  private func emitMerged(_ parts: [RowBatch], _ body: (RowBatch) throws -> Void) throws {
    guard parts.count > 1 else {
      for part in parts { try emitSlices(part, body) }
      return
    }
    let whole = RowBatch.concatenated(parts)
    guard let order = whole.order else { return try emitSlices(whole, body) }
    var stop = StopCounter(every: 1_024)
    let rows = try (0..<UInt32(whole.rowCount)).sorted { a, b in
      try stop.check()
      return precedes(
        (order.times[Int(a)], order.sequences[Int(a)]),
        (order.times[Int(b)], order.sequences[Int(b)]))
    }
    for start in stride(from: 0, to: rows.count, by: SortBuffer.rowsPerBatch) {
      let end = min(start + SortBuffer.rowsPerBatch, rows.count)
      try body(whole.gather(SelectionVector(rows[start..<end])))
    }
  }

  private func emitSlices(_ batch: RowBatch, _ body: (RowBatch) throws -> Void) throws {
    for start in stride(from: 0, to: batch.rowCount, by: SortBuffer.rowsPerBatch) {
      try body(batch.slice(start..<min(start + SortBuffer.rowsPerBatch, batch.rowCount)))
    }
  }

  private func key(_ batch: RowBatch, _ row: Int) -> (Int64, UInt64) {
    guard let order = batch.order else { preconditionFailure("rows in order have times") }
    return (order.times[row], order.sequences[row])
  }

  private func precedes(_ a: (Int64, UInt64), _ b: (Int64, UInt64)) -> Bool {
    isNewestFirst ? a > b : a < b
  }

  /// Behind the last row that lies on the near side of the bound, by bisection.
  private func endOfFinal(_ run: Run, _ bound: Int64?) -> Int {
    guard let bound, let times = run.batch.order?.times else { return run.batch.rowCount }
    var low = run.position
    var high = run.batch.rowCount
    while low < high {
      let middle = (low + high) / 2
      if isNewestFirst ? times[middle] > bound : times[middle] < bound {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
