/// What became of the events of one input or of several.
package struct IngestReport: Sendable {
  /// Figures of the events in the store.
  package var counts: IngestCounts
  /// Records over the size limit, by line and length.
  package var tooLong: [(line: UInt64, byteCount: UInt64)]
  package var emptyLines: UInt64
  /// Records that a damaged input cut in the middle; they are not in the store.
  package var cutOff: UInt64
  /// Members of wrappers beside their events, which are not stored.
  package var wrapperMembers: UInt64
  package var skippedByteOrderMark: Bool
  /// Damage that ended an input early; the events before it are in the store.
  package var faults: [StorageError]
  /// What was found of earlier streams that had ended early, a line each.
  package var recovered: [String] = []
  /// Stored (possibly compressed) bytes read.
  package var inputByteCount: UInt64
  package var elapsed: Duration

  init(
    counts: IngestCounts, tally: LineReader.Tally, fault: StorageError?, inputByteCount: UInt64,
    elapsed: Duration
  ) {
    self.counts = counts
    tooLong = tally.tooLong
    emptyLines = tally.emptyLines
    cutOff = tally.cutOff
    wrapperMembers = tally.wrapperMembers
    skippedByteOrderMark = tally.skippedByteOrderMark
    faults = fault.map { [$0] } ?? []
    self.inputByteCount = inputByteCount
    self.elapsed = elapsed
  }

  /// Events in the store.
  package var acceptedCount: UInt64 { counts.eventCount }
  /// Records that are not.
  package var rejectedCount: UInt64 { UInt64(tooLong.count) + cutOff }

  /// Adds the figures of a later input.
  package mutating func merge(_ other: IngestReport) {
    counts.merge(other.counts)
    tooLong += other.tooLong
    emptyLines += other.emptyLines
    cutOff += other.cutOff
    wrapperMembers += other.wrapperMembers
    skippedByteOrderMark = skippedByteOrderMark || other.skippedByteOrderMark
    faults += other.faults
    recovered += other.recovered
    inputByteCount += other.inputByteCount
    elapsed += other.elapsed
  }
}
