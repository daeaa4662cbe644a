/// An open segment: its footer and directory, checked, and its file as a source of bytes.
///
/// Immutable, so any number of threads may use it. Row groups are read through `source`; their own
/// tables and chunks carry their own checks.
package struct SegmentReader: Sendable {
  package let source: any ByteSource
  package let byteCount: UInt64
  package let id: SegmentID
  /// Time of writing, ms.
  package let created: Int64
  package let footer: SegmentFooter
  /// The row groups in the order of the file.
  package let rowGroups: [RowGroupEntry]

  /// Opens a file.
  ///
  /// - Throws: `StorageError`: `damaged` names the file and the part (header, tail, footer,
  ///   directory) that fails its check; `unknownVersion` has both version numbers.
  package init(path: String, fileSystem: any FileSystem) throws {
    let file = try fileSystem.open(path, .read)
    try self.init(source: FileByteSource(file), byteCount: file.length())
  }

  /// Opens a segment in any source of bytes of a known length.
  package init(source: any ByteSource, byteCount: UInt64) throws {
    self.source = source
    self.byteCount = byteCount
    let name = source.name
    let smallest = UInt64(SegmentFrame.headerByteCount + SegmentFrame.tailByteCount)
    guard byteCount >= smallest else {
      throw StorageError(
        .damaged, "\(name): \(byteCount) bytes are too few for a segment; the file was cut")
    }
    // Both ends at once: each read that has to wait for the disk by itself takes as long as all of them.
    source.willRead(at: 0, count: SegmentFrame.headerByteCount)
    let end = min(byteCount, Self.endByteCount)
    source.willRead(at: byteCount - end, count: Int(end))
    let header = try SegmentHeader(
      source.read(at: 0, count: SegmentFrame.headerByteCount), name: name)
    id = header.id
    created = header.created
    footer = try Self.readFooter(source, byteCount)
    rowGroups = try Self.readDirectory(source, footer, byteCount)
    try Self.compare(footer, with: rowGroups, name: name)
  }

  /// In which directory and footer of most segments lie.
  private static let endByteCount: UInt64 = 32 << 10

  private static func readFooter(_ source: any ByteSource, _ byteCount: UInt64) throws
    -> SegmentFooter
  {
    let name = source.name
    let tailOffset = byteCount - UInt64(SegmentFrame.tailByteCount)
    var tail = FieldReader(
      try source.read(at: tailOffset, count: SegmentFrame.tailByteCount), name: name)
    let length = Int(try tail.number(UInt32.self))
    _ = try tail.number(UInt32.self)
    let check = try tail.number(UInt64.self)
    guard try tail.raw(8) == SegmentFrame.magic else {
      throw StorageError(.damaged, "\(name): the tail is damaged or the file was cut (wrong magic)")
    }
    guard length <= SegmentFrame.maximumFooterByteCount,
      UInt64(length) <= tailOffset - UInt64(SegmentFrame.headerByteCount)
    else {
      throw StorageError(.damaged, "\(name): the tail gives an impossible footer length \(length)")
    }
    let bytes = try source.read(at: tailOffset - UInt64(length), count: length)
    try expect(check, XXH64.hash(bytes), "footer", name)
    return try SegmentFooter(bytes, name: name)
  }

  private static func readDirectory(
    _ source: any ByteSource, _ footer: SegmentFooter, _ byteCount: UInt64
  ) throws -> [RowGroupEntry] {
    let name = source.name
    let length = UInt64(footer.rowGroupCount) * UInt64(SegmentFrame.entryByteCount)
    guard footer.directoryOffset <= byteCount, length <= byteCount - footer.directoryOffset else {
      throw StorageError(.damaged, "\(name): the directory lies outside the file")
    }
    let bytes = try source.read(at: footer.directoryOffset, count: Int(length))
    try expect(footer.directoryCheck, XXH64.hash(bytes), "directory", name)
    var reader = FieldReader(bytes, name: "\(name): directory")
    let data = UInt64(SegmentFrame.headerByteCount)..<footer.directoryOffset
    return try (0..<footer.rowGroupCount).map { _ in
      try RowGroupEntry(&reader, names: footer.identifierFields, dataRange: data, name: name)
    }
  }

  /// The footer must be the sum of the directory: a cheap test of both.
  private static func compare(
    _ footer: SegmentFooter, with entries: [RowGroupEntry], name: String
  ) throws {
    guard !entries.isEmpty else {
      throw StorageError(.damaged, "\(name): a segment without row groups")
    }
    let expected = SegmentFooter(
      logGroup: footer.logGroup, entries: entries, streams: footer.streams,
      directoryOffset: footer.directoryOffset, directoryCheck: footer.directoryCheck,
      writer: footer.writer)
    guard expected == footer else {
      throw StorageError(.damaged, "\(name): footer and directory do not agree")
    }
  }

  private static func expect(
    _ stored: UInt64, _ computed: UInt64, _ part: String, _ name: String
  ) throws {
    guard stored == computed else {
      throw StorageError(
        .damaged,
        "\(name): the \(part) is damaged (checksum \(hex(computed)), "
          + "must be \(hex(stored)))")
    }
  }

  /// All bytes of a row group, for copying.
  package func bytes(of entry: RowGroupEntry) throws -> [UInt8] {
    try source.read(at: entry.offset, count: Int(entry.length))
  }
}
