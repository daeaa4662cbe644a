#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Publishes what writers that died left in their write-ahead logs.
///
/// Nothing depends on when this happens: readers see the events of a log as they see those of
/// segments. It is done by the next stream and by every maintenance run.
struct WriteAheadRecovery {
  /// What was found.
  struct Report: Sendable {
    var logCount = 0
    var eventCount = 0
    /// Damage, by file and place: acknowledged events that cannot be read.
    var problems: [String] = []
    /// Writes that were cut off, which nobody was told were safe.
    var notes: [String] = []
  }

  private let store: LogStore
  private var names: FileNames { store.names }
  private var fileSystem: any FileSystem { store.options.fileSystem }

  init(store: LogStore) { self.store = store }

  /// - Throws: `StorageError` when events cannot be published; they stay where they are.
  func run() throws -> Report {
    var report = Report()
    let logs = try store.manifest.refresh().writeAheadLogs.values
    for log in logs.sorted(by: { $0.firstSequence < $1.firstSequence }) {
      do { try recover(log, &report) } catch let error as StorageError
        where [.damaged, .unknownVersion, .notPermitted].contains(error.code)
      {
        // It stays as it is; the others need not.
        report.problems.append(error.message)
      }
    }
    return report
  }

  private func recover(_ log: WriteAheadLogRecord, _ report: inout Report) throws {
    let path = names.writeAheadLog(log.id)
    let file: any RandomAccessFile
    do {
      file = try fileSystem.open(path, .read)
    } catch let error as StorageError where error.code == .missingFile {
      if try isWaiting(log) {
        report.problems.append(
          "\(path): the write-ahead log is missing, with the events in it; 'varve repair' goes on without it"
        )
      }
      return
    }
    // Its writer holds the lock as long as it lives.
    guard try file.lock(.exclusive, waiting: false) else { return }
    defer { try? file.unlock() }
    guard try isWaiting(log) else { return }
    let contents = try WriteAheadContents(log, file: file)
    let count = try publish(contents)
    report.logCount += 1
    report.eventCount += count
    report.problems += contents.damage
    if contents.tornByteCount > 0 {
      report.notes.append(
        "\(path): its last \(contents.tornByteCount) bytes are a write that was cut off; "
          + "they were never acknowledged")
    }
    if contents.damage.isEmpty {
      try? fileSystem.unlink(path)
    } else {
      // Kept for whoever wants to look; the manifest no longer names it.
      try fileSystem.rename(path, to: path + ".damaged")
      try fileSystem.syncDirectory(names.writeAheadLogs)
    }
  }

  /// Events that `run` would publish: those in the logs of writers that died.
  func waitingRowCount() throws -> UInt64 {
    let view = try store.view()
    var count: UInt64 = 0
    for contents in view.logs where !contents.entries.isEmpty {
      guard let file = try? fileSystem.open(contents.path, .read),
        try file.lock(.exclusive, waiting: false)
      else { continue }
      try? file.unlock()
      let rows = contents.entries.filter { view.state.groups[$0.head.group] != nil }
      count += rows.reduce(0) { $0 + UInt64($1.head.rowCount) }
    }
    return count
  }

  private func isWaiting(_ log: WriteAheadLogRecord) throws -> Bool {
    try store.manifest.refresh().writeAheadLogs[log.id] != nil
  }

  private func publish(_ contents: WriteAheadContents) throws -> Int {
    let groups = try store.manifest.refresh().groups
    var flush = WriteAheadFlush(store: store)
    do {
      var count = 0
      for entry in contents.entries {
        guard let group = groups[entry.head.group] else { continue }
        let (head, block) = try contents.block(of: entry)
        try flush.add(block, head: head, name: group.name)
        count += head.rowCount
      }
      _ = try flush.exchange([contents.log.id], for: [])
      return count
    } catch {
      flush.discard()
      throw error
    }
  }
}

extension LogStore {
  /// Has the records that satisfy a condition published by whoever writes them, and waits for it.
  /// Records written meanwhile may stay in logs.
  ///
  /// - Throws: `StorageError` (`busy`) when a writer does not answer.
  func flushLogs(holding isWanted: (WriteAheadRecord.Head) -> Bool) throws {
    guard let log = try requestFlush(holding: isWanted).first else { return }
    throw StorageError(
      .busy,
      "\(names.writeAheadLog(log)): \(ProcessList(holdersOfLock(names.writeAheadLog(log)))) "
        + "does not publish its events; try again when it has ended")
  }

  /// Asks the writers of logs that hold wanted records to publish them, and waits until they have and the
  /// files are gone, as long as `Options.patience`. A writer that answers later does what it was
  /// asked all the same.
  ///
  /// - Returns: the logs that are still there.
  func requestFlush(holding isWanted: (WriteAheadRecord.Head) -> Bool) throws -> [UInt64] {
    _ = try WriteAheadRecovery(store: self).run()
    var logs = try view().logs.filter { $0.entries.contains { isWanted($0.head) } }.map(\.log.id)
    if logs.isEmpty { return [] }
    try manifest.append { state in
      logs.filter { state.writeAheadLogs[$0]?.isFlushWanted == false }
        .map { .writeAheadFlushWanted(id: $0) }
    }
    let started = ContinuousClock.now
    while true {
      let state = try manifest.refresh()
      logs = try logs.filter { id in
        try state.writeAheadLogs[id] != nil || !removeForgottenLog(id)
      }
      if logs.isEmpty || (ContinuousClock.now - started).milliseconds >= options.patience {
        return logs
      }
      usleep(10_000)
      // A writer may have died.
      _ = try WriteAheadRecovery(store: self).run()
    }
  }

  /// Removes the file of a log that the manifest has forgotten, unless its writer, who does it in a moment, lives.
  ///
  /// - Returns: whether it is gone.
  private func removeForgottenLog(_ id: UInt64) throws -> Bool {
    let path = names.writeAheadLog(id)
    do {
      let file = try fileSystem.open(path, .read)
      guard try file.lock(.exclusive, waiting: false) else { return false }
      defer { try? file.unlock() }
      try fileSystem.unlink(path)
    } catch let error as StorageError where error.code == .missingFile {
      return true
    }
    return true
  }

  /// Publishes what writers that died left in their logs.
  ///
  /// - Returns: one line for each thing that somebody should know: what was recovered, what was
  ///   damaged.
  package func recoverLogs() throws -> [String] {
    try requireWritable()
    let report = try WriteAheadRecovery(store: self).run()
    var lines = report.problems + report.notes
    if report.eventCount > 0 {
      lines.append(
        "published \(report.eventCount) acknowledged events that a writer left when it ended early")
    }
    return lines
  }
}
