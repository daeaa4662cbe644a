import Columnar

/// The aggregates of the language.
enum AggregateFunction: String, Sendable, CaseIterable {
  case count, countDistinct, sum, avg, min, max, pct, stddev, variance, values, topk
  case earliest, latest, sortsFirst, sortsLast
  case rate, countOverTime, sumOverTime, histogram

  /// The function a name in lower case stands for.
  init?(folded: String) {
    guard let function = Self.byFoldedName[folded] else { return nil }
    self = function
  }

  private static let byFoldedName: [String: AggregateFunction] = {
    var table = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue.lowercased(), $0) })
    table["count_distinct"] = .countDistinct
    table["percentile"] = .pct
    table["collect_values"] = .values
    return table
  }()

  /// How many arguments it takes.
  var argumentCount: ClosedRange<Int> {
    switch self {
    case .count: 0...1
    case .pct, .topk, .rate, .histogram: 2...2
    default: 1...1
    }
  }

  /// Whether its value depends on the times of the rows.
  var needsTime: Bool {
    switch self {
    case .earliest, .latest, .rate: true
    default: false
    }
  }
}

/// One aggregate of a `stats` with its arguments.
struct AggregateCall: Sendable {
  var kind: AggregateKind
  /// The value aggregated; `nil` for `count(*)`.
  var argument: BoundExpression?
  /// Where the time of the row is, for the functions that need it.
  var time: SlotID?
}
