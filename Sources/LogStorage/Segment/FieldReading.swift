import Columnar

/// Puts together the values of one field for the rows that a query asks for.
///
/// A field usually lives in one chunk; then its dense values are spread over the rows whose shape has it, in
/// typed form. When rows differ — two kinds, objects, text events — each row's value is made by itself.
struct FieldReading {
  let field: String
  let resolution: FieldResolution
  let table: RowGroupTable
  /// The shape of each row; counts do without.
  let shapeCodes: [UInt16]
  let rows: SelectionVector?
  /// Where the values of some rows stand in a column; `nil` if every row has one.
  let ranks: (_ column: Int) throws -> RowRanks?

  private var count: Int { rows?.count ?? shapeCodes.count }

  func vector(
    column: (Int) throws -> ColumnData, messages: (SelectionVector?) throws -> StringVector
  ) throws -> ColumnVector {
    var chunks: [(index: Int, data: ColumnData)] = []
    for index in resolution.chunks {
      let data = try column(index)
      // JSON null is no value, so a column of nothing else need not be looked at.
      if case .constant(let text) = data, table.chunks[index].kind == .literal, text.first == 0x6E {
        continue
      }
      chunks.append((index, data))
    }
    if !resolution.hasStructures, !resolution.hasTexts {
      if chunks.isEmpty { return .missing(count: count) }
      if rows == nil, let coded = try coded(chunks) { return coded }
      if chunks.count == 1 { return try spread(chunks[0].index, chunks[0].data) }
      if let united = try united(chunks) { return united }
    }
    return try mixed(chunks, messages: messages)
  }

  // MARK: One chunk

  private func spread(_ index: Int, _ data: ColumnData) throws -> ColumnVector {
    let chunk = table.chunks[index]
    let typed = DenseColumn(data: data, kind: chunk.kind, hasEscapes: chunk.hasEscapes)
    if chunk.valueCount == shapeCodes.count, resolution.places.allShapes(in: table, at: index) {
      guard let rows else { return try typed.vector(positions: .all(shapeCodes.count)) }
      return try typed.vector(
        positions: .some(rows.map { Int32(bitPattern: $0) }, anyMissing: false))
    }
    return try typed.vector(positions: try positions(of: index))
  }

  /// Position in the chunk of each wanted row's value, −1 for rows without.
  private func positions(of index: Int) throws -> DenseColumn.Positions {
    if let rows {
      let positions = try somePositions(index, rows)
      return .some(positions, anyMissing: positions.contains(-1))
    }
    // Per shape: bit 0, the chunk has a value for it; bit 1, that value is the visible one.
    let facts = zip(table.shapes.having(index), resolution.places).map { has, place -> UInt8 in
      (has ? 1 : 0) | (place == .chunk(index) ? 2 : 0)
    }
    return .some(
      allPositions(facts),
      anyMissing: zip(facts, table.shapes.rowCounts).contains { $0 & 2 == 0 && $1 > 0 })
  }

  /// Positions of ascending rows.
  private func somePositions(_ index: Int, _ rows: SelectionVector) throws -> [Int32] {
    var positions =
      try ranks(index)?.positions(of: rows, none: -1) ?? rows.map { Int32(bitPattern: $0) }
    if resolution.hidesValues {
      for (i, row) in rows.enumerated()
      where resolution.places[Int(shapeCodes[Int(row)])] != .chunk(index) { positions[i] = -1 }
    }
    return positions
  }

  /// Positions of all rows, without a jump, as no shape of a row foretells that of the next.
  private func allPositions(_ facts: [UInt8]) -> [Int32] {
    let steps = facts.map { Int32($0 & 1) }
    // −1 with any position is −1.
    let masks: [Int32] = facts.map { $0 & 2 != 0 ? 0 : -1 }
    return [Int32](unsafeUninitializedCapacity: shapeCodes.count) { target, used in
      var next: Int32 = 0
      // Codes were checked to be numbers of shapes when they were decoded, and there is one fact for each shape.
      masks.withUnsafeBufferPointer { masks in
        steps.withUnsafeBufferPointer { steps in
          shapeCodes.withUnsafeBufferPointer { codes in
            for row in codes.indices {
              let shape = Int(codes[row])
              target[row] = next | masks[shape]
              next &+= steps[shape]
            }
          }
        }
      }
      used = shapeCodes.count
    }
  }

