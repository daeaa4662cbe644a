import Columnar
import LogStorage

/// Rows that a segment's streaming steps left, with their sort keys.
struct SortPiece: Sendable {
  var batch: RowBatch
  /// One vector per sort key.
  var keys: [ColumnVector]
  /// See ``RowGroup/boundOfRest``; for pieces of an ordered scan.
  var boundOfRest: Int64?
}

/// The streaming steps of one segment, applied to frames.
struct SegmentRows: Sendable {
  let layout: PlanLayout
  let index: Int

  var segment: PlanSegment { layout.plan.segments[index] }

  /// Drops the rows that a filter of the segment refuses.
  ///
  /// Each condition sees only what the ones before it left, so a cheap selective one saves the
  /// dear ones their work.
  func filter(_ frame: inout Frame) throws {
    let trace = frame.trace
    for (number, condition) in segment.filters.enumerated() {
      guard frame.rowCount > 0 else { return }
      trace?.begin(number, rows: frame.rowCount)
      frame.keep(try condition.truth(&frame))
      trace?.end(rows: frame.rowCount)
    }
  }

  /// The rows with what is read behind the segment.
  func detached(_ frame: inout Frame) throws -> RowBatch {
    try frame.detached(layout.liveOut[index], withDiscovered: layout.showsDiscovered)
  }

  /// Bytes of keys among which duplicates are looked for: the keys of more are long texts, of which few are equal.
  private static let mostKeyBytesOfDuplicates = 8 << 20

  /// Drops rows that a `dedup` right behind the segment would drop, of rows in order of time: those whose
  /// combination of values another row of the frame has earlier in that order.
  ///
  /// What is left is what the texts and fields of the result are read for.
  func dropDuplicates(_ frame: inout Frame, isNewestFirst: Bool) throws {
    guard case .dedup(let keys)? = segment.barrier, segment.limit == nil, segment.tail == nil,
      frame.rowCount > 1
    else { return }
    // Rows of a row group are in ascending order of time.
    let count = UInt32(frame.rowCount)
    var columns = try keys.map { try frame.column($0).scalars(layout) }
    let keyByteCount = columns.reduce(0) { $0 + $1.approximateByteCount }
    guard keyByteCount <= Self.mostKeyBytesOfDuplicates else { return }
    if isNewestFirst {
      let turned = SelectionVector((0..<count).reversed())
      columns = columns.map { $0.gather(turned) }
    }
    var filter = DistinctFilter(keyCount: keys.count)
    let first = filter.firstRows(of: columns, rowCount: frame.rowCount)
    if first.count == frame.rowCount { return }
    frame.narrow(to: isNewestFirst ? first.reversed().map { count - 1 - $0 } : first)
  }

  /// Narrows a frame to the rows that can be among the first `limit` and gives their sort keys.
  ///
  /// - Parameter threshold: what the `limit`-th of the rows seen so far lets through.
  func sortKeys(
    _ frame: inout Frame, limit: Int?, threshold: SortThreshold?
  ) throws -> [ColumnVector] {
    var keys = try segment.sortKeys.map { try $0.expression.evaluate(&frame).scalars(layout) }
    if let threshold {
      let kept = threshold.rows(of: keys[0])
      if !kept.isFull {
        let rows = kept.setRows()
        keys = keys.map { $0.gather(rows) }
        frame.narrow(to: rows)
      }
    }
    if let limit, frame.rowCount > limit {
      let order = try frame.order()
      let rows = RowSort.order(
        keys + RowSort.eventKeys(order), directions, limit: limit
      ).sorted()
      keys = keys.map { $0.gather(rows) }
      frame.narrow(to: rows)
    }
    return keys
  }

  /// The directions of the sort keys, then those of the order of events.
  private var directions: [Bool] { segment.sortKeys.map(\.isDescending) + [true, true] }
}
