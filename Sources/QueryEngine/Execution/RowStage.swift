import Columnar

/// One step behind the scan: takes rows in order and hands rows on in order.
///
/// Stages run on the thread that called the query; each owns its state alone.
protocol RowStage: AnyObject {
  /// Takes the next rows.
  ///
  /// - Throws: ``QueryFailure``, or what the sink of the query throws.
  func consume(_ batch: RowBatch) throws
  /// Takes the end of the rows, and hands on what was held back.
  func finish() throws
  /// Whether further rows cannot change the result.
  var isSatisfied: Bool { get }
}

/// Keeps the first rows.
final class LimitStage: RowStage {
  private var rest: Int
  private let next: any RowStage

  init(_ count: Int, next: any RowStage) {
    rest = count
    self.next = next
  }

  var isSatisfied: Bool { rest == 0 || next.isSatisfied }

  func consume(_ batch: RowBatch) throws {
    guard rest > 0 else { return }
    let count = min(rest, batch.rowCount)
    rest -= count
    try next.consume(batch.slice(0..<count))
  }

  func finish() throws { try next.finish() }
}

/// Keeps the last rows.
final class TailStage: RowStage {
  private let count: Int
  private let control: RunControl
  private let next: any RowStage
  private var batches: [RowBatch] = []
  private var rowCount = 0
  private var reserved = 0

  init(_ count: Int, control: RunControl, next: any RowStage) {
    self.count = count
    self.control = control
    self.next = next
  }

  var isSatisfied: Bool { false }

  func consume(_ batch: RowBatch) throws {
    batches.append(batch)
    rowCount += batch.rowCount
    try reserve(batch)
    while let first = batches.first, rowCount - first.rowCount >= count {
      rowCount -= first.rowCount
      control.budget.release(first.byteCount)
      reserved -= first.byteCount
      batches.removeFirst()
    }
  }

  private func reserve(_ batch: RowBatch) throws {
    let byteCount = batch.byteCount
    reserved += byteCount
    try control.budget.reserve(byteCount, for: "tail")
  }

  func finish() throws {
    var surplus = max(0, rowCount - count)
    for batch in batches {
      try next.consume(batch.slice(surplus..<batch.rowCount))
      surplus = 0
    }
    batches = []
    control.budget.release(reserved)
    try next.finish()
  }
}

/// Applies the streaming steps of a segment behind the first one, then sorts if it has to.
final class SegmentStage: RowStage {
  private let rows: SegmentRows
  private let control: RunControl
  private let next: any RowStage
  private var sorter: SortBuffer?

  init(_ rows: SegmentRows, control: RunControl, next: any RowStage) {
    self.rows = rows
    self.control = control
    self.next = next
    if !rows.segment.sortKeys.isEmpty {
      sorter = SortBuffer(
        directions: rows.segment.sortKeys.map(\.isDescending), limit: rows.topCount,
        order: nil, budget: control.budget)
    }
  }

  var isSatisfied: Bool { sorter == nil && next.isSatisfied }

  func consume(_ batch: RowBatch) throws {
    try control.check()
    var frame = Frame(batch, layout: rows.layout)
    try rows.filter(&frame)
    guard frame.rowCount > 0 else { return }
    if sorter != nil {
      let keys = try rows.sortKeys(&frame, limit: nil, threshold: nil)
      try sorter?.add(SortPiece(batch: try rows.detached(&frame), keys: keys))
    } else {
      try next.consume(try rows.detached(&frame))
    }
  }

  func finish() throws {
    try sorter?.drain(until: { next.isSatisfied }) { batch in
      try control.check()
      try next.consume(batch)
    }
    sorter = nil
    try next.finish()
  }
}

extension SegmentRows {
  /// How many rows of the segment's order are wanted; `nil` for all.
  var topCount: Int? { segment.tail == nil ? segment.limit : nil }
}
