import Columnar

// Long texts a part of the rows at a time. What expressions make of a column of texts is as large as the column, and so
// is what a table of groups takes of it; for a row group of records that is some 30 MB each. The fields
// themselves are read for all rows at once, as they lie together; all that follows is made part by part.

extension Frame {
  /// Bytes of the fields of a part.
  private static let byteCountOfPart = 4 << 20

  /// Calls `body` with the rows, in parts if the fields that some expressions are made of have many bytes.
  ///
  /// - Throws: what `body` throws, and `StorageError` when a field cannot be read, which is known before the first of
  ///   several parts.
  mutating func forEachPart(
    of expressions: [BoundExpression], _ body: (inout Frame) throws -> Void
  ) throws {
    let plan = layout.plan
    let read = Set(expressions.flatMap(plan.fieldsRead))
    let byteCount = try read.reduce(0) { $0 + (try column($1).approximateByteCount) }
    guard byteCount > Self.byteCountOfPart else { return try body(&self) }
    for slot in Set(expressions.flatMap(plan.fields)) { _ = try column(slot) }
    let step = max(1, Self.byteCountOfPart / (byteCount / max(1, rowCount) + 1))
    for start in stride(from: 0, to: rowCount, by: step) {
      var part = self
      let end = min(start + step, rowCount)
      part.narrow(to: SelectionVector(UInt32(start)..<UInt32(end)))
      try body(&part)
    }
  }
}

extension LogicalPlan {
  /// The fields of events that an expression reads of every row: not those that it may only search, or read of some
  /// rows.
  fileprivate func fieldsRead(by expression: BoundExpression) -> [SlotID] {
    switch expression.kind {
    case .slot(let slot):
      switch slots[slot].source {
      case .event: [slot]
      case .expression(let definition): fieldsRead(by: definition)
      case .capture, .barrier: []
      }
    case .call(let call): call.arguments.flatMap(fieldsRead)
    default: []
    }
  }

  /// The fields of events that an expression is made of in any way.
  fileprivate func fields(of expression: BoundExpression) -> [SlotID] {
    expression.slots.flatMap { slot -> [SlotID] in
      switch slots[slot].source {
      case .event: [slot]
      case .expression(let definition): fields(of: definition)
      case .capture(let extraction, _): fields(of: extractions[extraction].source)
      case .barrier: []
      }
    }
  }
}
