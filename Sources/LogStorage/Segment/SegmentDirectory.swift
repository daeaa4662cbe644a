/// What a segment's directory says about one row group: where it lies, what it holds, how to check
/// it. The bytes of the row group itself are self-contained: its own shapes, paths and chunk table.
///
/// - SeeAlso: <doc:SegmentFormat>, "Directory"
package struct RowGroupEntry: Sendable, Hashable {
  /// Position of the row group's first byte in the file; set by the segment writer, 8-aligned.
  package var offset: UInt64
  /// Bytes of the row group.
  package var length: UInt64
  /// Where the row group's own table (shapes, paths, chunk table) lies, counted from `offset`.
  package var metadataOffset: UInt32
  /// Bytes of that table.
  package var metadataLength: UInt32
  /// XXH64 (seed 0) of the bytes of that table; the chunks have checks of their own in it.
  package var check: UInt64
  package var rowCount: UInt32
  /// Bytes of the texts of all events.
  package var rawByteCount: UInt64
  /// Oldest and newest event time, ms.
  package var minTime: Int64
  package var maxTime: Int64
  /// First and last time of arrival, ms.
  package var minIngestTime: Int64
  package var maxIngestTime: Int64
  /// What must be added to the sequence numbers stored in the row group, besides the base that the
  /// manifest gives to the whole segment. 0 as encoded; compaction sets it when it copies bytes.
  package var sequenceBase: UInt64
  /// Smallest and largest sequence number as stored in the row group, before any base is added.
  package var minSequence: UInt64
  package var maxSequence: UInt64
  /// Sum over all events, which no merge may change.
  package var contentSum: ContentSum
  /// Where its ids can be looked for before its table is read.
  package var identifierFilter: IdentifierFilterPlace?

  package init(
    offset: UInt64 = 0, length: UInt64, metadataOffset: UInt32, metadataLength: UInt32,
    check: UInt64, rowCount: UInt32, rawByteCount: UInt64, minTime: Int64, maxTime: Int64,
    minIngestTime: Int64, maxIngestTime: Int64, sequenceBase: UInt64 = 0, minSequence: UInt64,
    maxSequence: UInt64, contentSum: ContentSum, identifierFilter: IdentifierFilterPlace? = nil
  ) {
    self.offset = offset
    self.length = length
    self.metadataOffset = metadataOffset
    self.metadataLength = metadataLength
    self.check = check
    self.rowCount = rowCount
    self.rawByteCount = rawByteCount
    self.minTime = minTime
    self.maxTime = maxTime
    self.minIngestTime = minIngestTime
    self.maxIngestTime = maxIngestTime
    self.sequenceBase = sequenceBase
    self.minSequence = minSequence
    self.maxSequence = maxSequence
    self.contentSum = contentSum
    self.identifierFilter = identifierFilter
  }
}

/// An encoded row group on its way into a segment.
package struct EncodedRowGroup: Sendable {
  /// The row group as it will lie in the file.
  package var bytes: [UInt8]
  /// Its directory entry; `offset` is set when it is written.
  package var entry: RowGroupEntry
  /// Streams of its events with the number of events of each; every name once, counts sum to the
  /// rows.
  package var streams: [StreamCount]

  package init(bytes: [UInt8], entry: RowGroupEntry, streams: [StreamCount]) {
    self.bytes = bytes
    self.entry = entry
    self.streams = streams
  }
}

/// A log stream and how many events of it something holds.
package struct StreamCount: Sendable, Hashable {
  package var name: String
  package var rowCount: UInt64

  package init(name: String, rowCount: UInt64) {
    self.name = name
    self.rowCount = rowCount
  }
}

/// A sum over events that does not depend on their order or on the row groups and segments they lie
/// in: adding up the sums of the parts gives the sum of the whole. A merge must reproduce the sum
/// of its inputs before it may replace them.
///
/// Each event gives a hash of its time, stream and text. Sequence numbers are left out: they are
/// stored relative to bases that change with the layout.
package struct ContentSum: Sendable, Hashable {
  package var low: UInt64
  package var high: UInt64

  /// The sum of no events.
  package init() { (low, high) = (0, 0) }

  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// Adds up two sums.
  package static func &+= (sum: inout ContentSum, other: ContentSum) {
    let (low, carry) = sum.low.addingReportingOverflow(other.low)
    sum.low = low
    sum.high = sum.high &+ other.high &+ (carry ? 1 : 0)
  }

  /// Takes a part out of a sum.
  package static func &-= (sum: inout ContentSum, other: ContentSum) {
    let (low, borrow) = sum.low.subtractingReportingOverflow(other.low)
    sum.low = low
    sum.high = sum.high &- other.high &- (borrow ? 1 : 0)
  }
}

