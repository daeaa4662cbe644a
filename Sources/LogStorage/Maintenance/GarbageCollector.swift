/// Removes files that nobody needs: segments that were removed from the manifest and that no reader
/// has pinned, and what crashed processes left.
///
/// It holds `locks/gc` exclusively, so no reader can be between reading the manifest and pinning
/// it. A pin whose lock can be taken belongs to a dead process. A file that no manifest names goes
/// when it is an hour old and nobody holds its lock: a writer keeps it until its segment is
/// published.
struct GarbageCollector {
  /// What was removed.
  struct Report: Sendable, Hashable {
    var removedFileCount = 0
    var removedByteCount: UInt64 = 0
    /// Files that no manifest ever named, or no longer.
    var orphanCount = 0
  }

  static let orphanAge: Int64 = 3_600_000
  /// Manifest logs are kept this long after the last change, as evidence of what was removed and
  /// why.
  static let historyAge: Int64 = 90 * Day.milliseconds

  private let store: LogStore
  private var names: FileNames { store.names }
  private var fileSystem: any FileSystem { store.fileSystem }

  init(store: LogStore) { self.store = store }

  func run() throws -> Report {
    let lock = try fileSystem.open(names.collectionLock, .createOrAppend)
    _ = try lock.lock(.exclusive, waiting: true)
    defer { try? lock.unlock() }
    var report = Report()
    let files = try segmentFiles()
    let state = try store.manifest.refresh()
    try collect(state, oldestPin: oldestPin(), &report)
    try removeOrphans(files, state, &report)
    try removeForgottenLogs(&report)
    try removeOldLogs()
    return report
  }

  /// The smallest generation a living reader has pinned; removes the pins of dead ones.
  private func oldestPin() throws -> UInt64 {
    var oldest = UInt64.max
    for name in try fileSystem.list(names.pins) {
      let path = "\(names.pins)/\(name)"
      guard let file = try openIfThere(path) else { continue }
      if try file.lock(.exclusive, waiting: false) {
        try? fileSystem.unlink(path)
      } else {
        oldest = min(oldest, Pin.generation(of: name) ?? 0)
      }
    }
    return oldest
  }

  private func openIfThere(_ path: String) throws -> (any RandomAccessFile)? {
    do {
      return try fileSystem.open(path, .read)
    } catch let error as StorageError where error.code == .missingFile {
      return nil
    }
  }

  /// Unlinks removed segments that no living reader can need, and records that they are gone.
  private func collect(
    _ state: ManifestState, oldestPin: UInt64, _ report: inout Report
  ) throws {
    let free = state.removed.values.filter { $0.generation <= oldestPin }.sorted { $0.id < $1.id }
    if free.isEmpty { return }
    for segment in free {
      if try unlink(names.segment(segment.id, group: segment.group, day: segment.day)) {
        report.removedFileCount += 1
        report.removedByteCount += segment.byteCount
      }
    }
    try store.manifest.append { state in
      free.filter { state.removed[$0.id] != nil }.map { .segmentCollected(id: $0.id) }
    }
  }

  /// Removes a name; `false` when it was not there.
  private func unlink(_ path: String) throws -> Bool {
    do {
      try fileSystem.unlink(path)
      return true
    } catch let error as StorageError where error.code == .missingFile {
      return false
    }
  }

  private func segmentFiles() throws -> [String] {
    var files: [String] = []
    for group in try fileSystem.list(names.segments) {
      for day in try fileSystem.list("\(names.segments)/\(group)") {
        let directory = "\(names.segments)/\(group)/\(day)"
        let names = try fileSystem.list(directory)
        if names.isEmpty, try isOld(directory) { _ = try fileSystem.removeDirectory(directory) }
        files += names.map { "\(directory)/\($0)" }
      }
    }
    return files
  }

