/// What a repair did, or with `isDryRun` would do.
package struct RepairReport: Sendable, Hashable {
  /// A part that cannot be read and goes.
  package struct Loss: Sendable, Hashable {
    package var logGroup: String
    package var segment: SegmentID
    /// Number of the row group in its segment; `nil` when the whole segment is lost.
    package var rowGroup: Int?
    package var rowCount: UInt64
    /// Bounds of the event times, ms.
    package var minTime: Int64
    package var maxTime: Int64
    package var reason: String
  }

  package var isDryRun: Bool
  /// Segments read.
  package var checkedSegmentCount = 0
  package var damagedSegmentCount = 0
  /// Events of damaged segments that could be read, and were or would be written to new ones.
  package var salvagedRowCount: UInt64 = 0
  package var losses: [Loss] = []
  /// What salvaged events have lost, though their texts, times and streams are whole.
  package var lostDetails: [String] = []
  /// What was lost of the manifest: the store goes on without it.
  package var manifestFaults: [String] = []
  /// Write-ahead logs of writers that died, of which events are lost, each with its damage; what of them is whole was
  /// or would be published.
  package var logFaults: [String] = []
  /// Damage of files of rejected records; the whole lines are or would be kept.
  package var rejectedFaults: [String] = []
  /// Where the damaged files were put, for whoever can do more with them.
  package var keptFiles: [String] = []
  /// What could not be done and why.
  package var problems: [String] = []

  /// Whether there is anything to repair.
  package var isNeeded: Bool {
    damagedSegmentCount > 0 || !manifestFaults.isEmpty || !logFaults.isEmpty
      || !rejectedFaults.isEmpty
  }
  package var lostRowCount: UInt64 { losses.reduce(0) { $0 + $1.rowCount } }
}

/// Writes damaged segments anew from those of their row groups that are whole.
///
/// A row group is whole when its table and all chunks match their checksums and its events add up to
/// the sum that the directory has. It is copied as bytes, so what is salvaged is exactly what was
/// written. One that lacks only times of arrival or numbers of order is encoded anew with what the directory says of
/// them: texts, times and streams must add up to the sum all the same. Where the directory itself is damaged nobody can tell where row groups begin, and the
/// segment is lost as a whole. The damaged file is kept aside; the manifest records what was lost.
struct StoreRepair {
  private let store: LogStore
  private let rewriter: SegmentRewriter

  init(store: LogStore) {
    self.store = store
    rewriter = SegmentRewriter(store: store)
  }

  /// What is wrong with a segment.
  fileprivate struct Finding {
    var record: SegmentRecord
    var logGroup: String
    /// `nil` when it cannot be opened.
    var reader: SegmentReader?
    /// Numbers of its row groups that are kept, in their order, with what has to be put in for them.
    var kept: [(index: Int, lost: LostColumns)] = []
    var losses: [RepairReport.Loss] = []
    var lostDetails: [String] = []
  }

  func run(dryRun: Bool) throws -> RepairReport {
    var report = RepairReport(isDryRun: dryRun)
    report.manifestFaults = try store.manifest.refresh().faults
    if !dryRun, !report.manifestFaults.isEmpty {
      try store.manifest.append { _ in [.lossAccepted] }
    }
    try giveUpLogs(dryRun: dryRun, &report)
    let state = try store.manifest.refresh()
    for name in state.groupNames { try mendRejected(of: name, dryRun: dryRun, &report) }
    for group in state.groups.values.sorted(by: { $0.name < $1.name }) {
      for record in group.segments.values.sorted(by: { ($0.day, $0.id) < ($1.day, $1.id) }) {
        report.checkedSegmentCount += 1
        guard let finding = examine(record, group.name) else { continue }
        do {
          if !dryRun { try repair(finding, &report) }
          report.damagedSegmentCount += 1
          report.losses += finding.losses
          report.lostDetails += finding.lostDetails
          report.salvagedRowCount += finding.salvagedRowCount
        } catch let error as StorageError {
          report.problems.append("log group '\(group.name)': \(error.message)")
        }
      }
    }
    return report
  }

  // MARK: Write-ahead logs

