/// Writes segments anew without some of their events: for deleted streams and for events past their
/// retention that must be gone from the disk.
///
/// Row groups that keep all their events are copied as bytes. The sum over the events left plus the
/// sum over those taken out must be the sum of the input.
struct EventErasure {
  /// What happens to a row group.
  enum Verdict {
    case keep
    case drop
    /// Each event is judged by its row.
    case judge((RowGroupRecords, Int) -> Bool)
  }

  /// A segment and what replaces it.
  struct Result {
    var input: SegmentRecord
    /// `nil` when no event was left.
    var output: SegmentRecord?
    var erasedRowCount: UInt64
    /// Keeps the lock of the output's file until the manifest names it.
    var finished: FinishedSegment?
  }

  let rewriter: SegmentRewriter

  init(store: LogStore) { rewriter = SegmentRewriter(store: store) }

  /// Writes the successor of one segment to its place; the manifest does not know it yet.
  ///
  /// - Parameter verdict: judges a row group by its entry and the names of its streams.
  /// - Throws: `StorageError`.
  func rewrite(
    _ record: SegmentRecord, logGroup: String,
    verdict: (RowGroupEntry, [String]) -> Verdict
  ) throws -> Result {
    let segment = try rewriter.open(record)
    let writer = try rewriter.store.makeSegmentWriter(named: logGroup)
    do {
      var erased = ContentSum()
      for index in segment.reader.rowGroups.indices {
        let part = SegmentRewriter.Part(segment: segment, record: record, index: index)
        let handle = try segment.handle(index) { _ in }
        switch verdict(part.entry, handle.table.streams) {
        case .keep:
          try rewriter.copy(part, to: writer)
          writer.add(try streams(of: part))
        case .drop:
          erased &+= part.entry.contentSum
        case .judge(let keeps):
          erased &+= try filter(part, keeps, to: writer)
        }
      }
      return try finish(writer, record, erased)
    } catch {
      writer.discard()
      throw error
    }
  }

  private func finish(
    _ writer: SegmentWriter, _ record: SegmentRecord, _ erased: ContentSum
  ) throws -> Result {
    guard writer.rowGroupCount > 0 else {
      writer.discard()
      guard erased == record.contentSum else { throw disagreement(record) }
      return Result(input: record, output: nil, erasedRowCount: record.rowCount, finished: nil)
    }
    let finished = try writer.finish()
    var sum = finished.footer.contentSum
    sum &+= erased
    guard sum == record.contentSum else { throw disagreement(record) }
    var output = try rewriter.place(finished, group: record.group)
    output.inherit(from: record)
    return Result(
      input: record, output: output, erasedRowCount: record.rowCount - output.rowCount,
      finished: finished)
  }

  private func disagreement(_ record: SegmentRecord) -> StorageError {
    StorageError(
      .damaged,
      "rewriting segment \(record.id): the events left and those taken out are not those it had; "
        + "it stays as it is")
  }

  private func filter(
    _ part: SegmentRewriter.Part, _ keeps: (RowGroupRecords, Int) -> Bool, to writer: SegmentWriter
  ) throws -> ContentSum {
    let records = try rewriter.records(of: part)
    var builder = RecordBuilder()
    var erased: [Int] = []
    for row in 0..<records.count {
      if keeps(records, row) {
        _ = builder.append(records, rows: row..<row + 1)
      } else {
        erased.append(row)
      }
    }
    if !builder.isEmpty {
      let kept = builder.take()
      try rewriter.write(kept, to: writer)
      writer.add(kept.streamCounts)
    }
    return records.contentSum(of: erased)
  }

  private func streams(of part: SegmentRewriter.Part) throws -> [StreamCount] {
    try rewriter.streams(of: part)
  }

  /// Puts successors into the manifest in one record, with other actions in front.
  func publish(_ results: [Result], reason: RemovalReason, with first: [ManifestAction]) throws {
    defer { withExtendedLifetime(results) {} }
    do {
      try rewriter.store.manifest.append { state in
        try rewriter.requireLive(results.map(\.input), in: state)
        return first
          + results.map {
            .segmentRemoved(
              id: $0.input.id, group: $0.input.group, digest: $0.input.digest, reason: reason)
          } + results.compactMap(\.output).map { .segmentAdded($0) }
      }
    } catch let error as StorageError where error.code == .busy {
      for output in results.compactMap(\.output) { rewriter.discard(output) }
      throw error
    }
  }
}

extension RowGroupRecords {
  /// Streams that have events, with their counts.
  var streamCounts: [StreamCount] {
    var counts = [UInt64](repeating: 0, count: streams.count)
    for stream in streamOf { counts[Int(stream)] += 1 }
    return zip(streams, counts).filter { $1 > 0 }.map { StreamCount(name: $0, rowCount: $1) }
  }
}

extension LogStore {
  /// Deletes a stream of a group with its events, now and not only from view: segments that hold it
  /// are written anew. Events that others write to the stream meanwhile stay.
  ///
  /// - Returns: how many events were deleted.
  /// - Throws: `StorageError`: `unknownGroup`, `unknownStream` (with the nearest names), `busy`
  /// while
  ///   other maintenance runs.
  @discardableResult
  package func deleteStream(_ stream: String, of group: String) throws -> UInt64 {
    try requireWritable()
    let lock = try lockMaintenance()
    defer { try? lock.unlock() }
    // Events that came before now must be in segments to be taken out of them.
    if let known = try manifest.refresh().group(named: group) {
      try flushLogs { head in
        head.group == known.id && head.streams.contains { $0.name == stream }
      }
    }
    let state = try requireGroup(group, in: manifest.refresh())
    let holding = state.segments.values.filter { $0.streams.contains { $0.name == stream } }
    guard !holding.isEmpty else { throw unknownStream(stream, state) }
    let erasure = EventErasure(store: self)
    let results = try holding.sorted { $0.id < $1.id }.map { record in
      try erasure.rewrite(record, logGroup: group) { _, streams in
        guard let number = streams.firstIndex(of: stream) else { return .keep }
        if streams.count == 1 { return .drop }
        return .judge { $0.streams[Int($0.streamOf[$1])] != streams[number] }
      }
    }
    try erasure.publish(
      results, reason: .deleted, with: [.streamDeleted(group: state.id, name: stream)])
    return results.reduce(0) { $0 + $1.erasedRowCount }
  }

  private func unknownStream(
    _ stream: String, _ group: ManifestState.GroupState
  ) -> StorageError {
    let nearest = LogName.nearest(to: stream, among: group.streams(waiting: []).map(\.name))
    let hint =
      nearest.isEmpty ? "" : "; nearest: " + nearest.map { "'\($0)'" }.joined(separator: ", ")
    return StorageError(
      .unknownStream, "log stream '\(stream)' does not exist in log group '\(group.name)'\(hint)")
  }
}
