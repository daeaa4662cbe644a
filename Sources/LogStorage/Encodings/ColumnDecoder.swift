/// What the values of a column may be made of beside the column's own bytes.
protocol ColumnSurroundings: AnyObject {
  /// For the time of one call: whoever has the row group brings his own.
  var decompressor: Decompressor { get }
  /// Event times of all rows, in ms.
  func timestamps() throws -> [Int64]
  /// Shapes of all rows.
  func shapeCodes() throws -> [UInt16]
  /// The packed identifiers of a width.
  func identifierPool(width: Int) throws -> [UInt8]
  /// The values of another chunk in some rows.
  func reference(to chunk: Int, rows: [UInt32]) throws -> ColumnReference
}

/// A column's place in its row group: asked when a value needs it, which for most is never.
struct ColumnContext {
  unowned let surroundings: any ColumnSurroundings
  /// Row of each value; `nil` when every row has one.
  let rows: () throws -> [UInt32]?

  var decompressor: Decompressor { surroundings.decompressor }

  /// Event times of the rows of the values, in ms.
  func times() throws -> [Int64] {
    let times = try surroundings.timestamps()
    guard let rows = try rows() else { return times }
    return rows.map { times[Int($0)] }
  }

  /// The shape of the row of each value, numbered in order of first row.
  func shapesByFirstRow() throws -> [UInt16] {
    let codes = try surroundings.shapeCodes()
    let greatest = codes.withUnsafeBufferPointer { codes in codes.reduce(0) { max($0, $1) } }
    var placeOf = [Int32](repeating: -1, count: Int(greatest) + 1)
    var count: Int32 = 0
    func place(_ row: Int) -> UInt16 {
      let shape = Int(codes[row])
      if placeOf[shape] < 0 {
        placeOf[shape] = count
        count += 1
      }
      return UInt16(truncatingIfNeeded: placeOf[shape])
    }
    if let rows = try rows() { return rows.map { place(Int($0)) } }
    return codes.indices.map(place)
  }

  /// The context of some of the values, by their places.
  func narrowed(to places: @escaping () throws -> ArraySlice<UInt32>) -> ColumnContext {
    let rows = rows
    return ColumnContext(surroundings: surroundings) {
      guard let all = try rows() else { return Array(try places()) }
      return try places().map { all[Int($0)] }
    }
  }
}

/// The entries of a dictionary, and how many values of the column are each.
struct CountedEntries {
  let entries: TextRun
  let counts: [Int64]
}

