import Columnar

/// The values of one chunk, made into vectors of the query language's types.
struct DenseColumn {
  /// Which values go where.
  enum Positions {
    /// Value `i` to row `i`, this many.
    case all(Int)
    /// One position per row, −1 for a missing row.
    case some([Int32], anyMissing: Bool)

    var count: Int {
      switch self {
      case .all(let count): count
      case .some(let positions, _): positions.count
      }
    }
  }

  let data: ColumnData
  let kind: SlotKind
  let hasEscapes: Bool

  /// - Throws: when a part of the column is read first here, and damaged.
  func vector(positions: Positions) throws -> ColumnVector {
    switch data {
    case .constant(let text): constant(text, positions)
    case .dictionary(let codes, let entries): try dictionary(codes, entries, positions)
    case .integers(let values):
      .integers(
        IntegerVector(
          values: gather(values, positions, missing: 0), validity: validity(positions)))
    case .decimals(let run):
      .decimals(
        DecimalVector(
          mantissas: gather(run.mantissas, positions, missing: 0),
          scales: run.scales.isEmpty ? [] : gather(run.scales, positions, missing: 0),
          scale: run.scale, validity: validity(positions)))
    case .timestamps(let run): timestamps(run, positions)
    case .texts(let run): try texts(run, positions)
    case .doubles(let numbers):
      .doubles(
        DoubleVector(
          values: gather(numbers, positions, missing: 0), validity: validity(positions),
          isSource: true))
    case .identifiers(let run): identifiers(run, positions)
    case .templates(let run): try templates(run, positions)
    case .reference: try .values(values(positions))
    }
  }

  /// The values as a dictionary, if they are one value or a dictionary.
  func coded(positions: Positions) throws -> ColumnVector {
    let vector = try vector(positions: positions)
    switch vector {
    case .constant(let value, let count):
      return .dictionary(
        DictionaryVector(
          codes: [UInt16](repeating: 0, count: count), entries: .constant(value, count: 1)))
    case .missing(let count):
      return .dictionary(
        DictionaryVector(
          codes: [UInt16](repeating: 0, count: count), entries: .missing(count: 0)))
    default:
      return vector
    }
  }

  // MARK: Forms

  private func constant(_ text: [UInt8], _ positions: Positions) -> ColumnVector {
    let value = text.withUnsafeBytes { cell($0) }
    if value.isMissing { return .missing(count: positions.count) }
    guard case .some(let rows, anyMissing: true) = positions else {
      return .constant(value, count: positions.count)
    }
    return .dictionary(
      DictionaryVector(
        codes: rows.map { $0 < 0 ? 1 : 0 }, entries: .constant(value, count: 1)))
  }

  private func dictionary(
    _ codes: [UInt16], _ entries: TextRun, _ positions: Positions
  ) throws -> ColumnVector {
    if kind != .string, kind != .number {
      return literals(codes, entries, positions)
    }
    let values = DenseColumn(data: .texts(entries), kind: kind, hasEscapes: hasEscapes)
    return .dictionary(
      DictionaryVector(
        codes: gather(codes, positions, missing: UInt16(entries.count)),
        entries: try values.vector(positions: .all(entries.count))))
  }

  /// `true`, `false` and `null`: the code of `null` becomes the code of a missing row.
  private func literals(
    _ codes: [UInt16], _ entries: TextRun, _ positions: Positions
  ) -> ColumnVector {
    var codeOf: [UInt16] = []
    var values: [Value] = []
    for i in 0..<entries.count {
      let value = entries.bytes.withUnsafeBytes {
        cell(UnsafeRawBufferPointer(rebasing: $0[entries.range(i)]))
      }
      codeOf.append(value.isMissing ? .max : UInt16(values.count))
      if !value.isMissing { values.append(value) }
    }
    let missing = UInt16(values.count)
    let mapped = gather(codes, positions, missing: .max).map { code in
      code == .max || codeOf[Int(code)] == .max ? missing : codeOf[Int(code)]
    }
    return .dictionary(DictionaryVector(codes: mapped, entries: .values(values)))
  }

