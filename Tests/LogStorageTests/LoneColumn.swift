@testable import LogStorage

/// A column by itself: encoded from texts, to be decoded again.
struct LoneColumn {
  let encoded: EncodedColumn
  private let count: Int
  private let surroundings: LoneSurroundings

  init(_ texts: [String], kind: SlotKind, times: [Int64], compressor: Compressor) {
    var bytes: [UInt8] = []
    var slots: [UInt64] = []
    for text in texts {
      slots.append(UInt64(bytes.count) << 32 | UInt64(text.utf8.count))
      bytes.append(contentsOf: text.utf8)
    }
    bytes.append(contentsOf: repeatElement(0, count: RecordBlock.padding))
    let pools = IdentifierPools()
    encoded = bytes.withUnsafeBufferPointer { base in
      slots.withUnsafeBufferPointer { slots in
        times.withUnsafeBufferPointer { times in
          let encoder = ColumnEncoder(
            column: SlotColumn(base: base.baseAddress!, slots: slots), kind: kind,
            rows: ColumnRows(times: times, shapes: [], numbers: nil), compressor: compressor,
            pools: pools)
          var memory = EncodingMemory()
          return encoder.encodeTyped() ?? encoder.encodeText(memory: &memory)
        }
      }
    }
    count = texts.count
    surroundings = LoneSurroundings(times: times, poolOf: { pools.pool(width: $0).bytes })
  }

  func decoded(_ bytes: [UInt8]? = nil) throws -> ColumnData {
    try (bytes ?? encoded.bytes).withUnsafeBytes {
      try ColumnDecoder.decode(
        $0, encoding: encoded.encoding, count: count,
        context: ColumnContext(surroundings: surroundings, rows: { nil }))
    }
  }

  func decodedTexts() throws -> [String] {
    let data = try decoded()
    return try (0..<count).map { i in
      var output: [UInt8] = []
      try data.appendText(i, to: &output)
      return String(decoding: output, as: UTF8.self)
    }
  }
}

/// A row group of one column and one shape.
final class LoneSurroundings: ColumnSurroundings {
  let decompressor = Decompressor()
  private let times: [Int64]
  private let poolOf: (Int) -> [UInt8]

  init(times: [Int64], poolOf: @escaping (Int) -> [UInt8]) {
    self.times = times
    self.poolOf = poolOf
  }

  func timestamps() -> [Int64] { times }
  func shapeCodes() -> [UInt16] { times.map { _ in 1 } }
  func identifierPool(width: Int) -> [UInt8] { poolOf(width) }

  func reference(to chunk: Int, rows: [UInt32]) throws -> ColumnReference {
    throw DecodingFailure("there is no other column")
  }
}
