/// Texts of many shapes, told by what the columns of their slots say anyway.
///
/// The text between two slots is nearly always a comma, the key, which is the last part of the next column's path, and
/// a colon. So a shape's text is not written; what is written is how it differs from that. Each piece of text is taken
/// apart: the quote that ends the string before it goes without saying; then come braces and brackets that close
/// what the slot before was in (the *closers*, numbered as they first occur, 0 for none); then the rest, which belongs
/// to the column. Rest 0 of a column is the *expected* one, `,"` key `":`, with a quote for strings, written in the
/// way of the row group's first such piece (`, "` key `": ` in others); other rests are listed and numbered from 1. What
/// follows the last slot, its *end*, is one of few.
///
/// Both numbers are foretold (`PieceForecast`): closers by what came between two such objects before, rests by what
/// the column had before, apart for slots in the same object as the one before. So nearly all codes are 0, which
/// means "as foretold"; else the code is one more than the number.
///
///     shape   {"a":{"b":"␁","c":␂},"d":␂}                columns  a.b (string)  a.c (number)  d (number)
///     pieces  {"a":{"b":"    ","c":    },"d":    }
///     closers                          }                 codes    0 0 2 in the first such shape, then 0 0 0
///     rests   {"a":{"b":"    ,"c":     ,"d":             codes    2 0 0, then 0 0 0; the first rest of a.b is listed
///     end                                        }       code     1
///
/// Where every event has a shape of its own, this is a tenth of the shapes' texts or less, and takes a few milliseconds
/// to read.
enum PieceStream {
  /// Rests that a column may have beside the expected one; shapes with more are written as texts.
  static let restLimit = 255
  /// Closers that may be numbered.
  static let closerLimit = 256
  /// Ends that the shapes may have.
  static let endLimit = 256
  /// Bytes of the texts of all shapes of a row group above which a stream is damaged.
  static let textLimit = 256 << 20

  /// How keys are set off in the texts of a row group.
  struct Style: Hashable {
    /// What stands before a key's first quote, behind a value.
    var between: [UInt8] = [UInt8(ascii: ",")]
    /// What stands behind a key's last quote.
    var colon: [UInt8] = [UInt8(ascii: ":")]

    /// The rest that a column has unless another one is listed.
    func expectedRest(path: String, kind: SlotKind) -> [UInt8] {
      let quote = UInt8(ascii: "\"")
      return between + [quote] + Self.key(of: path) + [quote] + colon
        + (kind == .string ? [quote] : [])
    }

    /// The last part of a path.
    private static func key(of path: String) -> ArraySlice<UInt8> {
      let bytes = Array(path.utf8)
      let dot = bytes.lastIndex(of: UInt8(ascii: "."))
      return bytes[(dot.map { $0 + 1 } ?? 0)...]
    }

    /// The style of a rest, if it has a comma, the column's key and a colon.
    init?(of rest: ArraySlice<UInt8>, path: String, kind: SlotKind) {
      let quote = UInt8(ascii: "\"")
      let key = [quote] + Self.key(of: path) + [quote]
      let value = kind == .string ? 1 : 0
      guard rest.first == UInt8(ascii: ","), let start = rest.firstIndex(of: quote),
        rest[start...].starts(with: key), start + key.count + value < rest.endIndex
      else { return nil }
      between = Array(rest[..<start])
      colon = Array(rest[(start + key.count)..<(rest.endIndex - value)])
    }

    init() {}
  }

  /// How many closers a piece starts with.
  static func closerCount(_ piece: ArraySlice<UInt8>) -> Int {
    piece.prefix { $0 == UInt8(ascii: "}") || $0 == UInt8(ascii: "]") }.count
  }
}

/// What foretells the closers and rests of the next slot; writer and reader keep the same.
private struct PieceForecast {
  /// The object that each column's values are in.
  private let parents: [UInt32]
  /// The last rest of each column, in the object of the slot before and in another one.
  private var rests: [UInt16]
  /// The last closers between two objects.
  private var closers: [UInt64: UInt16] = [:]
  /// The object of the slot before; `nil` at the start of a shape.
  private var previous: UInt32?
  /// Where what the slot's column has is noted, and what closes between two objects.
  private var place = 0
  private var pair: UInt64?

  init(paths: some Sequence<String>) {
    var known: [Substring: UInt32] = [:]
    parents = paths.map { path in
      let parent = path.utf8.lastIndex(of: UInt8(ascii: ".")).map { path[..<$0] } ?? ""
      let number = known[parent, default: UInt32(known.count)]
      known[parent] = number
      return number
    }
    rests = [UInt16](repeating: 0, count: parents.count * 2)
  }

