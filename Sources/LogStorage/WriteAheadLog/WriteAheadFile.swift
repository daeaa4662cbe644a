/// A write-ahead log that this process writes. Held by an exclusive lock as long as any copy of this
/// value lives, which tells others that its writer is alive.
struct WriteAheadFile: Sendable {
  /// Sequence numbers reserved for one log: more than its limits let it use.
  static let sequenceCount: UInt64 = 1 << 20

  let id: UInt64
  private let file: any RandomAccessFile
  /// End of the last synced record.
  private(set) var byteCount = UInt64(WriteAheadHeader.byteCount)
  /// The sequence number of the next event; known once the manifest names the log.
  private(set) var nextSequence: UInt64 = 0
  private(set) var rowCount = 0
  private(set) var rawByteCount = 0
  /// When the oldest of its events came.
  private(set) var firstAppend: ContinuousClock.Instant?

  var path: String { file.path }

  /// Makes the file, durably. It counts when a manifest record names it, and not before.
  ///
  /// - Throws: `StorageError`.
  init(store: LogStore) throws {
    let names = store.names
    let fileSystem = store.options.fileSystem
    try fileSystem.makeDirectories(names.writeAheadLogs)
    id = store.options.random.next()
    file = try fileSystem.open(names.writeAheadLog(id), .createExclusive)
    guard try file.lock(.exclusive, waiting: false) else {
      throw StorageError(.busy, "\(file.path): another process holds a file that was just made")
    }
    try file.append(WriteAheadHeader.bytes(id: id, created: store.options.clock.now()))
    try file.sync()
    try fileSystem.syncDirectory(names.writeAheadLogs)
  }

  /// Takes the numbers that the manifest reserved.
  mutating func begin(_ record: WriteAheadLogRecord) { nextSequence = record.firstSequence }

  /// Writes records behind the last one and makes them durable, all with one sync. Gives them their
  /// sequence numbers.
  ///
  /// - Throws: what the file system throws; then none of them may be acknowledged, and the log must
  ///   not be written any more: after a failed sync nobody knows what is on the disk.
  mutating func append(_ records: inout [WriteAheadRecord]) throws {
    var bytes: [UInt8] = []
    var sequence = nextSequence
    for index in records.indices {
      records[index].head.firstSequence = sequence
      sequence += UInt64(records[index].head.rowCount)
      bytes += records[index].bytes(log: id, offset: byteCount + UInt64(bytes.count))
    }
    do {
      try file.append(bytes)
      try file.syncData()
    } catch {
      // What was never acknowledged need not come back.
      try? file.truncate(to: byteCount)
      throw error
    }
    byteCount += UInt64(bytes.count)
    nextSequence = sequence
    rowCount += records.reduce(0) { $0 + $1.head.rowCount }
    rawByteCount += records.reduce(0) { $0 + $1.head.rawByteCount }
    if firstAppend == nil { firstAppend = .now }
  }
}

/// What the manifest knows of a write-ahead log whose events are in no segment yet.
package struct WriteAheadLogRecord: Sendable, Hashable {
  package var id: UInt64
  /// The sequence numbers that are its own.
  package var firstSequence: UInt64
  package var sequenceCount: UInt64
  /// Time of creation, ms.
  package var created: Int64
  /// Somebody waits for its events to come into segments.
  package internal(set) var isFlushWanted = false

  init(id: UInt64, firstSequence: UInt64, sequenceCount: UInt64, created: Int64) {
    self.id = id
    self.firstSequence = firstSequence
    self.sequenceCount = sequenceCount
    self.created = created
  }

  init(_ reader: inout FieldReader) throws {
    id = try reader.number()
    firstSequence = try reader.number()
    sequenceCount = try reader.number()
    created = try reader.number()
  }

  func encode(into writer: inout FieldWriter) {
    writer.put(id)
    writer.put(firstSequence)
    writer.put(sequenceCount)
    writer.put(created)
  }
}
