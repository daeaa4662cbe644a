import Columnar
import LogStorage

// Expressions are worked out a column at a time. Two questions are asked of one: its values, and for
// which rows it is true; conditions answer the second with a bitmap and never make a value per row.
//
// A column of few distinct values comes as a dictionary. An expression that reads only such a column
// is worked out once per entry and then looked up per row:
//
//     level: codes 0 0 1 0 …, entries "info" "error"
//     level = "error"  →  per entry: false true  →  per row: 0 0 1 0 …

extension BoundExpression {
  /// The values for the rows of a frame.
  ///
  /// - Throws: `StorageError` when a column cannot be read.
  func evaluate(_ frame: inout Frame) throws -> ColumnVector {
    switch kind {
    case .literal(.missing): return .missing(count: frame.rowCount)
    case .literal(let value): return .constant(value, count: frame.rowCount)
    case .slot(let slot): return try frame.column(slot)
    default: break
    }
    if slots.isEmpty { return try evaluateOnce(&frame) }
    if let entries = try distinctEntries(&frame) {
      var single = frame.entries(entries.slot, entries.values)
      return try evaluateRows(&single).gather(entries.rows())
    }
    return try evaluateRows(&frame)
  }

  /// The rows for which the expression is true.
  ///
  /// - Throws: `StorageError` when a column cannot be read.
  func truth(_ frame: inout Frame) throws -> Bitmap {
    switch kind {
    case .and(let operands):
      var result = Bitmap(repeating: true, count: frame.rowCount)
      for operand in operands where !result.isEmpty {
        result.formIntersection(try operand.truth(&frame))
      }
      return result
    case .or(let operands):
      var result = Bitmap(repeating: false, count: frame.rowCount)
      for operand in operands where !result.isFull {
        result.formUnion(try operand.truth(&frame))
      }
      return result
    case .not(let operand):
      var result = try operand.truth(&frame)
      result.invert()
      return result
    default: break
    }
    if slots.isEmpty, frame.rowCount > 1 {
      var single = frame.entries(0, .missing(count: 1))
      return Bitmap(repeating: try truth(&single)[0], count: frame.rowCount)
    }
    if let found = try search(frame) { return found }
    if case .present(let operand) = kind, case .slot(let slot) = operand.kind {
      return try frame.column(slot).presence()
    }
    if slots.count == 1, let placed = try frame.placedValues(slots[0]) {
      return try truth(ofPlaced: placed, frame)
    }
    if let entries = try distinctEntries(&frame) {
      var single = frame.entries(entries.slot, entries.values)
      return entries.spread(try truthOfRows(&single))
    }
    return try truthOfRows(&frame)
  }

  /// Worked out for the values that there are, and once for a row without.
  private func truth(ofPlaced placed: PlacedValues, _ frame: Frame) throws -> Bitmap {
    var missing = frame.entries(slots[0], .missing(count: 1))
    let truthOfMissing = try truthOfRows(&missing)[0]
    var found = Bitmap(repeating: truthOfMissing, count: frame.rowCount)
    if placed.rows.isEmpty { return found }
    var present = frame.entries(slots[0], placed.values)
    var differing = try truthOfRows(&present)
    if truthOfMissing { differing.invert() }
    found.flip(placed.rows, where: differing)
    return found
  }

  /// The rows whose field is a text, holds a literal, or matches an expression of which every match holds one, if
  /// the row group finds the literals without reading the field's values.
  private func search(_ frame: Frame) throws -> Bitmap? {
    switch kind {
    case .compare(.equal, let left, let right):
      guard case .slot(let slot) = left.kind, case .literal(.string(let text)) = right.kind,
        // A text that is a number equals other spellings of it too.
        Value.string(text).number == nil
      else { return nil }
      return try frame.find(slot, equal: text)
    case .contains(let operand, let pattern, let isNegated):
      guard case .slot(let slot) = operand.kind, case .literal(let literal) = pattern.kind,
        let needle = literal.text,
        let found = try frame.search(slot, for: [ByteSearch(Array(needle.utf8))])
      else { return nil }
      return try signed(found, slot, isNegated, frame)
    case .matches(let operand, let regex, let isNegated):
      guard case .slot(let slot) = operand.kind, let literals = regex.requiredLiterals,
        let candidates = try frame.search(slot, for: literals),
        candidates.setCount * 2 < frame.rowCount
      else { return nil }
      let rows = candidates.setRows()
      var part = frame
      part.narrow(to: rows)
      let hits = VectorConditions.matches(try part.column(slot), regex, isNegated: false)
      var found = Bitmap(repeating: false, count: frame.rowCount)
      for hit in hits.setRows() { found[Int(rows[Int(hit)])] = true }
      return try signed(found, slot, isNegated, frame)
    default: return nil
    }
  }

