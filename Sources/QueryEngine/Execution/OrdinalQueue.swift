// Workers draw row groups from one cursor and finish them in any order; answers must not depend on
// that. The queue holds finished pieces back until every piece of a smaller ordinal has gone.
//
// Ordinals may have gaps (row groups ruled out late), so "the next number" is not known. What is
// known: the cursor only counts upwards. A worker that asks for a row group now can only get one
// beyond every row group handed out so far; a worker that holds one deposits that one next. The
// smallest of these numbers over all workers is the *frontier*: nothing below it is still to come.
//
//     worker 0 holds 4, worker 1 asked when 5 was the last: frontier = min(4, 6) = 4
//     pieces 2 and 3 may go, piece 5 waits for 4

/// Finished pieces on their way into the order of the scan.
struct OrdinalQueue<Piece> {
  /// For each worker the smallest ordinal it may still deposit.
  private var frontiers: [Int]
  private var highest = -1
  /// Ascending by ordinal.
  private var waiting: [(ordinal: Int, piece: Piece, byteCount: Int)] = []

  init(workers: Int) { frontiers = Array(repeating: 0, count: workers) }

  /// Bytes of the pieces that wait.
  var byteCount: Int { waiting.reduce(0) { $0 + $1.byteCount } }

  /// To be called before a worker asks the cursor.
  mutating func willDraw(_ worker: Int) { frontiers[worker] = highest + 1 }

  /// To be called with what the cursor gave; `nil` at its end.
  mutating func didDraw(_ worker: Int, _ ordinal: Int?) {
    frontiers[worker] = ordinal ?? .max
    highest = max(highest, ordinal ?? highest)
  }

  /// Adds the piece of a row group that a worker is done with.
  mutating func deposit(_ worker: Int, _ ordinal: Int, _ piece: Piece, byteCount: Int = 0) {
    frontiers[worker] = ordinal + 1
    let place = waiting.firstIndex { $0.ordinal > ordinal } ?? waiting.endIndex
    waiting.insert((ordinal, piece, byteCount), at: place)
  }

  /// Notes that a row group left no piece.
  mutating func pass(_ worker: Int, _ ordinal: Int) { frontiers[worker] = ordinal + 1 }

  /// Removes the pieces that nothing can precede any more, in order.
  mutating func takeReady() -> [Piece] {
    let frontier = frontiers.min() ?? .max
    let count = waiting.prefix { $0.ordinal < frontier }.count
    defer { waiting.removeFirst(count) }
    return waiting[..<count].map(\.piece)
  }
}
