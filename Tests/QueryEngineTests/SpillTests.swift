import Columnar
import Foundation
import LogStorage
import QueryLanguage
import Synchronization
import TestSupport
import Testing

@testable import QueryEngine

/// What memory has no room for goes to disk, and the answer is the same to the last bit.
@Suite struct SpillTests {
  /// Events with keys of few and of many values, of several types, and missing ones.
  static func events(_ count: Int, seed: UInt64) -> [MemorySource.Event] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      var members = ["\"i\":\(index)"]
      members.append("\"u\":\"user-\(Int.random(in: 0..<max(1, count / 3), using: &random))\"")
      members.append("\"few\":\"k\(Int.random(in: 0..<5, using: &random))\"")
      members.append("\"f\":\(Double.random(in: -1...1, using: &random) * 1e3)")
      members.append("\"d\":\(Int.random(in: 0..<500, using: &random)).\(index % 10)0")
      switch Int.random(in: 0..<6, using: &random) {
      case 0: members.append("\"m\":\(index % 97)")
      case 1: members.append("\"m\":\"\(index % 97)\"")
      case 2: members.append("\"m\":\(index % 97).0")
      case 3: members.append("\"m\":true")
      case 4: members.append("\"m\":\"w\(index % 13) é\"")
      default: break
      }
      let time = MemorySource.start + Int64.random(in: 0..<3_600_000, using: &random)
      return MemorySource.Event(
        "{\(members.joined(separator: ","))}", time: time, sequence: UInt64(index + 1))
    }
  }

  static let queries = [
    "fields i | sort @timestamp asc",
    "fields i, m | sort m, few desc",
    "fields @message | sort u desc, f",
    "fields i, d | sort d, i desc | limit 700",
    "fields i | sort few",
    "stats count(*) by u",
    "stats count(*), sum(f), avg(d), stddev(f), variance(d) by u",
    "stats min(m), max(m), sortsFirst(u), sortsLast(u) by few, m",
    "stats pct(f, 50), pct(d, 99), histogram(d, 4) by u",
    "stats earliest(i), latest(u), rate(i, 1m) by m",
    "stats values(m), count_distinct(u) by few",
    "stats count_distinct(m) as n by u | sort n desc, u | limit 9",
    "stats count(*) by bin(1m), m",
    "stats sum(f) as s by u, few | stats sum(s), count(*) by few",
    "stats count(*) as n by u | sort n desc | limit 11",
    "fields i | dedup u", "fields i, m | dedup m, few", "fields i | dedup i | limit 100",
    "fields i, u | dedup u | sort i desc",
    "stats count(*) as n by u | dedup n | sort n",
    "join where u = u (fields u, f) | fields i, right.f",
    "join type=left where m = m (filter few = \"k1\" | fields m, i as j) | fields i, j",
    "join where i = i (fields i, d) | sort d desc | dedup few | fields i, right.d",
  ]

  /// The queries that can be run, so that a typing mistake above is seen.
  @Test func `the queries are understood`() {
    for query in Self.queries {
      #expect(throws: Never.self, "\(query)") {
        _ = try PreparedQuery(query, options: QueryOptions(now: 0))
      }
    }
  }

  @Test(arguments: [1, 2, 3])
  func `answers are the same however little is held`(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let events = Self.events(Int.random(in: 500..<2_500, using: &random), seed: seed)
    for query in Self.queries {
      var source = MemorySource(
        events, rowsPerGroup: [60, 300, 65_536].randomElement(using: &random)!)
      source.isUnordered = Bool.random(using: &random)
      let expected = try answer(query, on: source)
      let mostHeld = [0, 2_000, 20_000, 150_000].randomElement(using: &random)!
      let workers = Int.random(in: 1...3, using: &random)
      let spilled = try answer(query, on: source) {
        $0.mostHeldBeforeSpilling = mostHeld
        $0.workers = workers
      }
      // Not compared by the expectation itself, which would print thousands of rows.
      let isEqual = spilled == expected
      #expect(
        isEqual,
        "seed \(seed), \(mostHeld) bytes, \(workers) workers: \(query)\n\(zip(spilled, expected).first { $0 != $1 } as Any)"
      )
    }
  }

  @Test(arguments: queries)
  func `no events leave no rows`(_ query: String) throws {
    let source = MemorySource([MemorySource.Event]())
    #expect(try answer(query, on: source) { $0.mostHeldBeforeSpilling = 0 } == [])
  }

  @Test(arguments: [
    "fields i | sort one", "fields i | dedup one", "stats values(i), pct(i, 50), sum(i) by one",
    "stats count_distinct(i) by one",
    "join where one = one (fields one, i as j | limit 40) | fields i, j",
    "join type=left where one = one (fields one, i as j | limit 40) | fields i, j",
  ])
  func `one key for all rows is dealt with`(_ query: String) throws {
    let source = MemorySource(
      texts: (0..<700).map { "{\"i\":\($0),\"one\":1}" }, rowsPerGroup: 50)
    let expected = try answer(query, on: source)
    #expect(try answer(query, on: source) { $0.mostHeldBeforeSpilling = 0 } == expected)
    #expect(try answer(query, on: source) { $0.mostHeldBeforeSpilling = 3_000 } == expected)
  }

  @Test func `what does not fit the memory limit is spilled and counted`() throws {
    let source = MemorySource(Self.events(30_000, seed: 9), rowsPerGroup: 2_000)
    for query in ["fields @message | sort f", "stats count(*), avg(f) by f", "fields i | dedup f"] {
      var options = QueryOptions(now: 0)
      options.workers = 2
      var whole: [String] = []
      var spilled: [String] = []
      let roomy = try PreparedQuery(query, options: options).run(on: source) {
        whole += Self.rows($0)
      }
      #expect(roomy.statistics.spilledBytes == 0)
      options.memoryLimit = 1_000_000
      let tight = try PreparedQuery(query, options: options).run(on: source) {
        spilled += Self.rows($0)
      }
      #expect(tight.statistics.spilledBytes > 0)
      let isEqual = whole == spilled
      #expect(isEqual, "\(query)")
    }
  }

  /// Every record is another one: what is held of them are their texts.
  @Test(arguments: [
    "fields concat(@message, i) as m | stats count(*) by m", "stats latest(@message) as m by i",
    "fields @message | dedup @message",
  ])
  func `long texts take no more than a query may use`(_ query: String) throws {
    var random = SeededGenerator(seed: 11)
    let texts = (0..<600).map { number in
      let words = (0..<1_400).map { _ in String(random.next(), radix: 16) }
      return "{\"i\":\(number),\"text\":\"\(words.joined(separator: " "))\"}"
    }
    let source = MemorySource(texts: texts, rowsPerGroup: 200)
    var options = QueryOptions(now: 0)
    options.workers = 2
    options.memoryLimit = 20 << 20
    var rowCount = 0
    let run = try PreparedQuery(query, options: options).run(on: source) { rowCount += $0.rowCount }
    #expect(rowCount == 600)
    #expect(run.statistics.spilledBytes > 0)
    #expect(run.statistics.peakMemoryBytes <= options.memoryLimit)
  }

  private static func rows(_ batch: ColumnBatch) -> [String] {
    (0..<batch.rowCount).map { row in
      batch.columns.map { $0.value(at: row).text ?? "(none)" }.joined(separator: "|")
    }
  }

  @Test func `one group that outgrows the memory is refused by name`() throws {
    let source = MemorySource(
      texts: (0..<5_000).map { "{\"i\":\"a longer text with number \($0)\",\"one\":1}" },
      rowsPerGroup: 500)
    let failure = #expect(throws: QueryFailure.self) {
      try answer("stats values(i) by one", on: source) { $0.memoryLimit = 300_000 }
    }
    #expect(failure?.code == "E502")
    #expect(failure?.description.hasPrefix("stats needs more than") == true)
  }

  // MARK: Disks

  @Test(arguments: [
    ("fields @message | sort f", "sort"), ("stats count(*) by i", "stats"),
    ("fields i | dedup i", "output"), ("join where i = i (fields i, f) | fields i", "output"),
    ("fields i", "output in order of time"),
  ])
  func `a full disk ends the query by name and leaves nothing`(
    _ query: String, _ user: String
  ) throws {
    let folder = TemporaryFolder()
    var source = MemorySource(Self.events(3_000, seed: 4), rowsPerGroup: 100)
    source.isUnordered = query == "fields i"
    let disk = FullDisk(byteCount: 300)
    let failure = #expect(throws: QueryFailure.self) {
      try answer(query, on: source) {
        $0.mostHeldBeforeSpilling = 1_000
        $0.temporaryFolders = [folder.path]
        $0.temporaryFileSystem = disk
      }
    }
    #expect(failure?.code == "disk-full")
    #expect(failure?.description.hasPrefix(user) == true, "\(failure as Any)")
    #expect(failure?.description.contains("TMPDIR") == true, "\(failure as Any)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    // With room, the same query is answered.
    disk.clear()
    _ = try answer(query, on: source) {
      $0.mostHeldBeforeSpilling = 1_000
      $0.temporaryFolders = [folder.path]
      $0.temporaryFileSystem = disk
    }
  }

  @Test func `the first folder that takes a file is taken`() throws {
    let folder = TemporaryFolder()
    let source = MemorySource(Self.events(300, seed: 4), rowsPerGroup: 100)
    let rows = try answer("fields i | sort f", on: source) {
      $0.mostHeldBeforeSpilling = 0
      $0.temporaryFolders = ["/no/such/folder", folder.path]
    }
    #expect(rows.count == 300)
    let failure = #expect(throws: QueryFailure.self) {
      try answer("fields i | sort f", on: source) {
        $0.mostHeldBeforeSpilling = 0
        $0.temporaryFolders = ["/no/such/folder"]
      }
    }
    #expect(failure?.description.contains("a temporary file cannot be made") == true)
  }

  @Test func `a query is cancelled while it writes`() throws {
    let cancellation = QueryCancellation()
    let disk = SpillSpace(folders: [NSTemporaryDirectory()], fileSystem: PosixFileSystem()) {
      () throws(QueryFailure) in
      if cancellation.isCancelled { throw .cancelled }
    }
    let file = try disk.makeFile(for: "sort")
    let block = try file.append([1, 2, 3])
    #expect(try file.read(block) == [1, 2, 3])
    cancellation.cancel()
    #expect(throws: QueryFailure.self) { try file.append([4]) }
    #expect(throws: QueryFailure.self) { try file.read(block) }
  }

  // MARK: Rooms

  @Test func `vectors come back as they were`() throws {
    var world = AggregatesWorld(seed: 55)
    for kind in AggregatesWorld.Kind.allCases {
      for count in [0, 1, 63, 64, 200] {
        let vector = world.vector(kind, count)
        var writer = ByteWriter()
        writer.append(vector: vector)
        let read = try writer.bytes.withUnsafeBytes { bytes in
          var reader = ByteReader(bytes)
          return try reader.vector()
        }
        #expect(read.values() == vector.values(), "\(kind)")
        #expect(read.count == count)
      }
    }
  }

  @Test func `states come back as they were, and a subset of them`() throws {
    let seed: UInt64 = 77
    var world = AggregatesWorld(seed: seed)
    let kinds: [AggregateKind] = [
      .countRows, .count, .countDistinct, .sum, .average, .minimum, .maximum, .percentile(50),
      .standardDeviation, .variance, .earliest, .latest, .sortsFirst, .sortsLast, .values,
      .topK(3), .rate(periodMilliseconds: 1000), .histogram(buckets: 3),
    ]
    for kind in kinds {
      for _ in 0..<20 {
        let batch = world.batch(keyCount: 2, count: 90)
        var table = GroupTable(keyCount: 2)
        let groups = table.assignGroups(keys: batch.keys, rowCount: batch.rowCount)
        var state = kind.makeState()
        state.update(
          groups: groups, groupCount: table.count,
          arguments: kind == .countRows ? [] : [batch.argument], rowCount: batch.rowCount,
          times: batch.times, sequences: batch.sequences)
        let some = (0..<UInt32(table.count)).filter { _ in Bool.random(using: &world.random) }
        var writer = ByteWriter()
        state.write(GroupSubset(some, of: table.count), to: &writer)
        var other = kind.makeState()
        try writer.bytes.withUnsafeBytes { bytes in
          var reader = ByteReader(bytes)
          try other.read(groupCount: some.count, from: &reader)
          #expect(reader.remaining == 0)
        }
        let whole = state.finish(groupCount: table.count).values()
        #expect(
          other.finish(groupCount: some.count).values() == some.map { whole[Int($0)] },
          "\(kind), seed \(seed)")
      }
    }
  }

  @Test func `more runs than are merged at once keep equal rows in their order`() throws {
    let seed: UInt64 = 31
    var random = SeededGenerator(seed: seed)
    let disk = SpillSpace(folders: [NSTemporaryDirectory()], fileSystem: PosixFileSystem())
    let budget = MemoryBudget(limit: 1 << 30, disk: disk)
    var runs = SortedRuns(RowRule(directions: [true]), for: "sort", budget: budget)
    var rows: [(key: Int64, number: Int64)] = []
    for _ in 0..<200 {
      let keys = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
        Int64.random(in: 0..<9, using: &random)
      }
      let numbers = keys.indices.map { Int64(rows.count + $0) }
      rows += zip(keys, numbers).map { ($0, $1) }
      if keys.isEmpty { continue }
      try runs.add(
        ChunkedRows([
          SortPiece(
            batch: RowBatch(
              rowCount: keys.count, columns: [.integers(IntegerVector(values: numbers))]),
            keys: [.integers(IntegerVector(values: keys))])
        ]), limit: nil)
    }
    var merged: [Value] = []
    try runs.drain(until: { false }) { merged += $0.columns[0]!.values() }
    let expected = rows.sorted { ($1.key, $0.number) < ($0.key, $1.number) }
    #expect(merged == expected.map { .integer($0.number) }, "seed \(seed)")
  }

  @Test func `equal values have one hash for the parts of a join`() {
    let equal: [[Value]] = [
      [.integer(200), .double(200), .string("200"), .string("200.0"), .string("2e2")],
      [.jsonBoolean(true), .boolean(true), .integer(1)],
      [.timestamp(0), .string("1970-01-01 00:00:00.000"), .integer(0)],
      [.string("abc"), .string("abc")],
      [.double(0.5), .string("0.50")],
    ]
    for values in equal {
      let hashes = EqualityIndex.partHashes(of: .values(values)).hashes
      #expect(Set(hashes).count == 1, "\(values)")
    }
  }
}

