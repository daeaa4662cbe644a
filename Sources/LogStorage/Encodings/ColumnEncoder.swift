/// Chooses and writes the encoding of one column chunk.
///
/// The order of trial follows what is likely and cheap to refute: one value for all; numbers as integers, then as
/// decimals; texts of a time; few distinct values as a dictionary; else the bytes as they are. A
/// trial stops at the first value that does not fit, so a wrong guess costs a few values, not a pass. What failed for a
/// column is remembered for its next chunks (`EncodingMemory`), because columns rarely change
/// their nature from one row group to the next.
struct ColumnEncoder {
  let column: SlotColumn
  let kind: SlotKind
  let rows: ColumnRows
  let compressor: Compressor?
  /// Where identifiers go, shared by all columns of the row group.
  let pools: IdentifierPools
  /// The other columns of the row group, to which variables of templates may refer.
  var siblings: SiblingColumns?

  /// Encodes the column if all its values are one, or of one kind: numbers, times, identifiers.
  func encodeTyped() -> EncodedColumn? {
    if isConstant { return constant() }
    switch kind {
    case .number: return number()
    case .string:
      if column.length(0) >= 19, let result = timestampText() { return result }
      return identifiers()
    case .literal, .verbatim, .text: return nil
    }
  }

  /// Encodes the column for a pack, which compresses it with others.
  func encodeUncompressed() -> EncodedColumn {
    let loose = ColumnEncoder(
      column: column, kind: kind, rows: rows, compressor: nil, pools: pools, siblings: siblings)
    if kind == .number, let result = loose.number() { return result }
    if kind == .string, column.length(0) >= 19, let result = loose.timestampText() { return result }
    return (kind == .text ? nil : loose.dictionary()) ?? loose.plain()
  }

  /// Encodes the values of rare columns, one column after the other, without regard to their rows.
  func encodeRare() -> EncodedColumn {
    if isConstant { return constant() }
    let texts = plain(level: CompressionLevel.entries)
    var best = texts
    if kind == .number, let numbers = integers() ?? decimals() ?? doubles(),
      numbers.bytes.count < best.bytes.count
    {
      best = numbers
    }
    if let codes = dictionary(), codes.bytes.count < best.bytes.count { best = codes }
    return best
  }

  /// Encodes the values of a variable of templates, which may be anything.
  func encodeVariable() -> EncodedColumn {
    if isConstant { return constant() }
    if let result = reference() { return result }
    if let result = number() { return result }
    if column.length(0) >= 19, let result = timestampText() { return result }
    if let result = identifiers() { return result }
    return dictionary() ?? plain()
  }

  /// Encodes values that have nothing in common.
  func encodeMixed() -> EncodedColumn { isConstant ? constant() : dictionary() ?? plain() }

  /// The number of a column that has the same values in the same rows.
  private func reference() -> EncodedColumn? {
    guard let siblings, column.count >= 8, let numbers = rows.numbers,
      let chunk = siblings.chunk(equalTo: column, rows: Array(numbers))
    else { return nil }
    var writer = ByteWriter()
    writer.append(varint: chunk)
    return EncodedColumn(
      encoding: .reference, bytes: writer.bytes, zone: .none, hasEscapes: false)
  }

  // MARK: Text

  /// Least count of values for which templates can pay.
  private static let leastTemplateRows = 64

  /// A dictionary, templates or plain text: what is smallest is found out by doing it once, then kept up for some
  /// chunks of the column. A dictionary that is nearly as small wins: queries work on its codes.
  ///
  /// - Parameter memory: what earlier chunks of the same column taught; updated.
  func encodeText(memory: inout EncodingMemory) -> EncodedColumn {
    let mayBeTemplates =
      kind != .literal && column.count >= Self.leastTemplateRows && compressor != nil
    switch memory.nextTextForm() {
    case .dictionary?:
      if let result = dictionary() { return result }
    case .templates(let style)?:
      if mayBeTemplates, let result = templates(style) { return result }
    case .plain?:
      return plain()
    case nil: break
    }
    let coded = kind == .text ? nil : dictionary()
    let simple = coded ?? plain()
    if mayBeTemplates, (coded?.entryCount ?? .max) > 256 {
      let bound = simple.bytes.count - simple.bytes.count / (coded == nil ? 32 : 6)
      if let (style, split) = smallestTemplates(below: bound) {
        memory.keep(.templates(style))
        return split
      }
    }
    memory.keep(coded == nil ? .plain : .dictionary)
    return simple
  }

