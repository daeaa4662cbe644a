import LogStorage

/// Where a query's events come from: a store, or files read on the spot.
enum EventSources {
  /// The files if any are named, otherwise the store.
  ///
  /// - Throws: `StorageError`, `CommandFailure`.
  static func open(
    store: StoreOptions, files: [String], timestampField: String?, now: Int64
  ) throws -> any EventSource {
    guard !files.isEmpty else { return try store.open(.readOnly).snapshot(now: now) }
    var options = FileEventSource.Options(now: now)
    options.timestampField = timestampField
    return FileEventSource(files.map(InputStream.Origin.init(argument:)), options: options)
  }
}

extension InputStream.Origin {
  /// A file, or standard input for `-`.
  init(argument: String) { self = argument == "-" ? .standardInput : .file(argument) }
}
