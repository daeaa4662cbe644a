/// Turns blocks of raw records into row groups, one day each: what one ingesting worker does.
///
/// Keeps the scanner with its known shapes and the encoder with what it learnt about columns, so one worker uses
/// one of these for all its blocks.
///
/// Unchecked: it is handed from one worker to the next only through a lock, and used by one at a time.
final class BlockEncoder: @unchecked Sendable {
  /// A part of a block smaller than this waits for more events of its day, unless the block has no
  /// other day.
  static let rowsWorthARowGroup = 8_192

  private let scanner: JSONScanner
  private let encoder: RowGroupEncoder
  private let arrivalTime: Int64

  init(scanner: JSONScanner, encoder: RowGroupEncoder, arrivalTime: Int64) {
    self.scanner = scanner
    self.encoder = encoder
    self.arrivalTime = arrivalTime
  }

  /// What became of one block.
  struct Result {
    /// Row groups by day (days since 1970).
    var rowGroups: [(day: Int64, rowGroup: EncodedRowGroup)] = []
    /// Records of days that the block has few of, by day.
    var strays: [(day: Int64, rows: [UInt32])] = []
    var scanned: ScannedBlock
  }

  func encode(_ block: RecordBlock) -> Result {
    let scanned = scanner.scan(block, arrivalTime: arrivalTime)
    var result = Result(scanned: scanned)
    let order = Self.timeOrder(scanned.times)
    let parts = Self.days(order, times: scanned.times)
    let arrivals = [Int64](repeating: arrivalTime, count: scanned.times.count)
    let sequences = (0..<UInt64(scanned.times.count)).map { block.firstRecord + $0 }
    for part in parts {
      let rows = Array(order[part.rows])
      if parts.count == 1 || rows.count >= Self.rowsWorthARowGroup {
        let rowGroup = encoder.encode(
          scanned, rows: rows, ingestionTimes: arrivals, sequences: sequences)
        result.rowGroups.append((part.day, rowGroup))
      } else {
        result.strays.append((part.day, rows))
      }
    }
    return result
  }

  /// Encodes a whole block as one row group, whatever days its events fall into.
  func encodeUnpartitioned(
    _ block: RecordBlock
  ) -> (scanned: ScannedBlock, rowGroup: EncodedRowGroup) {
    let scanned = scanner.scan(block, arrivalTime: arrivalTime)
    let rowGroup = encoder.encode(
      scanned, rows: Self.timeOrder(scanned.times),
      ingestionTimes: [Int64](repeating: arrivalTime, count: scanned.times.count),
      sequences: (0..<UInt64(scanned.times.count)).map { block.firstRecord + $0 })
    return (scanned, rowGroup)
  }

  /// Encodes records that were taken out of a memtable or of older row groups.
  func encode(_ records: RowGroupRecords) -> EncodedRowGroup {
    encoder.encode(records, scanner: scanner)
  }

  /// Record numbers by ascending (time, number).
  static func timeOrder(_ times: [Int64]) -> [UInt32] {
    var order = (0..<UInt32(times.count)).map { $0 }
    var sorted = true
    for i in times.indices.dropFirst() where times[i] < times[i - 1] {
      sorted = false
      break
    }
    if !sorted {
      order.sort { a, b in
        let (x, y) = (times[Int(a)], times[Int(b)])
        return x != y ? x < y : a < b
      }
    }
    return order
  }

  /// Runs of `order` that fall into one UTC day each.
  static func days(
    _ order: [UInt32], times: [Int64]
  ) -> [(day: Int64, rows: Range<Int>)] {
    var parts: [(day: Int64, rows: Range<Int>)] = []
    var start = 0
    while start < order.count {
      let day = Day.containing(times[Int(order[start])])
      let end = Day.end(of: day)
      var next = start + 1
      if times[Int(order[order.count - 1])] < end {
        next = order.count
      } else {
        while next < order.count, times[Int(order[next])] < end { next += 1 }
      }
      parts.append((day, start..<next))
      start = next
    }
    return parts
  }
}

extension RowGroupEncoder {
  /// Encodes records as one row group, sorted by (time, sequence).
  ///
  /// - Precondition: 1 to `StorageLimits.rowsPerRowGroup` records.
  func encode(_ records: RowGroupRecords, scanner: JSONScanner) -> EncodedRowGroup {
    let scanned = scanner.scan(records.block(), arrivalTime: 0)
    let order = (0..<UInt32(records.count)).sorted { a, b in
      let (x, y) = (Int(a), Int(b))
      return records.times[x] != records.times[y]
        ? records.times[x] < records.times[y] : records.sequences[x] < records.sequences[y]
    }
    return encode(
      scanned, rows: order, ingestionTimes: records.ingestionTimes, sequences: records.sequences)
  }

  /// Encodes records as one row group with a scanner made for it.
  ///
  /// - Precondition: 1 to `StorageLimits.rowsPerRowGroup` records.
  package func encode(_ records: RowGroupRecords) -> EncodedRowGroup {
    encode(records, scanner: JSONScanner())
  }
}
