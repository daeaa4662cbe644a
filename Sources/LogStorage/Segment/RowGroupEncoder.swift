/// Turns scanned records into the bytes of one row group.
///
/// The scanner left, for every record, a shape and a list of slots that point into the raw block. Encoding regroups
/// them: a counting pass over the shapes says how many values each column gets, a second pass over the
/// rows deals each slot into its column's place, and each column is then encoded by itself. Slots stay views into the
/// block all the while; bytes move once, into the chunk.
///
///     rows (time order)      shapes                     columns
///     0  {"a":1,"b":"x"}     S1 = {"a":␂,"b":"␁"}       a: 1 7 9
///     1  {"a":7}             S2 = {"a":␂}               b: x y
///     2  {"a":9,"b":"y"}     codes: 1 2 1
///
/// Column `a` belongs to rows 0, 1, 2 because their shapes have it, `b` to rows 0 and 2: no column needs a
/// null bitmap. Layout of the bytes: chunks one after the other, each 8-aligned, then the table.
///
/// One encoder per worker; it keeps its compression context and what it learnt about columns.
package final class RowGroupEncoder {
  private let compressor: Compressor?
  private var memories: [ColumnKey: EncodingMemory] = [:]

  /// - Parameters:
  ///   - level: zstd's level.
  ///   - compresses: false for row groups that only live in memory, where time matters more than size.
  package init(level: Int32 = 1, compresses: Bool = true) {
    compressor = compresses ? Compressor(level: level) : nil
  }

  struct ColumnKey: Hashable {
    var path: String
    var kind: SlotKind
    var instance: UInt16
  }

  /// Encodes the records numbered `rows`.
  ///
  /// - Parameters:
  ///   - rows: record numbers of the block in ascending (time, sequence) order, at most
  ///     `StorageLimits.rowsPerRowGroup`.
  ///   - ingestionTimes: arrival time of each record of the block, ms.
  ///   - sequences: sequence number of each record of the block, relative to the segment.
  package func encode(
    _ scanned: ScannedBlock, rows: [UInt32], ingestionTimes: [Int64], sequences: [UInt64]
  ) -> EncodedRowGroup {
    precondition(!rows.isEmpty && rows.count <= StorageLimits.rowsPerRowGroup)
    return scanned.block.bytes.withUnsafeBufferPointer { base in
      var draft = RowGroupDraft(scanned: scanned, rows: rows, base: base.baseAddress!)
      draft.layOut()
      return write(draft, ingestionTimes: ingestionTimes, sequences: sequences)
    }
  }

  private func write(
    _ draft: RowGroupDraft, ingestionTimes: [Int64], sequences: [UInt64]
  ) -> EncodedRowGroup {
    var out = RowGroupWriter(rawByteCount: draft.rawByteCount, compressor: compressor)
    let times = draft.rows.map { draft.scanned.times[Int($0)] }
    out.integers(times, role: .eventTime)
    let arrivals = draft.rows.map { ingestionTimes[Int($0)] }
    out.integers(arrivals, role: .ingestionTime)
    let orders = draft.rows.map { Int64(bitPattern: sequences[Int($0)]) }
    out.integers(orders, role: .sequence)
    let (streams, streamCodes) = draft.localStreams()
    out.codes(streamCodes, cardinality: streams.count, role: .streamCodes)
    out.codes(draft.shapeCodes, cardinality: draft.shapes.count, role: .shapeCodes)
    out.texts(draft.shapes.map { $0.shape.key }, role: .shapeTexts)

    let pools = IdentifierPools()
    let firstColumn = out.chunks.count
    let columns = times.withUnsafeBufferPointer { times in
      encodeColumns(of: draft, times: times, pools: pools, firstChunk: firstColumn)
    }
    for (index, key) in draft.columns.enumerated() {
      out.column(columns[index], key: key, valueCount: draft.column(index).count)
    }
    out.pools(pools)
    let tableOffset = out.finish(
      rowCount: draft.rows.count, shapes: draft.shapeList(firstColumn: firstColumn),
      streams: streams)
    let entry = RowGroupEntry(
      length: UInt64(out.bytes.count), metadataOffset: UInt32(tableOffset),
      metadataLength: UInt32(out.bytes.count - tableOffset),
      check: out.bytes[tableOffset...].withUnsafeBytes { XXH64.hash($0) },
      rowCount: UInt32(draft.rows.count), rawByteCount: UInt64(draft.rawByteCount),
      minTime: times.first!, maxTime: times.last!, minIngestTime: arrivals.min()!,
      maxIngestTime: arrivals.max()!, minSequence: UInt64(bitPattern: orders.min()!),
      maxSequence: UInt64(bitPattern: orders.max()!), contentSum: draft.contentSum(times: times))
    return EncodedRowGroup(
      bytes: out.bytes, entry: entry,
      streams: draft.streamCounts(streams: streams, codes: streamCodes))
  }
}