  private func removeOrphans(
    _ files: [String], _ state: ManifestState, _ report: inout Report
  ) throws {
    // A record that was lost may have named them.
    if !state.faults.isEmpty { return }
    let placed = files.filter { path in
      Self.segmentID(of: path).map { !state.names($0) } ?? false
    }
    let temporary = try fileSystem.list(names.temporary).map { "\(names.temporary)/\($0)" }
    for path in placed + temporary {
      guard let lock = try lockIfAbandoned(path) else { continue }
      // Its writer let go of it: either it died, or the manifest names the segment by now.
      defer { try? lock.unlock() }
      if let id = Self.segmentID(of: path), try store.manifest.refresh().names(id) { continue }
      let byteCount = try fileSystem.status(of: path)?.byteCount ?? 0
      if try unlink(path) {
        report.orphanCount += 1
        report.removedByteCount += byteCount
      }
    }
  }

  private static func segmentID(of path: String) -> SegmentID? {
    guard let name = path.split(separator: "/").last, name.hasSuffix(".seg") else { return nil }
    return SegmentID(name.dropLast(4))
  }

  /// The lock of an old file that nobody holds, or `nil`.
  private func lockIfAbandoned(_ path: String) throws -> (any RandomAccessFile)? {
    guard try isOld(path), let file = try openIfThere(path) else { return nil }
    return try file.lock(.exclusive, waiting: false) ? file : nil
  }

  private func isOld(_ path: String) throws -> Bool {
    guard let status = try fileSystem.status(of: path) else { return false }
    return store.options.clock.now() - status.modified > Self.orphanAge
  }

  /// Write-ahead logs that no manifest names: their writer died before they counted, or between the
  /// record that forgot them and their removal.
  private func removeForgottenLogs(_ report: inout Report) throws {
    guard try fileSystem.status(of: names.writeAheadLogs) != nil else { return }
    for name in try fileSystem.list(names.writeAheadLogs) {
      let path = "\(names.writeAheadLogs)/\(name)"
      guard let id = FileNames.writeAheadLogID(name), let lock = try lockIfAbandoned(path) else {
        continue
      }
      defer { try? lock.unlock() }
      if try store.manifest.refresh().writeAheadLogs[id] != nil { continue }
      let byteCount = try fileSystem.status(of: path)?.byteCount ?? 0
      if try unlink(path) {
        report.orphanCount += 1
        report.removedByteCount += byteCount
      }
    }
  }

  /// Logs that `CURRENT` has left behind.
  private func removeOldLogs() throws {
    guard let current = try? ManifestLog.currentNumber(names, fileSystem) else { return }
    for name in try fileSystem.list(names.root) {
      guard let number = FileNames.manifestNumber(name), number < current,
        let status = try fileSystem.status(of: names.manifestLog(number)),
        store.options.clock.now() - status.modified > Self.historyAge
      else { continue }
      _ = try unlink(names.manifestLog(number))
    }
  }
}

extension ManifestState {
  /// Whether a segment is live, or removed and still awaiting its collection.
  fileprivate func names(_ id: SegmentID) -> Bool {
    removed[id] != nil || isLive(id)
  }
}

extension LogStore {
  /// Removes files that nobody needs any more.
  ///
  /// - Returns: how many files and bytes were removed.
  package func collectGarbage() throws -> (fileCount: Int, byteCount: UInt64) {
    try requireWritable()
    let report = try GarbageCollector(store: self).run()
    return (report.removedFileCount + report.orphanCount, report.removedByteCount)
  }

  /// Takes the lock that keeps maintenance to one process at a time.
  ///
  /// - Throws: `StorageError` (`busy`).
  func lockMaintenance() throws -> any RandomAccessFile {
    let lock = try fileSystem.open(names.maintenanceLock, .createOrAppend)
    guard try lock.lock(.exclusive, waiting: false) else {
      throw StorageError(
        .busy, "\(names.root): another maintenance run is at work; try again when it has ended")
    }
    return lock
  }
}
