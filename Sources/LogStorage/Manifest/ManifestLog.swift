import Synchronization

/// The append-only log that says what the store holds: a segment counts only when a record here
/// names it.
///
/// A record is whole or absent (it has a checksum), so the switch from one generation to the next
/// is one append. Several processes append in turn, under the lock of `locks/manifest`:
///
/// ```text
/// lock → read what others appended → check that the change still makes sense → cut a torn tail
///      → append → fdatasync → unlock
/// ```
///
/// Readers take no lock: they stop at the last whole record. A record that fails its check at the
/// end of the file is a torn append, never acknowledged, and is cut by the next writer.
///
/// *Damage*: how far the log reached stands in `manifest.end` too, written behind the sync of each record
/// and never synced itself: it can be behind the log, not before it, unless the end of the log has gone. That, and a record
/// that fails its check with whole ones after it, are faults of the state: the store goes on with what is
/// whole, everybody who reads it says so, and the next writer starts a new log that keeps the fault on
/// record until `repair` accepts it. The damaged log is moved to `damaged/`.
///
/// When a log has grown by 4 MiB the next one starts with the whole state as its first record;
/// `CURRENT` is replaced by renaming. Each record carries the SHA-256 of the one before, across
/// logs too.
final class ManifestLog: Sendable {
  private let names: FileNames
  private let fileSystem: any FileSystem
  private let clock: any WallClock
  /// Growth in bytes after which a new log is started.
  private let rotationByteCount: UInt64
  private let memory = Mutex<Memory?>(nil)
  /// Room that the disk keeps for further records, so that on a full disk events can still be removed.
  private static let roomByteCount = 32 << 10

  /// What was read so far.
  private struct Memory {
    var number: UInt64
    var file: any RandomAccessFile
    /// End of the last whole record.
    var position = UInt64(ManifestHeader.byteCount)
    /// End of the first record, from which growth is counted.
    var firstRecordEnd: UInt64 = 0
    /// SHA-256 of the last record.
    var head: [UInt8]
    var state = ManifestState()
    /// A sync failed: what the file holds on disk is unknown, so nothing may be appended to it.
    var isSuspect = false
    /// Records of the log that could not be read, and other damage on the way to the state.
    var faults: [String] = []
    var lost: [ClosedRange<UInt64>] = []
    /// The next record does not continue the one before it, which was lost.
    var isBehindGap = false
    /// The end that was promised has gone.
    var cut: ClosedRange<UInt64>?

    /// `CURRENT` is wrong, and how.
    var misnaming: String?

    var isBroken: Bool { !faults.isEmpty || cut != nil || misnaming != nil }

    /// The state with what is wrong with it.
    var result: ManifestState {
      var state = state
      let path = file.path
      state.faults = faults + [misnaming].compactMap { $0 }
      if let cut {
        state.faults.append(
          "\(path): the end of the manifest has gone (\(Self.text(cut))); what it added is left out; "
            + "'varve repair' goes on without it")
      }
      state.faults += state.lostGenerations.map {
        "\(path): the manifest has lost its \(Self.text($0)); what they added is left out; "
          + "'varve repair' goes on without it"
      }
      return state
    }

    private static func text(_ generations: ClosedRange<UInt64>) -> String {
      "records \(generations.lowerBound) to \(generations.upperBound)"
    }
  }

  init(
    names: FileNames, fileSystem: any FileSystem, clock: any WallClock,
    rotationByteCount: UInt64 = 4 << 20
  ) {
    self.names = names
    self.fileSystem = fileSystem
    self.clock = clock
    self.rotationByteCount = rotationByteCount
  }

  /// Writes the first log of a new store. The caller holds the manifest lock.
  static func create(names: FileNames, fileSystem: any FileSystem, clock: any WallClock) throws {
    let state = ManifestState()
    try writeLog(
      1, state: state, generation: 1, previous: [UInt8](repeating: 0, count: 32), names: names,
      fileSystem: fileSystem, time: clock.now())
    try setCurrent(1, names: names, fileSystem: fileSystem)
  }

  // MARK: Reading

