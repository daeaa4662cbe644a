import Columnar

// `stats` in two halves. A row group is aggregated by itself, on any worker; the partial groups are
// then merged one after the other, in the order of the scan, by whichever worker has a piece ready.
// Sums of fractions and lists of first-seen values therefore come out the same on every run.

/// The groups of some rows with the states of all aggregates.
struct PartialGroups: Sendable {
  fileprivate var table: GroupTable
  fileprivate var states: [any Aggregate]

  init(_ stats: StatsStep) {
    table = GroupTable(keyCount: stats.keys.count)
    states = stats.aggregates.map { $0.aggregate.kind.makeState() }
  }

  /// Aggregates the rows of a frame.
  ///
  /// - Throws: `StorageError` when a column cannot be read.
  init(_ stats: StatsStep, of frame: inout Frame) throws {
    self.init(stats)
    try add(stats, &frame)
  }

  var byteCount: Int { states.reduce(table.byteCount) { $0 + $1.byteCount } }

  /// Takes in the rows of a frame; all of them, or none if a column cannot be read.
  mutating func add(_ stats: StatsStep, _ frame: inout Frame) throws {
    let calls = stats.aggregates.map(\.aggregate)
    let keys = try stats.keys.map { try $0.expression.evaluate(&frame).scalars(frame.layout) }
    let ordered = calls.contains { $0.kind.needsTimes || $0.kind.dependsOnOrder }
    let sequences = ordered ? try frame.order()?.sequences : nil
    var arguments: [[ColumnVector]] = []
    var times: [[Int64]?] = []
    for call in calls {
      let argument = try call.argument.map { try $0.evaluate(&frame).scalars(frame.layout) }
      arguments.append(argument.map { [$0] } ?? [])
      times.append(
        call.kind.dependsOnOrder
          ? try frame.scanOrder()?.times : try call.time.map { try frame.column($0).times() })
    }
    let groups = keys.isEmpty ? nil : table.assignGroups(keys: keys, rowCount: frame.rowCount)
    for index in states.indices {
      states[index].update(
        groups: groups, groupCount: table.count, arguments: arguments[index],
        rowCount: frame.rowCount, times: times[index], sequences: sequences)
    }
  }
}

extension StatsStep {
  /// Whether the answer is the same in whatever order rows come, so that each worker may keep one set of groups for
  /// all that it reads.
  var takesRowsInAnyOrder: Bool {
    aggregates.allSatisfy { output in
      switch output.aggregate.kind {
      case .countRows, .count, .countDistinct: true
      default: false
      }
    }
  }
}

/// All groups of a `stats`, growing as partial groups are merged.
struct GroupMerger: PieceMerger {
  typealias Piece = PartialGroups

  private let stats: StatsStep
  private let layout: PlanLayout
  private let budget: MemoryBudget
  private var groups: PartialGroups
  private var reserved = 0

  init(_ stats: StatsStep, layout: PlanLayout, budget: MemoryBudget) {
    self.stats = stats
    self.layout = layout
    self.budget = budget
    groups = PartialGroups(stats)
  }

  /// Takes in the rows of a frame.
  ///
  /// - Throws: as ``merge(_:)``, and `StorageError` when a column cannot be read.
  mutating func add(_ frame: inout Frame) throws {
    try groups.add(stats, &frame)
    try account()
  }

  /// Takes in the next partial groups.
  ///
  /// - Throws: ``QueryFailure/tooManyGroups(_:)`` or ``QueryFailure/outOfMemory(_:)``.
  mutating func merge(_ part: PartialGroups) throws(QueryFailure) {
    let mapping = groups.table.merge(part.table)
    for index in groups.states.indices {
      groups.states[index].merge(erased: part.states[index], mapping: mapping)
    }
    try account()
  }

  /// Takes in all that another one has, which is not used any more.
  mutating func absorb(_ other: GroupMerger) throws(QueryFailure) {
    defer { budget.release(other.reserved) }
    try merge(other.groups)
  }

  private mutating func account() throws(QueryFailure) {
    guard groups.table.count <= EngineLimits.groups else { throw stats.tooManyGroups }
    let byteCount = groups.byteCount
    if byteCount > reserved { try budget.reserve(byteCount - reserved, for: stats.command) }
    reserved = max(reserved, byteCount)
  }

