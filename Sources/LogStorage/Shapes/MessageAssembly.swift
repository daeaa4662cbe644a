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
  /// Constant pieces of a shape.
  let pieces: (_ shape: Int) throws -> ShapePieces
  /// The lists of the table, which few rows need.
  let lists: () -> SlotLists?

  /// Below this many rows, positions are counted shape by shape.
  private static let fewRows = 256

  /// - Parameters:
  ///   - rows: ascending row numbers; `nil` for all.
  ///   - willRead: is told all chunks needed before the first is decoded.
  ///   - column: decodes a chunk; called once for each chunk needed, if the rows are many.
  ///   - texts: gives the texts of single values, if the rows are few.
  func messages(
    rows: SelectionVector?, willRead: ([Int]) -> Void, column: (Int) throws -> ColumnData,
    texts: ([WantedValues]) throws -> [TextRun]
  ) throws -> StringVector {
    if let rows, rows.isEmpty { return StringVector() }
    let needed = columnsNeeded(rows)
    willRead(needed)
    if let rows, rows.count < Self.fewRows, let lists = lists() {
      return try few(rows, needed, lists, texts)
    }
    var columns = [ColumnData?](repeating: nil, count: table.chunks.count)
    for chunk in needed { columns[chunk] = try column(chunk) }
    let weaver = try weaver(columns)
    let run =
      try rows.map { try weaver.run(forms: shapeCodes, rows: $0) }
      ?? weaver.run(forms: shapeCodes)
    return StringVector(offsets: run.offsets, bytes: run.bytes)
  }

  /// The chunks that the shapes of the rows have, ascending.
  func columnsNeeded(_ rows: SelectionVector?) -> [Int] {
    var isNeeded = [Bool](repeating: false, count: table.chunks.count)
    for shape in shapes(of: rows) {
      for chunk in table.shapes[shape].columns { isNeeded[chunk] = true }
    }
    return isNeeded.indices.filter { isNeeded[$0] }
  }

  /// The shapes that some row has.
  private func shapes(of rows: SelectionVector?) -> [Int] {
    guard let rows else { return table.shapes.indices.filter { table.shapes.rowCounts[$0] > 0 } }
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
    for (shape, entry) in table.shapes.enumerated() {
      // Columns were read for all shapes of wanted rows; of other shapes, cursors need to move only if they have them.
      guard entry.rowCount > 0 else {
        weaver.addUnusedForm()
        continue
      }
      weaver.addForm(try pieces(shape)) { slots[entry.columns[$0]] }
    }
    // The texts of constants lie there until all forms have them.
    withExtendedLifetime(constants) {}
    return weaver
  }

  // MARK: Few rows

  /// Rows by counted positions: which values stand in them is told first, then column by column their texts are
  /// made, and then these are put between the pieces.
  private func few(
    _ rows: SelectionVector, _ needed: [Int], _ lists: SlotLists,
    _ texts: ([WantedValues]) throws -> [TextRun]
  ) throws -> StringVector {
    var wanted = needed.map { WantedValues(column: $0) }
    var placeOf = [Int](repeating: 0, count: table.chunks.count)
    for (place, values) in wanted.enumerated() { placeOf[values.column] = place }
    var positions = ValuePositions(rows, shapeCodes, lists, table)
    for row in rows {
      positions.advance(to: Int(row))
      for column in lists.columns(of: Int(shapeCodes[Int(row)])) {
        wanted[placeOf[Int(column)]].positions.append(positions.position(in: Int(column)))
      }
    }
    let found = try texts(wanted)
    var next = [Int](repeating: 0, count: found.count)
    var output = StringVector()
    for row in rows {
      let shape = Int(shapeCodes[Int(row)])
      try pieces(shape).append(to: &output.bytes) { slot, bytes in
        let place = placeOf[lists.column(slot, of: shape)]
        found[place].append(next[place], to: &bytes)
        next[place] += 1
      }
      output.offsets.append(UInt32(output.bytes.count))
    }
    return output
  }

  /// Where the values of a row stand in their columns: each at the number of earlier rows that have the column.
  ///
  /// Rows before the first one wanted are counted shape by shape, from the nearer end. From there on, if the next ones are
  /// near, each row passed moves the positions of its own columns; else its shape's count goes up, and positions are
  /// added up from the counts of the shapes that have the column.
  private struct ValuePositions {
    private let codes: [UInt16]
    private let lists: SlotLists
    /// Rows of each shape before `row`.
    private var rowsBefore: [Int32]
    /// By column, if rows are near.
    private var positions: [Int32] = []
    private var row: Int

    /// Rows passed for each one wanted up to which positions are moved along.
    private static let nearRows = 96

    init(
      _ rows: SelectionVector, _ codes: [UInt16], _ lists: SlotLists, _ table: RowGroupTable
    ) {
      self.codes = codes
      self.lists = lists
      let first = Int(rows[0])
      row = first
      let isNearEnd = first * 2 > codes.count
      var counts =
        isNearEnd
        ? table.shapes.rowCounts
        : [Int32](repeating: 0, count: table.shapes.count)
      let passed = isNearEnd ? first..<codes.count : 0..<first
      let step: Int32 = isNearEnd ? -1 : 1
      counts.withUnsafeMutableBufferPointer { counts in
        codes.withUnsafeBufferPointer { codes in
          for row in passed { counts[Int(codes[row])] &+= step }
        }
      }
      rowsBefore = counts
      if Int(rows[rows.count - 1]) - first <= rows.count * Self.nearRows {
        positions = lists.positions(rowsBefore: counts, columnCount: table.chunks.count)
      }
    }

    mutating func advance(to next: Int) {
      if positions.isEmpty {
        for row in row..<next { rowsBefore[Int(codes[row])] &+= 1 }
      } else {
        for row in row..<next { lists.move(&positions, past: Int(codes[row])) }
      }
      row = next
    }

    func position(in chunk: Int) -> Int {
      positions.isEmpty
        ? lists.position(in: chunk, rowsBefore: rowsBefore) : Int(positions[chunk])
    }
  }
}

