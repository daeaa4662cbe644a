import LogStorage

/// Where a query's events come from: a store, or files read on the spot.
enum EventSources {
  /// The files if any are named, otherwise the store.
  ///
  /// - Throws: `StorageError`, `CommandFailure`.
  static func open(
    store: StoreOptions, files: [String], timestampField: String?, now: Int64
  ) throws -> any EventSource {
    guard files.isEmpty else { throw CommandFailure("files cannot be read directly yet") }
    return try store.open(.readOnly).snapshot(now: now)
  }
}
