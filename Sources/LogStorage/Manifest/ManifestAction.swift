/// One change of the store's state. A manifest record is a list of them that happens as a whole.
///
/// Numbers of actions are part of the format and never reused; numbers not listed are refused, for
/// a record half understood would be a wrong state.
enum ManifestAction: Sendable, Hashable {
  /// Forget everything: the rest of the record is the whole state. First in a rotated log.
  case snapshotBegins
  case groupCreated(id: UInt64, name: String, created: Int64)
  /// All its segments are removed with it.
  case groupDeleted(id: UInt64)
  /// `nil`: events are kept for ever.
  case retentionSet(group: UInt64, days: UInt32?)
  /// The segments that held the stream are replaced by other actions of the same record.
  case streamDeleted(group: UInt64, name: String)
  /// Two kinds in the log: one that was made of others says what was written for its events before.
  case segmentAdded(SegmentRecord)
  case segmentRemoved(id: SegmentID, group: UInt64, digest: [UInt8], reason: RemovalReason)
  /// In snapshots: a segment removed earlier whose file may still be there.
  case segmentAwaitsCollection(RemovedSegment)
  /// The file of a removed segment is gone.
  case segmentCollected(id: SegmentID)
  /// The first numbers not yet given away.
  case countersSet(nextSequence: UInt64, nextGroup: UInt64)
  case bookmarkSet(InputBookmark)
  /// A write-ahead log may hold events that are in no segment.
  case writeAheadLogOpened(WriteAheadLogRecord)
  /// Its events are in segments that the same record adds.
  case writeAheadLogForgotten(id: UInt64)
  /// Somebody waits for its events to come into segments.
  case writeAheadFlushWanted(id: UInt64)
  /// `nil`: a group may grow without bound.
  case sizeLimitSet(group: UInt64, byteCount: UInt64?)
  /// Why the segments of the same record were rewritten or removed; changes nothing.
  case removalNoted(RemovalNote)
  /// Records of these generations could not be read when this one was written; what they said is not
  /// part of the state.
  case recordsLost(ClosedRange<UInt64>)
  /// Somebody was told of all lost records and goes on without them.
  case lossAccepted

  private enum Tag: UInt8 {
    case snapshotBegins = 1
    case groupCreated = 2
    case groupDeleted = 3
    case retentionSet = 4
    case streamDeleted = 5
    case segmentAdded = 6
    case segmentRemoved = 7
    case segmentAwaitsCollection = 8
    case segmentCollected = 9
    case countersSet = 10
    case bookmarkSet = 11
    case writeAheadLogOpened = 12
    case writeAheadLogForgotten = 13
    case writeAheadFlushWanted = 14
    case sizeLimitSet = 15
    case removalNoted = 16
    case recordsLost = 17
    case lossAccepted = 18
    case successorAdded = 19
  }

  func encode(into writer: inout FieldWriter) {
    func put(_ tag: Tag) { writer.put(tag.rawValue) }
    switch self {
    case .snapshotBegins:
      put(.snapshotBegins)
    case .groupCreated(let id, let name, let created):
      put(.groupCreated)
      writer.put(id)
      writer.put(name)
      writer.put(created)
    case .groupDeleted(let id):
      put(.groupDeleted)
      writer.put(id)
    case .retentionSet(let group, let days):
      put(.retentionSet)
      writer.put(group)
      writer.put(days ?? 0)
    case .streamDeleted(let group, let name):
      put(.streamDeleted)
      writer.put(group)
      writer.put(name)
    case .segmentAdded(let segment):
      put(segment.isFirst ? .segmentAdded : .successorAdded)
      segment.encode(into: &writer)
    case .segmentRemoved(let id, let group, let digest, let reason):
      put(.segmentRemoved)
      writer.put(id.high)
      writer.put(id.low)
      writer.put(group)
      writer.put(raw: digest)
      writer.put(reason.rawValue)
    case .segmentAwaitsCollection(let segment):
      put(.segmentAwaitsCollection)
      segment.encode(into: &writer)
    case .segmentCollected(let id):
      put(.segmentCollected)
      writer.put(id.high)
      writer.put(id.low)
    case .countersSet(let nextSequence, let nextGroup):
      put(.countersSet)
      writer.put(nextSequence)
      writer.put(nextGroup)
    case .bookmarkSet(let bookmark):
      put(.bookmarkSet)
      writer.put(bookmark.key)
      writer.put(bookmark.offset)
      writer.put(bookmark.updated)
      writer.put(bookmark.check)
    case .writeAheadLogOpened(let log):
      put(.writeAheadLogOpened)
      log.encode(into: &writer)
    case .writeAheadLogForgotten(let id):
      put(.writeAheadLogForgotten)
      writer.put(id)
    case .writeAheadFlushWanted(let id):
      put(.writeAheadFlushWanted)
      writer.put(id)
    case .sizeLimitSet(let group, let byteCount):
      put(.sizeLimitSet)
      writer.put(group)
      writer.put(byteCount ?? 0)
    case .removalNoted(let note):
      put(.removalNoted)
      note.encode(into: &writer)
    case .recordsLost(let generations):
      put(.recordsLost)
      writer.put(generations.lowerBound)
      writer.put(generations.upperBound)
    case .lossAccepted:
      put(.lossAccepted)
    }
  }

