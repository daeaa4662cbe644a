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
  /// When rare columns share chunks, many shapes are told by their columns, and events are not taken apart at all.
  package enum Compactness: Sendable {
    /// Where it saves something.
    case automatic
    /// Rare columns and shapes in every row group, for tests of those forms.
    case always
    /// Every event as a text, for the same.
    case texts
  }

  private let compressor: Compressor?
  private let compactness: Compactness
  private var memories: [ColumnKey: EncodingMemory] = [:]

  /// - Parameters:
  ///   - level: zstd's level.
  ///   - compresses: false for row groups that only live in memory, where time matters more than size.
  package init(level: Int32 = 1, compresses: Bool = true, compactness: Compactness = .automatic) {
    compressor = compresses ? Compressor(level: level) : nil
    self.compactness = compactness
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
      func encoded(
        _ form: RowGroupDraft.Form, mostBySelf: Int = StorageLimits.columnsBySelf
      ) -> (draft: RowGroupDraft, rowGroup: EncodedRowGroup) {
        var draft = RowGroupDraft(
          scanned: scanned, rows: rows, base: base.baseAddress!, form: form)
        draft.layOut(mostBySelf: mostBySelf)
        return (draft, write(draft, ingestionTimes: ingestionTimes, sequences: sequences))
      }
      if compactness == .always { return encoded(.compact, mostBySelf: 0).rowGroup }
      if compactness == .texts { return encoded(.text).rowGroup }
      if compressor == nil { return encoded(.simple).rowGroup }
      var best = encoded(.compact)
      if best.draft.mayShare {
        let shared = encoded(.compact, mostBySelf: 0)
        let size = best.rowGroup.bytes.count
        if shared.rowGroup.bytes.count < size - size / 32 { best = shared }
      }
      guard isTooLarge(best.rowGroup, best.draft) else { return best.rowGroup }
      let text = encoded(.text).rowGroup
      return text.bytes.count < best.rowGroup.bytes.count ? text : best.rowGroup
    }
  }

  /// What columns may take more than texts in any case, in bytes: a few events are not worth the difference.
  private static let toleratedByteCount = 4 << 10

  /// Whether taking the records apart cost more than it gave: their columns take a quarter more than their texts
  /// compressed in one piece, and some. Asked only where there are many shapes or columns, or little was gained.
  private func isTooLarge(_ columnar: EncodedRowGroup, _ draft: RowGroupDraft) -> Bool {
    let size = columnar.bytes.count
    guard let compressor, draft.shapes.count > 1,
      draft.hasManyShapes || draft.columns.count > StorageLimits.manyColumns
        || size > draft.rawByteCount / 6
    else { return false }
    let frame = compressor.compressedByteCount(
      draft.texts(), atLeast: CompressionLevel.wholeTexts)
    return size > frame + frame / 4 + Self.toleratedByteCount
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
    let pools = IdentifierPools()
    // The texts of the shapes come before the columns.
    let firstColumn = out.chunks.count + 1
    let chunkNumbers = draft.chunkNumbers(from: firstColumn)
    let shapes = writeShapes(of: draft, chunkNumbers, to: &out)
    let columns = times.withUnsafeBufferPointer { times in
      encodeColumns(of: draft, times: times, pools: pools, firstChunk: firstColumn)
    }
    for (index, column) in columns.enumerated() {
      out.column(column, key: draft.columns[index], valueCount: draft.column(index).count)
    }
    writeRare(of: draft, to: &out)
    out.pools(pools)
    let (table, tableOffset) = out.finish(
      rowCount: draft.rows.count, shapes: shapes, streams: streams)
    let entry = RowGroupEntry(
      length: UInt64(out.bytes.count), metadataOffset: UInt32(tableOffset),
      metadataLength: UInt32(out.bytes.count - tableOffset),
      check: out.bytes[tableOffset...].withUnsafeBytes { XXH64.hash($0) },
      rowCount: UInt32(draft.rows.count), rawByteCount: UInt64(draft.rawByteCount),
      minTime: times.first!, maxTime: times.last!, minIngestTime: arrivals.min()!,
      maxIngestTime: arrivals.max()!, minSequence: UInt64(bitPattern: orders.min()!),
      maxSequence: UInt64(bitPattern: orders.max()!), contentSum: draft.contentSum(times: times),
      identifierFilter: IdentifierFilterPlace(in: table))
    return EncodedRowGroup(
      bytes: out.bytes, entry: entry,
      streams: draft.streamCounts(streams: streams, codes: streamCodes))
  }
}

