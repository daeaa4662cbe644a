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
    for condition in segment.filters {
      guard frame.rowCount > 0 else { return }
      frame.keep(try condition.truth(&frame))
    }
  }

  /// The rows with what is read behind the segment.
  func detached(_ frame: inout Frame) throws -> RowBatch {
    try frame.detached(layout.liveOut[index], withDiscovered: layout.showsDiscovered)
  }

  /// The rows with their keys; of more than `limit` rows only those that can be among the first.
  func sortPiece(_ frame: inout Frame, limit: Int?) throws -> SortPiece {
    var keys = try segment.sortKeys.map { try $0.expression.evaluate(&frame).scalars(layout) }
    if let limit, frame.rowCount > limit {
      let order = try frame.order()
      let rows = RowSort.order(
        keys + RowSort.eventKeys(order), directions, limit: limit
      ).sorted()
      keys = keys.map { $0.gather(rows) }
      frame.narrow(to: rows)
    }
    return SortPiece(batch: try detached(&frame), keys: keys)
  }

  /// The directions of the sort keys, then those of the order of events.
  private var directions: [Bool] { segment.sortKeys.map(\.isDescending) + [true, true] }
}