  // MARK: Codes for all rows

  /// Where the codes of a shape's rows come from: the next one of a column, or always the same.
  private struct CodeLane {
    var codes: UnsafePointer<UInt16>
    /// 1 to go on to the next code with each row.
    var step: Int
  }

  /// A field whose columns are dictionaries and constants, for all rows: one pass over the shapes of the rows, in
  /// which each row takes the next code of its shape's column. `nil` where the columns are others, or a shape has a
  /// value that another one hides.
  private func coded(_ chunks: [(index: Int, data: ColumnData)]) throws -> ColumnVector? {
    if chunks.count == 1, case .dictionary = chunks[0].data {
      // Goes on below; a constant is better kept as one.
    } else if chunks.count == 1 {
      return nil
    }
    // A value that another one hides would have to be passed over.
    if resolution.hidesValues { return nil }
    let laneOfShape = lanesOfShapes(chunks.map(\.index))
    var parts: [DictionaryVector] = []
    for (index, data) in chunks {
      guard let part = try codes(index, data, alone: chunks.count == 1) else { return nil }
      parts.append(part)
    }
    guard parts.reduce(0, { $0 + $1.entries.count }) < 4_096 || parts.count == 1 else { return nil }
    let missing = UInt16(parts.reduce(0) { $0 + $1.entries.count })
    let (all, starts) = Self.joined(parts, missing: missing)
    let isConstant = zip(parts, chunks).map {
      $0.codes.count == 1 && table.chunks[$1.index].valueCount != 1
    }
    let codes = [UInt16](unsafeUninitializedCapacity: shapeCodes.count) { target, used in
      all.withUnsafeBufferPointer { all in
        let base = all.baseAddress!
        var lanes = parts.indices.map {
          CodeLane(codes: base + starts[$0], step: isConstant[$0] ? 0 : 1)
        }
        lanes.append(CodeLane(codes: base + (all.count - 1), step: 0))
        Self.take(lanes, laneOfShape, shapeCodes, target)
      }
      used = shapeCodes.count
    }
    let entries: ColumnVector =
      parts.count == 1
      ? parts[0].entries : .values(parts.flatMap { $0.entries.values() })
    return .dictionary(DictionaryVector(codes: codes, entries: entries))
  }

  /// The codes of all columns in one array, those of a column behind the ones before it; the last is that of a row
  /// without value.
  ///
  /// - Returns: also where each column's codes start.
  private static func joined(
    _ parts: [DictionaryVector], missing: UInt16
  ) -> (all: [UInt16], starts: [Int]) {
    var starts: [Int] = []
    let total = parts.reduce(1) { $0 + $1.codes.count }
    let all = [UInt16](unsafeUninitializedCapacity: total) { target, used in
      var first: UInt16 = 0
      for part in parts {
        starts.append(used)
        let own = UInt16(part.entries.count)
        // Room for the codes of all parts was asked for.
        let place = target.baseAddress! + used
        part.codes.withUnsafeBufferPointer { codes in
          for i in codes.indices { place[i] = codes[i] == own ? missing : first &+ codes[i] }
        }
        used += part.codes.count
        first &+= own
      }
      target[used] = missing
      used += 1
    }
    return (all, starts)
  }

  /// Takes each row's code from the lane of its shape.
  ///
  /// A column has as many codes as the shapes that have it have rows, by the table, which the shapes of the
  /// rows agree with: so no lane runs out. A lane that has come to its end may be looked at, as the code for rows
  /// without value lies behind all, but not taken from.
  private static func take(
    _ lanes: [CodeLane], _ laneOfShape: [UInt16], _ shapeCodes: [UInt16],
    _ target: UnsafeMutableBufferPointer<UInt16>
  ) {
    if lanes.count <= 3 { return takeFew(lanes, laneOfShape, shapeCodes, target) }
    var lanes = lanes
    lanes.withUnsafeMutableBufferPointer { lanes in
      laneOfShape.withUnsafeBufferPointer { laneOfShape in
        shapeCodes.withUnsafeBufferPointer { shapes in
          for row in shapes.indices {
            let lane = lanes.baseAddress! + Int(laneOfShape[Int(shapes[row])])
            target[row] = lane.pointee.codes.pointee
            lane.pointee.codes += lane.pointee.step
          }
        }
      }
    }
  }

