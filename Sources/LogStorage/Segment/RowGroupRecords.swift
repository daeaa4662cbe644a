/// The events of a row group as they were accepted: what compaction takes out of row groups and puts
/// into new ones.
package struct RowGroupRecords: Sendable {
  /// Texts laid end to end.
  package var bytes: [UInt8]
  /// `count + 1` positions in `bytes`.
  package var offsets: [UInt32]
  /// Event times, ms.
  package var times: [Int64]
  /// Arrival times, ms.
  package var ingestionTimes: [Int64]
  /// Store-wide sequence numbers.
  package var sequences: [UInt64]
  /// Stream names …
  package var streams: [String]
  /// … and for each record the index of its own.
  package var streamOf: [UInt32]

  package var count: Int { times.count }

  package init(
    bytes: [UInt8], offsets: [UInt32], times: [Int64], ingestionTimes: [Int64],
    sequences: [UInt64], streams: [String], streamOf: [UInt32]
  ) {
    precondition(
      offsets.count == times.count + 1 && ingestionTimes.count == times.count
        && sequences.count == times.count && streamOf.count == times.count,
      "records with columns of different length")
    self.bytes = bytes
    self.offsets = offsets
    self.times = times
    self.ingestionTimes = ingestionTimes
    self.sequences = sequences
    self.streams = streams
    self.streamOf = streamOf
  }
}