  /// The state at the last whole record.
  ///
  /// - Throws: `StorageError`.
  /// - Complexity: O(bytes appended since the last call), O(log) at first.
  func refresh() throws -> ManifestState {
    try memory.withLock { memory in
      let wasBroken = memory?.isBroken ?? false
      do {
        try catchUp(&memory)
        if wasBroken || memory?.isBroken != true { return memory?.result ?? ManifestState() }
      } catch let error as StorageError where error.code == .damaged {
        guard (try? acquireLock()) != nil else { throw error }
      }
      // Possibly a look at a tail while somebody cut it: look again while nobody can.
      guard let lock = try? acquireLock() else { return memory?.result ?? ManifestState() }
      defer { try? lock.unlock() }
      memory = nil
      try catchUp(&memory)
      return memory?.result ?? ManifestState()
    }
  }

  /// SHA-256 of the last record: who keeps it elsewhere can prove later that nothing was rewritten.
  func head() throws -> [UInt8] {
    _ = try refresh()
    return memory.withLock { $0?.head ?? [] }
  }

  /// The same with the generation of the record.
  func lastRecord() throws -> (digest: [UInt8], generation: UInt64) {
    _ = try refresh()
    return memory.withLock { ($0?.head ?? [], $0?.state.generation ?? 0) }
  }

  private func acquireLock() throws -> any RandomAccessFile {
    let lock = try fileSystem.open(names.manifestLock, .createOrAppend)
    _ = try lock.lock(.exclusive, waiting: true)
    return lock
  }

  /// Reads what others appended; from the start if the log is another one or no longer continues
  /// what was read.
  private func catchUp(_ memory: inout Memory?) throws {
    // Before the log: it may grow meanwhile.
    let end = ManifestEnd(names, fileSystem)
    let (number, fault) = try logInForce(end)
    if memory?.number == number, fault == nil, let known = memory,
      try known.file.length() >= known.position
    {
      try readOn(&memory!)
    } else {
      var fresh = try open(number)
      fresh.misnaming = fault
      try readOn(&fresh)
      if fresh.firstRecordEnd == 0 { try restoreBase(of: &fresh) }
      memory = fresh
    }
    if let end, let reached = memory?.state.generation, end.generation > reached {
      memory?.cut = reached + 1...end.generation
    } else {
      memory?.cut = nil
    }
  }

  /// The number of the log to be read: the one that `CURRENT` names, or where that is damaged, the one that
  /// was written last.
  private func logInForce(_ end: ManifestEnd?) throws -> (number: UInt64, fault: String?) {
    func exists(_ number: UInt64) throws -> Bool {
      try fileSystem.status(of: names.manifestLog(number)) != nil
    }
    do {
      let number = try Self.currentNumber(names, fileSystem)
      if try exists(number), number >= end?.number ?? 0 { return (number, nil) }
      guard let end, try exists(end.number) else { throw Self.missing(names.manifestLog(number)) }
      return (
        end.number,
        "\(names.current): names manifest-\(number).log, but the newest is that of "
          + "number \(end.number), which is read"
      )
    } catch let error as StorageError where [.damaged, .missingFile].contains(error.code) {
      let numbers = try fileSystem.list(names.root).compactMap(FileNames.manifestNumber)
      guard
        let newest = try end.map(\.number).flatMap({ try exists($0) ? $0 : nil }) ?? numbers.max()
      else { throw error }
      return (newest, "\(error.message); manifest-\(newest).log is read")
    }
  }

  private static func missing(_ path: String) -> StorageError {
    StorageError(.damaged, "\(path): the manifest log that CURRENT names is missing")
  }

  private func open(_ number: UInt64) throws -> Memory {
    let path = names.manifestLog(number)
    let file: any RandomAccessFile
    do {
      file = try fileSystem.open(path, .read)
    } catch let error as StorageError where error.code == .missingFile {
      throw Self.missing(path)
    }
    var memory = Memory(number: number, file: file, head: [])
    do {
      let header = try file.read(at: 0, count: ManifestHeader.byteCount)
      try ManifestHeader.check(header, name: path)
    } catch let error as StorageError where error.code == .damaged {
      memory.faults.append(error.message)
    }
    return memory
  }

  /// Finds the state that a log began with when its first record is damaged: that which the log before it led to.
  private func restoreBase(of memory: inout Memory) throws {
    let path = memory.file.path
    var base: Memory?
    if memory.number > 1, try fileSystem.status(of: names.manifestLog(memory.number - 1)) != nil {
      var older = try open(memory.number - 1)
      try readOn(&older)
      if older.firstRecordEnd > 0 { base = older }
    }
    guard memory.number == 1 || base != nil else {
      throw StorageError(
        .damaged,
        "\(path): the first record, which is the state of the whole store, is damaged, and the log "
          + "before it is not there any more: restore one of them from a backup")
    }
    memory.state = base?.state ?? ManifestState()
    // The log of a new store begins with an empty state, which is generation 1.
    if base == nil { memory.state.generation = 1 }
    memory.faults += base?.faults ?? []
    memory.lost += base?.lost ?? []
    memory.faults.append(
      base == nil
        ? "\(path): its first record is damaged; it is that of an empty store"
        : "\(path): its first record is damaged; the state is that at the end of the log before it")
    memory.isBehindGap = true
    memory.firstRecordEnd = max(memory.firstRecordEnd, 1)
  }

