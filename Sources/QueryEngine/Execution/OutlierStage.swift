import Columnar
import QueryLanguage

// `outlier`: values far above most others, or far below, are dropped, clamped or marked.
//
// "Far" is measured by the quartiles of all rows: with Q1 and Q3 the 25th and 75th percentile, the
// upper fence lies at Q3 + factor · (Q3 − Q1), the lower one at Q1 − factor · (Q3 − Q1).
//
//     1 2 3 4 100    Q1 = 2, Q3 = 4, factor 2.5: fence 4 + 2.5 · 2 = 9, so 100 becomes 9

/// `outlier` over some fields.
struct OutlierStep: RowCollection {
  struct Field: Sendable {
    let input: SlotID
    /// The field behind the command, if its values may change.
    let output: SlotID?
    /// Tells which values were outliers.
    let mark: SlotID?
  }

  let dropsRows: Bool
  let factor: Double
  let usesLowerFence: Bool
  let fields: [Field]

  var name: String { "outlier" }
  var inputs: [SlotID] { fields.map(\.input) }
  var outputs: [SlotID] { fields.compactMap(\.output) + fields.compactMap(\.mark) }

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    guard let rows else { return [] }
    var frame = Frame(rows, layout: layout)
    var result = rows
    var isKept = [Bool](repeating: true, count: rows.rowCount)
    for field in fields {
      let values = try frame.column(field.input).values()
      let numbers = values.map { $0.number?.asDouble }
      let fences = fences(of: numbers.compactMap(\.self))
      let isOutlier = numbers.map { number in number.map { !fences.contains($0) } ?? false }
      if let output = field.output {
        let clamped = values.indices.map { row -> Value in
          guard isOutlier[row], let number = numbers[row] else { return values[row] }
          return values[row].moved(to: fences.nearest(to: number))
        }
        result.columns[output] = ColumnVector(clamped)
      }
      if let mark = field.mark {
        result.columns[mark] = ColumnVector(isOutlier.map { .boolean($0) })
      }
      if dropsRows { for row in isOutlier.indices where isOutlier[row] { isKept[row] = false } }
    }
    let kept = isKept.indices.filter { isKept[$0] }.map { UInt32($0) }
    return [kept.count == rows.rowCount ? result : result.gather(SelectionVector(kept))]
  }

  private struct Fences {
    var lower = -Double.infinity
    var upper = Double.infinity

    func contains(_ number: Double) -> Bool { number >= lower && number <= upper }
    func nearest(to number: Double) -> Double { min(max(number, lower), upper) }
  }

  private func fences(of numbers: [Double]) -> Fences {
    var fences = Fences()
    guard let quartiles = PercentileAggregate.percentiles([25, 75], of: numbers) else {
      return fences
    }
    let distance = factor == 0 ? 0 : factor * (quartiles[1] - quartiles[0])
    fences.upper = quartiles[1] + distance
    if usesLowerFence { fences.lower = quartiles[0] - distance }
    return fences
  }
}

extension Value {
  /// The value at another place of its scale.
  fileprivate func moved(to number: Double) -> Value {
    if case .timestamp = self, let time = Int64(exactly: number.rounded()) {
      return .timestamp(time)
    }
    return .double(number)
  }
}
