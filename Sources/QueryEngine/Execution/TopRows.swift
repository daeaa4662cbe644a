import Columnar
import LogStorage
import Synchronization

// The first rows of a sort, over all workers.
//
// Two things save reading. Once there are as many rows as wanted, the key of the last of them is a
// threshold: of later row groups only rows that pass it are looked at. And while only keys decide, of
// a row only its keys and its address are kept, the row group and the row in it; when the scan has
// ended, the fields of the few rows that are left are read there, on all workers.
//
//     sort latency desc | limit 20    33 row groups: one column of each
//                                     20 rows: the texts of 15 row groups, one or two of each
//
// In order of time and without a filter the newest row group often has rows enough. Where the directory tells so, other
// workers draw nothing behind it; what they draw else goes unread, as rows are kept by their addresses there too.

/// The best rows of an ordered or sorted scan, over all workers.
final class TopRows: Sendable {
  /// Rows whose fields are read only when it is certain that they are wanted.
  private static let mostDeferred = 1_000

  private let rows: SegmentRows
  private let limit: Int?
  private let isOrderedByTime: Bool
  private let isNewestFirst: Bool
  private let isDeferring: Bool
  private let budget: MemoryBudget
  private let buffer: Mutex<SortBuffer>
  /// Whether a row group had as many rows as are wanted, of an ordered scan.
  private let filled = Atomic<Bool>(false)
  /// How to come back to the row groups of which rows are kept by their addresses, by ordinal.
  private let places = Mutex<[Int: @Sendable () throws -> any RowGroup]>([:])

  /// - Parameter maySaveReading: whether fields may be read at the end.
  init(_ rows: SegmentRows, budget: MemoryBudget, maySaveReading: Bool = true) {
    self.rows = rows
    self.budget = budget
    limit = rows.topCount
    let order = rows.segment.timeOrder(in: rows.layout.plan)
    isOrderedByTime = order != nil
    isNewestFirst = order != .oldestFirst
    isDeferring =
      maySaveReading && limit.map { $0 <= Self.mostDeferred } ?? false
      && (order == nil || rows.segment.filters.isEmpty)
    buffer = Mutex(
      SortBuffer(
        directions: order == nil ? rows.segment.sortKeys.map(\.isDescending) : [],
        limit: limit, order: order ?? .newestFirst, budget: budget))
  }

  /// Whether rows were kept whose fields are still to be read.
  var defersReading: Bool { places.withLock { !$0.isEmpty } }

  /// Whether a row group, drawn in order of time, has as many rows as are wanted and none of those behind it has a row
  /// that comes before one of its own.
  func isFilled(by rowGroup: any RowGroup) -> Bool {
    guard isOrderedByTime, rows.segment.filters.isEmpty, let limit,
      rowGroup.visibleRows.count >= limit, let times = rowGroup.timeRange
    else { return false }
    guard let bound = rowGroup.boundOfRest else { return true }
    return isNewestFirst ? times.lowerBound > bound : times.upperBound < bound
  }

  /// The rows of a frame that can be among the wanted ones. They count as in use until they are added.
  func piece(_ frame: inout Frame, of rowGroup: any RowGroup) throws -> SortPiece {
    let piece =
      isOrderedByTime
      ? try endPiece(&frame, of: rowGroup) : try sortedPiece(&frame, of: rowGroup)
    budget.count(piece.byteCount)
    return piece
  }

  private func endPiece(_ frame: inout Frame, of rowGroup: any RowGroup) throws -> SortPiece {
    // Rows of a row group are in ascending order: the wanted ones lie at one end.
    if let limit, frame.rowCount > limit {
      let count = UInt32(frame.rowCount)
      let wanted = UInt32(limit)
      frame.narrow(to: SelectionVector(isNewestFirst ? count - wanted..<count : 0..<wanted))
    }
    let batch = try deferred(&frame, of: rowGroup) ?? rows.detached(&frame)
    // The first row group that has rows enough has most of those wanted, and what they are made of takes the disk longest.
    if isDeferring, batch.rowCount == limit, !filled.exchange(true, ordering: .relaxed) {
      try frame.willRead(rows.layout.liveOut[rows.index])
    }
    return SortPiece(batch: batch, keys: [])
  }

