import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// The table of a row group says where every chunk is, and damage to it is found.
@Suite struct RowGroupTableTests {
  /// A table as a writer makes it, with chunks in all places.
  private func table(_ random: inout SeededGenerator) -> (table: RowGroupTable, byteCount: Int) {
    var writer = RowGroupWriter(rawByteCount: 1 << 20, compressor: Compressor())
    let rows = Int.random(in: 1...500, using: &random)
    let columnCount = Int.random(in: 0...60, using: &random)
    writer.integers((0..<rows).map { Int64($0 * $0) }, role: .eventTime)
    for number in 0..<columnCount {
      let size = [0, 3, 64, 65, 4_000, 300_000].randomElement(using: &random)!
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      var column = EncodedColumn(
        encoding: Bool.random(using: &random) ? .constant : .plainString, bytes: bytes,
        zone: [.none, .texts(minimum: 1, maximum: 9), .numbers(minimum: -1, maximum: 2.5)]
          .randomElement(using: &random)!, hasEscapes: Bool.random(using: &random))
      column.isPacked = Bool.random(using: &random)
      writer.column(
        column,
        key: RowGroupEncoder.ColumnKey(
          path: "a.\(number % 7).\(number)", kind: SlotKind.allCases.randomElement(using: &random)!,
          instance: UInt16(number % 3)), valueCount: rows)
    }
    let chunkCount = columnCount + 1
    var shapes = ShapeList()
    for number in 0..<Int.random(in: 1...9, using: &random) {
      shapes.append(
        rowCount: number == 0 ? rows : 0,
        columns: number == 0
          ? (1..<chunkCount).shuffled(using: &random)
          : (0..<Int.random(in: 0...9, using: &random)).map { _ in
            Int.random(in: 0..<chunkCount, using: &random)
          }, firstHiddenSlot: number, emptyContainers: number == 3 ? ["x", "y.z"] : [])
    }
    let offset = writer.finish(rowCount: rows, shapes: shapes, streams: ["main", "ä"]).offset
    let read = writer.bytes[offset...].withUnsafeBytes {
      try? RowGroupTable(decoding: $0, byteCount: offset, decompressor: Decompressor())
    }
    guard let read else { fatalError("a table that cannot be read") }
    #expect(read.shapes.map { Array($0.columns) } == shapes.map { Array($0.columns) })
    #expect(read.shapes.map(\.rowCount) == shapes.map(\.rowCount))
    #expect(read.shapes.map(\.firstHiddenSlot) == shapes.map(\.firstHiddenSlot))
    #expect(read.shapes.map(\.emptyContainers) == shapes.map(\.emptyContainers))
    #expect(read.streams == ["main", "ä"])
    #expect(read.chunks.map(\.place) == writer.chunks.map(\.place))
    #expect(read.chunks.map(\.length) == writer.chunks.map(\.length))
    #expect(read.chunks.map(\.path) == writer.chunks.map(\.path))
    #expect(read.chunks.map(\.kind) == writer.chunks.map(\.kind))
    #expect(read.chunks.map(\.instance) == writer.chunks.map(\.instance))
    #expect(read.chunks.map(\.valueCount) == writer.chunks.map(\.valueCount))
    #expect(read.chunks.map(\.zone) == writer.chunks.map(\.zone))
    #expect(read.chunks.map(\.hasEscapes) == writer.chunks.map(\.hasEscapes))
    return (read, offset)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `a table comes back as it was written`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let (table, byteCount) = table(&random)
    // No two places overlap, and all lie in the row group.
    var ends = table.packs.map { $0.offset..<$0.offset + $0.length }
    for chunk in table.chunks where chunk.length > 0 {
      if case .alone(let offset, _) = chunk.place { ends.append(offset..<offset + chunk.length) }
    }
    ends.sort { $0.lowerBound < $1.lowerBound }
    for (left, right) in zip(ends, ends.dropFirst()) {
      #expect(left.upperBound <= right.lowerBound, "seed \(seed)")
    }
    #expect(ends.last!.upperBound <= byteCount, "seed \(seed)")
  }

  @Test func `a damaged table throws or stays within bounds, and never traps`() {
    var random = SeededGenerator(seed: 0x7AB1E)
    var refused = 0
    for _ in 0..<40 {
      let (table, byteCount) = table(&random)
      let bytes = table.encoded(compressor: nil)
      for _ in 0..<200 {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(
            in: 0...255, using: &random)
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
          damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
        }
        let read = damaged.withUnsafeBytes {
          try? RowGroupTable(decoding: $0, byteCount: byteCount, decompressor: Decompressor())
        }
        guard let read else {
          refused += 1
          continue
        }
        for chunk in read.chunks {
          switch chunk.place {
          case .alone(let offset, _): #expect(offset + chunk.length <= byteCount)
          case .table(let offset): #expect(read.constant(chunk, from: offset).count == chunk.length)
          case .pack(let number, _): #expect(read.packs.indices.contains(number))
          case .rare(let values, _): #expect(read.chunks[values].role == .rareValues)
          }
        }
      }
    }
    #expect(refused > 1_000)
  }

  @Test func `small columns are packed and damage to a pack is named by its columns`() throws {
    let lines = (0..<200).map { i in
      #"{"url":"https://example.com/r\#(i % 90)/x","api":"https://example.com/r\#(i % 90)/y","n":\#(i)}"#
    }
    let stored = try StoredLines(lines)
    let inspection = try stored.inspection()
    let reader = try SegmentReader(path: inspection.path, fileSystem: stored.store.fileSystem)
    var bytes = try reader.source.read(at: 0, count: Int(inspection.record.byteCount))
    let entry = reader.rowGroups[0]
    let handle = try RowGroupHandle(source: reader.source, entry: entry)
    let pack = try #require(handle.table.packs.first)
    bytes[Int(entry.offset) + pack.offset + pack.length / 2] ^= 4
    let damaged = try RowGroupHandle(source: MemoryByteSource(bytes, name: "x"), entry: entry)
    let rowGroup = try EncodedRowGroupReader(
      handle: damaged, logGroup: "g", ordinal: 0, boundOfRest: nil, window: nil, sequenceBase: 0)
    let error = #expect(throws: StorageError.self) { try rowGroup.column("url", rows: nil) }
    #expect("\(error!)".contains("column 'url'"))
    #expect(throws: StorageError.self) { try rowGroup.messages(nil) }
    #expect(try rowGroup.timestamps().count == 200)
  }
}