  /// The same for one or two columns, the usual case, whose lanes stay in registers.
  private static func takeFew(
    _ lanes: [CodeLane], _ laneOfShape: [UInt16], _ shapeCodes: [UInt16],
    _ target: UnsafeMutableBufferPointer<UInt16>
  ) {
    var first = lanes[0].codes
    var second = lanes[1].codes
    let missing = lanes[lanes.count - 1].codes.pointee
    let firstStep = lanes[0].step
    let secondStep = lanes[1].step
    laneOfShape.withUnsafeBufferPointer { laneOfShape in
      shapeCodes.withUnsafeBufferPointer { shapes in
        for row in shapes.indices {
          let lane = laneOfShape[Int(shapes[row])]
          let other = lane == 1 ? second.pointee : missing
          target[row] = lane == 0 ? first.pointee : other
          first += lane == 0 ? firstStep : 0
          second += lane == 1 ? secondStep : 0
        }
      }
    }
  }

  /// For each shape the number of the chunk, among those given, that has its value, or one more for none.
  private func lanesOfShapes(_ chunks: [Int]) -> [UInt16] {
    let none = UInt16(chunks.count)
    var laneOfChunk = [UInt16](repeating: none, count: table.chunks.count)
    for (lane, chunk) in chunks.enumerated() { laneOfChunk[chunk] = UInt16(lane) }
    return resolution.places.map { place in
      if case .chunk(let chunk) = place { laneOfChunk[chunk] } else { none }
    }
  }

  /// The codes of a column's values; one code for a constant.
  private func codes(
    _ index: Int, _ data: ColumnData, alone: Bool
  ) throws -> DictionaryVector? {
    let chunk = table.chunks[index]
    guard let coded = alone ? (data, 0) : data.fewValues() else { return nil }
    let typed = DenseColumn(data: coded.0, kind: chunk.kind, hasEscapes: chunk.hasEscapes)
    if case .constant = coded.0 {
      guard case .dictionary(let one) = try typed.coded(positions: .all(1)) else { return nil }
      return one
    }
    guard case .dictionary(let vector) = try typed.vector(positions: .all(chunk.valueCount)),
      vector.codes.count == chunk.valueCount
    else { return nil }
    return vector
  }

  // MARK: Counts

  /// How many rows have each value, whichever they are: the values of a column are counted as they lie, and the shapes of
  /// the rows need not be read. `nil` where columns have many values or hide each other's, or texts must be looked into.
  ///
  /// - Parameter entries: counts the entries of a dictionary, where that is less than decoding it.
  func counts(
    column: (Int) throws -> ColumnData, entries: (Int) throws -> CountedEntries?
  ) throws -> [CountedValues]? {
    guard !resolution.hasStructures, !resolution.hasTexts, !resolution.hidesValues else {
      return nil
    }
    var result: [CountedValues] = []
    var missing = Int64(table.rowCount)
    for index in resolution.chunks {
      if let counted = try entries(index) {
        let (part, missingCount) = try counts(ofEntries: counted, index)
        missing -= Int64(table.chunks[index].valueCount) - missingCount
        result.append(part)
        continue
      }
      let data = try column(index)
      if case .integers(let numbers) = data {
        guard let counted = try counts(ofNumbers: numbers, index) else { return nil }
        missing -= Int64(numbers.count)
        result.append(counted)
        continue
      }
      guard let part = try codes(index, data, alone: false) else { return nil }
      let count = Int64(table.chunks[index].valueCount)
      var counts =
        part.codes.count == 1 && count != 1
        ? (0...part.entries.count).map { $0 == Int(part.codes[0]) ? count : 0 }
        : Self.counts(of: part.codes, below: part.entries.count + 1)
      missing -= count - counts.removeLast()
      result.append(Self.counted(part.entries, counts))
    }
    if missing > 0 { result.append(CountedValues(values: .missing(count: 1), counts: [missing])) }
    return result
  }

