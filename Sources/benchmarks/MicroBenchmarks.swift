import Columnar
import LogStorage

/// The inner loops, each by itself.
enum MicroBenchmarks {
  /// - Parameter input: NDJSON, whose records the scanner takes apart.
  static func all(input: [UInt8]) -> [Benchmark] {
    [scanner(input), intersection, setRows]
  }

  /// JSON text to shapes and slots.
  private static func scanner(_ input: [UInt8]) -> Benchmark {
    let block = RecordBlock(lines: input)
    let scanner = JSONScanner()
    return Benchmark(name: "micro/scan-json") {
      let scanned = scanner.scan(block, arrivalTime: 0)
      var checksum = Checksum()
      for slot in scanned.slots { checksum.add(slot) }
      for time in scanned.times { checksum.add(UInt64(bitPattern: time)) }
      return .init(
        rows: block.records.count, bytes: block.byteCount, checksum: checksum.value)
    }
  }

  private static let rowCount = 65_536

  private static func bitmap(seed: UInt64) -> Bitmap {
    var random = SampleRandom(seed: seed)
    return Bitmap(words: (0..<rowCount / 64).map { _ in random.next() }, count: rowCount)
  }

  /// Two filters on one row group, a hundred times.
  private static var intersection: Benchmark {
    let (left, right) = (bitmap(seed: 1), bitmap(seed: 2))
    return Benchmark(name: "micro/bitmap-and") {
      var checksum = Checksum()
      for _ in 0..<100 {
        var both = left
        both.formIntersection(right)
        checksum.add(UInt64(both.setCount))
      }
      return .init(rows: rowCount * 100, bytes: rowCount / 8 * 200, checksum: checksum.value)
    }
  }

  /// A filter's bits to row numbers, a hundred times.
  private static var setRows: Benchmark {
    let bits = bitmap(seed: 3)
    return Benchmark(name: "micro/bitmap-rows") {
      var checksum = Checksum()
      for _ in 0..<100 {
        let rows = bits.setRows()
        checksum.add(UInt64(rows.count) &+ UInt64(rows[rows.count / 2]))
      }
      return .init(rows: rowCount * 100, bytes: rowCount / 8 * 100, checksum: checksum.value)
    }
  }
}

extension RecordBlock {
  /// The lines of a text as records, as far as one block's positions reach.
  fileprivate init(lines: [UInt8]) {
    let bytes = lines.prefix(Int(StorageLimits.rawBytesPerRowGroup))
    var records: [RecordReference] = []
    var start = 0
    for end in bytes.indices where bytes[end] == UInt8(ascii: "\n") {
      if end > start {
        records.append(RecordReference(offset: UInt32(start), length: UInt32(end - start)))
      }
      start = end + 1
    }
    self.init(
      bytes: bytes + [UInt8](repeating: 0, count: RecordBlock.padding), byteCount: bytes.count,
      records: records, streams: ["benchmark"], firstRecord: 0)
  }
}
