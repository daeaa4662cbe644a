// The commands that look at one row at a time, and those that order, cut and choose rows.

/// `fields`: adds columns to those shown.
package struct FieldsCommand: Hashable, Sendable {
  /// One entry of the list.
  package enum Item: Hashable, Sendable {
    /// `*`: every discovered field of each event.
    case all
    case expression(AliasedExpression)
  }

  /// The entries in written order; at least one.
  package var items: [Item]

  /// The entries that are expressions, in written order.
  package var expressions: [AliasedExpression] {
    items.compactMap { if case .expression(let expression) = $0 { expression } else { nil } }
  }
}

/// `display`: shows just these columns.
package struct DisplayCommand: Hashable, Sendable {
  package var columns: [AliasedExpression]
}

/// `filter`, also written `where`: keeps the rows for which the condition is true.
package struct FilterCommand: Hashable, Sendable {
  package var condition: Expression
}

/// `search`: keeps the events whose `@message` holds the pattern.
package struct SearchCommand: Hashable, Sendable {
  package var pattern: PatternOperand
}

/// `filterIndex`: a filter that promises the planner a selective field.
package struct FilterIndexCommand: Hashable, Sendable {
  /// The conditions, all of which must hold; each is an `=` or an `in` with a field at its left.
  package var conditions: [Expression]
}

/// `parse`: cuts fields out of a text.
package struct ParseCommand: Hashable, Sendable {
  /// How the text is read.
  package enum Method: Hashable, Sendable {
    /// A pattern with `*` wildcards, one name for each.
    case glob(StringLiteral, aliases: [FieldName])
    /// A regular expression; the aliases name its unnamed groups.
    case regex(RegexLiteral, aliases: [FieldName], isMulti: Bool)
    /// `key=value` pairs, which become one map.
    case logfmt(alias: FieldName)
    /// Comma-separated values.
    case csv(aliases: [FieldName])
  }

  /// The text to read; `@message` if absent.
  package var source: Expression?
  package var method: Method
}

/// `json`: takes members out of a map or of a text that holds a JSON object.
package struct JSONCommand: Hashable, Sendable {
  /// One path and the name its value gets.
  package struct Extraction: Hashable, Sendable {
    package var path: StringLiteral
    package var alias: FieldName
  }

  /// The field to read; `@message` if absent.
  package var field: FieldName?
  package var extractions: [Extraction]
}

/// `sort`, also written `order`.
package struct SortCommand: Hashable, Sendable {
  /// One key with its direction.
  package struct Key: Hashable, Sendable {
    package var expression: Expression
    package var isDescending: Bool
    /// The text of the expression as a label, to compare with the labels of earlier columns.
    @SourceOnly package var label: String
    @SourceOnly package var range: SourceRange
  }

  /// The keys, most significant first; at least one.
  package var keys: [Key]
}

/// `limit`, `limit any`, `head` or `tail`.
package struct LimitCommand: Hashable, Sendable {
  /// Which rows are kept.
  package enum Form: Hashable, Sendable {
    /// `limit n`: the first rows.
    case limit
    /// `limit any n`: whichever rows are found first.
    case any
    /// `head n`: the first rows.
    case head
    /// `tail n`: the last rows.
    case tail
  }

  package var form: Form
  /// How many rows; from 1 to `LanguageLimits.rows`.
  package var count: Int
  /// The place of the number; of the whole command where the number is left out.
  @SourceOnly package var countRange: SourceRange

  var name: String {
    switch form {
    case .limit, .any: "limit"
    case .head: "head"
    case .tail: "tail"
    }
  }
}

/// `dedup`: keeps the first row of each combination of values.
package struct DedupCommand: Hashable, Sendable {
  package var fields: [FieldName]
}

/// `unnest`: one row for each element of a list.
package struct UnnestCommand: Hashable, Sendable {
  package var expression: Expression
  package var alias: FieldName
}

/// `expand`: like `unnest`, in the field itself.
package struct ExpandCommand: Hashable, Sendable {
  package var field: FieldName
}

/// `accum`: a running sum.
package struct AccumCommand: Hashable, Sendable {
  package var field: FieldName
  /// The name of the sum; the field itself is replaced if absent.
  package var alias: FieldName?
}

/// `autoregress`: copies of the values of earlier rows.
package struct AutoregressCommand: Hashable, Sendable {
  package var field: FieldName
  package var alias: FieldName?
  /// How many rows back: `p=3` is `3...3`, the default `1...1`.
  package var lags: ClosedRange<Int>
}

/// `filldown`: replaces missing values by the last one above.
package struct FilldownCommand: Hashable, Sendable {
  /// The fields; every visible one if empty.
  package var fields: [FieldPattern]
}

/// `outlier`: drops, clamps or marks values far from the others.
package struct OutlierCommand: Hashable, Sendable {
  /// What happens to an outlier.
  package enum Action: String, Hashable, Sendable, CaseIterable {
    case remove, transform
  }

  package var action: Action
  /// The factor of the interquartile range.
  package var factor: Double
  package var usesLowerFence: Bool
  package var marks: Bool
  package var fields: [FieldName]
}

/// `sessionize`: numbers the sessions of each identity.
package struct SessionizeCommand: Hashable, Sendable {
  package var fields: [FieldName]
  /// The longest pause inside a session; half an hour if absent.
  package var maxspan: DurationLiteral?
  /// The name of the output; `session_id` if absent.
  package var alias: FieldName?
}

/// `addtotals`: sums along rows, columns or both.
package struct AddtotalsCommand: Hashable, Sendable {
  /// The name of the total; `Total` if absent.
  package var fieldName: FieldName?
  package var addsRowTotal: Bool
  package var addsSummaryRow: Bool
  /// The fields to sum; every numeric one if empty.
  package var fields: [FieldName]
}
