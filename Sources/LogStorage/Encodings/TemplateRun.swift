/// A decoded column of templates: for each text its template, and the columns of the variables.
///
/// Exceptions are templates too: number 0 is one variable with nothing around it.
struct TemplateRun: Sendable {
  /// Where a variable's values are.
  struct Slot: Sendable {
    /// Index in `columns`.
    var column: Int
    /// Where the template's first value stands in that column.
    var first: Int
  }

  struct Template: Sendable {
    var pieces: ShapePieces
    var slots: [Slot]
  }

  /// Template of each text.
  let codes: [UInt16]
  /// For each text, how many texts of its template stand before it.
  let ordinals: [UInt32]
  let templates: [Template]
  let columns: [ColumnData]
  /// Values in each column.
  let columnCounts: [Int]

  var count: Int { codes.count }

  /// Appends the text of value `i`.
  func append(_ i: Int, to output: inout [UInt8]) {
    let template = templates[Int(codes[i])]
    let ordinal = Int(ordinals[i])
    template.pieces.append(to: &output) { slot, output in
      let slot = template.slots[slot]
      columns[slot.column].appendText(slot.first + ordinal, to: &output)
    }
  }

  /// All texts, end to end: variables are rendered column by column first, so that the loop over texts
  /// only copies.
  func texts() -> TextRun {
    let rendered = zip(columns, columnCounts).map { RenderedColumn($0, count: $1) }
    let lanes = rendered.map(\.lane)
    let output = TextOutput(rowCapacity: count, bytesPerRow: 96)
    lanes.withUnsafeBufferPointer { lanes in
      for i in 0..<codes.count {
        let template = templates[Int(codes[i])]
        let ordinal = Int(ordinals[i])
        template.slots.withUnsafeBufferPointer { slots in
          output.append(template.pieces, slots.count) { slot in
            lanes[slots[slot].column].text(slots[slot].first &+ ordinal)
          }
        }
      }
    }
    // The lanes point into the columns.
    withExtendedLifetime(rendered) {}
    return output.run()
  }

  /// The texts at `count` positions; a negative position gives an empty text.
  func texts(_ count: Int, _ position: (Int) -> Int) -> TextRun {
    var run = TextRun(offsets: [0], bytes: [])
    run.offsets.reserveCapacity(count + 1)
    for i in 0..<count {
      let place = position(i)
      if place >= 0 { append(place, to: &run.bytes) }
      run.offsets.append(UInt32(run.bytes.count))
    }
    return run
  }
}

extension TemplateRun {
  /// Reads what ``TemplateEncoder`` wrote.
  ///
  /// - Parameter nested: decodes a column of variables, given its encoding, bytes, count and, for times, the
  ///   texts its values belong to.
  init(
    _ reader: inout ByteReader, count: Int, decompressor: Decompressor,
    nested: (ColumnEncoding, UnsafeRawBufferPointer, _ count: Int, _ texts: () -> [Int]) throws
      -> ColumnData
  ) throws {
    let ownColumnCount = try reader.count(limit: 65_536)
    let templateCount = try reader.count(limit: min(count, 65_534))
    var pieces = [ShapePieces(key: [TemplateSplitter.marker])]
    pieces += try Self.pieces(&reader, count: templateCount, decompressor: decompressor)
    codes = try CodeStream.decode(
      &reader, count: count, cardinality: templateCount + 1, decompressor: decompressor)
    var rowCounts = [Int](repeating: 0, count: templateCount + 1)
    var ordinals: [UInt32] = []
    ordinals.reserveCapacity(count)
    for code in codes {
      ordinals.append(UInt32(truncatingIfNeeded: rowCounts[Int(code)]))
      rowCounts[Int(code)] += 1
    }
    self.ordinals = ordinals

    let layout = try Layout(
      slotCounts: pieces.map(\.slotCount), rowCounts: rowCounts, ownColumnCount: ownColumnCount)
    templates = zip(pieces, layout.slots).map { Template(pieces: $0, slots: $1) }
    columnCounts = layout.columns.map(\.count)
    let codes = codes
    columns = try layout.columns.map { column in
      let number = try reader.byte()
      guard let encoding = ColumnEncoding(rawValue: number), encoding != .templates else {
        throw DecodingFailure("a variable of encoding \(number)")
      }
      let bytes = try reader.take(try reader.count(limit: reader.remaining))
      return try nested(encoding, bytes, column.count) {
        codes.indices.filter { Int(codes[$0]) == column.template }
      }
    }
  }

  private static func pieces(
    _ reader: inout ByteReader, count: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> [ShapePieces] {
    let lengths = try IntegerStream.decode(&reader, count: count, decompressor: decompressor)
    var total = 0
    for length in lengths {
      guard length >= 0, length < 1 << 31 else { throw DecodingFailure("a length of \(length)") }
      total += Int(length)
    }
    guard total < 1 << 31 else { throw DecodingFailure("templates of more than 2 GiB") }
    let text = try reader.stream(limit: total, decompressor: decompressor)
    guard text.count == total else { throw DecodingFailure("templates of the wrong size") }
    var start = 0
    return lengths.map { length in
      defer { start += Int(length) }
      return ShapePieces(key: text[start..<start + Int(length)])
    }
  }

  /// Which column each variable is in, worked out from the counts as it was when writing.
  private struct Layout {
    struct Column {
      var count: Int
      /// The template whose texts the values belong to, if it is one.
      var template: Int?
    }

    /// In the order in which they are stored: exceptions, shared, then the others.
    private(set) var columns: [Column] = []
    /// Of each template.
    private(set) var slots: [[Slot]] = []

    init(slotCounts: [Int], rowCounts: [Int], ownColumnCount: Int) throws(DecodingFailure) {
      if rowCounts[0] > 0 { columns.append(Column(count: rowCounts[0], template: 0)) }
      slots.append([Slot(column: 0, first: 0)])
      let shared = columns.count
      var sharedCount = 0
      for template in 1..<max(rowCounts.count, 1) where rowCounts[template] < ownColumnCount {
        sharedCount += slotCounts[template] * rowCounts[template]
      }
      guard sharedCount < 1 << 31 else { throw DecodingFailure("too many variables") }
      if sharedCount > 0 { columns.append(Column(count: sharedCount, template: nil)) }
      var nextShared = 0
      for template in 1..<max(rowCounts.count, 1) {
        let count = rowCounts[template]
        slots.append(
          (0..<slotCounts[template]).map { _ in
            if count >= ownColumnCount {
              columns.append(Column(count: count, template: template))
              return Slot(column: columns.count - 1, first: 0)
            }
            defer { nextShared += count }
            return Slot(column: shared, first: nextShared)
          })
      }
    }
  }
}
