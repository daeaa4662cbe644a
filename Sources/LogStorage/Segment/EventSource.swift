package import Columnar

/// Where the events of a query come from: a snapshot of a store, or files read without a store.
package protocol EventSource: Sendable {
  /// Starts reading.
  ///
  /// - Throws: `StorageError` (`unknownGroup` names the nearest groups).
  func scan(_ request: ScanRequest) throws -> any RowGroupCursor

  /// The names of the log groups that can be read; `nil` where events belong to none.
  var logGroupNames: [String]? { get }

  /// What a scan would read and skip, judged as the scan itself judges.
  ///
  /// - Parameter listsChunks: whether to list what is stored in the row groups to be read.
  /// - Throws: as ``scan(_:)``.
  func survey(_ request: ScanRequest, listsChunks: Bool) throws -> ScanSurvey

  /// A folder for temporary files of those who read it; `nil` where it has none.
  var temporaryFolder: String? { get }
}

extension EventSource {
  package var logGroupNames: [String]? { nil }
  package var temporaryFolder: String? { nil }
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
  /// Only the number of events is wanted, in no order: row groups may have no columns to be read.
  package var needsOnlyCounts = false
  /// Of the fields only ``RowGroup/counts(of:)`` is asked, as long as that has an answer.
  package var countsValues = false
  /// Fields that are read for all events, so that they can be fetched early.
  package var fields: [String]
  /// How many workers are going to draw row groups at once.
  package var workers = 1

  package init(
    logGroups: [String]? = nil, window: ClosedRange<Int64>? = nil, order: Order = .unspecified,
    predicates: [FieldPredicate] = [], fields: [String] = []
  ) {
    self.logGroups = logGroups
    self.window = window
    self.order = order
    self.predicates = predicates
    self.fields = fields
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

/// Why a scan does not read a part of the store.
package enum SkipReason: Sendable, Hashable {
  /// Its events lie outside the window.
  case outsideWindow
  /// Its events are older than their log group keeps them.
  case pastRetention
  /// None of its events has a field that every wanted one has.
  case fieldAbsent(String)
  /// The values of a field lie between a least and a greatest one that rule it out.
  case outsideBounds(String)
  /// A field holds identifiers, and a filter over them says that the one looked for is not among them.
  case identifierAbsent(String)
}

/// How much a scan skipped for one reason.
package struct SkipCount: Sendable, Hashable {
  /// Segments that were not even opened.
  package var segments = 0
  package var rowGroups = 0
  package var rows = 0

  package init() {}

  mutating func add(rowGroups: Int, rows: Int) {
    self.rowGroups += rowGroups
    self.rows += rows
  }

  package static func + (a: SkipCount, b: SkipCount) -> SkipCount {
    var sum = a
    sum.segments += b.segments
    sum.rowGroups += b.rowGroups
    sum.rows += b.rows
    return sum
  }
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
  /// What was skipped, by reason.
  package var skips: [SkipReason: SkipCount] = [:]
  /// Parts that could not be read, each named with its group and time range; not empty means that the
  /// answer is complete only for the rest.
  package var damagedParts: [String] = []

  package init() {}

  mutating func skip(segment: SegmentRecord, _ reason: SkipReason) {
    segmentsSkipped += 1
    skips[reason, default: SkipCount()].segments += 1
    skip(rowGroups: Int(segment.rowGroupCount), rows: Int(segment.rowCount), reason)
  }

  mutating func skip(_ entry: RowGroupEntry, _ reason: SkipReason) {
    skip(rowGroups: 1, rows: Int(entry.rowCount), reason)
  }

  private mutating func skip(rowGroups: Int, rows: Int, _ reason: SkipReason) {
    rowGroupsSkipped += rowGroups
    rowsSkipped += rows
    skips[reason, default: SkipCount()].add(rowGroups: rowGroups, rows: rows)
  }
}
