extension ColumnVector {
  /// Spreads values over rows: value `k` goes to the row of the `k`-th set bit, the other rows are
  /// missing.
  ///
  /// A store keeps only the values that exist; a batch needs one row per event.
  ///
  /// - Precondition: as many bits are set as the vector has rows.
  /// - Complexity: O(rows + bytes of the texts)
  package func expanded(by presence: Bitmap) -> ColumnVector {
    if presence.isFull {
      precondition(count == presence.count, "not one value per set bit")
      return self
    }
    var next: UInt32 = 0
    var positions = SelectionVector(repeating: Self.missingRow, count: presence.count)
    presence.forEachSetRow { row in
      positions[row] = next
      next &+= 1
    }
    precondition(Int(next) == count, "not one value per set bit")
    return gatherOrMissing(positions)
  }

  /// Spreads values over rows: value `k` goes to row `rows[k]` of `rowCount`, the other rows are
  /// missing.
  ///
  /// - Precondition: one row number per value, each below `rowCount`, none twice.
  package func expanded(onto rows: SelectionVector, rowCount: Int) -> ColumnVector {
    precondition(rows.count == count, "not one row number per value")
    var positions = SelectionVector(repeating: Self.missingRow, count: rowCount)
    for (k, row) in rows.enumerated() {
      precondition(positions[Int(row)] == Self.missingRow, "two values for one row")
      positions[Int(row)] = UInt32(truncatingIfNeeded: k)
    }
    return gatherOrMissing(positions)
  }
}
