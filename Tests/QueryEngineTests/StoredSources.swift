import Columnar
import TestSupport

@testable import LogStorage
@testable import QueryEngine

// The events of a case, on their way through the store and through a file. Their times are given by
// the wrapper of a CloudWatch export, so the texts stay as the case has them.

/// A source and what must live as long as it does.
private struct HeldSource: EventSource {
  let base: any EventSource
  let folder: TemporaryFolder

  func scan(_ request: ScanRequest) throws -> any RowGroupCursor { try base.scan(request) }
  var logGroupNames: [String]? { base.logGroupNames }
}

enum StoredSources {
  /// Events in a store, brought in by two ingestions.
  static func store(_ texts: [String]) throws -> any EventSource { try store(CaseEvents(texts)) }

  /// - Parameters:
  ///   - isCompacted: whether the segments of a day become one.
  ///   - compactness: whether rare columns share chunks, and shapes are told by their columns.
  ///   - decodedByteCount: what is kept decoded from one query to the next; if anything, all has been read once.
  static func store(
    _ events: CaseEvents, isCompacted: Bool = false, decodedByteCount: Int = 0,
    compactness: RowGroupEncoder.Compactness = .automatic
  ) throws -> any EventSource {
    let folder = TemporaryFolder()
    var options = LogStore.Options()
    options.decodedByteCount = decodedByteCount
    let store = try LogStore.open(folder.file("store"), mode: .create, options: options)
    for group in events.groups {
      try ingest(group.events, into: group.name, of: store, compactness)
    }
    if isCompacted {
      _ = try store.retain(now: MemorySource.start + 7 * 86_400_000)
    }
    let source = HeldSource(base: try store.snapshot(now: MemorySource.start), folder: folder)
    if decodedByteCount > 0 { try readAll(of: source) }
    return source
  }

  private static func readAll(of source: any EventSource) throws {
    let cursor = try source.scan(ScanRequest())
    while let rowGroup = try cursor.next() {
      for (name, _) in try rowGroup.discoveredFields() {
        _ = try rowGroup.column(DiscoveredName.path(ofName: name), rows: nil)
      }
    }
  }

  /// How the columns of stored events are encoded, variables of templates included.
  static func encodings(of source: any EventSource) throws -> Set<ColumnEncoding> {
    var found: Set<ColumnEncoding> = []
    let cursor = try source.scan(ScanRequest())
    while let rowGroup = try cursor.next() as? EncodedRowGroupReader {
      for (index, chunk) in rowGroup.handle.table.chunks.enumerated()
      where chunk.role == .column {
        if let encoding = chunk.encoding { found.insert(encoding) }
        guard case .templates(let run) = try rowGroup.columnData(index) else { continue }
        found.formUnion(run.variableEncodings)
      }
    }
    return found
  }

  private static func ingest(
    _ texts: [String], into group: String, of store: LogStore,
    _ compactness: RowGroupEncoder.Compactness
  ) throws {
    let middle = texts.count / 2
    for part in [0..<middle, middle..<texts.count] where !part.isEmpty {
      var options = IngestSession.Options(
        logGroup: group, stream: "stream", now: MemorySource.start)
      options.workers = 1
      options.compactness = compactness
      let session = try IngestSession(store: store, options: options)
      _ = try session.ingest(.memory(export(texts, part), name: "case"))
    }
  }

  /// Events read directly, with no store.
  static func file(_ events: CaseEvents, rowsPerGroup: Int) -> any EventSource {
    file(events.groups.flatMap(\.events), rowsPerGroup: rowsPerGroup)
  }

  static func file(_ texts: [String], rowsPerGroup: Int) -> any EventSource {
    var options = FileEventSource.Options(now: MemorySource.start)
    options.rowsPerRowGroup = rowsPerGroup
    return FileEventSource(
      [.memory(export(texts, 0..<texts.count), name: "case")], options: options)
  }

  /// `{"logEvents":[{"timestamp":…,"message":"…"}]}`, one minute between events.
  private static func export(_ texts: [String], _ part: Range<Int>) -> [UInt8] {
    let events = part.map { index in
      let time = MemorySource.start + Int64(index) * 60_000
      let map = ValueMap(
        keys: ["timestamp", "message"], values: [.integer(time), .string(texts[index])])
      return JSONValue.text(of: .map(map))
    }
    return Array("{\"logEvents\":[\(events.joined(separator: ","))]}\n".utf8)
  }
}
