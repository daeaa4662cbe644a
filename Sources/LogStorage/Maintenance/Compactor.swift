/// Merges segments of one day of a log group into one.
///
/// Row groups that are full and overlap no other in time are copied as bytes; the others are
/// decoded, merged by (time, sequence) and encoded again. In time order the row groups form
/// stretches:
///
///     full  |  small small overlapping  |  full  |  small
///     copied     merged into full ones    copied   copied: there is nothing to merge it with
///
/// - SeeAlso: <doc:Durability>, "Compaction"
struct Compactor {
  private let rewriter: SegmentRewriter

  init(store: LogStore) { rewriter = SegmentRewriter(store: store) }

  /// Merges and publishes.
  ///
  /// - Throws: `StorageError`; the inputs then stay as they are. `busy` when one of them was
  /// removed meanwhile.
  func merge(_ inputs: [SegmentRecord], logGroup: String) throws -> SegmentRecord {
    let finished = try write(inputs, logGroup: logGroup)
    do {
      try check(finished, against: inputs, logGroup: logGroup)
    } catch {
      finished.discard()
      throw error
    }
    var output = try rewriter.place(finished, group: inputs[0].group)
    output.inherit(from: inputs)
    // The lock of the file must outlive the append, or the collector could take it for an orphan.
    defer { withExtendedLifetime(finished) {} }
    do {
      try rewriter.store.manifest.append { state in
        try rewriter.requireLive(inputs, in: state)
        return inputs.map {
          .segmentRemoved(id: $0.id, group: $0.group, digest: $0.digest, reason: .compacted)
        } + [.segmentAdded(output)]
      }
    } catch let error as StorageError where error.code == .busy {
      // Certain not to be in the manifest; after any other error the collector decides.
      rewriter.discard(output)
      throw error
    }
    return output
  }

  private func write(_ inputs: [SegmentRecord], logGroup: String) throws -> FinishedSegment {
    let parts = try inputs.flatMap { record in
      let segment = try rewriter.open(record)
      return segment.reader.rowGroups.indices.map {
        SegmentRewriter.Part(segment: segment, record: record, index: $0)
      }
    }
    let writer = try rewriter.store.makeSegmentWriter(named: logGroup)
    do {
      for stretch in Self.stretches(parts) {
        if stretch.count == 1 {
          try rewriter.copy(stretch[0], to: writer)
        } else {
          try merge(stretch, to: writer)
        }
      }
      for record in inputs { writer.add(record.streams) }
      return try writer.finish()
    } catch {
      writer.discard()
      throw error
    }
  }

  private func merge(_ stretch: [SegmentRewriter.Part], to writer: SegmentWriter) throws {
    var merge = RecordMerge(
      stretch.map { part in
        RecordMerge.Input(minTime: part.entry.minTime) { try rewriter.records(of: part) }
      })
    while let records = try merge.next() { try rewriter.write(records, to: writer) }
  }

  /// Row groups in time order, cut before and after each that is to be copied.
  private static func stretches(_ parts: [SegmentRewriter.Part]) -> [[SegmentRewriter.Part]] {
    let ordered = parts.sorted {
      ($0.entry.minTime, $0.entry.maxTime, $0.record.id, $0.index)
        < ($1.entry.minTime, $1.entry.maxTime, $1.record.id, $1.index)
    }
    var stretches: [[SegmentRewriter.Part]] = []
    var open: [SegmentRewriter.Part] = []
    // Newest event of all before: what starts after it overlaps none of them.
    var newest = Int64.min
    for (position, part) in ordered.enumerated() {
      let entry = part.entry
      let isAfter = position == 0 || entry.minTime > newest
      let isBefore =
        position + 1 == ordered.count || ordered[position + 1].entry.minTime > entry.maxTime
      if isAfter, isBefore, isFull(entry) {
        if !open.isEmpty { stretches.append(open) }
        stretches.append([part])
        open = []
      } else {
        open.append(part)
      }
      newest = max(newest, entry.maxTime)
    }
    return open.isEmpty ? stretches : stretches + [open]
  }

  /// Full enough to be left as it is.
  private static func isFull(_ entry: RowGroupEntry) -> Bool {
    Int(entry.rowCount) >= StorageLimits.rowsPerRowGroup / 2
      || Int(entry.rawByteCount) >= StorageLimits.rawBytesPerRowGroup / 2
  }

  private func check(
    _ output: FinishedSegment, against inputs: [SegmentRecord], logGroup: String
  ) throws {
    let sum = inputs.reduce(into: ContentSum()) { $0 &+= $1.contentSum }
    let rows = inputs.reduce(0) { $0 + $1.rowCount }
    let rawBytes = inputs.reduce(0) { $0 + $1.rawByteCount }
    guard output.footer.contentSum == sum, output.footer.rowCount == rows,
      output.footer.rawByteCount == rawBytes
    else {
      throw StorageError(
        .damaged,
        "merging \(inputs.count) segments of log group '\(logGroup)' gave \(output.footer.rowCount) "
          + "events where they have \(rows), or other texts; the segments stay as they are")
    }
  }
}
