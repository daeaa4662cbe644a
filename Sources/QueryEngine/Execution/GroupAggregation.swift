import Columnar
import LogStorage

// `stats` in two halves. A row group is aggregated by itself, on any worker; the partial groups are
// then merged one after the other, in the order of the scan, by whichever worker has a piece ready.
// Sums of fractions and lists of first-seen values therefore come out the same on every run. Groups
// for which memory has no room go to disk, see SpilledGroups.

/// The groups of some rows with the states of all aggregates.
struct PartialGroups: Sendable {
  var table: GroupTable
  /// One per call; of calls that keep the same, the first one's is for all.
  var states: [any Aggregate]

  init(_ stats: StatsStep) {
    table = GroupTable(keyCount: stats.keys.count)
    states = zip(stats.aggregates, stats.stateOwners).enumerated().map { index, call in
      call.1 == index ? call.0.aggregate.kind.makeState() : BorrowedState()
    }
  }

  /// Aggregates the rows of a frame.
  ///
  /// - Throws: `StorageError` when a column cannot be read.
  init(_ stats: StatsStep, of frame: inout Frame) throws {
    self.init(stats)
    if try addCounts(stats, frame) == nil { try add(stats, &frame) }
  }

  var byteCount: Int { states.reduce(table.byteCount) { $0 + $1.byteCount } }

  /// Takes in groups of rows that come after all rows of these.
  mutating func merge(_ part: PartialGroups) {
    let mapping = table.merge(part.table)
    for index in states.indices {
      states[index].merge(erased: part.states[index], mapping: mapping)
    }
  }

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
    try StopPoint.check()
    let groups = keys.isEmpty ? nil : table.assignGroups(keys: keys, rowCount: frame.rowCount)
    for index in states.indices {
      states[index].update(
        groups: groups, groupCount: table.count, arguments: arguments[index],
        rowCount: frame.rowCount, times: times[index], sequences: sequences)
    }
  }
}

extension PartialGroups {
  /// Takes in the rows of a frame by how many of them have each value of the only key, where rows are only counted and
  /// nothing more need be known.
  ///
  /// - Parameter onlyPresent: whether rows without the key are left out.
  /// - Returns: how many rows were taken in; `nil` if that cannot be told, and nothing has been taken in.
  mutating func addCounts(
    _ stats: StatsStep, _ frame: Frame, onlyPresent: Bool = false
  ) throws -> Int? {
    guard let slot = stats.slotOfOnlyCountedKey, let parts = try frame.counts(slot) else {
      return nil
    }
    try StopPoint.check()
    var rowCount: Int64 = 0
    for part in parts {
      var (values, counts) = (part.values, part.counts)
      let present = values.presence()
      if onlyPresent, !present.isFull {
        let rows = present.setRows()
        (values, counts) = (values.gather(rows), rows.map { counts[Int($0)] })
      }
      guard !counts.isEmpty else { continue }
      let groups = table.assignGroups(keys: [values], rowCount: counts.count)
      for index in states.indices {
        guard var state = states[index] as? CountAggregate else { continue }
        state.add(counts, to: groups, groupCount: table.count)
        states[index] = state
      }
      rowCount += counts.reduce(0, +)
    }
    return Int(rowCount)
  }
}

extension StatsStep {
  /// For each call the one that keeps its state: itself, or an earlier one of the same field.
  var stateOwners: [Int] {
    aggregates.indices.map { index in
      let call = aggregates[index].aggregate
      guard case .slot(let slot)? = call.argument?.kind else { return index }
      return aggregates[..<index].firstIndex {
        guard case .slot(slot)? = $0.aggregate.argument?.kind else { return false }
        return $0.aggregate.kind.sharesState(with: call.kind)
      } ?? index
    }
  }

  fileprivate var arguments: [BoundExpression] { aggregates.compactMap(\.aggregate.argument) }

