import Glibc
import QueryEngine
import Synchronization

/// Ctrl-C, handed to whatever is running.
///
/// While a query runs, SIGINT cancels it through its `QueryCancellation`; the process goes on and
/// decides itself what that means. The handler touches atomics only.
///
/// A process that ends with its query ends soon, whatever the query is at: rows that are ready still leave and all is
/// tidied up if that is done within ``patience``. Else the process says that the query was cancelled and is gone. Giving
/// back gigabytes piece by piece, or waiting for a disk that does not answer, is not worth anybody's time then; the
/// system takes all back at once. Nothing is left behind: a query writes to files without a name only.
enum Interruption {
  /// The address of the cancellation of the running query, 0 when none runs.
  private static let running = Atomic<UInt>(0)
  /// Interrupts since the process listens.
  private static let count = Atomic<Int>(0)

  /// Whether SIGINT ends the process when no query is running.
  private static let endsIdleProcess = Atomic<Bool>(false)

  /// Where the last words of a process lie that ends with its query, and how many bytes they have; 0 for a shell, which
  /// goes on.
  private static let lastWords = Atomic<UInt>(0)
  private static let lastWordsCount = Atomic<Int>(0)

  /// How long a cancelled query may take to end by itself before the process ends without it, in microseconds.
  private static let patience = 40_000

  /// Makes SIGINT do what this type says.
  ///
  /// - Parameter lastWords: what a process says on standard error that ends when its query does not, and also when no query
  ///   is running, as a script; `nil` for a shell, which goes on.
  static func listen(lastWords: String?) {
    // All are made now, so that the handlers never run their lazy initialisation.
    count.store(0, ordering: .relaxed)
    running.store(0, ordering: .relaxed)
    setLastWords(lastWords)
    endsIdleProcess.store(lastWords != nil, ordering: .releasing)
    signal(SIGINT) { _ in Interruption.interrupted() }
    signal(SIGALRM) { _ in Interruption.patienceIsOver() }
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
    defer {
      running.store(0, ordering: .releasing)
      setTimer(0)
    }
    return try withExtendedLifetime(cancellation) { try body() }
  }

  /// Copies the words to where they stay for as long as the process runs: a handler can allocate nothing.
  private static func setLastWords(_ words: String?) {
    guard let words, !words.isEmpty else { return }
    let bytes = Array(words.utf8)
    let place = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    place.initialize(from: bytes, count: bytes.count)
    lastWordsCount.store(bytes.count, ordering: .relaxed)
    lastWords.store(UInt(bitPattern: place), ordering: .releasing)
  }

  /// Has SIGALRM come after so many microseconds, or not at all.
  private static func setTimer(_ microseconds: Int) {
    var timer = itimerval()
    timer.it_value.tv_usec = microseconds
    setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  private static func patienceIsOver() {
    // The query may just have ended; then the process says so itself.
    guard running.load(ordering: .acquiring) != 0, endsIdleProcess.load(ordering: .acquiring) else {
      return
    }
    // The place holds as many bytes as are stored beside it, and is never freed.
    if let words = UnsafeRawPointer(bitPattern: lastWords.load(ordering: .acquiring)) {
      _ = write(STDERR_FILENO, words, lastWordsCount.load(ordering: .relaxed))
    }
    _exit(CommandExit.interrupted.rawValue)
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
    // A bare system call.
    if endsIdleProcess.load(ordering: .acquiring) { setTimer(patience) }
    // `cancelling` keeps the object alive for as long as its address is published, and
    // `cancel()` is one atomic store, which a signal handler may do.
    Unmanaged<QueryCancellation>.fromOpaque(address).takeUnretainedValue().cancel()
  }
}
