// Workers draw row groups from one cursor and finish them in any order; answers must not depend on
// that. The queue holds finished pieces back until every piece of a smaller ordinal has gone.
//
// Ordinals may have gaps (row groups ruled out late), so "the next number" is not known. What is
// known: the cursor only counts upwards. A worker that asks for a row group now can only get one
// beyond every row group handed out so far; a worker that holds one deposits that one next; a worker that
// does neither, for it waits or merges, holds nothing back. The smallest of these numbers over all workers is
// the *frontier*: nothing below it is still to come.
//
//     worker 0 holds 4, worker 1 asked when 5 was the last: frontier = min(4, 6) = 4
//     pieces 2 and 3 may go, piece 5 waits for 4

/// Finished pieces on their way into the order of the scan.
struct OrdinalQueue<Piece> {
  /// For each worker the smallest ordinal it may still deposit, unless it asks again.
  private var frontiers: [Int]
  private var highest = -1
  /// Bytes of the largest piece.
  private var largest = 0
  /// Ascending by ordinal.
  private var waiting: [(ordinal: Int, piece: Piece, byteCount: Int)] = []

  init(workers: Int) { frontiers = Array(repeating: 0, count: workers) }

  /// Whether pieces wait, and would be more than so many bytes with another one like the largest so far.
  func isFull(for byteCount: Int) -> Bool {
    !waiting.isEmpty && waiting.reduce(largest) { $0 + $1.byteCount } > byteCount
  }

  /// To be called before a worker asks the cursor.
  mutating func willDraw(_ worker: Int) { frontiers[worker] = highest + 1 }

  /// To be called with what the cursor gave; `nil` at its end.
  mutating func didDraw(_ worker: Int, _ ordinal: Int?) {
    frontiers[worker] = ordinal ?? .max
    highest = max(highest, ordinal ?? highest)
  }

  /// Adds the piece of a row group that a worker is done with.
  mutating func deposit(_ worker: Int, _ ordinal: Int, _ piece: Piece, byteCount: Int = 0) {
    frontiers[worker] = .max
    largest = max(largest, byteCount)
    let place = waiting.firstIndex { $0.ordinal > ordinal } ?? waiting.endIndex
    waiting.insert((ordinal, piece, byteCount), at: place)
  }

  /// Notes that a row group left no piece.
  mutating func pass(_ worker: Int) { frontiers[worker] = .max }

  /// Removes the first piece, if nothing can precede it any more.
  mutating func takeFirst() -> Piece? {
    guard let first = waiting.first, first.ordinal < frontiers.min() ?? .max else { return nil }
    return waiting.removeFirst().piece
  }
}
