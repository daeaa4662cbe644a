/// Raw records on their way into row groups: one buffer of bytes and where each record lies in it.
///
/// The reader fills a block with whole records, a worker scans it and encodes it. One owner at a
/// time; it moves between threads, it is never shared.
///
/// - Invariant: every record's range lies within `byteCount`; at least `padding` readable bytes
///   (zeros) follow it, so that scanners may load vectors without a tail case.
package struct RecordBlock: Sendable {
  /// Readable bytes past the last record.
  package static let padding = 64

  /// The bytes, `byteCount` of them, then `padding` zeros.
  package var bytes: [UInt8]
  package var byteCount: Int
  /// Where each record lies, in input order. Line ends and wrappers are not part of a record.
  package var records: [RecordReference]
  /// Stream names that records refer to by index; index 0 is the default stream of the ingestion.
  package var streams: [String]
  /// Number of the first record within the input of this ingestion, from 0: row `i` of the block is
  /// record `firstRecord + i`, which later orders rows of equal time.
  package var firstRecord: UInt64

  package init(
    bytes: [UInt8], byteCount: Int, records: [RecordReference], streams: [String],
    firstRecord: UInt64
  ) {
    self.bytes = bytes
    self.byteCount = byteCount
    self.records = records
    self.streams = streams
    self.firstRecord = firstRecord
  }
}

/// One record of a block.
package struct RecordReference: Sendable, Hashable {
  /// Position of the first byte in the block.
  package var offset: UInt32
  /// Bytes.
  package var length: UInt32
  /// Event time in ms given by a wrapper (`{"logEvents":[{"timestamp":…}]}`), or
  /// `RecordReference.undiscovered` when it is to be found in the text.
  package var time: Int64
  /// Index into the block's stream names.
  package var stream: UInt32

  /// No wrapper gave a time.
  package static let undiscovered = Int64.min

  package init(offset: UInt32, length: UInt32, time: Int64 = undiscovered, stream: UInt32 = 0) {
    self.offset = offset
    self.length = length
    self.time = time
    self.stream = stream
  }
}
