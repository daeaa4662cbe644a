import Columnar
import LogStorage

// Rows on their way through the streaming steps of a segment. A frame starts as all visible rows of
// a row group with not one value read. A step asks for a slot, and only then is its column decoded,
// for the rows that are left, or its definition computed; a filter narrows the rows and what has
// been read of them. `filter level = "error" | fields @message | limit 20` therefore decodes
// `level`, and the texts of at most 20 rows.

/// The rows of one row group, or of one batch, and the values found so far.
struct Frame {
  let layout: PlanLayout
  private(set) var rowCount: Int
  private var columns: [ColumnVector?]
  private var events: EventRows?
  private var knownOrder: RowOrder?
  private var discovered: [NamedColumn]

  /// All visible rows of a row group.
  init(_ rowGroup: any RowGroup, layout: PlanLayout) {
    self.layout = layout
    let rows = EventRows(rowGroup)
    events = rows
    rowCount = rows.count
    columns = Array(repeating: nil, count: layout.plan.slots.count)
    discovered = []
  }

  /// Some rows of a row group, ascending.
  init(_ rowGroup: any RowGroup, rows: SelectionVector, layout: PlanLayout) {
    self.init(rowGroup, layout: layout)
    rowCount = rows.count
    events = EventRows(rowGroup, rows: rows)
  }

  /// Rows that stand on their own.
  init(_ batch: RowBatch, layout: PlanLayout) {
    self.layout = layout
    rowCount = batch.rowCount
    columns = batch.columns
    knownOrder = batch.order
    discovered = batch.discovered
  }

  /// One row without values, for expressions that need none.
  static var single: Frame {
    let plan = LogicalPlan(
      scan: ScanStep(), segments: [PlanSegment()], slots: [], extractions: [],
      output: OutputStep(columns: []))
    let context = RunContext(functions: FunctionContext(now: 0, window: nil))
    let layout = PlanLayout(plan, context: context)
    return Frame(RowBatch(rowCount: 1, columns: []), layout: layout)
  }

  /// The values of a slot for the rows of the frame.
  ///
  /// - Throws: `StorageError` when a column cannot be read.
  mutating func column(_ slot: SlotID) throws -> ColumnVector {
    if let column = columns[slot] { return column }
    try StopPoint.check()
    let column: ColumnVector
    switch layout.plan.slots[slot].source {
    case .event(let field):
      guard let events else { preconditionFailure("slot \(slot) was not kept past its events") }
      column = try events.column(field)
      if case .discovered(let name) = field, !column.isAllMissing {
        layout.context.noteMet(name)
      }
    case .expression(let definition):
      column = try definition.evaluate(&self)
    case .capture(let extraction, let index):
      let captures = try extract(extraction)
      for (other, capture) in zip(layout.captures[extraction], captures) {
        if let other { columns[other] = capture }
      }
      column = captures[index]
    case .barrier:
      preconditionFailure("slot \(slot) is read before the barrier that fills it")
    }
    columns[slot] = column
    return column
  }

  /// The records of the rows taken apart, if the slot is their text, has not been read, and the row group has them so;
  /// else `nil`.
  func recordParts(_ slot: SlotID) throws -> RecordParts? {
    guard columns[slot] == nil, let events,
      case .event(.message) = layout.plan.slots[slot].source
    else { return nil }
    return try events.recordParts()
  }

  /// Numbers of the rows in their row group; `nil` for all of it, and for rows that stand on their own.
  var selectedRows: SelectionVector? { events?.selectedRows }

  /// The texts of some of the rows, ascending, of a frame that has ``recordParts(_:)``.
  func messages(_ rows: [Int]) throws -> StringVector {
    guard let events else { preconditionFailure("texts of rows that are no events") }
    return try events.messages(rows)
  }

  /// Says that some slots will be read for the rows of the frame at the end of the scan, if one is the text of events.
  ///
  /// - Throws: `StorageError` when what tells which columns that takes cannot be read.
  func willRead(_ slots: [SlotID]) throws {
    guard let events else { return }
    let readsMessages = slots.contains {
      if case .event(.message) = layout.plan.slots[$0].source { columns[$0] == nil } else { false }
    }
    if readsMessages { try events.rowGroup.willReadMessages(events.storedRows) }
  }

  /// Searches the field of a slot for literals without reading its values, if they have not been read and
  /// the row group can; else `nil`.
  ///
  /// - Returns: the rows that hold one of them.
  /// - Throws: `StorageError` when a column cannot be read.
  func search(_ slot: SlotID, for literals: [ByteSearch]) throws -> Bitmap? {
    guard columns[slot] == nil, let events,
      case .event(let field) = layout.plan.slots[slot].source
    else { return nil }
    return try events.search(field, for: literals)
  }

