import Columnar
import LogStorage

// Sorting more rows than memory holds. What memory holds is sorted and written, a run; at the end all
// runs are merged. Rows are merged a block at a time, not one by one: of each run one block is in
// memory, and the smallest of the last rows of these blocks is a bound. No block that is still to be
// read has a row before it, so the rows up to it are final. They are taken out of all blocks, sorted
// together as any rows are, and leave.
//
//     run 0: 1 4 6 | 9 …        bound 5, the last row of the block of run 1
//     run 1: 2 3 5 | 7 …        1 4, 2 3 5 leave as 1 2 3 4 5; run 1 reads its next block
//
// Rows that are equal leave in the order of their runs: of runs before the one that gave the bound,
// rows equal to it leave with it, of those behind it they stay. More runs than can be merged at once
// are merged in parts first, neighbours with neighbours.

/// Rows in order, in a temporary file.
struct SortedRun: Sendable {
  let file: SpillFile
  fileprivate(set) var blocks: [SpillBlock] = []

  init(_ file: SpillFile) { self.file = file }
}

/// Writes rows that come in order as a run.
struct RunWriter {
  /// Bytes of a block in memory, about.
  static let blockByteCount = 512 << 10
  private static let rowsPerBlock = 8192

  private(set) var run: SortedRun
  private var pending: [SortPiece] = []
  private var rowCount = 0
  private var byteCount = 0

  init(_ file: SpillFile) { run = SortedRun(file) }

  /// How many of these rows make a block.
  static func rowsPerBlock(_ rowCount: Int, byteCount: Int) -> Int {
    guard rowCount > 0 else { return rowsPerBlock }
    return max(1, min(rowsPerBlock, blockByteCount / max(1, byteCount / rowCount)))
  }

  /// Adds rows that follow all before them.
  mutating func append(_ piece: SortPiece) throws(QueryFailure) {
    guard piece.batch.rowCount > 0 else { return }
    pending.append(piece)
    rowCount += piece.batch.rowCount
    byteCount += piece.byteCount
    if byteCount >= Self.blockByteCount || rowCount >= Self.rowsPerBlock { try flush() }
  }

  /// The run, once all rows have been added.
  mutating func finished() throws(QueryFailure) -> SortedRun {
    if !pending.isEmpty { try flush() }
    return run
  }

  private mutating func flush() throws(QueryFailure) {
    let whole = SortPiece.concatenated(pending)
    (pending, rowCount, byteCount) = ([], 0, 0)
    let step = Self.rowsPerBlock(whole.batch.rowCount, byteCount: whole.byteCount)
    for start in stride(from: 0, to: whole.batch.rowCount, by: step) {
      try write(whole.slice(start..<min(start + step, whole.batch.rowCount)))
    }
  }

  private mutating func write(_ piece: SortPiece) throws(QueryFailure) {
    run.blocks.append(
      try run.file.append { (writer: inout ByteWriter) in writer.append(piece: piece) })
  }
}

/// Runs on disk, in the order in which their rows came.
struct SortedRuns: Sendable {
  /// Runs merged at once: of each a block lies in memory.
  private static let mostMerged = 64

  let rule: RowRule
  private let user: String
  private let budget: MemoryBudget
  private var file: SpillFile?
  private var runs: [SortedRun] = []

  init(_ rule: RowRule, for user: String, budget: MemoryBudget) {
    self.rule = rule
    self.user = user
    self.budget = budget
  }

  var isEmpty: Bool { runs.isEmpty }

  /// What writes the next run; all of them lie in one file.
  mutating func writer() throws(QueryFailure) -> RunWriter {
    if file == nil { file = try budget.disk.makeFile(for: user) }
    return RunWriter(file!)
  }

  /// Adds a run behind the others.
  mutating func add(_ run: SortedRun) { if !run.blocks.isEmpty { runs.append(run) } }

  /// Adds rows that are not in order yet as a run, the first `limit` of them if one is given.
  mutating func add(_ rows: ChunkedRows, limit: Int?) throws(QueryFailure) {
    var writer = try writer()
    let order = rows.order(by: rule, limit: limit)
    let step = RunWriter.rowsPerBlock(rows.rowCount, byteCount: rows.byteCount)
    for start in stride(from: 0, to: order.count, by: step) {
      try writer.append(
        rows.gather(SelectionVector(order[start..<min(start + step, order.count)])))
    }
    add(try writer.finished())
  }