  mutating func beginShape() { previous = nil }

  /// What the next slot's closers and rest will be.
  @inline(__always)
  mutating func foretell(_ column: Int) -> (closers: UInt16, rest: UInt16) {
    let parent = parents[column]
    let isSame = parent == previous
    place = column * 2 + (isSame ? 1 : 0)
    // Within an object there is nothing to close, mostly.
    pair = isSame ? nil : UInt64(previous ?? .max) << 32 | UInt64(parent)
    previous = parent
    return (pair.map { closers[$0, default: 0] } ?? 0, rests[place])
  }

  /// Notes what the closers and rest of that slot are.
  @inline(__always)
  mutating func learn(closers found: UInt16, rest: UInt16, foretold: UInt16) {
    if let pair, found != foretold { closers[pair] = found }
    rests[place] = rest
  }
}

// MARK: Writing

extension PieceStream {
  /// Appends the texts of shapes.
  ///
  /// - Parameters:
  ///   - keys: the text of each shape with a marker for each slot; of shapes without rows it is left out.
  ///   - chunks: path and kind of each column, by its number.
  /// - Returns: whether the shapes have this form; if not, what was appended is of no use.
  static func encode(
    keys: [[UInt8]], shapes: ShapeList, chunks: [RowGroupEncoder.ColumnKey],
    to writer: inout ByteWriter, compressor: Compressor?
  ) -> Bool {
    var draft = PieceDraft(chunks: chunks, style: style(of: keys, shapes, chunks))
    for (key, shape) in zip(keys, shapes) {
      guard draft.add(shape.rowCount > 0 ? key[...] : [], columns: shape.columns) else {
        return false
      }
    }
    draft.write(to: &writer, compressor: compressor)
    return true
  }

  /// The way in which the first key after a comma is written.
  private static func style(
    of keys: [[UInt8]], _ shapes: ShapeList, _ chunks: [RowGroupEncoder.ColumnKey]
  ) -> Style {
    for (key, shape) in zip(keys, shapes).prefix(64) where shape.rowCount > 0 {
      var start = 0
      var slot = 0
      for i in key.indices where key[i] <= SlotKind.text.rawValue && key[i] > 0 {
        guard slot < shape.columns.count else { break }
        let column = chunks[shape.columns[slot]]
        let rest = key[start..<i].drop { $0 != UInt8(ascii: ",") }
        if let style = Style(of: rest, path: column.path, kind: column.kind) { return style }
        start = i + 1
        slot += 1
      }
    }
    return Style()
  }
}

/// Codes of the pieces of some shapes, before they are written.
private struct PieceDraft {
  private let chunks: [RowGroupEncoder.ColumnKey]
  private let style: PieceStream.Style
  private let expected: [[UInt8]]
  /// Of each column, beside the expected one.
  private var rests: [[[UInt8]]]
  private var closers: [[UInt8]] = [[]]
  private var ends: [[UInt8]] = [[]]
  private var forecast: PieceForecast
  private var closerCodes: [Int64] = []
  private var restCodes: [Int64] = []
  private var endCodes: [Int64] = []

  init(chunks: [RowGroupEncoder.ColumnKey], style: PieceStream.Style) {
    self.chunks = chunks
    self.style = style
    expected = chunks.map { style.expectedRest(path: $0.path, kind: $0.kind) }
    rests = [[[UInt8]]](repeating: [], count: chunks.count)
    forecast = PieceForecast(paths: chunks.lazy.map(\.path))
  }

  /// Takes a shape apart.
  ///
  /// - Returns: whether it can be told in this form.
  mutating func add(_ key: ArraySlice<UInt8>, columns: ShapeList.Columns) -> Bool {
    forecast.beginShape()
    var start = key.startIndex
    var slot = 0
    var isInString = false
    for i in key.indices where key[i] <= SlotKind.text.rawValue && key[i] >= 1 {
      guard slot < columns.count, let piece = outside(key[start..<i], isInString) else {
        return false
      }
      let column = columns[slot]
      let closers = number(ofClosers: piece.prefix(PieceStream.closerCount(piece)))
      let rest = piece.dropFirst(self.closers[Int(closers)].count)
      guard let number = number(ofRest: rest, of: column) else { return false }
      add(closers, number, column)
      isInString = chunks[column].kind == .string
      start = i + 1
      slot += 1
    }
    guard slot == columns.count, let end = outside(key[start...], isInString) else {
      return false
    }
    let known = ends.firstIndex { $0.elementsEqual(end) }
    if known == nil { ends.append(Array(end)) }
    endCodes.append(Int64(known ?? ends.count - 1))
    return ends.count <= PieceStream.endLimit
  }