extension RowGroupEncoder {
  /// Encodes the columns: first those whose values are of a kind, then texts, short ones first, because
  /// the variables of texts can refer to the columns before them.
  private func encodeColumns(
    of draft: RowGroupDraft, times: UnsafeBufferPointer<Int64>, pools: IdentifierPools,
    firstChunk: Int
  ) -> [EncodedColumn] {
    let siblings = draft.siblings(firstChunk: firstChunk)
    var result = [EncodedColumn?](repeating: nil, count: draft.columns.count)
    var texts: [(column: Int, meanLength: Int)] = []
    let packing = Packing(
      limit: compressor == nil
        ? 0 : RowGroupWriter.packedByteCount(rawByteCount: draft.rawByteCount),
      valueLimit: RowGroupWriter.packedValueCount(
        rawByteCount: draft.rawByteCount, rowCount: draft.rows.count))
    func encoder(_ index: Int) -> ColumnEncoder {
      ColumnEncoder(
        column: draft.column(index), kind: draft.columns[index].kind,
        rows: draft.rows(of: index, times: times), compressor: compressor, pools: pools,
        siblings: siblings)
    }
    for index in draft.columns.indices {
      let encoder = encoder(index)
      if let encoded = encoder.encodeTyped() {
        result[index] = packing.loose(encoded, encoder) ?? encoded
        siblings.markWritten(index)
      } else {
        texts.append((index, encoder.column.byteCount / encoder.column.count))
      }
    }
    for (index, _) in texts.sorted(by: { ($0.meanLength, $0.column) < ($1.meanLength, $1.column) })
    {
      let memory = memories[draft.columns[index], default: EncodingMemory()]
      var updated = memory
      let encoder = encoder(index)
      let encoded = encoder.encodeText(memory: &updated)
      result[index] = packing.loose(encoded, encoder) ?? encoded
      memories[draft.columns[index]] = updated
      siblings.markWritten(index)
    }
    return result.map { $0! }
  }
}

/// Decides which columns are small enough for a pack, and encodes those without compression of their own.
private struct Packing {
  /// The longest chunk that is packed, in bytes; 0 packs nothing.
  let limit: Int
  /// The most values that a packed column has, but for constants.
  let valueLimit: Int

  /// The column as it goes into a pack, or `nil` if it stands alone.
  func loose(_ encoded: EncodedColumn, _ encoder: ColumnEncoder) -> EncodedColumn? {
    let isFew = encoded.bytes.count <= limit && encoder.column.count <= valueLimit
    guard limit > 0, isFew || encoded.encoding == .constant else { return nil }
    var loose: EncodedColumn
    switch encoded.encoding {
    case .constant, .identifier, .reference: loose = encoded
    // Only worth it as compressed sub-columns.
    case .templates: return nil
    default: loose = encoder.encodeUncompressed()
    }
    guard loose.bytes.count <= limit || loose.encoding == .constant else { return nil }
    loose.isPacked = true
    return loose
  }
}

/// Records dealt out into columns, before anything is encoded.
private struct RowGroupDraft {
  struct LocalShape {
    var shape: Shape
    var rowCount = 0
    var columns: [Int] = []
  }

  let scanned: ScannedBlock
  let rows: [UInt32]
  let base: UnsafePointer<UInt8>
  private(set) var columns: [RowGroupEncoder.ColumnKey] = []
  /// Shape 0 is the text shape.
  private(set) var shapes: [LocalShape] = [LocalShape(shape: .text)]
  /// Local shape of each row.
  private(set) var shapeCodes: [UInt16] = []
  private(set) var rawByteCount = 0
  /// Slots of all columns, column after column, and where each column starts.
  private var starts: [Int] = []
  private var dealt = DealtSlots(count: 0)

