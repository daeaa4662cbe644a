// A query that nobody waits for any more has to end at once, wherever it is. The loops that take long lie deep:
// regular expressions over sixty thousand texts, the sort of a million rows, the decoding of a thousand
// columns. None of them knows a query, and most of them do not throw. They ask here, every now and then:
//
//     the query    binds a signal for as long as it runs, on all its threads
//     a loop       may throw: `try StopPoint.check()`
//                  may not throw: breaks off when `StopPoint.isPassed`, and gives back something of the right form
//     the query    checks before it hands out a row, and once more before it says that it is done
//
// A signal that is raised stays raised, so what a loop gave back half done never becomes part of an answer.

/// Says whether work is to end.
package protocol StopSignal: Sendable {
  /// Once true, it stays true.
  var isRaised: Bool { get }
}

/// Thrown where work ends because of a raised signal.
package struct Stopped: Error {
  package init() {}
}

/// Where a long loop asks whether its result is still wanted.
package enum StopPoint {
  /// The signal of the work that this thread does.
  @TaskLocal package static var signal: (any StopSignal)?

  /// Rows from one question to the next, where a row takes some hundred nanoseconds: those of a row group are done
  /// in one go.
  static let rowsBetween = 65_536

  /// Whether the result of the work under way is no longer wanted.
  ///
  /// - Complexity: some 30 ns; not for every row.
  package static var isPassed: Bool { signal?.isRaised ?? false }

  /// - Throws: ``Stopped`` if the result of the work under way is no longer wanted.
  package static func check() throws(Stopped) {
    if isPassed { throw Stopped() }
  }
}

/// Counts the rounds of a loop and asks at a ``StopPoint`` every so many.
package struct StopCounter {
  private let mask: UInt32
  private var count: UInt32 = 0
  private let signal = StopPoint.signal

  /// - Parameter rounds: a power of two: rounds from one question to the next.
  package init(every rounds: UInt32) {
    precondition(rounds.nonzeroBitCount == 1, "rounds are a power of two")
    mask = rounds - 1
  }

  /// Counts a round; whether the loop is to end.
  @inline(__always)
  package mutating func isPassed() -> Bool {
    count &+= 1
    return count & mask == 0 && (signal?.isRaised ?? false)
  }

  /// Counts a round.
  ///
  /// - Throws: ``Stopped`` if the loop is to end.
  @inline(__always)
  package mutating func check() throws(Stopped) {
    if isPassed() { throw Stopped() }
  }
}

extension [UInt32] {
  /// The numbers so far, and another one for all that a loop left out when it broke off.
  func filled(to count: Int, with number: UInt32) -> [UInt32] {
    self + repeatElement(number, count: Swift.max(0, count - self.count))
  }
}
