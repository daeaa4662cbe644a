import LogStorage
import Synchronization

/// A source that ends after some row groups of each scan and writes down what is read of them.
final class TrialSource: EventSource {
  private let base: any EventSource
  private let rowLimit: Int
  private let begun = Mutex<[TrialCursor]>([])

  /// - Parameter rowLimit: row groups are handed out until they have so many events; some are very small.
  init(_ base: any EventSource, rowLimit: Int) {
    self.base = base
    self.rowLimit = rowLimit
  }

  /// The scans in the order in which they began; that of the query itself comes last.
  var scans: [TrialCursor] { begun.withLock { $0 } }

  var logGroupNames: [String]? { base.logGroupNames }

  func scan(_ request: ScanRequest) throws -> any RowGroupCursor {
    let cursor = TrialCursor(try base.scan(request), rowLimit: rowLimit)
    begun.withLock { $0.append(cursor) }
    return cursor
  }
}

/// The first row groups of a scan.
final class TrialCursor: RowGroupCursor {
  private let base: any RowGroupCursor
  private let rowLimit: Int
  private let state = Mutex(State())

  private struct State {
    var rowCount = 0
    var traces: [ReadTrace] = []
    var wantsMore = false
  }

  init(_ base: any RowGroupCursor, rowLimit: Int) {
    self.base = base
    self.rowLimit = rowLimit
  }

  /// What was done with each row group.
  var traces: [ReadTrace] { state.withLock { $0.traces } }

  /// Events in the row groups handed out.
  var rowCount: Int { state.withLock { $0.rowCount } }

  /// Whether the query asked for row groups beyond the limit.
  var wantsMore: Bool { state.withLock { $0.wantsMore } }

  var statistics: ScanStatistics { base.statistics }

  func next() throws -> (any RowGroup)? {
    let mayDraw = state.withLock { state in
      if state.rowCount >= rowLimit { state.wantsMore = true }
      return !state.wantsMore
    }
    guard mayDraw, let rowGroup = try base.next() else { return nil }
    let trace = ReadTrace(rowCount: rowGroup.visibleRows.count)
    state.withLock { state in
      state.traces.append(trace)
      state.rowCount += rowGroup.visibleRows.count
    }
    return try rowGroup.traced(by: trace) ?? rowGroup
  }
}
