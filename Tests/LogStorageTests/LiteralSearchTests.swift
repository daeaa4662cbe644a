import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Searches decided on shapes, templates, dictionaries and filters find what a search in the texts finds.
@Suite struct LiteralSearchTests {
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `a search finds what a search in the texts finds`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var options = LogStore.Options()
    options.decodedByteCount = seed % 2 == 0 ? 1 << 20 : 0
    let stored = try StoredLines((0..<900).map { _ in Self.event(&random) }, options: options)
    let snapshot = try stored.store.snapshot(now: 0)
    for _ in 0..<2 {
      let cursor = try snapshot.scan(ScanRequest())
      while let rowGroup = try cursor.next() { try check(rowGroup, seed: seed, &random) }
    }
  }

  private func check(
    _ rowGroup: any RowGroup, seed: UInt64, _ random: inout SeededGenerator
  ) throws {
    let messages = try rowGroup.messages(nil)
    for _ in 0..<250 {
      let literal = Self.piece(of: messages, &random)
      let search = ByteSearch(literal, ignoringCase: Int.random(in: 0..<4, using: &random) == 0)
      let name = "\(String(decoding: literal, as: UTF8.self)), seed \(seed)"
      let found = try #require(try rowGroup.searchMessages(for: [search], rows: nil))
      #expect(found.setRows() == search.rows(in: messages).setRows(), "\(name)")
    }
    for field in ["message", "trace", "level", "host", "n.code", "note", "request"] {
      let values = try rowGroup.column(field, rows: nil)
      let texts = values.values()
      for _ in 0..<60 {
        guard let text = texts.randomElement(using: &random)?.text, !text.isEmpty else { continue }
        if let found = try rowGroup.find(field, equal: Array(text.utf8), rows: nil) {
          let expected = texts.indices.filter { texts[$0] == .string(text) }
          #expect(found.setRows().map { Int($0) } == expected, "\(field) = \(text), seed \(seed)")
        }
        let literal = Array(
          text.utf8.dropFirst(Int.random(in: 0..<text.utf8.count, using: &random)))
        let searches = [ByteSearch(literal), ByteSearch(Array("nowhere at all".utf8))]
        if let found = try rowGroup.search(field, for: searches, rows: nil) {
          let expected = searches[0].rows(in: values)
          #expect(found.setRows() == expected.setRows(), "\(field) like \(text), seed \(seed)")
        }
      }
    }
  }

  /// A stretch of some event, now and then with one byte changed.
  private static func piece(
    of texts: StringVector, _ random: inout SeededGenerator
  ) -> [UInt8] {
    let range = texts.range(Int.random(in: 0..<texts.count, using: &random))
    let start = Int.random(in: range, using: &random)
    let end = min(range.upperBound, start + Int.random(in: 1...14, using: &random))
    var piece = Array(texts.bytes[start..<end])
    if Int.random(in: 0..<5, using: &random) == 0 {
      piece[Int.random(in: 0..<piece.count, using: &random)] = UInt8(ascii: "q")
    }
    return piece
  }

  private static func event(_ random: inout SeededGenerator) -> String {
    func number(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    func hex(_ count: Int) -> String {
      String((0..<count).map { _ in "0123456789abcdef".randomElement(using: &random)! })
    }
    let level = ["INFO", "WARN", "", "ERROR"].randomElement(using: &random)!
    func path() -> String {
      ["C:", "Windows", "a b", "x: y", "caf\u{e9}"].randomElement(using: &random)! + #"\\"#
        + ["cmd.exe", "\\u0041.dll", #"\"q\""#].randomElement(using: &random)!
    }
    switch number(7) {
    case 5:
      let image = path()
      return
        #"{"image":"\#(image)","note":"Process opened:\r\nImage: \#(image)\r\nParent:\t\t\#(path())\r\nId: \#(number(90))\r\n\r\nThe end."}"#
    case 6:
      return
        #"{"request":"10.0.0.\#(number(9)) - \"GET /\#(path()) HTTP/1.1\" \#(number(600)) size=\#(number(9_999)) agent=\"a \#(path())\""}"#
    case 0:
      return
        #"{"level":"\#(level)","message":"took \#(number(900))ms for user-\#(number(40))","trace":"\#(hex(32))"}"#
    case 1:
      return
        #"{"level": "\#(level)", "message": "caf\u00e9 \#(number(9)) \"done\" in \#(number(99)).\#(number(9))s", "n": {"code": \#(number(600)), "ok": true}}"#
    case 2:
      return
        #"{"trace":"\#(hex(32))","host":"web-\#(number(5))","tags":["a","b",\#(number(3))],"message":"order \#(hex(12)) created"}"#
    case 3:
      return
        #"{"message":"order \#(hex(12)) created","ip":"10.0.\#(number(255)).\#(number(255))","x":\#(Double(number(100_000)) / 7)}"#
    default:
      return "plain text line \(number(500)) of host web-\(number(5))"
    }
  }
}
