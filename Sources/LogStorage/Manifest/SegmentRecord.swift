/// What the manifest knows of a live segment: enough to decide whether it must be opened at all,
/// and to notice when it is not the file that was published.
package struct SegmentRecord: Sendable, Hashable {
  package var id: SegmentID
  /// Number of its log group.
  package var group: UInt64
  /// Partition: the UTC day of its oldest event, counted from 1970-01-01.
  package var day: Int64
  package var byteCount: UInt64
  /// SHA-256 of the file.
  package var digest: [UInt8]
  package var rowGroupCount: UInt32
  package var rowCount: UInt64
  package var rawByteCount: UInt64
  /// Oldest and newest event time, ms.
  package var minTime: Int64
  package var maxTime: Int64
  /// First and last time of arrival, ms.
  package var minIngestTime: Int64
  package var maxIngestTime: Int64
  /// Added, wrapping around, to the sequence numbers in the file: makes them unique in the store.
  package var sequenceBase: UInt64
  package var contentSum: ContentSum
  /// Streams in ascending order of their names.
  package var streams: [StreamCount]
  /// Bytes that were written when its events first came into segments.
  package var firstByteCount: UInt64
  /// Bytes that have been written for its events up to now, by merges too.
  package var writtenByteCount: UInt64

  /// Whether it is as it was first written.
  var isFirst: Bool { firstByteCount == byteCount && writtenByteCount == byteCount }

  /// The record of a finished segment. Its sequence numbers are those in the file until a base is
  /// assigned.
  init(_ segment: FinishedSegment, group: UInt64) {
    let footer = segment.footer
    id = segment.id
    self.group = group
    day = Day.containing(footer.minTime)
    byteCount = segment.byteCount
    digest = segment.digest
    rowGroupCount = footer.rowGroupCount
    rowCount = footer.rowCount
    rawByteCount = footer.rawByteCount
    minTime = footer.minTime
    maxTime = footer.maxTime
    minIngestTime = footer.minIngestTime
    maxIngestTime = footer.maxIngestTime
    sequenceBase = 0
    contentSum = footer.contentSum
    streams = footer.streams
    firstByteCount = segment.byteCount
    writtenByteCount = segment.byteCount
  }

  /// What stands for a row group of events that are in no segment yet.
  init(unpublished id: SegmentID, group: UInt64, entry: RowGroupEntry, byteCount: UInt64) {
    self.id = id
    self.group = group
    day = Day.containing(entry.minTime)
    self.byteCount = byteCount
    digest = []
    rowGroupCount = 1
    rowCount = UInt64(entry.rowCount)
    rawByteCount = entry.rawByteCount
    minTime = entry.minTime
    maxTime = entry.maxTime
    minIngestTime = entry.minIngestTime
    maxIngestTime = entry.maxIngestTime
    sequenceBase = 0
    contentSum = entry.contentSum
    streams = []
    firstByteCount = byteCount
    writtenByteCount = byteCount
  }

  /// - Parameter hasHistory: whether it says what was written for it before.
  init(_ reader: inout FieldReader, hasHistory: Bool) throws {
    id = SegmentID(high: try reader.number(), low: try reader.number())
    group = try reader.number()
    day = try reader.number()
    byteCount = try reader.number()
    digest = try reader.raw(32)
    rowGroupCount = try reader.number()
    rowCount = try reader.number()
    rawByteCount = try reader.number()
    minTime = try reader.number()
    maxTime = try reader.number()
    minIngestTime = try reader.number()
    maxIngestTime = try reader.number()
    sequenceBase = try reader.number()
    contentSum = try reader.contentSum()
    streams = try reader.streams()
    firstByteCount = hasHistory ? try reader.number() : byteCount
    writtenByteCount = hasHistory ? try reader.number() : byteCount
  }

  /// Notes that a merge wrote it from others.
  mutating func inherit(from inputs: [SegmentRecord]) {
    firstByteCount = inputs.reduce(0) { $0 &+ $1.firstByteCount }
    writtenByteCount = inputs.reduce(byteCount) { $0 &+ $1.writtenByteCount }
  }

  /// Notes that it is what was left of another one. Erasing counts as no merge: of what was written for the
  /// other one it takes the share of its size.
  mutating func inherit(from whole: SegmentRecord) {
    if whole.isFirst { return }
    let share = min(1, Double(byteCount) / Double(max(1, whole.byteCount)))
    firstByteCount = UInt64(Double(whole.firstByteCount) * share)
    writtenByteCount = UInt64(Double(whole.writtenByteCount) * share)
  }

  func encode(into writer: inout FieldWriter) {
    writer.put(id.high)
    writer.put(id.low)
    writer.put(group)
    writer.put(day)
    writer.put(byteCount)
    writer.put(raw: digest)
    writer.put(rowGroupCount)
    writer.put(rowCount)
    writer.put(rawByteCount)
    for time in [minTime, maxTime, minIngestTime, maxIngestTime] { writer.put(time) }
    writer.put(sequenceBase)
    writer.put(contentSum)
    writer.put(streams)
    if !isFirst {
      writer.put(firstByteCount)
      writer.put(writtenByteCount)
    }
  }
}

