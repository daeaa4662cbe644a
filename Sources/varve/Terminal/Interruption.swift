import Glibc
import QueryEngine
import Synchronization

/// Ctrl-C, handed to whatever is running.
///
/// While a query runs, SIGINT cancels it through its `QueryCancellation`; the process goes on and
/// decides itself what that means. The handler touches atomics only.
enum Interruption {
  /// The address of the cancellation of the running query, 0 when none runs.
  private static let running = Atomic<UInt>(0)
  /// Interrupts since the process listens.
  private static let count = Atomic<Int>(0)

  /// Whether SIGINT ends the process when no query is running.
  private static let endsIdleProcess = Atomic<Bool>(false)

  /// Makes SIGINT do what this type says.
  ///
  /// - Parameter endsIdleProcess: whether it ends the process while no query is running, as it does
  ///   for a script; a shell goes on.
  static func listen(endsIdleProcess: Bool) {
    // All are made now, so that the handler never runs their lazy initialisation.
    count.store(0, ordering: .relaxed)
    running.store(0, ordering: .relaxed)
    Self.endsIdleProcess.store(endsIdleProcess, ordering: .releasing)
    signal(SIGINT) { _ in Interruption.interrupted() }
    // Whoever started us from a thread that blocks signals did not mean us to be deaf.
    var interrupt = SignalSet.interrupt
    pthread_sigmask(SIG_UNBLOCK, &interrupt, nil)
  }

  /// How often SIGINT came so far.
  static var total: Int { count.load(ordering: .acquiring) }

  /// Runs `body` so that SIGINT cancels it.
  static func cancelling<Result>(
    _ cancellation: QueryCancellation, _ body: () throws -> Result
  ) rethrows -> Result {
    let address = UInt(bitPattern: Unmanaged.passUnretained(cancellation).toOpaque())
    running.store(address, ordering: .releasing)
    defer { running.store(0, ordering: .releasing) }
    return try withExtendedLifetime(cancellation) { try body() }
  }

  private static func interrupted() {
    let former = count.add(1, ordering: .acquiringAndReleasing).oldValue
    // Who presses Ctrl-C twice does not want to wait for anything, not even for a reader of the output.
    if former > 0, endsIdleProcess.load(ordering: .acquiring) {
      _exit(CommandExit.interrupted.rawValue)
    }
    guard let address = UnsafeRawPointer(bitPattern: running.load(ordering: .acquiring)) else {
      if endsIdleProcess.load(ordering: .acquiring) { _exit(CommandExit.interrupted.rawValue) }
      return
    }
    // `cancelling` keeps the object alive for as long as its address is published, and
    // `cancel()` is one atomic store, which a signal handler may do.
    Unmanaged<QueryCancellation>.fromOpaque(address).takeUnretainedValue().cancel()
  }
}
