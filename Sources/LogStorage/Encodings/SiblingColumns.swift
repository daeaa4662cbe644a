/// Finds, for values cut out of the rows of a row group, another column that has the same values.
///
/// Messages repeat what fields say: `{"order":{"id":"5141"},"message":"order 5141 created"}`. A variable of a
/// template whose every value is the value of one column in the same row is not stored; a reference
/// to that column takes its place.
final class SiblingColumns {
  private let scanned: ScannedBlock
  private let base: UnsafePointer<UInt8>
  /// Record of each row.
  private let rows: [UInt32]
  /// Local shape of each row; shape 0 is text.
  private let shapeCodes: [UInt16]
  /// Columns of the slots of each shape.
  private let columnsOfShape: [[Int]]
  /// Columns that are written already: only they may be referred to, so references never form a circle.
  private var isWritten: [Bool]
  /// Number of the first column in the row group's table.
  let firstChunk: Int

  /// The bytes at `base` must outlive the object.
  init(
    scanned: ScannedBlock, base: UnsafePointer<UInt8>, rows: [UInt32], shapeCodes: [UInt16],
    columnsOfShape: [[Int]], columnCount: Int, firstChunk: Int
  ) {
    self.scanned = scanned
    self.base = base
    self.rows = rows
    self.shapeCodes = shapeCodes
    self.columnsOfShape = columnsOfShape
    isWritten = [Bool](repeating: false, count: columnCount)
    self.firstChunk = firstChunk
  }

  func markWritten(_ column: Int) { isWritten[column] = true }

  /// Number in the row group's table of a written column that has value `i` of `values` in row `rowsOfValues[i]`,
  /// for every `i`.
  ///
  /// - Complexity: O(slots of a row) for values that have no such column, mostly.
  func chunk(equalTo values: SlotColumn, rows rowsOfValues: [UInt32]) -> Int? {
    let first = Int(rowsOfValues[0])
    let firstSlot = Int(scanned.slotStarts[Int(rows[first])])
    var tried = 0
    for (slot, column) in columnsOfShape[Int(shapeCodes[first])].enumerated()
    where isWritten[column] && tried < 4 && has(values, 0, scanned.slots[firstSlot + slot]) {
      tried += 1
      if isEqual(column, values, rowsOfValues) { return firstChunk + column }
    }
    return nil
  }

  private func isEqual(_ column: Int, _ values: SlotColumn, _ rowsOfValues: [UInt32]) -> Bool {
    // Slot of the column in each shape seen: -2 unknown, -1 none.
    var slotOf = [Int](repeating: -2, count: columnsOfShape.count)
    for i in 1..<max(values.count, 1) {
      let row = Int(rowsOfValues[i])
      let shape = Int(shapeCodes[row])
      if slotOf[shape] == -2 {
        slotOf[shape] = shape == 0 ? -1 : columnsOfShape[shape].lastIndex(of: column) ?? -1
      }
      guard slotOf[shape] >= 0 else { return false }
      let slot = Int(scanned.slotStarts[Int(rows[row])]) &+ slotOf[shape]
      guard has(values, i, scanned.slots[slot]) else { return false }
    }
    return true
  }

  @inline(__always)
  private func has(_ values: SlotColumn, _ i: Int, _ slot: UInt64) -> Bool {
    let count = Int(slot & 0xFFFF_FFFF)
    return count == values.length(i) && memoryEqual(base + Int(slot >> 32), values.start(i), count)
  }
}
