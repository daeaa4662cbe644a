import TestSupport

@testable import LogStorage

/// A store in a folder of its own with some lines in the log group `g`.
struct StoredLines {
  private let folder = TemporaryFolder()
  let store: LogStore

  init(_ lines: [String], options: LogStore.Options = LogStore.Options()) throws {
    store = try LogStore.open(folder.file("store"), mode: .create, options: options)
    let session = try IngestSession(
      store: store, options: IngestSession.Options(logGroup: "g", stream: "s", now: 0))
    _ = try session.ingest(.memory(Array(lines.joined(separator: "\n").utf8), name: "test"))
  }

  /// The first segment, looked into.
  func inspection() throws -> SegmentInspection {
    try store.inspect(segment: store.segments()[0].record.id.description)
  }
}