/// A disk on which only so many bytes have room.
private final class FullDisk: FileSystem {
  private let base = PosixFileSystem()
  private let room: Mutex<Int>

  init(byteCount: Int) { room = Mutex(byteCount) }

  /// Makes room without end.
  func clear() { room.withLock { $0 = .max } }

  fileprivate func take(_ byteCount: Int) throws {
    try room.withLock { room in
      guard room >= byteCount else { throw StorageError(.diskFull, "no space left on device") }
      room -= byteCount
    }
  }

  func open(_ path: String, _ mode: FileOpenMode) throws -> any RandomAccessFile {
    FullDiskFile(try base.open(path, mode), on: self)
  }
  func rename(_ path: String, to newPath: String) throws { try base.rename(path, to: newPath) }
  func unlink(_ path: String) throws { try base.unlink(path) }
  func makeDirectory(_ path: String) throws -> Bool { try base.makeDirectory(path) }
  func removeDirectory(_ path: String) throws -> Bool { try base.removeDirectory(path) }
  func list(_ directory: String) throws -> [String] { try base.list(directory) }
  func status(of path: String) throws -> FileStatus? { try base.status(of: path) }
  func syncDirectory(_ path: String) throws { try base.syncDirectory(path) }
  func freeSpace(at path: String) throws -> UInt64 { try base.freeSpace(at: path) }
  func networkFileSystem(at path: String) throws -> String? {
    try base.networkFileSystem(at: path)
  }
}

private final class FullDiskFile: RandomAccessFile {
  private let base: any RandomAccessFile
  private let disk: FullDisk

  init(_ base: any RandomAccessFile, on disk: FullDisk) {
    self.base = base
    self.disk = disk
  }

  var path: String { base.path }
  func length() throws -> UInt64 { try base.length() }
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try base.read(at: offset, into: buffer)
  }
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try disk.take(bytes.count)
    try base.append(bytes)
  }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
    try disk.take(bytes.count)
    try base.write(bytes, at: offset)
  }
  func truncate(to byteCount: UInt64) throws { try base.truncate(to: byteCount) }
  func sync() throws { try base.sync() }
  func syncData() throws { try base.syncData() }
  func lock(_ kind: FileLock, waiting: Bool) throws -> Bool {
    try base.lock(kind, waiting: waiting)
  }
  func unlock() throws { try base.unlock() }
}
