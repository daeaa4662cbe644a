import Columnar
import Glibc
import Synchronization

/// Runs one piece of work on several threads at once, the calling thread among them.
///
/// Threads are made and joined for each call (some 25 µs each): work here lasts milliseconds at
/// least, and a store that is only read should not keep threads.
package enum Workers {
  /// Processors this process may use; at least one.
  package static var available: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Calls `body` with `0..<count`, each on a thread of its own (0 on the calling one), and returns
  /// when all have. What stops the calling thread (``StopPoint``) stops all.
  ///
  /// - Throws: the error of the lowest-numbered worker that threw; the others run to their end.
  package static func run(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let outcome = Outcome(count: count)
    let signal = StopPoint.signal
    var threads: [pthread_t] = []
    for worker in 1..<max(count, 1) {
      let task = Unmanaged.passRetained(
        Task {
          outcome.record(worker) {
            try StopPoint.$signal.withValue(signal) { try body(worker) }
          }
        })
      var thread = pthread_t()
      let status = pthread_create(
        &thread, nil,
        { raw in
          // The creator retained the task for this thread, which takes it over.
          Unmanaged<Task>.fromOpaque(raw!).takeRetainedValue().work()
          return nil
        }, task.toOpaque())
      if status == 0 {
        threads.append(thread)
      } else {
        // No thread to be had: the work is drawn by the others from where it is shared.
        task.release()
      }
    }
    outcome.record(0) { try body(0) }
    for thread in threads { pthread_join(thread, nil) }
    try outcome.rethrow()
  }

  private final class Task: Sendable {
    let work: @Sendable () -> Void
    init(work: @escaping @Sendable () -> Void) { self.work = work }
  }

  private final class Outcome: Sendable {
    private let errors: Mutex<[(any Error)?]>

    init(count: Int) { errors = Mutex(Array(repeating: nil, count: max(count, 1))) }

    func record(_ worker: Int, _ body: () throws -> Void) {
      do { try body() } catch { errors.withLock { $0[worker] = error } }
    }

    func rethrow() throws {
      if let error = errors.withLock({ $0.compactMap { $0 }.first }) { throw error }
    }
  }
}
