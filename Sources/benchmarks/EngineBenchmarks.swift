import Columnar
import Glibc
import LogStorage
import QueryEngine

/// Whole journeys: a file into a store, and queries on it, through the doors that the command uses.
struct EngineBenchmarks {
  private static let group = "benchmark"
  /// The clock of every run, so that two runs do the same: 2026-01-01T00:00:00Z.
  private static let now: Int64 = 1_767_225_600_000

  /// Columns kept decoded between queries, as in the shell.
  private static let decodedByteCount = 128 << 20

  private let origin: InputStream.Origin
  private let byteCount: Int

  /// - Parameter origin: the logs to load.
  init(_ origin: InputStream.Origin, byteCount: Int) {
    self.origin = origin
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
    return try queries(
      texts.map { Workload.Question(name: "\(name): \($0)", query: $0, window: nil) })
  }

  /// Questions to one store, which stays open and warm.
  ///
  /// - Throws: what loading the logs throws.
  func queries(_ questions: [Workload.Question]) throws -> [Benchmark] {
    guard !questions.isEmpty else { return [] }
    let folder = try TemporaryStore()
    _ = try load(into: folder)
    var options = LogStore.Options()
    options.decodedByteCount = Self.decodedByteCount
    let store = try LogStore.open(folder.path, mode: .readOnly, options: options)
    return questions.map { query($0, on: store, in: folder) }
  }

  private func query(
    _ question: Workload.Question, on store: LogStore, in folder: TemporaryStore
  ) -> Benchmark {
    Benchmark(name: question.name) {
      // The folder goes with the last benchmark that reads it.
      defer { withExtendedLifetime(folder) {} }
      var options = QueryOptions(now: Self.now)
      options.window = question.window
      let prepared = try PreparedQuery(question.query, options: options)
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
    return try IngestSession(store: store, options: options).ingest(origin)
  }
}

extension Checksum {
  /// Every value of a column.
  mutating func add(_ column: ColumnVector) {
    switch column {
    case .integers(let vector), .timestamps(let vector):
      for value in vector.values { add(UInt64(bitPattern: value)) }
    case .doubles(let vector): for value in vector.values { add(value.bitPattern) }
    case .strings(let vector): for byte in vector.bytes { add(UInt64(byte)) }
    case .dictionary(let vector): for code in vector.codes { add(UInt64(code)) }
    case .decimals(let vector):
      for mantissa in vector.mantissas { add(UInt64(bitPattern: mantissa)) }
    case .values(let values):
      for value in values { for byte in (value.text ?? "").utf8 { add(UInt64(byte)) } }
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
