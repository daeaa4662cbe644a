import Columnar
import Glibc
import LogStorage
import QueryEngine

/// Whole journeys: a file into a store, and queries on it, through the doors that the command uses.
struct EngineBenchmarks {
  private static let group = "benchmark"
  /// The clock of every run, so that two runs do the same: 2026-01-01T00:00:00Z.
  private static let now: Int64 = 1_767_225_600_000

  private let path: String
  private let byteCount: Int

  /// - Parameter path: the logs to load.
  init(path: String, byteCount: Int) {
    self.path = path
    self.byteCount = byteCount
  }

  /// A file to durable segments. Each run makes a store of its own.
  var ingest: Benchmark {
    Benchmark(name: "ingest") {
      let target = try TemporaryStore()
      let report = try load(into: target)
      var checksum = Checksum()
      checksum.add(report.acceptedCount)
      checksum.add(report.counts.rawByteCount)
      return .init(
        rows: Int(report.acceptedCount), bytes: byteCount, checksum: checksum.value)
    }
  }

  /// Queries that any log can answer; fields that it does not have are missing in every row.
  ///
  /// - Throws: what loading the file throws.
  func queries(_ name: String) throws -> [Benchmark] {
    let texts =
      switch name {
      case "scan": ["stats count(*), max(@message)", "sort @timestamp desc | limit 20"]
      case "filter":
        [
          "filter level = \"ERROR\" | stats count(*)",
          "filter @message like \"refused\" | stats count(*)",
        ]
      case "aggregate":
        [
          "stats count(*) by level", "stats count(*), max(@timestamp) by service, bin(5m)",
          "stats avg(durationMs), max(durationMs) by service, level",
        ]
      default: [String]()
      }
    guard !texts.isEmpty else { return [] }
    let folder = try TemporaryStore()
    _ = try load(into: folder)
    let store = try LogStore.open(folder.path, mode: .readOnly)
    return texts.map { query(name, $0, on: store, in: folder) }
  }

  private func query(
    _ name: String, _ text: String, on store: LogStore, in folder: TemporaryStore
  ) -> Benchmark {
    Benchmark(name: "\(name): \(text)") {
      // The folder goes with the last benchmark that reads it.
      defer { withExtendedLifetime(folder) {} }
      let prepared = try PreparedQuery(text, options: QueryOptions(now: Self.now))
      var checksum = Checksum()
      let outcome = try prepared.run(on: try store.snapshot(now: Self.now)) { batch in
        for column in batch.columns { checksum.add(column) }
      }
      return .init(
        rows: outcome.statistics.recordsScanned, bytes: outcome.statistics.bytesScanned,
        checksum: checksum.value)
    }
  }

  private func load(into target: TemporaryStore) throws -> IngestReport {
    let store = try LogStore.open(target.path, mode: .create)
    let options = IngestSession.Options(logGroup: Self.group, now: Self.now)
    return try IngestSession(store: store, options: options).ingest(.file(path))
  }
}

extension Checksum {
  /// Every value of a result column.
  fileprivate mutating func add(_ column: ColumnVector) {
    switch column {
    case .integers(let vector), .timestamps(let vector):
      for value in vector.values { add(UInt64(bitPattern: value)) }
    case .doubles(let vector): for value in vector.values { add(value.bitPattern) }
    case .strings(let vector): for byte in vector.bytes { add(UInt64(byte)) }
    default: add(UInt64(column.count))
    }
  }
}

/// A folder for one store, removed with everything in it when nobody holds it any more.
final class TemporaryStore {
  let path: String

  init() throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/varve-benchmark-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
      throw FileText.Failure(description: "cannot make a folder in \(base)")
    }
    path = String(cString: made)
  }

  deinit { try? Self.remove(path, PosixFileSystem()) }

  private static func remove(_ path: String, _ fileSystem: some FileSystem) throws {
    guard try fileSystem.status(of: path)?.isDirectory == true else {
      return try fileSystem.unlink(path)
    }
    for name in try fileSystem.list(path) { try remove("\(path)/\(name)", fileSystem) }
    _ = try fileSystem.removeDirectory(path)
  }
}