  init(scanned: ScannedBlock, rows: [UInt32], base: UnsafePointer<UInt8>) {
    self.scanned = scanned
    self.rows = rows
    self.base = base
  }

  mutating func layOut() {
    assignShapes()
    dealSlots()
  }

  /// Numbers the shapes in use and the columns they need. Once a row group has as many columns as it
  /// may have, records whose shape would need more are kept as text.
  private mutating func assignShapes() {
    var localOf = [Int](repeating: -1, count: scanned.shapes.count)
    var columnOf: [RowGroupEncoder.ColumnKey: Int] = [:]
    localOf[0] = 0
    shapeCodes.reserveCapacity(rows.count)
    for row in rows {
      let global = Int(scanned.shapeOfRecord[Int(row)])
      if localOf[global] < 0 {
        localOf[global] = addShape(scanned.shapes[global], columnOf: &columnOf)
      }
      let local = localOf[global]
      if local == 0, shapes[0].columns.isEmpty {
        shapes[0].columns = Self.columns(of: .text, columnOf: &columnOf, columns: &columns)
      }
      shapes[local].rowCount += 1
      shapeCodes.append(UInt16(local))
      rawByteCount += Int(scanned.block.records[Int(row)].length)
    }
  }

  private mutating func addShape(
    _ shape: Shape, columnOf: inout [RowGroupEncoder.ColumnKey: Int]
  ) -> Int {
    guard shapes.count < Int(UInt16.max),
      columns.count + shape.slots.count < StorageLimits.columnsPerRowGroup
    else { return 0 }
    let indices = Self.columns(of: shape, columnOf: &columnOf, columns: &columns)
    shapes.append(LocalShape(shape: shape, rowCount: 0, columns: indices))
    return shapes.count - 1
  }

  private static func columns(
    of shape: Shape, columnOf: inout [RowGroupEncoder.ColumnKey: Int],
    columns: inout [RowGroupEncoder.ColumnKey]
  ) -> [Int] {
    shape.slots.map { slot in
      let key = RowGroupEncoder.ColumnKey(
        path: slot.path, kind: slot.kind, instance: slot.instance)
      if let known = columnOf[key] { return known }
      columnOf[key] = columns.count
      columns.append(key)
      return columns.count - 1
    }
  }

  private mutating func dealSlots() {
    var counts = [Int](repeating: 0, count: columns.count)
    for shape in shapes {
      for column in shape.columns { counts[column] += shape.rowCount }
    }
    starts = [0]
    for count in counts { starts.append(starts.last! + count) }
    let total = starts[columns.count]
    var next = starts
    let dealt = DealtSlots(count: total)
    for (position, row) in rows.enumerated() {
      let record = Int(row)
      let local = Int(shapeCodes[position])
      let first = Int(scanned.slotStarts[record])
      shapes[local].columns.withUnsafeBufferPointer { columns in
        if local == 0 {
          let reference = scanned.block.records[record]
          let place = next[columns[0]]
          next[columns[0]] = place &+ 1
          dealt.slots[place] = UInt64(reference.offset) << 32 | UInt64(reference.length)
          dealt.rows[place] = UInt32(truncatingIfNeeded: position)
        } else {
          for slot in 0..<columns.count {
            let place = next[columns[slot]]
            next[columns[slot]] = place &+ 1
            dealt.slots[place] = scanned.slots[first &+ slot]
            dealt.rows[place] = UInt32(truncatingIfNeeded: position)
          }
        }
      }
    }
    self.dealt = dealt
  }

  /// The values of a column, in row order; valid while the draft is.
  func column(_ index: Int) -> SlotColumn {
    let range = starts[index]..<starts[index + 1]
    return SlotColumn(
      base: base, slots: UnsafeBufferPointer(rebasing: dealt.slots[range]))
  }

