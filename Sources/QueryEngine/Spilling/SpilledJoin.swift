import Columnar

// `join` of a right side that memory has no room for (a hash join in parts: Kitsuregawa, Tanaka,
// Moto-oka 1983, "Application of hash to data base machine and its architecture"). Both sides are
// dealt out by the hashes of their keys, so that a left row finds all its partners in the part of its
// own number. Left rows are numbered as they come; what the parts give is merged by these numbers.
//
// A part that is too large is dealt out again, both sides of it. Where that does not help, since its
// rows have one key, the right rows are taken in pieces and the left ones read again for each: the
// pairs of a left row then lie in several runs, which are merged in the order of the pieces.

/// The right side of a `join`, on disk.
final class SpilledJoinSide: Sendable {
  fileprivate let rows: PartitionedRows
  /// The key among its columns.
  fileprivate let key: Int

  /// - Parameter rows: all of them, written.
  init(_ rows: PartitionedRows, key: Int) {
    self.rows = rows
    self.key = key
  }
}

/// The left side of a `join` whose right side is on disk, and the pairs of both.
struct SpilledJoin {
  private let step: JoinStep
  private let right: SpilledJoinSide
  private let control: RunControl
  private var left: PartitionedRows
  private var nextPlace: Int64 = 0

  private var budget: MemoryBudget { control.budget }

  init(
    _ step: JoinStep, with right: SpilledJoinSide, control: RunControl
  ) throws(QueryFailure) {
    self.step = step
    self.right = right
    self.control = control
    left = PartitionedRows(try control.budget.disk.makeFile(for: "join"), level: 0)
  }

  /// Adds left rows, in their order.
  mutating func add(_ batch: RowBatch, key: ColumnVector) throws(QueryFailure) {
    let places = nextPlace..<nextPlace + Int64(batch.rowCount)
    nextPlace = places.upperBound
    let (hashes, _) = EqualityIndex.partHashes(of: key)
    try left.add(
      SortPiece(
        batch: batch, keys: [.integers(IntegerVector(values: Array(places))), key]),
      hashes: hashes)
  }

  /// Hands on the pairs in the order of the left rows, then of the right ones, until `isDone`.
  mutating func drain(until isDone: () -> Bool, _ body: (RowBatch) throws -> Void) throws {
    try left.flush()
    var pairs = SortedRuns(.places, for: "join", budget: budget)
    for part in 0..<HashPartition.count { try pair(left, right.rows, part, &pairs) }
    try pairs.drain(until: isDone, body)
  }

  /// Adds the pairs of one part.
  private func pair(
    _ left: PartitionedRows, _ right: PartitionedRows, _ part: Int, _ pairs: inout SortedRuns
  ) throws {
    guard left.rowCounts[part] > 0, step.isLeft || right.rowCounts[part] > 0 else { return }
    var matched = [Bool](repeating: false, count: step.isLeft ? left.rowCounts[part] : 0)
    var chunk = RightRows(key: self.right.key)
    var reserved = 0
    defer { budget.release(reserved) }
    var isTooLarge = false
    try right.forEach(in: part, while: { !isTooLarge }) { piece in
      var byteCount = chunk.byteCount(with: piece)
      if budget.tryReserve(byteCount - reserved, holding: reserved) {
        reserved = byteCount
        return chunk.add(piece)
      }
      if chunk.mayBeDealtOut(with: piece), left.level < HashPartition.deepest {
        isTooLarge = true
        return
      }
      if !chunk.isEmpty {
        try add(chunk, left, part, isLast: false, &matched, &pairs)
        chunk = RightRows(key: self.right.key)
        byteCount = chunk.byteCount(with: piece)
      }
      if !budget.tryReserve(byteCount - reserved, holding: reserved) {
        try budget.reserve(byteCount - reserved, for: "join")
      }
      reserved = byteCount
      chunk.add(piece)
    }
    guard isTooLarge else {
      return try add(chunk, left, part, isLast: true, &matched, &pairs)
    }
    budget.release(reserved)
    reserved = 0
    chunk = RightRows(key: self.right.key)
    try dealOut(left, right, part, &pairs)
  }

