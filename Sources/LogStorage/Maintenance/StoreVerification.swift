/// What `varve verify` found.
package struct VerificationReport: Sendable, Hashable {
  package var segmentCount = 0
  package var rowGroupCount = 0
  package var eventCount: UInt64 = 0
  package var byteCount: UInt64 = 0
  package var manifestRecordCount = 0
  /// SHA-256 of the last record of the manifest: keep it elsewhere, and nobody can rewrite what
  /// came before it unseen.
  package var head: [UInt8] = []
  /// One line for each fault, with file, place and what was expected.
  package var problems: [String] = []
  /// Things that are no faults: files that a crash left, a torn end that was never acknowledged.
  package var notes: [String] = []

  package var isIntact: Bool { problems.isEmpty }
}

/// Reads every byte of a store against every checksum there is.
struct StoreVerification {
  private let store: LogStore
  private var report = VerificationReport()
  private var fileSystem: any FileSystem { store.fileSystem }

  init(store: LogStore) { self.store = store }

  mutating func run() throws -> VerificationReport {
    let snapshot = try store.snapshot()
    try checkChain()
    for group in snapshot.state.groups.values.sorted(by: { $0.name < $1.name }) {
      for record in group.segments.values.sorted(by: { ($0.day, $0.id) < ($1.day, $1.id) }) {
        checkSegment(record, group.name)
      }
    }
    try checkNamed(store.lookupTables())
    try checkNamed(store.savedQueries())
    try checkWriteAheadLogs()
    report.head = try store.manifest.head()
    return report
  }

  /// Lookup tables and saved queries carry checksums of their own.
  private mutating func checkNamed(_ files: NamedFiles) throws {
    for name in try files.names() {
      do { _ = try files.content(of: name) } catch { report.problems.append("\(error)") }
    }
  }

  // MARK: The manifest

  /// Follows the chain through all logs that are there, the oldest first.
  private mutating func checkChain() throws {
    let current = try ManifestLog.currentNumber(store.names, fileSystem)
    let numbers = try fileSystem.list(store.names.root).compactMap(FileNames.manifestNumber)
    var previous: [UInt8]?
    for number in numbers.sorted() {
      let path = store.names.manifestLog(number)
      if number > current {
        report.notes.append("\(path): left by a crash while a new log was started; not in use")
        continue
      }
      do {
        previous = try checkLog(path, continuing: previous)
      } catch {
        report.problems.append("\(error)")
        previous = nil
      }
    }
  }

  /// Checks one log and returns the digest of its last record.
  private mutating func checkLog(_ path: String, continuing start: [UInt8]?) throws -> [UInt8]? {
    let bytes = try fileSystem.contents(of: path)
    guard bytes.count >= ManifestHeader.byteCount else {
      throw StorageError(.damaged, "\(path): ends within its header")
    }
    try ManifestHeader.check(Array(bytes[..<ManifestHeader.byteCount]), name: path)
    var position = ManifestHeader.byteCount
    var previous = start
    var state = ManifestState()
    while position < bytes.count {
      guard let record = ManifestRecord(bytes, at: position) else {
        guard let later = ManifestRecord.findWhole(in: bytes, after: position) else {
          report.notes.append(
            "\(path): a torn record of \(bytes.count - position) bytes at its end")
          return previous
        }
        report.problems.append("\(path): the record at byte \(position) is damaged")
        position = later
        previous = nil
        continue
      }
      if let previous, record.previous != previous {
        report.problems.append(
          "\(path): the record at byte \(position) (generation \(record.generation)) does not "
            + "carry the SHA-256 of the one before it: records were changed, removed or inserted")
      }
      if previous != nil || position == ManifestHeader.byteCount {
        let transaction = try ManifestTransaction(record.body, name: path)
        try state.apply(transaction, generation: record.generation, name: path)
      }
      report.manifestRecordCount += 1
      previous = SHA256.hash(record.bytes)
      position += record.byteCount
    }
    return previous
  }

