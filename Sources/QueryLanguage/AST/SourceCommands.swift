// The commands that bring in rows or columns from elsewhere.

/// `SOURCE`: which log groups are read, and of which window.
package struct SourceCommand: Hashable, Sendable {
  /// One way to name log groups; different ones in one command intersect.
  package enum Selector: Hashable, Sendable {
    /// Names or ARNs, quoted or one bare word.
    case names([StringLiteral])
    case logGroups(LogGroupsSelector)
    case logGroupTags([TagFilter])
    case dataSource([StringLiteral])
  }

  /// `logGroups(…)`: groups by prefix, account and class.
  package struct LogGroupsSelector: Hashable, Sendable {
    package var namePrefixes: [StringLiteral]
    package var accountIdentifiers: [StringLiteral]
    package var logGroupClasses: [StringLiteral]
  }

  /// `{key: "k", values: ["v"]}`: groups by one tag.
  package struct TagFilter: Hashable, Sendable {
    package var key: StringLiteral
    /// The accepted values, with `*` wildcards and a leading `!` to negate; none: the key is there.
    package var values: [StringLiteral]
  }

  /// A bound of the window.
  package enum Time: Hashable, Sendable {
    case now
    /// So long before now (`-3600s`), or after it without the minus.
    case relative(DurationLiteral, isNegative: Bool)
    /// Epoch seconds, or milliseconds from 10¹¹ on.
    case epoch(NumberLiteral)
    /// A readable time.
    case text(StringLiteral)
  }

  package var selectors: [Selector]
  package var start: Time?
  package var end: Time?
}

/// `$Name(a = 1)`: a saved query pasted in place.
package struct SavedQueryCall: Hashable, Sendable {
  /// One parameter with its value, which is a literal or a list of literals.
  package struct Argument: Hashable, Sendable {
    package var name: Identifier
    package var value: Expression
  }

  package var name: Identifier
  package var arguments: [Argument]
}

/// How a lookup writes what it found.
package enum LookupMode: Hashable, Sendable {
  /// `OUTPUT`: overwrites.
  case overwrite
  /// `OUTPUTNEW`: fills only what is missing.
  case fillMissing
}

/// A column of a lookup table and the field of the event that goes with it.
package struct LookupColumn: Hashable, Sendable {
  package var column: FieldName
  /// The field; of the column's own name if absent.
  package var alias: FieldName?

  /// The field of the event: the alias, else the column's name.
  package var field: FieldName { alias ?? column }
}

/// `lookup`: adds columns of a table by exact match.
package struct LookupCommand: Hashable, Sendable {
  package var table: Identifier
  package var matches: [LookupColumn]
  package var mode: LookupMode
  package var outputs: [LookupColumn]
}

/// `cidrlookup`: adds columns of a table by network address.
package struct CidrlookupCommand: Hashable, Sendable {
  package var table: Identifier
  package var addressField: FieldName
  /// The column of networks; the first such column of the table if absent.
  package var networkColumn: FieldName?
  package var mode: LookupMode
  package var outputs: [LookupColumn]
}

/// `join`: pairs rows with those of another query.
package struct JoinCommand: Hashable, Sendable {
  /// What happens to a left row without partner.
  package enum JoinType: String, Hashable, Sendable, CaseIterable {
    case inner, left
  }

  package var type: JoinType
  /// The alias of the left side; `left` if absent.
  package var leftAlias: Identifier?
  /// The alias of the right side; `right` if absent.
  package var rightAlias: Identifier?
  /// The two keys in written order; either may belong to either side.
  package var firstKey: FieldName
  package var secondKey: FieldName
  package var subquery: Subquery
}

/// `appendcols`: puts the rows of another query beside these.
package struct AppendcolsCommand: Hashable, Sendable {
  package var overrides: Bool
  /// The most rows taken; from 1 to `LanguageLimits.appendedRows`.
  package var maximumRows: Int
  package var subquery: Subquery
}
