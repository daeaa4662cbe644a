import LogStorage

/// The times of the first and last event of the selected log groups: the window of a query that has
/// none, for what depends on a window.
enum SelectedSpan {
  /// The span, found by reading the times of all events; `nil` if there is none.
  static func find(
    _ scan: ScanStep, on source: any EventSource, _ control: RunControl
  ) throws -> ClosedRange<Int64>? {
    let cursor = try source.scan(ScanRequest(logGroups: scan.logGroups))
    var span: ClosedRange<Int64>?
    while let rowGroup = try cursor.next() {
      try control.check()
      let times = try rowGroup.timestamps()[rowGroup.visibleRows]
      guard let first = times.first, let last = times.last else { continue }
      span = min(span?.lowerBound ?? first, first)...max(span?.upperBound ?? last, last)
    }
    return span
  }
}
