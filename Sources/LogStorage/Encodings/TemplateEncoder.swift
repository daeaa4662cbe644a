/// Writes a column of texts as templates with columns of their variables.
///
/// Every text is split (``TemplateSplitter``). Texts of one template differ only in their variables, so
/// what is stored per text is a code for its template; and per variable of a template, one column of all its values,
/// encoded by what they are: numbers as numbers, identifiers in the row group's pool, times as distances.
///
///     took 12ms       code 1      template 1: took ␁ms       column: 12 7 9
///     took 7ms        code 1
///     disk full!      code 0      exceptions: disk full!
///     took 9ms        code 1
///
/// Templates of few rows cost more than they save: their texts are *exceptions*, code 0, kept as they are.
/// Variables of templates with few rows share one column, template after template.
///
/// Layout: least count of values for a column of its own; count of templates; their lengths and bytes; how
/// many texts have each code; size and bytes of the codes; the
/// column of exceptions if there is one; the shared column if there is one; then the columns, template
/// after template, variable after variable. A column is its alphabet, its encoding, its size in bytes, and
/// its bytes.
struct TemplateEncoder {
  /// Least number of values for which a variable gets a column of its own. What a line says behind its label is mostly
  /// the value of a field, which only a column of its own can refer to.
  private var ownColumnCount: Int { style == .lines ? 16 : 64 }
  private static let maximalTemplates = 65_000

  let encoder: ColumnEncoder
  let style: TemplateSplitter.Style
  private var column: SlotColumn { encoder.column }

  /// The column in templates, or `nil` if it has hardly any.
  func encode() -> [UInt8]? {
    guard var split = SplitTexts(column, style, hasEscapes: encoder.kind == .string)
    else { return nil }
    guard split.keepFrequent(atLeast: max(4, column.count / 8_192)) else { return nil }
    let dealt = split.dealt(ownColumnCount: ownColumnCount)
    guard split.keptCount <= Self.maximalTemplates else { return nil }

    var writer = ByteWriter(capacity: column.count * 2)
    writer.append(varint: ownColumnCount)
    writer.append(varint: split.keptCount)
    let texts = split.keptTemplates()
    IntegerStream.encode(
      texts.map { Int64($0.count) }, to: &writer, compressor: encoder.compressor)
    writer.append(stream: Array(texts.joined()), compressor: encoder.compressor)
    IntegerStream.encode(split.rowCountsOfCodes(), to: &writer, compressor: encoder.compressor)
    var codes = ByteWriter(capacity: column.count)
    CodeStream.encode(
      split.codes, cardinality: split.keptCount + 1, to: &codes, compressor: encoder.compressor)
    writer.append(varint: codes.count)
    writer.append(contentsOf: codes.bytes)
    append(dealt.exceptions, values: nil, to: &writer)
    append(dealt.shared, values: nil, to: &writer)
    for own in dealt.columns { append(own.slots, values: own.values, to: &writer) }
    return writer.bytes
  }

  /// Appends a column of variables; nothing for no variables.
  ///
  /// - Parameter values: the texts of the column that the variables are of, if it is one each.
  private func append(_ slots: [UInt64], values: [UInt32]?, to writer: inout ByteWriter) {
    guard !slots.isEmpty else { return }
    let rows = (values ?? []).map { UInt32(truncatingIfNeeded: encoder.rows.row(Int($0))) }
    let encoded = slots.withUnsafeBufferPointer { slots in
      rows.withUnsafeBufferPointer { rows in
        let nested = ColumnEncoder(
          column: SlotColumn(base: column.base, slots: slots), kind: .string,
          rows: ColumnRows(
            times: encoder.rows.times, shapes: values == nil ? [] : encoder.rows.shapes,
            numbers: rows),
          compressor: encoder.compressor, pools: encoder.pools, siblings: encoder.siblings)
        return values == nil ? nested.encodeMixed() : nested.encodeVariable()
      }
    }
    let alphabet = slots.withUnsafeBufferPointer {
      Alphabet(of: SlotColumn(base: column.base, slots: $0))
    }
    writer.append(alphabet.rawValue)
    writer.append(encoded.encoding.rawValue)
    writer.append(varint: encoded.bytes.count)
    writer.append(contentsOf: encoded.bytes)
  }
}

/// The texts of a column, split and numbered by template.
private struct SplitTexts {
  private let splitter: TemplateSplitter
  private let column: SlotColumn
  /// Template of each text in order of first use, −1 for texts that cannot be split.
  private var templateOf: [Int32] = []
  /// Place of each text's first variable, and one more.
  private var firstVariable: [UInt32] = [0]
  private var templates = TemplateTable()
  private var rowCounts: [Int] = []

  /// Code of each text: 0 for exceptions.
  private(set) var codes: [UInt16] = []
  /// Templates that are kept, in order of first use; the code is the index plus one.
  private var kept: [Int] = []