  /// Publishes what is whole of damaged logs, and has the manifest forget those that have gone.
  private func giveUpLogs(dryRun: Bool, _ report: inout RepairReport) throws {
    let logs = try store.view().logs.filter { !$0.damage.isEmpty }
    report.logFaults = logs.flatMap(\.damage)
    if dryRun || logs.isEmpty { return try keepLogsAside(dryRun: dryRun, &report) }
    _ = try WriteAheadRecovery(store: store).run()
    let fileSystem = store.fileSystem
    for log in logs where try fileSystem.status(of: log.path) == nil {
      try store.manifest.append { state in
        state.writeAheadLogs[log.log.id] == nil ? [] : [.writeAheadLogForgotten(id: log.log.id)]
      }
    }
    let waiting = try store.manifest.refresh().writeAheadLogs
    for log in logs where waiting[log.log.id] != nil {
      report.problems.append(
        "\(log.path): stays as it is: a process writes it, or another version of this program did")
    }
    try keepLogsAside(dryRun: dryRun, &report)
  }

  /// Moves the logs that recovery found damaged to where nothing else looks.
  private func keepLogsAside(dryRun: Bool, _ report: inout RepairReport) throws {
    let fileSystem = store.fileSystem
    let folder = store.names.writeAheadLogs
    guard try fileSystem.status(of: folder) != nil else { return }
    for name in try fileSystem.list(folder) where name.hasSuffix(".damaged") {
      if dryRun {
        report.logFaults.append(
          "\(folder)/\(name): a damaged write-ahead log, whose whole events were published")
        continue
      }
      try fileSystem.makeDirectories(store.names.damaged)
      try fileSystem.rename("\(folder)/\(name)", to: "\(store.names.damaged)/\(name)")
      try fileSystem.syncDirectory(store.names.damaged)
      try fileSystem.syncDirectory(folder)
      report.keptFiles.append("\(store.names.damaged)/\(name)")
    }
  }

  private func mendRejected(
    of group: String, dryRun: Bool, _ report: inout RepairReport
  ) throws {
    let log = store.rejectedLog(group)
    guard let contents = try log.check(), !contents.damage.isEmpty else { return }
    report.rejectedFaults += contents.damage
    if dryRun { return }
    if let path = try log.repair(keeping: store.names.damaged, now: store.options.clock.now()) {
      report.keptFiles.append(path)
    }
  }

  // MARK: Looking

  /// What is wrong with a segment, or `nil` when every byte is as it was written.
  private func examine(_ record: SegmentRecord, _ logGroup: String) -> Finding? {
    var finding = Finding(record: record, logGroup: logGroup)
    let path = store.names.segment(record.id, group: record.group, day: record.day)
    do {
      let file = try store.fileSystem.open(path, .read)
      if try file.length() == record.byteCount,
        try SegmentDigest.compute(file) == record.digest
      {
        return nil
      }
      let reader = try SegmentReader(path: path, fileSystem: store.fileSystem)
      guard reader.id == record.id, reader.footer.contentSum == record.contentSum else {
        throw StorageError(.damaged, "\(path): is another segment than the manifest describes")
      }
      finding.reader = reader
      for index in reader.rowGroups.indices { judge(index, of: reader, &finding) }
    } catch {
      finding.losses = [
        RepairReport.Loss(
          logGroup: logGroup, segment: record.id, rowGroup: nil, rowCount: record.rowCount,
          minTime: record.minTime, maxTime: record.maxTime, reason: "\(error)")
      ]
    }
    return finding
  }

  /// Whether a row group is kept, and what of it.
  private func judge(_ index: Int, of reader: SegmentReader, _ finding: inout Finding) {
    let entry = reader.rowGroups[index]
    guard let error = fault(of: entry, reader) else { return finding.kept.append((index, [])) }
    let isInOrder = entry.maxSequence &- entry.minSequence == UInt64(entry.rowCount) &- 1
    let dispensable: [LostColumns] = [.arrival] + (isInOrder ? [.order, [.arrival, .order]] : [])
    if let lost = dispensable.first(where: { fault(of: entry, reader, without: $0) == nil }) {
      finding.kept.append((index, lost))
      finding.lostDetails.append(
        "\(error.message): \(entry.rowCount) events are kept with their texts, times and streams; "
          + (lost.contains(.arrival) ? "their times of arrival are those of the first" : "")
          + (lost == [.arrival, .order] ? ", and " : "")
          + (lost.contains(.order) ? "they are numbered in the order of their times" : ""))
    } else {
      finding.losses.append(
        RepairReport.Loss(
          logGroup: finding.logGroup, segment: finding.record.id, rowGroup: index,
          rowCount: UInt64(entry.rowCount), minTime: entry.minTime, maxTime: entry.maxTime,
          reason: error.message))
    }
  }

