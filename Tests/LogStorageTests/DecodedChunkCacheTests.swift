import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Decoded columns are kept from one scan to the next, within their bound, and go with their segments.
@Suite struct DecodedChunkCacheTests {
  private static func store(in folder: TemporaryFolder, limit: Int) throws -> LogStore {
    var options = LogStore.Options()
    options.decodedByteCount = limit
    let store = try LogStore.open(folder.file("store"), mode: .create, options: options)
    for day in 0..<12 {
      let lines = (0..<400).map { n in
        #"{"timestamp":\#(1_700_000_000_000 + day * 86_400_000 + n),"level":"L\#(n % 3)","n":\#(n)}"#
      }
      let session = try IngestSession(
        store: store,
        options: IngestSession.Options(logGroup: "g", stream: "s", now: 1_800_000_000_000))
      _ = try session.ingest(.memory(Array(lines.joined(separator: "\n").utf8), name: "test"))
    }
    return store
  }

  private func sum(_ store: LogStore, _ field: String) throws -> Int64 {
    let cursor = try store.snapshot(now: 1_800_000_000_000).scan(ScanRequest())
    var total: Int64 = 0
    while let rowGroup = try cursor.next() {
      for value in try rowGroup.column(field, rows: nil).values() {
        if case .integer(let number) = value { total += number }
      }
    }
    return total
  }

  @Test(arguments: [1, 9_000, 40_000, 1 << 20])
  func `what is kept stays within the bound and changes no answer`(limit: Int) throws {
    let folder = TemporaryFolder()
    let store = try Self.store(in: folder, limit: limit)
    for field in ["n", "level", "n", "timestamp", "n", "n", "level", "n"] {
      let found = try sum(store, field)
      if field == "n" { #expect(found == 12 * 399 * 400 / 2) }
      #expect(store.cache.chunks.byteCount <= limit)
    }
    // Room for one row group is enough to keep something.
    #expect(limit < 9_000 || store.cache.chunks.byteCount > 0)
  }

  @Test func `nothing is kept where nobody asks twice`() throws {
    let folder = TemporaryFolder()
    let store = try Self.store(in: folder, limit: 0)
    _ = try sum(store, "n")
    _ = try sum(store, "n")
    #expect(store.cache.chunks.byteCount == 0)
  }

  @Test func `what one scan alone has asked for is not kept, and a third one reads nothing`() throws
  {
    let folder = TemporaryFolder()
    let store = try Self.store(in: folder, limit: 1 << 20)
    _ = try sum(store, "n")
    #expect(try bytesOfNextScan(store, "n") > 0)
    #expect(try bytesOfNextScan(store, "n") == 0)
    // Another field is as new as the first one was.
    #expect(try bytesOfNextScan(store, "timestamp") > 0)
  }

  private func bytesOfNextScan(_ store: LogStore, _ field: String) throws -> Int {
    let cursor = try store.snapshot(now: 1_800_000_000_000).scan(ScanRequest())
    while let rowGroup = try cursor.next() { _ = try rowGroup.column(field, rows: nil) }
    return cursor.statistics.bytesRead
  }
}
