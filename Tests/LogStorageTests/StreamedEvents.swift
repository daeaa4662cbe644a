import Glibc
import Synchronization

@testable import LogStorage

/// Sends made-up events through a `StreamWriter` and keeps what was acknowledged.
final class StreamedEvents: Sendable {
  private struct State {
    var acknowledged: [String] = []
    var failures: [String] = []
    var outcomeCount = 0
  }

  private let state = Mutex(State())

  /// `time text` of the events that were acknowledged, as `LogStore.events` shows them.
  var acknowledged: [String] { state.withLock { $0.acknowledged } }
  var failures: [String] { state.withLock { $0.failures } }

  /// Sends a batch; with `waiting` returns when it was judged.
  func send(
    _ events: SampleEvents, to writer: StreamWriter, group: String = "api", waiting: Bool = true
  ) throws {
    let before = state.withLock { $0.outcomeCount }
    let lines = zip(events.times, events.texts).map { "\($0) \($1)" }
    let scanned = JSONScanner().scan(events.records.block(), arrivalTime: SampleTime.now)
    try writer.append(scanned, logGroup: group, ingestionTime: SampleTime.now) { [self] error in
      state.withLock { state in
        state.outcomeCount += 1
        if let error {
          state.failures.append("\(error)")
        } else {
          state.acknowledged += lines
        }
      }
    }
    while waiting, state.withLock({ $0.outcomeCount }) == before { usleep(50) }
  }
}

/// A writer whose logs are full after six events.
func makeStreamWriter(
  _ store: LogStore, rowsPerLog: Int = 6, firstLogByteCount: Int = 4096
) throws -> StreamWriter {
  var limits = StreamWriter.Limits()
  limits.rowsPerLog = rowsPerLog
  (limits.logByteCount, limits.firstLogByteCount) = (8192, firstLogByteCount)
  return try StreamWriter(store: store, limits: limits)
}

/// A machine whose power was cut after `batches` were acknowledged: they are in a write-ahead log
/// whose writer is dead.
func machineWithDeadWriter(
  _ batches: [SampleEvents], group: String = "api", prepare: (LogStore) throws -> Void = { _ in }
) throws -> CrashingFileSystem {
  let disk = CrashingFileSystem()
  let store = try makeStore(on: disk)
  try prepare(store)
  let writer = try makeStreamWriter(store, rowsPerLog: 1000)
  let events = StreamedEvents()
  for batch in batches { try events.send(batch, to: writer, group: group) }
  disk.crash(afterOperations: 1)
  _ = try? writer.close()
  return disk.restart()
}