  private func identifiers(_ run: IdentifierRun, _ positions: Positions) -> ColumnVector {
    if let coded = codedIdentifiers(run, positions) { return coded }
    let texts =
      switch positions {
      case .all(let count): run.texts(count) { $0 }
      case .some(let rows, _): run.texts(rows.count) { Int(rows[$0]) }
      }
    return .strings(
      StringVector(offsets: texts.offsets, bytes: texts.bytes, validity: validity(positions)))
  }

  /// Ids that repeat, each written out once; `nil` if too few do.
  private func codedIdentifiers(_ run: IdentifierRun, _ positions: Positions) -> ColumnVector? {
    // Few ids are sooner written out than looked up in a table as long as the pool.
    guard run.indices.count >= 64, positions.count * 2 >= run.indices.count,
      run.pool.count / run.form.width <= run.indices.count * 16
    else { return nil }
    var codeOf = [UInt16](repeating: .max, count: run.pool.count / run.form.width)
    var firsts: [Int] = []
    var codes = [UInt16](repeating: .max, count: run.indices.count)
    for (i, index) in run.indices.enumerated() {
      if codeOf[Int(index)] == .max {
        guard firsts.count * 2 < run.indices.count else { return nil }
        codeOf[Int(index)] = UInt16(truncatingIfNeeded: firsts.count)
        firsts.append(i)
      }
      codes[i] = codeOf[Int(index)]
    }
    let texts = run.texts(firsts.count) { firsts[$0] }
    return .dictionary(
      DictionaryVector(
        codes: gather(codes, positions, missing: UInt16(firsts.count)),
        entries: .strings(StringVector(offsets: texts.offsets, bytes: texts.bytes))))
  }

  private func timestamps(_ run: TimestampTextRun, _ positions: Positions) -> ColumnVector {
    strings(positions) { position, bytes in run.append(position, to: &bytes) }
  }

  /// Few texts are put together by themselves, many all at once.
  private func templates(
    _ run: TemplateRun, _ positions: Positions
  ) throws -> ColumnVector {
    guard case .some(let rows, let anyMissing) = positions, rows.count * 2 < run.count else {
      return try texts(run.texts(), positions)
    }
    let found = try run.texts(at: rows.compactMap { $0 < 0 ? nil : UInt32($0) })
    var next: Int32 = -1
    let order = rows.map { row -> Int32 in
      if row < 0 { return -1 }
      next += 1
      return next
    }
    return try texts(found, .some(order, anyMissing: anyMissing))
  }

  private func texts(_ run: TextRun, _ positions: Positions) throws -> ColumnVector {
    switch kind {
    case .string:
      let plain = hasEscapes ? JSONEscapes.decoded(run) : run
      if case .all = positions {
        return .strings(StringVector(offsets: plain.offsets, bytes: plain.bytes))
      }
      return spread(plain, positions)
    case .number:
      return try numbers(run, positions)
    case .literal, .verbatim, .text:
      return try .values(values(positions))
    }
  }

  /// Numbers kept as text: whole ones as integers when all are, else each with its text.
  private func numbers(_ run: TextRun, _ positions: Positions) throws -> ColumnVector {
    let values = try values(positions)
    var integers: [Int64] = []
    integers.reserveCapacity(values.count)
    for value in values {
      switch value {
      case .integer(let number): integers.append(number)
      case .missing: integers.append(0)
      default: return .values(values)
      }
    }
    return .integers(IntegerVector(values: integers, validity: validity(positions)))
  }

  private func values(_ positions: Positions) throws -> [Value] {
    switch positions {
    case .all(let count): try (0..<count).map(value)
    case .some(let rows, _): try rows.map { $0 < 0 ? .missing : try value(Int($0)) }
    }
  }

  // MARK: Cells

  /// One value by its position in the chunk.
  func value(_ position: Int) throws -> Value {
    switch data {
    case .constant(let text):
      return text.withUnsafeBytes { cell($0) }
    case .integers(let values):
      return .integer(values[position])
    case .dictionary(let codes, let entries):
      return entries.bytes.withUnsafeBytes {
        cell(UnsafeRawBufferPointer(rebasing: $0[entries.range(Int(codes[position]))]))
      }
    case .texts(let run):
      return run.bytes.withUnsafeBytes {
        cell(UnsafeRawBufferPointer(rebasing: $0[run.range(position)]))
      }
    case .doubles(let numbers):
      let number = numbers[position]
      return .sourceNumber(SourceNumber(value: number, text: number.description))
    case .decimals, .timestamps, .identifiers, .templates, .reference:
      var text: [UInt8] = []
      try data.appendText(position, to: &text)
      return text.withUnsafeBytes { cell($0) }
    }
  }