  /// The rows whose field of a slot is exactly a text, if it has not been read and the row group finds them without; else
  /// `nil`.
  func find(_ slot: SlotID, equal text: String) throws -> Bitmap? {
    guard columns[slot] == nil, let events,
      case .event(.discovered(let name)) = layout.plan.slots[slot].source
    else { return nil }
    return try events.find(name, equal: Array(text.utf8))
  }

  /// How many of the rows have each value of a slot's field, if it has not been read and the row group can tell without
  /// placing the values in rows; else `nil`.
  func counts(_ slot: SlotID) throws -> [CountedValues]? {
    guard columns[slot] == nil, let events, events.selectedRows == nil,
      case .event(.discovered(let name)) = layout.plan.slots[slot].source,
      events.rowGroup.mayHave(name), let counts = try events.rowGroup.counts(of: name)
    else { return nil }
    if counts.contains(where: { !$0.values.isAllMissing }) { layout.context.noteMet(name) }
    return counts
  }

  /// The values of a slot's field that only some of the rows have, if it has not been read and the row group has them
  /// so; else `nil`.
  func placedValues(_ slot: SlotID) throws -> PlacedValues? {
    guard columns[slot] == nil, let events, events.selectedRows == nil,
      case .event(.discovered(let name)) = layout.plan.slots[slot].source,
      events.rowGroup.mayHave(name), let placed = try events.rowGroup.placedValues(of: name)
    else { return nil }
    if !placed.values.isAllMissing { layout.context.noteMet(name) }
    return placed
  }

  /// The rows that have the field of a slot in which a search has just been made.
  func presence(_ slot: SlotID) throws -> Bitmap {
    guard let events, case .event(let field) = layout.plan.slots[slot].source else {
      preconditionFailure("a search in what is no field of events")
    }
    return try events.presence(field)
  }

  private mutating func extract(_ index: Int) throws -> [ColumnVector] {
    let extraction = layout.plan.extractions[index]
    if let captures = try extractWhereItCanMatch(extraction) { return captures }
    return extraction.captures(of: try extraction.source.evaluate(&self))
  }

  /// The captures, worked out only for texts that hold what every match needs; `nil` if a search cannot tell or
  /// does not narrow it down.
  private func extractWhereItCanMatch(_ extraction: Extraction) throws -> [ColumnVector]? {
    guard case .slot(let slot) = extraction.source.kind,
      let literals = extraction.requiredLiterals,
      let candidates = try search(slot, for: literals), candidates.setCount * 2 < rowCount
    else { return nil }
    let rows = candidates.setRows()
    var part = self
    part.narrow(to: rows)
    let captures = extraction.captures(of: try extraction.source.evaluate(&part))
    var places = SelectionVector(repeating: ColumnVector.missingRow, count: rowCount)
    for (place, row) in rows.enumerated() { places[Int(row)] = UInt32(place) }
    return captures.map { $0.gatherOrMissing(places) }
  }

  /// Drops the rows whose bit is clear.
  mutating func keep(_ bitmap: Bitmap) {
    let count = bitmap.setCount
    if count == rowCount { return }
    narrow(to: bitmap.setRows())
  }

  /// Keeps the rows of these numbers, ascending.
  mutating func narrow(to rows: SelectionVector) {
    rowCount = rows.count
    for slot in columns.indices {
      if let column = columns[slot] { columns[slot] = column.gather(rows) }
    }
    events?.narrow(to: rows)
    knownOrder = knownOrder?.gather(rows)
    discovered = discovered.map {
      NamedColumn(name: $0.name, vector: $0.vector.gather(rows))
    }
  }

  /// Who is told what is done with the rows of a row group; see ``TrialRun``.
  var trace: ReadTrace? { events?.rowGroup.trace }

  /// Numbers of the rows in their row group; `nil` for rows that stand on their own.
  var storedRows: SelectionVector? { events?.storedRows }

  /// Times and arrival order of the rows, if they still are events.
  mutating func order() throws -> RowOrder? {
    if knownOrder == nil, let events { knownOrder = try events.order() }
    return knownOrder
  }

  /// The same where rows come from a scan, whose order is nobody's; rows of a batch are in order.
  mutating func scanOrder() throws -> RowOrder? { events == nil ? nil : try order() }

  /// The rows with the values that are read behind this segment, cut loose from their row group.
  mutating func detached(_ slots: [SlotID], withDiscovered: Bool) throws -> RowBatch {
    var kept = [ColumnVector?](repeating: nil, count: columns.count)
    for slot in slots { kept[slot] = try column(slot) }
    var batch = RowBatch(rowCount: rowCount, columns: kept, order: try order())
    if withDiscovered { batch.discovered = try events?.discovered() ?? discovered }
    return batch
  }