  /// Hands on all rows in order, a bounded batch at a time, until `isDone`; the runs are gone then.
  mutating func drain(until isDone: () -> Bool, _ body: (RowBatch) throws -> Void) throws {
    file = nil
    while runs.count > Self.mostMerged { try mergeParts() }
    let last = runs
    runs = []
    try merge(last, until: isDone) { try body($0.batch) }
  }

  /// Merges neighbours, as many as can be merged at once, into one run each.
  private mutating func mergeParts() throws {
    let file = try budget.disk.makeFile(for: user)
    var merged: [SortedRun] = []
    for start in stride(from: 0, to: runs.count, by: Self.mostMerged) {
      let part = Array(runs[start..<min(start + Self.mostMerged, runs.count)])
      var writer = RunWriter(file)
      try merge(part, until: { false }) { try writer.append($0) }
      merged.append(try writer.finished())
    }
    runs = merged
  }

  private func merge(
    _ runs: [SortedRun], until isDone: () -> Bool, _ body: (SortPiece) throws -> Void
  ) throws {
    let byteCount = runs.reduce(0) { $0 + ($1.blocks.map(\.rawCount).max() ?? 0) }
    // Twice: blocks, and the rows that leave.
    budget.count(2 * byteCount)
    defer { budget.release(2 * byteCount) }
    var merge = try RunMerge(runs, rule)
    while !isDone(), try merge.step(body) { budget.freedMemory.look() }
  }
}

/// A merge at work.
private struct RunMerge {
  /// A run being read: the block in memory, and how far it is spent.
  private struct Source {
    let run: SortedRun
    var nextBlock = 0
    var block: SortPiece
    var position = 0

    init?(_ run: SortedRun) throws(QueryFailure) {
      self.run = run
      block = SortPiece(batch: RowBatch(rowCount: 0, columns: []), keys: [])
      guard try advance() else { return nil }
    }

    var last: Int { block.batch.rowCount - 1 }

    /// Reads the next block if this one is spent; `false` at the end of the run.
    mutating func advance() throws(QueryFailure) -> Bool {
      while position == block.batch.rowCount {
        guard nextBlock < run.blocks.count else { return false }
        block = try run.file.read(run.blocks[nextBlock]) { (reader: inout ByteReader) in
          try reader.piece()
        }
        nextBlock += 1
        position = 0
      }
      return true
    }
  }

  private let rule: RowRule
  private var sources: [Source] = []

  init(_ runs: [SortedRun], _ rule: RowRule) throws(QueryFailure) {
    self.rule = rule
    for run in runs {
      if let source = try Source(run) { sources.append(source) }
    }
  }

  /// Hands on the rows up to the next bound; `false` when there are none left.
  mutating func step(_ body: (SortPiece) throws -> Void) throws -> Bool {
    guard !sources.isEmpty else { return false }
    let bound = boundingSource()
    var parts: [SortPiece] = []
    for index in sources.indices {
      let end = index == bound ? sources[index].last + 1 : self.end(of: index, bound)
      let start = sources[index].position
      if end > start { parts.append(sources[index].block.slice(start..<end)) }
      sources[index].position = end
    }
    var left: [Source] = []
    for var source in sources where try source.advance() { left.append(source) }
    sources = left
    try emit(parts, body)
    return true
  }

  /// The run whose block ends first; of equal ones the first run.
  private func boundingSource() -> Int {
    var best = 0
    for index in sources.indices.dropFirst() {
      let (a, b) = (sources[index], sources[best])
      if rule.order(a.block, a.last, b.block, b.last) == .less { best = index }
    }
    return best
  }

  /// Behind the rows of a block that leave with the bound, by bisection.
  private func end(of index: Int, _ bound: Int) -> Int {
    let (source, other) = (sources[index], sources[bound])
    var low = source.position
    var high = source.block.batch.rowCount
    while low < high {
      let middle = (low + high) / 2
      let order = rule.order(source.block, middle, other.block, other.last)
      if order == .less || (order == .equal && index < bound) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private func emit(_ parts: [SortPiece], _ body: (SortPiece) throws -> Void) throws {
    let whole = SortPiece.concatenated(parts)
    if parts.count == 1 { return try body(whole) }
    let rows = rule.order(of: whole)
    for start in stride(from: 0, to: rows.count, by: SortBuffer.rowsPerBatch) {
      let end = min(start + SortBuffer.rowsPerBatch, rows.count)
      try body(whole.gather(SelectionVector(rows[start..<end])))
    }
  }
}