  /// Templates of the style that makes them smallest, if that is below `bound` bytes, identifiers in the pool included.
  private func smallestTemplates(
    below bound: Int
  ) -> (TemplateSplitter.Style, EncodedColumn)? {
    let hasEscapes = kind == .string
    let marked = [TemplateSplitter.Style.lines, .fields].first {
      MarkedText.fits($0, column, hasEscapes: hasEscapes)
    }
    let mark = pools.mark()
    var best: (style: TemplateSplitter.Style, size: Int)?
    var last: (style: TemplateSplitter.Style, column: EncodedColumn)?
    for style in [.words, marked].compactMap(\.self) {
      pools.rollBack(to: mark)
      guard let split = templates(style) else { continue }
      last = (style, split)
      let size = split.bytes.count + pools.byteCount(since: mark)
      if size < best?.size ?? bound { best = (style, size) }
    }
    // Only the last attempt's identifiers are in the pool: a better one before it is made again.
    if let best, let last, best.style == last.style { return last }
    pools.rollBack(to: mark)
    guard let best, let split = templates(best.style) else { return nil }
    return (best.style, split)
  }

  private func templates(_ style: TemplateSplitter.Style) -> EncodedColumn? {
    guard let bytes = TemplateEncoder(encoder: self, style: style).encode() else { return nil }
    let rows = 0..<column.count
    return EncodedColumn(
      encoding: .templates, bytes: bytes, zone: zone(ofTexts: rows), hasEscapes: hasEscapes(rows))
  }

  // MARK: Constant

  private var isConstant: Bool {
    for i in 1..<max(column.count, 1) where !column.equal(0, i) { return false }
    return true
  }

  private func constant() -> EncodedColumn {
    let bytes = Array(column.bytes(0))
    return EncodedColumn(
      encoding: .constant, bytes: bytes, zone: zone(ofTexts: CollectionOfOne(0)),
      hasEscapes: bytes.contains(UInt8(ascii: "\\")))
  }

  // MARK: Numbers

  private func number() -> EncodedColumn? {
    let plain = integers() ?? decimals() ?? doubles()
    guard let plain, plain.encoding != .double, let times = timestampNumbers(),
      times.bytes.count < plain.bytes.count
    else { return plain }
    return EncodedColumn(
      encoding: .timestampNumber, bytes: times.bytes,
      zone: .numbers(minimum: times.minimum, maximum: times.maximum), hasEscapes: false)
  }

  private func doubles() -> EncodedColumn? {
    var values: [Double] = []
    values.reserveCapacity(column.count)
    var minimum = Double.infinity
    var maximum = -Double.infinity
    for i in 0..<column.count {
      guard let value = DoubleStream.admissible(column.bytes(i)) else { return nil }
      values.append(value)
      minimum = min(minimum, value)
      maximum = max(maximum, value)
    }
    var writer = ByteWriter(capacity: column.count * 8)
    DoubleStream.encode(values, to: &writer, compressor: compressor)
    let zone = ZoneMap.numbers(minimum: minimum, maximum: maximum)
    if let codes = smallerDictionary(than: writer.count, zone: zone) { return codes }
    return EncodedColumn(encoding: .double, bytes: writer.bytes, zone: zone, hasEscapes: false)
  }

  private func integers() -> EncodedColumn? {
    var values: [Int64] = []
    values.reserveCapacity(column.count)
    for i in 0..<column.count {
      guard let value = DecimalText.integer(column.start(i), column.length(i)) else { return nil }
      values.append(value)
    }
    var writer = ByteWriter(capacity: column.count)
    IntegerStream.encode(values, to: &writer, compressor: compressor)
    let zone = ZoneMap.numbers(minimum: Double(values.min()!), maximum: Double(values.max()!))
    if let codes = smallerDictionary(than: writer.count, zone: zone) { return codes }
    return EncodedColumn(encoding: .integer, bytes: writer.bytes, zone: zone, hasEscapes: false)
  }