  /// The discovered fields of the rows that have a value in one of them.
  func discoveredColumns() throws -> [NamedColumn] { try events?.discovered() ?? discovered }

  /// The same rows with one value each for a single entry per distinct value; see
  /// ``BoundExpression/evaluate(_:)``.
  func entries(_ slot: SlotID, _ vector: ColumnVector) -> Frame {
    var columns = [ColumnVector?](repeating: nil, count: self.columns.count)
    if slot < columns.count { columns[slot] = vector }
    return Frame(
      RowBatch(rowCount: vector.count, columns: columns), layout: layout)
  }
}

/// The rows of a row group that are left.
private struct EventRows {
  let rowGroup: any RowGroup
  /// Stored-row numbers, ascending; `nil` for all rows.
  private var rows: SelectionVector?
  let visible: Range<Int>

  init(_ rowGroup: any RowGroup) {
    self.rowGroup = rowGroup
    visible = rowGroup.visibleRows
    if visible != 0..<rowGroup.rowCount {
      rows = SelectionVector(UInt32(visible.lowerBound)..<UInt32(visible.upperBound))
    }
  }

  init(_ rowGroup: any RowGroup, rows: SelectionVector) {
    self.rowGroup = rowGroup
    visible = rowGroup.visibleRows
    self.rows = rows
  }

  var count: Int { rows?.count ?? rowGroup.rowCount }

  var selectedRows: SelectionVector? { rows }

  /// `nil` for so few rows that their texts are sooner put together.
  func recordParts() throws -> RecordParts? {
    if let rows, rows.count * 16 < rowGroup.rowCount { return nil }
    return try rowGroup.recordParts()
  }

  func messages(_ places: [Int]) throws -> StringVector {
    try rowGroup.messages(places.map { rows?[$0] ?? UInt32($0) })
  }

  var storedRows: SelectionVector { rows ?? SelectionVector(0..<UInt32(rowGroup.rowCount)) }

  mutating func narrow(to kept: SelectionVector) {
    guard let rows else { return self.rows = kept }
    self.rows = kept.map { rows[Int($0)] }
  }

  func column(_ field: EventField) throws -> ColumnVector {
    switch field {
    case .timestamp:
      return .timestamps(IntegerVector(values: picked(try rowGroup.timestamps())))
    case .ingestionTime:
      return .timestamps(IntegerVector(values: picked(try rowGroup.ingestionTimes())))
    case .message: return .strings(try rowGroup.messages(rows))
    case .logStream:
      let streams = try rowGroup.streams()
      return rows.map { streams.gather($0) } ?? streams
    case .log: return .constant(.string("0:" + rowGroup.logGroup), count: count)
    case .pointer: return pointers(try order())
    case .discovered(let name):
      guard rowGroup.mayHave(name) else { return .missing(count: count) }
      return try rowGroup.column(name, rows: rows)
    }
  }

  func search(_ field: EventField, for literals: [ByteSearch]) throws -> Bitmap? {
    switch field {
    case .message: return try rowGroup.searchMessages(for: literals, rows: rows)
    case .discovered(let name):
      guard rowGroup.mayHave(name) else { return nil }
      return try rowGroup.search(name, for: literals, rows: rows)
    default: return nil
    }
  }

  func find(_ field: String, equal text: [UInt8]) throws -> Bitmap? {
    guard rowGroup.mayHave(field) else { return nil }
    return try rowGroup.find(field, equal: text, rows: rows)
  }

  func presence(_ field: EventField) throws -> Bitmap {
    guard case .discovered(let name) = field else { return Bitmap(repeating: true, count: count) }
    return try rowGroup.presence(of: name, rows: rows)
  }

  func order() throws -> RowOrder {
    RowOrder(
      times: picked(try rowGroup.timestamps()),
      sequences: try rowGroup.sequenceNumbers(rows))
  }

  /// The discovered fields that have a value in one of the rows.
  func discovered() throws -> [NamedColumn] {
    guard count > 0 else { return [] }
    return try rowGroup.discoveredFields().compactMap { field in
      let path = DiscoveredName.path(ofName: field.name)
      let vector = try rowGroup.column(path, rows: rows)
      return vector.isAllMissing ? nil : NamedColumn(name: field.name, vector: vector)
    }
  }

  private func picked<Element>(_ values: [Element]) -> [Element] {
    guard let rows else { return values }
    return rows.map { values[Int($0)] }
  }

  /// Record ids: time and arrival number, which is unique in the store.
  private func pointers(_ order: RowOrder) -> ColumnVector {
    .values(
      zip(order.times, order.sequences).map { time, sequence in
        .string(Self.hex(UInt64(bitPattern: time)) + Self.hex(sequence))
      })
  }

  private static func hex(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
