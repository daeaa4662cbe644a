import Columnar

// What changed in the tokens of a pattern, the last third of the window against the first two. Each
// test compares one figure of the last third with the same figure in the ten parts before:
//
//     HTTP error code    share of 4xx and 5xx, and of 5xx alone, where all values are status codes
//     Numerical token    the median, where nine values of ten are numbers
//     Token variation    the share of each value, where the others are few
//
//     parts 1–10  share of 5xx   0.02 0.01 0.02 0.03 …     median 0.02, median distance 0.01
//     last third                 0.12                       (0.12 − 0.02) / 0.0148 = 6.7, above 3.5
//
// The distance is measured in robust deviations, 1.4826 times the median distance from the median,
// and never in less than chance alone makes of so many rows: √(p(1−p)/n) for a share, for a median
// 1.25 σ/√n. A median that moves by less than about a fifth, and a share of a value by less than a
// twentieth, is no news, however steady it was.

/// A token of a pattern with what is known of its values.
struct PatternToken: Sendable {
  /// As the pattern shows it: `<Number-2>`.
  let name: String
  /// Name of the field, in a record.
  let field: String?
  let type: TokenType
  var values: TokenValues
}

/// What `anomaly` can find.
enum AnomalyKind: String, CaseIterable, Sendable {
  // The first one counts where several are as far from the usual.
  case newPattern = "New pattern"
  case errorCode = "HTTP error code"
  case frequency = "Pattern frequency"
  case number = "Numerical token"
  case variation = "Token variation"
}

/// Something that differs from the usual.
struct AnomalyFinding: Sendable {
  let kind: AnomalyKind
  /// In robust deviations.
  let distance: Double
  let description: String

  /// Robust deviations from which on it is an anomaly.
  static let threshold = 3.5

  var isAnomaly: Bool { distance >= Self.threshold }
  /// 0 to 1; ½ at the threshold.
  var score: Double { min(distance / (2 * Self.threshold), 1) }

  /// Whether this finding is told before another.
  func precedes(_ other: AnomalyFinding) -> Bool {
    if score != other.score { return score > other.score }
    if kind != other.kind { return kind.rank < other.kind.rank }
    if distance != other.distance { return distance > other.distance }
    return description.utf8.lexicographicallyPrecedes(other.description.utf8)
  }
}

extension AnomalyKind {
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Compares the last third of a window with the rest.
struct TokenAnomalies {
  /// Rows that must have the token in the first two thirds, and in the last.
  private static let fewest = (usual: 20, recent: 10)
  /// Parts that must have some.
  private static let fewestParts = 4
  /// What the share of a value must change by, and that of error codes.
  private static let leastChange = (value: 0.05, errors: 0.01)

  /// For each token and test the finding, whether it is an anomaly or not.
  ///
  /// - Parameter texts: what values are numbers of.
  static func findings(of tokens: [PatternToken], texts: ByteTable) -> [AnomalyFinding] {
    tokens.flatMap { token in
      var token = token
      token.values.settle()
      return findings(of: token, texts)
    }
  }

  private static func findings(of token: PatternToken, _ texts: ByteTable) -> [AnomalyFinding] {
    let totals = token.values.totals
    let usual = totals[..<TokenParts.usual]
    guard usual.reduce(0, +) >= fewest.usual, totals[TokenParts.recent] >= fewest.recent,
      usual.count(where: { $0 > 0 }) >= fewestParts
    else { return [] }
    let isNumeric = token.values.numberCount * 10 >= totals.reduce(0, { $0 + Int($1) }) * 9
    guard isNumeric else { return variation(token, texts).map { [$0] } ?? [] }
    let numbers = token.values.sortedNumbers()
    return (errorCodes(token, numbers) ?? median(token, numbers)).map { [$0] } ?? []
  }

  private static func label(_ token: PatternToken) -> String {
    token.field.map { "\(token.name) (\($0))" } ?? token.name
  }