/// Reads a column chunk back. The bytes passed their checksum, but every count, width and code
/// is checked all the same: damage must throw, never trap.
enum ColumnDecoder {
  /// - Parameter count: values in the chunk.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, encoding: ColumnEncoding, count: Int, context: ColumnContext
  ) throws -> ColumnData {
    let decompressor = context.decompressor
    var reader = ByteReader(bytes)
    switch encoding {
    case .constant:
      return .constant(Array(bytes))
    case .integer:
      return .integers(
        try IntegerStream.decode(&reader, count: count, decompressor: decompressor))
    case .decimal:
      return .decimals(try decimals(&reader, count: count, decompressor: decompressor))
    case .timestampText:
      return .timestamps(
        try timestamps(&reader, count: count, context: context))
    case .dictionary:
      let entryCount = try reader.count(limit: min(count, 65_535))
      let entries = try texts(&reader, count: entryCount, decompressor: decompressor)
      return .dictionary(
        codes: try CodeStream.decode(
          &reader, count: count, cardinality: entryCount, decompressor: decompressor,
          shapes: context.shapesByFirstRow),
        entries: entries)
    case .plainString:
      return .texts(try texts(&reader, count: count, decompressor: decompressor))
    case .double:
      return .doubles(
        try DoubleStream.decode(&reader, count: count, decompressor: decompressor))
    case .identifier:
      let code = try reader.byte()
      guard let form = IdentifierForm(code: code) else {
        throw DecodingFailure("identifier form \(code) is not known to this version")
      }
      return .identifiers(
        try identifiers(
          &reader, form: form, pool: try context.surroundings.identifierPool(width: form.width),
          count: count,
          decompressor: decompressor))
    case .timestampNumber:
      return try timestampNumbers(&reader, count: count, context: context)
    case .templates:
      return .templates(try TemplateRun(&reader, count: count, context: context))
    case .reference:
      let chunk = try reader.count(limit: 1 << 24)
      guard let rows = try context.rows(), rows.count == count else {
        throw DecodingFailure("a reference that is no variable")
      }
      return .reference(try context.surroundings.reference(to: chunk, rows: rows))
    case .rare, .pieces:
      throw DecodingFailure("an encoding that columns of their own do not have")
    }
  }

  /// The entries of a dictionary and how many values are each; `nil` where codes are stored once per shape.
  ///
  /// - Parameter count: values in the chunk.
  static func countedEntries(
    _ bytes: UnsafeRawBufferPointer, count: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> CountedEntries? {
    var reader = ByteReader(bytes)
    let entryCount = try reader.count(limit: min(count, 65_535))
    let entries = try texts(&reader, count: entryCount, decompressor: decompressor)
    return try CodeStream.counts(
      &reader, count: count, cardinality: entryCount, decompressor: decompressor
    ).map { CountedEntries(entries: entries, counts: $0) }
  }

  private static func texts(
    _ reader: inout ByteReader, count: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> TextRun {
    let lengths = try IntegerStream.decode(&reader, count: count, decompressor: decompressor)
    var total: Int64 = 0
    var offsets: [UInt32] = []
    offsets.reserveCapacity(count + 1)
    offsets.append(0)
    for length in lengths {
      guard length >= 0, length <= 1 << 31 else { throw DecodingFailure("a length of \(length)") }
      total += length
      guard total < 1 << 32 else { throw DecodingFailure("texts of more than 4 GiB") }
      offsets.append(UInt32(total))
    }
    let bytes = try reader.stream(limit: Int(total), decompressor: decompressor)
    guard bytes.count == Int(total) else {
      throw DecodingFailure("\(bytes.count) bytes of text where lengths add up to \(total)")
    }
    return TextRun(offsets: offsets, bytes: bytes)
  }

  private static func identifiers(
    _ reader: inout ByteReader, form: IdentifierForm, pool: [UInt8], count: Int,
    decompressor: Decompressor
  ) throws(DecodingFailure) -> IdentifierRun {
    let poolCount = Int64(pool.count / form.width)
    var next = Int64(try reader.count(limit: Int(poolCount)))
    let codes = try IntegerStream.decode(&reader, count: count, decompressor: decompressor)
    var indices: [UInt32] = []
    indices.reserveCapacity(count)
    for code in codes {
      if code == 0 {
        guard next < poolCount else { throw DecodingFailure("an identifier past the pool's end") }
        indices.append(UInt32(next))
        next += 1
      } else {
        guard code > 0, code <= next else { throw DecodingFailure("an identifier before the pool") }
        indices.append(UInt32(next - code))
      }
    }
    return IdentifierRun(form: form, pool: pool, indices: indices)
  }

  private static func decimals(
    _ reader: inout ByteReader, count: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> DecimalRun {
    let scale = try reader.byte()
    guard scale <= 18 else { throw DecodingFailure("\(scale) decimals") }
    var scales: [UInt8] = []
    if try reader.byte() != 0 {
      scales = try reader.stream(limit: count, decompressor: decompressor)
      guard scales.count == count, scales.allSatisfy({ $0 <= scale }) else {
        throw DecodingFailure("scales that do not fit their column")
      }
    }
    var mantissas = try IntegerStream.decode(&reader, count: count, decompressor: decompressor)
    for i in scales.indices where scales[i] != scale {
      mantissas[i] /= ColumnEncoder.integerPowersOfTen[Int(scale - scales[i])]
    }
    return DecimalRun(mantissas: mantissas, scales: scales, scale: scale)
  }

  private static func timestamps(
    _ reader: inout ByteReader, count: Int, context: ColumnContext
  ) throws -> TimestampTextRun {
    let formCount = try reader.count(limit: 64)
    guard formCount > 0 else { throw DecodingFailure("times without a form") }
    var forms: [TimestampTextRun.Form] = []
    for _ in 0..<formCount {
      let separator = try reader.byte()
      let mark = try reader.byte()
      let digits = try reader.byte()
      guard digits <= 9 else { throw DecodingFailure("\(digits) fraction digits") }
      let zone = try reader.take(try reader.count(limit: 6))
      forms.append(
        .init(separator: separator, fractionMark: mark, fractionDigits: digits, zone: Array(zone)))
    }
    let formOf = try CodeStream.decode(
      &reader, count: count, cardinality: formCount, decompressor: context.decompressor,
      shapes: context.shapesByFirstRow)
    let ticks = try ticks(&reader, formOf: formOf, count: formCount, context: context) {
      forms[$0].ticks(milliseconds: $1)
    }
    return TimestampTextRun(forms: forms, formOf: formCount == 1 ? [] : formOf, ticks: ticks)
  }
}
