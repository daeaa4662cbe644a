import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Row groups of many shapes and columns: what goes in comes out, takes no more than it should, and is not trusted.
@Suite struct CompactRowGroupTests {
  /// Encodes lines as one row group.
  ///
  /// - Parameter compactness: `nil` for a row group that only lives in memory.
  private func encoded(
    _ lines: [String], compactness: RowGroupEncoder.Compactness? = .automatic
  ) -> EncodedRowGroup {
    var records = SampleEvents("", count: 0, from: SampleTime.day)
    records.texts = lines
    records.times = lines.indices.map { SampleTime.day + Int64($0) }
    records.streamOf = [UInt32](repeating: 0, count: lines.count)
    let encoder =
      compactness.map { RowGroupEncoder(compactness: $0) } ?? RowGroupEncoder(compresses: false)
    return encoder.encode(records.records, scanner: JSONScanner())
  }

  private func handle(_ rowGroup: EncodedRowGroup) throws -> RowGroupHandle {
    try RowGroupHandle(
      source: MemoryByteSource(rowGroup.bytes, name: "memory"), entry: rowGroup.entry)
  }

  private func reader(_ handle: RowGroupHandle) throws -> EncodedRowGroupReader {
    try EncodedRowGroupReader(
      handle: handle, logGroup: "g", ordinal: 0, boundOfRest: nil, window: nil, sequenceBase: 0)
  }

  private func texts(_ reader: EncodedRowGroupReader) throws -> [String] {
    let texts = try reader.messages(nil)
    return (0..<texts.count).map { String(decoding: texts.bytes[texts.range($0)], as: UTF8.self) }
  }

  // MARK: What comes out

