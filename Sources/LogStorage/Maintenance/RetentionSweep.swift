#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What one maintenance run did, or with `isDryRun` would do.
package struct RetentionReport: Sendable, Hashable {
  /// What a group lost to its retention.
  package struct Expiry: Sendable, Hashable {
    package var logGroup: String
    /// Events before this time (ms) are past the retention.
    package var cutoff: Int64
    package var segmentCount: Int
    package var rowCount: UInt64
    package var rawByteCount: UInt64
    package var storedByteCount: UInt64
  }

  /// What a group lost, or is to lose, to its size limit.
  package struct Surplus: Sendable, Hashable {
    package var logGroup: String
    package var maximumByteCount: UInt64
    /// Segments that went as a whole.
    package var segmentCount: Int
    /// Events that went, of those segments and of segments that were written anew.
    package var rowCount: UInt64
    package var storedByteCount: UInt64
  }

  package var isDryRun: Bool
  /// Groups that lost whole segments, in ascending order of their names.
  package var expired: [Expiry] = []
  /// Groups above their size limit, in ascending order of their names.
  package var surplus: [Surplus] = []
  /// Events erased from segments that hold newer ones too (`exact`).
  package var erasedRowCount: UInt64 = 0
  /// Events published that writers which ended early had left in their logs.
  package var recoveredRowCount: UInt64 = 0
  package var mergeCount = 0
  /// Segments that merges replaced, and their bytes.
  package var mergedSegmentCount = 0
  package var mergedByteCount: UInt64 = 0
  /// Bytes of the segments that merges made; 0 in a dry run.
  package var writtenByteCount: UInt64 = 0
  /// Files removed from the disk, and their bytes.
  package var removedFileCount = 0
  package var removedByteCount: UInt64 = 0
  /// What could not be done and why; the segments concerned stay as they are.
  package var problems: [String] = []
  /// Expired events that are still on the disk (`exact`), and who keeps them there.
  package var remaining: [Remainder] = []

  package var expiredSegmentCount: Int { expired.reduce(0) { $0 + $1.segmentCount } }
  package var expiredRowCount: UInt64 { expired.reduce(0) { $0 + $1.rowCount } }
  package var expiredByteCount: UInt64 { expired.reduce(0) { $0 + $1.storedByteCount } }

  /// Nothing was changed, or would be.
  package var isNoOperation: Bool {
    expired.isEmpty && surplus.isEmpty && erasedRowCount == 0 && recoveredRowCount == 0
      && mergeCount == 0
      && removedFileCount == 0
  }
}

/// The job that cron runs: expires what is past its retention, merges what is fragmented, removes
/// files.
struct RetentionSweep {
  private let store: LogStore
  private let groupNames: [String]?
  private let now: Int64
  private let policy: CompactionPolicy

  init(store: LogStore, groups: [String]?, now: Int64, policy: CompactionPolicy) {
    self.store = store
    groupNames = groups
    self.now = now
    self.policy = policy
  }

  /// Runs everything; the caller holds the maintenance lock. Files of expired segments go before
  /// anything is written, so that a full disk can be freed.
  func run(exact: Bool) throws -> RetentionReport {
    var report = RetentionReport(isDryRun: false)
    try makingRoom(&report) { try expire(&$0, atMost: $1) }
    try removeSurplusSegments(&report)
    try collect(&report)
    try recover(&report)
    if exact {
      try publishExpired(&report)
      try erase(&report)
    }
    try removeSurplusRowGroups(&report)
    try compact(&report)
    if report.mergeCount > 0 || report.erasedRowCount > 0 || !report.surplus.isEmpty {
      try collect(&report)
    }
    if exact { try awaitReaders(&report) }
    return report
  }

  // MARK: What others hold

  /// Has living writers publish logs with expired events, so that these can be erased.
  private func publishExpired(_ report: inout RetentionReport) throws {
    try attempt(&report, "having a write-ahead log published") { _ in
      let expired = try remainders()
      _ = try store.requestFlush { expired.isExpired($0) }
    }
  }

