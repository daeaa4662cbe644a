// What the grammar cannot say: which command may stand where, and how often.
//
// A check over the finished tree. It needs no knowledge of fields or types; what does (what exists
// after `stats`, say) is the analyzer's.

/// Checks the places and numbers of commands.
struct PlacementRules {
  private(set) var diagnostics: [Diagnostic] = []

  /// Everything that is wrong with the places of commands in `query`.
  static func check(_ query: Query) -> [Diagnostic] {
    var rules = PlacementRules()
    rules.check(query, isSubquery: false)
    return rules.diagnostics
  }

  private mutating func check(_ query: Query, isSubquery: Bool) {
    checkSources(query.commands)
    checkEstimate(query.commands)
    checkStats(query.commands)
    checkSegments(query.commands)
    checkJoins(query.commands)
    for command in query.commands {
      checkAlone(command)
      for subquery in command.subqueries {
        if isSubquery {
          diagnostics.append(LanguageDiagnostics.nestedSubquery(at: subquery.range))
        } else {
          check(subquery.query, isSubquery: true)
        }
      }
    }
  }

  /// SOURCE stages lead the query.
  private mutating func checkSources(_ commands: [Command]) {
    let rest = commands.drop { command in
      if case .source = command.kind { true } else { false }
    }
    for command in rest {
      if case .source = command.kind {
        diagnostics.append(LanguageDiagnostics.sourceNotFirst(at: command.keywordRange))
      }
    }
  }

  private mutating func checkEstimate(_ commands: [Command]) {
    for command in commands.dropLast() {
      if case .estimate = command.kind {
        diagnostics.append(LanguageDiagnostics.estimateNotLast(at: command.keywordRange))
      }
    }
  }

  /// At most ten `stats`, and no row limit before the last of them.
  private mutating func checkStats(_ commands: [Command]) {
    var stats: [Command] = []
    var limits: [Command] = []
    for command in commands {
      switch command.kind {
      case .stats:
        stats.append(command)
        diagnostics += limits.map {
          LanguageDiagnostics.limitBeforeStats($0.name, at: $0.range, stats: command.keywordRange)
        }
        limits = []
      case .limit: limits.append(command)
      default: break
      }
    }
    if stats.count > LanguageLimits.statsCommands {
      let surplus = stats[LanguageLimits.statsCommands]
      diagnostics.append(LanguageDiagnostics.tooManyStats(at: surplus.keywordRange))
    }
  }

  /// `pattern` does not follow a `sort`, and `limit any` neither a `sort` nor a barrier.
  private mutating func checkSegments(_ commands: [Command]) {
    var hadBarrier = false
    for segment in Self.segments(commands) {
      let sort = segment.first { if case .sort = $0.kind { true } else { false } }
      for command in segment {
        switch command.kind {
        case .pattern:
          guard let sort, sort.keywordRange.start < command.keywordRange.start else { break }
          diagnostics.append(
            LanguageDiagnostics.patternAfterSort(
              at: command.keywordRange, sort: sort.keywordRange))
        case .limit(let limit) where limit.form == .any && (sort != nil || hadBarrier):
          diagnostics.append(
            LanguageDiagnostics.limitAny(limit.count, at: command.range, hasSort: sort != nil))
        default: break
        }
      }
      hadBarrier = true
    }
  }

  /// The commands, cut after each barrier: a command that needs all rows before it.
  private static func segments(_ commands: [Command]) -> [[Command]] {
    var segments: [[Command]] = [[]]
    for command in commands {
      segments[segments.count - 1].append(command)
      if command.kind.isBarrier { segments.append([]) }
    }
    return segments
  }

  private mutating func checkJoins(_ commands: [Command]) {
    let joins = commands.filter { if case .join = $0.kind { true } else { false } }
    for join in joins.dropFirst() {
      diagnostics.append(
        LanguageDiagnostics.severalJoins(at: join.keywordRange, first: joins[0].keywordRange))
    }
  }

  private mutating func checkAlone(_ command: Command) {
    switch command.kind {
    case .limit(let limit):
      guard !(1...LanguageLimits.rows).contains(limit.count) else { break }
      diagnostics.append(
        LanguageDiagnostics.limitOutOfRange(
          limit.name, found: String(limit.count), at: limit.countRange))
    case .fields(let fields): checkAliases(fields.expressions.compactMap(\.alias))
    case .stats(let stats):
      checkAliases(stats.outputs.compactMap(\.alias) + namedKeys(stats.keys))
    case .parse(let parse): checkParse(parse.method)
    case .source(let source): checkSource(source, at: command.range)
    default: break
    }
  }

  /// The names of keys: aliases, and plain fields once each, since a field listed twice is harmless.
  private func namedKeys(_ keys: [AliasedExpression]) -> [FieldName] {
    var plain: Set<String> = []
    return keys.compactMap { key in
      if let alias = key.alias { return alias }
      guard let field = key.expression.fieldName, plain.insert(field.name).inserted else {
        return nil
      }
      return field
    }
  }

