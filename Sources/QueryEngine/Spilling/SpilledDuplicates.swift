import Columnar

// `dedup` of more combinations than memory holds. Up to the point where memory ended, rows have left.
// From there on all rows are dealt out into parts by their keys, in front of them the keys that have
// been seen. A part knows all rows of its keys, in their order, and keeps the first; rows are numbered
// as they came, and what the parts kept is merged by these numbers.
//
//     seen: a b                   part 0: (a) 3 c, 5 c     keeps 3
//     rows: 1 a, 2 d, 3 c, 4 d,   part 1: (b) 1 …, 2 d …   keeps 2
//           5 c                   leave: 2 d, 3 c

/// The rows of a `dedup` behind the point where memory ended.
struct SpilledDuplicates {
  private let keyCount: Int
  private let budget: MemoryBudget
  private var rows: PartitionedRows
  private var nextPlace: Int64 = 0

  /// The place of combinations that have left already.
  private static let seen: Int64 = -1

  /// Bytes of combinations written at a time.
  private static let byteCountOfBatch = 2 << 20

  /// - Parameter filter: what has seen all rows before.
  /// - Throws: ``QueryFailure`` when they cannot be written.
  init(behind filter: DistinctFilter, budget: MemoryBudget) throws(QueryFailure) {
    keyCount = filter.keyCount
    self.budget = budget
    rows = PartitionedRows(try budget.disk.makeFile(for: "dedup"), level: 0)
    let step = max(1, Self.byteCountOfBatch / (filter.byteCount / max(1, filter.count) + 1))
    for start in stride(from: 0, to: filter.count, by: step) {
      let end = min(start + step, filter.count)
      let keys = filter.keyColumns(start..<end)
      let places = ColumnVector.constant(.integer(Self.seen), count: end - start)
      try rows.add(
        SortPiece(batch: RowBatch(rowCount: end - start, columns: []), keys: [places] + keys),
        hashes: HashPartition.hashes(of: keys, rowCount: end - start))
    }
    // They have no columns, which the rows behind them have.
    try rows.flush()
  }

  /// Adds rows with their keys, in the order of the query.
  mutating func add(_ batch: RowBatch, keys: [ColumnVector]) throws(QueryFailure) {
    let places = nextPlace..<nextPlace + Int64(batch.rowCount)
    nextPlace = places.upperBound
    try rows.add(
      SortPiece(
        batch: batch, keys: [.integers(IntegerVector(values: Array(places)))] + keys),
      hashes: HashPartition.hashes(of: keys, rowCount: batch.rowCount))
  }

  /// Hands on the first row of each combination, in the order of the query, until `isDone`.
  mutating func drain(until isDone: () -> Bool, _ body: (RowBatch) throws -> Void) throws {
    try rows.flush()
    var kept = SortedRuns(.places, for: "dedup", budget: budget)
    for part in 0..<HashPartition.count { try keepFirst(rows, part, &kept) }
    try kept.drain(until: isDone, body)
  }

  /// Adds the rows of a part that are kept, as a run, or as several if it is dealt out again.
  private func keepFirst(
    _ rows: PartitionedRows, _ part: Int, _ kept: inout SortedRuns
  ) throws {
    guard rows.rowCounts[part] > 0 else { return }
    var filter = DistinctFilter(keyCount: keyCount)
    var writer = try kept.writer()
    var held = 0
    defer { budget.release(held) }
    var isTooLarge = false
    try rows.forEach(in: part, while: { !isTooLarge }) { piece in
      let first = filter.firstRows(
        of: Array(piece.keys.dropFirst()), rowCount: piece.batch.rowCount)
      let added = MemoryBudget.growing(filter.byteCount) - held
      if !budget.tryReserve(added, holding: held) {
        isTooLarge = rows.level < HashPartition.deepest && filter.count > 1
        if isTooLarge { return }
        try budget.reserve(added, for: "dedup")
      }
      held += added
      if case .constant = piece.keys[0] { return }
      var own = piece.gather(first)
      own.keys.removeLast(keyCount)
      try writer.append(own)
    }
    guard isTooLarge else { return kept.add(try writer.finished()) }
    budget.release(held)
    held = 0
    filter = DistinctFilter(keyCount: keyCount)
    try dealOut(rows, part, &kept)
  }

  private func dealOut(
    _ rows: PartitionedRows, _ part: Int, _ kept: inout SortedRuns
  ) throws {
    var parts = PartitionedRows(
      try budget.disk.makeFile(for: "dedup"), level: rows.level + 1)
    try rows.forEach(in: part) { piece in
      let hashes = HashPartition.hashes(
        of: Array(piece.keys.dropFirst()), rowCount: piece.batch.rowCount)
      try parts.add(piece, hashes: hashes)
      // See the initializer.
      if case .constant = piece.keys[0] { try parts.flush() }
    }
    try parts.flush()
    for part in 0..<HashPartition.count { try keepFirst(parts, part, &kept) }
  }
}
