/// Merges row groups that overlap in time, or are small, into full ones in (time, sequence) order.
///
/// Each row group is read only when the merge reaches its oldest event, so memory holds those that
/// overlap at one point of time and one being built. Rows are taken in runs: from the row group
/// whose head is smallest, everything that comes before the second smallest head.
///
///     A  1 2 3 9        take 1 2 3 from A (the next head is 4)
///     B  4 5            take 4 5 from B (the next head is 9, C waits at 8)
///     C  8              read C; take 8, then 9
struct RecordMerge {
  /// A row group to be read when its turn comes.
  struct Input {
    var minTime: Int64
    var read: () throws -> RowGroupRecords
  }

  private struct Cursor {
    var records: RowGroupRecords
    var row = 0

    var head: (Int64, UInt64) { (records.times[row], records.sequences[row]) }
  }

  private var waiting: [Input]
  private var cursors: [Cursor] = []
  private var builder = RecordBuilder()

  init(_ inputs: [Input]) {
    waiting = inputs.sorted { $0.minTime > $1.minTime }
  }

  /// The next full row group's events, or `nil` at the end.
  ///
  /// - Throws: `StorageError` of a row group that cannot be read.
  mutating func next() throws -> RowGroupRecords? {
    while let index = try smallestCursor() {
      let end = end(of: index)
      let records = cursors[index].records
      while cursors[index].row < end {
        cursors[index].row = builder.append(records, rows: cursors[index].row..<end)
        if builder.isFull {
          dropIfFinished(index)
          return builder.take()
        }
      }
      dropIfFinished(index)
    }
    return builder.isEmpty ? nil : builder.take()
  }

  private mutating func dropIfFinished(_ index: Int) {
    if cursors[index].row == cursors[index].records.count { cursors.remove(at: index) }
  }

  /// Reads the row groups whose turn has come and returns the cursor with the smallest head.
  private mutating func smallestCursor() throws -> Int? {
    while true {
      let smallest = cursors.indices.min { cursors[$0].head < cursors[$1].head }
      guard let next = waiting.last,
        smallest.map({ next.minTime <= cursors[$0].head.0 }) ?? true
      else { return smallest }
      waiting.removeLast()
      let records = try next.read()
      if records.count > 0 { cursors.append(Cursor(records: records)) }
    }
  }

  /// The end of the run that may be taken from a cursor before any other row.
  private func end(of index: Int) -> Int {
    let cursor = cursors[index]
    var bound: (Int64, UInt64)?
    for (other, candidate) in cursors.enumerated() where other != index {
      if bound.map({ candidate.head < $0 }) ?? true { bound = candidate.head }
    }
    if let next = waiting.last, bound.map({ (next.minTime, 0) < $0 }) ?? true {
      bound = (next.minTime, 0)
    }
    guard let bound else { return cursor.records.count }
    let times = cursor.records.times
    let sequences = cursor.records.sequences
    var row = cursor.row + 1
    while row < times.count, (times[row], sequences[row]) < bound { row += 1 }
    return row
  }
}

/// Collects events until they make a full row group.
struct RecordBuilder {
  private var records = RecordBuilder.empty
  private var streamNumbers: [String: UInt32] = [:]

  private static let empty = RowGroupRecords(
    bytes: [], offsets: [0], times: [], ingestionTimes: [], sequences: [], streams: [],
    streamOf: [])

  var isEmpty: Bool { records.count == 0 }

  var isFull: Bool {
    records.count >= StorageLimits.rowsPerRowGroup
      || records.bytes.count >= StorageLimits.rawBytesPerRowGroup
  }

  /// Appends rows until the row group is full; returns the first row not taken.
  mutating func append(_ source: RowGroupRecords, rows: Range<Int>) -> Int {
    let translation = source.streams.map { number(of: $0) }
    for row in rows {
      if isFull { return row }
      let text = Int(source.offsets[row])..<Int(source.offsets[row + 1])
      records.bytes.append(contentsOf: source.bytes[text])
      records.offsets.append(UInt32(records.bytes.count))
      records.times.append(source.times[row])
      records.ingestionTimes.append(source.ingestionTimes[row])
      records.sequences.append(source.sequences[row])
      records.streamOf.append(translation[Int(source.streamOf[row])])
    }
    return rows.upperBound
  }

  private mutating func number(of stream: String) -> UInt32 {
    if let known = streamNumbers[stream] { return known }
    let number = UInt32(records.streams.count)
    records.streams.append(stream)
    streamNumbers[stream] = number
    return number
  }

  /// The events collected; the builder is empty afterwards.
  mutating func take() -> RowGroupRecords {
    defer { self = RecordBuilder() }
    return records
  }
}
