import LogStorage
import Synchronization

/// Row groups that had to be left out because a column of theirs turned out to be damaged.
///
/// What fails its check before a row group is handed out, the scan leaves out itself. A column is
/// checked when it is first read, so its damage shows in the middle of the work: the row group's
/// piece is dropped whole, never half counted, and its name is kept for the answer.
final class DamageLog: Sendable {
  private let damaged = Mutex<[String]>([])

  /// What was left out, sorted, so that the order does not depend on the workers.
  var parts: [String] { damaged.withLock { $0.sorted() } }

  func add(_ error: StorageError, in logGroup: String) {
    damaged.withLock { $0.append("log group '\(logGroup)': \(error.message)") }
  }
}
