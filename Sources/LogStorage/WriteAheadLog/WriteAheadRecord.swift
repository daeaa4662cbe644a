/// One batch of accepted events of one log group, as it stands in a write-ahead log.
///
/// ```text
/// mark u32     "WREC", exclusive-or the length: a flipped bit in either shows
/// length u32   bytes of the body
/// check u64    XXH64 of the body, seeded with the log's id, the record's offset and the length
/// body         head: start of the write u64 · group u64 · first sequence u64 · arrival i64
///                    · rows u32 · text bytes u32 · oldest time i64 · newest time i64
///                    · streams (u32 number, then name, u64 rows)
///              payload, one stream (codec u8 · raw length · stored length · bytes) of
///                    times (i64 a row) · lengths (u32 a row) · streams (u32 a row, if there are
///                    several) · texts end to end
/// filling      1 to 8 bytes 0xEE, up to a multiple of 8
/// ```
///
/// The log was zeros where a record is written. Its first and its last 8 bytes hold ones, so of a write that the
/// power cut off some sector is still zeros, and a changed bit cannot be taken for that.
///
/// The seed ties a record to its place: what a disk or a copy left there of another log, or of this
/// one at another offset, is no record.
///
/// - SeeAlso: <doc:WriteAheadLogFormat>
struct WriteAheadRecord: Sendable {
  /// What the record says of its events without their being decompressed.
  struct Head: Sendable, Hashable {
    /// Where the write began that this record was part of: several are written and synced at once.
    var writeOffset: UInt64 = 0
    var group: UInt64
    /// Sequence number of the first event; the others follow.
    var firstSequence: UInt64
    /// Time of arrival, ms.
    var ingestionTime: Int64
    var rowCount: Int
    /// Bytes of the texts.
    var rawByteCount: Int
    var minTime: Int64
    var maxTime: Int64
    /// Streams that have events here, with their counts.
    var streams: [StreamCount]
  }

  static let magic: UInt32 = 0x4345_5257
  static let frameByteCount = 16
  /// Records begin at multiples of it, and end with this filling.
  static let alignment = 8
  static let filling: UInt8 = 0xEE
  /// What a disk writes whole or not at all.
  private static let sectorByteCount = 512
  /// No body is larger; a longer one is damage, not a reason to allocate.
  static let maximumBodyByteCount = 256 << 20

  var head: Head
  /// The events, compressed where it pays.
  private let payload: [UInt8]

