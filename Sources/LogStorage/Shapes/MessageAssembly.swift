import Columnar

/// The exact texts of events, put together again from shapes and columns.
///
/// A shape's text is cut at its markers into constant pieces; between two pieces stands one slot, which is the
/// next value of its column. For all rows, one cursor per column walks along: row after row, each slot takes
/// its column's next value. For few rows, walking every cursor over every row would cost more than the texts, so
/// the position of a value is counted instead: the number of earlier rows whose shape has the column.
///
/// For many rows columns are first rendered to flat text (``RenderedColumn``), each in a loop of its own kind; the
/// row loop then only copies. Lengths are added up before a row is written, so its bytes are written without further checks.
struct MessageAssembly {
  let table: RowGroupTable
  let shapeCodes: [UInt16]
  /// Constant pieces of each shape.
  let pieces: [ShapePieces]

  /// Below this many rows, positions are counted shape by shape.
  private static let fewRows = 256

  /// - Parameters:
  ///   - rows: ascending row numbers.
  ///   - column: decodes a chunk; called once for each chunk needed.
  func messages(
    rows: SelectionVector, column: (Int) throws -> ColumnData
  ) throws -> StringVector {
    guard let last = rows.last else { return StringVector() }
    let columns = try decodedColumns(rows: rows, column: column)
    if rows.count < Self.fewRows { return try few(rows, columns) }
    let output = TextOutput(rowCapacity: rows.count, bytesPerRow: 256)
    let rendered = try columns.enumerated().map { chunk, data in
      try data.map { try RenderedColumn($0, count: table.chunks[chunk].valueCount) }
    }
    appendMany(rows, upTo: Int(last), rendered, to: output)
    let run = output.run()
    return StringVector(offsets: run.offsets, bytes: run.bytes)
  }

  /// The columns that the shapes of the rows have; `nil` for the others.
  private func decodedColumns(
    rows: SelectionVector, column: (Int) throws -> ColumnData
  ) throws -> [ColumnData?] {
    var columns = [ColumnData?](repeating: nil, count: table.chunks.count)
    var seen = [Bool](repeating: false, count: table.shapes.count)
    for row in rows where !seen[Int(shapeCodes[Int(row)])] {
      let shape = Int(shapeCodes[Int(row)])
      seen[shape] = true
      for chunk in table.shapes[shape].columns where columns[chunk] == nil {
        columns[chunk] = try column(chunk)
      }
    }
    return columns
  }

  private func appendMany(
    _ rows: SelectionVector, upTo last: Int, _ columns: [RenderedColumn?], to output: TextOutput
  ) {
    // Copies of what the loop needs, without reference counts.
    let lanes = columns.map { $0?.lane }
    let slotLists = table.shapes.map(\.columns)
    var cursors = [Int](repeating: 0, count: table.chunks.count)
    var wanted = 0
    lanes.withUnsafeBufferPointer { lanes in
      cursors.withUnsafeMutableBufferPointer { cursors in
        for row in 0...last {
          let shape = Int(shapeCodes[row])
          if Int(rows[wanted]) == row {
            slotLists[shape].withUnsafeBufferPointer { slots in
              output.append(pieces[shape], slots.count) { slot in
                let chunk = slots[slot]
                return lanes[chunk]!.text(cursors[chunk])
              }
              for chunk in slots { cursors[chunk] &+= 1 }
            }
            wanted += 1
          } else {
            slotLists[shape].withUnsafeBufferPointer { slots in
              for chunk in slots { cursors[chunk] &+= 1 }
            }
          }
        }
      }
    }
    // The lanes point into the columns.
    withExtendedLifetime(columns) {}
  }

  /// Rows by counted positions: only the values that stand in them are rendered.
  private func few(_ rows: SelectionVector, _ columns: [ColumnData?]) throws -> StringVector {
    var shapesOf: [Int: [Int]] = [:]
    for (shape, entry) in table.shapes.enumerated() {
      for chunk in entry.columns where columns[chunk] != nil {
        shapesOf[chunk, default: []].append(shape)
      }
    }
    var output = StringVector()
    var rowsBefore = [Int](repeating: 0, count: table.shapes.count)
    var next = 0
    for row in rows {
      while next < Int(row) {
        rowsBefore[Int(shapeCodes[next])] += 1
        next += 1
      }
      let shape = Int(shapeCodes[Int(row)])
      try pieces[shape].append(to: &output.bytes) { slot, bytes in
        let chunk = table.shapes[shape].columns[slot]
        let position = shapesOf[chunk]!.reduce(0) { $0 + rowsBefore[$1] }
        try columns[chunk]!.appendText(position, to: &bytes)
      }
      output.offsets.append(UInt32(output.bytes.count))
    }
    return output
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
