package import Columnar

/// Puts records back together: the pieces of a shape's key with the slots between them give the
/// text of the event, byte for byte.
package struct MessageRebuilder: Sendable {
  /// The key without its markers.
  private let constant: [UInt8]
  /// Where the pieces end in `constant`; one more than there are slots.
  private let pieceEnds: [UInt32]

  /// Slots of the shape.
  package var slotCount: Int { pieceEnds.count - 1 }
  /// Bytes of a message besides its slots.
  package var constantByteCount: Int { constant.count }

  package init(_ shape: Shape) {
    var constant: [UInt8] = []
    var ends: [UInt32] = []
    for byte in shape.key {
      if SlotKind(rawValue: byte) != nil {
        ends.append(UInt32(constant.count))
      } else {
        constant.append(byte)
      }
    }
    ends.append(UInt32(constant.count))
    precondition(ends.count == shape.slots.count + 1, "a shape's key and slots disagree")
    self.constant = constant
    pieceEnds = ends
  }

  /// Appends one message.
  ///
  /// - Parameter slot: Gives the bytes of a slot by its position in the shape.
  package func append(
    to message: inout [UInt8], slot: (Int) -> UnsafeBufferPointer<UInt8>
  ) {
    var start = 0
    for index in 0..<slotCount {
      message.append(contentsOf: constant[start..<Int(pieceEnds[index])])
      message.append(contentsOf: slot(index))
      start = Int(pieceEnds[index])
    }
    message.append(contentsOf: constant[start...])
  }

  // MARK: - In bulk

  /// Bytes of the message that the cursors stand at.
  fileprivate func byteCount(
    _ columnOfSlot: UnsafeBufferPointer<Int>, _ columns: SlotColumns.Pointers,
    _ cursors: UnsafeMutablePointer<Int>
  ) -> Int {
    var total = constant.count
    for column in columnOfSlot {
      let index = cursors[column]
      total &+= Int(columns.offsets[index &+ 1]) &- Int(columns.offsets[index])
    }
    return total
  }

  /// Writes the message that the cursors stand at and returns the position after it.
  fileprivate func write(
    to start: UnsafeMutablePointer<UInt8>, _ columnOfSlot: UnsafeBufferPointer<Int>,
    _ columns: SlotColumns.Pointers, _ cursors: UnsafeMutablePointer<Int>
  ) -> UnsafeMutablePointer<UInt8> {
    var target = start
    constant.withUnsafeBufferPointer { constant in
      var piece = 0
      for (slot, column) in columnOfSlot.enumerated() {
        let end = Int(pieceEnds[slot])
        target.update(from: constant.baseAddress! + piece, count: end &- piece)
        target += end &- piece
        piece = end
        let from = Int(columns.offsets[cursors[column]])
        let count = Int(columns.offsets[cursors[column] &+ 1]) &- from
        target.update(from: columns.bytes + from, count: count)
        target += count
      }
      guard piece < constant.count else { return }
      target.update(from: constant.baseAddress! + piece, count: constant.count &- piece)
      target += constant.count &- piece
    }
    return target
  }
}

