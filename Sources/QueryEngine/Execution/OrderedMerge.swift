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
  /// Rows of a batch, by their places in the order of the merge.
  ///
  /// Batches are ascending in time. Newest first, their rows leave from the last to the first; they are turned
  /// when they leave, not before, for that copies their texts.
  private struct Run {
    let batch: RowBatch
    let isTurned: Bool
    var places: Range<Int>
    let byteCount: Int

    func row(_ place: Int) -> Int { isTurned ? batch.rowCount - 1 - place : place }

    /// The time and arrival of the row at a place.
    func key(_ place: Int) -> (Int64, UInt64) {
      guard let order = batch.order else { preconditionFailure("rows in order have times") }
      return (order.times[row(place)], order.sequences[row(place)])
    }

    var first: (Int64, UInt64) { key(places.lowerBound) }
    var last: (Int64, UInt64) { key(places.upperBound - 1) }

    /// The rows at some places, in their order.
    func rows(_ places: Range<Int>) -> RowBatch {
      isTurned
        ? batch.gather(places.map { UInt32(truncatingIfNeeded: row($0)) }) : batch.slice(places)
    }

    /// The rows that are left, as they lie in the batch.
    var unturnedRows: RowBatch {
      let count = batch.rowCount
      return batch.slice(
        isTurned ? count - places.upperBound..<count - places.lowerBound : places)
    }
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

  private var rule: RowRule {
    RowRule(directions: [], tieOrder: isNewestFirst ? .newestFirst : .oldestFirst)
  }

  /// Adds rows ascending in time, for which ``reserve(_:in:)`` was called.
  ///
  /// - Throws: ``QueryFailure`` when what memory has no room for cannot be written.
  mutating func add(_ batch: RowBatch) throws(QueryFailure) {
    let byteCount = batch.byteCount
    guard batch.rowCount > 0 else { return budget.release(byteCount) }
    runs.append(
      Run(
        batch: batch, isTurned: isNewestFirst, places: 0..<batch.rowCount, byteCount: byteCount))
    waiting += byteCount
    if sorter != nil || !budget.hasRoom(holding: waiting) { try moveToDisk() }
  }

  private mutating func moveToDisk() throws(QueryFailure) {
    if sorter == nil {
      sorter = SortBuffer(rule, for: "output in order of time", budget: budget)
    }
    for run in runs {
      budget.release(run.byteCount)
      // The sorter puts them in order.
      try sorter?.add(SortPiece(batch: run.unturnedRows, keys: []))
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
    var parts: [Run] = []
    for index in runs.indices {
      let end = endOfFinal(runs[index], bound)
      guard end > runs[index].places.lowerBound else { continue }
      var part = runs[index]
      part.places = part.places.lowerBound..<end
      parts.append(part)
      runs[index].places = end..<runs[index].places.upperBound
    }
    guard !parts.isEmpty else { return }
    forgetSpentRuns()
    parts.sort { precedes($0.first, $1.first) }
    try emit(parts, body)
  }

  private mutating func forgetSpentRuns() {
    runs.removeAll { run in
      guard run.places.isEmpty else { return false }
      budget.release(run.byteCount)
      waiting -= run.byteCount
      return true
    }
  }

  /// Parts that overlap in time are merged, the others pass as they are.
  private func emit(_ parts: [Run], _ body: (RowBatch) throws -> Void) throws {
    var group: [Run] = []
    var last: (Int64, UInt64)?
    for part in parts {
      if let end = last, !precedes(part.first, end) {
        try emitMerged(group, body)
        group = []
        last = nil
      }
      group.append(part)
      let end = part.last
      last = last.map { precedes($0, end) ? end : $0 } ?? end
    }
    try emitMerged(group, body)
  }

  private func emitMerged(_ parts: [Run], _ body: (RowBatch) throws -> Void) throws {
    guard parts.count > 1 else {
      for part in parts { try emitSlices(part, body) }
      return
    }
    let whole = ChunkedRows(parts.map { SortPiece(batch: $0.unturnedRows, keys: []) })
    let rows = whole.order(by: rule, limit: nil)
    try StopPoint.check()
    for start in stride(from: 0, to: rows.count, by: SortBuffer.rowsPerBatch) {
      let end = min(start + SortBuffer.rowsPerBatch, rows.count)
      try body(whole.gather(SelectionVector(rows[start..<end])).batch)
    }
  }

  private func emitSlices(_ part: Run, _ body: (RowBatch) throws -> Void) throws {
    for start in stride(
      from: part.places.lowerBound, to: part.places.upperBound, by: SortBuffer.rowsPerBatch)
    {
      try body(part.rows(start..<min(start + SortBuffer.rowsPerBatch, part.places.upperBound)))
    }
  }

  private func precedes(_ a: (Int64, UInt64), _ b: (Int64, UInt64)) -> Bool {
    isNewestFirst ? a > b : a < b
  }

  /// Behind the last row that lies on the near side of the bound, by bisection.
  private func endOfFinal(_ run: Run, _ bound: Int64?) -> Int {
    guard let bound else { return run.places.upperBound }
    var low = run.places.lowerBound
    var high = run.places.upperBound
    while low < high {
      let middle = (low + high) / 2
      let time = run.key(middle).0
      if isNewestFirst ? time > bound : time < bound {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
