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
    if rows.count < Self.fewRows { return few(rows, columns) }
    let output = TextOutput(rowCapacity: rows.count)
    let rendered = columns.enumerated().map { chunk, data in
      data.map { RenderedColumn($0, count: table.chunks[chunk].valueCount) }
    }
    appendMany(rows, upTo: Int(last), rendered, to: output)
    return output.vector()
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
  private func few(_ rows: SelectionVector, _ columns: [ColumnData?]) -> StringVector {
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
      pieces[shape].append(to: &output.bytes) { slot, bytes in
        let chunk = table.shapes[shape].columns[slot]
        let position = shapesOf[chunk]!.reduce(0) { $0 + rowsBefore[$1] }
        columns[chunk]!.appendText(position, to: &bytes)
      }
      output.offsets.append(UInt32(output.bytes.count))
    }
    return output
  }
}

/// The constant pieces of a shape's text, between its slots.
struct ShapePieces: Sendable {
  fileprivate let text: [UInt8]
  /// `slots + 2` bounds: piece `i` is `text[bounds[i]..<bounds[i + 1]]`, markers removed.
  fileprivate let bounds: [Int]

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

  var slotCount: Int { bounds.count - 2 }

  /// Appends the pieces with `slot` called between them.
  func append(to output: inout [UInt8], slot: (Int, inout [UInt8]) -> Void) {
    for i in 0..<slotCount {
      output.append(contentsOf: text[bounds[i]..<bounds[i + 1]])
      slot(i, &output)
    }
    output.append(contentsOf: text[bounds[slotCount]..<bounds[slotCount + 1]])
  }
}

/// A column as flat text: what every encoding is turned into before rows are put together.
private final class RenderedColumn {
  /// Where the text of each value lies. Without an owner: valid while the column is.
  struct Lane {
    let bytes: UnsafePointer<UInt8>
    let offsets: UnsafePointer<UInt32>
    /// Entry of each value, or `nil` when value `i` is entry `i`.
    let codes: UnsafePointer<UInt16>?
    /// All values are entry 0.
    let isConstant: Bool

    @inline(__always)
    func text(_ position: Int) -> UnsafeBufferPointer<UInt8> {
      let entry = isConstant ? 0 : codes.map { Int($0[position]) } ?? position
      let start = Int(offsets[entry])
      return UnsafeBufferPointer(start: bytes + start, count: Int(offsets[entry &+ 1]) &- start)
    }
  }

  let lane: Lane
  private let bytes: UnsafeMutableBufferPointer<UInt8>
  private let offsets: UnsafeMutableBufferPointer<UInt32>
  private let codes: UnsafeMutableBufferPointer<UInt16>?

  init(_ data: ColumnData, count: Int) {
    var run = TextRun(offsets: [0], bytes: [])
    var codes: [UInt16]?
    var isConstant = false
    switch data {
    case .constant(let text):
      run = TextRun(offsets: [0, UInt32(text.count)], bytes: text)
      isConstant = true
    case .dictionary(let rowCodes, let entries):
      run = entries
      codes = rowCodes
    case .texts(let texts): run = texts
    case .integers(let values):
      run.render(count) { i, output in DecimalText.append(values[i], to: &output) }
    case .decimals(let decimals): run.render(count) { i, output in decimals.append(i, to: &output) }
    case .timestamps(let times): run.render(count) { i, output in times.append(i, to: &output) }
    case .doubles(let values):
      run.render(count) { i, output in DoubleStream.append(values[i], to: &output) }
    case .identifiers(let ids): run = ids.texts(count) { $0 }
    }
    bytes = Self.copy(run.bytes)
    offsets = Self.copy(run.offsets)
    self.codes = codes.map(Self.copy)
    lane = Lane(
      bytes: UnsafePointer(bytes.baseAddress!), offsets: UnsafePointer(offsets.baseAddress!),
      codes: self.codes.map { UnsafePointer($0.baseAddress!) }, isConstant: isConstant)
  }

  /// Memory that stays in place; one element more, so that there is always a base address.
  private static func copy<T: FixedWidthInteger>(_ array: [T]) -> UnsafeMutableBufferPointer<T> {
    let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: array.count + 1)
    _ = memory.initialize(from: array)
    memory[array.count] = 0
    return memory
  }

  deinit {
    bytes.deallocate()
    offsets.deallocate()
    codes?.deallocate()
  }
}

extension TextRun {
  fileprivate mutating func render(_ count: Int, _ append: (Int, inout [UInt8]) -> Void) {
    offsets.reserveCapacity(count + 1)
    bytes.reserveCapacity(count * 8)
    for i in 0..<count {
      append(i, &bytes)
      offsets.append(UInt32(bytes.count))
    }
  }
}

/// Texts being written end to end.
private final class TextOutput {
  private var bytes: UnsafeMutableRawPointer
  private var capacity: Int
  private var count = 0
  private var offsets: [UInt32] = [0]

  init(rowCapacity: Int) {
    capacity = max(4_096, rowCapacity * 256)
    bytes = .allocate(byteCount: capacity, alignment: 16)
    offsets.reserveCapacity(rowCapacity + 1)
  }

  deinit { bytes.deallocate() }

  func vector() -> StringVector {
    StringVector(
      offsets: offsets,
      bytes: Array(UnsafeRawBufferPointer(start: bytes, count: count)))
  }

  /// Appends one text: the pieces with the texts of the slots between them.
  @inline(__always)
  func append(
    _ pieces: ShapePieces, _ slots: Int, slot: (Int) -> UnsafeBufferPointer<UInt8>
  ) {
    pieces.text.withUnsafeBufferPointer { text in
      pieces.bounds.withUnsafeBufferPointer { bounds in
        var length = text.count
        for i in 0..<slots { length &+= slot(i).count }
        if count &+ length > capacity { grow(by: length) }
        // `length` bytes are free from here on, and exactly so many are written below.
        var target = bytes + count
        for i in 0..<slots {
          target = copy(text.baseAddress, bounds[i], bounds[i &+ 1], to: target)
          let value = slot(i)
          target = copy(value.baseAddress, 0, value.count, to: target)
        }
        _ = copy(text.baseAddress, bounds[slots], bounds[slots &+ 1], to: target)
        count &+= length
      }
    }
    offsets.append(UInt32(truncatingIfNeeded: count))
  }

  @inline(__always)
  private func copy(
    _ base: UnsafePointer<UInt8>?, _ start: Int, _ end: Int, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    guard end > start, let base else { return target }
    target.copyMemory(from: base + start, byteCount: end &- start)
    return target + (end &- start)
  }

  @inline(never)
  private func grow(by length: Int) {
    let larger = max(capacity * 2, count + length)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    memory.copyMemory(from: bytes, byteCount: count)
    bytes.deallocate()
    bytes = memory
    capacity = larger
  }
}