  // MARK: Shares

  private struct Share {
    var distance: Double
    var usual: Double
    var recent: Double

    /// - Parameters:
    ///   - counts: what is looked at, by parts.
    ///   - totals: of how many.
    init(_ counts: [UInt32], of totals: [UInt32]) {
      let parts = (0..<TokenParts.usual).filter { totals[$0] > 0 }
      let shares = parts.map { Double(counts[$0]) / Double(totals[$0]) }
      let all = parts.reduce((count: 0.0, total: 0.0)) { sum, part in
        (sum.count + Double(counts[part]), sum.total + Double(totals[part]))
      }
      let size = min(all.total / Double(parts.count), Double(totals[TokenParts.recent]))
      let chance = (all.count + 1) / (all.total + 2)
      usual = Robust.median(shares)
      recent = Double(counts[TokenParts.recent]) / Double(totals[TokenParts.recent])
      let scale = max(
        Robust.deviation(shares, from: usual), (chance * (1 - chance) / size).squareRoot())
      distance = abs(recent - usual) / scale
    }

    var texts: (usual: String, recent: String) {
      (TokenAnomalies.percent(usual), TokenAnomalies.percent(recent))
    }
  }

  fileprivate static func percent(_ share: Double) -> String {
    NumberFormat.displayText((share * 1_000).rounded() / 10) + "%"
  }

  // MARK: Status codes

  private static let statusNames: Set<String> = [
    "status", "statuscode", "httpstatus", "httpstatuscode", "responsecode", "httpcode",
    "responsestatus", "httpresponsecode", "elbstatuscode", "targetstatuscode", "code", "scstatus",
  ]

  /// Codes that a number without a name must be one of.
  private static func isRegistered(_ code: Int) -> Bool {
    switch code {
    case 100...103, 200...208, 226, 300...308, 400...418, 421...426, 428, 429, 431, 451, 499,
      500...508, 510, 511:
      true
    default: false
    }
  }

  private static func code(_ number: Double) -> Int? {
    (100...599).contains(number) ? Int(exactly: number) : nil
  }

  /// The share of error codes; `nil` for a token that is no status code.
  private static func errorCodes(
    _ token: PatternToken, _ numbers: [CountedNumber]
  ) -> AnomalyFinding? {
    let values = token.values
    guard !values.hasTexts, !values.isRounded, !numbers.isEmpty else { return nil }
    let codes = numbers.compactMap { code($0.number) }
    guard codes.count == numbers.count else { return nil }
    if let field = token.field {
      let letters = field.utf8.filter { ($0 | 0x20) &- 0x61 < 26 }.map { $0 | 0x20 }
      guard statusNames.contains(String(decoding: letters, as: UTF8.self)) else { return nil }
    } else {
      guard token.type == .number, codes.allSatisfy(isRegistered),
        codes.contains(where: { $0 < 400 })
      else { return nil }
    }
    let classes = [(400, "4xx or 5xx"), (500, "5xx")].map { least, name in
      var counts = [UInt32](repeating: 0, count: TokenParts.count)
      for (index, code) in codes.enumerated() where code >= least {
        for (part, count) in numbers[index].counts.enumerated() { counts[part] += count }
      }
      let share = Share(counts, of: values.totals)
      let isNews = share.recent >= share.usual + leastChange.errors
      return AnomalyFinding(
        kind: .errorCode, distance: isNews ? share.distance : 0,
        description:
          "\(label(token)) is \(name) in \(share.texts.recent) of the texts in the last third of "
          + "the window, usually in \(share.texts.usual)")
    }
    return classes[1].distance > classes[0].distance ? classes[1] : classes[0]
  }

  // MARK: Values