/// A segment that the manifest no longer counts, until its file is gone.
package struct RemovedSegment: Sendable, Hashable {
  package var id: SegmentID
  package var group: UInt64
  package var day: Int64
  package var byteCount: UInt64
  package var digest: [UInt8]
  package var reason: RemovalReason
  /// The first generation without it: readers of older ones may still need the file.
  package var generation: UInt64

  init(_ segment: SegmentRecord, reason: RemovalReason, generation: UInt64) {
    id = segment.id
    group = segment.group
    day = segment.day
    byteCount = segment.byteCount
    digest = segment.digest
    self.reason = reason
    self.generation = generation
  }

  init(_ reader: inout FieldReader) throws {
    id = SegmentID(high: try reader.number(), low: try reader.number())
    group = try reader.number()
    day = try reader.number()
    byteCount = try reader.number()
    digest = try reader.raw(32)
    let code = try reader.number(UInt8.self)
    reason = RemovalReason(rawValue: code) ?? .deleted
    generation = try reader.number()
  }

  func encode(into writer: inout FieldWriter) {
    writer.put(id.high)
    writer.put(id.low)
    writer.put(group)
    writer.put(day)
    writer.put(byteCount)
    writer.put(raw: digest)
    writer.put(reason.rawValue)
    writer.put(generation)
  }
}

/// Why a segment was removed; kept in the log as evidence.
package enum RemovalReason: UInt8, Sendable, CustomStringConvertible {
  /// All its events were older than the retention of the group.
  case expired = 1
  /// Its events live on in another segment.
  case compacted = 2
  /// Its group, some of its streams or some of its events were deleted.
  case deleted = 3
  /// It was damaged; what could be read lives on in another segment.
  case repaired = 4
  /// The group had grown beyond its size limit, and these were the oldest events.
  case surplus = 5

  package var description: String {
    switch self {
    case .expired: "expired"
    case .compacted: "compacted"
    case .deleted: "deleted"
    case .repaired: "repaired"
    case .surplus: "surplus"
    }
  }
}

/// What somebody wants to know later of a removal that the segments of its record do not tell.
package struct RemovalNote: Sendable, Hashable {
  /// Number of the log group.
  package var group: UInt64
  /// Events that went.
  package var rowCount: UInt64
  /// Why, in the words of whoever removed them. It must not repeat what was removed.
  package var text: String

  init(group: UInt64, rowCount: UInt64, text: String) {
    self.group = group
    self.rowCount = rowCount
    self.text = text
  }

  init(_ reader: inout FieldReader) throws {
    group = try reader.number()
    rowCount = try reader.number()
    text = try reader.string()
  }

  func encode(into writer: inout FieldWriter) {
    writer.put(group)
    writer.put(rowCount)
    writer.put(text)
  }
}

/// How far an input was read, so that reading it again continues there.
package struct InputBookmark: Sendable, Hashable {
  /// What identifies the input (device, inode and first bytes of a file); made by the reader of
  /// inputs.
  package var key: String
  /// Bytes safely dealt with.
  package var offset: UInt64
  /// Time of the last change, ms.
  package var updated: Int64
  /// XXH64 of the last bytes before `offset`: tells whether they are still the same.
  package var check: UInt64

  package init(key: String, offset: UInt64, updated: Int64, check: UInt64 = 0) {
    self.key = key
    self.offset = offset
    self.updated = updated
    self.check = check
  }
}
