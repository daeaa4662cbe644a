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

  /// What was rejected from the log groups named, or from all.
  ///
  /// - Throws: `StorageError`.
  static func openRejected(
    of groups: [String], in store: StoreOptions, now: Int64
  ) throws -> any EventSource {
    let opened = try store.open(.readOnly)
    let known = try opened.groups().map(\.name)
    for name in groups where !known.contains(name) { _ = try opened.streams(of: name) }
    let inputs = try (groups.isEmpty ? known : groups).compactMap {
      try opened.rejectedRecords(group: $0)
    }
    var options = FileEventSource.Options(now: now)
    options.damagedParts = inputs.flatMap(\.damage)
    return FileEventSource(inputs.map(\.origin), options: options)
  }
}

extension InputStream.Origin {
  /// A file, or standard input for `-`.
  init(argument: String) { self = argument == "-" ? .standardInput : .file(argument) }
}