/// Fixed numbers of the segment's frame.
///
/// - SeeAlso: <doc:SegmentFormat>
enum SegmentFrame {
  /// `LOGSEG` and a line end that text-mode transfers damage.
  static let magic: [UInt8] = Array("LOGSEG\r\n".utf8)
  static let majorVersion: UInt16 = 1
  static let minorVersion: UInt16 = 0
  static let headerByteCount = 64
  static let tailByteCount = 24
  static let entryByteCount = 152
  /// No footer is larger; a longer one is damage, not a reason to allocate.
  static let maximumFooterByteCount = 256 << 20
}

/// The first 64 bytes of a segment.
struct SegmentHeader: Hashable {
  var id: SegmentID
  /// Time of writing, ms.
  var created: Int64
  var minorVersion = SegmentFrame.minorVersion

  var bytes: [UInt8] {
    var writer = FieldWriter()
    writer.put(raw: SegmentFrame.magic)
    writer.put(SegmentFrame.majorVersion)
    writer.put(minorVersion)
    writer.put(UInt32(0))
    writer.put(id.high)
    writer.put(id.low)
    writer.put(created)
    writer.put(raw: [UInt8](repeating: 0, count: 24))
    return writer.bytes
  }

  init(id: SegmentID, created: Int64) {
    self.id = id
    self.created = created
  }

  /// Reads a header and refuses what this version cannot read.
  init(_ bytes: [UInt8], name: String) throws {
    var reader = FieldReader(bytes, name: "\(name): header")
    guard try reader.raw(8) == SegmentFrame.magic else {
      throw StorageError(.damaged, "\(name): no segment, or its header is damaged (wrong magic)")
    }
    let major = try reader.number(UInt16.self)
    guard major == SegmentFrame.majorVersion else {
      throw StorageError(
        .unknownVersion,
        "\(name): segment version \(major), this program reads version \(SegmentFrame.majorVersion)"
      )
    }
    minorVersion = try reader.number()
    _ = try reader.number(UInt32.self)
    id = SegmentID(high: try reader.number(), low: try reader.number())
    created = try reader.number()
  }
}

extension RowGroupEntry {
  /// Appends the entry: `SegmentFrame.entryByteCount` bytes.
  ///
  /// - Parameter names: those that the footer lists.
  func encode(names: [String], into writer: inout FieldWriter) {
    writer.put(offset)
    writer.put(length)
    writer.put(metadataOffset)
    writer.put(metadataLength)
    writer.put(check)
    writer.put(rowCount)
    writer.put(UInt32(0))
    writer.put(rawByteCount)
    for number in [minTime, maxTime, minIngestTime, maxIngestTime] { writer.put(number) }
    for number in [sequenceBase, minSequence, maxSequence] { writer.put(number) }
    writer.put(contentSum)
    if let identifierFilter {
      identifierFilter.encode(names: names, into: &writer)
    } else {
      writer.put(raw: [UInt8](repeating: 0, count: IdentifierFilterPlace.byteCount))
    }
  }

  /// Reads an entry and checks that it lies within `dataRange` of its file.
  ///
  /// - Parameter names: those that the footer lists.
  init(
    _ reader: inout FieldReader, names: [String], dataRange: Range<UInt64>, name: String
  ) throws {
    offset = try reader.number()
    length = try reader.number()
    metadataOffset = try reader.number()
    metadataLength = try reader.number()
    check = try reader.number()
    rowCount = try reader.number()
    _ = try reader.number(UInt32.self)
    rawByteCount = try reader.number()
    minTime = try reader.number()
    maxTime = try reader.number()
    minIngestTime = try reader.number()
    maxIngestTime = try reader.number()
    sequenceBase = try reader.number()
    minSequence = try reader.number()
    maxSequence = try reader.number()
    contentSum = try reader.contentSum()
    identifierFilter = try IdentifierFilterPlace(&reader, names: names)
    let filterEnd = identifierFilter.map { UInt64($0.offset) + UInt64($0.length) } ?? 0
    let metadataEnd = UInt64(metadataOffset) + UInt64(metadataLength)
    let (end, overflow) = offset.addingReportingOverflow(length)
    guard !overflow, offset >= dataRange.lowerBound, end <= dataRange.upperBound,
      metadataEnd <= length, filterEnd <= length, rowCount > 0, minTime <= maxTime,
      rawByteCount < 1 << 48,
      rowCount <= StorageLimits.rowsPerRowGroup
    else {
      throw StorageError(.damaged, "\(name): a directory entry is out of bounds")
    }
  }
}