  private func dealOut(
    _ left: PartitionedRows, _ right: PartitionedRows, _ part: Int, _ pairs: inout SortedRuns
  ) throws {
    let disk = budget.disk
    var leftParts = PartitionedRows(try disk.makeFile(for: "join"), level: left.level + 1)
    try left.forEach(in: part) { piece in
      try leftParts.add(piece, hashes: EqualityIndex.partHashes(of: piece.keys[1]).hashes)
    }
    try leftParts.flush()
    var rightParts = PartitionedRows(try disk.makeFile(for: "join"), level: left.level + 1)
    try right.forEach(in: part) { piece in
      try rightParts.add(
        piece, hashes: EqualityIndex.partHashes(of: piece.column(self.right.key)).hashes)
    }
    try rightParts.flush()
    for part in 0..<HashPartition.count { try pair(leftParts, rightParts, part, &pairs) }
  }

  /// Adds the pairs of the left rows of a part with some of its right rows, as a run.
  ///
  /// - Parameters:
  ///   - isLast: whether left rows that have found no partner by now have none.
  ///   - matched: the left rows of the part that have found one; kept for left joins.
  private func add(
    _ right: RightRows, _ left: PartitionedRows, _ part: Int, isLast: Bool,
    _ matched: inout [Bool], _ pairs: inout SortedRuns
  ) throws {
    var maker = PairMaker(step, right.columns(step), try pairs.writer())
    var number = 0
    try left.forEach(in: part) { piece in
      for row in 0..<piece.batch.rowCount {
        let partners = right.index.entries(equalTo: piece.keys[1], at: row)
        for partner in partners { try maker.add(UInt32(row), partner, of: piece) }
        if step.isLeft {
          if !partners.isEmpty { matched[number] = true }
          if isLast, !matched[number] {
            try maker.add(UInt32(row), ColumnVector.missingRow, of: piece)
          }
        }
        number += 1
      }
      try maker.handOn(piece)
    }
    pairs.add(try maker.finished())
  }
}

/// Some right rows with an index of their keys.
private struct RightRows {
  private let key: Int
  private var pieces: [SortPiece] = []
  private var rowByteCount = 0
  private(set) var index = EqualityIndex()

  init(key: Int) { self.key = key }

  var isEmpty: Bool { pieces.isEmpty }

  /// Bytes with further rows, which are copied when they are put together.
  func byteCount(with piece: SortPiece) -> Int {
    2 * (rowByteCount + piece.byteCount) + MemoryBudget.growing(index.byteCount)
      + piece.batch.rowCount * 48
  }

  /// Whether these and further rows have different keys.
  func mayBeDealtOut(with piece: SortPiece) -> Bool {
    var keys = index
    let column = piece.column(key)
    for row in 0..<column.count {
      if keys.keyCount > 1 { return true }
      keys.insert(column.value(at: row))
    }
    return keys.keyCount > 1
  }

  mutating func add(_ piece: SortPiece) {
    let column = piece.column(key)
    for row in 0..<column.count { index.insert(column.value(at: row)) }
    pieces.append(piece)
    rowByteCount += piece.byteCount
  }

  /// The columns that a join shows.
  func columns(_ step: JoinStep) -> [ColumnVector] {
    step.columns.map { column in
      pieces.isEmpty
        ? .missing(count: 0) : .concatenate(pieces.map { $0.column(column.position) })
    }
  }
}

/// Copies left rows once for each of their partners, a bounded number at a time.
private struct PairMaker {
  private let step: JoinStep
  private let right: [ColumnVector]
  private(set) var writer: RunWriter
  private var leftRows: SelectionVector = []
  private var rightRows: SelectionVector = []

  init(_ step: JoinStep, _ right: [ColumnVector], _ writer: RunWriter) {
    self.step = step
    self.right = right
    self.writer = writer
  }

  mutating func add(_ row: UInt32, _ partner: UInt32, of left: SortPiece) throws(QueryFailure) {
    leftRows.append(row)
    rightRows.append(partner)
    if leftRows.count >= SortBuffer.rowsPerBatch { try handOn(left) }
  }

  mutating func handOn(_ left: SortPiece) throws(QueryFailure) {
    guard !leftRows.isEmpty else { return }
    var batch = left.batch.gather(leftRows)
    for (column, values) in zip(step.columns, right) {
      batch.columns[column.slot] = values.gatherOrMissing(rightRows)
    }
    try writer.append(SortPiece(batch: batch, keys: [left.keys[0].gather(leftRows)]))
    leftRows.removeAll(keepingCapacity: true)
    rightRows.removeAll(keepingCapacity: true)
  }

  mutating func finished() throws(QueryFailure) -> SortedRun { try writer.finished() }
}

extension SortPiece {
  /// A column of rows that come from an inner query, which has values in all of them.
  fileprivate func column(_ position: Int) -> ColumnVector {
    batch.columns[position] ?? .missing(count: batch.rowCount)
  }
}
