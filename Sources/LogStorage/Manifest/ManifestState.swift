/// What the store holds at one generation: groups, live segments, bookmarks. A value; readers keep
/// theirs while writers go on.
package struct ManifestState: Sendable, Hashable {
  /// Counts the records of the manifest; each is one generation.
  package internal(set) var generation: UInt64 = 0
  package private(set) var groups: [UInt64: GroupState] = [:]
  private var groupIDs: [String: UInt64] = [:]
  package private(set) var bookmarks: [String: InputBookmark] = [:]
  /// Removed segments whose files may still be there.
  package private(set) var removed: [SegmentID: RemovedSegment] = [:]
  /// Write-ahead logs whose events are in no segment yet.
  package private(set) var writeAheadLogs: [UInt64: WriteAheadLogRecord] = [:]
  /// Generations whose records were lost, and nobody has accepted it yet.
  package private(set) var lostGenerations: [ClosedRange<UInt64>] = []
  /// What is wrong with the manifest that led here: events may be missing from the state, or be there
  /// though they were deleted. Empty for an intact one.
  package internal(set) var faults: [String] = []
  /// The next sequence number and the next number of a group to be given away.
  package private(set) var nextSequence: UInt64 = 1
  package private(set) var nextGroup: UInt64 = 1

  package struct GroupState: Sendable, Hashable {
    package let id: UInt64
    package let name: String
    /// Time of creation, ms.
    package let created: Int64
    /// `nil`: events are kept for ever.
    package fileprivate(set) var retentionDays: UInt32?
    /// Bytes on disk above which the oldest events go; `nil`: the group may grow without bound.
    package fileprivate(set) var maximumByteCount: UInt64?
    package fileprivate(set) var segments: [SegmentID: SegmentRecord] = [:]

    /// Events before this time (ms) are past the retention of the group, whether they were removed
    /// yet or not.
    package func cutoff(now: Int64) -> Int64? {
      guard let retentionDays else { return nil }
      let (cutoff, overflow) = now.subtractingReportingOverflow(
        Int64(retentionDays) * Day.milliseconds)
      return overflow ? Int64.min : cutoff
    }
  }

  /// The group of a name.
  package func group(named name: String) -> GroupState? {
    groupIDs[name].flatMap { groups[$0] }
  }

  /// Names of all groups in ascending order.
  package var groupNames: [String] { groupIDs.keys.sorted() }

  /// Live segments of all groups.
  package var segmentCount: Int { groups.values.reduce(0) { $0 + $1.segments.count } }

  /// Whether a segment is live.
  func isLive(_ id: SegmentID) -> Bool { groups.values.contains { $0.segments[id] != nil } }

  /// Applies one transaction, which makes the next generation.
  ///
  /// - Parameter isLenient: actions that contradict the state are left out: they build on a record that was
  ///   lost.
  /// - Throws: `StorageError` `damaged` when an action contradicts the state: the log is not the
  /// one
  ///   that led here.
  mutating func apply(
    _ transaction: ManifestTransaction, generation: UInt64, name: String, isLenient: Bool = false
  ) throws {
    self.generation = generation
    for action in transaction.actions {
      do { try apply(action, name: name) } catch { if !isLenient { throw error } }
    }
  }

  /// Notes that records are missing.
  mutating func lose(_ generations: ClosedRange<UInt64>) {
    lostGenerations.append(generations)
    generation = max(generation, generations.upperBound)
  }

  private mutating func apply(_ action: ManifestAction, name: String) throws {
    switch action {
    case .snapshotBegins:
      let reached = generation
      self = ManifestState()
      generation = reached
    case .groupCreated(let id, let groupName, let created):
      try expect(groups[id] == nil && groupIDs[groupName] == nil, "creates", groupName, name)
      groups[id] = GroupState(id: id, name: groupName, created: created)
      groupIDs[groupName] = id
      nextGroup = max(nextGroup, id + 1)
    case .groupDeleted(let id):
      guard let group = groups.removeValue(forKey: id) else {
        return try expect(false, "deletes", "group \(id)", name)
      }
      groupIDs[group.name] = nil
      for segment in group.segments.values { markRemoved(segment, .deleted) }
    case .retentionSet(let id, let days):
      try expect(groups[id] != nil, "changes", "group \(id)", name)
      groups[id]?.retentionDays = days
    case .streamDeleted(let id, _):
      try expect(groups[id] != nil, "changes", "group \(id)", name)
    case .sizeLimitSet(let id, let byteCount):
      try expect(groups[id] != nil, "changes", "group \(id)", name)
      groups[id]?.maximumByteCount = byteCount
    case .removalNoted:
      break
    case .recordsLost(let generations):
      lostGenerations.append(generations)
    case .lossAccepted:
      lostGenerations = []
    case .segmentAdded(let segment):
      try expect(
        groups[segment.group]?.segments[segment.id] == nil && groups[segment.group] != nil,
        "adds", "segment \(segment.id)", name)
      groups[segment.group]?.segments[segment.id] = segment
    case .segmentRemoved(let id, let group, let digest, let reason):
      guard let segment = groups[group]?.segments[id], segment.digest == digest else {
        return try expect(false, "removes", "segment \(id)", name)
      }
      groups[group]?.segments[id] = nil
      markRemoved(segment, reason)
    case .segmentAwaitsCollection(let segment):
      removed[segment.id] = segment
    case .segmentCollected(let id):
      removed[id] = nil
    case .countersSet(let sequence, let group):
      nextSequence = sequence
      nextGroup = group
    case .bookmarkSet(let bookmark):
      bookmarks[bookmark.key] = bookmark
    case .writeAheadLogOpened(let log):
      try expect(writeAheadLogs[log.id] == nil, "opens", "write-ahead log \(hex(log.id))", name)
      writeAheadLogs[log.id] = log
    case .writeAheadLogForgotten(let id):
      let log = writeAheadLogs.removeValue(forKey: id)
      try expect(log != nil, "forgets", "write-ahead log \(hex(id))", name)
    case .writeAheadFlushWanted(let id):
      try expect(writeAheadLogs[id] != nil, "asks for", "write-ahead log \(hex(id))", name)
      writeAheadLogs[id]?.isFlushWanted = true
    }
  }

  private mutating func markRemoved(_ segment: SegmentRecord, _ reason: RemovalReason) {
    removed[segment.id] = RemovedSegment(segment, reason: reason, generation: generation)
  }

  private func expect(
    _ holds: Bool, _ verb: String, _ object: @autoclosure () -> String, _ name: String
  ) throws {
    if !holds {
      throw StorageError(
        .damaged,
        "\(name): the record of generation \(generation) \(verb) \(object()), "
          + "which contradicts the records before it")
    }
  }

  /// Actions that lead from nothing to this state, in an order that depends on the state alone.
  var snapshotActions: [ManifestAction] {
    var actions: [ManifestAction] = [.snapshotBegins]
    for group in groups.values.sorted(by: { $0.id < $1.id }) {
      actions.append(.groupCreated(id: group.id, name: group.name, created: group.created))
      if let days = group.retentionDays {
        actions.append(.retentionSet(group: group.id, days: days))
      }
      if let byteCount = group.maximumByteCount {
        actions.append(.sizeLimitSet(group: group.id, byteCount: byteCount))
      }
      actions += group.segments.values.sorted { $0.id < $1.id }.map { .segmentAdded($0) }
    }
    actions += removed.values.sorted { $0.id < $1.id }.map { .segmentAwaitsCollection($0) }
    for log in writeAheadLogs.values.sorted(by: { $0.id < $1.id }) {
      actions.append(.writeAheadLogOpened(log))
      if log.isFlushWanted { actions.append(.writeAheadFlushWanted(id: log.id)) }
    }
    actions += bookmarks.values.sorted { $0.key < $1.key }.map { .bookmarkSet($0) }
    actions += lostGenerations.map { .recordsLost($0) }
    actions.append(.countersSet(nextSequence: nextSequence, nextGroup: nextGroup))
    return actions
  }
}
