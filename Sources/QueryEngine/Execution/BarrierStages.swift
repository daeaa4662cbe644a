import Columnar

/// Keeps the first row of each combination of values; a row without one of the values is kept.
///
/// Rows leave as they come, until memory has no room for more combinations: the rows behind that point
/// leave at the end, see ``SpilledDuplicates``.
final class DedupStage: RowStage {
  private let keys: [SlotID]
  private let layout: PlanLayout
  private let control: RunControl
  private let next: any RowStage
  private var filter: DistinctFilter
  private var reserved = 0
  private var spilled: SpilledDuplicates?

  init(_ keys: [SlotID], layout: PlanLayout, control: RunControl, next: any RowStage) {
    self.keys = keys
    self.layout = layout
    self.control = control
    self.next = next
    filter = DistinctFilter(keyCount: keys.count)
  }

  var isSatisfied: Bool { next.isSatisfied }

  func consume(_ batch: RowBatch) throws {
    try control.check()
    var frame = Frame(batch, layout: layout)
    let columns = try keys.map { try frame.column($0).scalars(layout) }
    if spilled != nil { return try spilled!.add(batch, keys: columns) }
    guard hasRoom(for: columns) else {
      try goOnFromDisk()
      return try spilled!.add(batch, keys: columns)
    }
    let rows = filter.firstRows(of: columns, rowCount: batch.rowCount)
    releaseUnused()
    if rows.isEmpty { return }
    try next.consume(rows.count == batch.rowCount ? batch : batch.gather(rows))
  }

  /// Reserves what the filter takes if each row has a combination of its own.
  private func hasRoom(for columns: [ColumnVector]) -> Bool {
    let incoming = columns.reduce(0) { $0 + $1.approximateByteCount }
    let byteCount = MemoryBudget.growing(filter.byteCount + incoming)
    guard control.budget.tryReserve(byteCount - reserved, holding: reserved) else { return false }
    reserved = byteCount
    return true
  }

  private func releaseUnused() {
    let byteCount = MemoryBudget.growing(filter.byteCount)
    control.budget.release(reserved - byteCount)
    reserved = byteCount
  }

  private func goOnFromDisk() throws {
    spilled = try SpilledDuplicates(behind: filter, budget: control.budget)
    filter = DistinctFilter(keyCount: keys.count)
    control.budget.release(reserved)
    reserved = 0
  }

  func finish() throws {
    control.budget.release(reserved)
    try spilled?.drain(until: { next.isSatisfied }) { try next.consume($0) }
    spilled = nil
    try next.finish()
  }
}

/// Turns each row into one per match of a regular expression; a row without match stays, once.
final class MatchesStage: RowStage {
  private let extraction: Extraction
  private let captures: [SlotID]
  private let layout: PlanLayout
  private let next: any RowStage

  init(_ extraction: Extraction, _ captures: [SlotID], layout: PlanLayout, next: any RowStage) {
    self.extraction = extraction
    self.captures = captures
    self.layout = layout
    self.next = next
  }

  var isSatisfied: Bool { next.isSatisfied }

  func consume(_ batch: RowBatch) throws {
    var frame = Frame(batch, layout: layout)
    let source = try extraction.source.evaluate(&frame)
    let matches = extraction.allMatches(in: source)
    var result = batch.gather(matches.rows)
    for (slot, column) in zip(captures, matches.captures) { result.columns[slot] = column }
    try next.consume(result)
  }

  func finish() throws { try next.finish() }
}

extension Extraction {
  /// Every match of a column of texts: the row each belongs to, and one column per capture.
  fileprivate func allMatches(
    in source: ColumnVector
  ) -> (rows: SelectionVector, captures: [ColumnVector]) {
    guard case .regex(let regex, let groups) = method, let texts = source.texts() else {
      let rows = SelectionVector(0..<UInt32(source.count))
      return (rows, Array(repeating: .missing(count: source.count), count: captureCount))
    }
    var rows: SelectionVector = []
    var found: [[Range<Int>?]?] = []
    for row in 0..<texts.count {
      let matches = texts.validity?[row] ?? true ? regex.allMatches(in: texts, row: row) : []
      rows += repeatElement(UInt32(row), count: max(1, matches.count))
      if matches.isEmpty { found.append(nil) } else { found += matches.map { $0 } }
    }
    return (rows, groups.map { Self.column(of: $0, found, texts) })
  }

  private static func column(
    of group: Int, _ matches: [[Range<Int>?]?], _ texts: StringVector
  ) -> ColumnVector {
    var builder = CaptureBuilder(rowCount: matches.count)
    for match in matches {
      if let range = match?[group] ?? nil {
        builder.append(texts.bytes[range])
      } else {
        builder.appendMissing()
      }
    }
    return builder.vector()
  }
}