  init(_ reader: inout FieldReader, name: String) throws {
    let number = try reader.number(UInt8.self)
    guard let tag = Tag(rawValue: number) else {
      throw StorageError(
        .unknownVersion,
        "\(name): the manifest has an entry of kind \(number), which this version does not know; "
          + "a newer version wrote it")
    }
    switch tag {
    case .snapshotBegins:
      self = .snapshotBegins
    case .groupCreated:
      self = .groupCreated(
        id: try reader.number(), name: try reader.string(), created: try reader.number())
    case .groupDeleted:
      self = .groupDeleted(id: try reader.number())
    case .retentionSet:
      let group = try reader.number(UInt64.self)
      let days = try reader.number(UInt32.self)
      self = .retentionSet(group: group, days: days == 0 ? nil : days)
    case .streamDeleted:
      self = .streamDeleted(group: try reader.number(), name: try reader.string())
    case .segmentAdded:
      self = .segmentAdded(try SegmentRecord(&reader, hasHistory: false))
    case .successorAdded:
      self = .segmentAdded(try SegmentRecord(&reader, hasHistory: true))
    case .segmentRemoved:
      let id = SegmentID(high: try reader.number(), low: try reader.number())
      let group = try reader.number(UInt64.self)
      let digest = try reader.raw(32)
      let reason = RemovalReason(rawValue: try reader.number()) ?? .deleted
      self = .segmentRemoved(id: id, group: group, digest: digest, reason: reason)
    case .segmentAwaitsCollection:
      self = .segmentAwaitsCollection(try RemovedSegment(&reader))
    case .segmentCollected:
      self = .segmentCollected(
        id: SegmentID(high: try reader.number(), low: try reader.number()))
    case .countersSet:
      self = .countersSet(nextSequence: try reader.number(), nextGroup: try reader.number())
    case .bookmarkSet:
      self = .bookmarkSet(
        InputBookmark(
          key: try reader.string(), offset: try reader.number(), updated: try reader.number(),
          check: try reader.number()))
    case .writeAheadLogOpened:
      self = .writeAheadLogOpened(try WriteAheadLogRecord(&reader))
    case .writeAheadLogForgotten:
      self = .writeAheadLogForgotten(id: try reader.number())
    case .writeAheadFlushWanted:
      self = .writeAheadFlushWanted(id: try reader.number())
    case .sizeLimitSet:
      let group = try reader.number(UInt64.self)
      let byteCount = try reader.number(UInt64.self)
      self = .sizeLimitSet(group: group, byteCount: byteCount == 0 ? nil : byteCount)
    case .removalNoted:
      self = .removalNoted(try RemovalNote(&reader))
    case .recordsLost:
      let first = try reader.number(UInt64.self)
      let last = try reader.number(UInt64.self)
      guard first <= last else {
        throw StorageError(.damaged, "\(name): lost records \(first) to \(last)")
      }
      self = .recordsLost(first...last)
    case .lossAccepted:
      self = .lossAccepted
    }
  }
}

/// The actions of one record, with the time it was written.
struct ManifestTransaction: Sendable, Hashable {
  /// Time of writing, ms.
  var time: Int64
  var actions: [ManifestAction]

  init(time: Int64, actions: [ManifestAction]) {
    self.time = time
    self.actions = actions
  }

  init(_ body: [UInt8], name: String) throws {
    var reader = FieldReader(body, name: name)
    time = try reader.number()
    let count = Int(try reader.number(UInt32.self))
    actions = []
    for _ in 0..<count { actions.append(try ManifestAction(&reader, name: name)) }
    guard reader.isAtEnd else {
      throw StorageError(.damaged, "\(name): \(reader.remaining) bytes after the last entry")
    }
  }

  var body: [UInt8] {
    var writer = FieldWriter()
    writer.put(time)
    writer.put(UInt32(actions.count))
    for action in actions { action.encode(into: &writer) }
    return writer.bytes
  }
}
