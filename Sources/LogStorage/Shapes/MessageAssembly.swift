import Columnar

/// The exact texts of events, put together again from shapes and columns.
///
/// A shape's text is cut at its markers into constant pieces; between two pieces stands one slot, which is the
/// next value of its column. For many rows, one cursor per column walks along: row after row, each slot takes
/// its column's next value (``TextWeaver``). For few rows, walking every cursor over every row would cost more than the texts, so
/// the position of a value is counted instead: the number of earlier rows whose shape has the column. The count starts from
/// whichever end of the row group is nearer.
struct MessageAssembly {
  let table: RowGroupTable
  let shapeCodes: [UInt16]
  /// Constant pieces of each shape.
  let pieces: [ShapePieces]

  /// Below this many rows, positions are counted shape by shape.
  private static let fewRows = 256

  /// - Parameters:
  ///   - rows: ascending row numbers; `nil` for all.
  ///   - column: decodes a chunk; called once for each chunk needed.
  func messages(
    rows: SelectionVector?, column: (Int) throws -> ColumnData
  ) throws -> StringVector {
    if let rows, rows.isEmpty { return StringVector() }
    let columns = try decodedColumns(rows: rows, column: column)
    if let rows, rows.count < Self.fewRows { return try few(rows, columns) }
    let weaver = try weaver(columns)
    let run =
      try rows.map { try weaver.run(forms: shapeCodes, rows: $0) }
      ?? weaver.run(forms: shapeCodes)
    return StringVector(offsets: run.offsets, bytes: run.bytes)
  }

  /// The columns that the shapes of the rows have; `nil` for the others.
  private func decodedColumns(
    rows: SelectionVector?, column: (Int) throws -> ColumnData
  ) throws -> [ColumnData?] {
    var columns = [ColumnData?](repeating: nil, count: table.chunks.count)
    for shape in shapes(of: rows) {
      for chunk in table.shapes[shape].columns where columns[chunk] == nil {
        columns[chunk] = try column(chunk)
      }
    }
    return columns
  }

  /// The shapes that some row has.
  private func shapes(of rows: SelectionVector?) -> [Int] {
    guard let rows else { return table.shapes.indices.filter { table.shapes[$0].rowCount > 0 } }
    var seen = [Bool](repeating: false, count: table.shapes.count)
    for row in rows { seen[Int(shapeCodes[Int(row)])] = true }
    return seen.indices.filter { seen[$0] }
  }

  private func weaver(_ columns: [ColumnData?]) throws -> TextWeaver {
    var weaver = TextWeaver()
    var constants: [RenderedColumn] = []
    var slots = [TextWeaver.Slot](repeating: .unread, count: columns.count)
    for (chunk, data) in columns.enumerated() {
      guard let data else { continue }
      let column = try RenderedColumn(data, count: table.chunks[chunk].valueCount)
      if let text = column.constant {
        constants.append(column)
        slots[chunk] = .constant(text)
      } else {
        weaver.add(column)
        slots[chunk] = .cursor(weaver.addCursor(column, at: 0))
      }
    }
    for (shape, entry) in zip(pieces, table.shapes) {
      // Columns were read for all shapes of wanted rows; of other shapes, cursors need to move only if they have them.
      guard entry.rowCount > 0 else {
        weaver.addUnusedForm()
        continue
      }
      weaver.addForm(shape) { slots[entry.columns[$0]] }
    }
    // The texts of constants lie there until all forms have them.
    withExtendedLifetime(constants) {}
    return weaver
  }

  // MARK: Few rows

  /// Rows by counted positions: only the values that stand in them are rendered.
  private func few(_ rows: SelectionVector, _ columns: [ColumnData?]) throws -> StringVector {
    let owners = ColumnOwners(columns, table)
    var before = RowsBefore(rows[0], shapeCodes, table)
    var output = StringVector()
    for row in rows {
      before.advance(to: Int(row))
      let shape = Int(shapeCodes[Int(row)])
      let slots = table.shapes[shape].columns
      try pieces[shape].append(to: &output.bytes) { slot, bytes in
        let chunk = slots[slot]
        guard let data = columns[chunk] else { return }
        try data.appendText(owners.position(chunk, before.counts), to: &bytes)
      }
      output.offsets.append(UInt32(output.bytes.count))
    }
    return output
  }

  /// Which shapes have a column, for the columns that are needed.
  private struct ColumnOwners {
    private var starts: [Int]
    private var shapes: [Int32]

