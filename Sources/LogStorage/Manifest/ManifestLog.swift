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
/// end of the file is a torn append, never acknowledged, and is cut by the next writer; one that
/// fails with whole records after it is damage, and reported.
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
      do {
        try catchUp(&memory)
      } catch let error as StorageError where error.code == .damaged {
        // Possibly a look at a tail while somebody cut it: look again while nobody can.
        memory = nil
        guard let lock = try? acquireLock() else { throw error }
        defer { try? lock.unlock() }
        try catchUp(&memory)
      }
      guard let memory else { return ManifestState() }
      return memory.state
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
    let number = try Self.currentNumber(names, fileSystem)
    if let known = memory, known.number == number, try known.file.length() >= known.position {
      do {
        return try readOn(&memory!)
      } catch let error as StorageError where error.code == .damaged {
        memory = nil
      }
    }
    var fresh = try open(number)
    try readOn(&fresh)
    guard fresh.firstRecordEnd > 0 else {
      throw StorageError(.damaged, "\(fresh.file.path): the first record is damaged")
    }
    memory = fresh
  }

  private func open(_ number: UInt64) throws -> Memory {
    let path = names.manifestLog(number)
    let file: any RandomAccessFile
    do {
      file = try fileSystem.open(path, .read)
    } catch let error as StorageError where error.code == .missingFile {
      throw StorageError(
        .damaged,
        "\(path): the manifest log that CURRENT names is missing; "
          + "restore it from a backup")
    }
    let header = try file.read(at: 0, count: ManifestHeader.byteCount)
    try ManifestHeader.check(header, name: path)
    return Memory(number: number, file: file, head: [])
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
        if let later = ManifestRecord.findWhole(in: bytes, after: position) {
          throw StorageError(
            .damaged,
            "\(path): the record at byte \(memory.position) is damaged, and whole ones follow "
              + "\(later - position) bytes later; run 'varve verify'")
        }
        return
      }
      try take(record, into: &memory)
      position += record.byteCount
    }
  }

  private func take(_ record: ManifestRecord, into memory: inout Memory) throws {
    let path = memory.file.path
    let isFirst = memory.firstRecordEnd == 0
    guard isFirst || record.previous == memory.head,
      isFirst || record.generation == memory.state.generation + 1
    else {
      throw StorageError(
        .damaged,
        "\(path): the record at byte \(memory.position) does not continue the one before it "
          + "(generation \(record.generation) after \(memory.state.generation))")
    }
    let transaction = try ManifestTransaction(record.body, name: path)
    try memory.state.apply(transaction, generation: record.generation, name: path)
    memory.head = SHA256.hash(record.bytes)
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
      guard let state = memory?.state else { return ManifestState() }
      let actions = try change(state)
      if actions.isEmpty { return state }
      try write(ManifestTransaction(time: clock.now(), actions: actions), to: &memory!)
      if let grown = memory, grown.position - grown.firstRecordEnd > rotationByteCount {
        // The record is durable; if the new log cannot be started, the old one goes on.
        do { try rotate(&memory) } catch { memory = nil }
      }
      return memory?.state ?? state
    }
  }

  private func write(_ transaction: ManifestTransaction, to memory: inout Memory) throws {
    let generation = memory.state.generation + 1
    var state = memory.state
    try state.apply(transaction, generation: generation, name: memory.file.path)
    let record = ManifestRecord(
      generation: generation, previous: memory.head, body: transaction.body)
    let file = try fileSystem.open(memory.file.path, .append)
    if try file.length() > memory.position { try file.truncate(to: memory.position) }
    do {
      try file.append(record.bytes)
    } catch {
      try? file.truncate(to: memory.position)
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
    memory.head = SHA256.hash(record.bytes)
    memory.position += UInt64(record.byteCount)
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