  private func signed(
    _ found: Bitmap, _ slot: SlotID, _ isNegated: Bool, _ frame: Frame
  ) throws -> Bitmap {
    if !isNegated { return found }
    return VectorConditions.signed(found, present: try frame.presence(slot), isNegated: true)
  }

  /// A value that needs no row.
  private func evaluateOnce(_ frame: inout Frame) throws -> ColumnVector {
    if frame.rowCount == 1 { return try evaluateRows(&frame) }
    var single = frame.entries(0, .missing(count: 1))
    let value = try evaluateRows(&single).value(at: 0)
    return value.isMissing
      ? .missing(count: frame.rowCount) : .constant(value, count: frame.rowCount)
  }

  private struct DistinctEntries {
    let slot: SlotID
    /// Each distinct value once, and a missing one at the end.
    let values: ColumnVector
    /// For each row its place in `values`; `nil` where there is one value for all.
    let codes: [UInt16]?
    let rowCount: Int

    func rows() -> SelectionVector {
      codes?.map { UInt32($0) } ?? SelectionVector(repeating: 0, count: rowCount)
    }

    /// What holds of the values, for each row.
    func spread(_ truth: Bitmap) -> Bitmap {
      guard let codes else { return Bitmap(repeating: truth[0], count: rowCount) }
      return truth.spread(codes: codes)
    }
  }

  /// The distinct values of the only column read, if there are few of them.
  private func distinctEntries(_ frame: inout Frame) throws -> DistinctEntries? {
    guard slots.count == 1 else { return nil }
    switch try frame.column(slots[0]) {
    case .dictionary(let vector) where vector.entries.count < vector.codes.count / 2:
      let values = ColumnVector.concatenate([vector.entries, .missing(count: 1)])
      return DistinctEntries(
        slot: slots[0], values: values, codes: vector.codes, rowCount: vector.codes.count)
    case .constant(let value, let count) where count > 1:
      return DistinctEntries(
        slot: slots[0], values: .constant(value, count: 1), codes: nil, rowCount: count)
    case .missing(let count) where count > 1:
      return DistinctEntries(
        slot: slots[0], values: .missing(count: 1), codes: nil, rowCount: count)
    default: return nil
    }
  }

  // MARK: Rows

  private func evaluateRows(_ frame: inout Frame) throws -> ColumnVector {
    switch kind {
    case .literal(let value):
      return value.isMissing
        ? .missing(count: frame.rowCount) : .constant(value, count: frame.rowCount)
    case .slot(let slot): return try frame.column(slot)
    case .negate(let operand): return VectorMath.negated(try operand.evaluate(&frame))
    case .arithmetic(let sign, let left, let right):
      return VectorMath.apply(sign, try left.evaluate(&frame), try right.evaluate(&frame))
    case .shift(let operand, let period, let isNegative):
      return VectorMath.shifted(try operand.evaluate(&frame), by: period, isNegative: isNegative)
    case .rounded(let operand, let period, let isUp):
      return VectorMath.rounded(try operand.evaluate(&frame), to: period, isUp: isUp)
    case .list(let elements): return try evaluateList(elements, &frame)
    case .member(let operand, let name):
      return try operand.evaluate(&frame).mapValues { $0.member(name) }
    case .index(let operand, let index):
      return try zipValues(try operand.evaluate(&frame), try index.evaluate(&frame)) {
        $0.element(at: $1)
      }
    case .call(let call): return try evaluateCall(call, &frame)
    case .conditional(let branches, let otherwise):
      return try evaluateConditional(branches, otherwise, &frame)
    case .coalesce(let operands): return try evaluateCoalesce(operands, &frame)
    case .compare, .present, .and, .or, .not, .contains, .matches, .matchesText, .among, .amongList,
      .amongRows:
      return .booleans(BooleanVector(values: try truth(&frame)))
    }
  }

