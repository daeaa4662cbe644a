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
  /// What was removed, as the records of the manifest tell, the oldest first.
  package var removals: [Removal] = []

  package var isIntact: Bool { problems.isEmpty }
}

/// Reads every byte of a store against every checksum there is.
struct StoreVerification {
  private let store: LogStore
  /// Only the chain and the SHA-256 of each segment, without decoding.
  private let isChainOnly: Bool
  /// The head that was kept elsewhere, to be found in the chain.
  private let keptHead: [UInt8]?
  private var report = VerificationReport()
  /// Records that follow the one with the kept head; `nil` until it is found.
  private var recordsSinceKeptHead: Int?
  private var fileSystem: any FileSystem { store.fileSystem }

  init(store: LogStore, isChainOnly: Bool = false, keptHead: [UInt8]? = nil) {
    self.store = store
    self.isChainOnly = isChainOnly
    self.keptHead = keptHead
  }

  mutating func run() throws -> VerificationReport {
    let snapshot = try store.snapshot()
    try checkChain()
    for group in snapshot.state.groups.values.sorted(by: { $0.name < $1.name }) {
      for record in group.segments.values.sorted(by: { ($0.day, $0.id) < ($1.day, $1.id) }) {
        checkSegment(record, group.name)
      }
    }
    report.problems += snapshot.state.faults
    checkManifestEnd()
    try checkStrangers(snapshot.state)
    if !isChainOnly {
      try checkNamed(store.lookupTables())
      try checkNamed(store.savedQueries())
      try checkWriteAheadLogs()
      try checkRejected(snapshot.state)
    }
    report.head = try store.manifest.head()
    return report
  }

  /// Lookup tables and saved queries carry checksums of their own.
  private mutating func checkNamed(_ files: NamedFiles) throws {
    for name in try files.names() {
      do { _ = try files.content(of: name) } catch { report.problems.append("\(error)") }
    }
  }

  private mutating func checkRejected(_ state: ManifestState) throws {
    for name in state.groupNames {
      let log = store.rejectedLog(name)
      guard let contents = try log.check() else { continue }
      report.problems += contents.damage
      if contents.hasLostEnd {
        report.notes.append(
          "\(log.endPath): cannot be read, after a crash or by damage; the next rejected record "
            + "writes it anew")
      }
      if contents.tornByteCount > 0 {
        report.notes.append(
          "\(log.path): a write of \(contents.tornByteCount) bytes at its end is under way or was cut off"
        )
      }
    }
  }

  // MARK: The manifest

  /// Follows the chain through all logs that are there, the oldest first.
  private mutating func checkChain() throws {
    let current = try ManifestLog.currentNumber(store.names, fileSystem)
    let numbers = try fileSystem.list(store.names.root).compactMap(FileNames.manifestNumber)
    var previous: [UInt8]?
    var state: ManifestState?
    for number in numbers.sorted() {
      let path = store.names.manifestLog(number)
      if number > current {
        report.notes.append("\(path): left by a crash while a new log was started; not in use")
        continue
      }
      do {
        previous = try checkLog(path, continuing: previous, &state)
      } catch {
        report.problems.append("\(error)")
        previous = nil
        state = nil
      }
    }
    checkKeptHead(hasAllRecords: numbers.min() == 1)
  }

  /// The hint of where the manifest ended may be torn by a crash, and is written anew with the next record.
  private mutating func checkManifestEnd() {
    let path = store.names.manifestEnd
    guard let status = try? fileSystem.status(of: path), !status.isDirectory,
      ManifestEnd(store.names, fileSystem) == nil
    else { return }
    report.notes.append(
      "\(path): cannot be read, after a crash or by damage: that the end of the manifest has gone would "
        + "not be seen now; the next change of the store writes it anew")
  }

  /// Whether the head kept elsewhere is in the chain: then nothing before it was changed since.
  ///
  /// - Parameter hasAllRecords: no log has been removed for its age, so that a missing head proves a change.
  private mutating func checkKeptHead(hasAllRecords: Bool) {
    guard let keptHead else { return }
    switch recordsSinceKeptHead {
    case nil:
      report.problems.append(
        "the head \(hexadecimal(keptHead)) is not in the chain: the manifest was rewritten, or cut, "
          + "since that head was kept"
          + (hasAllRecords
            ? ""
            : ", or its record is older than those that are still there; records are kept for 90 days, so "
              + "replace a head by a new one before, each time when it was found in the chain")
      )
    case 0?: report.notes.append("the head is the one given: nothing was recorded since")
    case let count?:
      report.notes.append(
        "the head given is in the chain; \(count) records were appended since, none changed before")
    }
  }

