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
  /// Bytes after the last whole record: a write that is under way or was cut off.
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
    let length = Int(try file.length())
    let bytes = try [UInt8](unsafeUninitializedCapacity: length) {
      $1 = try file.read(at: 0, into: UnsafeMutableRawBufferPointer($0))
    }
    do {
      try WriteAheadHeader.check(bytes, id: log.id, name: path)
    } catch let error as StorageError where error.code == .damaged {
      damage.append(error.message)
    }
    try walk(bytes)
  }

  private mutating func walk(_ bytes: [UInt8]) throws {
    var position = WriteAheadHeader.byteCount
    var expected = log.firstSequence
    while position < bytes.count {
      guard let body = WriteAheadRecord.body(in: bytes, at: position, log: log.id) else {
        guard let next = Self.findWhole(in: bytes, after: position, log: log.id) else {
          if WriteAheadRecord.isTorn(bytes, from: position) {
            tornByteCount = bytes.count - position
          } else {
            damage.append(
              "\(path): the write-ahead log is damaged from byte \(position) to its end at "
                + "\(bytes.count): events that were acknowledged last may be lost; "
                + "those before are kept")
          }
          return
        }
        let following = try WriteAheadRecord.head(bytes, body: next.body, name: path).head
        let lost = following.firstSequence &- expected
        damage.append(
          "\(path): the write-ahead log is damaged from byte \(position) to \(next.position): "
            + "\(lost) events are lost; those before and after it are kept")
        expected = following.firstSequence
        position = next.position
        continue
      }
      let head = try WriteAheadRecord.head(bytes, body: body, name: path).head
      entries.append(
        Entry(offset: UInt64(position), byteCount: body.upperBound - position, head: head))
      expected = head.firstSequence &+ UInt64(head.rowCount)
      position = body.upperBound
    }
  }

  /// The next whole record after a position, if there is any: then what lies at the position is
  /// damage and not the torn end of a write.
  private static func findWhole(
    in bytes: [UInt8], after position: Int, log: UInt64
  ) -> (position: Int, body: Range<Int>)? {
    var candidate = position + 1
    while bytes.count - candidate >= WriteAheadRecord.frameByteCount {
      if let body = WriteAheadRecord.body(in: bytes, at: candidate, log: log) {
        return (candidate, body)
      }
      candidate += 1
    }
    return nil
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
              log, path: path, unreadable: "\(path): the write-ahead log is missing"))
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