  private func decimals() -> EncodedColumn? {
    let count = column.count
    var mantissas: [Int64] = []
    var scales: [UInt8] = []
    mantissas.reserveCapacity(count)
    scales.reserveCapacity(count)
    var minimum = Double.infinity
    var maximum = -Double.infinity
    for i in 0..<count {
      guard let (mantissa, scale) = DecimalText.decimal(column.start(i), column.length(i)) else {
        return nil
      }
      mantissas.append(mantissa)
      scales.append(scale)
      let value = Double(mantissa) / Self.powersOfTen[Int(scale)]
      minimum = min(minimum, value)
      maximum = max(maximum, value)
    }
    guard let largest = scales.max() else { return nil }
    var writer = ByteWriter(capacity: count * 2)
    writer.append(largest)
    if scales.allSatisfy({ $0 == largest }) {
      writer.append(UInt8(0))
    } else {
      // A common scale keeps neighbours near each other; each value's own scale restores its text.
      for i in 0..<count {
        let (scaled, overflow) = mantissas[i].multipliedReportingOverflow(
          by: Self.integerPowersOfTen[Int(largest - scales[i])])
        if overflow { return nil }
        mantissas[i] = scaled
      }
      writer.append(UInt8(1))
      writer.append(stream: scales, compressor: compressor)
    }
    IntegerStream.encode(mantissas, to: &writer, compressor: compressor)
    let zone = ZoneMap.numbers(minimum: minimum, maximum: maximum)
    if let codes = smallerDictionary(than: writer.count, zone: zone) { return codes }
    return EncodedColumn(encoding: .decimal, bytes: writer.bytes, zone: zone, hasEscapes: false)
  }

  /// A dictionary of numbers, when few values repeat often enough to beat `byteCount`.
  private func smallerDictionary(than byteCount: Int, zone: ZoneMap) -> EncodedColumn? {
    guard column.count >= 256, let found = distinctValues(limit: 256) else { return nil }
    var result = dictionary(found)
    guard result.bytes.count < byteCount - byteCount / 32 else { return nil }
    result.zone = zone
    return result
  }

