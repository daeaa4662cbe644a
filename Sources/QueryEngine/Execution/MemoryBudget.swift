import LogStorage
import Synchronization

/// What one query holds in tables, sorts and sets, against what it may hold.
///
/// Shared by all workers of the query. Figures are estimates made a batch at a time, not a count of
/// allocations; they err on the high side.
///
/// What passes through is not counted: row groups being decoded, batches between two stages. A part of
/// the limit is kept free for them.
///
/// Operators that can go on from disk ask with ``tryReserve(_:holding:)`` and are refused earlier than
/// the others: what they leave is for those that cannot, and for the next one behind them.
final class MemoryBudget: Sendable {
  let limit: Int
  /// Where operators put what they are refused.
  let disk: SpillSpace
  /// What one operator that can go on from disk holds at most; for tests, which have it do so early.
  private let mostHeld: Int
  /// Looked at whenever somebody asks for memory.
  let freedMemory: FreedMemory
  private let used = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)

  /// What may be reserved.
  private var reservable: Int { limit - min(limit / 2, Self.passingByteCount) }

  /// The most that is kept free for what passes through.
  private static let passingByteCount = 128 << 20

  init(
    limit: Int, mostHeld: Int = .max,
    disk: SpillSpace = SpillSpace(folders: [], fileSystem: PosixFileSystem())
  ) {
    self.limit = limit
    self.mostHeld = mostHeld
    self.disk = disk
    freedMemory = FreedMemory(limit: limit)
  }

  /// What to reserve for a table that occupies so many bytes: an array that is full moves to one
  /// twice as long, and for a moment there are both.
  static func growing(_ byteCount: Int) -> Int { byteCount + byteCount / 8 * 5 }

  /// The most bytes that were in use at one time.
  var peak: Int { highest.load(ordering: .relaxed) }

  /// Counts `byteCount` more bytes as in use.
  ///
  /// - Throws: ``QueryFailure/outOfMemory(_:)`` naming `user`, which wanted them.
  func reserve(_ byteCount: Int, for user: String) throws(QueryFailure) {
    let now = used.add(byteCount, ordering: .relaxed).newValue
    note(now)
    guard now <= reservable else {
      throw .outOfMemory(
        "\(user) needs more than the \(limit >> 20) MiB this query may use; "
          + "narrow the window, add a filter or a limit, or allow more memory")
    }
  }

  /// Counts `byteCount` more bytes as in use, if an operator that can go on from disk may have them.
  ///
  /// - Parameters:
  ///   - held: what that operator holds already; a small share is left to each, however much others hold.
  ///   - next: what is on its way to the operator and comes whatever is said here.
  /// - Returns: whether it may; nothing is counted if not.
  func tryReserve(_ byteCount: Int, holding held: Int, leaving next: Int = 0) -> Bool {
    if byteCount <= 0 {
      release(-byteCount)
      return true
    }
    guard held + byteCount <= mostHeld else { return false }
    let now = used.add(byteCount, ordering: .relaxed).newValue
    let mayHave =
      now + next <= reservable / 4 * 3 || (held + byteCount <= share && now <= reservable)
    if mayHave { note(now) } else { release(byteCount) }
    return mayHave
  }

  /// Whether an operator that can go on from disk may go on holding what it has been given.
  func hasRoom(holding held: Int) -> Bool {
    let now = used.load(ordering: .relaxed)
    return held <= mostHeld && (now <= reservable / 4 * 3 || (held <= share && now <= reservable))
  }

  /// What each operator that can go on from disk may hold when others hold the rest.
  var share: Int { reservable / 8 }

  /// How many bytes of rows may wait for the reader of the result before the workers wait for it too.
  var mostWaiting: Int { min(reservable / 4, 96 << 20) }

  /// Counts `byteCount` bytes that are in use whatever the limit: those on their way to disk.
  func count(_ byteCount: Int) { note(used.add(byteCount, ordering: .relaxed).newValue) }

  private func note(_ now: Int) {
    freedMemory.look()
    var known = highest.load(ordering: .relaxed)
    while now > known {
      let exchange = highest.compareExchange(
        expected: known, desired: now, ordering: .relaxed)
      if exchange.exchanged { break }
      known = exchange.original
    }
  }

  /// Counts `byteCount` bytes as free again.
  func release(_ byteCount: Int) { used.subtract(byteCount, ordering: .relaxed) }
}
