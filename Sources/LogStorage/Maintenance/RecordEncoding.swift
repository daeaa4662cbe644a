extension RowGroupEncoder {
  /// Encodes events that were taken out of row groups: their texts are taken apart again, their times and
  /// numbers stay as they are.
  ///
  /// - Precondition: at most `StorageLimits.rowsPerRowGroup` events, in (time, sequence) order.
  func encode(_ records: RowGroupRecords, scanner: JSONScanner) -> EncodedRowGroup {
    let references = (0..<records.count).map { row in
      RecordReference(
        offset: records.offsets[row], length: records.offsets[row + 1] - records.offsets[row],
        time: records.times[row], stream: records.streamOf[row])
    }
    let block = RecordBlock(
      bytes: records.bytes + [UInt8](repeating: 0, count: RecordBlock.padding),
      byteCount: records.bytes.count, records: references, streams: records.streams,
      firstRecord: 0)
    var scanned = scanner.scan(block, arrivalTime: 0)
    // Also where a time is the number that means "not given" to the scanner.
    scanned.times = records.times
    return encode(
      scanned, rows: (0..<UInt32(records.count)).map { $0 },
      ingestionTimes: records.ingestionTimes, sequences: records.sequences)
  }
}
