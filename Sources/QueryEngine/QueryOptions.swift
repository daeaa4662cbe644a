package import LogStorage
package import QueryLanguage
import Synchronization

/// Everything about one run of a query that is not in its text.
package struct QueryOptions: Sendable {
  /// Log groups by name; `nil` reads all of the source, or those that `SOURCE` names.
  package var logGroups: [String]?
  /// Event times in ms, both ends inclusive; `nil` has no bounds.
  package var window: ClosedRange<Int64>?
  /// What the query calls now, in ms since 1970; one value for the whole query.
  package var now: Int64
  /// Bytes that the query may hold in group tables, sorts and sets before it goes on from disk, or fails
  /// by name where it cannot.
  package var memoryLimit: Int
  /// Bytes after which a sort, a `stats`, a `dedup` or a `join` goes on from disk; `nil` when memory has
  /// no more room. Answers are the same; tests compare the two.
  package var mostHeldBeforeSpilling: Int?
  /// Folders for temporary files, tried in turn; the source of the events may put its own first.
  package var temporaryFolders: [String]
  /// What makes temporary files; tests put another one in.
  package var temporaryFileSystem: any FileSystem
  /// When the query gives up; `nil` never.
  package var deadline: ContinuousClock.Instant?
  /// Whether the leniencies of the language are errors, as they are in CloudWatch.
  package var isStrict: Bool
  /// Whether a field that no event has is looked into, to tell what was probably meant; that costs
  /// something only then.
  package var suggestsFields: Bool
  /// Threads that work on row groups, the calling one among them; at least 1.
  package var workers: Int
  /// Whether the optimizer's rules run. Answers are the same without; tests compare the two.
  package var isOptimized: Bool
  /// Most rows of the result, combined with the query's own `limit` as a minimum; `nil` has none.
  package var resultLimit: Int?
  /// The tables of `lookup` and `cidrlookup`; `nil` has none.
  package var lookupTables: LookupTables?
  /// The queries that `$name()` calls; `nil` has none.
  package var savedQueries: SavedQueries?
  /// Stops the query from another thread.
  package var cancellation: QueryCancellation?
  /// Told how far the scan is, from any worker, after each row group.
  package var progress: (@Sendable (ScanStatistics) -> Void)?

  package init(now: Int64) {
    self.now = now
    logGroups = nil
    window = nil
    memoryLimit = 512 << 20
    mostHeldBeforeSpilling = nil
    temporaryFolders = Self.standardTemporaryFolders
    temporaryFileSystem = PosixFileSystem()
    deadline = nil
    isStrict = false
    suggestsFields = false
    workers = ProcessorCount.available
    isOptimized = true
    resultLimit = nil
    lookupTables = nil
    savedQueries = nil
    cancellation = nil
    progress = nil
  }
}

/// A switch by which another thread, or a signal handler, stops a running query.
package final class QueryCancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  package init() {}

  /// Makes the query stop with ``QueryFailure/cancelled`` before its next row group.
  package func cancel() { flag.store(true, ordering: .relaxed) }

  /// Whether `cancel()` was called.
  package var isCancelled: Bool { flag.load(ordering: .relaxed) }
}