  /// Encodes a scanned block; the sequence number is given later, when it is the record's turn.
  init(_ scanned: ScannedBlock, group: UInt64, ingestionTime: Int64, compressor: Compressor) {
    let block = scanned.block
    var counts = [UInt64](repeating: 0, count: block.streams.count)
    for record in block.records { counts[Int(record.stream)] += 1 }
    var numberOf = [UInt32](repeating: 0, count: counts.count)
    var streams: [StreamCount] = []
    for (index, count) in counts.enumerated() where count > 0 {
      numberOf[index] = UInt32(streams.count)
      streams.append(StreamCount(name: block.streams[index], rowCount: count))
    }
    let rawByteCount = block.records.reduce(0) { $0 + Int($1.length) }
    var writer = ByteWriter(capacity: rawByteCount + 16 * block.records.count)
    for time in scanned.times { writer.append(fixed: time) }
    for record in block.records { writer.append(fixed: record.length) }
    if streams.count > 1 {
      for record in block.records { writer.append(fixed: numberOf[Int(record.stream)]) }
    }
    block.bytes.withUnsafeBytes { bytes in
      for record in block.records {
        let range = Int(record.offset)..<Int(record.offset) + Int(record.length)
        writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[range]))
      }
    }
    var payload = ByteWriter(capacity: rawByteCount / 4)
    payload.append(stream: writer.bytes, compressor: compressor)
    self.payload = payload.bytes
    head = Head(
      group: group, firstSequence: 0, ingestionTime: ingestionTime, rowCount: block.records.count,
      rawByteCount: rawByteCount, minTime: scanned.times.min() ?? 0,
      maxTime: scanned.times.max() ?? 0, streams: streams)
  }

  private static func seed(_ log: UInt64, _ offset: UInt64, _ length: Int) -> UInt64 {
    log ^ (offset &* 0x9E37_79B1_85EB_CA87) &+ UInt64(length)
  }

  /// The record as it stands at a place of a log.
  func bytes(log: UInt64, offset: UInt64) -> [UInt8] {
    var body = FieldWriter()
    body.put(head.writeOffset)
    body.put(head.group)
    body.put(head.firstSequence)
    body.put(head.ingestionTime)
    body.put(UInt32(head.rowCount))
    body.put(UInt32(head.rawByteCount))
    body.put(head.minTime)
    body.put(head.maxTime)
    body.put(head.streams)
    body.put(raw: payload)
    var writer = FieldWriter()
    writer.put(Self.magic ^ UInt32(body.bytes.count))
    writer.put(UInt32(body.bytes.count))
    writer.put(XXH64.hash(body.bytes, seed: Self.seed(log, offset, body.bytes.count)))
    writer.put(raw: body.bytes)
    let end = Self.end(ofBody: writer.bytes.count)
    writer.put(raw: [UInt8](repeating: Self.filling, count: end - writer.bytes.count))
    return writer.bytes
  }

  /// Gives the record at a position the check that belongs to its body.
  static func seal(_ bytes: inout [UInt8], at position: Int, log: UInt64) {
    let length = bytes.withUnsafeBytes {
      Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)))
    }
    let body = position + frameByteCount..<position + frameByteCount + length
    let check = XXH64.hash(
      Array(bytes[body]), seed: seed(log, UInt64(position), length))
    bytes.replaceSubrange(
      position + 8..<position + 16, with: withUnsafeBytes(of: check.littleEndian) { Array($0) })
  }

  /// Where the record ends whose body ends at a position.
  static func end(ofBody position: Int) -> Int { position / alignment * alignment + alignment }

  /// Whether the filling behind a body is as it was written.
  static func isFilled(_ bytes: [UInt8], from start: Int, to end: Int) -> Bool {
    end <= bytes.count && bytes[start..<end].allSatisfy { $0 == filling }
  }

  // MARK: Reading

  /// The range of the body of the record at a position of `bytes`, or `nil` when no whole one with a
  /// matching check is there.
  ///
  /// - Parameter start: where `bytes` lie in the log.
  static func body(
    in bytes: [UInt8], at position: Int, start: UInt64 = 0, log: UInt64
  ) -> Range<Int>? {
    guard position >= 0, bytes.count - position >= frameByteCount else { return nil }
    return bytes.withUnsafeBytes { raw in
      func u32(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: position + offset, as: UInt32.self))
      }
      let length = Int(u32(4))
      guard u32(0) ^ u32(4) == magic, length <= maximumBodyByteCount,
        end(ofBody: position + frameByteCount + length) <= raw.count
      else { return nil }
      let check = UInt64(
        littleEndian: raw.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self))
      let body = position + frameByteCount..<position + frameByteCount + length
      let computed = XXH64.hash(
        UnsafeRawBufferPointer(rebasing: raw[body]),
        seed: seed(log, start + UInt64(position), length))
      return computed == check ? body : nil
    }
  }

  /// Whether the bytes from a position can be what a write left that the power cut off: some sector
  /// of it is still zeros. Anything else there is damage.
  ///
  /// - Parameter end: the next whole record, or the end of the file.
  static func isTorn(_ bytes: [UInt8], from position: Int, to end: Int) -> Bool {
    bytes.withUnsafeBytes { raw in
      func isBlank(_ range: Range<Int>) -> Bool { raw[range].allSatisfy { $0 == 0 } }
      guard end - position >= frameByteCount else { return isBlank(position..<end) }
      if isBlank(position..<position + alignment) || isBlank(position + alignment..<end) {
        return true
      }
      let mark = UInt32(
        littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      let length = UInt32(
        littleEndian: raw.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
      let recordEnd = Self.end(ofBody: position + frameByteCount + Int(length))
      guard mark ^ length == magic, recordEnd <= end else { return false }
      if isBlank(recordEnd - alignment..<recordEnd) { return true }
      var start = position
      while start < recordEnd {
        let next = min(recordEnd, (start / sectorByteCount + 1) * sectorByteCount)
        if isBlank(start..<next) { return true }
        start = next
      }
      return false
    }
  }

  /// The head at the start of a body, and where the payload begins.
  ///
  /// - Throws: `StorageError` (`damaged`).
  static func head(
    _ bytes: [UInt8], body: Range<Int>, name: String
  ) throws -> (head: Head, payload: Int) {
    var reader = FieldReader(bytes, range: body, name: name)
    let head = Head(
      writeOffset: try reader.number(), group: try reader.number(),
      firstSequence: try reader.number(),
      ingestionTime: try reader.number(), rowCount: Int(try reader.number(UInt32.self)),
      rawByteCount: Int(try reader.number(UInt32.self)), minTime: try reader.number(),
      maxTime: try reader.number(), streams: try reader.streams())
    guard head.rowCount > 0, head.rowCount <= StorageLimits.rowsPerRowGroup,
      head.streams.reduce(0, { $0 &+ $1.rowCount }) == UInt64(head.rowCount)
    else {
      throw StorageError(.damaged, "\(name): a record has \(head.rowCount) events")
    }
    return (head, reader.position)
  }

  /// The events of a record as a block whose times are given.
  ///
  /// - Throws: `StorageError` (`damaged`).
  static func block(
    _ bytes: [UInt8], body: Range<Int>, name: String, decompressor: Decompressor
  ) throws -> (head: Head, block: RecordBlock) {
    let (head, payload) = try Self.head(bytes, body: body, name: name)
    let perRow = head.streams.count > 1 ? 16 : 12
    let prefix = head.rowCount * perRow
    do {
      let raw = try bytes.withUnsafeBytes {
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: $0[payload..<body.upperBound]))
        return try reader.stream(
          limit: prefix + head.rawByteCount, padding: RecordBlock.padding,
          decompressor: decompressor)
      }
      guard raw.count == prefix + head.rawByteCount + RecordBlock.padding else {
        throw DecodingFailure("its events have another length than it says")
      }
      return (head, try block(raw, head: head, textOffset: prefix))
    } catch let failure as DecodingFailure {
      throw StorageError(.damaged, "\(name): a record is damaged: \(failure.reason)")
    }
  }

  private static func block(
    _ raw: [UInt8], head: Head, textOffset: Int
  ) throws(DecodingFailure) -> RecordBlock {
    var records: [RecordReference] = []
    records.reserveCapacity(head.rowCount)
    let byteCount = raw.count - RecordBlock.padding
    var offset = textOffset
    for row in 0..<head.rowCount {
      let (time, length, stream) = raw.withUnsafeBytes { bytes in
        (
          Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * row, as: Int64.self)),
          UInt32(
            littleEndian: bytes.loadUnaligned(
              fromByteOffset: 8 * head.rowCount + 4 * row, as: UInt32.self)),
          head.streams.count > 1
            ? UInt32(
              littleEndian: bytes.loadUnaligned(
                fromByteOffset: 12 * head.rowCount + 4 * row, as: UInt32.self)) : 0
        )
      }
      guard Int(length) <= byteCount - offset, Int(stream) < head.streams.count else {
        throw DecodingFailure("event \(row) lies outside it")
      }
      records.append(
        RecordReference(offset: UInt32(offset), length: length, time: time, stream: stream))
      offset += Int(length)
    }
    guard offset == byteCount else { throw DecodingFailure("its events do not fill it") }
    return RecordBlock(
      bytes: raw, byteCount: byteCount, records: records, streams: head.streams.map(\.name),
      firstRecord: head.firstSequence)
  }
}