  private mutating func compareWithKeptHead(_ digest: [UInt8]) {
    if digest == keptHead {
      recordsSinceKeptHead = 0
    } else if let count = recordsSinceKeptHead {
      recordsSinceKeptHead = count + 1
    }
  }

  /// Checks one log and returns the digest of its last record.
  ///
  /// - Parameter known: the state that the log before led to, and afterwards this one; `nil` where damage hides it.
  private mutating func checkLog(
    _ path: String, continuing start: [UInt8]?, _ known: inout ManifestState?
  ) throws -> [UInt8]? {
    let bytes = try fileSystem.contents(of: path)
    guard bytes.count >= ManifestHeader.byteCount else {
      throw StorageError(.damaged, "\(path): ends within its header")
    }
    let header = bytes[..<ManifestHeader.byteCount]
    try ManifestHeader.check(Array(header), name: path)
    report.notes += [ManifestHeader.note(header, name: path)].compactMap { $0 }
    var position = ManifestHeader.byteCount
    if bytes.count == position {
      throw StorageError(.damaged, "\(path): has no records: it was cut behind its header")
    }
    var previous = start
    var state = ManifestState()
    while position < bytes.count {
      guard let record = ManifestRecord(bytes, at: position) else {
        guard let later = ManifestRecord.findWhole(in: bytes, after: position) else {
          report.notes.append(
            "\(path): a torn record of \(bytes.count - position) bytes at its end")
          known = state
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
        report.removals += transaction.removals(from: state, generation: record.generation)
        try state.apply(transaction, generation: record.generation, name: path)
        if position == ManifestHeader.byteCount, start != nil, let known, known != state {
          report.problems.append(
            "\(path): its first record is not the state that the log before it led to")
        }
      }
      report.manifestRecordCount += 1
      let digest = SHA256.hash(record.bytes)
      compareWithKeptHead(digest)
      previous = digest
      position += record.byteCount
    }
    known = state
    return previous
  }

  // MARK: Write-ahead logs

  private mutating func checkWriteAheadLogs() throws {
    let view = try store.view()
    for log in view.logs {
      report.problems += log.damage
      report.notes += log.notes
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
          + "its events was published; 'varve repair' puts it aside")
    }
  }

  // MARK: Segments

  /// Files among the segments that no record names are not read by anybody, but somebody put them
  /// there.
  private mutating func checkStrangers(_ state: ManifestState) throws {
    for group in try fileSystem.list(store.names.segments) {
      for day in try fileSystem.list("\(store.names.segments)/\(group)") {
        let directory = "\(store.names.segments)/\(group)/\(day)"
        for name in try fileSystem.list(directory) {
          let id = name.hasSuffix(".seg") ? SegmentID(name.dropLast(4)) : nil
          if let id, state.removed[id] != nil || state.isLive(id) { continue }
          report.notes.append(
            "\(directory)/\(name): no record names it, so nobody reads it: a writer is at work, a "
              + "crash has left it, or somebody put it there")
        }
      }
    }
  }

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
      if isChainOnly { return faults }
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
      if let told = entry.identifierFilter,
        !told.isContained(in: IdentifierFilterPlace(in: rowGroup.handle.table))
      {
        return [
          "\(reader.source.name): row group at byte \(entry.offset): its directory entry tells of "
            + "ids that are not so"
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
  ///
  /// - Parameters:
  ///   - chainOnly: only the chain and the SHA-256 of each segment: nothing is decoded.
  ///   - head: a head that was kept elsewhere, which must be in the chain.
  package func verify(chainOnly: Bool = false, head: [UInt8]? = nil) throws -> VerificationReport {
    var verification = StoreVerification(store: self, isChainOnly: chainOnly, keptHead: head)
    return try verification.run()
  }

  /// The SHA-256 of the last record of the manifest, and its generation.
  package func head() throws -> (digest: [UInt8], generation: UInt64) { try manifest.lastRecord() }
}
