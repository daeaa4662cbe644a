import Columnar

// `anomaly`: which patterns became more or less frequent, and which are new. `pattern` counts the
// texts of each pattern in 30 equal parts of the window. The first 20 parts say what is usual, the
// last 10 are looked at.
//
//     parts 1-20   4 5 4 6 5 …      median 5, median distance from it 1
//     parts 21-30  5 4 31 5 …       31: (31 − 5) / max(1.4826 · 1, √5) = 11.6, above 3.5
//
// The distance is measured in robust standard deviations: the median of the distances from the
// median times 1.4826, which for a bell curve is its deviation. Counts of rare events vary by about
// the root of their number, so less than that is never taken; else one text more than an ever
// equal count would be an anomaly. A pattern of which the first 20 parts have none is new, if they
// have texts of others.

/// `anomaly` behind a `pattern`.
struct AnomalyStep: RowCollection {
  /// The counts over time.
  let buckets: SlotID
  let anomaly: SlotID
  let type: SlotID
  let score: SlotID
  let description: SlotID

  var name: String { "anomaly" }
  var inputs: [SlotID] { [buckets] }
  var outputs: [SlotID] { [anomaly, type, score, description] }

  /// Robust deviations from which on a count is an anomaly.
  static let threshold = 3.5
  private static let usualParts = WindowParts.count * 2 / 3

  private struct Finding {
    var type: String?
    var score: Double
    var description: String?
  }

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    guard let rows else { return [] }
    var frame = Frame(rows, layout: layout)
    let counts = try frame.column(buckets).values().map { Self.counts($0) }
    let hasUsual = counts.contains { $0.prefix(Self.usualParts).contains { $0 > 0 } }
    let findings = counts.map { Self.finding($0, hasUsual: hasUsual) }
    var result = rows
    result.columns[anomaly] = ColumnVector(findings.map { .boolean($0.type != nil) })
    result.columns[type] = ColumnVector(findings.map { Self.text($0.type) })
    result.columns[score] = ColumnVector(findings.map { .double($0.score) })
    result.columns[description] = ColumnVector(findings.map { Self.text($0.description) })
    return [result]
  }

  private static func text(_ text: String?) -> Value { text.map { .string($0) } ?? .missing }

  private static func counts(_ value: Value) -> [Double] {
    guard case .list(let list) = value else { return [] }
    return list.map { $0.number?.asDouble ?? 0 }
  }

  private static func finding(_ counts: [Double], hasUsual: Bool) -> Finding {
    guard hasUsual, counts.count == WindowParts.count else { return Finding(score: 0) }
    let usual = counts.prefix(usualParts)
    let recent = counts.dropFirst(usualParts)
    if !usual.contains(where: { $0 > 0 }) {
      let count = Int(recent.reduce(0, +))
      return Finding(
        type: "New pattern", score: 1,
        description: "\(count) in the last third of the window, none before")
    }
    let middle = median(Array(usual))
    let spread = median(usual.map { abs($0 - middle) })
    let scale = max(1.4826 * spread, max(middle, 1).squareRoot())
    let farthest = recent.max { abs($0 - middle) < abs($1 - middle) } ?? middle
    let distance = abs(farthest - middle) / scale
    let score = min(distance / (2 * threshold), 1)
    guard distance >= threshold else { return Finding(score: score) }
    return Finding(
      type: "Pattern frequency", score: score,
      description: "\(Int(farthest)) in a thirtieth of the window, usual are \(shown(middle))")
  }

  private static func shown(_ number: Double) -> String {
    number == number.rounded() ? "\(Int(number))" : "\(number)"
  }

  private static func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    let half = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
  }
}