/// The first 40 bytes of a write-ahead log. The record that comes first follows them at once.
enum WriteAheadHeader {
  static let magic: [UInt8] = Array("LOGWAL\r\n".utf8)
  static let majorVersion: UInt16 = 2
  static let byteCount = 40
  /// Logs are laid out in pieces of so many bytes.
  static let pageByteCount = 4096

  /// - Parameter pageCount: pages that the log was laid out with.
  static func bytes(id: UInt64, created: Int64, pageCount: UInt32) -> [UInt8] {
    var writer = FieldWriter()
    writer.put(raw: magic)
    writer.put(majorVersion)
    writer.put(UInt16(0))
    writer.put(pageCount)
    writer.put(id)
    writer.put(created)
    writer.put(XXH64.hash(writer.bytes))
    return writer.bytes
  }

  /// - Throws: `StorageError`: `damaged`, or `unknownVersion` with both numbers.
  static func check(_ bytes: [UInt8], id: UInt64, name: String) throws {
    guard bytes.count >= byteCount else {
      throw StorageError(
        .damaged, "\(name): has \(bytes.count) bytes, fewer than its header; the file was cut")
    }
    var reader = FieldReader(bytes, range: 0..<byteCount, name: name)
    let isWrong = try reader.raw(8) != magic
    let major = try reader.number(UInt16.self)
    _ = try reader.number(UInt16.self)
    let pageCount = try reader.number(UInt32.self)
    let found = try reader.number(UInt64.self)
    _ = try reader.number(Int64.self)
    guard !isWrong, try reader.number() == XXH64.hash(Array(bytes[..<32])) else {
      throw StorageError(.damaged, "\(name): the header of the write-ahead log is damaged")
    }
    guard major == majorVersion else {
      throw StorageError(
        .unknownVersion,
        "\(name): write-ahead log version \(major), this program reads version \(majorVersion)")
    }
    guard found == id else {
      throw StorageError(.damaged, "\(name): is the write-ahead log \(hex(found)), not this one")
    }
    guard bytes.count >= Int(pageCount) * pageByteCount else {
      throw StorageError(
        .damaged,
        "\(name): the write-ahead log was cut from \(Int(pageCount) * pageByteCount) to "
          + "\(bytes.count) bytes; events that were acknowledged last may be lost")
    }
  }
}
