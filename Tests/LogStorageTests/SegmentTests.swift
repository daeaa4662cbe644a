import Testing

@testable import LogStorage

@Suite struct SegmentTests {
  /// A segment with two row groups as it lies on the disk.
  private func sample() throws -> (segment: FinishedSegment, bytes: [UInt8]) {
    let disk = CrashingFileSystem()
    let writer = try SegmentWriter(
      id: SegmentID(high: 1, low: 2), logGroup: "api", path: "/x.seg", created: 77, fileSystem: disk
    )
    try writer.append(SampleEvents("a", count: 3, from: 1000).encoded())
    try writer.append(SampleEvents("b", count: 2, from: 9000).alternating("side").encoded())
    let segment = try writer.finish()
    return (segment, try disk.contents(of: "/x.seg"))
  }

  private func read(_ bytes: [UInt8]) throws -> SegmentReader {
    try SegmentReader(
      source: MemoryByteSource(bytes, name: "x.seg"), byteCount: UInt64(bytes.count))
  }

  @Test func `a reader finds what the writer wrote`() throws {
    let (segment, bytes) = try sample()
    let reader = try read(bytes)
    #expect(UInt64(bytes.count) == segment.byteCount)
    #expect(SHA256.hash(bytes) == segment.digest)
    #expect(reader.id == SegmentID(high: 1, low: 2))
    #expect(reader.created == 77)
    #expect(reader.footer == segment.footer)
    #expect(reader.footer.logGroup == "api")
    #expect(reader.footer.rowCount == 5)
    #expect(reader.footer.minTime == 1000)
    #expect(reader.footer.maxTime == 10_000)
    #expect(
      reader.footer.streams == [
        StreamCount(name: "main", rowCount: 4), StreamCount(name: "side", rowCount: 1),
      ])
    #expect(reader.rowGroups.map(\.rowCount) == [3, 2])
    #expect(reader.rowGroups.allSatisfy { $0.offset % 8 == 0 })
    let first = SampleEvents("a", count: 3, from: 1000).encoded()
    #expect(try reader.bytes(of: reader.rowGroups[0]) == first.bytes)
  }

  @Test func `the parts of the frame have the sizes of the format`() throws {
    #expect(SegmentHeader(id: SegmentID(high: 0, low: 0), created: 0).bytes.count == 64)
    var writer = FieldWriter()
    SampleEvents("a", count: 1, from: 0).encoded().entry.encode(names: [], into: &writer)
    #expect(writer.bytes.count == SegmentFrame.entryByteCount)
  }

  @Test func `a segment cut at any byte is refused`() throws {
    let bytes = try sample().bytes
    for length in 0..<bytes.count {
      let error = #expect(throws: StorageError.self) { try read(Array(bytes[..<length])) }
      #expect(error?.code == .damaged)
    }
  }

  @Test func `a changed byte anywhere is found by reading everything`() throws {
    let (segment, bytes) = try sample()
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= 0x10
      #expect(SHA256.hash(damaged) != segment.digest)
      let isSeen: Bool
      do {
        let reader = try read(damaged)
        // What the frame does not protect, the checks of the row groups must.
        isSeen = try position < 64 || !isWhole(reader)
      } catch let error as StorageError {
        isSeen = error.code == .damaged || error.code == .unknownVersion
      }
      #expect(isSeen || isPadding(position, bytes), "byte \(position)")
    }
  }

  /// Bytes between parts, which nobody reads; only the SHA-256 protects them.
  private func isPadding(_ position: Int, _ bytes: [UInt8]) -> Bool { bytes[position] == 0 }

  private func isWhole(_ reader: SegmentReader) throws -> Bool {
    for entry in reader.rowGroups {
      do {
        let rowGroup = try EncodedRowGroupReader(
          handle: RowGroupHandle(source: reader.source, entry: entry), logGroup: "", ordinal: 0,
          boundOfRest: nil, window: nil, sequenceBase: 0)
        _ = try rowGroup.records()
      } catch is StorageError {
        return false
      }
    }
    return true
  }

  @Test func `another major version is refused with both numbers, another minor one is read`()
    throws
  {
    var bytes = try sample().bytes
    bytes[10] = 9
    #expect(try read(bytes).rowGroups.count == 2)
    bytes[8] = 3
    let error = #expect(throws: StorageError.self) { try read(bytes) }
    #expect(error?.code == .unknownVersion)
    #expect(error?.message == "x.seg: segment version 3, this program reads version 1")
  }

  @Test func `damage names the part`() throws {
    let bytes = try sample().bytes
    var footer = bytes
    footer[bytes.count - 30] ^= 1
    #expect(
      #expect(throws: StorageError.self) { try read(footer) }?.message.contains("footer") == true)
    var directory = bytes
    directory[Int(try read(bytes).footer.directoryOffset) + 5] ^= 1
    #expect(
      #expect(throws: StorageError.self) { try read(directory) }?.message.contains("directory")
        == true)
  }
}