  /// Collects what readers had pinned as soon as they let go of it, and notes what is left.
  private func awaitReaders(_ report: inout RetentionReport) throws {
    let started = ContinuousClock.now
    while try remainders().readers() != nil,
      (ContinuousClock.now - started).milliseconds < store.options.patience
    {
      usleep(50_000)
      try collect(&report)
    }
    try attempt(&report, "counting what is left") { report in
      report.remaining = try remainders().all()
    }
  }

  private func remainders() throws -> ExpiryRemainders {
    try ExpiryRemainders(store: store, groups: groups(store.manifest.refresh()), now: now)
  }

  /// Publishes what writers that died left in their logs, so that it can be erased and merged too.
  private func recover(_ report: inout RetentionReport) throws {
    try attempt(&report, "publishing what a writer left") { report in
      let recovery = try WriteAheadRecovery(store: store).run()
      report.recoveredRowCount += UInt64(recovery.eventCount)
      report.problems += recovery.problems
    }
  }

  private func collect(_ report: inout RetentionReport) throws {
    let collected = try GarbageCollector(store: store).run()
    report.removedFileCount += collected.removedFileCount + collected.orphanCount
    report.removedByteCount += collected.removedByteCount
  }

  /// Says what `run` would expire, erase and merge.
  func rehearse(exact: Bool) throws -> RetentionReport {
    var report = RetentionReport(isDryRun: true)
    for group in try groups(store.manifest.refresh()) {
      let expired = expiredSegments(of: group)
      note(expired, of: group, &report)
      var left = group.segments.values.filter { !expired.contains($0) }
      let surplus = SizeCap(store: store).surplus(of: left, limit: group.maximumByteCount)
      note(surplus, of: group, &report)
      left.removeAll { surplus.removesWhole($0) }
      if exact, let cutoff = group.cutoff(now: now) {
        report.erasedRowCount += try left.reduce(0) { try $0 + rowCount(of: $1, before: cutoff) }
      }
      for (_, merge) in plannedMerges(left) { note(merge, &report) }
    }
    if exact { report.erasedRowCount += try remainders().waitingRowCount() }
    report.recoveredRowCount = try WriteAheadRecovery(store: store).waitingRowCount()
    return report
  }

  private func groups(_ state: ManifestState) throws -> [ManifestState.GroupState] {
    let chosen = try groupNames?.map { try requireGroup($0, in: state) }
    return (chosen ?? Array(state.groups.values)).sorted { $0.name < $1.name }
  }

  // MARK: Expiry

  private func expiredSegments(of group: ManifestState.GroupState) -> Set<SegmentRecord> {
    guard let cutoff = group.cutoff(now: now) else { return [] }
    return Set(group.segments.values.filter { $0.maxTime < cutoff })
  }

  /// Segments whose removal fits a record for which there is room on a full disk.
  private static let segmentsInSmallRecord = 64

  /// Removes segments in one record; where the disk has no room for that, some of them first, whose files make
  /// room for the rest.
  ///
  /// - Parameter remove: removes so many segments.
  private func makingRoom(
    _ report: inout RetentionReport, _ remove: (inout RetentionReport, Int) throws -> Void
  ) throws {
    do {
      try remove(&report, .max)
    } catch let error as StorageError where error.code == .diskFull {
      try remove(&report, Self.segmentsInSmallRecord)
      try collect(&report)
      try remove(&report, .max)
    }
  }

  /// Removes all segments past their retention in one record, or some.
  private func expire(_ report: inout RetentionReport, atMost limit: Int) throws {
    guard try groups(store.manifest.refresh()).contains(where: { !expiredSegments(of: $0).isEmpty })
    else { return }
    var found: [(ManifestState.GroupState, Set<SegmentRecord>)] = []
    try store.manifest.append { state in
      var left = limit
      found = try groups(state).map { group in
        let segments = expiredSegments(of: group).sorted { $0.maxTime < $1.maxTime }.prefix(left)
        left -= segments.count
        return (group, Set(segments))
      }
      return found.flatMap(\.1).sorted { $0.id < $1.id }.map {
        .segmentRemoved(id: $0.id, group: $0.group, digest: $0.digest, reason: .expired)
      }
    }
    for (group, segments) in found { note(segments, of: group, &report) }
  }