/// What a segment says about itself as a whole.
package struct SegmentFooter: Sendable, Hashable {
  /// Name of the log group, so that a segment found alone can be put back.
  package var logGroup: String
  package var rowCount: UInt64
  package var rawByteCount: UInt64
  package var minTime: Int64
  package var maxTime: Int64
  package var minIngestTime: Int64
  package var maxIngestTime: Int64
  /// Smallest and largest sequence number, with the bases of the row groups, without the segment's.
  package var minSequence: UInt64
  package var maxSequence: UInt64
  package var contentSum: ContentSum
  package var rowGroupCount: UInt32
  package var directoryOffset: UInt64
  package var directoryCheck: UInt64
  /// Streams in ascending order of their names.
  package var streams: [StreamCount]
  /// Program that wrote it, for people.
  package var writer: String
  /// Fields of which the directory tells in which row groups they have nothing but ids, ascending.
  package var identifierFields: [String]

  var bytes: [UInt8] {
    var writer = FieldWriter()
    for number in [rowCount, rawByteCount] { writer.put(number) }
    for number in [minTime, maxTime, minIngestTime, maxIngestTime] { writer.put(number) }
    for number in [minSequence, maxSequence] { writer.put(number) }
    writer.put(contentSum)
    writer.put(directoryOffset)
    writer.put(directoryCheck)
    writer.put(rowGroupCount)
    writer.put(logGroup)
    writer.put(self.writer)
    writer.put(streams)
    writer.put(UInt32(identifierFields.count))
    for field in identifierFields { writer.put(field) }
    return writer.bytes
  }

  init(_ bytes: [UInt8], name: String) throws {
    var reader = FieldReader(bytes, name: "\(name): footer")
    rowCount = try reader.number()
    rawByteCount = try reader.number()
    minTime = try reader.number()
    maxTime = try reader.number()
    minIngestTime = try reader.number()
    maxIngestTime = try reader.number()
    minSequence = try reader.number()
    maxSequence = try reader.number()
    contentSum = try reader.contentSum()
    directoryOffset = try reader.number()
    directoryCheck = try reader.number()
    rowGroupCount = try reader.number()
    logGroup = try reader.string()
    writer = try reader.string()
    streams = try reader.streams()
    identifierFields = []
    // The first segments end here.
    if reader.isAtEnd { return }
    for _ in 0..<(try reader.number(UInt32.self)) { identifierFields.append(try reader.string()) }
  }

  /// Sums up row groups.
  init(
    logGroup: String, entries: [RowGroupEntry], streams: [StreamCount], directoryOffset: UInt64,
    directoryCheck: UInt64, writer: String
  ) {
    precondition(!entries.isEmpty, "a segment holds at least one row group")
    self.logGroup = logGroup
    self.streams = streams
    self.directoryOffset = directoryOffset
    self.directoryCheck = directoryCheck
    self.writer = writer
    identifierFields = IdentifierFilterPlace.names(of: entries)
    rowGroupCount = UInt32(entries.count)
    rowCount = entries.reduce(0) { $0 &+ UInt64($1.rowCount) }
    rawByteCount = entries.reduce(0) { $0 &+ $1.rawByteCount }
    minTime = entries.map(\.minTime).min() ?? 0
    maxTime = entries.map(\.maxTime).max() ?? 0
    minIngestTime = entries.map(\.minIngestTime).min() ?? 0
    maxIngestTime = entries.map(\.maxIngestTime).max() ?? 0
    minSequence = entries.map { $0.minSequence &+ $0.sequenceBase }.min() ?? 0
    maxSequence = entries.map { $0.maxSequence &+ $0.sequenceBase }.max() ?? 0
    contentSum = entries.reduce(into: ContentSum()) { $0 &+= $1.contentSum }
  }
}