  private func truthOfRows(_ frame: inout Frame) throws -> Bitmap {
    switch kind {
    case .compare(let comparison, let left, let right):
      return VectorConditions.compare(
        comparison, try left.evaluate(&frame), try right.evaluate(&frame))
    case .present(let operand): return try operand.evaluate(&frame).presence()
    case .contains(let operand, let pattern, let isNegated):
      return VectorConditions.contains(
        try operand.evaluate(&frame), try pattern.evaluate(&frame), isNegated: isNegated)
    case .matches(let operand, let regex, let isNegated):
      return VectorConditions.matches(
        try operand.evaluate(&frame), regex, isNegated: isNegated)
    case .matchesText(let operand, let pattern, let isNegated, let place):
      return VectorConditions.matches(
        try operand.evaluate(&frame), try pattern.evaluate(&frame), isNegated: isNegated, at: place,
        frame.layout.context.functions.givenUp)
    case .among(let operand, let values, let isNegated):
      return VectorConditions.among(
        try operand.evaluate(&frame), values, isNegated: isNegated)
    case .amongList(let operand, let list, let isNegated):
      return VectorConditions.among(
        try operand.evaluate(&frame), try list.evaluate(&frame), isNegated: isNegated)
    case .amongRows(let operand, .result(let result), let isNegated):
      let vector = try operand.evaluate(&frame)
      return isNegated ? result.index.rowsOutside(of: vector) : result.index.rows(of: vector)
    case .amongRows(_, .subplan(let number), _):
      preconditionFailure("subplan \(number) has not been run")
    case .and, .or, .not: return try truth(&frame)
    default: return VectorConditions.truth(try evaluateRows(&frame))
    }
  }

  private func evaluateList(
    _ elements: [BoundExpression], _ frame: inout Frame
  ) throws -> ColumnVector {
    let columns = try elements.map { try $0.evaluate(&frame).values() }
    return .values(
      (0..<frame.rowCount).map { row in .list(columns.map { $0[row] }) })
  }

  private func evaluateCall(_ call: BoundCall, _ frame: inout Frame) throws -> ColumnVector {
    let arguments = try call.arguments.map { try $0.evaluate(&frame) }
    return try call.evaluate(
      arguments, rowCount: frame.rowCount, context: frame.layout.context.functions)
  }

  /// Each branch is worked out only for the rows that reach it.
  private func evaluateConditional(
    _ branches: [ConditionalBranch], _ otherwise: BoundExpression, _ frame: inout Frame
  ) throws -> ColumnVector {
    var open = Bitmap(repeating: true, count: frame.rowCount)
    var results = [Value](repeating: .missing, count: frame.rowCount)
    for branch in branches where !open.isEmpty {
      var chosen = try branch.condition.truth(&frame)
      chosen.formIntersection(open)
      open.formSubtraction(chosen)
      try fill(&results, chosen, branch.value, frame)
    }
    try fill(&results, open, otherwise, frame)
    return ColumnVector(results)
  }

  private func evaluateCoalesce(
    _ operands: [BoundExpression], _ frame: inout Frame
  ) throws -> ColumnVector {
    var open = Bitmap(repeating: true, count: frame.rowCount)
    var results = [Value](repeating: .missing, count: frame.rowCount)
    for operand in operands where !open.isEmpty {
      try fill(&results, open, operand, frame)
      for row in open.setRows() where !results[Int(row)].isMissing { open[Int(row)] = false }
    }
    return ColumnVector(results)
  }

  private func fill(
    _ results: inout [Value], _ chosen: Bitmap, _ expression: BoundExpression, _ frame: Frame
  ) throws {
    guard !chosen.isEmpty else { return }
    let rows = chosen.setRows()
    var part = frame
    if rows.count < frame.rowCount { part.narrow(to: rows) }
    let values = try expression.evaluate(&part)
    for (place, row) in rows.enumerated() { results[Int(row)] = values.value(at: place) }
  }
}

private func zipValues(
  _ left: ColumnVector, _ right: ColumnVector, _ body: (Value, Value) -> Value
) throws -> ColumnVector {
  ColumnVector((0..<left.count).map { body(left.value(at: $0), right.value(at: $0)) })
}

extension ColumnVector {
  /// Each value replaced by another one.
  func mapValues(_ body: (Value) -> Value) -> ColumnVector {
    if case .missing = self { return self }
    return ColumnVector(values().map(body))
  }

  /// The vector as a sort key or group key: maps and lists count as missing there.
  func sortable() -> ColumnVector {
    guard case .values(let values) = self, values.contains(where: \.isStructure) else {
      return self
    }
    return .values(values.map { $0.isStructure ? .missing : $0 })
  }
}

extension Value {
  /// The member of a map; missing if there is none or the value is no map.
  func member(_ name: String) -> Value {
    switch self {
    case .map: member(key: name)
    case .list: Int(name).map { element($0) } ?? .missing
    default: .missing
    }
  }

  /// The element of a list by its number from 0, or the member of a map by its name.
  func element(at index: Value) -> Value {
    switch index {
    case .integer(let number): element(Int(number))
    case .double(let number): Int(exactly: number).map { element($0) } ?? .missing
    case .sourceNumber(let number): Int(exactly: number.value).map { element($0) } ?? .missing
    case .string(let name): member(key: name)
    default: .missing
    }
  }
}
