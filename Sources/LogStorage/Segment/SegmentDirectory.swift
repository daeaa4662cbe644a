/// What a segment's directory says about one row group: where it lies, what it holds, how to check
/// it. The bytes of the row group itself are self-contained: its own shapes, paths and chunk table.
///
/// - SeeAlso: <doc:SegmentFormat>, "Directory"
package struct RowGroupEntry: Sendable, Hashable {
  /// Position of the row group's first byte in the file; set by the segment writer, 8-aligned.
  package var offset: UInt64
  /// Bytes of the row group.
  package var length: UInt64
  /// Where the row group's own table (shapes, paths, chunk table) lies, counted from `offset`.
  package var metadataOffset: UInt32
  /// Bytes of that table.
  package var metadataLength: UInt32
  /// XXH64 (seed 0) of the bytes of that table; the chunks have checks of their own in it.
  package var check: UInt64
  package var rowCount: UInt32
  /// Bytes of the texts of all events.
  package var rawByteCount: UInt64
  /// Oldest and newest event time, ms.
  package var minTime: Int64
  package var maxTime: Int64
  /// First and last time of arrival, ms.
  package var minIngestTime: Int64
  package var maxIngestTime: Int64
  /// What must be added to the sequence numbers stored in the row group, besides the base that the
  /// manifest gives to the whole segment. 0 as encoded; compaction sets it when it copies bytes.
  package var sequenceBase: UInt64
  /// Smallest and largest sequence number as stored in the row group, before any base is added.
  package var minSequence: UInt64
  package var maxSequence: UInt64
  /// Sum over all events, which no merge may change.
  package var contentSum: ContentSum

  package init(
    offset: UInt64 = 0, length: UInt64, metadataOffset: UInt32, metadataLength: UInt32,
    check: UInt64, rowCount: UInt32, rawByteCount: UInt64, minTime: Int64, maxTime: Int64,
    minIngestTime: Int64, maxIngestTime: Int64, sequenceBase: UInt64 = 0, minSequence: UInt64,
    maxSequence: UInt64, contentSum: ContentSum
  ) {
    self.offset = offset
    self.length = length
    self.metadataOffset = metadataOffset
    self.metadataLength = metadataLength
    self.check = check
    self.rowCount = rowCount
    self.rawByteCount = rawByteCount
    self.minTime = minTime
    self.maxTime = maxTime
    self.minIngestTime = minIngestTime
    self.maxIngestTime = maxIngestTime
    self.sequenceBase = sequenceBase
    self.minSequence = minSequence
    self.maxSequence = maxSequence
    self.contentSum = contentSum
  }
}

/// An encoded row group on its way into a segment.
package struct EncodedRowGroup: Sendable {
  /// The row group as it will lie in the file.
  package var bytes: [UInt8]
  /// Its directory entry; `offset` is set when it is written.
  package var entry: RowGroupEntry
  /// Streams of its events with the number of events of each; every name once, counts sum to the
  /// rows.
  package var streams: [StreamCount]

  package init(bytes: [UInt8], entry: RowGroupEntry, streams: [StreamCount]) {
    self.bytes = bytes
    self.entry = entry
    self.streams = streams
  }
}

/// A log stream and how many events of it something holds.
package struct StreamCount: Sendable, Hashable {
  package var name: String
  package var rowCount: UInt64

  package init(name: String, rowCount: UInt64) {
    self.name = name
    self.rowCount = rowCount
  }
}

/// A sum over events that does not depend on their order or on the row groups and segments they lie
/// in: adding up the sums of the parts gives the sum of the whole. A merge must reproduce the sum of
/// its inputs before it may replace them.
///
/// Each event gives a hash of its time, stream and text. Sequence numbers are left out: they are
/// stored relative to bases that change with the layout.
package struct ContentSum: Sendable, Hashable {
  package var low: UInt64
  package var high: UInt64

  /// The sum of no events.
  package init() { (low, high) = (0, 0) }

  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// Adds up two sums.
  package static func &+= (sum: inout ContentSum, other: ContentSum) {
    let (low, carry) = sum.low.addingReportingOverflow(other.low)
    sum.low = low
    sum.high = sum.high &+ other.high &+ (carry ? 1 : 0)
  }

  /// Takes a part out of a sum.
  package static func &-= (sum: inout ContentSum, other: ContentSum) {
    let (low, borrow) = sum.low.subtractingReportingOverflow(other.low)
    sum.low = low
    sum.high = sum.high &- other.high &- (borrow ? 1 : 0)
  }
}
