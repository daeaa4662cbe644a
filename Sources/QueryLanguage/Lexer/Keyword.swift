/// Every word the parser knows, in one table.
///
/// None is reserved: a word means something only at its place, so a field may bear any of these
/// names (`count`, `by`), in backticks where the place is ambiguous. Case does not matter.
package enum Keyword: String, Hashable, Sendable, CaseIterable {
  // Commands.
  case accum, addtotals, anomaly, appendcols, autoregress, cidrlookup, countFrequent
  case countFrequentSnake = "count_frequent"
  case dedup, diff, display, estimate, expand, field, fields, filldown, fillmissing, filter
  case filterIndex, head, join, json, limit, logcompare, lookup, order, outlier, parse, pattern
  case relevantfields, search, sessionize, sort, source, stats, tail, unnest, `where`

  // Words inside an expression.
  case and, `false`, `in`, like, not, null, or, `true`

  // Words that begin or join clauses.
  case any, `as`, asc, by, csv, desc, `for`, group, into, logfmt, maxspan, multi, offset, output
  case outputnew, previousDay, previousMonth, previousWeek, timeshift, with

  // Words of SOURCE.
  case accountIdentifier, accountIdentifiers, `class`, dataSource, end, key, logGroupClass
  case logGroups, logGroupTags, namePrefix, now, start, values

  // Options, written `name=value`, and their values.
  case action, col, fieldname, inner, left, mark, max, override, p, param, remove, right, row
  case transform, type, uselower
}

extension Keyword {
  /// What a word is for.
  package enum Role: Hashable, Sendable {
    case command, expression, clause, source, option
  }

  /// What the word is for; a word of several uses has the first of them in the order of `Role`.
  package var role: Role {
    switch self {
    case .accum, .addtotals, .anomaly, .appendcols, .autoregress, .cidrlookup, .countFrequent,
      .countFrequentSnake, .dedup, .diff, .display, .estimate, .expand, .field, .fields, .filldown,
      .fillmissing, .filter, .filterIndex, .head, .join, .json, .limit, .logcompare, .lookup,
      .order, .outlier, .parse, .pattern, .relevantfields, .search, .sessionize, .sort, .source,
      .stats, .tail, .unnest, .where:
      .command
    case .and, .false, .in, .like, .not, .null, .or, .true:
      .expression
    case .any, .as, .asc, .by, .csv, .desc, .for, .group, .into, .logfmt, .maxspan, .multi,
      .offset, .output, .outputnew, .previousDay, .previousMonth, .previousWeek, .timeshift, .with:
      .clause
    case .accountIdentifier, .accountIdentifiers, .class, .dataSource, .end, .key, .logGroupClass,
      .logGroups, .logGroupTags, .namePrefix, .now, .start, .values:
      .source
    case .action, .col, .fieldname, .inner, .left, .mark, .max, .override, .p, .param, .remove,
      .right, .row, .transform, .type, .uselower:
      .option
    }
  }

  /// The words a stage may begin with.
  package static let commands = allCases.filter { $0.role == .command }

  /// The keyword a word spells, in any case.
  package init?(spelling: some StringProtocol) {
    guard let keyword = Self.bySpelling[spelling.lowercased()] else { return nil }
    self = keyword
  }

  private static let bySpelling = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.rawValue.lowercased(), $0) })
}

extension Keyword {
  /// The word as the documentation writes it; some are written in capitals.
  package var spelling: String {
    switch self {
    case .source, .output, .outputnew, .start, .end: rawValue.uppercased()
    default: rawValue
    }
  }
}
