import Columnar

/// Where the value of a row stands in a column that some rows do not have: at the number of rows before it that have one.
///
/// One bit a row says whether it has a value, and a count before each 64 rows how many have one up to there; the
/// rest is counting bits of one word.
///
///     rows 0…63     bits 0110 1…   before 0
///     rows 64…127   bits 1000 0…   before 31     row 64 has value 31, row 65 none
///
/// Three bits for two rows, where a list of positions takes 32 for one. (Jacobson, Space-efficient static trees and graphs, 1989.)
struct RowRanks {
  private let words: [UInt64]
  private let before: [Int32]
  private let rowCount: Int

  /// - Parameter rows: the rows that have a value, ascending, all below `rowCount`.
  init(rows: [UInt32], rowCount: Int) {
    self.rowCount = rowCount
    var words = [UInt64](repeating: 0, count: (rowCount + 63) >> 6)
    for row in rows {
      precondition(row < rowCount, "a row outside the row group")
      words[Int(row >> 6)] |= 1 << UInt64(row & 63)
    }
    var total: Int32 = 0
    before = words.map { word in
      defer { total += Int32(word.nonzeroBitCount) }
      return total
    }
    self.words = words
  }

  var byteCount: Int { words.count * 8 + before.count * 4 }

  /// The position of each row's value, `none` for rows without.
  func positions<Position: FixedWidthInteger>(
    of rows: SelectionVector, none: Position
  ) -> [Position] {
    let last = rows.withUnsafeBufferPointer { rows in rows.reduce(0) { max($0, $1) } }
    precondition(rows.isEmpty || last < rowCount, "a row outside the row group")
    return [Position](unsafeUninitializedCapacity: rows.count) { target, used in
      // No row lies behind the last one, which lies in the row group, and for its rows there are words and counts.
      words.withUnsafeBufferPointer { words in
        before.withUnsafeBufferPointer { before in
          rows.withUnsafeBufferPointer { rows in
            for i in rows.indices {
              let row = rows[i]
              let word = words[Int(row >> 6)]
              let bit: UInt64 = 1 &<< UInt64(row & 63)
              let rank = before[Int(row >> 6)] &+ Int32((word & (bit &- 1)).nonzeroBitCount)
              target[i] = word & bit != 0 ? Position(truncatingIfNeeded: rank) : none
            }
          }
        }
      }
      used = rows.count
    }
  }
}
