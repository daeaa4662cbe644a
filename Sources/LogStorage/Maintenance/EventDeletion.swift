/// What a deletion of single events did, or with `isDryRun` would do.
package struct EventDeletionReport: Sendable, Hashable {
  package var isDryRun: Bool
  /// Events that match, all of which are gone afterwards.
  package var rowCount: UInt64 = 0
  /// Segments that were written anew without them, or removed when nothing was left.
  package var segmentCount = 0
  package var removedSegmentCount = 0
  /// Bytes of the segments concerned before, and of their successors; 0 in a dry run.
  package var byteCount: UInt64 = 0
  package var writtenByteCount: UInt64 = 0
}

extension LogStore {
  /// Deletes single events of a group, from the disk and not only from view: segments that hold them
  /// are written anew, all in one step.
  ///
  /// Events are chosen by their sequence numbers, which no merge changes. Maintenance waits
  /// meanwhile; events that others write meanwhile stay.
  ///
  /// - Parameters:
  ///   - note: why, in words that stay in the manifest; they must not repeat what goes.
  ///   - choose: finds the sequence numbers of the events in a snapshot that shows all events of the group,
  ///     also those past its retention.
  /// - Throws: `StorageError`: `unknownGroup`, `busy`, `damaged`; nothing is deleted then. What
  ///   `choose` throws.
  package func deleteEvents(
    of group: String, dryRun: Bool, note: String, choose: (Snapshot) throws -> [UInt64]
  ) throws -> EventDeletionReport {
    _ = try requireGroup(group, in: manifest.refresh())
    if dryRun {
      let snapshot = try snapshot(now: .min)
      var report = EventDeletionReport(isDryRun: true)
      let wanted = try choose(snapshot).sorted()
      report.rowCount = UInt64(wanted.count)
      let state = try requireGroup(group, in: snapshot.state)
      for record in try holders(of: wanted, in: state) {
        report.segmentCount += 1
        report.byteCount += record.byteCount
      }
      return report
    }
    try requireWritable()
    let lock = try lockMaintenance()
    defer { try? lock.unlock() }
    let known = try requireGroup(group, in: manifest.refresh())
    // Events that came before now must be in segments to be taken out of them.
    try flushLogs { $0.group == known.id }
    return try erase(choose(snapshot(now: .min)).sorted(), of: group, note: note)
  }

  private func erase(
    _ wanted: [UInt64], of group: String, note: String
  ) throws -> EventDeletionReport {
    var report = EventDeletionReport(isDryRun: false)
    if wanted.isEmpty { return report }
    let state = try requireGroup(group, in: manifest.refresh())
    let erasure = EventErasure(store: self)
    var results: [EventErasure.Result] = []
    do {
      for record in try holders(of: wanted, in: state) {
        results.append(
          try erasure.rewrite(record, logGroup: group) { entry, _ in
            let range = entry.sequences(base: record.sequenceBase)
            guard wanted.holdsAny(of: range) else { return .keep }
            return .judge { !wanted.holdsAny(of: $0.sequences[$1]...$0.sequences[$1]) }
          })
      }
      report.rowCount = results.reduce(0) { $0 + $1.erasedRowCount }
      guard report.rowCount == UInt64(wanted.count) else {
        throw StorageError(
          .busy,
          "log group '\(group)': \(wanted.count) events match, but \(report.rowCount) of them are "
            + "in segments; the others are still with the process that writes them: try again")
      }
    } catch {
      erasure.discard(results)
      throw error
    }
    let audit = RemovalNote(group: state.id, rowCount: report.rowCount, text: note)
    // Segments without a match, whose numbers only enclose those of one, stay as they are.
    let changed = results.filter { $0.erasedRowCount > 0 }
    erasure.discard(results.filter { $0.erasedRowCount == 0 })
    try erasure.publish(changed, reason: .deleted, with: [.removalNoted(audit)])
    report.segmentCount = changed.count
    report.removedSegmentCount = changed.count { $0.output == nil }
    report.byteCount = changed.reduce(0) { $0 + $1.input.byteCount }
    report.writtenByteCount = changed.reduce(0) { $0 + ($1.output?.byteCount ?? 0) }
    return report
  }

  /// Segments with a row group whose numbers enclose a wanted one.
  private func holders(
    of wanted: [UInt64], in group: ManifestState.GroupState
  ) throws -> [SegmentRecord] {
    guard !wanted.isEmpty else { return [] }
    return try group.segments.values.sorted { $0.id < $1.id }.filter { record in
      try cache.open(record) { _ in }.rowGroups.contains {
        wanted.holdsAny(of: $0.sequences(base: record.sequenceBase))
      }
    }
  }
}

extension EventErasure {
  /// Removes successors that are not to get into the manifest.
  func discard(_ results: [Result]) {
    for output in results.compactMap(\.output) { rewriter.discard(output) }
  }
}

extension RowGroupEntry {
  /// Bounds of the final sequence numbers of its events.
  fileprivate func sequences(base: UInt64) -> ClosedRange<UInt64> {
    let base = sequenceBase &+ base
    let (first, last) = (minSequence &+ base, maxSequence &+ base)
    return min(first, last)...max(first, last)
  }
}

extension [UInt64] {
  /// Whether a number of an ascending list lies in a range.
  fileprivate func holdsAny(of range: ClosedRange<UInt64>) -> Bool {
    let first = partitioningIndex { $0 >= range.lowerBound }
    return first < count && self[first] <= range.upperBound
  }
}
