/// What one reader sees: the store at one generation, whatever others publish, merge or remove
/// meanwhile. Dropping it lets the files that only it needed go.
package final class Snapshot: EventSource {
  package var state: ManifestState { view.state }
  let view: StoreView
  /// The time by which retention is judged, ms.
  package let now: Int64
  let store: LogStore
  private let pin: Pin?

  fileprivate init(store: LogStore, view: StoreView, pin: Pin?, now: Int64) {
    self.store = store
    self.view = view
    self.pin = pin
    self.now = now
  }

  /// The generation it shows.
  package var generation: UInt64 { state.generation }

  package var logGroupNames: [String]? { state.groupNames }

  package var temporaryFolder: String? { store.names.temporary }

  package func scan(_ request: ScanRequest) throws -> any RowGroupCursor {
    try segmentScan(request, isSurvey: false)
  }

  package func survey(_ request: ScanRequest, listsChunks: Bool) throws -> ScanSurvey {
    try segmentScan(request, isSurvey: true).survey(listsChunks: listsChunks)
  }

  private func segmentScan(_ request: ScanRequest, isSurvey: Bool) throws -> SegmentScan {
    if pin != nil {
      return SegmentScan(
        try plan(request, view), snapshot: self, cache: store.cache, isSurvey: isSurvey)
    }
    return try scanUnpinned(request)
  }

  /// Without a pin files may go at any time: all are opened before the first is read, for an open
  /// file stays readable. When one has gone already, the newest state is tried, once.
  private func scanUnpinned(_ request: ScanRequest) throws -> SegmentScan {
    let scan = SegmentScan(try plan(request, view), snapshot: self, cache: store.cache)
    if try scan.openAll() { return scan }
    let newest = try store.view()
    let again = SegmentScan(try plan(request, newest), snapshot: self, cache: store.cache)
    _ = try again.openAll()
    return again
  }

  private func plan(_ request: ScanRequest, _ view: StoreView) throws -> ScanPlan {
    try ScanPlan(request, view, now: now)
  }
}

/// Keeps the files of a generation from being collected, by a locked file in `pins/`. The lock goes
/// with the process; the file goes with this object, or with the next collection of garbage.
final class Pin: Sendable {
  private let file: any RandomAccessFile
  private let fileSystem: any FileSystem

  /// The caller holds `locks/gc` shared.
  init(generation: UInt64, names: FileNames, options: LogStore.Options) throws {
    fileSystem = options.fileSystem
    let path = "\(names.pins)/\(generation)-\(hex(options.random.next()))"
    file = try fileSystem.open(path, .createExclusive)
    _ = try file.lock(.shared, waiting: false)
  }

  deinit { try? fileSystem.unlink(file.path) }

  /// The generation that a pin's name says.
  static func generation(of name: String) -> UInt64? {
    name.split(separator: "-").first.flatMap { UInt64($0) }
  }
}

extension LogStore {
  /// The store as it is now, pinned.
  ///
  /// No file that it needs can go between reading the manifest and pinning: both happen under the
  /// shared lock that garbage collection takes exclusively. Where nothing can be written (a
  /// read-only medium, or no right to) it goes on without a pin.
  ///
  /// - Parameter now: the time by which retention is judged; the clock's when `nil`.
  /// - Throws: `StorageError`.
  package func snapshot(now: Int64? = nil) throws -> Snapshot {
    let now = now ?? options.clock.now()
    guard let lock = try openCollectionLock() else {
      return Snapshot(store: self, view: try view(), pin: nil, now: now)
    }
    _ = try lock.lock(.shared, waiting: true)
    defer { try? lock.unlock() }
    let view = try view()
    cache.keep(only: view.state)
    let pin = try permitted {
      try Pin(generation: view.state.generation, names: names, options: options)
    }
    return Snapshot(store: self, view: view, pin: pin, now: now)
  }

  private func openCollectionLock() throws -> (any RandomAccessFile)? {
    try permitted { try fileSystem.open(names.collectionLock, .createOrAppend) }
  }

  /// `nil` where this user may not write.
  private func permitted<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
      return try body()
    } catch let error as StorageError where error.code == .notPermitted || error.code == .diskFull {
      return nil
    }
  }
}
