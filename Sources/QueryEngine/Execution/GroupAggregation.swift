import Columnar

// `stats` in two halves. A row group is aggregated by itself, on any worker; the partial groups are
// then merged one after the other, in the order of the scan, by whichever worker has a piece ready.
// Sums of fractions and lists of first-seen values therefore come out the same on every run.

/// The groups of one batch of rows with the states of all aggregates.
struct PartialGroups: Sendable {
  fileprivate let table: GroupTable
  fileprivate let states: [any Aggregate]

  /// Aggregates the rows of a frame.
  ///
  /// - Throws: `StorageError` when a column cannot be read.
  init(_ stats: StatsStep, of frame: inout Frame) throws {
    let keys = try stats.keys.map { try $0.expression.evaluate(&frame).scalars(frame.layout) }
    var table = GroupTable(keyCount: keys.count)
    let groups = table.assignGroups(keys: keys, rowCount: frame.rowCount)
    self.table = table
    let kinds = stats.aggregates.map(\.aggregate.kind)
    let sequences =
      kinds.contains { $0.needsTimes || $0.dependsOnOrder } ? try frame.order()?.sequences : nil
    var states: [any Aggregate] = []
    for call in stats.aggregates.map(\.aggregate) {
      var state = call.kind.makeState()
      let argument = try call.argument.map { try $0.evaluate(&frame).scalars(frame.layout) }
      var times = try call.time.map { try frame.column($0).times() }
      if call.kind.dependsOnOrder { times = try frame.scanOrder()?.times }
      state.update(
        groups: keys.isEmpty ? nil : groups, groupCount: table.count,
        arguments: argument.map { [$0] } ?? [], rowCount: frame.rowCount, times: times,
        sequences: sequences)
      states.append(state)
    }
    self.states = states
  }
}

/// All groups of a `stats`, growing as partial groups are merged.
struct GroupMerger: PieceMerger {
  private let stats: StatsStep
  private let layout: PlanLayout
  private let budget: MemoryBudget
  private var table: GroupTable
  private var states: [any Aggregate]
  private var reserved = 0

  init(_ stats: StatsStep, layout: PlanLayout, budget: MemoryBudget) {
    self.stats = stats
    self.layout = layout
    self.budget = budget
    table = GroupTable(keyCount: stats.keys.count)
    states = stats.aggregates.map { $0.aggregate.kind.makeState() }
  }

  /// Takes in the next partial groups.
  ///
  /// - Throws: ``QueryFailure/tooManyGroups(_:)`` or ``QueryFailure/outOfMemory(_:)``.
  mutating func merge(_ part: PartialGroups) throws(QueryFailure) {
    let mapping = table.merge(part.table)
    for index in states.indices {
      states[index].merge(erased: part.states[index], mapping: mapping)
    }
    guard table.count <= EngineLimits.groups else {
      throw stats.tooManyGroups
    }
    let byteCount = MemoryBudget.growing(
      states.reduce(table.byteCount) { $0 + $1.byteCount })
    if byteCount > reserved { try budget.reserve(byteCount - reserved, for: stats.command) }
    reserved = max(reserved, byteCount)
  }

  /// The rows of the result in its order: by the time key, then by the other keys as written.
  mutating func finish() throws -> [RowBatch] {
    defer { budget.release(reserved) }
    let rowCount = table.count
    guard rowCount > 0 else { return [] }
    var columns = [ColumnVector?](repeating: nil, count: layout.plan.slots.count)
    for (key, column) in zip(stats.keys, table.keyColumns()) { columns[key.output] = column }
    for (output, state) in zip(stats.aggregates, states) {
      columns[output.output] = state.finish(groupCount: rowCount)
      note(state, of: layout.plan.slots[output.output].name)
    }
    let batch = RowBatch(rowCount: rowCount, columns: columns)
    let order = keyOrder(columns)
    let keys = order + order.compactMap(\.keyTexts)
    let rows = RowSort.order(keys, keys.map { _ in false }, limit: nil)
    return stride(from: 0, to: rowCount, by: SortBuffer.rowsPerBatch).map { start in
      guard !stats.keys.isEmpty else { return batch }
      return batch.gather(
        SelectionVector(rows[start..<min(start + SortBuffer.rowsPerBatch, rowCount)]))
    }
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
