// The commands that turn many rows into few, and those that compare sets of rows.

/// `stats`: aggregates, by group if keys are given.
package struct StatsCommand: Hashable, Sendable {
  /// The outputs in written order; at least one.
  package var outputs: [AliasedExpression]
  /// The group keys in written order; empty for one group.
  package var keys: [AliasedExpression]
  /// How far back the window is shifted.
  package var offset: DurationLiteral?
}

/// `pattern`: groups texts of the same shape.
package struct PatternCommand: Hashable, Sendable {
  package var input: AliasedExpression
}

/// `anomaly`: marks unusual patterns.
package struct AnomalyCommand: Hashable, Sendable {}

/// `diff`: compares the patterns of two windows.
package struct DiffCommand: Hashable, Sendable {
  /// The window the query's own one is compared with.
  package enum Baseline: Hashable, Sendable {
    /// The window of equal length just before.
    case preceding
    case previousDay, previousWeek, previousMonth
  }

  package var baseline: Baseline
}

/// `logcompare`: compares with the same window some time ago.
package struct LogcompareCommand: Hashable, Sendable {
  package var timeshift: DurationLiteral
}

/// `relevantfields`: which fields tell the rows of interest from the others.
package struct RelevantfieldsCommand: Hashable, Sendable {
  /// The fields to look at; every one if empty.
  package var fields: [FieldName]
  package var condition: Expression
}

/// `countFrequent`: how often each combination of values occurs.
package struct CountFrequentCommand: Hashable, Sendable {
  package var fields: [FieldName]
}

/// `fillmissing`: adds rows for the bins that have none.
package struct FillmissingCommand: Hashable, Sendable {
  /// The value one output gets in an added row.
  package struct Filling: Hashable, Sendable {
    /// A literal, a number with or without sign most of the time.
    package var value: Expression
    package var field: FieldName
  }

  package var fillings: [Filling]
}

/// `estimate`: how many bytes the query would scan.
package struct EstimateCommand: Hashable, Sendable {}
