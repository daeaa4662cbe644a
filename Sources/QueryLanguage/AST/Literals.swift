/// A number without sign: exact while it fits into 64 bits, else binary floating point.
package struct NumberLiteral: Hashable, Sendable {
  /// The two kinds of number a query can hold.
  package enum Value: Hashable, Sendable {
    case integer(Int64)
    case double(Double)
  }

  package var value: Value
  /// The digits as written, such as `1.50`.
  package var text: String
  @SourceOnly package var range: SourceRange

  package init(value: Value, text: String, range: SourceRange = .none) {
    self.value = value
    self.text = text
    self.range = range
  }

  /// The value as floating point, rounded where it must be.
  package var doubleValue: Double {
    switch value {
    case .integer(let integer): Double(integer)
    case .double(let double): double
    }
  }

  /// The value if it is a whole number within 64 bits.
  package var integerValue: Int64? {
    if case .integer(let integer) = value { integer } else { nil }
  }
}

/// A text in quotes, escapes resolved.
package struct StringLiteral: Hashable, Sendable {
  package var value: String
  /// The place of the whole, quotes included.
  @SourceOnly package var range: SourceRange

  package init(value: String, range: SourceRange = .none) {
    self.value = value
    self.range = range
  }
}

/// A regular expression between slashes.
package struct RegexLiteral: Hashable, Sendable {
  /// The pattern as the regex engine gets it: `\/` has become `/`, all else is untouched.
  package var pattern: String
  /// The place of the whole, slashes included.
  @SourceOnly package var range: SourceRange
  /// The place of the text between the slashes.
  @SourceOnly package var patternRange: SourceRange
  /// The offsets into `pattern`, in bytes, of the slashes that were written `\/`; ascending.
  @SourceOnly package var escapedSlashes: [Int]

  /// The byte of the query that byte `offset` of `pattern` stands for.
  ///
  /// Lets an engine's complaint about the pattern be shown under the right character.
  package func sourceOffset(ofPatternByte offset: Int) -> Int {
    let earlier = escapedSlashes.count { $0 < offset }
    return min(patternRange.start + offset + earlier, patternRange.end)
  }
}

/// A span of time such as `5m`: a count of units.
package struct DurationLiteral: Hashable, Sendable {
  /// How many units; 0 only where the language allows it (`START`, `END`).
  package var count: Int64
  package var unit: DurationUnit
  /// As written, without a blank between number and unit: `5min`.
  @SourceOnly package var text: String
  @SourceOnly package var range: SourceRange

  package init(count: Int64, unit: DurationUnit, text: String? = nil, range: SourceRange = .none) {
    self.count = count
    self.unit = unit
    self.text = text ?? "\(count)\(unit.symbol)"
    self.range = range
  }

  /// The literal with its count reduced to the unit's cap, as `bin`, `datefloor` and their like
  /// read it: `300s` counts as `60s`.
  package var capped: DurationLiteral {
    guard let cap = unit.periodCap, count > cap else { return self }
    return DurationLiteral(count: cap, unit: unit, range: range)
  }
}

/// The nine units of a period.
package enum DurationUnit: String, Hashable, Sendable, CaseIterable {
  case millisecond, second, minute, hour, day, week, month, quarter, year

  /// The shortest spelling, such as `mo` for months.
  package var symbol: String {
    switch self {
    case .millisecond: "ms"
    case .second: "s"
    case .minute: "m"
    case .hour: "h"
    case .day: "d"
    case .week: "w"
    case .month: "mo"
    case .quarter: "q"
    case .year: "y"
    }
  }

  /// Every spelling without the plural `s`, lower case.
  var spellings: [String] {
    switch self {
    case .millisecond: ["millisecond", "ms", "msec"]
    case .second: ["second", "s", "sec"]
    case .minute: ["minute", "m", "min"]
    case .hour: ["hour", "h", "hr"]
    case .day: ["day", "d"]
    case .week: ["week", "w"]
    case .month: ["month", "mo", "mon"]
    case .quarter: ["quarter", "q", "qtr"]
    case .year: ["year", "y", "yr"]
    }
  }

  /// The largest count a period of this unit may have in a function; larger ones count as the cap.
  package var periodCap: Int64? {
    switch self {
    case .millisecond: 1000
    case .second, .minute: 60
    case .hour: 24
    case .day, .week, .month, .quarter, .year: nil
    }
  }

  /// The fixed length of one unit; nil for months, quarters and years, which the calendar decides.
  package var milliseconds: Int64? {
    switch self {
    case .millisecond: 1
    case .second: 1000
    case .minute: 60_000
    case .hour: 3_600_000
    case .day: 86_400_000
    case .week: 604_800_000
    case .month, .quarter, .year: nil
    }
  }

  /// The unit a word spells, in any case; nil for other words and for `M`, which could be a minute
  /// or a month.
  package init?(spelling: some StringProtocol) {
    guard spelling != "M" else { return nil }
    guard let unit = Self.bySpelling[spelling.lowercased()] else { return nil }
    self = unit
  }

  private static let bySpelling: [String: DurationUnit] = {
    var table: [String: DurationUnit] = [:]
    for unit in allCases {
      for spelling in unit.spellings {
        table[spelling] = unit
        if spelling.count > 1 { table[spelling + "s"] = unit }
      }
    }
    return table
  }()
}
