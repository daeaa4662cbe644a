import Synchronization

/// Takes events as they come and says of each batch when it is durable: the way in for streams and
/// for servers.
///
/// A batch goes through three hands:
///
/// ```text
/// append()      compress → queue                    any number of threads
/// committer     everything queued → one write and one fdatasync → "durable" → flush queue
/// flusher       memtables → row groups → segments; full log → published, file removed
/// ```
///
/// *Group commit*: while the committer waits for the disk (some 4 ms), batches queue; the next write
/// takes them all. So the rate of commits is the disk's, and the rate of events is not bound to it.
///
/// *Exchange of logs*: a log that has its share of events, or is five minutes old, is left for the
/// spare one, which the flusher lays out when the log is a quarter full: the committer does not wait for
/// files to be made. The flusher finishes the segments of the old log and puts them into its place in one
/// manifest record. A crash before that record leaves the log, a crash after it leaves a file that
/// nobody names.
///
/// Who has to have all events in segments, as the deletion of a stream and an exact retention do, asks
/// for it in the manifest, which the committer reads after each commit and a few times a second while it idles.
///
/// *Failures*: a write or sync that fails ends the writer; nothing is acknowledged after it. What was
/// acknowledged is in a log that the manifest names: readers see it there, and the next writer
/// publishes it. Before a batch is acknowledged its log group must still exist, looked up after the
/// sync: a group's deletion cannot overtake an acknowledgement.
package final class StreamWriter: Sendable {
  /// When the writer goes on to the next log, and how much it keeps in memory.
  package struct Limits: Sendable {
    /// Readers read logs at every query, so that a log is worth a few row groups. One may get twice as
    /// much while its successor is not ready.
    package var rowsPerLog = 4 * StorageLimits.rowsPerRowGroup
    package var rawBytesPerLog = 2 * StorageLimits.rawBytesPerRowGroup
    package var age = Duration.seconds(300)
    /// Zeros that a log is laid out with. It is left before they are used up, for laying out more while
    /// events wait takes longer than a commit.
    package var logByteCount = 16 << 20
    /// The same of the first log, whose making somebody waits for.
    package var firstLogByteCount = 4 << 20
    /// Texts that wait for the disk; above it `append` waits.
    package var queuedByteCount = StorageLimits.rawBytesPerRowGroup
    /// Texts that wait for the encoder; above it the committer waits.
    package var backlogByteCount = 4 * StorageLimits.rawBytesPerRowGroup
    /// How often an idle writer looks whether its events are wanted in segments, ms.
    package var heartbeat: Int64 = 200

    package init() {}
  }

  /// Told of a batch once: `nil` when it is durable and visible, else why it is not.
  package typealias Outcome = @Sendable ((any Error)?) -> Void

  private struct Batch: Sendable {
    var scanned: ScannedBlock
    var logGroup: String
    var record: WriteAheadRecord
    var outcome: Outcome

    var byteCount: Int { record.head.rawByteCount }
  }

  private enum Work: Sendable {
    case flush(Batch)
    /// The log will get no more events.
    case publish(WriteAheadFile)
    /// A spare is wanted, some time or at once.
    case prepare(isUrgent: Bool)
    case close(WriteAheadFile)
  }

  private struct State {
    var queue: [Batch] = []
    var queuedByteCount = 0
    var work: [Work] = []
    var backlogByteCount = 0
    var spare: WriteAheadFile?
    /// Somebody has asked for a spare.
    var isPreparing = false
    var isClosing = false
    var failure: (any Error)?
    var counts = IngestCounts()
    var threads: [ServiceThread] = []
  }

  private let store: LogStore
  private let limits: Limits
  /// Looks at the manifest without waiting for this process's own appends to it.
  private let watch: ManifestLog
  private let state = Monitor(State())
  /// Those that no batch is using.
  private let compressors = Mutex<[Compressor]>([])

  /// Opens a log.
  ///
  /// - Throws: `StorageError`: `diskFull` below the reserve.
  package init(store: LogStore, limits: Limits = Limits()) throws {
    precondition(
      limits.rowsPerLog <= Int(WriteAheadFile.sequenceCount / 4), "a log has its numbers")
    try store.requireWritable()
    try store.requireFreeSpace(above: limits.firstLogByteCount)
    self.store = store
    self.limits = limits
    watch = ManifestLog(
      names: store.names, fileSystem: store.options.fileSystem, clock: store.options.clock)
    let log = try Self.makeLog(store, byteCount: limits.firstLogByteCount, isPatient: false)
    let committer = try ServiceThread { self.commit(into: log) }
    do {
      let flusher = try ServiceThread { self.flush() }
      state.withLock { $0.threads = [committer, flusher] }
    } catch {
      fail(error)
      committer.join()
      throw error
    }
  }

  private static func makeLog(
    _ store: LogStore, byteCount: Int, isPatient: Bool
  ) throws -> WriteAheadFile {
    var log = try WriteAheadFile(store: store, byteCount: byteCount, isPatient: isPatient)
    var flush = WriteAheadFlush(store: store)
    let records = try flush.exchange([], for: [log.id])
    log.begin(records[log.id]!)
    return log
  }

  /// Takes a batch, and waits while too much is queued.
  ///
  /// - Parameters:
  ///   - logGroup: made when it does not exist.
  ///   - ingestionTime: time of arrival, ms.
  ///   - outcome: told of the batch by another thread, batch after batch.
  /// - Throws: why no more events are taken; `outcome` is not told then.
  package func append(
    _ scanned: ScannedBlock, logGroup: String, ingestionTime: Int64, outcome: @escaping Outcome
  ) throws {
    precondition(
      (1...StorageLimits.rowsPerRowGroup).contains(scanned.times.count), "a batch fits a row group")
    var kept = scanned
    // The encoder scans row groups when they are full; until then only texts and times are needed.
    (kept.slots, kept.slotStarts) = ([], [])
    let compressor = compressors.withLock { $0.popLast() } ?? Compressor()
    let batch = Batch(
      scanned: kept, logGroup: logGroup,
      record: WriteAheadRecord(
        scanned, group: try number(of: logGroup), ingestionTime: ingestionTime,
        compressor: compressor),
      outcome: outcome)
    compressors.withLock { $0.append(compressor) }
    try state.wait { state -> Void? in
      if let failure = state.failure { throw failure }
      guard
        state.queue.isEmpty || state.queuedByteCount + batch.byteCount <= limits.queuedByteCount
      else { return nil }
      state.queue.append(batch)
      state.queuedByteCount += batch.byteCount
      return ()
    }
  }

  private func number(of logGroup: String) throws -> UInt64 {
    if let known = try watch.refresh().group(named: logGroup) { return known.id }
    return try store.ensureGroup(logGroup)
  }

  /// Why no more events are taken, if so.
  package var failure: (any Error)? { state.withLock { $0.failure } }

  /// Publishes what is left, removes the logs and ends.
  ///
  /// - Returns: figures of all events taken.
  /// - Throws: what made the writer fail; acknowledged events are safe all the same.
  package func close() throws -> IngestCounts {
    let threads = state.withLock { state in
      state.isClosing = true
      defer { state.threads = [] }
      return state.threads
    }
    for thread in threads { thread.join() }
    return try state.withLock { state in
      if let failure = state.failure { throw failure }
      return state.counts
    }
  }

  /// Ends everything: nothing is acknowledged any more.
  private func fail(_ error: any Error) {
    let refused = state.withLock { state in
      if state.failure == nil { state.failure = error }
      defer {
        state.queue = []
        state.work = []
        state.spare = nil
      }
      return state.queue
    }
    for batch in refused { batch.outcome(error) }
  }

  // MARK: Committing

  private enum Turn {
    case write([Batch])
    case exchange
    case close
  }

  private func commit(into first: WriteAheadFile) {
    var log = first
    do {
      while true {
        switch try nextTurn(log) {
        case .write(let batches):
          try write(batches, to: &log)
          if isQuarterFull(log) { wantSpare(isUrgent: false) }
        case .exchange: log = try exchange(log)
        case .close:
          state.withLock { $0.work.append(.close(log)) }
          return
        }
      }
    } catch {
      fail(error)
    }
  }

  private func nextTurn(_ log: WriteAheadFile) throws -> Turn {
    if isFull(log, times: 2) { return .exchange }
    if isFull(log, times: 1) || log.laidOutShare >= 0.75,
      state.withLock({ $0.spare != nil })
    {
      return .exchange
    }
    while true {
      let left = log.firstAppend.map { (limits.age - (ContinuousClock.now - $0)).milliseconds }
      if let left, try left <= 0 || isFlushWanted(log) { return .exchange }
      let turn = try state.wait(milliseconds: left.map { min($0 + 1, limits.heartbeat) }) {
        state -> Turn? in
        if let failure = state.failure { throw failure }
        if state.queue.isEmpty { return state.isClosing ? .close : nil }
        return .write(Self.take(&state))
      }
      if let turn { return turn }
    }
  }

  private func isFull(_ log: WriteAheadFile, times: Int) -> Bool {
    log.rowCount >= times * limits.rowsPerLog || log.rawByteCount >= times * limits.rawBytesPerLog
  }

  private func isQuarterFull(_ log: WriteAheadFile) -> Bool {
    log.rowCount >= limits.rowsPerLog / 4 || log.rawByteCount >= limits.rawBytesPerLog / 4
      || log.laidOutShare >= 0.25
  }

  private func wantSpare(isUrgent: Bool) {
    state.withLock { state in
      if state.spare != nil || state.isPreparing { return }
      state.isPreparing = true
      if isUrgent {
        state.work.append(.prepare(isUrgent: true))
      } else {
        state.work.insert(.prepare(isUrgent: false), at: 0)
      }
    }
  }

  private func isFlushWanted(_ log: WriteAheadFile) throws -> Bool {
    try watch.refresh().writeAheadLogs[log.id]?.isFlushWanted ?? false
  }

  /// Takes what one write may hold off the queue; at least one batch.
  private static func take(_ state: inout State) -> [Batch] {
    var count = 0
    var rows = 0
    while count < state.queue.count {
      rows += state.queue[count].record.head.rowCount
      // Far below the sequence numbers that a log has beyond its limit.
      if count > 0, rows > 4 * StorageLimits.rowsPerRowGroup { break }
      count += 1
    }
    let taken = Array(state.queue[..<count])
    state.queue.removeFirst(count)
    state.queuedByteCount -= taken.reduce(0) { $0 + $1.byteCount }
    return taken
  }

  private func write(_ batches: [Batch], to log: inout WriteAheadFile) throws {
    var batches = batches
    let groups: [UInt64: ManifestState.GroupState]
    do {
      try store.requireFreeSpace()
      var records = batches.map(\.record)
      try log.append(&records)
      for (index, record) in records.enumerated() {
        batches[index].record = record
        batches[index].scanned.block.firstRecord = record.head.firstSequence
      }
      groups = try watch.refresh().groups
    } catch {
      for batch in batches { batch.outcome(error) }
      throw error
    }
    for batch in batches {
      let isThere = groups[batch.record.head.group] != nil
      batch.outcome(isThere ? nil : Self.deleted(batch.logGroup))
    }
    state.wait { state -> Void? in
      guard state.failure != nil || state.backlogByteCount < limits.backlogByteCount else {
        return nil
      }
      state.work += batches.map { .flush($0) }
      state.backlogByteCount += batches.reduce(0) { $0 + $1.byteCount }
      return ()
    }
  }

  private static func deleted(_ logGroup: String) -> StorageError {
    StorageError(
      .unknownGroup, "log group '\(logGroup)' was deleted while events were written to it")
  }

  /// Leaves a log to the flusher. That comes first: where there is no room for another log, this one
  /// becomes segments all the same, which are smaller.
  private func exchange(_ log: WriteAheadFile) throws -> WriteAheadFile {
    state.withLock { $0.work.append(.publish(log)) }
    while true {
      wantSpare(isUrgent: true)
      let next = try state.wait { state -> WriteAheadFile?? in
        if let failure = state.failure { throw failure }
        if state.spare == nil { return state.isPreparing ? nil : .some(nil) }
        defer { state.spare = nil }
        return state.spare
      }
      if let next { return next }
    }
  }

  // MARK: Flushing

  private func flush() {
    ServiceThread.yieldToOthers()
    var flush = WriteAheadFlush(store: store)
    do {
      while true {
        let work = try state.wait { state -> Work? in
          if let failure = state.failure { throw failure }
          return state.work.isEmpty ? nil : state.work.removeFirst()
        }
        switch work {
        case .flush(let batch):
          let head = batch.record.head
          try flush.add(
            batch.scanned, group: head.group, name: batch.logGroup,
            ingestionTime: head.ingestionTime)
          state.withLock { $0.backlogByteCount -= batch.byteCount }
        case .publish(let log):
          _ = try flush.exchange([log.id], for: [])
          remove(log)
        case .prepare(let isUrgent):
          try prepare(isUrgent: isUrgent)
        case .close(let log):
          try close(log, &flush)
          return
        }
      }
    } catch {
      flush.discard()
      fail(error)
    }
  }

  /// Makes the spare log. When that fails before it is needed, it is tried once more when it is.
  private func prepare(isUrgent: Bool) throws {
    defer { state.withLock { $0.isPreparing = false } }
    do {
      try store.requireFreeSpace(above: limits.logByteCount)
      let spare = try Self.makeLog(store, byteCount: limits.logByteCount, isPatient: !isUrgent)
      state.withLock { $0.spare = spare }
    } catch let error as StorageError where !isUrgent && error.code == .diskFull {
      return
    }
  }

  private func close(_ log: WriteAheadFile, _ flush: inout WriteAheadFlush) throws {
    let spare = state.withLock { state in
      defer { state.spare = nil }
      return state.spare
    }
    let logs = [log, spare].compactMap { $0 }
    _ = try flush.exchange(logs.map(\.id), for: [])
    for log in logs { remove(log) }
    state.withLock { $0.counts = flush.counts }
  }

  /// Removes a file that the manifest no longer names; if that fails the collector does it later.
  private func remove(_ log: WriteAheadFile) { try? store.options.fileSystem.unlink(log.path) }
}