  private func readOn(_ memory: inout Memory) throws {
    let path = memory.file.path
    let length = try memory.file.length()
    guard length > memory.position else { return }
    let bytes = try [UInt8](unsafeUninitializedCapacity: Int(length - memory.position)) {
      $1 = try memory.file.read(
        at: memory.position, into: UnsafeMutableRawBufferPointer($0))
    }
    var position = 0
    while position < bytes.count {
      guard let record = ManifestRecord(bytes, at: position) else {
        guard let later = ManifestRecord.findWhole(in: bytes, after: position) else { return }
        if memory.firstRecordEnd == 0 {
          try restoreBase(of: &memory)
        } else {
          memory.faults.append(
            "\(path): the record at byte \(memory.position) of the manifest is damaged: what it says "
              + "is left out, whole ones follow it; 'varve repair' goes on without it")
        }
        memory.isBehindGap = true
        memory.position += UInt64(later - position)
        position = later
        continue
      }
      let range = position..<position + record.byteCount
      let digest = bytes.withUnsafeBytes {
        SHA256.hash(UnsafeRawBufferPointer(rebasing: $0[range]))
      }
      try take(record, digest: digest, into: &memory)
      position = range.upperBound
    }
  }

  private func take(
    _ record: ManifestRecord, digest: [UInt8], into memory: inout Memory
  ) throws {
    let path = memory.file.path
    let isFirst = memory.firstRecordEnd == 0
    let next = memory.state.generation + 1
    let continues = record.previous == memory.head && record.generation == next
    if !isFirst, !continues {
      guard record.generation >= next else {
        throw StorageError(
          .damaged,
          "\(path): the record at byte \(memory.position) does not continue the one before it "
            + "(generation \(record.generation) after \(memory.state.generation))")
      }
      if !memory.isBehindGap {
        memory.faults.append(
          "\(path): the record at byte \(memory.position) does not continue the one before it "
            + "(generation \(record.generation) after \(memory.state.generation)): others are "
            + "missing or were changed")
      }
      if record.generation > next { memory.lost.append(next...record.generation - 1) }
      memory.isBehindGap = false
    }
    let transaction = try ManifestTransaction(record.body, name: path)
    try memory.state.apply(
      transaction, generation: record.generation, name: path, isLenient: memory.isBroken)
    memory.head = digest
    memory.position += UInt64(record.byteCount)
    if isFirst { memory.firstRecordEnd = memory.position }
  }

  /// The number of the log in force.
  static func currentNumber(_ names: FileNames, _ fileSystem: any FileSystem) throws -> UInt64 {
    let text = String(decoding: try fileSystem.contents(of: names.current), as: UTF8.self)
    guard text.hasSuffix("\n"), let number = FileNames.manifestNumber(String(text.dropLast()))
    else {
      throw StorageError(.damaged, "\(names.current): does not name a manifest log")
    }
    return number
  }

  // MARK: Appending

  /// Appends one record, durably.
  ///
  /// - Parameter change: given the newest state, under the lock, returns the actions to record; it
  /// throws
  ///   when the change no longer makes sense, and returns none when there is nothing to do.
  /// - Returns: the state after it.
  /// - Throws: `StorageError`, or what `change` throws; then nothing was recorded. Only when a sync
  /// fails is
  ///   the outcome unknown until the log is read again.
  @discardableResult
  func append(_ change: (ManifestState) throws -> [ManifestAction]) throws -> ManifestState {
    try memory.withLock { memory in
      let lock = try acquireLock()
      defer { try? lock.unlock() }
      let isSuspect = memory?.isSuspect ?? false
      try catchUp(&memory)
      if isSuspect { try rotate(&memory) }
      if memory?.isBroken == true { try leaveBrokenLog(&memory) }
      guard let state = memory?.result else { return ManifestState() }
      let actions = try change(state)
      if actions.isEmpty { return state }
      try write(ManifestTransaction(time: clock.now(), actions: actions), to: &memory!)
      if let grown = memory, grown.position - grown.firstRecordEnd > rotationByteCount {
        // The record is durable; if the new log cannot be started, the old one goes on.
        do { try rotate(&memory) } catch { memory = nil }
      }
      return memory?.result ?? state
    }
  }

