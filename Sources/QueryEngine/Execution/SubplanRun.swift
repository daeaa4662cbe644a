import Columnar
import LogStorage

/// Runs one inner query to its end and keeps what is wanted of it.
///
/// What is kept is counted against the budget of the whole query under the name of the command
/// that wants it, and stays counted, for it is held as long as the outer query runs.
final class SubplanRun {
  private let subplan: Subplan
  private let control: RunControl
  private var result: SubplanResult
  private var reserved = 0
  private var byteCountOfValues = 0
  /// The rows of a `join` for which memory had no room.
  private var spilled: PartitionedRows?
  /// The keys of a `join`, where there may be only so many.
  private var limitedKeys: EqualityIndex?

  private init(_ subplan: Subplan, control: RunControl, isStrict: Bool) {
    self.subplan = subplan
    self.control = control
    limitedKeys = isStrict ? EqualityIndex(isSet: true) : nil
    result = SubplanResult()
    if case .values = subplan.use { result.index = EqualityIndex(isSet: true) }
  }

  /// - Parameter statistics: what reading costs is added to it.
  /// - Throws: ``QueryFailure``, `StorageError`.
  static func result(
    of subplan: Subplan, in outer: QueryRunner, on source: any EventSource,
    _ statistics: inout QueryStatistics
  ) throws -> SubplanResult {
    let control = outer.control.limited(to: subplan.timeLimit)
    var options = outer.options
    options.resultLimit = subplan.rowLimit
    let runner = QueryRunner(
      subplan.plan, options: options, control: control, sharing: outer.context)
    let run = SubplanRun(subplan, control: control, isStrict: options.isStrict)
    do {
      _ = try runner.runPlan(on: source, &statistics) { try run.take($0) }
    } catch QueryFailure.outOfMemory(let text) where !text.hasPrefix(subplan.name) {
      // What the inner query keeps may leave too little to another step of it.
      throw QueryFailure.outOfMemory("\(subplan.name): \(text)")
    } catch QueryFailure.timedOut {
      try outer.control.check()
      throw QueryFailure.refused(
        code: "E408",
        "the subquery of \(subplan.name) ran longer than "
          + "\(EngineLimits.subquerySeconds) seconds; narrow it")
    }
    try run.finish()
    return run.result
  }

  private func take(_ batch: ColumnBatch) throws {
    switch subplan.use {
    case .rows: try keep(batch)
    case .values(let column): try take(values: batch.columns[column])
    case .join(let key):
      try checkKeys(batch.columns[key])
      try keep(batch, key: key)
    }
  }

  // MARK: The right side of a join

  /// CloudWatch takes only so many keys.
  private func checkKeys(_ column: ColumnVector) throws(QueryFailure) {
    guard limitedKeys != nil else { return }
    for row in 0..<column.count { limitedKeys?.insert(column.value(at: row)) }
    guard limitedKeys?.keyCount ?? 0 <= EngineLimits.joinKeys else {
      throw QueryFailure.refused(
        code: "E210",
        "the right side of join has more than \(EngineLimits.joinKeys) different keys; "
          + "filter or aggregate it first")
    }
  }

  private func keep(_ batch: ColumnBatch, key: Int) throws {
    if spilled != nil { return try spill(batch, key: key) }
    for row in 0..<batch.rowCount { result.index.insert(batch.columns[key].value(at: row)) }
    result.rows.append(batch)
    byteCountOfValues += batch.columns.reduce(0) { $0 + $1.approximateByteCount }
    // Twice: once as they came, once put together.
    let byteCount = 2 * byteCountOfValues + MemoryBudget.growing(result.index.byteCount)
    if control.budget.tryReserve(byteCount - reserved, holding: reserved) {
      reserved = byteCount
      return
    }
    spilled = PartitionedRows(
      try control.budget.disk.makeFile(for: subplan.name), level: 0)
    result.index = EqualityIndex()
    let held = result.rows
    result.rows = []
    for batch in held { try spill(batch, key: key) }
    control.budget.release(reserved)
    reserved = 0
  }

  private func spill(_ batch: ColumnBatch, key: Int) throws(QueryFailure) {
    let rows = RowBatch(rowCount: batch.rowCount, columns: batch.columns)
    let (hashes, _) = EqualityIndex.partHashes(of: batch.columns[key])
    try spilled?.add(SortPiece(batch: rows, keys: []), hashes: hashes)
  }

  /// Puts the rows of all batches together, where they have the same columns.
  private func finish() throws {
    if case .join(let key) = subplan.use {
      try spilled?.flush()
      result.spilled = spilled.map { SpilledJoinSide($0, key: key) }
    }
    guard let names = result.rows.first?.names, result.rows.count > 1,
      result.rows.allSatisfy({ $0.names == names })
    else { return }
    if case .join = subplan.use {
      // Room for the copy was taken when the rows came.
      control.budget.release(byteCountOfValues)
      reserved -= byteCountOfValues
    } else {
      try control.budget.reserve(byteCountOfValues, for: subplan.name)
    }
    defer { if case .rows = subplan.use { control.budget.release(byteCountOfValues) } }
    result.rows = [
      ColumnBatch(
        names: names, columns: names.indices.map { result.column($0) }, rowCount: result.rowCount)
    ]
  }

  private func keep(_ batch: ColumnBatch) throws {
    result.rows.append(batch)
    byteCountOfValues += batch.columns.reduce(0) { $0 + $1.approximateByteCount }
    try reserve()
  }

  private func take(values column: ColumnVector) throws {
    for row in 0..<column.count {
      let value = column.value(at: row)
      if value.isMissing || value.isStructure || !result.index.insert(value) { continue }
      result.values.append(value)
      byteCountOfValues += value.approximateByteCount
      guard result.values.count <= EngineLimits.subqueryValues else {
        throw QueryFailure.refused(
          code: "E213",
          "the subquery of \(subplan.name) returns more than \(EngineLimits.subqueryValues) "
            + "values; filter it, or use join")
      }
    }
    try reserve()
  }

  private func reserve() throws(QueryFailure) {
    let byteCount = byteCountOfValues + result.index.byteCount
    try control.budget.reserve(byteCount - reserved, for: subplan.name)
    reserved = byteCount
  }
}