  private func note(
    _ segments: Set<SegmentRecord>, of group: ManifestState.GroupState,
    _ report: inout RetentionReport
  ) {
    guard !segments.isEmpty, let cutoff = group.cutoff(now: now) else { return }
    let index = report.expired.firstIndex { $0.logGroup == group.name } ?? report.expired.count
    if index == report.expired.count {
      report.expired.append(
        RetentionReport.Expiry(
          logGroup: group.name, cutoff: cutoff, segmentCount: 0, rowCount: 0, rawByteCount: 0,
          storedByteCount: 0))
    }
    report.expired[index].segmentCount += segments.count
    report.expired[index].rowCount += segments.reduce(0) { $0 + $1.rowCount }
    report.expired[index].rawByteCount += segments.reduce(0) { $0 + $1.rawByteCount }
    report.expired[index].storedByteCount += segments.reduce(0) { $0 + $1.byteCount }
  }

  // MARK: Size limits

  /// Removes whole segments of groups above their size limit, each group in one record.
  private func removeSurplusSegments(_ report: inout RetentionReport) throws {
    for group in try groups(store.manifest.refresh()) where group.maximumByteCount != nil {
      try attempt(&report, "removing surplus of log group '\(group.name)'") { report in
        try makingRoom(&report) { try removeSurplusSegments(of: group.id, &$0, atMost: $1) }
      }
    }
  }

  private func removeSurplusSegments(
    of id: UInt64, _ report: inout RetentionReport, atMost limit: Int
  ) throws {
    guard let group = try store.manifest.refresh().groups[id] else { return }
    let surplus = SizeCap(store: store).surplus(
      of: Array(group.segments.values), limit: group.maximumByteCount)
    let whole = Array(
      surplus.segments.filter { surplus.removesWhole($0) }.sorted { $0.maxTime < $1.maxTime }
        .prefix(limit))
    if whole.isEmpty { return }
    try store.manifest.append { state in
      try SegmentRewriter(store: store).requireLive(whole, in: state)
      return whole.sorted { $0.id < $1.id }.map {
        .segmentRemoved(id: $0.id, group: $0.group, digest: $0.digest, reason: .surplus)
      }
    }
    note(surplus.only(whole), of: group, &report)
  }

  /// Removes the oldest row groups of segments of which the rest fits.
  private func removeSurplusRowGroups(_ report: inout RetentionReport) throws {
    let erasure = EventErasure(store: store)
    for group in try groups(store.manifest.refresh()) where group.maximumByteCount != nil {
      let surplus = SizeCap(store: store).surplus(
        of: Array(group.segments.values), limit: group.maximumByteCount)
      for record in surplus.segments.sorted(by: { $0.id < $1.id }) {
        try attempt(&report, "removing surplus of log group '\(group.name)'") { report in
          let result = try erasure.rewrite(record, logGroup: group.name) { entry, _ in
            surplus.contains(entry, of: record) ? .drop : .keep
          }
          try erasure.publish([result], reason: .surplus, with: [])
          note(surplus.only([record]), of: group, &report)
        }
      }
    }
  }

  private func note(
    _ surplus: SizeCap.Surplus, of group: ManifestState.GroupState,
    _ report: inout RetentionReport
  ) {
    guard !surplus.segments.isEmpty, let limit = group.maximumByteCount else { return }
    let index =
      report.surplus.firstIndex { $0.logGroup == group.name } ?? report.surplus.count
    if index == report.surplus.count {
      report.surplus.append(
        RetentionReport.Surplus(
          logGroup: group.name, maximumByteCount: limit, segmentCount: 0, rowCount: 0,
          storedByteCount: 0))
    }
    report.surplus[index].segmentCount += surplus.segments.count { surplus.removesWhole($0) }
    report.surplus[index].rowCount += surplus.rowCount
    report.surplus[index].storedByteCount += surplus.byteCount
  }

  // MARK: Exact erasure

  /// Takes events past their retention out of segments that hold newer ones too.
  private func erase(_ report: inout RetentionReport) throws {
    let erasure = EventErasure(store: store)
    for group in try groups(store.manifest.refresh()) {
      guard let cutoff = group.cutoff(now: now) else { continue }
      for record in group.segments.values.sorted(by: { $0.id < $1.id })
      where record.minTime < cutoff {
        try attempt(&report, "erasing from log group '\(group.name)'") { report in
          let result = try erasure.rewrite(record, logGroup: group.name) { entry, _ in
            if entry.minTime >= cutoff { return .keep }
            return entry.maxTime < cutoff ? .drop : .judge { $0.times[$1] >= cutoff }
          }
          try erasure.publish([result], reason: .expired, with: [])
          report.erasedRowCount += result.erasedRowCount
        }
      }
    }
  }

