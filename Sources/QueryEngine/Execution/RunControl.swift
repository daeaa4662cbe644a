import LogStorage

/// Whether a run may go on: cancellation, deadline, budget, in one place for all its parts.
struct RunControl: Sendable {
  let deadline: ContinuousClock.Instant?
  let cancellation: QueryCancellation?
  let budget: MemoryBudget
  /// Row groups left out of the answer.
  let damage = DamageLog()
  let progress: (@Sendable (ScanStatistics) -> Void)?

  init(_ options: QueryOptions) {
    deadline = options.deadline
    cancellation = options.cancellation
    budget = MemoryBudget(limit: options.memoryLimit)
    progress = options.progress
  }

  /// Called once per row group and per batch.
  ///
  /// - Throws: ``QueryFailure/cancelled`` or ``QueryFailure/timedOut``.
  func check() throws(QueryFailure) {
    if let cancellation, cancellation.isCancelled { throw .cancelled }
    if let deadline, ContinuousClock.now > deadline { throw .timedOut }
  }
}
