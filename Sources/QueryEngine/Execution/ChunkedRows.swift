import Columnar

/// Rows of several pieces, one piece after the other, to be put in order and picked from. Their texts
/// are not copied before they are picked.
struct ChunkedRows {
  /// What puts the rows in order, of all of them.
  private let keys: SortPiece
  private let columns: [ChunkedColumn?]
  private let discovered: [(name: String, column: ChunkedColumn)]
  let rowCount: Int
  /// About how many bytes the rows take.
  let byteCount: Int

  /// - Precondition: at least one piece; all have values in the same slots.
  init(_ pieces: [SortPiece]) {
    let batches = pieces.map(\.batch)
    let orders = batches.compactMap(\.order)
    rowCount = batches.reduce(0) { $0 + $1.rowCount }
    byteCount = pieces.reduce(0) { $0 + $1.byteCount }
    keys = SortPiece(
      batch: RowBatch(
        rowCount: rowCount, columns: [],
        order: orders.count == batches.count ? RowOrder.concatenated(orders) : nil),
      keys: pieces[0].keys.indices.map { key in .concatenate(pieces.map { $0.keys[key] }) })
    columns = batches[0].columns.indices.map { slot in
      guard batches[0].columns[slot] != nil else { return nil }
      return ChunkedColumn(batches.map { $0.columns[slot] ?? .missing(count: $0.rowCount) })
    }
    discovered = RowBatch.discoveredParts(batches).map { ($0.name, ChunkedColumn($0.parts)) }
  }

  /// The row numbers in order, the first `limit` of them if one is given.
  func order(by rule: RowRule, limit: Int?) -> SelectionVector {
    rule.order(of: keys, limit: limit)
  }

  /// The rows of these numbers, in this order.
  func gather(_ rows: SelectionVector) -> SortPiece {
    var piece = keys.gather(rows)
    piece.batch.columns = columns.map { $0?.gather(rows) }
    piece.batch.discovered = discovered.map {
      NamedColumn(name: $0.name, vector: $0.column.gather(rows))
    }
    return piece
  }
}

extension SortPiece {
  /// Bytes that ``ChunkedRows`` holds beside the piece: copies of all but texts.
  var chunkingByteCount: Int {
    func copied(_ vector: ColumnVector) -> Int {
      if case .strings = vector { return vector.count * 8 }
      return vector.approximateByteCount
    }
    return batch.columns.reduce(0) { $0 + ($1.map(copied) ?? 0) }
      + batch.discovered.reduce(0) { $0 + copied($1.vector) }
      + keys.reduce(0) { $0 + $1.approximateByteCount }
      + (batch.order == nil ? 0 : batch.rowCount * 16)
  }
}
