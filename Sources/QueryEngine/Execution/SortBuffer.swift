import Columnar
import LogStorage

// Rows being sorted. Without a limit all are held, counted against the budget, and sorted once at
// the end; when the budget has no more room, what is held is sorted and goes to disk as a run, and the
// runs are merged at the end. With a limit of n the buffer is cut back to the n first whenever it has
// more than twice as many, so that `sort | limit 20` over a billion rows holds some thousand.

/// Collects rows and gives them back in order.
struct SortBuffer: Sendable {
  private let rule: RowRule
  private let limit: Int?
  private let user: String
  private let budget: MemoryBudget
  /// Bytes held before rows go to disk, however much room there is.
  private let mostHeld: Int
  private var pieces: [SortPiece] = []
  private var rowCount = 0
  private var reserved = 0
  private var runs: SortedRuns?
  /// The first key of the last of the `limit` best rows, once there are so many; only a hint: a better one may be
  /// known later.
  private(set) var bound: Value?

  /// - Parameter order: the order of events equal in all keys; `nil` keeps the order in which rows
  ///   are added.
  init(directions: [Bool], limit: Int?, order: ScanRequest.Order?, budget: MemoryBudget) {
    self.init(RowRule(directions: directions, tieOrder: order), limit: limit, budget: budget)
  }

  /// - Parameter user: what messages call the sort.
  init(
    _ rule: RowRule, limit: Int? = nil, for user: String = "sort", budget: MemoryBudget,
    mostHeld: Int = .max
  ) {
    self.rule = rule
    self.limit = limit
    self.user = user
    self.budget = budget
    self.mostHeld = mostHeld
  }

  /// Rows handed on at a time.
  static let rowsPerBatch = 8192

  /// Takes all rows out, to be handed on elsewhere.
  mutating func takeAll() -> SortBuffer {
    defer { (pieces, rowCount, reserved, runs) = ([], 0, 0, nil) }
    return self
  }

  /// Adds rows behind the others.
  ///
  /// - Throws: ``QueryFailure`` when what memory has no room for cannot be written.
  mutating func add(_ piece: SortPiece) throws(QueryFailure) {
    guard piece.batch.rowCount > 0 else { return }
    pieces.append(piece)
    rowCount += piece.batch.rowCount
    let hasRoom = reserve(piece)
    if let limit, rowCount > 2 * max(limit, 64) {
      cut(to: limit)
    } else if !hasRoom {
      try spill()
    }
  }

  /// Counts rows with what is copied of them when they are put together, and what sorting takes.
  private mutating func reserve(_ piece: SortPiece) -> Bool {
    let byteCount =
      piece.byteCount + piece.chunkingByteCount
      + piece.batch.rowCount * rule.sortingByteCount(piece.keys)
    let hasRoom =
      reserved + byteCount <= mostHeld
      && budget.tryReserve(byteCount, holding: reserved, leaving: 2 * piece.byteCount)
    if !hasRoom { budget.count(byteCount) }
    reserved += byteCount
    return hasRoom
  }

  private mutating func cut(to count: Int) {
    let rows = takeRows()
    let kept = rows.gather(rows.order(by: rule, limit: count))
    release()
    pieces = [kept]
    rowCount = kept.batch.rowCount
    if rowCount == count, count > 0 { bound = kept.keys.first?.value(at: count - 1) }
    _ = reserve(kept)
  }

  /// Whether at least `count` rows lie on the near side of a bound that no later row crosses.
  func hasRows(_ count: Int, before bound: Int64, isNewestFirst: Bool) -> Bool {
    guard rowCount >= count else { return false }
    var found = 0
    for piece in pieces {
      for time in piece.batch.order?.times ?? [] where isNewestFirst ? time > bound : time < bound {
        found += 1
      }
    }
    return found >= count
  }

  /// Moves all rows held to disk.
  private mutating func spill() throws(QueryFailure) {
    if runs == nil { runs = SortedRuns(rule, for: user, budget: budget) }
    if !pieces.isEmpty {
      let rows = takeRows()
      try runs?.add(rows, limit: limit)
    }
    rowCount = 0
    release()
  }

  /// All rows held; none are held then.
  private mutating func takeRows() -> ChunkedRows {
    defer { pieces = [] }
    return ChunkedRows(pieces)
  }

  private mutating func release() {
    budget.release(reserved)
    reserved = 0
  }

  /// Hands on all rows in order, a bounded batch at a time, and forgets them.
  ///
  /// - Parameter isDone: whether further rows are not wanted.
  mutating func drain(
    until isDone: () -> Bool = { false }, _ body: (RowBatch) throws -> Void
  ) throws {
    defer { release() }
    if runs != nil { return try drainRuns(until: isDone, body) }
    guard !pieces.isEmpty else { return }
    let rows = takeRows()
    let order = rows.order(by: rule, limit: limit)
    for start in stride(from: 0, to: order.count, by: Self.rowsPerBatch) where !isDone() {
      let end = min(start + Self.rowsPerBatch, order.count)
      try body(rows.gather(SelectionVector(order[start..<end])).batch)
    }
  }

  private mutating func drainRuns(
    until isDone: () -> Bool, _ body: (RowBatch) throws -> Void
  ) throws {
    try spill()
    guard var runs = runs.take() else { return }
    var rest = limit ?? .max
    try runs.drain(until: { rest == 0 || isDone() }) { batch in
      let count = min(rest, batch.rowCount)
      rest -= count
      try body(batch.slice(0..<count))
    }
  }
}
