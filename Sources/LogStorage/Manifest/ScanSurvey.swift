/// Names the table of a row group, or the directory of a segment.
package struct TableName: Sendable, Hashable {
  let segment: SegmentID
  /// `nil` for the directory.
  let rowGroup: Int?
}

/// What a scan would read and what it would skip, found out by going through it without reading a column.
package struct ScanSurvey: Sendable {
  /// What the scan counts if it goes on to its end, but for the bytes it reads.
  package var statistics = ScanStatistics()
  /// Bytes of the directories and tables that have to be read, wherever they are at the moment. Two scans of one
  /// query read a table once.
  package var tables: [TableName: Int] = [:]
  /// Events of the log groups in the window, those in skipped row groups among them.
  package var eventCount = 0
  /// Bytes of their texts.
  package var rawByteCount = 0
  /// Bytes of the row groups that the scan would read, as stored.
  package var storedByteCount = 0
  /// What is stored under each name in the row groups that the scan would read; only if asked for.
  package var chunks: [ChunkName: ChunkTotal] = [:]

  package init() {}
}

extension EventSource {
  /// Goes through a scan by handing out its row groups, which sources in memory can afford.
  package func survey(_ request: ScanRequest, listsChunks: Bool) throws -> ScanSurvey {
    let cursor = try scan(request)
    var survey = ScanSurvey()
    while let rowGroup = try cursor.next() {
      survey.eventCount += rowGroup.visibleRows.count
      survey.rawByteCount += rowGroup.rawByteCount
    }
    survey.statistics = cursor.statistics
    return survey
  }
}