    init(_ columns: [ColumnData?], _ table: RowGroupTable) {
      var counts = [Int](repeating: 0, count: columns.count + 1)
      for entry in table.shapes where entry.rowCount > 0 {
        for chunk in entry.columns where columns[chunk] != nil { counts[chunk + 1] += 1 }
      }
      for chunk in columns.indices { counts[chunk + 1] += counts[chunk] }
      starts = counts
      shapes = [Int32](repeating: 0, count: counts[columns.count])
      for (shape, entry) in table.shapes.enumerated() where entry.rowCount > 0 {
        for chunk in entry.columns where columns[chunk] != nil {
          shapes[counts[chunk]] = Int32(truncatingIfNeeded: shape)
          counts[chunk] += 1
        }
      }
    }

    /// Where the value of a row stands in a column: how many rows before it have the column.
    func position(_ chunk: Int, _ rowsBefore: [Int32]) -> Int {
      var total = 0
      for k in starts[chunk]..<starts[chunk + 1] { total &+= Int(rowsBefore[Int(shapes[k])]) }
      return total
    }
  }

  /// How many rows of each shape stand before a row.
  private struct RowsBefore {
    private(set) var counts: [Int32]
    private let codes: [UInt16]
    private var row: Int

    init(_ first: UInt32, _ codes: [UInt16], _ table: RowGroupTable) {
      self.codes = codes
      row = Int(first)
      counts = [Int32](repeating: 0, count: table.shapes.count)
      let isNearEnd = row * 2 > codes.count
      if isNearEnd { counts = table.shapes.map { Int32(truncatingIfNeeded: $0.rowCount) } }
      let passed = isNearEnd ? row..<codes.count : 0..<row
      let step: Int32 = isNearEnd ? -1 : 1
      counts.withUnsafeMutableBufferPointer { counts in
        codes.withUnsafeBufferPointer { codes in
          for row in passed { counts[Int(codes[row])] &+= step }
        }
      }
    }

    mutating func advance(to next: Int) {
      counts.withUnsafeMutableBufferPointer { counts in
        codes.withUnsafeBufferPointer { codes in
          for row in row..<next { counts[Int(codes[row])] &+= 1 }
        }
      }
      row = next
    }
  }
}

/// The constant pieces of a shape's text, between its slots.
struct ShapePieces: Sendable {
  let text: [UInt8]
  /// `slots + 2` bounds: piece `i` is `text[bounds[i]..<bounds[i + 1]]`, markers removed.
  let bounds: [Int]

  init(key: ArraySlice<UInt8>) {
    var text: [UInt8] = []
    var bounds = [0]
    text.reserveCapacity(key.count)
    for byte in key {
      if byte >= SlotKind.string.rawValue, byte <= SlotKind.text.rawValue {
        bounds.append(text.count)
      } else {
        text.append(byte)
      }
    }
    bounds.append(text.count)
    self.text = text
    self.bounds = bounds
  }

  init(text: [UInt8], bounds: [Int]) {
    self.text = text
    self.bounds = bounds
  }

  var slotCount: Int { bounds.count - 2 }

  /// Appends the pieces with `slot` called between them.
  func append(
    to output: inout [UInt8], slot: (Int, inout [UInt8]) throws -> Void
  ) rethrows {
    for i in 0..<slotCount {
      output.append(contentsOf: text[bounds[i]..<bounds[i + 1]])
      try slot(i, &output)
    }
    output.append(contentsOf: text[bounds[slotCount]..<bounds[slotCount + 1]])
  }
}

extension ShapePieces {
  /// The pieces with what their JSON escapes mean, or `nil` if that is not decided by the pieces alone.
  func unescaped() -> ShapePieces? {
    var text: [UInt8] = []
    var bounds = [0]
    for piece in 0...slotCount {
      let bytes = self.text[self.bounds[piece]..<self.bounds[piece + 1]]
      guard Self.escapesAreWhole(bytes) else { return nil }
      bytes.withUnsafeBytes { JSONEscapes.append($0, to: &text) }
      bounds.append(text.count)
    }
    return ShapePieces(text: text, bounds: bounds)
  }

  /// Whether every backslash stands before all the bytes that belong to it.
  private static func escapesAreWhole(_ bytes: ArraySlice<UInt8>) -> Bool {
    var i = bytes.startIndex
    while let backslash = bytes[i...].firstIndex(of: UInt8(ascii: "\\")) {
      guard backslash + 1 < bytes.endIndex else { return false }
      i = backslash + (bytes[backslash + 1] == UInt8(ascii: "u") ? 6 : 2)
      guard i <= bytes.endIndex else { return false }
    }
    return true
  }
}