  /// Goes on in a new log that says what was lost; the old one is kept aside.
  private func leaveBrokenLog(_ memory: inout Memory?) throws {
    guard var broken = memory else { return }
    for generations in broken.lost + [broken.cut].compactMap({ $0 }) {
      broken.state.lose(generations)
    }
    let old = broken.file.path
    if broken.head.isEmpty { broken.head = [UInt8](repeating: 0, count: 32) }
    memory = broken
    try rotate(&memory)
    if broken.faults.isEmpty, broken.cut == nil { return }
    try fileSystem.makeDirectories(names.damaged)
    try? fileSystem.rename(old, to: "\(names.damaged)/manifest-\(broken.number).log")
    try? fileSystem.syncDirectory(names.damaged)
  }

  private func write(_ transaction: ManifestTransaction, to memory: inout Memory) throws {
    let generation = memory.state.generation + 1
    var state = memory.state
    try state.apply(transaction, generation: generation, name: memory.file.path)
    let record = ManifestRecord(
      generation: generation, previous: memory.head, body: transaction.body)
    let file = try fileSystem.open(memory.file.path, .append)
    if try file.length() > memory.position { try file.truncate(to: memory.position) }
    let bytes = record.bytes
    do {
      try file.append(bytes)
    } catch {
      try? file.truncate(to: memory.position)
      file.keepRoom(Self.roomByteCount)
      throw error
    }
    do {
      try file.syncData()
    } catch {
      memory.isSuspect = true
      try? file.truncate(to: memory.position)
      throw error
    }
    memory.state = state
    memory.head = SHA256.hash(bytes)
    memory.position += UInt64(record.byteCount)
    ManifestEnd(number: memory.number, generation: generation).write(names, fileSystem)
    file.keepRoom(Self.roomByteCount)
  }

  // MARK: Starting a new log

  private func rotate(_ memory: inout Memory?) throws {
    guard let old = memory else { return }
    let number = old.number + 1
    try Self.writeLog(
      number, state: old.state, generation: old.state.generation, previous: old.head,
      names: names, fileSystem: fileSystem, time: clock.now())
    try Self.setCurrent(number, names: names, fileSystem: fileSystem)
    var fresh = try open(number)
    try readOn(&fresh)
    memory = fresh
    ManifestEnd(number: number, generation: fresh.state.generation).write(names, fileSystem)
  }

  /// Writes a log whose only record is the whole state. One of this number can only be what a crash
  /// left of an earlier attempt, for `CURRENT` does not name it.
  private static func writeLog(
    _ number: UInt64, state: ManifestState, generation: UInt64, previous: [UInt8],
    names: FileNames, fileSystem: any FileSystem, time: Int64
  ) throws {
    let path = names.manifestLog(number)
    if try fileSystem.status(of: path) != nil { try fileSystem.unlink(path) }
    let transaction = ManifestTransaction(time: time, actions: state.snapshotActions)
    let record = ManifestRecord(
      generation: generation, previous: previous, body: transaction.body)
    let file = try fileSystem.open(path, .createExclusive)
    try file.append(ManifestHeader.bytes + record.bytes)
    try file.sync()
    try fileSystem.syncDirectory(names.root)
  }

  private static func setCurrent(
    _ number: UInt64, names: FileNames, fileSystem: any FileSystem
  ) throws {
    let name = "manifest-\(number).log\n"
    try fileSystem.replace(names.current, by: Array(name.utf8), through: names.temporary)
  }
}

extension FileSystem {
  /// Puts a small file in the place of another: readers see the old one or the new one, whole, and
  /// after this returns the new one survives a power cut. The caller holds a lock.
  func replace(_ path: String, by bytes: [UInt8], through directory: String) throws {
    let name = path.split(separator: "/").last.map(String.init) ?? "file"
    let temporary = "\(directory)/\(name).new"
    if try status(of: temporary) != nil { try unlink(temporary) }
    let file = try open(temporary, .createExclusive)
    try file.append(bytes)
    try file.sync()
    try rename(temporary, to: path)
    try syncDirectory(parentDirectory(of: path))
  }
}
