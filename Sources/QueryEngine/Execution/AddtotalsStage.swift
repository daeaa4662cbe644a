import Columnar

// `addtotals`: a sum beside each row, a row of sums below all rows, or both.
//
//     stats sum(a) as a, sum(b) as b by c | addtotals col=true
//
//     c        a  b  Total
//     x        1  2      3
//     y        4         4
//     Summary  5  2      7

/// `addtotals` over some columns.
struct AddtotalsStep: RowCollection {
  /// The columns summed; values that are no numbers are passed over.
  let fields: [SlotID]
  /// Whether the discovered fields that the result shows are summed too.
  let takesDiscovered: Bool
  /// Names of columns that are shown in place of discovered fields.
  let listed: [String]
  /// The sum beside each row.
  let total: SlotID?
  let addsSummaryRow: Bool
  /// Visible columns in order, in the first of which without a sum the row of sums is named.
  let visible: [OutputStep.Column]

  var name: String { "addtotals" }
  var inputs: [SlotID] { fields + visibleSlots }
  var outputs: [SlotID] { total.map { [$0] } ?? [] }

  private var visibleSlots: [SlotID] {
    visible.compactMap { if case .named(_, let slot) = $0 { slot } else { nil } }
  }

  private struct Sums {
    var beside: [NumberSum?]
    var all: NumberSum?

    /// Adds a column to the sums of the rows.
    ///
    /// - Returns: the sum of the column.
    mutating func add(_ column: ColumnVector) -> NumberSum? {
      var sum: NumberSum?
      for row in beside.indices {
        guard let number = column.value(at: row).summand else { continue }
        beside[row, default: NumberSum()].add(number)
        sum[default: NumberSum()].add(number)
        all[default: NumberSum()].add(number)
      }
      return sum
    }
  }

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    guard let rows else { return [] }
    var frame = Frame(rows, layout: layout)
    var sums = Sums(beside: Array(repeating: nil, count: rows.rowCount))
    var cells: [SlotID: Value] = [:]
    for field in fields { cells[field] = sums.add(try frame.column(field))?.value }
    var discovered: [NamedColumn] = []
    var order = FieldOrder()
    for column in shown(order.ordered(rows.discovered)) {
      let sum = takesDiscovered && !column.name.hasPrefix("@") ? sums.add(column.vector) : nil
      discovered.append(
        NamedColumn(name: column.name, vector: .values([sum?.value ?? .missing])))
    }
    var result = rows
    if let total { result.columns[total] = ColumnVector(sums.beside.map { $0?.value ?? .missing }) }
    guard addsSummaryRow else { return [result] }
    if let total { cells[total] = sums.all?.value ?? .missing }
    label(&cells, &discovered)
    var summary = result.row(with: cells)
    summary.discovered = discovered
    return [result, summary]
  }

  private func shown(_ columns: [NamedColumn]) -> [NamedColumn] {
    columns.filter { !listed.contains($0.name) }
  }

  /// Names the row of sums in the first column that has none.
  private func label(_ cells: inout [SlotID: Value], _ discovered: inout [NamedColumn]) {
    for column in visible {
      switch column {
      case .named(_, let slot):
        guard cells[slot] == nil, slot != total else { continue }
        cells[slot] = .string("Summary")
        return
      case .discovered:
        guard let place = discovered.firstIndex(where: { $0.vector.isAllMissing }) else { continue }
        discovered[place] = NamedColumn(
          name: discovered[place].name, vector: .values([.string("Summary")]))
        return
      }
    }
  }
}

extension Optional {
  fileprivate subscript(default value: Wrapped) -> Wrapped {
    get { self ?? value }
    set { self = newValue }
  }
}

extension [NumberSum?] {
  fileprivate subscript(row: Int, default value: NumberSum) -> NumberSum {
    get { self[row] ?? value }
    set { self[row] = newValue }
  }
}

extension Value {
  /// The number that counts in a total: numbers and texts that are one, not times and conditions.
  fileprivate var summand: Number? {
    switch self {
    case .integer, .double, .sourceNumber, .string: number
    default: nil
    }
  }
}