  private func rowCount(of record: SegmentRecord, before cutoff: Int64) throws -> UInt64 {
    guard record.minTime < cutoff else { return 0 }
    let segment = try store.cache.open(record) { _ in }
    var count: UInt64 = 0
    for (index, entry) in segment.reader.rowGroups.enumerated() where entry.minTime < cutoff {
      let reader = try EncodedRowGroupReader(
        handle: segment.handle(index) { _ in }, logGroup: "", ordinal: 0, boundOfRest: nil,
        window: Int64.min...(cutoff - 1), sequenceBase: 0)
      count += UInt64(reader.visibleRows.count)
    }
    return count
  }

  // MARK: Merging

  private func compact(_ report: inout RetentionReport) throws {
    let compactor = Compactor(store: store)
    let chosen = Set(try groups(store.manifest.refresh()).map(\.id))
    for id in chosen.sorted() {
      // Segments that a merge failed on are left out of further merges of this run.
      var failed: Set<SegmentID> = []
      while let group = try store.manifest.refresh().groups[id],
        let merge = plannedMerges(group.segments.values.filter { !failed.contains($0.id) })
          .min(by: { $0.key < $1.key })?.value
      {
        let before = report.problems.count
        try attempt(&report, "merging segments of log group '\(group.name)'") { report in
          let output = try compactor.merge(merge, logGroup: group.name)
          note(merge, &report)
          report.writtenByteCount += output.byteCount
        }
        if report.problems.count > before { failed.formUnion(merge.map(\.id)) }
      }
    }
  }

  /// The next merge of each day that needs one.
  private func plannedMerges(_ segments: [SegmentRecord]) -> [Int64: [SegmentRecord]] {
    Dictionary(grouping: segments, by: \.day).compactMapValues { day in
      guard
        let ids = policy.nextMerge(
          day.map { CompactionPolicy.Segment($0) }, day: day[0].day, now: now)
      else { return nil }
      let chosen = Set(ids)
      return day.filter { chosen.contains($0.id) }.sorted { $0.id < $1.id }
    }
  }

  private func note(_ merge: [SegmentRecord], _ report: inout RetentionReport) {
    report.mergeCount += 1
    report.mergedSegmentCount += merge.count
    report.mergedByteCount += merge.reduce(0) { $0 + $1.byteCount }
  }

  /// Does one piece of work; damage, lost races and a full disk become problems of the report,
  /// other errors end the run.
  private func attempt(
    _ report: inout RetentionReport, _ what: String,
    _ body: (inout RetentionReport) throws -> Void
  ) throws {
    do {
      try body(&report)
    } catch let error as StorageError
      where [.damaged, .busy, .missingFile, .unknownVersion, .diskFull].contains(error.code)
    {
      report.problems.append("\(what): \(error.message)")
    }
  }
}

extension LogStore {
  /// The maintenance job: expires what is past its retention, merges what is fragmented, removes
  /// files that nobody needs. A second run at the same `now` does nothing.
  ///
  /// - Parameters:
  ///   - dryRun: only say what would be done.
  ///   - groups: log groups by name; `nil` for all.
  ///   - now: the time by which retention is judged, ms; the clock's when `nil`.
  ///   - exact: also erase expired events from segments that hold newer ones and from the logs of living
  ///     writers; what others keep from going stands in the report.
  /// - Throws: `StorageError`: `busy` when another run is at work, `unknownGroup`.
  package func retain(
    dryRun: Bool = false, groups: [String]? = nil, now: Int64? = nil, exact: Bool = false,
    policy: CompactionPolicy = CompactionPolicy()
  ) throws -> RetentionReport {
    let sweep = RetentionSweep(
      store: self, groups: groups, now: now ?? options.clock.now(), policy: policy)
    if dryRun { return try sweep.rehearse(exact: exact) }
    try requireWritable()
    let lock = try lockMaintenance()
    defer { try? lock.unlock() }
    return try sweep.run(exact: exact)
  }
}
