// The table as its first version was written: chunk after chunk, each by itself. Read so that stores stay readable.

extension RowGroupTable {
  mutating func readFirstVersion(
    _ reader: inout ByteReader, byteCount: Int
  ) throws(DecodingFailure) {
    let chunkCount = try reader.count(limit: min(reader.remaining, ShapeList.chunkLimit))
    chunks.reserveCapacity(chunkCount)
    var paths = PathReader(nil)
    for _ in 0..<chunkCount {
      chunks.append(
        try Self.firstChunk(&reader, &paths, rowCount: rowCount, byteCount: byteCount))
    }
    let shapeCount = try reader.count(limit: reader.remaining)
    for _ in 0..<shapeCount { try readFirstShape(&reader, chunkCount: chunkCount) }
  }

  private static func firstChunk(
    _ reader: inout ByteReader, _ paths: inout PathReader, rowCount: Int, byteCount: Int
  ) throws(DecodingFailure) -> Chunk {
    guard let role = Role(rawValue: try reader.byte()) else {
      throw DecodingFailure("a chunk of unknown role")
    }
    var path = ""
    var kind = SlotKind.text
    var instance: UInt16 = 0
    if role == .column {
      path = try paths.read(&reader)
      guard let known = SlotKind(rawValue: try reader.byte()) else {
        throw DecodingFailure("a column of unknown kind")
      }
      kind = known
      instance = UInt16(try reader.count(limit: Int(UInt16.max)))
    } else if role == .identifierPool {
      instance = UInt16(try reader.count(limit: 64))
    }
    let encoding = ColumnEncoding(rawValue: try reader.byte())
    let hasEscapes = try reader.byte() & 1 != 0
    let valueCount = try reader.count(
      limit: role == .shapeTexts || role == .identifierPool ? Int(UInt32.max) : rowCount)
    let offset = try reader.count(limit: byteCount)
    let length = try reader.count(limit: byteCount - offset)
    let check = try reader.fixed(UInt32.self)
    return Chunk(
      role: role, path: path, kind: kind, instance: instance, encoding: encoding,
      hasEscapes: hasEscapes, valueCount: valueCount, place: .alone(offset: offset, check: check),
      length: length, zone: try ZoneMap(from: &reader))
  }

  private mutating func readFirstShape(
    _ reader: inout ByteReader, chunkCount: Int
  ) throws(DecodingFailure) {
    let rows = try reader.count(limit: StorageLimits.rowsPerRowGroup)
    let slotCount = try reader.count(limit: reader.remaining)
    var columns: [Int] = []
    columns.reserveCapacity(slotCount)
    guard chunkCount > 0 || slotCount == 0 else {
      throw DecodingFailure("a slot whose column is not there")
    }
    for _ in 0..<slotCount { columns.append(try reader.count(limit: chunkCount - 1)) }
    let firstHiddenSlot = try reader.count(limit: Int(UInt32.max))
    var emptyContainers: [String] = []
    for _ in 0..<(try reader.count(limit: reader.remaining)) {
      emptyContainers.append(try reader.text())
    }
    shapes.append(
      rowCount: rows, columns: columns, firstHiddenSlot: firstHiddenSlot,
      emptyContainers: emptyContainers)
  }
}
