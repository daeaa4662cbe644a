extension RowGroupEncoder {
  /// Encodes events that were taken out of row groups, every one as a plain text.
  ///
  /// - Precondition: at most `StorageLimits.rowsPerRowGroup` events, in (time, sequence) order.
  func encode(_ records: RowGroupRecords) -> EncodedRowGroup {
    let references = (0..<records.count).map { row in
      RecordReference(
        offset: records.offsets[row], length: records.offsets[row + 1] - records.offsets[row],
        time: records.times[row], stream: records.streamOf[row])
    }
    let byteCount = records.bytes.count
    let block = RecordBlock(
      bytes: records.bytes + [UInt8](repeating: 0, count: RecordBlock.padding),
      byteCount: byteCount, records: references, streams: records.streams, firstRecord: 0)
    let scanned = ScannedBlock(
      block: block, shapes: [.text],
      shapeOfRecord: [UInt32](repeating: 0, count: records.count),
      slotStarts: (0...UInt32(records.count)).map { $0 },
      slots: references.map { UInt64($0.offset) << 32 | UInt64($0.length) },
      times: records.times, recordsWithoutTime: 0)
    return encode(
      scanned, rows: (0..<UInt32(records.count)).map { $0 },
      ingestionTimes: records.ingestionTimes, sequences: records.sequences)
  }
}
