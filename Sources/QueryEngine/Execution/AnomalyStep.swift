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
//
// What changed in the tokens of a pattern is found with the patterns (TokenAnomalies). A row tells the
// kind of what is farthest from the usual, and describes all that is far enough.

/// `anomaly` behind a `pattern`.
struct AnomalyStep: RowCollection {
  /// The counts over time.
  let buckets: SlotID
  /// What is to be said of the tokens.
  let findings: SlotID
  let anomaly: SlotID
  let type: SlotID
  let score: SlotID
  let description: SlotID

  var name: String { "anomaly" }
  var inputs: [SlotID] { [buckets, findings] }
  var outputs: [SlotID] { [anomaly, type, score, description] }

  private static let usualParts = WindowParts.count * 2 / 3

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    guard let rows else { return [] }
    var frame = Frame(rows, layout: layout)
    let counts = try frame.column(buckets).values().map { Self.counts($0) }
    let ofTokens = try frame.column(findings).values()
    let hasUsual = counts.contains { $0.prefix(Self.usualParts).contains { $0 > 0 } }
    let all = zip(counts, ofTokens).map { counts, ofTokens in
      Self.findings(counts, ofTokens, hasUsual: hasUsual)
    }
    let told = all.map { $0.filter(\.isAnomaly) }
    var result = rows
    result.columns[anomaly] = ColumnVector(told.map { .boolean(!$0.isEmpty) })
    result.columns[type] = ColumnVector(told.map { Self.text($0.first?.kind.rawValue) })
    result.columns[score] = ColumnVector(all.map { .double($0.first?.score ?? 0) })
    result.columns[description] = ColumnVector(
      told.map { $0.isEmpty ? .missing : .string($0.map(\.description).joined(separator: "; ")) })
    return [result]
  }

  private static func text(_ text: String?) -> Value { text.map { .string($0) } ?? .missing }

  private static func counts(_ value: Value) -> [Double] {
    guard case .list(let list) = value else { return [] }
    return list.map { $0.number?.asDouble ?? 0 }
  }

  /// What there is to say of a pattern, the farthest from the usual first.
  private static func findings(
    _ counts: [Double], _ ofTokens: Value, hasUsual: Bool
  ) -> [AnomalyFinding] {
    guard hasUsual, counts.count == WindowParts.count else { return [] }
    var findings = [frequency(counts)]
    if findings[0].kind != .newPattern, case .list(let list) = ofTokens {
      findings += list.compactMap { AnomalyFinding($0) }
    }
    return findings.sorted { $0.precedes($1) }
  }

  private static func frequency(_ counts: [Double]) -> AnomalyFinding {
    let usual = counts.prefix(usualParts)
    let recent = counts.dropFirst(usualParts)
    if !usual.contains(where: { $0 > 0 }) {
      let count = Int(recent.reduce(0, +))
      return AnomalyFinding(
        kind: .newPattern, distance: .infinity,
        description: "\(count) in the last third of the window, none before")
    }
    let middle = Robust.median(Array(usual))
    let scale = max(Robust.deviation(Array(usual), from: middle), max(middle, 1).squareRoot())
    let farthest = recent.max { abs($0 - middle) < abs($1 - middle) } ?? middle
    return AnomalyFinding(
      kind: .frequency, distance: abs(farthest - middle) / scale,
      description:
        "\(Int(farthest)) in a thirtieth of the window, usually \(NumberFormat.displayText(middle))"
    )
  }
}

extension AnomalyFinding {
  /// The finding as a value of a column.
  var value: Value { .list([.string(kind.rawValue), .double(distance), .string(description)]) }

  fileprivate init?(_ value: Value) {
    guard case .list(let parts) = value, parts.count == 3, case .string(let name) = parts[0],
      let kind = AnomalyKind(rawValue: name), let distance = parts[1].number?.asDouble,
      case .string(let description) = parts[2]
    else { return nil }
    self.init(kind: kind, distance: distance, description: description)
  }
}