  private mutating func add(_ closers: UInt16, _ rest: UInt16, _ column: Int) {
    let foretold = forecast.foretell(column)
    closerCodes.append(closers == foretold.closers ? 0 : Int64(closers) + 1)
    restCodes.append(rest == foretold.rest ? 0 : Int64(rest) + 1)
    forecast.learn(closers: closers, rest: rest, foretold: foretold.closers)
  }

  /// A piece without the quote that ends the string before it; `nil` if it does not have that.
  private func outside(_ piece: ArraySlice<UInt8>, _ isInString: Bool) -> ArraySlice<UInt8>? {
    guard isInString else { return piece }
    return piece.first == UInt8(ascii: "\"") ? piece.dropFirst() : nil
  }

  private mutating func number(ofClosers own: ArraySlice<UInt8>) -> UInt16 {
    if own.isEmpty { return 0 }
    if let known = closers.firstIndex(where: { $0.elementsEqual(own) }) { return UInt16(known) }
    // Nesting is bounded, but brackets and braces may mix in many ways: beyond some, they stay with the rest.
    guard closers.count < PieceStream.closerLimit else { return 0 }
    closers.append(Array(own))
    return UInt16(closers.count - 1)
  }

  private mutating func number(ofRest rest: ArraySlice<UInt8>, of column: Int) -> UInt16? {
    if expected[column].elementsEqual(rest) { return 0 }
    if let known = rests[column].firstIndex(where: { $0.elementsEqual(rest) }) {
      return UInt16(known + 1)
    }
    guard rests[column].count < PieceStream.restLimit else { return nil }
    rests[column].append(Array(rest))
    return UInt16(rests[column].count)
  }

  func write(to writer: inout ByteWriter, compressor: Compressor?) {
    writer.append(varint: style.between.count)
    writer.append(contentsOf: style.between)
    writer.append(varint: style.colon.count)
    writer.append(contentsOf: style.colon)
    write(closers, to: &writer, compressor)
    write(ends, to: &writer, compressor)
    writer.append(varint: rests.count)
    IntegerStream.encode(rests.map { Int64($0.count) }, to: &writer, compressor: compressor)
    write(Array(rests.joined()), to: &writer, compressor)
    IntegerStream.encode(closerCodes, to: &writer, compressor: compressor)
    IntegerStream.encode(restCodes, to: &writer, compressor: compressor)
    IntegerStream.encode(endCodes, to: &writer, compressor: compressor)
  }

  private func write(_ texts: [[UInt8]], to writer: inout ByteWriter, _ compressor: Compressor?) {
    writer.append(varint: texts.count)
    IntegerStream.encode(texts.map { Int64($0.count) }, to: &writer, compressor: compressor)
    writer.append(
      stream: Array(texts.joined()), compressor: compressor, level: CompressionLevel.packs)
  }
}

// MARK: Reading

extension PieceStream {
  /// Puts the pieces of shapes together again.
  static func decode(
    _ reader: inout ByteReader, shapes: ShapeList, chunks: [RowGroupTable.Chunk],
    decompressor: Decompressor
  ) throws(DecodingFailure) -> [ShapePieces] {
    let lists = try PieceLists(&reader, chunks: chunks, decompressor: decompressor)
    var slotCount = 0
    shapes.forEachShape { _, columns in slotCount += columns.count }
    let closerCodes = try IntegerStream.decode(
      &reader, count: slotCount, decompressor: decompressor)
    let restCodes = try IntegerStream.decode(
      &reader, count: slotCount, decompressor: decompressor)
    let endCodes = try IntegerStream.decode(
      &reader, count: shapes.count, decompressor: decompressor)
    var forecast = PieceForecast(paths: chunks.lazy.map(\.path))
    var result: [ShapePieces] = []
    result.reserveCapacity(shapes.count)
    var total = 0
    var slot = 0
    for (shape, entry) in shapes.enumerated() {
      var text: [UInt8] = []
      var bounds = [0]
      bounds.reserveCapacity(entry.columns.count + 2)
      forecast.beginShape()
      for column in entry.columns {
        let foretold = forecast.foretell(column)
        let closers = closerCodes[slot] == 0 ? Int64(foretold.closers) : closerCodes[slot] &- 1
        let rest = restCodes[slot] == 0 ? Int64(foretold.rest) : restCodes[slot] &- 1
        try lists.appendClosers(closers, to: &text)
        try lists.appendRest(rest, of: column, to: &text)
        // Both were found in lists of a few hundred.
        forecast.learn(
          closers: UInt16(closers), rest: UInt16(rest), foretold: foretold.closers)
        guard text.count <= textLimit else { throw DecodingFailure("a shape without end") }
        bounds.append(text.count)
        if chunks[column].kind == .string { text.append(UInt8(ascii: "\"")) }
        slot += 1
      }
      try lists.appendEnd(endCodes[shape], to: &text)
      bounds.append(text.count)
      total += text.count
      guard total <= textLimit else { throw DecodingFailure("texts of shapes without end") }
      result.append(ShapePieces(text: text, bounds: bounds))
    }
    return result
  }
}

