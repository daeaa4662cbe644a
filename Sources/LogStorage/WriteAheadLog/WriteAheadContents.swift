/// What a write-ahead log holds at a moment, found by reading it to its last whole record.
///
/// Anybody may read a log while its writer goes on: a record is whole or it is not there yet. The
/// open file stays readable when its writer has published the events and removed its name.
struct WriteAheadContents: Sendable {
  /// A whole record.
  struct Entry: Sendable {
    var offset: UInt64
    /// Bytes with the frame.
    var byteCount: Int
    var head: WriteAheadRecord.Head
  }

  let log: WriteAheadLogRecord
  let path: String
  private let file: (any RandomAccessFile)?
  private(set) var entries: [Entry] = []
  /// Parts that cannot be read, each with its place and what was lost.
  private(set) var damage: [String] = []
  /// Bytes that have changed though nothing is lost by it.
  private(set) var notes: [String] = []
  /// Bytes after the last acknowledged record: a write that is under way or was cut off.
  private(set) var tornByteCount = 0

  /// A log that cannot be read at all.
  init(_ log: WriteAheadLogRecord, path: String, unreadable reason: String) {
    self.log = log
    self.path = path
    file = nil
    damage = [reason]
  }

  /// Reads the records. Damage does not throw: it is noted, and what is whole is kept.
  ///
  /// - Throws: `StorageError`: `inputOutput`, `unknownVersion`.
  init(_ log: WriteAheadLogRecord, file: any RandomAccessFile) throws {
    self.log = log
    self.file = file
    path = file.path
    var bytes = try Self.bytes(of: file)
    try read(bytes)
    // A write under way, of which the later part was there sooner, looks like damage for a moment.
    while !damage.isEmpty {
      let again = try Self.bytes(of: file)
      if again == bytes { return }
      bytes = again
      (entries, damage, notes, tornByteCount) = ([], [], [], 0)
      try read(bytes)
    }
  }

  private static func bytes(of file: any RandomAccessFile) throws -> [UInt8] {
    let length = Int(try file.length())
    return try [UInt8](unsafeUninitializedCapacity: length) {
      $1 = try file.read(at: 0, into: UnsafeMutableRawBufferPointer($0))
    }
  }

  private mutating func read(_ bytes: [UInt8]) throws {
    do {
      try WriteAheadHeader.check(bytes, id: log.id, name: path)
    } catch let error as StorageError where error.code == .damaged {
      damage.append(error.message)
    }
    try walk(bytes)
  }

  private mutating func walk(_ bytes: [UInt8]) throws {
    // Behind it are zeros only.
    let end = Self.endOfContent(bytes)
    var position = WriteAheadHeader.byteCount
    var expected = log.firstSequence
    while position < end {
      if let body = WriteAheadRecord.body(in: bytes, at: position, log: log.id) {
        let head = try WriteAheadRecord.head(bytes, body: body, name: path).head
        let next = WriteAheadRecord.end(ofBody: body.upperBound)
        entries.append(
          Entry(offset: UInt64(position), byteCount: next - position, head: head))
        expected = head.firstSequence &+ UInt64(head.rowCount)
        if !WriteAheadRecord.isFilled(bytes, from: body.upperBound, to: next) {
          notes.append(
            "\(path): the filling behind the record at byte \(position) has changed; its events are whole"
          )
        }
        position = next
        continue
      }
      let next = Self.findWhole(in: bytes, after: position, before: end, log: log.id)
      if WriteAheadRecord.isTorn(bytes, from: position, to: next?.position ?? bytes.count),
        try isLastWrite(position, next, in: bytes, before: end)
      {
        tornByteCount = end - position
        return
      }
      guard let next else {
        damage.append(
          "\(path): the write-ahead log is damaged from byte \(position) to its end at "
            + "\(bytes.count): events that were acknowledged last may be lost; "
            + "those before are kept")
        return
      }
      let following = try WriteAheadRecord.head(bytes, body: next.body, name: path).head
      let lost = following.firstSequence &- expected
      damage.append(
        "\(path): the write-ahead log is damaged from byte \(position) to \(next.position): "
          + "\(lost) events are lost; those before and after it are kept")
      expected = following.firstSequence
      position = next.position
    }
  }