  private func sortedPiece(_ frame: inout Frame, of rowGroup: any RowGroup) throws -> SortPiece {
    let bound = limit == nil ? nil : buffer.withLock { $0.bound }
    let threshold = bound.map {
      SortThreshold(bound: $0, isDescending: rows.segment.sortKeys[0].isDescending)
    }
    let keys = try rows.sortKeys(&frame, limit: limit, threshold: threshold)
    return SortPiece(
      batch: try deferred(&frame, of: rowGroup) ?? rows.detached(&frame), keys: keys)
  }

  /// The rows of a frame by their addresses, to be read at the end; `nil` if they are to be read now.
  private func deferred(_ frame: inout Frame, of rowGroup: any RowGroup) throws -> RowBatch? {
    guard isDeferring, let stored = frame.storedRows else { return nil }
    if !stored.isEmpty {
      let held = HeldRowGroup(rowGroup: rowGroup)
      let again = rowGroup.again ?? { held.rowGroup }
      places.withLock { $0[rowGroup.ordinal] = again }
    }
    return RowBatch(
      rowCount: stored.count,
      columns: [
        .constant(.integer(Int64(rowGroup.ordinal)), count: stored.count),
        .integers(IntegerVector(values: stored.map { Int64($0) })),
      ], order: try frame.order())
  }

  /// Adds the next piece; returns whether nothing that follows in an ordered scan can matter.
  func add(_ piece: SortPiece) throws -> Bool {
    try buffer.withLock { buffer in
      budget.release(piece.byteCount)
      try buffer.add(piece)
      guard isOrderedByTime, let limit, let bound = piece.boundOfRest else { return false }
      return buffer.hasRows(limit, before: bound, isNewestFirst: isNewestFirst)
    }
  }

  /// Hands on the rows in their order, once all have been added.
  ///
  /// - Throws: `StorageError` when a field of rows that were kept by address cannot be read, before any row has been
  ///   handed on.
  func drain(workers: Int, _ body: (RowBatch) throws -> Void) throws {
    var taken = buffer.withLock { $0.takeAll() }
    let places = places.withLock { $0 }
    if places.isEmpty { return try taken.drain(body) }
    // Rows kept by address are few enough to be one batch.
    var addresses: [RowBatch] = []
    try taken.drain { addresses.append($0) }
    if addresses.isEmpty { return }
    try body(read(.concatenated(addresses), places, workers: workers))
  }

  // MARK: Reading at the end

  /// The rows at some addresses, in their order.
  private func read(
    _ addresses: RowBatch, _ places: [Int: @Sendable () throws -> any RowGroup], workers: Int
  ) throws -> RowBatch {
    guard let ordinals = addresses.columns[0]?.values(),
      let numbers = addresses.columns[1]?.values()
    else { return addresses }
    var wanted: [Int: [(row: UInt32, place: Int)]] = [:]
    for (place, (ordinal, number)) in zip(ordinals, numbers).enumerated() {
      guard case .integer(let ordinal) = ordinal, case .integer(let number) = number else {
        continue
      }
      wanted[Int(ordinal), default: []].append((UInt32(number), place))
    }
    let parts = wanted.map { (ordinal: $0.key, rows: $0.value.sorted { $0.row < $1.row }) }
      .sorted { $0.ordinal < $1.ordinal }
    let found = Mutex([RowBatch?](repeating: nil, count: parts.count))
    let next = Atomic<Int>(0)
    let segment = rows
    try Workers.run(workers) { _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < parts.count, let again = places[parts[index].ordinal] else { return }
        var frame = Frame(
          try again(), rows: parts[index].rows.map(\.row), layout: segment.layout)
        let batch = try segment.detached(&frame)
        found.withLock { $0[index] = batch }
      }
    }
    let all = RowBatch.concatenated(found.withLock { $0 }.compactMap { $0 })
    // Row k of `all` belongs to place `order[k]`.
    var back = SelectionVector(repeating: 0, count: addresses.rowCount)
    for (k, place) in parts.flatMap({ $0.rows.map(\.place) }).enumerated() {
      back[place] = UInt32(k)
    }
    return all.gather(back)
  }
}

/// A row group without a way back to it, kept until the scan has ended.
///
/// `@unchecked Sendable` holds because the worker that drew it is done with it before `Workers.run` of the scan returns,
/// and only then one worker, which is the only one to read this ordinal, takes it.
private struct HeldRowGroup: @unchecked Sendable {
  let rowGroup: any RowGroup
}
