/// Expired events that an exact run could not take from the disk, and who keeps them there.
package struct Remainder: Sendable, Hashable {
  package enum Kind: String, Sendable {
    /// Acknowledged events in the log of a living writer that has not published it.
    case log
    /// Removed segments that somebody reads.
    case reader
    /// Copies of damaged files, which only a person removes.
    case damaged
  }

  package var kind: Kind
  /// `nil` where events of any group may be among them.
  package var logGroup: String?
  /// The file; or the folder of several.
  package var path: String
  package var fileCount: Int
  /// Expired events; `nil` where nobody can tell.
  package var rowCount: UInt64?
  /// Those that write or read the files, as far as the machine tells.
  package var processes: ProcessList
}

/// Finds expired events that are neither in live segments nor gone.
///
/// Three places can hold them: the log of a living writer, which maintenance must not touch; a removed segment that a reader
/// has pinned; and what a repair put aside.
struct ExpiryRemainders {
  private struct Expiry {
    var name: String
    var cutoff: Int64
  }

  private let store: LogStore
  private let expiries: [UInt64: Expiry]

  init(store: LogStore, groups: [ManifestState.GroupState], now: Int64) {
    self.store = store
    expiries = groups.reduce(into: [:]) { expiries, group in
      expiries[group.id] = group.cutoff(now: now).map { Expiry(name: group.name, cutoff: $0) }
    }
  }

  /// Whether some events of a record in a log are past their retention.
  func isExpired(_ head: WriteAheadRecord.Head) -> Bool {
    expiries[head.group].map { head.minTime < $0.cutoff } ?? false
  }

  func all() throws -> [Remainder] {
    if expiries.isEmpty { return [] }
    return try logs() + [readers(), damaged()].compactMap { $0 }
  }

  /// Expired events in logs, of living writers and of dead ones.
  func waitingRowCount() throws -> UInt64 {
    try store.view().logs.reduce(0) { sum, log in
      try sum + counts(in: log).values.reduce(0, +)
    }
  }

  private func logs() throws -> [Remainder] {
    try store.view().logs.flatMap { log in
      let holders = ProcessList(store.holdersOfLock(log.path))
      return try counts(in: log).sorted { $0.key < $1.key }.map { group, count in
        Remainder(
          kind: .log, logGroup: expiries[group]?.name, path: log.path, fileCount: 1,
          rowCount: count, processes: holders)
      }
    }
  }

  /// Expired events by group.
  private func counts(in log: WriteAheadContents) throws -> [UInt64: UInt64] {
    var counts: [UInt64: UInt64] = [:]
    for entry in log.entries where isExpired(entry.head) {
      guard let cutoff = expiries[entry.head.group]?.cutoff else { continue }
      counts[entry.head.group, default: 0] += try rowCount(entry, of: log, before: cutoff)
    }
    return counts
  }

  private func rowCount(
    _ entry: WriteAheadContents.Entry, of log: WriteAheadContents, before cutoff: Int64
  ) throws -> UInt64 {
    if entry.head.maxTime < cutoff { return UInt64(entry.head.rowCount) }
    return UInt64(try log.block(of: entry).block.records.count { $0.time < cutoff })
  }

  /// Removed segments of the groups that are still there.
  func readers() throws -> Remainder? {
    let removed = try store.manifest.refresh().removed.values.filter { expiries[$0.group] != nil }
    guard let newest = removed.map(\.generation).max() else { return nil }
    let pins = try store.fileSystem.list(store.names.pins).filter {
      Pin.generation(of: $0).map { $0 < newest } ?? true
    }
    let holders = pins.flatMap { store.holdersOfLock("\(store.names.pins)/\($0)") }
    return Remainder(
      kind: .reader, path: store.names.segments, fileCount: removed.count,
      processes: ProcessList(holders))
  }

  private func damaged() throws -> Remainder? {
    func files(in folder: String) throws -> [String] {
      guard try store.fileSystem.status(of: folder) != nil else { return [] }
      return try store.fileSystem.list(folder)
    }
    let logs = try files(in: store.names.writeAheadLogs).filter { $0.hasSuffix(".damaged") }
    let count = try files(in: store.names.damaged).count { !$0.hasPrefix("manifest-") } + logs.count
    if count == 0 { return nil }
    return Remainder(
      kind: .damaged, path: logs.isEmpty ? store.names.damaged : store.names.root,
      fileCount: count, processes: ProcessList([]))
  }
}