  /// The place behind the last byte that is not zero, rounded up to a word.
  private static func endOfContent(_ bytes: [UInt8]) -> Int {
    bytes.withUnsafeBytes { raw in
      var end = raw.count
      while end % 8 != 0 {
        if raw[end - 1] != 0 { return end }
        end -= 1
      }
      while end > 0, raw.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
      return end
    }
  }

  private typealias Whole = (position: Int, body: Range<Int>)

  /// The next whole record after a position, if there is any.
  private static func findWhole(
    in bytes: [UInt8], after position: Int, before end: Int, log: UInt64
  ) -> Whole? {
    var candidate = position + WriteAheadRecord.alignment
    while end - candidate >= WriteAheadRecord.frameByteCount {
      if let body = WriteAheadRecord.body(in: bytes, at: candidate, log: log) {
        return (candidate, body)
      }
      candidate += WriteAheadRecord.alignment
    }
    return nil
  }

  /// Whether all whole records after a position belong to the same write: only the last one can have
  /// been cut off, for the next begins when it is durable.
  private func isLastWrite(
    _ position: Int, _ first: Whole?, in bytes: [UInt8], before end: Int
  ) throws -> Bool {
    var whole = first
    while let (_, body) = whole {
      let head = try WriteAheadRecord.head(bytes, body: body, name: path).head
      if head.writeOffset > UInt64(position) { return false }
      let next = WriteAheadRecord.end(ofBody: body.upperBound)
      whole = Self.findWhole(
        in: bytes, after: next - WriteAheadRecord.alignment, before: end, log: log.id)
    }
    return true
  }

  /// The events of a record.
  ///
  /// - Throws: `StorageError`: `damaged` when the bytes are no longer those that were found.
  func block(of entry: Entry) throws -> (head: WriteAheadRecord.Head, block: RecordBlock) {
    guard let file else { throw StorageError(.damaged, damage.first ?? path) }
    let bytes = try file.read(at: entry.offset, count: entry.byteCount)
    guard
      let body = WriteAheadRecord.body(in: bytes, at: 0, start: entry.offset, log: log.id)
    else {
      throw StorageError(
        .damaged, "\(path): the record at byte \(entry.offset) of the write-ahead log is damaged")
    }
    let decompressor = DecompressorPool.shared.take()
    defer { DecompressorPool.shared.give(decompressor) }
    return try WriteAheadRecord.block(bytes, body: body, name: path, decompressor: decompressor)
  }
}

/// The state of the manifest with what the write-ahead logs that it names held a moment later:
/// every acknowledged event is in exactly one of its segments or records.
///
/// A log's events come into segments in the same manifest record that forgets the log. So a log named
/// by this state has none of its events in this state's segments; and a log whose file has gone
/// belongs to an older state than the newest, which is read then.
struct StoreView: Sendable {
  var state: ManifestState
  var logs: [WriteAheadContents]

  /// Records of a group.
  func entries(of group: UInt64) -> [WriteAheadContents.Entry] {
    logs.flatMap { log in log.entries.filter { $0.head.group == group } }
  }
}

extension LogStore {
  /// The newest state with the events that wait in logs.
  ///
  /// - Throws: `StorageError`.
  func view() throws -> StoreView {
    var state = try manifest.refresh()
    while true {
      var logs: [WriteAheadContents] = []
      var isOutdated = false
      for log in state.writeAheadLogs.values.sorted(by: { $0.firstSequence < $1.firstSequence }) {
        if let contents = try contents(of: log) {
          logs.append(contents)
        } else {
          let newest = try manifest.refresh()
          if newest.generation != state.generation {
            state = newest
            isOutdated = true
            break
          }
          let path = names.writeAheadLog(log.id)
          logs.append(
            WriteAheadContents(
              log, path: path,
              unreadable: "\(path): the write-ahead log is missing, with the events in it; "
                + "'varve repair' goes on without it"))
        }
      }
      if !isOutdated { return StoreView(state: state, logs: logs) }
    }
  }

  /// What a log holds; `nil` when its file is not there.
  private func contents(of log: WriteAheadLogRecord) throws -> WriteAheadContents? {
    let path = names.writeAheadLog(log.id)
    do {
      return try WriteAheadContents(log, file: fileSystem.open(path, .read))
    } catch let error as StorageError where error.code == .missingFile {
      return nil
    } catch let error as StorageError {
      return WriteAheadContents(log, path: path, unreadable: error.message)
    }
  }
}