/// Values of one column by where they stand in it.
struct WantedValues: Sendable {
  let column: Int
  var positions: [Int] = []
}

/// Which columns each shape has, and which shapes have each column, in flat lists.
struct SlotLists {
  private let columnStarts: [Int32]
  private let columns: [UInt16]
  private let shapeStarts: [Int32]
  private let shapes: [UInt16]

  /// Of shapes without rows nothing is kept. `nil` if there are more columns than numbers for them.
  init?(_ table: RowGroupTable) {
    guard table.chunks.count <= 65_536, table.shapes.count <= 65_536 else { return nil }
    var columnStarts: [Int32] = [0]
    var columns: [UInt16] = []
    var counts = [Int32](repeating: 0, count: table.chunks.count + 1)
    for entry in table.shapes {
      if entry.rowCount > 0 {
        for column in entry.columns {
          columns.append(UInt16(truncatingIfNeeded: column))
          counts[column + 1] += 1
        }
      }
      columnStarts.append(Int32(truncatingIfNeeded: columns.count))
    }
    for chunk in table.chunks.indices { counts[chunk + 1] += counts[chunk] }
    shapeStarts = counts
    var shapes = [UInt16](repeating: 0, count: columns.count)
    for (shape, entry) in table.shapes.enumerated() where entry.rowCount > 0 {
      for column in entry.columns {
        shapes[Int(counts[column])] = UInt16(truncatingIfNeeded: shape)
        counts[column] += 1
      }
    }
    self.columnStarts = columnStarts
    self.columns = columns
    self.shapes = shapes
  }

  var byteCount: Int {
    (columns.count + shapes.count) * 2 + (columnStarts.count + shapeStarts.count) * 4
  }

  func columns(of shape: Int) -> ArraySlice<UInt16> {
    columns[Int(columnStarts[shape])..<Int(columnStarts[shape + 1])]
  }

  @inline(__always)
  func column(_ slot: Int, of shape: Int) -> Int { Int(columns[Int(columnStarts[shape]) + slot]) }

  /// Where the value of a row stands in a column.
  func position(in column: Int, rowsBefore: [Int32]) -> Int {
    shapes.withUnsafeBufferPointer { shapes in
      rowsBefore.withUnsafeBufferPointer { rowsBefore in
        var total = 0
        for k in Int(shapeStarts[column])..<Int(shapeStarts[column + 1]) {
          total &+= Int(rowsBefore[Int(shapes[k])])
        }
        return total
      }
    }
  }

  /// The same for all columns.
  func positions(rowsBefore: [Int32], columnCount: Int) -> [Int32] {
    var positions = [Int32](repeating: 0, count: columnCount)
    for shape in rowsBefore.indices where rowsBefore[shape] != 0 {
      for k in Int(columnStarts[shape])..<Int(columnStarts[shape + 1]) {
        positions[Int(columns[k])] &+= rowsBefore[shape]
      }
    }
    return positions
  }

  /// Counts one row of a shape.
  @inline(__always)
  func move(_ positions: inout [Int32], past shape: Int) {
    for k in Int(columnStarts[shape])..<Int(columnStarts[shape + 1]) {
      positions[Int(columns[k])] &+= 1
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
