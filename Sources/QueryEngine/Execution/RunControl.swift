import LogStorage

/// Whether a run may go on: cancellation, deadline, budget, in one place for all its parts.
struct RunControl: Sendable {
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

  /// Called once per row group and per batch.
  ///
  /// - Throws: ``QueryFailure/cancelled`` or ``QueryFailure/timedOut``.
  func check() throws(QueryFailure) { try Self.check(cancellation, deadline) }

  private static func check(
    _ cancellation: QueryCancellation?, _ deadline: ContinuousClock.Instant?
  ) throws(QueryFailure) {
    if let cancellation, cancellation.isCancelled { throw .cancelled }
    if let deadline, ContinuousClock.now > deadline { throw .timedOut }
  }
}