  /// The rows of a column's values.
  func rows(of index: Int, times: UnsafeBufferPointer<Int64>) -> ColumnRows {
    let range = starts[index]..<starts[index + 1]
    if range.count == rows.count {
      return ColumnRows(times: times, shapes: shapeCodes, numbers: nil)
    }
    return ColumnRows(
      times: times, shapes: shapeCodes,
      numbers: UnsafeBufferPointer(rebasing: dealt.rows[range]))
  }

  func siblings(firstChunk: Int) -> SiblingColumns {
    SiblingColumns(
      scanned: scanned, base: base, rows: rows, shapeCodes: shapeCodes,
      columnsOfShape: shapes.map(\.columns), columnCount: columns.count, firstChunk: firstChunk)
  }

  /// Names of the streams in use and the code of each row.
  func localStreams() -> (names: [String], codes: [UInt16]) {
    var names: [String] = []
    var localOf: [UInt32: UInt16] = [:]
    let codes = rows.map { row in
      let stream = scanned.block.records[Int(row)].stream
      if let known = localOf[stream] { return known }
      let code = UInt16(names.count)
      localOf[stream] = code
      names.append(scanned.block.streams[Int(stream)])
      return code
    }
    return (names, codes)
  }

  func streamCounts(streams: [String], codes: [UInt16]) -> [StreamCount] {
    var counts = [UInt64](repeating: 0, count: streams.count)
    for code in codes { counts[Int(code)] += 1 }
    return zip(streams, counts).map { StreamCount(name: $0, rowCount: $1) }
  }

  func shapeList(firstColumn: Int) -> ShapeList {
    var list = ShapeList()
    for local in shapes {
      list.append(
        rowCount: local.rowCount, columns: local.columns.lazy.map { $0 + firstColumn },
        firstHiddenSlot: local.shape.slots.firstIndex(where: \.isHidden) ?? local.shape.slots.count,
        emptyContainers: local.shape.emptyContainerPaths)
    }
    return list
  }

  func contentSum(times: [Int64]) -> ContentSum {
    var sum = ContentSum()
    let streamHashes = scanned.block.streams.map { name in
      Array(name.utf8).withUnsafeBytes { XXH64.hash($0) }
    }
    for (position, row) in rows.enumerated() {
      let reference = scanned.block.records[Int(row)]
      sum.add(
        text: UnsafeRawBufferPointer(
          start: base + Int(reference.offset), count: Int(reference.length)),
        time: times[position], streamHash: streamHashes[Int(reference.stream)])
    }
    return sum
  }
}

/// Slots in column order with the row of each: memory that stays in place while columns view it.
private final class DealtSlots {
  let slots: UnsafeMutableBufferPointer<UInt64>
  let rows: UnsafeMutableBufferPointer<UInt32>

  /// Every element is written by `dealSlots`, which places exactly `count` of them.
  init(count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: 0)
    rows = .allocate(capacity: count)
    rows.initialize(repeating: 0)
  }

  deinit {
    slots.deallocate()
    rows.deallocate()
  }
}

/// The rows that a column's values belong to.
struct ColumnRows {
  /// Event times of all rows of the row group, in ms.
  let times: UnsafeBufferPointer<Int64>
  /// Shapes of all rows of the row group, or nothing if they shall not be used.
  let shapes: [UInt16]
  /// Row of each value; `nil` when every row has one.
  let numbers: UnsafeBufferPointer<UInt32>?

  @inline(__always)
  func row(_ i: Int) -> Int {
    if let numbers { Int(numbers[i]) } else { i }
  }

  @inline(__always)
  func time(_ i: Int) -> Int64 { times[row(i)] }

  /// The code of each shape, in order of the shapes' first rows, if all values of a shape have the same
  /// and there are far fewer shapes than values.
  func valuesByShape(_ codes: [UInt16]) -> [UInt16]? {
    guard !shapes.isEmpty, codes.count >= 64 else { return nil }
    var placeOf = [Int32](repeating: -1, count: 65_536)
    var found: [UInt16] = []
    for (i, code) in codes.enumerated() {
      let shape = Int(shapes[row(i)])
      if placeOf[shape] < 0 {
        placeOf[shape] = Int32(found.count)
        found.append(code)
        guard found.count * 8 <= codes.count else { return nil }
      } else if found[Int(placeOf[shape])] != code {
        return nil
      }
    }
    return found
  }
}
