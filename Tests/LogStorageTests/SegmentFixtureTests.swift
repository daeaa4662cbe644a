import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Segments that earlier versions wrote can still be read.
@Suite struct SegmentFixtureTests {
  private static let folder = "Tests/LogStorageTests/Fixtures"

  @Test(arguments: ["table-1", "table-2", "table-3"])
  func `what earlier versions wrote gives back its events`(name: String) throws {
    let bytes = try ProjectFolder.bytes("\(Self.folder)/\(name).seg")
    let reader = try SegmentReader(
      source: MemoryByteSource(bytes, name: name), byteCount: UInt64(bytes.count))
    var texts = ""
    for entry in reader.rowGroups {
      let handle = try RowGroupHandle(source: reader.source, entry: entry)
      let rowGroup = try EncodedRowGroupReader(
        handle: handle, logGroup: "g", ordinal: 0, boundOfRest: nil, window: nil, sequenceBase: 0)
      let messages = try rowGroup.messages(nil)
      for row in 0..<messages.count {
        texts += String(decoding: messages.bytes[messages.range(row)], as: UTF8.self) + "\n"
      }
    }
    #expect(try texts == ProjectFolder.text("\(Self.folder)/events.txt"))
  }
}