  static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    1e18,
  ]
  static let integerPowersOfTen: [Int64] = (0...18).map { exponent in
    (0..<exponent).reduce(1) { product, _ in product * 10 }
  }

  // MARK: Times

  private func timestampText() -> EncodedColumn? {
    var forms: [TimestampTextRun.Form] = []
    var formOf: [UInt16] = []
    var residuals: [Int64] = []
    residuals.reserveCapacity(column.count)
    formOf.reserveCapacity(column.count)
    var current = 0
    for i in 0..<column.count {
      guard let (form, ticks) = TimestampTextRun.parse(column.start(i), column.length(i)) else {
        return nil
      }
      if forms.isEmpty || forms[current] != form {
        if let known = forms.firstIndex(of: form) {
          current = known
        } else {
          guard forms.count < 64 else { return nil }
          current = forms.count
          forms.append(form)
        }
      }
      formOf.append(UInt16(current))
      residuals.append(ticks &- form.ticks(milliseconds: rows.time(i)))
    }
    var writer = ByteWriter(capacity: column.count)
    writer.append(varint: forms.count)
    for form in forms {
      writer.append(form.separator)
      writer.append(form.fractionMark)
      writer.append(form.fractionDigits)
      writer.append(varint: form.zone.count)
      writer.append(contentsOf: form.zone)
    }
    append(codes: formOf, cardinality: forms.count, to: &writer)
    append(residuals, by: formOf, count: forms.count, to: &writer)
    return EncodedColumn(
      encoding: .timestampText, bytes: writer.bytes, zone: zone(ofTexts: 0..<column.count),
      hasEscapes: false)
  }

  /// Distances from event times, form by form: those of one form are alike, as whole milliseconds leave none and
  /// microseconds up to 999.
  func append(
    _ residuals: [Int64], by formOf: [UInt16], count formCount: Int, to writer: inout ByteWriter
  ) {
    for form in 0..<formCount {
      let ofForm = residuals.indices.filter { Int(formOf[$0]) == form }.map { residuals[$0] }
      IntegerStream.encode(ofForm, to: &writer, compressor: compressor)
    }
  }

  // MARK: Identifiers

  private func identifiers() -> EncodedColumn? {
    guard column.count >= 4, let form = IdentifierForm(like: column.start(0), column.length(0)),
      looksLikeIdentifiers(form)
    else { return nil }
    let width = form.width
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: width) { id in
      for i in 0..<column.count {
        guard form.pack(column.start(i), column.length(i), into: id.baseAddress!) else {
          return nil
        }
      }
      let pool = pools.pool(width: width)
      let base = pool.count
      var codes: [Int64] = []
      codes.reserveCapacity(column.count)
      for i in 0..<column.count {
        _ = form.pack(column.start(i), column.length(i), into: id.baseAddress!)
        let next = pool.count
        let (index, isNew) = pool.intern(UnsafePointer(id.baseAddress!))
        codes.append(isNew ? 0 : Int64(next - index))
      }
      var writer = ByteWriter(capacity: column.count)
      writer.append(form.code)
      writer.append(varint: base)
      IntegerStream.encode(codes, to: &writer, compressor: compressor)
      return EncodedColumn(
        encoding: .identifier, bytes: writer.bytes, zone: zone(ofTexts: 0..<column.count),
        hasEscapes: false)
    }
  }

  /// Whether a sample is of the form, varied enough that a dictionary would not be smaller, and, unless they
  /// are addresses, not of decimal digits alone, which are rarely noise.
  private func looksLikeIdentifiers(_ form: IdentifierForm) -> Bool {
    let step = max(1, column.count / 128)
    var hashes: Set<UInt64> = []
    var sampled = 0
    var hasLetter = form == .address
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: form.width) { id in
      for i in stride(from: 0, to: column.count, by: step) {
        let text = column.bytes(i)
        guard form.pack(column.start(i), text.count, into: id.baseAddress!) else { return false }
        hasLetter = hasLetter || text.contains { $0 >= 0x61 }
        hashes.insert(shortHash(column.start(i), text.count))
        sampled += 1
      }
      return hasLetter && hashes.count * 4 >= sampled
    }
  }

  // MARK: Dictionary

  /// Codes by row and, for each code, a row that holds its value.
  private struct Distinct {
    var codes: [UInt16]
    var firstRows: [Int]
  }

  /// The distinct values in order of first use, or `nil` as soon as there are more than `limit`.
  private func distinctValues(limit: Int) -> Distinct? {
    var tableBits = 10
    while 1 << tableBits < min(limit, column.count) * 2, tableBits < 17 { tableBits += 1 }
    let mask = 1 << tableBits - 1
    // A slot holds the high half of a hash and, in the low half, a code plus one.
    var table = [UInt64](repeating: 0, count: 1 << tableBits)
    var found = Distinct(codes: [], firstRows: [])
    found.codes.reserveCapacity(column.count)
    for i in 0..<column.count {
      let hash = shortHash(column.start(i), column.length(i))
      let tag = hash & 0xFFFF_FFFF_0000_0000
      var slot = Int(truncatingIfNeeded: hash) & mask
      while true {
        let entry = table[slot]
        if entry == 0 {
          guard found.firstRows.count < limit else { return nil }
          found.firstRows.append(i)
          table[slot] = tag | UInt64(found.firstRows.count)
          found.codes.append(UInt16(truncatingIfNeeded: found.firstRows.count - 1))
          break
        }
        let code = Int(entry & 0xFFFF_FFFF) - 1
        if entry & 0xFFFF_FFFF_0000_0000 == tag, column.equal(i, found.firstRows[code]) {
          found.codes.append(UInt16(truncatingIfNeeded: code))
          break
        }
        slot = (slot + 1) & mask
      }
    }
    return found
  }

  private func dictionary() -> EncodedColumn? {
    // Up to half the rows: beyond that, codes only add to the values.
    let limit = min(max(column.count / 2, 1), 65_535)
    guard let found = distinctValues(limit: limit) else { return nil }
    return dictionary(found)
  }

  private func dictionary(_ found: Distinct) -> EncodedColumn {
    var writer = ByteWriter(capacity: column.count)
    writer.append(varint: found.firstRows.count)
    writeTexts(found.firstRows, to: &writer, level: CompressionLevel.entries)
    append(codes: found.codes, cardinality: found.firstRows.count, to: &writer)
    return EncodedColumn(
      encoding: .dictionary, bytes: writer.bytes, zone: zone(ofTexts: found.firstRows),
      hasEscapes: hasEscapes(found.firstRows), entryCount: found.firstRows.count)
  }

  /// Codes of values, once per shape if the shapes decide them.
  func append(codes: [UInt16], cardinality: Int, to writer: inout ByteWriter) {
    if cardinality > 1, let ofShapes = rows.valuesByShape(codes) {
      CodeStream.encode(
        ofShapes: ofShapes, cardinality: cardinality, to: &writer, compressor: compressor)
    } else {
      CodeStream.encode(codes, cardinality: cardinality, to: &writer, compressor: compressor)
    }
  }

  // MARK: Plain

  /// - Parameter level: a level to use if it is higher than what is usual for so many texts.
  private func plain(level: Int32 = 0) -> EncodedColumn {
    let rows = 0..<column.count
    var writer = ByteWriter(capacity: column.byteCount / 2)
    let isSmall = column.byteCount <= CompressionLevel.smallTextByteCount
    let usual =
      isSmall ? CompressionLevel.entries : kind == .text ? CompressionLevel.wholeTexts : 0
    writeTexts(rows, to: &writer, level: max(level, usual))
    return EncodedColumn(
      encoding: .plainString, bytes: writer.bytes, zone: zone(ofTexts: rows),
      hasEscapes: hasEscapes(rows))
  }

  /// Lengths, then bytes.
  private func writeTexts(
    _ rows: some Collection<Int>, to writer: inout ByteWriter, level: Int32 = 0
  ) {
    var lengths: [Int64] = []
    lengths.reserveCapacity(rows.count)
    var total = 0
    for row in rows {
      lengths.append(Int64(column.length(row)))
      total += column.length(row)
    }
    IntegerStream.encode(lengths, to: &writer, compressor: compressor)
    let bytes = [UInt8](unsafeUninitializedCapacity: total) { target, used in
      var position = 0
      for row in rows {
        let length = column.length(row)
        // `total` is the sum of these lengths, so the copies fill the buffer exactly.
        if length > 0 {
          UnsafeMutableRawPointer(target.baseAddress! + position).copyMemory(
            from: column.start(row), byteCount: length)
        }
        position += length
      }
      used = total
    }
    writer.append(stream: bytes, compressor: compressor, level: level)
  }

  private func hasEscapes(_ rows: some Collection<Int>) -> Bool {
    guard kind == .string else { return false }
    for row in rows where column.bytes(row).contains(UInt8(ascii: "\\")) { return true }
    return false
  }

  /// Text bounds for strings; nothing for other kinds (numbers bring their own).
  private func zone(ofTexts rows: some Collection<Int>) -> ZoneMap {
    switch kind {
    case .string:
      var minimum = UInt64.max
      var maximum = UInt64.min
      for row in rows {
        let prefix = ZoneMap.prefix(column.bytes(row))
        minimum = min(minimum, prefix)
        maximum = max(maximum, prefix)
      }
      return .texts(minimum: minimum, maximum: maximum)
    case .number:
      guard rows.count == 1, let row = rows.first,
        let (mantissa, scale) = DecimalText.decimal(column.start(row), column.length(row))
      else { return .none }
      let value = Double(mantissa) / Self.powersOfTen[Int(scale)]
      return .numbers(minimum: value, maximum: value)
    case .literal, .verbatim, .text: return .none
    }
  }
}

/// What earlier chunks of a column taught its encoder.
struct EncodingMemory: Sendable {
  enum TextForm: Sendable {
    case dictionary
    case templates(TemplateSplitter.Style)
    case plain
  }

  private var form: TextForm?
  private var chunksLeft = 0

  /// The form to write texts in; `nil` when it is time to compare.
  mutating func nextTextForm() -> TextForm? {
    guard chunksLeft > 0 else { return nil }
    chunksLeft -= 1
    return form
  }

  /// Settles the form of the next chunks.
  mutating func keep(_ form: TextForm) {
    self.form = form
    chunksLeft = 15
  }
}
