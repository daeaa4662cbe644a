import LogStorage
import Synchronization

/// How far an ingestion is, on one line that is drawn over itself, a few times a second.
final class IngestProgress: Sendable {
  private static let interval = Duration.milliseconds(100)

  private struct State {
    var earlierInputs: UInt64 = 0
    var drawn: ContinuousClock.Instant
    var isOnScreen = false
  }

  private let started = ContinuousClock.now
  /// Stored bytes of all inputs; `nil` when one of them is a pipe.
  private let total: UInt64?
  private let isShown: Bool
  private let state: Mutex<State>

  init(total: UInt64?, isShown: Bool) {
    self.total = total
    self.isShown = isShown
    // The first line may come after one interval: short work shows none at all.
    state = Mutex(State(drawn: started))
  }

  /// Called from any worker.
  func update(consumed: UInt64) {
    guard isShown else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      guard now - state.drawn >= Self.interval else { return }
      state.drawn = now
      state.isOnScreen = true
      Terminal.say("\r\u{1B}[K" + line(bytes: state.earlierInputs + consumed, at: now))
    }
  }

  func finishInput(byteCount: UInt64) { state.withLock { $0.earlierInputs += byteCount } }

  /// Takes the line off the screen.
  func clear() {
    state.withLock { state in
      if state.isOnScreen { Terminal.say("\r\u{1B}[K") }
      state.isOnScreen = false
    }
  }

  /// `43 %  412 MiB of 958 MiB  118 MB/s  5 s left`.
  private func line(bytes: UInt64, at now: ContinuousClock.Instant) -> String {
    let milliseconds = (now - started) / .milliseconds(1)
    let rate = HumanUnits.rate(bytes: Int(clamping: bytes), milliseconds: milliseconds)
    let done = HumanUnits.bytes(Int(clamping: bytes))
    guard let total, total > 0, bytes > 0 else { return "\(done)  \(rate)" }
    let share = min(1, Double(bytes) / Double(total))
    let left = HumanUnits.duration(milliseconds: milliseconds * (1 - share) / share)
    return "\(Int(share * 100)) %  \(done) of \(HumanUnits.bytes(Int(clamping: total)))  \(rate)  "
      + "\(left) left"
  }
}