extension RowGroupEncoder {
  /// Texts of all shapes, in bytes, up to which both forms of them are tried.
  private static let triedShapeByteCount = 1 << 20

  /// Writes the texts of the shapes, in the smaller form if there are many.
  ///
  /// - Returns: the shapes as the table lists them.
  private func writeShapes(
    of draft: RowGroupDraft, _ chunkNumbers: [Int], to out: inout RowGroupWriter
  ) -> ShapeList {
    var list = draft.shapeList(chunks: chunkNumbers)
    let keys = draft.shapes.map { $0.shape.key }
    let isForced = compactness == .always
    guard let compressor, draft.hasManyShapes || isForced else {
      out.texts(keys, role: .shapeTexts)
      return list
    }
    var named = [ColumnKey](
      repeating: ColumnKey(path: "", kind: .text, instance: 0),
      count: (chunkNumbers.max() ?? 0) + 1)
    for (column, key) in zip(chunkNumbers, draft.columns) { named[column] = key }
    var pieces = ByteWriter()
    let isTold = PieceStream.encode(
      keys: keys, shapes: list, chunks: named, to: &pieces, compressor: compressor)
    let columnsByUse = draft.columnsByUse().map { UInt16(chunkNumbers[$0]) }
    var sizes: [ShapeList.Form: Int] = [:]
    for form in [ShapeList.Form.listed, .followed] {
      list.form = form
      var writer = ByteWriter()
      list.write(to: &writer) { columnsByUse }
      sizes[form] = compressor.compressedByteCount(writer.bytes, atLeast: 0)
    }
    list.form = isForced || sizes[.followed]! < sizes[.listed]! ? .followed : .listed
    if isTold, isForced || isSmaller(pieces.count, than: keys, compressor) {
      out.append(pieces.bytes, role: .shapeTexts, encoding: .pieces, valueCount: keys.count)
    } else {
      out.texts(keys, role: .shapeTexts)
    }
    return list
  }

  private func isSmaller(_ size: Int, than keys: [[UInt8]], _ compressor: Compressor) -> Bool {
    let total = keys.reduce(0) { $0 + $1.count }
    if total > Self.triedShapeByteCount, size < total / 8 { return true }
    return size
      < compressor.compressedByteCount(Array(keys.joined()), atLeast: CompressionLevel.packs)
  }

  /// Writes the rare columns: the values of each run, then what the table says of each column.
  private func writeRare(of draft: RowGroupDraft, to out: inout RowGroupWriter) {
    var chunkOf: [Int: Int] = [:]
    for run in draft.rareRuns {
      let column = draft.column(run)
      let kind = draft.columns[run.lowerBound].kind
      let encoder = ColumnEncoder(
        column: column, kind: kind, rows: .none, compressor: compressor, pools: IdentifierPools(),
        siblings: nil)
      for index in run { chunkOf[index] = out.chunks.count }
      out.rareValues(encoder.encodeRare(), kind: kind, valueCount: column.count)
    }
    for index in draft.rareByPath {
      let own = draft.column(index)
      let key = draft.columns[index]
      let hasEscapes =
        key.kind == .string
        && (0..<own.count).contains { own.bytes($0).contains(UInt8(ascii: "\\")) }
      out.rareColumn(
        key: key, in: chunkOf[index]!, valueCount: own.count, hasEscapes: hasEscapes)
    }
  }

  /// Encodes the columns that are not rare: first those whose values are of a kind, then texts, short ones first, because
  /// the variables of texts can refer to the columns before them.
  private func encodeColumns(
    of draft: RowGroupDraft, times: UnsafeBufferPointer<Int64>, pools: IdentifierPools,
    firstChunk: Int
  ) -> [EncodedColumn] {
    let siblings = draft.siblings(firstChunk: firstChunk)
    var result = [EncodedColumn?](repeating: nil, count: draft.firstRare)
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
    for index in 0..<draft.firstRare {
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

/// The rows that a column's values belong to.
struct ColumnRows {
  /// Event times of all rows of the row group, in ms.
  let times: UnsafeBufferPointer<Int64>
  /// Shapes of all rows of the row group, or nothing if they shall not be used.
  let shapes: [UInt16]
  /// Row of each value; `nil` when every row has one.
  let numbers: UnsafeBufferPointer<UInt32>?

  /// Of values that are encoded without regard to their rows.
  static var none: ColumnRows {
    ColumnRows(times: UnsafeBufferPointer(start: nil, count: 0), shapes: [], numbers: nil)
  }

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
