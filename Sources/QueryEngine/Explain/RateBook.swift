import Synchronization

/// What a run took.
struct RunRate: Sendable {
  var rowGroupCount: Int
  var bytesRead: Int
  var peakMemoryBytes: Int
  var milliseconds: Double
  /// Whether it had enough before it had seen all row groups.
  var endsEarly: Bool
}

/// What queries took in this process, by what they do: the same query with other values and limits counts as the same.
/// A warm engine knows from it how long the next one will take. Answers are not in it.
package final class RateBook: Sendable {
  private static let mostKept = 1_000
  private let rates = Mutex<[String: RunRate]>([:])

  package init() {}

  func rate(of work: String) -> RunRate? { rates.withLock { $0[work] } }

  func note(_ rate: RunRate, of work: String) {
    rates.withLock { rates in
      if rates.count >= Self.mostKept, rates[work] == nil { rates.removeAll() }
      rates[work] = rate
    }
  }
}