  /// The same of a vector of all rows; `nil` if it is no dictionary of texts.
  static func counts(of vector: ColumnVector) -> [CountedValues]? {
    guard case .dictionary(let dictionary) = vector, case .strings(let texts) = dictionary.entries,
      texts.validity == nil
    else { return nil }
    var counts = counts(of: dictionary.codes, below: texts.count + 1)
    let missing = counts.removeLast()
    let result = [counted(dictionary.entries, counts)]
    return missing == 0
      ? result : result + [CountedValues(values: .missing(count: 1), counts: [missing])]
  }

  private static func counted(_ values: ColumnVector, _ counts: [Int64]) -> CountedValues {
    if !counts.contains(0) { return CountedValues(values: values, counts: counts) }
    let used = counts.indices.filter { counts[$0] > 0 }
    return CountedValues(
      values: values.gather(used.map { UInt32($0) }), counts: used.map { counts[$0] })
  }

  /// Of the entries of a dictionary; also how many are no value, as JSON null is none.
  private func counts(
    ofEntries counted: CountedEntries, _ index: Int
  ) throws -> (CountedValues, missing: Int64) {
    let chunk = table.chunks[index]
    let codes = (0..<counted.entries.count).map { UInt16($0) }
    let column = DenseColumn(
      data: .dictionary(codes: codes, entries: counted.entries), kind: chunk.kind,
      hasEscapes: chunk.hasEscapes)
    guard case .dictionary(let part) = try column.vector(positions: .all(codes.count)) else {
      throw DecodingFailure("entries that are no dictionary")
    }
    var counts = [Int64](repeating: 0, count: part.entries.count + 1)
    for (code, count) in zip(part.codes, counted.counts) { counts[Int(code)] += count }
    let missing = counts.removeLast()
    return (Self.counted(part.entries, counts), missing)
  }

  /// Of numbers that lie close together; `nil` if they do not.
  private func counts(ofNumbers numbers: [Int64], _ index: Int) throws -> CountedValues? {
    guard let range = numbers.narrowRange else { return nil }
    let least = range.lowerBound
    var counts = [Int64](repeating: 0, count: range.count)
    counts.withUnsafeMutableBufferPointer { counts in
      for number in numbers { counts[Int(number &- least)] &+= 1 }
    }
    let used = counts.indices.filter { counts[$0] > 0 }
    let values = DenseColumn(
      data: .integers(used.map { least + Int64($0) }), kind: table.chunks[index].kind,
      hasEscapes: false)
    return CountedValues(
      values: try values.vector(positions: .all(used.count)), counts: used.map { counts[$0] })
  }

  /// Into two arrays in turn, so that an addition need not wait for the one before it to the same counter.
  private static func counts(of codes: [UInt16], below limit: Int) -> [Int64] {
    var even = [Int64](repeating: 0, count: limit)
    var odd = even
    // No code is above the number of entries, which is the code for none.
    codes.withUnsafeBufferPointer { codes in
      even.withUnsafeMutableBufferPointer { even in
        odd.withUnsafeMutableBufferPointer { odd in
          for i in stride(from: 0, to: codes.count & ~1, by: 2) {
            even[Int(codes[i])] &+= 1
            odd[Int(codes[i &+ 1])] &+= 1
          }
        }
      }
    }
    if codes.count % 2 == 1 { even[Int(codes[codes.count - 1])] &+= 1 }
    return zip(even, odd).map { $0 + $1 }
  }

  // MARK: Several small dictionaries

  /// A field that is a text in some rows and a number in others, each with few values: one dictionary of
  /// all, so that the query works on codes. `nil` when some chunk is no dictionary.
  private func united(_ chunks: [(index: Int, data: ColumnData)]) throws -> ColumnVector? {
    var entries: [Value] = []
    var codes = [UInt16](repeating: .max, count: count)
    for (index, data) in chunks {
      let chunk = table.chunks[index]
      guard let coded = data.fewValues(), entries.count + coded.entryCount < 4_096 else {
        return nil
      }
      let typed = DenseColumn(data: coded.data, kind: chunk.kind, hasEscapes: chunk.hasEscapes)
      let spread = try typed.coded(positions: try positions(of: index))
      guard case .dictionary(let vector) = spread else {
        return nil
      }
      let first = UInt16(entries.count)
      let missing = UInt16(vector.entries.count)
      codes.withUnsafeMutableBufferPointer { codes in
        vector.codes.withUnsafeBufferPointer { own in
          for row in own.indices {
            codes[row] = own[row] == missing ? codes[row] : first &+ own[row]
          }
        }
      }
      entries += vector.entries.values()
    }
    let missing = UInt16(entries.count)
    for row in codes.indices where codes[row] == .max { codes[row] = missing }
    return .dictionary(DictionaryVector(codes: codes, entries: .values(entries)))
  }

