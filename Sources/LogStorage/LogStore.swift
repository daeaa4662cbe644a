/// A directory of log groups: the door of the storage.
///
/// Any number of processes and threads may use one store at once. What a call has returned from is
/// durable. Readers take a `snapshot()`; writers make segments and `publish` them.
///
/// ```swift
/// let store = try LogStore.open("/var/lib/varve", mode: .create)
/// let writer = try store.makeSegmentWriter(logGroup: "api")
/// try writer.append(rowGroup)
/// try store.publish([try writer.finish()])
/// let rows = try store.snapshot().scan(ScanRequest())
/// ```
package final class LogStore: Sendable {
  /// What the caller intends to do.
  package enum Mode: Sendable {
    /// Read and write; the store is made when there is none.
    case create
    /// Read and write a store that exists.
    case readWrite
    /// Only read a store that exists; works on a read-only medium.
    case readOnly
  }

  /// The store's surroundings; tests put other ones in.
  package struct Options: Sendable {
    package var fileSystem: any FileSystem = PosixFileSystem()
    package var clock: any WallClock = SystemClock()
    package var random: any RandomSource = SystemRandomSource()
    /// Locks of a network file system may not reach other machines, so it is refused unless
    /// allowed.
    package var allowsNetworkFileSystem = false
    /// The part of the time that merging and erasing may be at work, 0 to 1; it rests after each row group. That
    /// bounds what they take of processors and disks alike.
    package var maintenanceShare = 1.0
    /// Growth of the manifest log after which a new one is started.
    package var manifestRotationByteCount: UInt64 = 4 << 20
    /// Free space that is kept for the manifest, retention and deletion.
    package var reservedByteCount: UInt64 = 64 << 20
    /// Decoded columns that are kept in memory between scans, in bytes. Pays for whoever asks more than
    /// one query.
    package var decodedByteCount = 0
    /// How long maintenance waits for others, ms: for a living writer to publish its log, for readers to let
    /// go of removed files.
    package var patience: Int64 = 10_000

    package init() {}
  }

  /// The version this program writes, and the only one it reads.
  static let formatVersion = 1

  package let names: FileNames
  package let options: Options
  package let mode: Mode
  let manifest: ManifestLog
  let cache: SegmentCache

  var fileSystem: any FileSystem { options.fileSystem }

  /// Path of the store's directory.
  package var path: String { names.root }

  private init(names: FileNames, mode: Mode, options: Options) {
    self.names = names
    self.mode = mode
    self.options = options
    manifest = ManifestLog(
      names: names, fileSystem: options.fileSystem, clock: options.clock,
      rotationByteCount: options.manifestRotationByteCount)
    cache = SegmentCache(
      names: names, fileSystem: options.fileSystem, decodedByteCount: options.decodedByteCount)
  }

  // MARK: Opening

  /// Opens a store, or makes one (`.create`); two processes may do so at once.
  ///
  /// - Throws: `StorageError`: `noStore`, `unknownVersion`, `inputOutput`, `notPermitted`.
  package static func open(_ path: String, mode: Mode, options: Options = Options()) throws
    -> LogStore
  {
    let names = FileNames(root: path)
    let fileSystem = options.fileSystem
    guard let status = try fileSystem.status(of: names.root) else {
      guard mode == .create else { throw noStore(names.root, "there is no such directory") }
      try fileSystem.makeDirectories(names.root)
      return try open(path, mode: mode, options: options)
    }
    guard status.isDirectory else { throw noStore(names.root, "it is a file") }
    if !options.allowsNetworkFileSystem,
      let network = try fileSystem.networkFileSystem(at: names.root)
    {
      throw StorageError(
        .noStore,
        "\(names.root): lies on a network file system (\(network)), whose locks are not safe; "
          + "use a local disk, or force it with --allow-network-file-system, on one machine at a time"
      )
    }
    if try fileSystem.status(of: names.format) == nil {
      guard mode == .create else { throw noStore(names.root, "it has no FORMAT file") }
      try initialize(names, options)
    }
    try checkVersion(names, fileSystem)
    return LogStore(names: names, mode: mode, options: options)
  }

  private static func noStore(_ path: String, _ why: String) -> StorageError {
    StorageError(
      .noStore, "\(path): no store: \(why); 'varve ingest' makes one, '--store' names another")
  }

  /// Makes the files of an empty store. `FORMAT` comes last: without it there is no store yet, and
  /// whoever finds it missing starts again. The lock lets one process at a time do so.
  private static func initialize(_ names: FileNames, _ options: Options) throws {
    let fileSystem = options.fileSystem
    let known = [
      "CURRENT", "manifest.end", "locks", "pins", "segments", "rejected", "wal", "damaged", "tmp",
      "lost+found",
    ]
    for name in try fileSystem.list(names.root)
    where !known.contains(name) && FileNames.manifestNumber(name) == nil && name != "FORMAT" {
      throw StorageError(
        .noStore,
        "\(names.root): not empty and no store (it has '\(name)'); choose an empty directory")
    }
    _ = try fileSystem.makeDirectory(names.locks)
    let lock = try fileSystem.open(names.manifestLock, .createOrAppend)
    _ = try lock.lock(.exclusive, waiting: true)
    defer { try? lock.unlock() }
    if try fileSystem.status(of: names.format) != nil { return }
    for directory in names.directories { _ = try fileSystem.makeDirectory(directory) }
    // All of them now: a disk may be full when they are needed.
    for path in [names.collectionLock, names.maintenanceLock] {
      _ = try fileSystem.open(path, .createOrAppend)
    }
    try fileSystem.syncDirectory(names.locks)
    try fileSystem.syncDirectory(names.root)
    try ManifestLog.create(names: names, fileSystem: fileSystem, clock: options.clock)
    let line = "varve store \(formatVersion)\n"
    try fileSystem.replace(names.format, by: Array(line.utf8), through: names.temporary)
  }

  private static func checkVersion(_ names: FileNames, _ fileSystem: any FileSystem) throws {
    let line = String(decoding: try fileSystem.contents(of: names.format), as: UTF8.self)
    let words = line.split(separator: "\n").first?.split(separator: " ") ?? []
    guard words.count == 3, words[0] == "varve", words[1] == "store", let version = Int(words[2])
    else {
      throw StorageError(.damaged, "\(names.format): is not the version line of a store")
    }
    guard version == formatVersion else {
      throw StorageError(
        .unknownVersion,
        "\(names.format): store version \(version), this program reads version \(formatVersion)")
    }
  }

  // MARK: Writing

  /// Starts a segment of a log group, which need not exist yet.
  ///
  /// - Throws: `StorageError`: `diskFull` below the reserve, `invalidArgument` for a bad name.
  package func makeSegmentWriter(logGroup: String) throws -> SegmentWriter {
    try requireWritable()
    try LogName.checkGroup(logGroup)
    try requireFreeSpace()
    return try makeSegmentWriter(named: logGroup)
  }

  /// A writer for maintenance, which may use the reserve.
  func makeSegmentWriter(named logGroup: String) throws -> SegmentWriter {
    let id = SegmentID(random: options.random)
    return try SegmentWriter(
      id: id, logGroup: logGroup, path: names.temporarySegment(id), created: options.clock.now(),
      fileSystem: fileSystem)
  }

  /// - Parameter byteCount: what is to be written.
  /// - Throws: `StorageError` (`diskFull`) when only the reserve would be left.
  func requireFreeSpace(above byteCount: Int = 0) throws {
    let free = try fileSystem.freeSpace(at: names.root)
    guard free >= options.reservedByteCount + UInt64(byteCount) else {
      throw StorageError(
        .diskFull,
        "\(names.root): \(free >> 20) MiB are free, and \(options.reservedByteCount >> 20) MiB are "
          + "kept for retention and deletion; free some space ('varve retain', 'varve delete')")
    }
  }

  func requireWritable() throws {
    if mode == .readOnly {
      throw StorageError(.notPermitted, "\(names.root): was opened for reading only")
    }
  }

  /// Makes segments part of the store, all of them or none; makes their log groups when needed.
  ///
  /// Sequence numbers in the segments must be unique among the segments of one call; they become
  /// unique and ascending in the store, in the order of the calls.
  ///
  /// - Parameter bookmark: how far the input was read, recorded in the same step.
  /// - Parameter known: the bookmark from which the input was read on; when it is another one by now, somebody
  ///   else has read the input meanwhile, and nothing is published (`busy`).
  /// - Returns: the generation that first shows them.
  /// - Throws: `StorageError`; nothing is visible then.
  @discardableResult
  package func publish(
    _ segments: [FinishedSegment], bookmark: InputBookmark? = nil,
    replacing known: InputBookmark? = nil
  ) throws -> UInt64 {
    try requireWritable()
    let groups = try ensureGroups(Set(segments.map(\.footer.logGroup)))
    let records = try segments.map { segment in
      guard let group = groups[segment.footer.logGroup] else {
        throw StorageError(.unknownGroup, "log group '\(segment.footer.logGroup)' is not there")
      }
      return SegmentRecord(segment, group: group)
    }
    try place(segments, records)
    // The locks of the files must outlive the append, or the collector could take them for orphans.
    defer { withExtendedLifetime(segments) {} }
    let first = segments.map(\.footer.minSequence).min() ?? 0
    let last = segments.map(\.footer.maxSequence).max() ?? 0
    let state = try manifest.append { state in
      for (name, id) in groups where state.group(named: name)?.id != id {
        throw StorageError(
          .unknownGroup, "log group '\(name)' was deleted while events were written to it")
      }
      if let bookmark, let present = state.bookmarks[bookmark.key], present != known {
        throw StorageError(
          .busy, "the same file was loaded by somebody else meanwhile; nothing was loaded twice")
      }
      var actions = records.map { record in
        var record = record
        record.sequenceBase = state.nextSequence &- first
        return ManifestAction.segmentAdded(record)
      }
      if !records.isEmpty {
        actions.append(
          .countersSet(
            nextSequence: state.nextSequence + (last - first) + 1, nextGroup: state.nextGroup))
      }
      if let bookmark { actions.append(.bookmarkSet(bookmark)) }
      return actions
    }
    return state.generation
  }

  /// Moves finished segments to where the manifest will say they are, durably.
  func place(_ segments: [FinishedSegment], _ records: [SegmentRecord]) throws {
    var directories: Set<String> = []
    for (segment, record) in zip(segments, records) {
      let path = names.segment(segment.id, group: record.group, day: record.day)
      let directory = parentDirectory(of: path)
      try fileSystem.makeDirectories(directory)
      do {
        try fileSystem.rename(segment.path, to: path)
      } catch let error as StorageError where error.code == .missingFile {
        // The collector removed the directory while it was empty.
        try fileSystem.makeDirectories(directory)
        try fileSystem.rename(segment.path, to: path)
      }
      directories.insert(directory)
    }
    for directory in directories.sorted() { try fileSystem.syncDirectory(directory) }
  }

  /// The number of a group, which is made when need be.
  func ensureGroup(_ name: String) throws -> UInt64 {
    guard let id = try ensureGroups([name])[name] else {
      throw StorageError(.unknownGroup, "log group '\(name)' is not there")
    }
    return id
  }

  /// Makes the groups that do not exist and returns the numbers of all.
  private func ensureGroups(_ groupNames: Set<String>) throws -> [String: UInt64] {
    var state = try manifest.refresh()
    if groupNames.contains(where: { state.group(named: $0) == nil }) {
      for name in groupNames { try LogName.checkGroup(name) }
      state = try manifest.append { state in
        let missing = groupNames.sorted().filter { state.group(named: $0) == nil }
        return missing.enumerated().map { index, name in
          .groupCreated(
            id: state.nextGroup + UInt64(index), name: name, created: options.clock.now())
        }
      }
    }
    var numbers: [String: UInt64] = [:]
    for name in groupNames { numbers[name] = state.group(named: name)?.id }
    return numbers
  }

  // MARK: Groups

  /// Makes a log group; does nothing when it exists.
  package func createGroup(_ name: String) throws {
    try requireWritable()
    _ = try ensureGroups([name])
  }

  /// Sets how long a group keeps its events; `nil` is for ever. Takes effect on the next query.
  ///
  /// - Throws: `StorageError`: `unknownGroup`, `invalidArgument` unless there is at least one day.
  package func setRetention(_ name: String, days: Int?) throws {
    try requireWritable()
    if let days, !(1...36_500).contains(days) {
      throw StorageError(
        .invalidArgument, "retention of \(days) days: allowed are 1 to 36500, or 'never'")
    }
    try manifest.append { state in
      let group = try requireGroup(name, in: state)
      let wanted = days.map { UInt32($0) }
      return group.retentionDays == wanted ? [] : [.retentionSet(group: group.id, days: wanted)]
    }
  }

  /// Sets how many bytes of disk a group may have; `nil` is without bound. The next maintenance run
  /// removes the oldest events above it.
  ///
  /// - Throws: `StorageError`: `unknownGroup`, `invalidArgument` for no bytes at all.
  package func setSizeLimit(_ name: String, byteCount: UInt64?) throws {
    try requireWritable()
    if byteCount == 0 {
      throw StorageError(
        .invalidArgument, "a size limit of 0 bytes would remove everything; 'delete' does that")
    }
    try manifest.append { state in
      let group = try requireGroup(name, in: state)
      return group.maximumByteCount == byteCount
        ? [] : [.sizeLimitSet(group: group.id, byteCount: byteCount)]
    }
  }

  /// Deletes a group with all its events; their files go at the next collection of garbage.
  ///
  /// - Throws: `StorageError` (`unknownGroup`).
  package func deleteGroup(_ name: String) throws {
    try requireWritable()
    try manifest.append { state in
      [.groupDeleted(id: try requireGroup(name, in: state).id)]
    }
    try? rejectedLog(name).remove()
  }

  /// All groups in ascending order of their names.
  package func groups() throws -> [LogGroupSummary] {
    let view = try view()
    return view.state.groups.values.map { LogGroupSummary($0, waiting: view.entries(of: $0.id)) }
      .sorted { $0.name < $1.name }
  }

  /// The streams of a group in ascending order of their names.
  ///
  /// - Throws: `StorageError` (`unknownGroup` names the nearest groups).
  package func streams(of group: String) throws -> [LogStreamSummary] {
    let view = try view()
    let state = try requireGroup(group, in: view.state)
    return state.streams(waiting: view.entries(of: state.id))
  }

  /// The state of the store now.
  package func state() throws -> ManifestState { try manifest.refresh() }

  /// How far an input was read, or `nil` when it is new.
  package func bookmark(_ key: String) throws -> InputBookmark? {
    try manifest.refresh().bookmarks[key]
  }
}

/// The group of a name.
///
/// - Throws: `StorageError` `unknownGroup` that names the nearest ones.
func requireGroup(_ name: String, in state: ManifestState) throws -> ManifestState.GroupState {
  if let group = state.group(named: name) { return group }
  let nearest = LogName.nearest(to: name, among: state.groupNames)
  let hint =
    if !nearest.isEmpty {
      "; nearest: " + nearest.map { "'\($0)'" }.joined(separator: ", ")
    } else if state.groupNames.isEmpty {
      "; the store has no log groups yet"
    } else {
      "; 'varve groups' lists them"
    }
  throw StorageError(.unknownGroup, "log group '\(name)' does not exist\(hint)")
}
