import Columnar
import Foundation
import Testing

@testable import varve

@Suite struct RenderingTests {
  /// What a format prints for some batches.
  private func print(
    _ format: OutputFormat, _ batches: [ColumnBatch], columns: [String]?, zone: DisplayZone = .utc
  ) throws -> String {
    let folder = try TemporaryFolder()
    let path = try folder.write("out", "")
    let file = try #require(FileHandle(forWritingAtPath: path))
    var writer = try ResultWriter(
      format: format, columns: columns, zone: zone,
      output: OutputBuffer(descriptor: file.fileDescriptor))
    for batch in batches { try writer.write(batch) }
    try writer.finish()
    return String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }

  private func batch(_ columns: [(String, ColumnVector)]) -> ColumnBatch {
    ColumnBatch(
      names: columns.map(\.0), columns: columns.map(\.1), rowCount: columns.first?.1.count ?? 0)
  }

  private var mixed: ColumnBatch {
    batch([
      ("@timestamp", .timestamps(IntegerVector(values: [1_773_457_200_000, -1]))),
      ("name", .values([.string("a \"b\"\n, c|d"), .missing])),
      ("n", .doubles(DoubleVector(values: [1.0 / 3, 4]))),
      ("ok", .constant(.jsonBoolean(true), count: 2)),
      (
        "more",
        .values([
          .list([.integer(1), .string("x")]), .map(ValueMap(keys: ["k"], values: [.missing])),
        ])
      ),
    ])
  }

  @Test func `ndjson leaves absent fields out and keeps numbers exact`() throws {
    #expect(
      try print(.ndjson, [mixed], columns: mixed.names) == """
        {"@timestamp":"2026-03-14 03:00:00.000","name":"a \\"b\\"\\n, c|d","n":0.3333333333333333,"ok":true,"more":[1,"x"]}
        {"@timestamp":"1969-12-31 23:59:59.999","n":4,"ok":true,"more":{"k":null}}

        """)
  }

  @Test func `csv follows RFC 4180`() throws {
    #expect(
      try print(.csv, [mixed], columns: mixed.names)
        == "@timestamp,name,n,ok,more\r\n"
        + "2026-03-14 03:00:00.000,\"a \"\"b\"\"\n, c|d\",0.3333333333333333,true,\"[1,\"\"x\"\"]\"\r\n"
        + "1969-12-31 23:59:59.999,,4,true,\"{\"\"k\"\":null}\"\r\n")
  }

  @Test func `tsv keeps one line a row`() throws {
    let text = try print(.tsv, [mixed], columns: mixed.names)
    #expect(text.split(separator: "\n").count == 3)
    #expect(text.contains("a \"b\"\\n, c|d\t0.3333333333333333\ttrue"))
  }

  @Test func `a table rounds computed numbers, stands them right and shows control characters`()
    throws
  {
    #expect(
      try print(.table, [mixed], columns: mixed.names) == """
        @timestamp               name               n  ok    more
        ───────────────────────  ────────────  ──────  ────  ──────────
        2026-03-14 03:00:00.000  a "b"\\n, c|d  0.3333  true  [1,"x"]
        1969-12-31 23:59:59.999                     4  true  {"k":null}

        """)
  }

  @Test func `columns of a table stay in line with wide and composed letters`() throws {
    let names = batch([
      ("good", .values([.string("茶碗"), .string("Käse"), .string("e\u{301}a"), .string("🫖")])),
      ("x", .integers(IntegerVector(values: [1, 2, 3, 4]))),
    ])
    #expect(
      try print(.table, [names], columns: names.names) == """
        good  x
        ────  ─
        茶碗  1
        Käse  2
        e\u{301}a    3
        🫖    4

        """)
  }

  @Test func `markdown escapes pipes`() throws {
    #expect(
      try print(.markdown, [mixed], columns: mixed.names).contains("| a \"b\"\\n, c\\|d | 0.3333 |")
    )
  }

  @Test func `raw gives back the very bytes`() throws {
    let bytes: [UInt8] = [0x7B, 0xFF, 0x00, 0x7D]
    let messages = batch([
      ("@message", .strings(StringVector(offsets: [0, 4], bytes: bytes)))
    ])
    let folder = try TemporaryFolder()
    let path = try folder.write("out", "")
    let file = try #require(FileHandle(forWritingAtPath: path))
    var writer = try ResultWriter(
      format: .raw, columns: ["@message"], output: OutputBuffer(descriptor: file.fileDescriptor))
    try writer.write(messages)
    try writer.finish()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes + [0x0A]))
  }

  @Test func `raw refuses rows without a message`() {
    #expect(throws: CommandFailure.self) { try print(.raw, [], columns: ["a"]) }
  }

  @Test func `columns that only some batches have are brought together`() throws {
    let first = batch([("a", .integers(IntegerVector(values: [1])))])
    let second = batch([("b", .integers(IntegerVector(values: [2])))])
    #expect(try print(.csv, [first, second], columns: nil) == "a,b\r\n1,\r\n,2\r\n")
    #expect(
      try print(.json, [first, second], columns: nil)
        == "{\"rows\":[\n{\"a\":1},\n{\"b\":2}\n],\"columns\":[\"a\",\"b\"]}\n")
  }

  @Test func `dictionaries, decimals and conditions print as their values`() throws {
    let entries = ColumnVector.strings(StringVector(offsets: [0, 1, 2], bytes: Array("xy".utf8)))
    let all = batch([
      ("d", .dictionary(DictionaryVector(codes: [1, 2, 0], entries: entries))),
      ("m", .decimals(DecimalVector(mantissas: [1250, -5, 7], scale: 2))),
      ("b", .booleans(BooleanVector(values: Bitmap(words: [0b101], count: 3)))),
      (
        "s",
        .values([.sourceNumber(SourceNumber(value: 1e5, text: "1e5")), .missing, .boolean(true)])
      ),
    ])
    #expect(
      try print(.ndjson, [all], columns: all.names) == """
        {"d":"y","m":12.50,"b":1,"s":1e5}
        {"m":-0.05,"b":0}
        {"d":"x","m":0.07,"b":1,"s":1}

        """)
  }

  @Test func `times can be shown in another zone`() throws {
    let times = batch([("t", .timestamps(IntegerVector(values: [1_773_457_200_000])))])
    let zone = try #require(DisplayZone(argument: "+05:30"))
    #expect(try print(.csv, [times], columns: ["t"], zone: zone).hasSuffix("08:30:00.000\r\n"))
    #expect(DisplayZone(argument: "Middle/Earth") == nil)
  }
}
