import Columnar
import LogStorage

/// Row groups of one column each, written and read: what an encoding costs by itself.
enum EncodingBenchmarks {
  /// A kind of values, by the encoding that is meant to take it.
  private struct Kind: Sendable {
    let name: String
    let value: @Sendable (Int, inout SampleRandom) -> String
  }

  private static let kinds = [
    Kind(name: "constant") { _, _ in "\"eu-central-1\"" },
    Kind(name: "dictionary") { _, random in "\"\(random.pick(["GET", "PUT", "POST"]))\"" },
    Kind(name: "integer") { _, random in "\(random.below(90_000))" },
    Kind(name: "decimal") { _, random in "\(random.below(900)).\(random.below(9) + 1)" },
    Kind(name: "double") { _, random in "\(Double(random.next() >> 11) / 1e15)" },
    Kind(name: "timestamp") { row, _ in "\(1_773_446_400_000 + row)" },
    Kind(name: "identifier") { _, random in "\"\(random.hex(32))\"" },
    Kind(name: "plain") { _, random in "\"\(random.pick(["a", "b c", "d"]))\(random.next())/\"" },
    Kind(name: "templates") { row, random in
      "\"request \(row) took \(random.below(900)) ms for user u-\(random.below(90))\""
    },
  ]

  /// - Parameter rowCount: events of each row group.
  static func all(rowCount: Int) throws -> [Benchmark] {
    try kinds.flatMap { kind in
      let records = records(kind, rowCount)
      let encoded = RowGroupEncoder().encode(records)
      return [
        encode(kind.name, records), try decode(kind.name, encoded),
        try rebuild(kind.name, encoded),
      ]
    }
  }

  private static func records(_ kind: Kind, _ rowCount: Int) -> RowGroupRecords {
    var random = SampleRandom(seed: 11)
    var bytes: [UInt8] = []
    var offsets: [UInt32] = [0]
    for row in 0..<rowCount {
      bytes += "{\"value\":\(kind.value(row, &random))}".utf8
      offsets.append(UInt32(bytes.count))
    }
    let times = (0..<Int64(rowCount)).map { 1_773_446_400_000 + $0 }
    return RowGroupRecords(
      bytes: bytes, offsets: offsets, times: times, ingestionTimes: times,
      sequences: (0..<UInt64(rowCount)).map { $0 }, streams: ["benchmark"],
      streamOf: [UInt32](repeating: 0, count: rowCount))
  }

  private static func encode(_ name: String, _ records: RowGroupRecords) -> Benchmark {
    Benchmark(name: "encoding/\(name)/write") {
      let encoded = RowGroupEncoder().encode(records)
      var checksum = Checksum()
      for byte in encoded.bytes { checksum.add(UInt64(byte)) }
      return .init(rows: records.count, bytes: records.bytes.count, checksum: checksum.value)
    }
  }

  private static func decode(_ name: String, _ encoded: EncodedRowGroup) throws -> Benchmark {
    Benchmark(name: "encoding/\(name)/read") {
      let column = try reader(encoded).column("value", rows: nil)
      var checksum = Checksum()
      checksum.add(column)
      return .init(
        rows: column.count, bytes: Int(encoded.entry.rawByteCount), checksum: checksum.value)
    }
  }

  /// Whole texts, from shapes and the column.
  private static func rebuild(_ name: String, _ encoded: EncodedRowGroup) throws -> Benchmark {
    Benchmark(name: "encoding/\(name)/rebuild") {
      let texts = try reader(encoded).messages(nil)
      var checksum = Checksum()
      for byte in texts.bytes { checksum.add(UInt64(byte)) }
      return .init(rows: texts.count, bytes: texts.bytes.count, checksum: checksum.value)
    }
  }

  /// One that has read nothing yet.
  private static func reader(_ encoded: EncodedRowGroup) throws -> EncodedRowGroupReader {
    let handle = try RowGroupHandle(
      source: MemoryByteSource(encoded.bytes, name: "benchmark"), entry: encoded.entry)
    return try EncodedRowGroupReader(
      handle: handle, logGroup: "", ordinal: 0, boundOfRest: nil, window: nil, sequenceBase: 0)
  }
}
