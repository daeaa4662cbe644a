import Synchronization

/// What one query holds in tables, sorts and sets, against what it may hold.
///
/// Shared by all workers of the query. Figures are estimates made a batch at a time, not a count of
/// allocations; they err on the high side.
///
/// What passes through is not counted: row groups being decoded, batches between two stages. A part of
/// the limit is kept free for them.
final class MemoryBudget: Sendable {
  let limit: Int
  private let used = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)

  /// What may be reserved.
  private var reservable: Int { limit - min(limit / 3, Self.passingByteCount) }

  /// The most that is kept free for what passes through.
  private static let passingByteCount = 80 << 20

  init(limit: Int) { self.limit = limit }

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
    var known = highest.load(ordering: .relaxed)
    while now > known {
      let exchange = highest.compareExchange(
        expected: known, desired: now, ordering: .relaxed)
      if exchange.exchanged { break }
      known = exchange.original
    }
    guard now <= reservable else {
      throw .outOfMemory(
        "\(user) needs more than the \(limit >> 20) MiB this query may use; "
          + "narrow the window, add a filter or a limit, or allow more memory")
    }
  }

  /// Counts `byteCount` bytes as free again.
  func release(_ byteCount: Int) { used.subtract(byteCount, ordering: .relaxed) }
}