  private static func variation(_ token: PatternToken, _ texts: ByteTable) -> AnomalyFinding? {
    let values = token.values
    guard !values.isFull else { return nil }
    var found: AnomalyFinding?
    values.forEachText { number, counts in
      let text = texts.withKey(number) { Array($0) }
      let share = Share(counts, of: values.totals)
      let isNews = abs(share.recent - share.usual) >= leastChange.value
      let isNew = counts[..<TokenParts.usual].allSatisfy { $0 == 0 }
      let finding = AnomalyFinding(
        kind: .variation, distance: isNews ? share.distance : 0,
        description:
          "\(label(token)) is '\(shown(text))' in \(share.texts.recent) of the texts in the last "
          + "third of the window, " + (isNew ? "never before" : "usually in \(share.texts.usual)"))
      if found.map({ finding.precedes($0) }) ?? true { found = finding }
    }
    return found
  }

  private static func shown(_ text: [UInt8]) -> String {
    let text = String(decoding: text, as: UTF8.self)
    return text.count > 40 ? text.prefix(40) + "…" : text
  }

  // MARK: Numbers

  private static func median(
    _ token: PatternToken, _ numbers: [CountedNumber]
  ) -> AnomalyFinding? {
    let parts = (0..<TokenParts.usual).map { counted(numbers, $0..<$0 + 1) }
      .filter { !$0.isEmpty }
    let recent = counted(numbers, TokenParts.recent..<TokenParts.recent + 1)
    let all = counted(numbers, 0..<TokenParts.usual)
    guard parts.count >= fewestParts, !recent.isEmpty else { return nil }
    let medians = parts.map { Robust.quantile(0.5, of: $0) }
    let usual = Robust.median(medians)
    let now = Robust.quantile(0.5, of: recent)
    let size = min(
      Double(all.reduce(0) { $0 + $1.count }) / Double(parts.count),
      Double(recent.reduce(0) { $0 + $1.count }))
    let spread = (Robust.quantile(0.75, of: all) - Robust.quantile(0.25, of: all)) / 1.349
    let scale = max(
      Robust.deviation(medians, from: usual), 1.2533 * spread / size.squareRoot(),
      max(abs(usual), abs(now)) / 20)
    let unit = token.type == .duration ? " ms" : ""
    return AnomalyFinding(
      kind: .number, distance: scale > 0 ? abs(now - usual) / scale : 0,
      description: "\(label(token)) has a median of \(NumberFormat.displayText(now))\(unit) in the "
        + "last third of the window, usually \(NumberFormat.displayText(usual))\(unit)")
  }

  /// The numbers in some parts, ascending, with how often each came there.
  private static func counted(
    _ numbers: [CountedNumber], _ parts: Range<Int>
  ) -> [(number: Double, count: Int)] {
    numbers.compactMap { number in
      let count = parts.reduce(0) { $0 + Int(number.counts[$1]) }
      return count > 0 ? (number.number, count) : nil
    }
  }
}

/// Middles and distances that a few outliers do not move.
enum Robust {
  static func median(_ numbers: [Double]) -> Double {
    guard !numbers.isEmpty else { return 0 }
    let sorted = numbers.sorted()
    let half = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[half] : sorted[half - 1] / 2 + sorted[half] / 2
  }

  /// The median distance from a middle, scaled to be a standard deviation for a bell curve.
  static func deviation(_ numbers: [Double], from middle: Double) -> Double {
    1.4826 * median(numbers.map { abs($0 - middle) })
  }

  /// The number below which a share of the sorted numbers lies.
  static func quantile(_ share: Double, of numbers: [(number: Double, count: Int)]) -> Double {
    let total = numbers.reduce(0) { $0 + $1.count }
    let wanted = share * Double(total)
    var passed = 0
    for (index, (number, count)) in numbers.enumerated() {
      passed += count
      if Double(passed) > wanted { return number }
      if Double(passed) == wanted, index + 1 < numbers.count {
        return number / 2 + numbers[index + 1].number / 2
      }
    }
    return numbers.last?.number ?? 0
  }
}
