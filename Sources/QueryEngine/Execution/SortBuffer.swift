import Columnar
import LogStorage

// Rows being sorted. Without a limit all are held, counted against the budget, and sorted once at
// the end. With a limit of n the buffer is cut back to the n first whenever it has more than twice
// as many, so that `sort | limit 20` over a billion rows holds some thousand.

/// Collects rows and gives them back in order.
struct SortBuffer: Sendable {
  private let directions: [Bool]
  private let limit: Int?
  /// The order of events equal in all keys; `nil` keeps the order in which rows were added.
  private let tieOrder: ScanRequest.Order?
  private let budget: MemoryBudget
  private var pieces: [SortPiece] = []
  private var rowCount = 0
  private var reserved = 0
  /// The first key of the last of the `limit` best rows, once there are so many; only a hint: a better one may be
  /// known later.
  private(set) var bound: Value?

  /// - Parameter order: the order of events equal in all keys; `nil` keeps the order in which rows
  ///   are added.
  init(directions: [Bool], limit: Int?, order: ScanRequest.Order?, budget: MemoryBudget) {
    self.directions = directions
    self.limit = limit
    tieOrder = order
    self.budget = budget
  }

  /// Rows handed on at a time.
  static let rowsPerBatch = 8192

  mutating func add(_ piece: SortPiece) throws(QueryFailure) {
    guard piece.batch.rowCount > 0 else { return }
    pieces.append(piece)
    rowCount += piece.batch.rowCount
    try reserve(piece)
    if let limit, rowCount > 2 * max(limit, 64) { try cut(to: limit) }
  }

  private mutating func reserve(_ piece: SortPiece) throws(QueryFailure) {
    let byteCount = Self.byteCount(piece)
    reserved += byteCount
    try budget.reserve(byteCount, for: "sort")
  }

  private static func byteCount(_ piece: SortPiece) -> Int {
    piece.batch.byteCount + piece.keys.reduce(0) { $0 + $1.approximateByteCount }
  }

  private mutating func cut(to count: Int) throws(QueryFailure) {
    let whole = try joined()
    let rows = order(of: whole, limit: count)
    let kept = SortPiece(
      batch: whole.batch.gather(rows), keys: whole.keys.map { $0.gather(rows) })
    budget.release(reserved)
    reserved = 0
    pieces = [kept]
    rowCount = kept.batch.rowCount
    if rowCount == count, count > 0 { bound = kept.keys.first?.value(at: count - 1) }
    try reserve(kept)
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

  /// All rows in one piece; there are both for a while.
  private mutating func joined() throws(QueryFailure) -> SortPiece {
    let byteCount = pieces.reduce(0) { $0 + Self.byteCount($1) }
    try budget.reserve(byteCount, for: "sort")
    defer { budget.release(byteCount) }
    let keys = pieces[0].keys.indices.map { key in
      ColumnVector.concatenate(pieces.map { $0.keys[key] })
    }
    let whole = SortPiece(batch: .concatenated(pieces.map(\.batch)), keys: keys)
    pieces = []
    return whole
  }

  private func order(of piece: SortPiece, limit: Int?) -> SelectionVector {
    let eventKeys = tieOrder == nil ? [] : RowSort.eventKeys(piece.batch.order)
    let all = directions + eventKeys.map { _ in tieOrder != .oldestFirst }
    return RowSort.order(piece.keys + eventKeys, all, limit: limit)
  }

  /// Hands on all rows in order, a bounded batch at a time, and forgets them.
  mutating func drain(_ body: (RowBatch) throws -> Void) throws {
    defer {
      budget.release(reserved)
      reserved = 0
    }
    guard !pieces.isEmpty else { return }
    let whole = try joined()
    try budget.reserve(rowCount * 4, for: "sort")
    reserved += rowCount * 4
    let rows = order(of: whole, limit: limit)
    for start in stride(from: 0, to: rows.count, by: Self.rowsPerBatch) {
      let end = min(start + Self.rowsPerBatch, rows.count)
      try body(whole.batch.gather(SelectionVector(rows[start..<end])))
    }
  }
}