  /// The field of events that is the only key, if of its groups nothing but their rows is counted.
  var slotOfOnlyCountedKey: SlotID? {
    guard keys.count == 1, case .slot(let slot) = keys[0].expression.kind else { return nil }
    let onlyCounts = aggregates.allSatisfy { output in
      if case .countRows = output.aggregate.kind { output.aggregate.argument == nil } else { false }
    }
    return onlyCounts ? slot : nil
  }

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
  /// The groups for which memory had no room.
  private var spilled: SpilledGroups?

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
    if try groups.addCounts(stats, frame) != nil { return try makeRoom() }
    try frame.forEachPart(of: stats.keys.map(\.expression) + stats.arguments) { part in
      try groups.add(stats, &part)
      try makeRoom()
    }
  }

  /// Takes in the rows of a frame that have the only key, if they can be counted without a look at which they are.
  ///
  /// - Returns: how many rows that are; `nil` if it cannot be told.
  /// - Throws: as ``add(_:)``.
  mutating func addPresent(_ frame: Frame) throws -> Int? {
    guard let count = try groups.addCounts(stats, frame, onlyPresent: true) else { return nil }
    try makeRoom()
    return count
  }

  /// Takes in the next partial groups.
  ///
  /// - Throws: ``QueryFailure`` when they do not fit memory and cannot be written.
  mutating func merge(_ part: PartialGroups) throws(QueryFailure) {
    // Put together in another order, fractions may add up to something else.
    if spilled != nil { return try spilled!.add(part, isWhole: false) }
    groups.merge(part)
    try makeRoom()
  }

  /// Takes in all that another one has, which is not used any more, of counts.
  mutating func absorb(_ other: GroupMerger) throws(QueryFailure) {
    var other = other
    if spilled == nil, other.spilled == nil {
      groups.merge(other.groups)
      other.release()
      return try makeRoom()
    }
    try spill()
    try other.spill()
    if let theirs = other.spilled { spilled?.absorb(theirs) }
  }

  /// Sees to it that what the groups take is counted, or that they are on disk.
  private mutating func makeRoom() throws(QueryFailure) {
    if try !hasRoom() { try spill() }
  }

  /// Counts what the groups take; `false` if they are to go to disk.
  private mutating func hasRoom() throws(QueryFailure) -> Bool {
    // One group grows slowly.
    let byteCount =
      stats.keys.isEmpty ? groups.byteCount : MemoryBudget.growing(groups.byteCount)
    let added = byteCount - reserved
    if added <= 0 { return true }
    if stats.keys.isEmpty {
      try budget.reserve(added, for: stats.command)
    } else if !budget.tryReserve(added, holding: reserved) {
      return false
    }
    reserved += added
    return true
  }

  /// Moves all groups to disk.
  private mutating func spill() throws(QueryFailure) {
    if spilled == nil { spilled = try SpilledGroups(stats, budget: budget) }
    if groups.table.count > 0 { try spilled?.add(groups, isWhole: true) }
    groups = PartialGroups(stats)
    release()
  }

  private mutating func release() {
    budget.release(reserved)
    reserved = 0
  }

  /// Hands on the rows of the result in its order: by the time key, then by the other keys as written.
  mutating func finish(until isDone: () -> Bool, _ body: (RowBatch) throws -> Void) throws {
    defer { release() }
    if spilled != nil { return try finishSpilled(until: isDone, body) }
    guard groups.table.count > 0 else { return }
    let results = try results(of: groups)
    note(approximateCounts(of: groups))
    guard !stats.keys.isEmpty else { return try body(results) }
    let table = groups.table
    let order = try order(of: wanted(results, table), of: table)
    for start in stride(from: 0, to: order.count, by: SortBuffer.rowsPerBatch) where !isDone() {
      let end = min(start + SortBuffer.rowsPerBatch, order.count)
      try body(rows(Array(order[start..<end]), of: table, results))
    }
  }

  /// The same, part by part; what the parts give is sorted as a whole.
  private mutating func finishSpilled(
    until isDone: () -> Bool, _ body: (RowBatch) throws -> Void
  ) throws {
    try spill()
    guard let spilled = spilled.take() else { return }
    let parts = PartOfGroups(stats, budget: budget)
    // A part needs room too.
    var sorter = SortBuffer(
      Self.rule(stats.keys.count), for: stats.command, budget: budget, mostHeld: budget.share)
    var approximate = [Int](repeating: 0, count: stats.aggregates.count)
    try parts.forEach(of: spilled) { groups in
      for (index, count) in approximateCounts(of: groups).enumerated() {
        approximate[index] += count
      }
      let results = try results(of: groups)
      let batch = rows(try wanted(results, groups.table), of: groups.table, results)
      let keys = keyOrder.compactMap { batch.columns[stats.keys[$0].output] }
      try sorter.add(SortPiece(batch: batch, keys: keys))
    }
    note(approximate)
    try sorter.drain(until: isDone, body)
  }

  /// The order of groups: by their keys, ascending.
  private static func rule(_ keyCount: Int) -> RowRule {
    RowRule(directions: [Bool](repeating: false, count: keyCount), tellsKeysApart: true)
  }

  /// What the aggregates found of each group; the columns of keys are left out.
  private func results(of groups: PartialGroups) throws -> RowBatch {
    let groupCount = groups.table.count
    var columns = [ColumnVector?](repeating: nil, count: layout.plan.slots.count)
    let owners = stats.stateOwners
    for owner in owners.indices where owners[owner] == owner {
      try StopPoint.check()
      let calls = owners.indices.filter { owners[$0] == owner }
      let results = groups.states[owner].finish(
        groupCount: groupCount, as: calls.map { stats.aggregates[$0].aggregate.kind })
      for (call, result) in zip(calls, results) {
        columns[stats.aggregates[call].output] = result
      }
    }
    for (output, owner) in zip(stats.aggregates, owners) {
      let state = groups.states[owner]
      if state.isCut {
        let slot = layout.plan.slots[output.output]
        layout.context.warn(AnalyzerDiagnostics.listCut(slot.name, at: slot.mention))
      }
    }
    return RowBatch(rowCount: groupCount, columns: columns)
  }

  /// Rows of the result, with their keys.
  private func rows(
    _ wanted: SelectionVector, of table: GroupTable, _ results: RowBatch
  ) -> RowBatch {
    var batch = results.gather(wanted)
    for (key, column) in zip(stats.keys, table.keyColumns(wanted)) {
      batch.columns[key.output] = column
    }
    return batch
  }

  /// The groups that can be in the result if the query sorts them at once by one of the results and wants only the
  /// first few: ordering a hundred thousand names to show twenty would cost more than counting them.
  private func wanted(_ results: RowBatch, _ table: GroupTable) throws -> SelectionVector {
    let all = SelectionVector(0..<UInt32(results.rowCount))
    guard let next = layout.plan.segment(behind: stats), next.filters.isEmpty, next.tail == nil,
      let limit = next.limit, limit > 0, limit * 4 < results.rowCount,
      let first = next.sortKeys.first,
      case .slot(let slot) = first.expression.kind, let column = results.columns[slot]
    else { return all }
    switch column {
    case .integers, .doubles: break
    default: return all
    }
    guard let words = SortKernel.words(of: column, descending: first.isDescending),
      let last = SortKernel.order(words: [words], rowCount: words.count, limit: limit).last
    else { return all }
    let bound = words[Int(last)]
    guard next.sortKeys.count == 1 else { return all.filter { words[Int($0)] <= bound } }
    // Nothing but their keys tells equal ones apart.
    let better = all.filter { words[Int($0)] < bound }
    let equal = all.filter { words[Int($0)] == bound }
    return better + (try order(of: equal, of: table, limit: limit - better.count))
  }

  /// Groups in the order of the result, the first `limit` of them if one is given.
  private func order(
    of groups: SelectionVector, of table: GroupTable, limit: Int? = nil
  ) throws -> SelectionVector {
    if let limit, limit >= groups.count { return groups }
    let keys = keyOrder
    let words = try keys.map {
      try StopPoint.check()
      return table.words(ofKey: $0, groups, limit: keys.count == 1 ? limit ?? .max : .max)
    }
    let order = SortKernel.order(
      words: words.compactMap(\.order) + words.compactMap(\.texts), rowCount: groups.count,
      limit: limit)
    try StopPoint.check()
    return order.map { groups[Int($0)] }
  }

  /// The keys in the order in which they decide: the time key, then the others as written.
  private var keyOrder: [Int] {
    (stats.timeKey.map { [$0] } ?? []) + stats.keys.indices.filter { $0 != stats.timeKey }
  }

  private func approximateCounts(of groups: PartialGroups) -> [Int] {
    stats.stateOwners.map { groups.states[$0].approximateGroupCount }
  }

  /// Notes which results are approximate in how many groups.
  private func note(_ approximateCounts: [Int]) {
    let owners = stats.stateOwners
    for (index, count) in approximateCounts.enumerated() where count > 0 {
      let name = layout.plan.slots[stats.aggregates[index].output].name
      let reason = type(of: groups.states[owners[index]]).approximation(ofGroups: count)
      layout.context.noteApproximation("\(name): \(reason)")
    }
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