  /// The rows of the result in its order: by the time key, then by the other keys as written.
  mutating func finish() throws -> [RowBatch] {
    defer { budget.release(reserved) }
    let groupCount = groups.table.count
    guard groupCount > 0 else { return [] }
    var columns = [ColumnVector?](repeating: nil, count: layout.plan.slots.count)
    for (key, column) in zip(stats.keys, groups.table.keyColumns()) { columns[key.output] = column }
    for (output, state) in zip(stats.aggregates, groups.states) {
      columns[output.output] = state.finish(groupCount: groupCount)
      note(state, of: layout.plan.slots[output.output].name)
    }
    let batch = wanted(of: RowBatch(rowCount: groupCount, columns: columns))
    guard !stats.keys.isEmpty else { return [batch] }
    let order = keyOrder(batch.columns)
    let keys = order + order.compactMap(\.keyTexts)
    let rows = RowSort.order(keys, keys.map { _ in false }, limit: nil)
    return stride(from: 0, to: rows.count, by: SortBuffer.rowsPerBatch).map { start in
      batch.gather(SelectionVector(rows[start..<min(start + SortBuffer.rowsPerBatch, rows.count)]))
    }
  }

  /// The groups that can be in the result if the query sorts them at once by one of the results and wants only the
  /// first few: ordering a hundred thousand names to show twenty would cost more than counting them.
  private func wanted(of batch: RowBatch) -> RowBatch {
    guard let next = layout.plan.segment(behind: stats), next.filters.isEmpty, next.tail == nil,
      let limit = next.limit, limit > 0, limit * 4 < batch.rowCount,
      let first = next.sortKeys.first,
      case .slot(let slot) = first.expression.kind, let column = batch.columns[slot]
    else { return batch }
    switch column {
    case .integers, .doubles: break
    default: return batch
    }
    let rows = RowSort.order([column], [first.isDescending], limit: limit)
    guard let last = rows.last else { return batch }
    let threshold = SortThreshold(
      bound: column.value(at: Int(last)), isDescending: first.isDescending)
    return batch.gather(threshold.rows(of: column).setRows())
  }

  private func keyOrder(_ columns: [ColumnVector?]) -> [ColumnVector] {
    let first = stats.timeKey.map { [$0] } ?? []
    let order = first + stats.keys.indices.filter { $0 != stats.timeKey }
    return order.compactMap { columns[stats.keys[$0].output] }
  }

  private func note(_ state: any Aggregate, of name: String) {
    if let reason = state.approximation {
      layout.context.noteApproximation("\(name): \(reason)")
    }
    if state.isCut { layout.context.warn(AnalyzerDiagnostics.listCut(name)) }
  }
}

extension ColumnVector {
  /// The texts by which values of several types are told apart as keys: 1.5 for the number 1.50, which
  /// sorts and shows like the text 1.50. With them the order of groups leaves nothing open.
  var keyTexts: ColumnVector? {
    guard case .values(let values) = self else { return nil }
    return ColumnVector(
      values.map { value in
        if value.isMissing || value.isStructure { return .missing }
        return .string(KeyIdentity.withText(of: value) { String(decoding: $0, as: UTF8.self) })
      })
  }

  /// The vector with maps and lists taken as missing, which is said in a warning.
  func scalars(_ layout: PlanLayout) -> ColumnVector {
    let scalars = sortable()
    if case .values(let before) = self, case .values(let after) = scalars, before != after {
      layout.context.warn(AnalyzerDiagnostics.structureAsMissing)
    }
    return scalars
  }

  /// Times in ms, one per row; a row without one has the smallest.
  fileprivate func times() -> [Int64] {
    if case .timestamps(let vector) = self, vector.validity == nil { return vector.values }
    return values().map { $0.time ?? .min }
  }
}

extension LogicalPlan {
  /// What is done with the rows of an aggregation.
  fileprivate func segment(behind stats: StatsStep) -> PlanSegment? {
    let outputs = stats.aggregates.map(\.output)
    let index = segments.dropLast().firstIndex { segment in
      if case .stats(let other)? = segment.barrier {
        other.aggregates.map(\.output) == outputs
      } else {
        false
      }
    }
    return index.map { segments[$0 + 1] }
  }
}