  private func fault(
    of entry: RowGroupEntry, _ reader: SegmentReader, without lost: LostColumns = []
  ) -> StorageError? {
    do {
      let records = try EncodedRowGroupReader(
        handle: RowGroupHandle(source: reader.source, entry: entry), logGroup: "", ordinal: 0,
        boundOfRest: nil, window: nil, sequenceBase: 0
      ).records(without: lost)
      guard records.contentSum(of: 0..<records.count) == entry.contentSum,
        UInt64(records.bytes.count) == entry.rawByteCount
      else {
        return StorageError(
          .damaged, "\(reader.source.name): row group at byte \(entry.offset): other events")
      }
      return nil
    } catch let error as StorageError {
      return error
    } catch {
      return StorageError(.damaged, "\(error)")
    }
  }

  // MARK: Mending

  private func repair(_ finding: Finding, _ report: inout RepairReport) throws {
    let record = finding.record
    if let path = try keepAside(record) { report.keptFiles.append(path) }
    let (output, finished) = try salvage(finding)
    defer { withExtendedLifetime(finished) {} }
    let lost = finding.losses.reduce(0) { $0 + $1.rowCount }
    let note = RemovalNote(
      group: record.group, rowCount: lost,
      text: "repair: \(finding.salvagedRowCount) events of the segment could be read")
    do {
      try store.manifest.append { state in
        try rewriter.requireLive([record], in: state)
        return [
          .removalNoted(note),
          .segmentRemoved(
            id: record.id, group: record.group, digest: record.digest, reason: .repaired),
        ] + (output.map { [.segmentAdded($0)] } ?? [])
      }
    } catch let error as StorageError where error.code == .busy {
      if let output { rewriter.discard(output) }
      throw error
    }
  }

  /// A new segment of the whole row groups, in its place; `nil` when there are none.
  private func salvage(_ finding: Finding) throws -> (SegmentRecord?, FinishedSegment?) {
    guard let reader = finding.reader, !finding.kept.isEmpty else { return (nil, nil) }
    let segment = OpenSegment(reader, chunks: DecodedChunkCache(limit: 0))
    let writer = try store.makeSegmentWriter(named: finding.logGroup)
    do {
      for (index, lost) in finding.kept {
        let part = SegmentRewriter.Part(segment: segment, record: finding.record, index: index)
        if lost.isEmpty {
          try rewriter.copy(part, to: writer)
          writer.add(try rewriter.streams(of: part))
        } else {
          let records = try rewriter.records(of: part, without: lost)
          try rewriter.write(records, to: writer)
          writer.add(records.streamCounts)
        }
      }
      let finished = try writer.finish()
      return (try rewriter.place(finished, group: finding.record.group), finished)
    } catch {
      writer.discard()
      throw error
    }
  }

  /// Copies the damaged file to a folder that nothing else touches; `nil` when there is none.
  private func keepAside(_ record: SegmentRecord) throws -> String? {
    let fileSystem = store.fileSystem
    let damaged = store.names.segment(record.id, group: record.group, day: record.day)
    guard try fileSystem.status(of: damaged) != nil else { return nil }
    try fileSystem.makeDirectories(store.names.damaged)
    let path = "\(store.names.damaged)/\(record.id).seg"
    if try fileSystem.status(of: path) != nil { try fileSystem.unlink(path) }
    let source = try fileSystem.open(damaged, .read)
    let copy = try fileSystem.open(path, .createExclusive)
    let length = try source.length()
    var offset: UInt64 = 0
    while offset < length {
      let count = Int(min(1 << 20, length - offset))
      try copy.append(try source.read(at: offset, count: count))
      offset += UInt64(count)
    }
    try copy.sync()
    try fileSystem.syncDirectory(store.names.damaged)
    return path
  }
}

extension StoreRepair.Finding {
  fileprivate var salvagedRowCount: UInt64 {
    guard let reader else { return 0 }
    return kept.reduce(0) { $0 + UInt64(reader.rowGroups[$1.index].rowCount) }
  }
}

extension LogStore {
  /// Reads every segment and replaces damaged ones by what of them is whole.
  ///
  /// - Parameter dryRun: only say what would be done.
  /// - Throws: `StorageError`: `busy` while other maintenance runs.
  /// - Complexity: O(bytes of the store)
  package func repair(dryRun: Bool) throws -> RepairReport {
    if dryRun { return try StoreRepair(store: self).run(dryRun: true) }
    try requireWritable()
    let lock = try lockMaintenance()
    defer { try? lock.unlock() }
    return try StoreRepair(store: self).run(dryRun: false)
  }
}
