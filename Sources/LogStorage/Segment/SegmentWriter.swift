/// Writes one segment, front to back: header, row groups as they come, directory, footer, tail.
///
/// The file grows under a name in `tmp/` and is locked as long as its writer (and then the
/// `FinishedSegment`) lives, so that garbage collection can tell a file in the making from what a
/// crashed process left. Its SHA-256 and its content sum are computed on the way. One owner.
///
/// - SeeAlso: <doc:SegmentFormat>, <doc:Durability>
package final class SegmentWriter {
  /// What segments say about who wrote them.
  static let program = "varve"

  package let id: SegmentID
  package let logGroup: String
  private let fileSystem: any FileSystem
  private let file: any RandomAccessFile
  private var digest = SHA256()
  private var entries: [RowGroupEntry] = []
  private var streams: [String: UInt64] = [:]
  /// Bytes written so far.
  package private(set) var byteCount: UInt64 = 0

  /// Starts a file.
  ///
  /// - Throws: `StorageError`.
  init(
    id: SegmentID, logGroup: String, path: String, created: Int64, fileSystem: any FileSystem
  ) throws {
    self.id = id
    self.logGroup = logGroup
    self.fileSystem = fileSystem
    file = try fileSystem.open(path, .createExclusive)
    guard try file.lock(.exclusive, waiting: false) else {
      throw StorageError(.busy, "\(path): another process holds a file that was just made")
    }
    try write(SegmentHeader(id: id, created: created).bytes)
  }

  package var rowGroupCount: Int { entries.count }

  /// Writes a row group.
  ///
  /// - Throws: `StorageError`; the segment must then be dropped.
  package func append(_ rowGroup: EncodedRowGroup) throws {
    try append(rowGroup.bytes, entry: rowGroup.entry)
    add(rowGroup.streams)
  }

  /// Writes the bytes of a row group without counting its streams; `add` must be told of them.
  func append(_ bytes: [UInt8], entry: RowGroupEntry) throws {
    precondition(UInt64(bytes.count) == entry.length, "a row group has the length its entry says")
    try alignTo8()
    var entry = entry
    entry.offset = byteCount
    entries.append(entry)
    try write(bytes)
  }

  /// Counts streams of the row groups written.
  func add(_ counts: [StreamCount]) {
    for stream in counts { streams[stream.name, default: 0] += stream.rowCount }
  }

  /// Writes directory, footer and tail and makes the file durable (still under its temporary name).
  ///
  /// - Precondition: at least one row group was written.
  /// - Throws: `StorageError`; the segment must then be dropped.
  package func finish() throws -> FinishedSegment {
    try alignTo8()
    let directoryOffset = byteCount
    var directory = FieldWriter()
    let names = IdentifierFilterPlace.names(of: entries)
    for entry in entries { entry.encode(names: names, into: &directory) }
    try write(directory.bytes)
    let counts = streams.map { StreamCount(name: $0.key, rowCount: $0.value) }
    let footer = SegmentFooter(
      logGroup: logGroup, entries: entries, streams: counts.sorted { $0.name < $1.name },
      directoryOffset: directoryOffset, directoryCheck: XXH64.hash(directory.bytes),
      writer: Self.program)
    let footerBytes = footer.bytes
    try write(footerBytes)
    var tail = FieldWriter()
    tail.put(UInt32(footerBytes.count))
    tail.put(UInt32(0))
    tail.put(XXH64.hash(footerBytes))
    tail.put(raw: SegmentFrame.magic)
    try write(tail.bytes)
    try file.sync()
    return FinishedSegment(
      id: id, footer: footer, byteCount: byteCount, digest: digest.digest, path: file.path,
      file: file, fileSystem: fileSystem)
  }

  /// Removes the unfinished file.
  package func discard() {
    try? fileSystem.unlink(file.path)
  }

  private func alignTo8() throws {
    let rest = Int(byteCount % 8)
    if rest != 0 { try write([UInt8](repeating: 0, count: 8 - rest)) }
  }

  private func write(_ bytes: [UInt8]) throws {
    try file.append(bytes)
    bytes.withUnsafeBytes { digest.update($0) }
    byteCount += UInt64(bytes.count)
  }
}

/// A whole, durable segment that no manifest names yet. Publish it, or discard it.
package struct FinishedSegment: Sendable {
  package let id: SegmentID
  package let footer: SegmentFooter
  package let byteCount: UInt64
  /// SHA-256 of the file.
  package let digest: [UInt8]
  /// Where it lies until it is published.
  let path: String
  /// Holds the lock that says: somebody alive owns this file.
  let file: any RandomAccessFile
  let fileSystem: any FileSystem

  /// Removes the file.
  package func discard() {
    try? fileSystem.unlink(path)
  }
}
