package import Columnar

/// Where the events of a query come from: a snapshot of a store, or files read without a store.
package protocol EventSource: Sendable {
  /// Starts reading.
  ///
  /// - Throws: `StorageError` (`unknownGroup` names the nearest groups).
  func scan(_ request: ScanRequest) throws -> any RowGroupCursor

  /// The names of the log groups that can be read; `nil` where events belong to none.
  var logGroupNames: [String]? { get }
}

extension EventSource {
  package var logGroupNames: [String]? { nil }
}

/// Which events a scan is to deliver, and in what order.
package struct ScanRequest: Sendable {
  package enum Order: Sendable {
    /// Any order; the cheapest.
    case unspecified
    /// Row groups by descending newest event.
    case newestFirst
    /// Row groups by ascending oldest event.
    case oldestFirst
  }

  /// Log groups by name; `nil` reads all.
  package var logGroups: [String]?
  /// Event times in ms, both ends inclusive; `nil` has no bounds.
  package var window: ClosedRange<Int64>?
  package var order: Order
  /// Conditions that every wanted event satisfies: row groups in which none can are skipped.
  package var predicates: [FieldPredicate]

  package init(
    logGroups: [String]? = nil, window: ClosedRange<Int64>? = nil, order: Order = .unspecified,
    predicates: [FieldPredicate] = []
  ) {
    self.logGroups = logGroups
    self.window = window
    self.order = order
    self.predicates = predicates
  }
}

/// Hands out row groups. Any number of workers may call `next()` at once.
package protocol RowGroupCursor: Sendable {
  /// The next row group that the request cannot rule out, or `nil` at the end. Ordered scans deliver
  /// in order. An ordered scan over an unordered source (a file) may deliver in any order with
  /// `boundOfRest` set to the extreme; only `boundOfRest` may be relied on.
  ///
  /// - Throws: `StorageError`; damaged parts are left out, counted in `statistics`, and do not throw.
  func next() throws -> (any RowGroup)?

  /// What was read and what was skipped, so far.
  var statistics: ScanStatistics { get }
}

/// Counters of a scan.
package struct ScanStatistics: Sendable {
  /// Events in the row groups handed out.
  package var rowsScanned = 0
  /// Bytes read from disk, as stored.
  package var bytesRead = 0
  /// Bytes of the texts of the events in the row groups handed out.
  package var rawBytesScanned = 0
  package var segmentsRead = 0
  package var segmentsSkipped = 0
  package var rowGroupsRead = 0
  package var rowGroupsSkipped = 0
  package var logGroupsScanned = 0
  /// Events in segments and row groups that were skipped.
  package var rowsSkipped = 0
  /// Parts that could not be read, each named with its group and time range; not empty means that the
  /// answer is complete only for the rest.
  package var damagedParts: [String] = []

  package init() {}
}