  // MARK: Rows of different nature

  private func mixed(
    _ chunks: [(index: Int, data: ColumnData)],
    messages: (SelectionVector?) throws -> StringVector
  ) throws -> ColumnVector {
    var values = [Value](repeating: .missing, count: count)
    for (index, data) in chunks {
      let chunk = table.chunks[index]
      let typed = DenseColumn(data: data, kind: chunk.kind, hasEscapes: chunk.hasEscapes)
      guard case .some(let positions, _) = try positions(of: index) else { continue }
      for (i, position) in positions.enumerated() where position >= 0 {
        values[i] = try typed.value(Int(position))
      }
    }
    if resolution.hasStructures || resolution.hasTexts {
      try fillFromMessages(&values, messages: messages)
    }
    return values.allSatisfy(\.isMissing) ? .missing(count: values.count) : .values(values)
  }

  private func fillFromMessages(
    _ values: inout [Value], messages: (SelectionVector?) throws -> StringVector
  ) throws {
    var places: [Int] = []
    var wanted: SelectionVector = []
    for i in 0..<count {
      let row = rows.map { $0[i] } ?? UInt32(i)
      switch resolution.places[Int(shapeCodes[Int(row)])] {
      case .structure, .text:
        places.append(i)
        wanted.append(row)
      case .absent, .chunk: break
      }
    }
    if wanted.isEmpty { return }
    let texts = try messages(wanted)
    texts.bytes.withUnsafeBytes { bytes in
      for (k, place) in places.enumerated() {
        let text = UnsafeRawBufferPointer(rebasing: bytes[texts.range(k)])
        if resolution.places[Int(shapeCodes[Int(wanted[k])])] == .text {
          values[place] = TextFields.value(of: field, in: text)
        } else {
          values[place] = FieldPath.value(of: field, inObject: text)
        }
      }
    }
  }
}

extension ColumnData {
  /// The column as one value or a dictionary, if it is one or has only a few whole numbers.
  fileprivate func fewValues() -> (data: ColumnData, entryCount: Int)? {
    switch self {
    case .constant: return (self, 1)
    case .dictionary(_, let texts): return (self, texts.count)
    case .integers(let values):
      guard let range = values.narrowRange else { return nil }
      let least = range.lowerBound
      var codeOf = [UInt16](repeating: .max, count: range.count)
      var texts = TextRun(offsets: [0], bytes: [])
      let codes = values.map { value in
        let place = Int(value - least)
        if codeOf[place] == .max {
          codeOf[place] = UInt16(texts.count)
          DecimalText.append(value, to: &texts.bytes)
          texts.offsets.append(UInt32(texts.bytes.count))
        }
        return codeOf[place]
      }
      return (.dictionary(codes: codes, entries: texts), texts.count)
    default: return nil
    }
  }
}

extension [Int64] {
  /// From the least to the greatest, if these are small numbers that lie close together.
  fileprivate var narrowRange: ClosedRange<Int64>? {
    guard let first else { return nil }
    var least = first
    var greatest = first
    for number in self {
      least = Swift.min(least, number)
      greatest = Swift.max(greatest, number)
    }
    guard least > -1_000_000, greatest < 1_000_000, greatest - least < 4_096 else { return nil }
    return least...greatest
  }
}

extension [FieldResolution.Place] {
  /// Whether every shape that has rows has the field in this chunk.
  fileprivate func allShapes(in table: RowGroupTable, at index: Int) -> Bool {
    zip(self, table.shapes.rowCounts).allSatisfy { place, rowCount in
      rowCount == 0 || place == .chunk(index)
    }
  }
}
