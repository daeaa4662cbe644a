import Columnar
import LogStorage

/// Whether a run may go on: cancellation, deadline, budget, in one place for all its parts.
struct RunControl: StopSignal {
  private(set) var deadline: ContinuousClock.Instant?
  let cancellation: QueryCancellation?
  let budget: MemoryBudget
  /// Row groups left out of the answer.
  let damage = DamageLog()
  let progress: (@Sendable (ScanStatistics) -> Void)?

  init(_ options: QueryOptions) {
    deadline = options.deadline
    cancellation = options.cancellation
    let (deadline, cancellation) = (options.deadline, options.cancellation)
    budget = MemoryBudget(
      limit: options.memoryLimit, mostHeld: options.mostHeldBeforeSpilling ?? .max,
      disk: SpillSpace(
        folders: options.temporaryFolders, fileSystem: options.temporaryFileSystem,
        bufferByteCount: min(256 << 10, options.mostHeldBeforeSpilling ?? .max)
      ) { () throws(QueryFailure) in
        try Self.check(cancellation, deadline)
      })
    progress = options.progress
  }

  /// The same control, with an earlier end if that comes first.
  func limited(to time: Duration?) -> RunControl {
    guard let time else { return self }
    var limited = self
    let end = ContinuousClock.now + time
    limited.deadline = deadline.map { min($0, end) } ?? end
    return limited
  }

  var isRaised: Bool {
    if let cancellation, cancellation.isCancelled { return true }
    return deadline.map { ContinuousClock.now > $0 } ?? false
  }

  /// Runs `body` so that loops deep inside it end soon when the run is to end.
  ///
  /// - Throws: ``QueryFailure`` in place of ``Stopped`` and of all that is thrown once the run is to end; else what `body`
  ///   throws.
  func stopping<Result>(_ body: () throws -> Result) throws -> Result {
    try StopPoint.$signal.withValue(self) {
      do {
        let result = try body()
        // A loop that does not throw may have broken off unnoticed.
        try check()
        return result
      } catch {
        // What a loop left half done may look like damage to whoever reads it next.
        try check()
        throw error is Stopped ? QueryFailure.cancelled : error
      }
    }
  }

  /// Called once per row group and per batch.
  ///
  /// - Throws: ``QueryFailure/cancelled`` or ``QueryFailure/timedOut``.
  func check() throws(QueryFailure) {
    try Self.check(cancellation, deadline)
    budget.freedMemory.look()
  }

  private static func check(
    _ cancellation: QueryCancellation?, _ deadline: ContinuousClock.Instant?
  ) throws(QueryFailure) {
    if let cancellation, cancellation.isCancelled { throw .cancelled }
    if let deadline, ContinuousClock.now > deadline { throw .timedOut }
  }
}