/// The columns of a row group as slots hold them (escapes kept, numbers as written), from which
/// many messages are put together at once.
///
/// Value `i` of a column belongs to the `i`-th row whose shape has the column.
package struct SlotColumns {
  fileprivate typealias Pointers = (
    offsets: UnsafePointer<UInt32>, bytes: UnsafePointer<UInt8>
  )

  /// Positions in `bytes` of all columns, one after the other; `count + 1` for each.
  private var offsets: [UInt32] = []
  private var bytes: [UInt8] = []
  /// Where each column's positions begin in `offsets`, and where they end.
  private var ranges: [Range<Int>] = []

  package init() {}

  /// Adds a column and returns its number, from 0.
  ///
  /// - Precondition: All columns together hold less than 4 GiB.
  package mutating func append(_ column: StringVector) -> Int {
    let base = UInt32(bytes.count)
    let first = offsets.count
    let start = column.offsets[0]
    offsets.append(contentsOf: column.offsets.map { base + ($0 - start) })
    bytes.append(contentsOf: column.bytes[Int(start)..<Int(column.offsets[column.count])])
    ranges.append(first..<offsets.count)
    return ranges.count - 1
  }

  /// The messages of rows.
  ///
  /// - Parameters:
  ///   - shapeOfRow: For every row of the row group, its index in `rebuilders`.
  ///   - columnOfSlot: For each rebuilder, the number of the column of each of its slots.
  ///   - rows: The rows wanted, ascending; `nil` for all.
  /// - Throws: `StorageError` (`damaged`) when the shapes ask for more values than a column has.
  /// - Complexity: O(slots of all rows + bytes of the messages)
  package func messages(
    shapeOfRow: [UInt32], rebuilders: [MessageRebuilder], columnOfSlot: [[Int]],
    rows: SelectionVector? = nil
  ) throws -> StringVector {
    try check(shapeOfRow, rebuilders, columnOfSlot)
    var lengths: [UInt32] = [0]
    lengths.reserveCapacity((rows?.count ?? shapeOfRow.count) + 1)
    var total = 0
    visit(shapeOfRow, columnOfSlot, rows) { shape, slots, columns, cursors in
      total += rebuilders[shape].byteCount(slots, columns, cursors)
      lengths.append(UInt32(truncatingIfNeeded: total))
    }
    guard total <= UInt32.max else {
      throw StorageError(.damaged, "the messages of a row group take \(total) bytes, over 4 GiB")
    }
    let text = [UInt8](unsafeUninitializedCapacity: total) { buffer, count in
      count = total
      guard var target = buffer.baseAddress else { return }
      visit(shapeOfRow, columnOfSlot, rows) { shape, slots, columns, cursors in
        target = rebuilders[shape].write(to: target, slots, columns, cursors)
      }
    }
    return StringVector(offsets: lengths, bytes: text)
  }

  /// Proves that no cursor can run past its column and no number names what is not there.
  private func check(
    _ shapeOfRow: [UInt32], _ rebuilders: [MessageRebuilder], _ columnOfSlot: [[Int]]
  ) throws {
    var rowsOfShape = [Int](repeating: 0, count: rebuilders.count)
    for shape in shapeOfRow {
      guard shape < rebuilders.count else {
        throw StorageError(.damaged, "shape \(shape) of \(rebuilders.count) in a row group")
      }
      rowsOfShape[Int(shape)] += 1
    }
    precondition(columnOfSlot.count == rebuilders.count, "shapes and columns of slots disagree")
    var needed = [Int](repeating: 0, count: ranges.count)
    for (shape, columns) in columnOfSlot.enumerated() {
      precondition(columns.count == rebuilders[shape].slotCount, "a slot without a column")
      for column in columns { needed[column] += rowsOfShape[shape] }
    }
    for (column, range) in ranges.enumerated() where needed[column] > range.count - 1 {
      throw StorageError(
        .damaged,
        "column \(column) of a row group has \(range.count - 1) values for \(needed[column]) rows")
    }
  }

  /// Calls `body` for each wanted row with the cursors of all columns standing at its values.
  private func visit(
    _ shapeOfRow: [UInt32], _ columnOfSlot: [[Int]], _ rows: SelectionVector?,
    _ body: (Int, UnsafeBufferPointer<Int>, Pointers, UnsafeMutablePointer<Int>) -> Void
  ) {
    // The slots of all shapes end to end, so that a row costs no reference counting.
    let starts = columnOfSlot.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    var cursors = ranges.map(\.lowerBound)
    let flat = columnOfSlot.flatMap { $0 }
    var wanted = 0
    flat.withUnsafeBufferPointer { flat in
      bytes.withUnsafeBufferPointer { bytes in
        offsets.withUnsafeBufferPointer { offsets in
          cursors.withUnsafeMutableBufferPointer { cursors in
            // Without columns no slot exists and neither pointer is ever read.
            let pointers = (
              offsets: offsets.baseAddress ?? UnsafePointer(bitPattern: 8)!,
              bytes: bytes.baseAddress ?? UnsafePointer(bitPattern: 8)!
            )
            let cursors = cursors.baseAddress ?? UnsafeMutablePointer(bitPattern: 8)!
            for (row, shape) in shapeOfRow.enumerated() {
              let range = starts[Int(shape)]..<starts[Int(shape) + 1]
              let slots = UnsafeBufferPointer(rebasing: flat[range])
              if let rows {
                guard wanted < rows.count else { return }
                if rows[wanted] == UInt32(row) {
                  wanted += 1
                  body(Int(shape), slots, pointers, cursors)
                }
              } else {
                body(Int(shape), slots, pointers, cursors)
              }
              for column in slots { cursors[column] &+= 1 }
            }
          }
        }
      }
    }
  }
}
