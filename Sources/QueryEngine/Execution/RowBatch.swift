import Columnar

/// Rows that stand on their own: the values of some slots, cut loose from their row group.
struct RowBatch: Sendable {
  let rowCount: Int
  /// By slot; `nil` for slots that nothing behind this point reads.
  var columns: [ColumnVector?]
  /// Event times in ms and arrival order, for rows that still are events.
  var order: RowOrder?
  /// Discovered fields of the events, if the result shows them: each with a value in some row.
  var discovered: [NamedColumn] = []

  init(rowCount: Int, columns: [ColumnVector?], order: RowOrder? = nil) {
    self.rowCount = rowCount
    self.columns = columns
    self.order = order
  }

  /// The rows of these numbers, in this order.
  func gather(_ rows: SelectionVector) -> RowBatch {
    var batch = RowBatch(
      rowCount: rows.count, columns: columns.map { $0?.gather(rows) },
      order: order?.gather(rows))
    batch.discovered = discovered.map {
      NamedColumn(name: $0.name, vector: $0.vector.gather(rows))
    }
    return batch
  }

  /// The rows of a range.
  func slice(_ range: Range<Int>) -> RowBatch {
    if range == 0..<rowCount { return self }
    var batch = RowBatch(
      rowCount: range.count, columns: columns.map { $0?.slice(range) },
      order: order?.slice(range))
    batch.discovered = discovered.map {
      NamedColumn(name: $0.name, vector: $0.vector.slice(range))
    }
    return batch
  }

  /// The rows of all batches, one after the other.
  ///
  /// - Precondition: at least one batch; all have values in the same slots.
  static func concatenated(_ batches: [RowBatch]) -> RowBatch {
    guard batches.count > 1 else { return batches[0] }
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    let columns = batches[0].columns.indices.map { slot -> ColumnVector? in
      guard batches[0].columns[slot] != nil else { return nil }
      return .concatenate(
        batches.map { $0.columns[slot] ?? .missing(count: $0.rowCount) })
    }
    let orders = batches.compactMap(\.order)
    var batch = RowBatch(
      rowCount: rowCount, columns: columns,
      order: orders.count == batches.count ? RowOrder.concatenated(orders) : nil)
    batch.discovered = discoveredParts(batches).map {
      NamedColumn(name: $0.name, vector: .concatenate($0.parts))
    }
    return batch
  }

  /// The discovered fields of all batches, each with its vector of every batch.
  static func discoveredParts(_ batches: [RowBatch]) -> [(name: String, parts: [ColumnVector])] {
    var names: [String] = []
    var known: Set<String> = []
    for column in batches.flatMap(\.discovered) where known.insert(column.name).inserted {
      names.append(column.name)
    }
    return names.map { name in
      let parts = batches.map { batch in
        batch.discovered.first { $0.name == name }?.vector ?? .missing(count: batch.rowCount)
      }
      return (name, parts)
    }
  }

  /// About how many bytes the rows take.
  var byteCount: Int {
    columns.reduce(0) { $0 + ($1?.approximateByteCount ?? 0) }
      + discovered.reduce(0) { $0 + $1.vector.approximateByteCount }
      + (order == nil ? 0 : rowCount * 16)
  }
}

/// A column under the name it is shown by.
struct NamedColumn: Sendable {
  let name: String
  let vector: ColumnVector
}

/// What orders events: their time, and their arrival among events of equal time.
struct RowOrder: Sendable {
  var times: [Int64]
  var sequences: [UInt64]

  func gather(_ rows: SelectionVector) -> RowOrder {
    RowOrder(
      times: rows.map { times[Int($0)] }, sequences: rows.map { sequences[Int($0)] })
  }

  func slice(_ range: Range<Int>) -> RowOrder {
    RowOrder(times: Array(times[range]), sequences: Array(sequences[range]))
  }

  static func concatenated(_ orders: [RowOrder]) -> RowOrder {
    RowOrder(
      times: orders.flatMap(\.times), sequences: orders.flatMap(\.sequences))
  }
}
