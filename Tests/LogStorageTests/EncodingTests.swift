import Columnar
import TestSupport
import Testing

@testable import LogStorage

@Suite struct EncodingTests {
  private let compressor = Compressor()
  private let decompressor = Decompressor()

  private func roundTrip(_ values: [Int64], compressed: Bool) throws -> [Int64] {
    var writer = ByteWriter()
    IntegerStream.encode(values, to: &writer, compressor: compressed ? compressor : nil)
    return try writer.bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      let result = try IntegerStream.decode(
        &reader, count: values.count, decompressor: decompressor)
      #expect(reader.remaining == 0)
      return result
    }
  }

  @Test(
    arguments: [
      [], [0], [.min], [.max], [.min, .max], [.max, .min, 0], [5, 5, 5], [1, 2, 3, 4],
      [10, 8, 6, 4], [0, 1 << 40, 3], Array(repeating: .min, count: 100) + [.max],
    ] as [[Int64]])
  func `integers come back whatever their range`(values: [Int64]) throws {
    #expect(try roundTrip(values, compressed: true) == values)
    #expect(try roundTrip(values, compressed: false) == values)
  }

  @Test(arguments: 1...64)
  func `integers of every width come back`(width: Int) throws {
    var random = SeededGenerator(seed: UInt64(width))
    let mask: UInt64 = width == 64 ? ~0 : (1 << UInt64(width)) - 1
    let values = (0..<1_000).map { _ in
      Int64(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random) & mask)
    }
    #expect(try roundTrip(values, compressed: true) == values)
    #expect(try roundTrip(values.sorted(), compressed: true) == values.sorted())
    #expect(try roundTrip(values, compressed: false) == values)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 255, 256, 257, 65_535])
  func `codes of every cardinality come back`(cardinality: Int) throws {
    var random = SeededGenerator(seed: UInt64(cardinality))
    for runLength in [1, 50] {
      for (share, count) in [(1.0, 3_000), (0.2, 3_000), (0.2, 3_001), (0.2, 3_007)] {
        var codes: [UInt16] = []
        while codes.count < count {
          // The first code is the more frequent, the smaller the share of the others.
          let isAny = Double.random(in: 0..<1, using: &random) < share
          let code = isAny ? UInt16(Int.random(in: 0..<cardinality, using: &random)) : 0
          codes.append(contentsOf: repeatElement(code, count: runLength))
        }
        let bytes = encoded(codes, cardinality: cardinality)
        #expect(try decoded(bytes, count: codes.count, cardinality: cardinality) == codes)
      }
    }
  }

  /// A form of whole bits would take twice as much.
  @Test func `codes of which one is frequent take less than a bit each`() throws {
    var random = SeededGenerator(seed: 7)
    let codes = (0..<50_000).map { _ in
      Double.random(in: 0..<1, using: &random) < 0.95 ? 0 : UInt16.random(in: 1...2, using: &random)
    }
    let bytes = encoded(codes, cardinality: 3)
    // 0.95 · log₂ 1/0.95 + 2 · 0.025 · log₂ 1/0.025 = 0.336 bits are the least.
    #expect(bytes.count < 50_000 * 52 / 100 / 8)
    #expect(try decoded(bytes, count: codes.count, cardinality: 3) == codes)
  }

  @Test func `a byte that stands for no codes is an error`() throws {
    // Five codes of three make 3⁵ = 243 bytes.
    for (byte, isRight) in [(242, true), (243, false)] {
      var writer = ByteWriter()
      writer.append(UInt8(3))
      [0, UInt8(byte)].withUnsafeBytes { writer.append(stream: $0, compressor: nil) }
      let result = Result { try decoded(writer.bytes, count: 10, cardinality: 3) }
      #expect((try? result.get()) == (isRight ? [0, 0, 0, 0, 0, 2, 2, 2, 2, 2] : nil))
    }
  }

  @Test(arguments: [1, 2, 3, 5, 6, 16, 17, 200, 300])
  func `codes are counted as they are decoded`(cardinality: Int) throws {
    var random = SeededGenerator(seed: UInt64(cardinality))
    for count in [1, 2, 7, 8, 9, 31, 1_000, 5_003] {
      // Mostly the first, so that several go into a byte.
      let codes = (0..<count).map { _ -> UInt16 in
        Int.random(in: 0..<4, using: &random) > 0
          ? 0 : UInt16(Int.random(in: 0..<cardinality, using: &random))
      }
      let bytes = encoded(codes, cardinality: cardinality)
      let counts = try bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return try CodeStream.counts(
          &reader, count: count, cardinality: cardinality, decompressor: decompressor)
      }
      #expect(
        counts == (0..<cardinality).map { code in Int64(codes.count { Int($0) == code }) },
        "\(count) codes")
    }
  }

  @Test func `a value stands at the number of rows before it that have one`() {
    var random = SeededGenerator(seed: 4)
    for rowCount in [1, 63, 64, 65, 1_000] {
      let rows = (0..<UInt32(rowCount)).filter { _ in Bool.random(using: &random) }
      let ranks = RowRanks(rows: rows, rowCount: rowCount)
      let all = SelectionVector(0..<UInt32(rowCount))
      #expect(
        ranks.positions(of: all, none: -1) == all.map { rows.firstIndex(of: $0) ?? -1 })
    }
  }

  private func encoded(_ codes: [UInt16], cardinality: Int) -> [UInt8] {
    var writer = ByteWriter()
    CodeStream.encode(codes, cardinality: cardinality, to: &writer, compressor: compressor)
    return writer.bytes
  }

  private func decoded(_ bytes: [UInt8], count: Int, cardinality: Int) throws -> [UInt16] {
    try bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return try CodeStream.decode(
        &reader, count: count, cardinality: cardinality, decompressor: decompressor)
    }
  }

  /// Encodes texts as a column of a kind and gives back what decoding renders.
  private func columnRoundTrip(
    _ texts: [String], kind: SlotKind, times: [Int64]
  ) throws -> (encoding: ColumnEncoding, texts: [String]) {
    let column = LoneColumn(texts, kind: kind, times: times, compressor: compressor)
    return (column.encoded.encoding, try column.decodedTexts())
  }

  @Test(
    arguments: [
      (["7", "7", "7"], .constant),
      (["0", "12", "-5", "9223372036854775807", "-9223372036854775808"], .integer),
      (["1.50", "2.25", "-0.75", "100.00"], .decimal),
      (["1.5", "2.250", "3", "-10.0"], .decimal),
      (["1e5", "2", "3"], .plainString), (["007", "1", "2"], .plainString),
      (["-0", "1", "2"], .plainString), (["-0.0", "1.0", "2.5"], .double),
      (["9223372036854775808", "1", "2"], .plainString),
      (["0.1234567890123456789", "1", "2"], .plainString),
      (["0.12345678901234568", "1.5", "-2.25e-07", "1e+20"], .double),
      (["0.1234567890123456789", "1.50"], .plainString),
      (["123456789012345678", "0.123456789012345678", "5"], .plainString),
    ] as [([String], ColumnEncoding)])
  func `numbers keep their text`(texts: [String], encoding: ColumnEncoding) throws {
    let (used, back) = try columnRoundTrip(
      texts, kind: .number, times: Array(repeating: 0, count: texts.count))
    #expect(back == texts)
    #expect(used == encoding)
  }

  @Test(arguments: [
    ("2026-03-02T10:00:00Z", true), ("2026-03-02 10:00:00", true),
    ("2026-03-02T10:00:00.123456789+01:00", true), ("1969-12-31T23:59:59.999Z", true),
    ("0000-01-01T00:00:00Z", true), ("9999-12-31T23:59:59.999999Z", true),
    ("2026-03-02T10:00:00,5-0330", true), ("2026-02-30T10:00:00Z", false),
    ("2026-03-02T24:00:00Z", false), ("2026-03-02T10:00:00.1234567890Z", false),
    ("2026-03-02T10:00:60Z", false), ("2026-13-02T10:00:00Z", false),
  ])
  func `times keep their text`(text: String, isTime: Bool) throws {
    let texts = [text, "2026-03-02T11:30:00.25Z", text, "2026-03-02T11:30:00.26Z"]
    let (used, back) = try columnRoundTrip(
      texts, kind: .string, times: [1_772_445_600_000, 0, -5, 1_772_445_600_123])
    #expect(back == texts)
    #expect((used == .timestampText) == isTime)
  }

  @Test func `repeated texts become a dictionary and different ones stay plain`() throws {
    let few = (0..<1_000).map { "value-\($0 % 17)" }
    let (first, fewBack) = try columnRoundTrip(
      few, kind: .string, times: Array(repeating: 0, count: few.count))
    #expect(first == .dictionary)
    #expect(fewBack == few)
    var random = SeededGenerator(seed: 0x9A)
    let letters = Array("abcdefghijklmnopqrstuvwxyz \\é")
    let many = (0..<1_000).map { _ in
      String((0..<20).map { _ in letters.randomElement(using: &random)! })
    }
    let (second, manyBack) = try columnRoundTrip(
      many, kind: .string, times: Array(repeating: 0, count: many.count))
    #expect(second == .plainString)
    #expect(manyBack == many)
  }

  @Test func `identifiers are stored once and come back as written`() throws {
    var random = SeededGenerator(seed: 0x1D)
    let distinct = (0..<400).map { _ in
      String((0..<32).map { _ in "0123456789abcdef".randomElement(using: &random)! })
    }
    let texts = (0..<1_500).map { distinct[$0 * 7 % 400] }
    let (used, back) = try columnRoundTrip(
      texts, kind: .string, times: Array(repeating: 0, count: texts.count))
    #expect(used == .identifier)
    #expect(back == texts)
    let uuids = distinct.map { hex in
      let c = Array(hex)
      return [c[0..<8], c[8..<12], c[12..<16], c[16..<20], c[20..<32]].map { String($0) }
        .joined(separator: "-")
    }
    let (uuidEncoding, uuidBack) = try columnRoundTrip(
      uuids, kind: .string, times: Array(repeating: 0, count: uuids.count))
    #expect(uuidEncoding == .identifier)
    #expect(uuidBack == uuids)
    let upper = uuids.map { $0.uppercased() }
    let (upperEncoding, upperBack) = try columnRoundTrip(
      upper, kind: .string, times: Array(repeating: 0, count: uuids.count))
    #expect(upperEncoding == .plainString)
    #expect(upperBack == upper)
  }

  @Test func `damaged streams throw and never trap`() throws {
    var random = SeededGenerator(seed: 0xDA7A)
    var writer = ByteWriter()
    IntegerStream.encode(
      (0..<500).map { $0 * 37 % 1_001 }, to: &writer, compressor: compressor)
    let surroundings = LoneSurroundings(
      times: Array(repeating: 0, count: 500), poolOf: { Array(repeating: 7, count: $0 * 40) })
    for _ in 0..<20_000 {
      var bytes = writer.bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      bytes.removeLast(Int.random(in: 0..<min(bytes.count, 20), using: &random))
      bytes.withUnsafeBytes { raw in
        for encoding in ColumnEncoding.allCases {
          _ = try? ColumnDecoder.decode(
            raw, encoding: encoding, count: 500,
            context: ColumnContext(surroundings: surroundings, rows: { nil }))
        }
      }
    }
  }
}
