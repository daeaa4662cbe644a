/// Which columns came after which so far, so that the next one is told by a small number.
///
/// Where most events have a shape of their own, the columns of the shapes are a good part of a row group. But keys
/// rarely stand in any order: of forty optional fields, a field is followed by one of the few behind it. For each
/// column there is a list of the columns that followed it, most frequent first; what follows next is its
/// place in that list, from 1 on, or 0 when it is not there and must be named. Writer and reader keep the same lists,
/// as both learn from what has gone by; nothing of them is stored.
///
///     shapes          a b d    a b c d    a c d
///     after start     a: 0     1          1
///     after a         b: 0     1          c: 0 (list: b, c)
///     after b         d: 0     c: 0 (list: d, c)
///     after c                  d: 0       1
///     codes           0 0 0    1 1 0 0    1 0 1
struct ColumnSuccessors {
  /// The longest list: keys in no order at all fill every list, and each is searched through.
  static let limit = 48

  private var columns: [UInt16]
  private var hits: [UInt16]
  private var counts: [UInt8]

  /// - Parameter chunkCount: Columns are numbers below it.
  init(chunkCount: Int) {
    columns = [UInt16](repeating: 0, count: (chunkCount + 1) * Self.limit)
    hits = columns
    counts = [UInt8](repeating: 0, count: chunkCount + 1)
  }

  /// The place of `column` among those that followed `previous` (`nil`: the start of a shape); 0 for none.
  mutating func code(of column: UInt16, after previous: UInt16?) -> UInt8 {
    let list = previous.map { Int($0) + 1 } ?? 0
    let start = list * Self.limit
    for place in 0..<Int(counts[list]) where columns[start + place] == column {
      noteHit(at: place, start: start)
      return UInt8(place + 1)
    }
    add(column, to: list)
    return 0
  }

  /// The column at a place, from 1 on, of those that followed `previous`; `nil` if there is none.
  mutating func column(_ code: UInt8, after previous: UInt16?) -> UInt16? {
    let list = previous.map { Int($0) + 1 } ?? 0
    guard code >= 1, code <= counts[list] else { return nil }
    let start = list * Self.limit
    let column = columns[start + Int(code) - 1]
    noteHit(at: Int(code) - 1, start: start)
    return column
  }

  /// Notes a column that was named because its code was 0.
  mutating func learn(_ column: UInt16, after previous: UInt16?) {
    add(column, to: previous.map { Int($0) + 1 } ?? 0)
  }

  private mutating func noteHit(at found: Int, start: Int) {
    var place = start + found
    if hits[place] < .max { hits[place] += 1 }
    while place > start, hits[place] > hits[place - 1] {
      columns.swapAt(place, place - 1)
      hits.swapAt(place, place - 1)
      place -= 1
    }
  }

  /// At the end of the list, in place of the last one if it is full.
  private mutating func add(_ column: UInt16, to list: Int) {
    if counts[list] < Self.limit { counts[list] += 1 }
    let place = list * Self.limit + Int(counts[list]) - 1
    columns[place] = column
    hits[place] = 1
  }
}
