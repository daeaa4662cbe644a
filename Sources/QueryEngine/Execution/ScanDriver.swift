import LogStorage
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

// A scan on several threads. Each worker draws a row group from the shared cursor, works on it alone
// and leaves a piece in the queue, which gives the pieces on in the order of the scan. Nothing else
// is shared, so there is nothing else to lock.

/// Workers drawing from one cursor, and the pieces they leave.
final class ScanDriver<Piece: Sendable>: Sendable {
  private struct State {
    var queue: OrdinalQueue<Piece>
    var isStopped = false
    /// Whether the consumer takes nothing more until all workers have ended.
    var isConsumerGone = false
    /// The only worker that goes on drawing.
    var lastWorker: Int?
  }

  private let cursor: any RowGroupCursor
  private let control: RunControl
  private let workers: Int
  private let state: Mutex<State>
  private let byteCount: @Sendable (Piece) -> Int
  private let isEnough: @Sendable (any RowGroup) -> Bool
  private let process: @Sendable (any RowGroup) throws -> Piece?

  /// - Parameters:
  ///   - byteCount: how many bytes a piece takes, for those who wait for the consumer.
  ///   - isEnough: whether nothing behind a row group is wanted unless it turns out to be damaged. The worker that has
  ///     drawn it finds out; the others draw nothing more.
  ///   - process: turns a row group into a piece, or `nil` if nothing of it is left.
  init(
    cursor: any RowGroupCursor, control: RunControl, workers: Int,
    byteCount: @escaping @Sendable (Piece) -> Int = { _ in 0 },
    isEnough: @escaping @Sendable (any RowGroup) -> Bool = { _ in false },
    process: @escaping @Sendable (any RowGroup) throws -> Piece?
  ) {
    self.cursor = cursor
    self.control = control
    self.workers = workers
    self.byteCount = byteCount
    self.isEnough = isEnough
    self.process = process
    state = Mutex(State(queue: OrdinalQueue(workers: workers)))
  }

  /// Says that the consumer takes nothing more until all workers have ended.
  func consumerEnds() { state.withLock { $0.isConsumerGone = true } }

  /// Makes all workers end after the row group they are at.
  func stop() { state.withLock { $0.isStopped = true } }

  /// Draws and processes row groups to the end of the scan.
  ///
  /// - Parameter afterEach: called behind each row group, on the thread of the worker.
  func work(_ worker: Int, afterEach: () throws -> Void) throws {
    defer { state.withLock { $0.queue.didDraw(worker, nil) } }
    do {
      while try mayDraw(worker) {
        guard let rowGroup = try cursor.next() else { return }
        let ordinal = rowGroup.ordinal
        let isEnough = isEnough(rowGroup)
        state.withLock { state in
          state.queue.didDraw(worker, ordinal)
          if isEnough, state.lastWorker == nil { state.lastWorker = worker }
        }
        let piece = try processed(rowGroup)
        try control.check()
        state.withLock { state in
          if let piece {
            state.queue.deposit(worker, ordinal, piece, byteCount: byteCount(piece))
          } else {
            state.queue.pass(worker)
          }
        }
        control.progress?(cursor.statistics)
        try afterEach()
      }
    } catch {
      stop()
      throw error
    }
  }

  /// The piece of a row group; none when a column it needs is damaged.
  private func processed(_ rowGroup: any RowGroup) throws -> Piece? {
    do {
      return try process(rowGroup)
    } catch let error as StorageError where error.code == .damaged {
      control.damage.add(error, in: rowGroup.logGroup)
      return nil
    }
  }

  private func mayDraw(_ worker: Int) throws -> Bool {
    try control.check()
    return state.withLock { state in
      guard !state.isStopped, state.lastWorker ?? worker == worker else { return false }
      state.queue.willDraw(worker)
      return true
    }
  }

  /// Waits while pieces lie in the queue and another one would make them more than so many bytes, so that a slow reader
  /// of the result, or a slow worker whose piece is next, does not fill the memory. Not for a worker that alone takes
  /// pieces out.
  ///
  /// It sleeps and looks again: the wait is as long as a consumer's write, and a millisecond more
  /// does not matter then.
  ///
  /// - Parameter meanwhile: called while it waits, as somebody has to take out what becomes ready.
  func waitForRoom(of mostWaiting: Int, _ meanwhile: () throws -> Void = {}) throws {
    while state.withLock({
      !$0.isStopped && !$0.isConsumerGone && $0.queue.isFull(for: mostWaiting)
    }) {
      try control.check()
      usleep(1000)
      try meanwhile()
    }
  }

  /// Removes the piece that is next in the order of the scan, if it is there.
  func takeFirst() -> Piece? { state.withLock { $0.queue.takeFirst() } }

  /// Hands the pieces that are next to `body`, one thread at a time, in the order of the scan.
  func reduceReady(_ body: (Piece) throws -> Void) throws {
    try state.withLock { state in
      while let piece = state.queue.takeFirst() { try body(piece) }
    }
  }
}