  /// Lines in which keys, order, nesting, kinds and blanks vary.
  private func variedLines(
    _ count: Int, _ random: inout SeededGenerator, repeatsKeys: Bool = true
  ) -> [String] {
    let keys = (0..<Int.random(in: 3...400, using: &random)).map { "k\($0 &* 7919 % 997)" }
    let style = [(",", ":"), (", ", ": "), (",\t", " :")].randomElement(using: &random)!
    func scalar() -> String {
      switch Int.random(in: 0..<9, using: &random) {
      case 0: "null"
      case 1: "true"
      case 2: "\(Int.random(in: -9...99_999, using: &random))"
      case 3: "\(Int.random(in: 0...99, using: &random)).50"
      case 4: "1e\(Int.random(in: 0...30, using: &random))"
      case 5: "\"a\\n\\u00e9\""
      case 6: "\"\""
      default: "\"w\(Int.random(in: 0...50, using: &random))\""
      }
    }
    func value(_ depth: Int) -> String {
      switch Int.random(in: 0..<(depth > 3 ? 8 : 12), using: &random) {
      case 8: object(depth + 1)
      case 9:
        "["
          + (0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth + 1) }
          .joined(separator: style.0) + "]"
      case 10: "{}"
      default: scalar()
      }
    }
    func object(_ depth: Int) -> String {
      let names = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        keys.randomElement(using: &random)!
      }
      let members = (repeatsKeys ? names : Array(Set(names)).sorted()).map { name in
        "\"\(name)\"\(style.1)\(value(depth))"
      }
      return "{" + members.joined(separator: style.0) + "}"
    }
    return (0..<count).map { _ in
      switch Int.random(in: 0..<20, using: &random) {
      case 0: "plain \(Int.random(in: 0...9, using: &random))"
      case 1: object(0) + "  "
      case 2: "{\"x.y\":1,\"x\":{\"y\":2},\"a\\\"b\":3,\"é\":4}"
      default: object(0)
      }
    }
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func `varied events come back byte for byte`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let lines = variedLines([1, 20, 300, 1_200].randomElement(using: &random)!, &random)
    for compactness in [RowGroupEncoder.Compactness.automatic, .always] {
      let handle = try handle(encoded(lines, compactness: compactness))
      let reader = try reader(handle)
      #expect(try texts(reader) == lines, "seed \(seed)")
      let some = lines.indices.filter { $0 % 5 == 2 }.map { UInt32($0) }
      let few = try reader.messages(some)
      for (i, row) in some.enumerated() {
        let text = String(decoding: few.bytes[few.range(i)], as: UTF8.self)
        #expect(text == lines[Int(row)], "seed \(seed)")
      }
    }
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `fields are the same in either form`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let lines = variedLines(250, &random)
    let plain = try reader(handle(encoded(lines, compactness: nil)))
    let compact = try reader(handle(encoded(lines, compactness: .always)))
    #expect(compact.handle.table.shapes.form == .followed)
    #expect(compact.handle.table.chunks.contains { $0.encoding == .rare })
    let fields = try plain.discoveredFields()
    #expect(try compact.discoveredFields().map(\.name) == fields.map(\.name), "seed \(seed)")
    for (field, _) in fields {
      let path = DiscoveredName.path(ofName: field)
      let wanted = try plain.column(path, rows: nil).values()
      let found = try compact.column(path, rows: nil).values()
      let differing = found.indices.first { found[$0] != wanted[$0] }
      let difference = differing.map { "\(found[$0]) for \(wanted[$0]) in \(lines[$0])" }
      #expect(difference == nil, "seed \(seed), \(field)")
    }
  }

  @Test func `rare columns share chunks where there are thousands`() throws {
    var random = SeededGenerator(seed: 11)
    let lines = wideLines(3_000, keys: 9_000, perLine: 6, &random)
    let handle = try handle(encoded(lines))
    let runs = handle.table.chunks.filter { $0.role == .rareValues }
    #expect(runs.map(\.kind) == [.string, .number, .number, .literal])
    let rare = handle.table.chunks.filter { $0.encoding == .rare }
    #expect(rare.count > StorageLimits.columnsBySelf)
    #expect(rare.allSatisfy { $0.valueCount < StorageLimits.valuesPerRareColumn })
    #expect(handle.table.shapes.form == .followed)
    #expect(handle.table.shapes.rowCounts[0] == 0)
    let reader = try reader(handle)
    #expect(try texts(reader) == lines)
    // One of the keys, looked for in the text.
    let key = "k17"
    let values = try reader.column(key, rows: nil).values()
    for (line, value) in zip(lines, values) {
      #expect((value == .missing) == !line.contains("\"\(key)\":"))
    }
  }

  @Test func `a literal is found in thousands of columns`() throws {
    var random = SeededGenerator(seed: 12)
    let lines = wideLines(2_000, keys: 9_000, perLine: 6, &random)
    let reader = try reader(handle(encoded(lines)))
    for literal in ["1", "\":1", "word", "k1", "\"k88\":", ",", "absent"] {
      let search = ByteSearch(Array(literal.utf8))
      let found = try #require(try reader.searchMessages(for: [search], rows: nil))
      #expect(
        found.setRows().map { Int($0) } == lines.indices.filter { lines[$0].contains(literal) })
    }
  }

  /// Keys by chance, each with a whole number, a fraction, a word or a truth.
  private func wideLines(
    _ count: Int, keys: Int, perLine: Int, _ random: inout SeededGenerator
  ) -> [String] {
    (0..<count).map { _ in
      let members = (0..<perLine).map { _ in
        let key = Int.random(in: 0..<keys, using: &random)
        let value =
          switch key % 4 {
          case 0: "\(Int.random(in: 0...9_999, using: &random))"
          case 1: "\(Int.random(in: 0...99, using: &random)).25"
          case 2: "\"word\(Int.random(in: 0...300, using: &random))\""
          default: "\(Bool.random(using: &random))"
          }
        return "\"k\(key)\":\(value)"
      }
      return "{" + members.joined(separator: ",") + "}"
    }
  }

  // MARK: What it takes

  /// Lines made to be dear as columns.
  private func hostileLines(_ kind: Int, _ random: inout SeededGenerator) -> [String] {
    func word(_ length: Int) -> String {
      String((0..<length).map { _ in "abcdefghijklmnop".randomElement(using: &random)! })
    }
    func number() -> Int { Int.random(in: 0...999, using: &random) }
    let count = Int.random(in: 60...2_000, using: &random)
    let keys = (0..<Int.random(in: 2...3_000, using: &random)).map { _ in word(6) }
    return (0..<count).map { i in
      switch kind {
      // Every key is new.
      case 0: return "{\"\(word(16))\":\(number()),\"\(word(16))\":\(number())}"
      // Keys by chance, tiny values.
      case 1:
        let members = (0..<Int.random(in: 1...9, using: &random)).map { _ in
          "\"\(keys.randomElement(using: &random)!)\":\(number() % 2)"
        }
        return "{" + members.joined(separator: ",") + "}"
      // Objects in objects, all by chance.
      case 2:
        return
          "{\"\(keys.randomElement(using: &random)!)\":{\"\(keys.randomElement(using: &random)!)\""
          + ":{\"\(keys.randomElement(using: &random)!)\":\"\(word(3))\"}}}"
      // Arrays of objects.
      case 3:
        let items = (0..<Int.random(in: 0...20, using: &random)).map { _ in
          "{\"\(keys.randomElement(using: &random)!)\":\(number())}"
        }
        return "{\"items\":[" + items.joined(separator: ",") + "]}"
      // The same text again and again, in new places.
      case 4:
        return
          "{\"\(keys[i % keys.count])\":\"the same long text in every event, whatever its key is\"}"
      // Blanks by chance.
      case 5:
        func blank() -> String {
          String(repeating: " ", count: Int.random(in: 0...3, using: &random))
        }
        return
          "{\(blank())\"a\"\(blank()):\(blank())\(number()),\(blank())\"b\"\(blank()):\"\(word(2))\"}"
      // One event of thousands of keys among short ones.
      default:
        guard i == count / 2 else { return "{\"a\":\(number())}" }
        return "{" + (0..<4_000).map { "\"\(word(5))\($0)\":\(number())" }.joined(separator: ",")
          + "}"
      }
    }
  }

  /// The promise of the format: taking events apart never costs much more than their texts compressed in one piece.
  @Test(arguments: 0..<7, 1...6 as ClosedRange<UInt64>)
  func `no row group takes much more than its texts compressed`(kind: Int, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let lines = hostileLines(kind, &random)
    let rowGroup = encoded(lines)
    let handle = try handle(rowGroup)
    #expect(try texts(reader(handle)) == lines)
    let whole = Array(lines.joined(separator: "\n").utf8)
    let frame = Compressor(level: 3).compressedByteCount(whole, atLeast: 3)
    // Times of events and of arrival, order, streams, lengths: what a text does not hold.
    let bound = max(frame + frame / 4, whole.count / 6) + lines.count / 2 + 4_608
    #expect(
      rowGroup.bytes.count <= bound,
      "seed \(seed), \(lines.count) lines: \(rowGroup.bytes.count) where zstd takes \(frame)")
  }

  @Test func `events whose keys never come together again are kept as texts`() throws {
    var random = SeededGenerator(seed: 3)
    func key() -> String { "\"k\(Int.random(in: 0..<300, using: &random))\"" }
    let lines = (0..<5_000).map { _ in
      "{\(key()):{\(key()):{\(key()):\(Int.random(in: 0...9, using: &random))}}}"
    }
    let handle = try handle(encoded(lines))
    #expect(handle.table.shapes.rowCounts[0] == 5_000)
    let reader = try reader(handle)
    #expect(try texts(reader) == lines)
    let path = lines[77].split(whereSeparator: { !$0.isLetter && !$0.isNumber })
    let field = path[0..<3].joined(separator: ".")
    #expect(try reader.column(field, rows: nil).values()[77] == .integer(Int64(path[3])!))
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `events kept as texts have the same fields`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let lines = variedLines(150, &random, repeatsKeys: false)
    let plain = try reader(handle(encoded(lines, compactness: nil)))
    let kept = try reader(handle(encoded(lines, compactness: .texts)))
    #expect(kept.handle.table.shapes.rowCounts[0] == 150)
    #expect(try texts(kept) == lines)
    for (field, _) in try plain.discoveredFields() {
      let path = DiscoveredName.path(ofName: field)
      let wanted = try plain.column(path, rows: nil).values()
      let found = try kept.column(path, rows: nil).values()
      let differing = found.indices.first { found[$0] != wanted[$0] }
      let difference = differing.map { "\(found[$0]) for \(wanted[$0]) in \(lines[$0])" }
      #expect(difference == nil, "seed \(seed), \(field)")
    }
  }

  // MARK: Damage

  /// Changes bytes at random.
  private func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
        in: 0...255, using: &random)
    }
    if Int.random(in: 0..<4, using: &random) == 0 {
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
    }
  }

  @Test func `damaged lists of shapes throw and never trap`() throws {
    var random = SeededGenerator(seed: 0x5A4E)
    var refused = 0
    for _ in 0..<20 {
      let rowGroup = encoded(variedLines(120, &random), compactness: .always)
      let table = try handle(rowGroup).table
      let bytes = table.encoded(compressor: nil)
      for _ in 0..<150 {
        var damaged = bytes
        damage(&damaged, &random)
        let read = damaged.withUnsafeBytes {
          try? RowGroupTable(
            decoding: $0, byteCount: Int(rowGroup.entry.metadataOffset),
            decompressor: Decompressor())
        }
        guard let read else {
          refused += 1
          continue
        }
        for chunk in read.chunks {
          guard case .rare(let values, let first) = chunk.place else { continue }
          #expect(read.chunks[values].role == .rareValues)
          #expect(first + chunk.valueCount <= read.chunks[values].valueCount)
        }
      }
    }
    #expect(refused > 1_000)
  }

  @Test func `damaged pieces throw and never trap`() throws {
    var random = SeededGenerator(seed: 0x91EC)
    var refused = 0
    for _ in 0..<20 {
      let rowGroup = encoded(variedLines(60, &random), compactness: .always)
      let table = try handle(rowGroup).table
      let chunk = try #require(table.chunks.first { $0.role == .shapeTexts })
      guard chunk.encoding == .pieces, case .alone(let offset, _) = chunk.place else { continue }
      for _ in 0..<150 {
        var damaged = Array(rowGroup.bytes[offset..<offset + chunk.length])
        damage(&damaged, &random)
        let read = damaged.withUnsafeBytes { bytes in
          var reader = ByteReader(bytes)
          return try? PieceStream.decode(
            &reader, shapes: table.shapes, chunks: table.chunks, decompressor: Decompressor())
        }
        guard let read else {
          refused += 1
          continue
        }
        #expect(read.map(\.slotCount) == table.shapes.map(\.columns.count))
      }
    }
    #expect(refused > 500)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `writer and reader of successors learn the same`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let columnCount = [1, 5, 60, 5_000].randomElement(using: &random)!
    var writer = ColumnSuccessors(chunkCount: columnCount)
    var reader = writer
    for _ in 0..<300 {
      var previous: UInt16?
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        let column = UInt16(
          min(Int.random(in: 0..<columnCount, using: &random), .random(in: 0..<70, using: &random)))
        let code = writer.code(of: column, after: previous)
        if code == 0 {
          reader.learn(column, after: previous)
        } else {
          #expect(reader.column(code, after: previous) == column, "seed \(seed)")
        }
        previous = column
      }
    }
    #expect(reader.column(0, after: nil) == nil)
  }
}