  var keptCount: Int { kept.count }

  /// `nil` if nearly every text has a template of its own.
  init?(_ column: SlotColumn, _ style: TemplateSplitter.Style, hasEscapes: Bool) {
    self.column = column
    splitter = TemplateSplitter(style, hasEscapes: hasEscapes)
    templateOf.reserveCapacity(column.count)
    firstVariable.reserveCapacity(column.count + 1)
    for i in 0..<column.count {
      if splitter.split(column.slots[i], base: column.base) {
        let template = templates.intern(
          UnsafeBufferPointer(rebasing: splitter.template[..<splitter.templateCount]))
        if template == rowCounts.count { rowCounts.append(0) }
        rowCounts[template] += 1
        templateOf.append(Int32(truncatingIfNeeded: template))
      } else {
        templateOf.append(-1)
      }
      firstVariable.append(UInt32(truncatingIfNeeded: splitter.variables.count))
      if i == 2_048, rowCounts.count > i * 3 / 4 { return nil }
    }
  }

  /// Settles which templates are kept.
  ///
  /// - Returns: whether at least a fifth of the texts have one of them.
  mutating func keepFrequent(atLeast least: Int) -> Bool {
    var codeOf = [UInt16](repeating: 0, count: rowCounts.count)
    var covered = 0
    for (template, count) in rowCounts.enumerated() where count >= least {
      guard kept.count < 65_000 else { return false }
      kept.append(template)
      codeOf[template] = UInt16(kept.count)
      covered += count
    }
    guard covered * 5 >= column.count, covered > 0 else { return false }
    codes = templateOf.map { $0 < 0 ? 0 : codeOf[Int($0)] }
    return true
  }

  /// How many texts have each code.
  func rowCountsOfCodes() -> [Int64] {
    var counts = [Int64](repeating: 0, count: kept.count + 1)
    for code in codes { counts[Int(code)] += 1 }
    return counts
  }

  func keptTemplates() -> [ArraySlice<UInt8>] { kept.map { templates.text($0) } }

  struct Dealt {
    struct Column {
      var slots: [UInt64]
      /// Text of each variable, by its place in the column.
      var values: [UInt32]
    }

    var exceptions: [UInt64] = []
    var shared: [UInt64] = []
    var columns: [Column] = []
  }

  /// The variables, dealt out to their columns.
  func dealt(ownColumnCount: Int) -> Dealt {
    var result = Dealt()
    var rowsOf = kept.map { _ in [UInt32]() }
    for (i, template) in kept.enumerated() { rowsOf[i].reserveCapacity(rowCounts[template]) }
    for (row, code) in codes.enumerated() {
      if code == 0 {
        result.exceptions.append(column.slots[row])
      } else {
        rowsOf[Int(code) - 1].append(UInt32(truncatingIfNeeded: row))
      }
    }
    for rows in rowsOf {
      let first = Int(rows[0])
      let variableCount = Int(firstVariable[first + 1] - firstVariable[first])
      for variable in 0..<variableCount {
        let slots = rows.map { splitter.variables[Int(firstVariable[Int($0)]) &+ variable] }
        if rows.count >= ownColumnCount {
          result.columns.append(Dealt.Column(slots: slots, values: rows))
        } else {
          result.shared += slots
        }
      }
    }
    return result
  }
}

/// Distinct template texts, numbered in order of first use.
private struct TemplateTable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = [0]
  /// Open addressing: number + 1 of a text, 0 for an empty place.
  private var table = [UInt32](repeating: 0, count: 1_024)

  private var count: Int { ends.count - 1 }

  func text(_ number: Int) -> ArraySlice<UInt8> { bytes[ends[number]..<ends[number + 1]] }

  mutating func intern(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    if count * 2 > table.count { grow() }
    // An empty text has no address; the hash of no bytes does not look at one.
    let start = text.baseAddress.map { UnsafePointer($0) }
    var place = Int(truncatingIfNeeded: start.map { shortHash($0, text.count) } ?? 0)
    while true {
      place &= table.count - 1
      let entry = Int(table[place])
      if entry == 0 { break }
      if self.text(entry - 1).elementsEqual(text) { return entry - 1 }
      place += 1
    }
    bytes.append(contentsOf: text)
    ends.append(bytes.count)
    table[place] = UInt32(count)
    return count - 1
  }

  private mutating func grow() {
    table = [UInt32](repeating: 0, count: table.count * 4)
    for number in 0..<count {
      let text = self.text(number)
      var place = text.withUnsafeBufferPointer {
        Int(truncatingIfNeeded: $0.isEmpty ? 0 : shortHash($0.baseAddress!, $0.count))
      }
      while true {
        place &= table.count - 1
        if table[place] == 0 { break }
        place += 1
      }
      table[place] = UInt32(number + 1)
    }
  }
}