  // MARK: Write-ahead logs

  private mutating func checkWriteAheadLogs() throws {
    let view = try store.view()
    for log in view.logs {
      report.problems += log.damage
      if log.tornByteCount > 0 {
        report.notes.append(
          "\(log.path): a write of \(log.tornByteCount) bytes at its end is under way or was cut off"
        )
      }
      for entry in log.entries where view.state.groups[entry.head.group] != nil {
        do {
          _ = try log.block(of: entry)
          report.eventCount += UInt64(entry.head.rowCount)
          report.byteCount += UInt64(entry.byteCount)
        } catch {
          report.problems.append("\(error)")
        }
      }
    }
    guard try fileSystem.status(of: store.names.writeAheadLogs) != nil else { return }
    for name in try fileSystem.list(store.names.writeAheadLogs) where name.hasSuffix(".damaged") {
      report.problems.append(
        "\(store.names.writeAheadLogs)/\(name): a write-ahead log with damage, kept when the rest of "
          + "its events was published; remove it when it was looked at")
    }
  }

  // MARK: Segments

  private mutating func checkSegment(_ record: SegmentRecord, _ group: String) {
    report.segmentCount += 1
    report.eventCount += record.rowCount
    report.byteCount += record.byteCount
    let path = store.names.segment(record.id, group: record.group, day: record.day)
    let found = faults(of: record, path)
    report.problems += found.map {
      "log group '\(group)', events from \(Day.timeText(record.minTime)) to "
        + "\(Day.timeText(record.maxTime)): \($0)"
    }
  }

  private mutating func faults(of record: SegmentRecord, _ path: String) -> [String] {
    do {
      let file = try fileSystem.open(path, .read)
      let length = try file.length()
      var faults: [String] = []
      if length != record.byteCount {
        faults.append("\(path): has \(length) bytes, recorded are \(record.byteCount)")
      } else {
        let digest = try SegmentDigest.compute(file)
        if digest != record.digest {
          faults.append(
            "\(path): has SHA-256 \(hexadecimal(digest)), recorded is \(hexadecimal(record.digest))"
          )
        }
      }
      let reader = try SegmentReader(path: path, fileSystem: fileSystem)
      if reader.footer.contentSum != record.contentSum || reader.id != record.id {
        faults.append("\(path): is another segment than the manifest describes")
      }
      for entry in reader.rowGroups { faults += self.faults(of: entry, reader) }
      return faults
    } catch {
      return ["\(error)"]
    }
  }

  /// Decodes a row group: every chunk is read against its checksum, and the events must add up.
  private mutating func faults(of entry: RowGroupEntry, _ reader: SegmentReader) -> [String] {
    report.rowGroupCount += 1
    do {
      let rowGroup = try EncodedRowGroupReader(
        handle: RowGroupHandle(source: reader.source, entry: entry), logGroup: "", ordinal: 0,
        boundOfRest: nil, window: nil, sequenceBase: 0)
      let records = try rowGroup.records()
      let sum = records.contentSum(of: 0..<records.count)
      guard sum == entry.contentSum, UInt64(records.bytes.count) == entry.rawByteCount,
        records.times.first == entry.minTime, records.times.last == entry.maxTime
      else {
        return [
          "\(reader.source.name): row group at byte \(entry.offset): its events are not those "
            + "that its directory entry describes"
        ]
      }
      return []
    } catch {
      return ["\(error)"]
    }
  }
}

extension LogStore {
  /// Reads everything against every checksum: the chain of the manifest, each segment's SHA-256,
  /// each chunk, and the sums over the events.
  ///
  /// - Throws: `StorageError` when there is nothing to verify; faults found are in the report.
  /// - Complexity: O(bytes of the store)
  package func verify() throws -> VerificationReport {
    var verification = StoreVerification(store: self)
    return try verification.run()
  }
}
