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
  /// The sum beside each row.
  let total: SlotID?
  let addsSummaryRow: Bool
  /// Visible columns in order, in the first of which without a sum the row of sums is named.
  let visible: [SlotID]

  var name: String { "addtotals" }
  var inputs: [SlotID] { fields + (addsSummaryRow ? visible : []) }
  var outputs: [SlotID] { total.map { [$0] } ?? [] }

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    guard let rows else { return [] }
    var frame = Frame(rows, layout: layout)
    var beside = [NumberSum?](repeating: nil, count: rows.rowCount)
    var below: [SlotID: NumberSum] = [:]
    var all: NumberSum?
    for field in fields {
      let column = try frame.column(field)
      var sum: NumberSum?
      for row in 0..<rows.rowCount {
        guard let number = column.value(at: row).summand else { continue }
        beside[row, default: NumberSum()].add(number)
        sum[default: NumberSum()].add(number)
        all[default: NumberSum()].add(number)
      }
      below[field] = sum
    }
    var result = rows
    if let total { result.columns[total] = ColumnVector(beside.map { $0?.value ?? .missing }) }
    guard addsSummaryRow else { return [result] }
    var cells = below.mapValues(\.value)
    if let total { cells[total] = all?.value ?? .missing }
    if let label = visible.first(where: { below[$0] == nil && $0 != total }) {
      cells[label] = .string("Summary")
    }
    return [result, result.row(with: cells)]
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