/// The texts of which pieces are made.
private struct PieceLists {
  private var closers: [[UInt8]] = []
  private var ends: [[UInt8]] = []
  private var rests: [[UInt8]] = []
  /// Of each column, the number of its first rest that is listed, and one more at the end.
  private var restStarts: [Int] = [0]
  private let expected: [[UInt8]]

  /// The longest text that is right here: an event is not longer.
  private static let longest = StorageLimits.bytesPerEvent

  init(
    _ reader: inout ByteReader, chunks: [RowGroupTable.Chunk], decompressor: Decompressor
  ) throws(DecodingFailure) {
    var style = PieceStream.Style()
    style.between = Array(try reader.take(try reader.count(limit: 1 << 16)))
    style.colon = Array(try reader.take(try reader.count(limit: 1 << 16)))
    expected = chunks.map { chunk in
      chunk.role == .column ? style.expectedRest(path: chunk.path, kind: chunk.kind) : []
    }
    closers = try Self.texts(&reader, limit: PieceStream.closerLimit, decompressor)
    ends = try Self.texts(&reader, limit: PieceStream.endLimit, decompressor)
    let columnCount = try reader.count(limit: chunks.count)
    for count in try IntegerStream.decode(
      &reader, count: columnCount, decompressor: decompressor)
    {
      guard count >= 0, count <= PieceStream.restLimit else {
        throw DecodingFailure("\(count) texts of one column")
      }
      restStarts.append(restStarts[restStarts.count - 1] + Int(count))
    }
    let restCount = restStarts[columnCount]
    rests = try Self.texts(&reader, limit: restCount, decompressor)
    guard rests.count == restCount else {
      throw DecodingFailure("\(rests.count) texts where columns have \(restCount)")
    }
    // What comes behind the columns has none.
    restStarts += repeatElement(restCount, count: chunks.count - columnCount)
  }

  private static func texts(
    _ reader: inout ByteReader, limit: Int, _ decompressor: Decompressor
  ) throws(DecodingFailure) -> [[UInt8]] {
    let count = try reader.count(limit: limit)
    let lengths = try IntegerStream.decode(&reader, count: count, decompressor: decompressor)
    guard lengths.allSatisfy({ $0 >= 0 && $0 <= longest }) else {
      throw DecodingFailure("a piece of impossible length")
    }
    let total = Int(lengths.reduce(0, &+))
    guard total <= PieceStream.textLimit else { throw DecodingFailure("pieces without end") }
    let bytes = try reader.stream(limit: total, decompressor: decompressor)
    guard bytes.count == total else { throw DecodingFailure("pieces of the wrong size") }
    var start = 0
    return lengths.map { length in
      defer { start += Int(length) }
      return Array(bytes[start..<start + Int(length)])
    }
  }

  @inline(__always)
  func appendClosers(_ code: Int64, to text: inout [UInt8]) throws(DecodingFailure) {
    guard code >= 0, code < closers.count else { throw DecodingFailure("closers \(code)") }
    text.append(contentsOf: closers[Int(code)])
  }

  @inline(__always)
  func appendEnd(_ code: Int64, to text: inout [UInt8]) throws(DecodingFailure) {
    guard code >= 0, code < ends.count else { throw DecodingFailure("an end \(code)") }
    text.append(contentsOf: ends[Int(code)])
  }

  @inline(__always)
  func appendRest(
    _ code: Int64, of column: Int, to text: inout [UInt8]
  ) throws(DecodingFailure) {
    guard code != 0 else { return text.append(contentsOf: expected[column]) }
    let count = restStarts[column + 1] - restStarts[column]
    guard code > 0, code <= count else { throw DecodingFailure("a text \(code) of \(count)") }
    text.append(contentsOf: rests[restStarts[column] + Int(code) - 1])
  }
}
