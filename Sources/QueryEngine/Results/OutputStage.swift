import Columnar

// The end of a query: slots get their names and leave as columns. Where `fields *` shows what each
// event has, a batch brings the columns its own rows have, so two batches may differ.
//
// In which order such columns stand must not show how events lie in row groups. They stand in the
// order in which rows of the result first have them; those that one row brings stand by their names:
//
//     {"b":1,"a":2}          a and b come with the first row,
//     {"c":3,"a":4}          c with the second:                a  b  c

/// Names the columns and hands batches to the caller.
final class OutputStage: RowStage {
  private let layout: PlanLayout
  private let sink: (ColumnBatch) throws -> Void
  private var rest: Int
  /// Rows handed out so far.
  private(set) var rowCount = 0
  private var fieldOrder = FieldOrder()

  init(layout: PlanLayout, limit: Int?, sink: @escaping (ColumnBatch) throws -> Void) {
    self.layout = layout
    self.sink = sink
    rest = limit ?? .max
  }

  var isSatisfied: Bool { rest == 0 }

  func consume(_ batch: RowBatch) throws {
    guard rest > 0, batch.rowCount > 0 else { return }
    let rows = batch.slice(0..<min(rest, batch.rowCount))
    rest -= rows.rowCount
    rowCount += rows.rowCount
    var frame = Frame(rows, layout: layout)
    var names: [String] = []
    var columns: [ColumnVector] = []
    for column in layout.plan.output.columns {
      switch column {
      case .named(let name, let slot):
        names.append(name)
        columns.append(try frame.column(slot))
      case .discovered:
        // Fields that only rows behind a limit have are no columns of the result.
        for column in fieldOrder.ordered(rows.discovered) where !isListed(column.name) {
          names.append(column.name)
          columns.append(column.vector)
        }
      }
    }
    // What a loop broke off must not leave the query.
    try StopPoint.check()
    try sink(ColumnBatch(names: names, columns: columns, rowCount: rows.rowCount))
  }

  private func isListed(_ name: String) -> Bool {
    layout.plan.output.columns.contains {
      if case .named(let other, _) = $0 { other == name } else { false }
    }
  }

  func finish() throws {}
}

/// The order of discovered fields among each other, kept from batch to batch.
struct FieldOrder {
  private var places: [String: Int] = [:]

  /// The columns that have a value in some row: by the first row of all that has one, then by name.
  mutating func ordered(_ columns: [NamedColumn]) -> [NamedColumn] {
    var present: [NamedColumn] = []
    var new: [(row: Int, name: String)] = []
    for column in columns where !column.vector.isAllMissing {
      present.append(column)
      guard places[column.name] == nil else { continue }
      let presence = column.vector.presence()
      let row = (0..<column.vector.count).first { presence[$0] } ?? 0
      new.append((row, column.name))
    }
    new.sort { $0.row == $1.row ? Self.precedes($0.name, $1.name) : $0.row < $1.row }
    for (_, name) in new { places[name] = places.count }
    return present.sorted { places[$0.name, default: 0] < places[$1.name, default: 0] }
  }

  /// The order of `sort`, so that `list.2` stands before `list.10`.
  private static func precedes(_ left: String, _ right: String) -> Bool {
    switch SortOrder.order(.string(left), .string(right)) {
    case .less: true
    case .greater: false
    case .equal: left < right
    }
  }
}