  private func cell(_ text: UnsafeRawBufferPointer) -> Value {
    switch kind {
    case .string:
      if hasEscapes {
        var bytes: [UInt8] = []
        JSONEscapes.append(text, to: &bytes)
        return .string(String(decoding: bytes, as: UTF8.self))
      }
      return .string(String(decoding: text, as: UTF8.self))
    case .number:
      return NumberLexeme.value(of: text)
    case .literal:
      switch text.first {
      case UInt8(ascii: "t"): return .jsonBoolean(true)
      case UInt8(ascii: "f"): return .jsonBoolean(false)
      default: return .missing
      }
    case .verbatim, .text:
      return .string(String(decoding: text, as: UTF8.self))
    }
  }

  // MARK: Spreading

  @inline(__always)
  private func gather<T>(_ values: [T], _ positions: Positions, missing: T) -> [T] {
    guard case .some(let rows, _) = positions else { return values }
    guard !values.isEmpty else { return [T](repeating: missing, count: rows.count) }
    let last = rows.withUnsafeBufferPointer { rows in
      rows.reduce(Int32(-1)) { max($0, $1) }
    }
    precondition(Int(last) < values.count, "a position behind the last value")
    // Whether a row has a value is hard to predict, so none is jumped over: one without takes the first value, and
    // drops it. All positions are below the number of values, as was just checked.
    return [T](unsafeUninitializedCapacity: rows.count) { target, used in
      values.withUnsafeBufferPointer { values in
        rows.withUnsafeBufferPointer { rows in
          for i in rows.indices {
            let value = values[Int(max(rows[i], 0))]
            target[i] = rows[i] < 0 ? missing : value
          }
        }
      }
      used = rows.count
    }
  }

  private func validity(_ positions: Positions) -> Bitmap? {
    guard case .some(let rows, anyMissing: true) = positions else { return nil }
    return Bitmap(notNegative: rows)
  }

  /// Texts by position; lengths are added up first, so the bytes are copied into memory of the right size.
  private func spread(_ run: TextRun, _ positions: Positions) -> ColumnVector {
    guard case .some(let rows, _) = positions else {
      return .strings(StringVector(offsets: run.offsets, bytes: run.bytes))
    }
    var offsets = [UInt32](repeating: 0, count: rows.count + 1)
    var total: UInt32 = 0
    for (i, position) in rows.enumerated() {
      if position >= 0 { total &+= run.offsets[Int(position) &+ 1] &- run.offsets[Int(position)] }
      offsets[i &+ 1] = total
    }
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(total)) { target, used in
      run.bytes.withUnsafeBytes { source in
        for (i, position) in rows.enumerated() where position >= 0 {
          let range = run.range(Int(position))
          // Offsets of the run were checked against its bytes when it was decoded, and `offsets` adds the
          // same lengths, so source and target ranges are in bounds.
          if !range.isEmpty {
            UnsafeMutableRawPointer(target.baseAddress! + Int(offsets[i])).copyMemory(
              from: source.baseAddress! + range.lowerBound, byteCount: range.count)
          }
        }
      }
      used = Int(total)
    }
    return .strings(StringVector(offsets: offsets, bytes: bytes, validity: validity(positions)))
  }

  private func strings(
    _ positions: Positions, _ append: (Int, inout [UInt8]) -> Void
  ) -> ColumnVector {
    var offsets: [UInt32] = [0]
    var bytes: [UInt8] = []
    offsets.reserveCapacity(positions.count + 1)
    switch positions {
    case .all(let count):
      for position in 0..<count {
        append(position, &bytes)
        offsets.append(UInt32(bytes.count))
      }
    case .some(let rows, _):
      for position in rows {
        if position >= 0 { append(Int(position), &bytes) }
        offsets.append(UInt32(bytes.count))
      }
    }
    return .strings(StringVector(offsets: offsets, bytes: bytes, validity: validity(positions)))
  }
}
