#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A write-ahead log that this process writes.
///
/// It is laid out with zeros, synced, before the first event comes: then a commit changes neither the
/// length of the file nor where its blocks lie, and its `fdatasync` need not wait for the journal of the
/// file system, which has to wait for what others write.
///
/// Held by an exclusive lock as long as any copy of this
/// value lives, which tells others that its writer is alive.
struct WriteAheadFile: Sendable {
  /// Sequence numbers reserved for one log: more than its limits let it use.
  static let sequenceCount: UInt64 = 1 << 20

  /// Zeros that are written at once while the disk is wanted by others.
  private static let pieceByteCount: UInt64 = 256 << 10

  let id: UInt64
  private let file: any RandomAccessFile
  /// Bytes of the file: records, then zeros.
  private(set) var laidOutByteCount: UInt64 = 0
  /// The same when the log was made.
  private var plannedByteCount: UInt64 = 0
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
  /// - Parameters:
  ///   - byteCount: zeros that are laid out; more follow when records need them.
  ///   - isPatient: whether others who use the disk come first.
  /// - Throws: `StorageError`.
  init(store: LogStore, byteCount: Int, isPatient: Bool) throws {
    let names = store.names
    let fileSystem = store.options.fileSystem
    try fileSystem.makeDirectories(names.writeAheadLogs)
    id = store.options.random.next()
    file = try fileSystem.open(names.writeAheadLog(id), .createForPlacing)
    guard try file.lock(.exclusive, waiting: false) else {
      throw StorageError(.busy, "\(file.path): another process holds a file that was just made")
    }
    let pageCount = max(1, byteCount / WriteAheadHeader.pageByteCount)
    try layOut(
      to: UInt64(pageCount * WriteAheadHeader.pageByteCount), isPatient: isPatient)
    plannedByteCount = laidOutByteCount
    let header = WriteAheadHeader.bytes(
      id: id, created: store.options.clock.now(), pageCount: UInt32(pageCount))
    try file.write(header, at: 0)
    try file.sync()
    try fileSystem.syncDirectory(names.writeAheadLogs)
  }

  /// Fills the file with zeros up to a length, durably.
  private mutating func layOut(to end: UInt64, isPatient: Bool) throws {
    let piece = [UInt8](repeating: 0, count: Int(min(Self.pieceByteCount, end - laidOutByteCount)))
    while laidOutByteCount < end {
      let count = Int(min(UInt64(piece.count), end - laidOutByteCount))
      try file.write(count == piece.count ? piece : Array(piece[..<count]), at: laidOutByteCount)
      laidOutByteCount += UInt64(count)
      if isPatient, laidOutByteCount < end {
        try file.syncData()
        usleep(2000)
      }
    }
    try file.sync()
  }

  /// How much is used of what was laid out when the log was made.
  var laidOutShare: Double { Double(byteCount) / Double(plannedByteCount) }

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
      records[index].head.writeOffset = byteCount
      sequence += UInt64(records[index].head.rowCount)
      bytes += records[index].bytes(log: id, offset: byteCount + UInt64(bytes.count))
    }
    try makeRoom(for: bytes.count)
    do {
      try file.write(bytes, at: byteCount)
      try file.syncData()
    } catch {
      // What was never acknowledged need not come back.
      try? file.write([UInt8](repeating: 0, count: bytes.count), at: byteCount)
      throw error
    }
    byteCount += UInt64(bytes.count)
    nextSequence = sequence
    rowCount += records.reduce(0) { $0 + $1.head.rowCount }
    rawByteCount += records.reduce(0) { $0 + $1.head.rawByteCount }
    if firstAppend == nil { firstAppend = .now }
  }

  /// Lays out more when records do not fit. Some room stays behind the last one, so that a log that
  /// was cut before a record shows it: it is full.
  private mutating func makeRoom(for count: Int) throws {
    let needed = byteCount + UInt64(count + WriteAheadRecord.alignment)
    if needed <= laidOutByteCount { return }
    let step = laidOutByteCount
    try layOut(to: (needed + step - 1) / step * step, isPatient: false)
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