  private mutating func checkAliases(_ aliases: [FieldName]) {
    for (index, alias) in aliases.enumerated() {
      if let first = aliases[..<index].first(where: { $0.name == alias.name }) {
        diagnostics.append(
          LanguageDiagnostics.repeatedAlias(alias.name, at: alias.range, first: first.range))
      }
    }
  }

  private mutating func checkParse(_ method: ParseCommand.Method) {
    switch method {
    case .glob(let pattern, let aliases):
      checkAliases(aliases)
      let glob = GlobShape(pattern.value)
      if glob.wildcardCount == 0 || glob.hasAdjacentWildcards || glob.wildcardCount != aliases.count
      {
        diagnostics.append(
          LanguageDiagnostics.wildcardCount(glob, aliases: aliases.count, at: pattern.range))
      }
    case .regex(_, let aliases, _), .csv(let aliases): checkAliases(aliases)
    case .logfmt: break
    }
  }

  private mutating func checkSource(_ source: SourceCommand, at range: SourceRange) {
    for selector in source.selectors {
      switch selector {
      case .names: break
      case .logGroups(let groups):
        checkCount(groups.namePrefixes, "prefixes", 5, at: range)
        checkCount(groups.accountIdentifiers, "accounts", 20, at: range)
      case .dataSource(let names): checkCount(names, "data sources", 10, at: range)
      case .logGroupTags(let filters):
        checkCount(filters.map(\.key), "tag filters", 5, at: range)
        for filter in filters {
          checkCount(filter.values, "values of one tag", 5, at: filter.key.range)
        }
      }
    }
  }

  private mutating func checkCount(
    _ entries: [StringLiteral], _ what: String, _ most: Int, at range: SourceRange
  ) {
    guard entries.count > most else { return }
    diagnostics.append(
      LanguageDiagnostics.tooMany(what, most, found: entries.count, at: entries[most].range))
  }
}

/// What can be seen of a glob pattern without running it.
struct GlobShape {
  private(set) var wildcardCount = 0
  private(set) var hasAdjacentWildcards = false

  /// Counts the stars that no backslash protects.
  init(_ pattern: String) {
    var isEscaped = false
    var followsStar = false
    for scalar in pattern.unicodeScalars {
      let isWildcard = scalar == "*" && !isEscaped
      if isWildcard {
        wildcardCount += 1
        hasAdjacentWildcards = hasAdjacentWildcards || followsStar
      }
      followsStar = isWildcard
      isEscaped = scalar == "\\" && !isEscaped
    }
  }
}

extension Command {
  /// The queries in brackets inside this command, in written order.
  package var subqueries: [Subquery] {
    switch kind {
    case .join(let join): [join.subquery]
    case .appendcols(let appendcols): [appendcols.subquery]
    default: kind.expressions.flatMap(\.subqueries)
    }
  }
}

extension Expression {
  /// The queries in brackets inside this expression, in written order.
  ///
  /// - Complexity: O(size of the expression).
  package var subqueries: [Subquery] {
    var found: [Subquery] = children.flatMap(\.subqueries)
    if case .membership(let membership) = kind, case .subquery(let subquery) = membership.set {
      found.append(subquery)
    }
    return found
  }
}

extension Command.Kind {
  /// Whether the command needs the rows of all earlier ones, so that what follows begins anew.
  package var isBarrier: Bool {
    switch self {
    case .accum, .addtotals, .anomaly, .appendcols, .autoregress, .countFrequent, .dedup, .diff,
      .expand, .filldown, .fillmissing, .join, .logcompare, .outlier, .pattern, .relevantfields,
      .sessionize, .stats, .unnest:
      true
    case .parse(let parse):
      if case .regex(_, _, isMulti: true) = parse.method { true } else { false }
    case .cidrlookup, .display, .estimate, .fields, .filter, .filterIndex, .invalid, .json, .limit,
      .lookup, .savedQuery, .search, .sort, .source:
      false
    }
  }

  /// The expressions of the command itself, in written order; not those of its subqueries.
  package var expressions: [Expression] {
    switch self {
    case .display(let command): command.columns.map(\.expression)
    case .fields(let command): command.expressions.map(\.expression)
    case .filter(let command): [command.condition]
    case .filterIndex(let command): command.conditions
    case .fillmissing(let command): command.fillings.map(\.value)
    case .parse(let command): command.source.map { [$0] } ?? []
    case .pattern(let command): [command.input.expression]
    case .relevantfields(let command): [command.condition]
    case .savedQuery(let command): command.arguments.map(\.value)
    case .search(let command):
      if case .expression(let expression) = command.pattern { [expression] } else { [] }
    case .sort(let command): command.keys.map(\.expression)
    case .stats(let command):
      (command.outputs + command.keys).map(\.expression)
    case .unnest(let command): [command.expression]
    case .accum, .addtotals, .anomaly, .appendcols, .autoregress, .cidrlookup, .countFrequent,
      .dedup, .diff, .estimate, .expand, .filldown, .invalid, .join, .json, .limit, .logcompare,
      .lookup, .outlier, .sessionize, .source:
      []
    }
  }
}
