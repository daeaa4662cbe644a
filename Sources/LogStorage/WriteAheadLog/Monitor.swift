import Glibc

/// State that several threads share and wait on: a lock with a condition.
///
/// Every change wakes those who wait; there are a handful of them at most, each for something else.
///
/// Unchecked: `state` is only touched between locking and unlocking the mutex.
final class Monitor<State>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var state: State

  init(_ state: sending State) {
    self.state = state
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // Setting the clock of the machine must not lengthen or shorten waits.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Reads or changes the state.
  func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    return try body(&state)
  }

  /// Waits until `body` has a result; it is asked now and after every change.
  func wait<Result>(_ body: (inout State) throws -> Result?) rethrows -> Result {
    while true {
      if let result = try wait(milliseconds: nil, body) { return result }
    }
  }

  /// Waits until `body` has a result, or so long; `nil` when the time is up.
  func wait<Result>(
    milliseconds: Int64?, _ body: (inout State) throws -> Result?
  ) rethrows -> Result? {
    var deadline = timespec()
    if let milliseconds {
      clock_gettime(CLOCK_MONOTONIC, &deadline)
      let nanoseconds = Int64(deadline.tv_nsec) + milliseconds % 1000 * 1_000_000
      deadline.tv_sec += Int(milliseconds / 1000 + nanoseconds / 1_000_000_000)
      deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = try body(&state) {
        pthread_cond_broadcast(changed)
        return result
      }
      if milliseconds == nil {
        pthread_cond_wait(changed, mutex)
      } else if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
        return nil
      }
    }
  }
}

/// A thread that does one thing and is waited for.
final class ServiceThread: Sendable {
  private final class Task: Sendable {
    let work: @Sendable () -> Void
    init(work: @escaping @Sendable () -> Void) { self.work = work }
  }

  private let thread: pthread_t

  /// - Throws: `StorageError` (`busy`) when the machine gives no more threads.
  init(_ work: @escaping @Sendable () -> Void) throws {
    let task = Unmanaged.passRetained(Task(work: work))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { raw in
        // The creator retained the task for this thread, which takes it over.
        Unmanaged<Task>.fromOpaque(raw!).takeRetainedValue().work()
        return nil
      }, task.toOpaque())
    guard status == 0 else {
      task.release()
      throw StorageError(.busy, "no thread to be had: \(String(cString: strerror(status)))")
    }
    self.thread = thread
  }

  /// Lets other threads have the processor before the calling one: encoding must not hold up commits
  /// that somebody waits for.
  static func yieldToOthers() {
    #if os(Linux)
      // There, the niceness is that of a thread, not of the process.
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
    #endif
  }

  /// Waits for its end; to be called once.
  func join() { pthread_join(thread, nil) }
}
