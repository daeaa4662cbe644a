package import QueryLanguage

// A query in round brackets is bound by an analyzer of its own, with names and slots of its own:
// it knows nothing of the outer one but its log groups and its window. What comes out is an inner
// plan of the outer one, see ``Subplan``.

extension DiagnosticID {
  package static let subqueryColumns = DiagnosticID("E212", "subquery-columns")
  package static let misplacedSubquery = DiagnosticID("E117", "misplaced-subquery")
}

extension Analyzer {
  /// An analyzer of a query inside this one.
  func innerAnalyzer() -> Analyzer {
    var inner = Analyzer(inside: self)
    inner.scan.logGroups = scan.logGroups
    inner.scan.selection = scan.selection
    inner.scan.window = scan.window
    return inner
  }

  /// Binds the commands of a query in brackets; its mistakes become those of the whole.
  mutating func bindSubquery(_ subquery: Subquery) -> Analyzer {
    var inner = innerAnalyzer()
    inner.bindCommands(subquery.query)
    for diagnostic in inner.diagnostics { report(diagnostic) }
    return inner
  }

  /// Adds a finished inner query and returns its number.
  mutating func add(_ subplan: Subplan) -> Int {
    subplans.append(subplan)
    return subplans.count - 1
  }

  /// The commands bound so far as a query of its own, over a window of its own.
  ///
  /// - Parameter columns: what it returns, by slots of this query.
  func planSoFar(window: ClosedRange<Int64>?, columns: [OutputStep.Column]) -> LogicalPlan {
    var earlier = self
    earlier.scan.window = window
    earlier.closeSegment(barrier: nil)
    return earlier.assembled(OutputStep(columns: columns))
  }
}

// MARK: - in (subquery)

extension Analyzer {
  /// `operand in (subquery)`.
  mutating func bindMembership(
    of operand: BoundExpression, named name: String?, in subquery: Subquery, _ isNegated: Bool
  ) -> BoundExpression {
    guard ["filter", "where", "filterindex"].contains(commandName.lowercased()) else {
      report(Self.misplacedSubquery(commandName, at: subquery.range))
      return .missing
    }
    var inner = bindSubquery(subquery)
    let columns = inner.outputColumns()
    guard let column = Self.column(named: name, of: columns) else {
      report(Self.severalColumns(columns, outer: name, at: subquery.range))
      return .missing
    }
    inner.closeSegment(barrier: nil)
    let plan = inner.assembled(OutputStep(columns: [column]))
    let number = add(
      Subplan(name: "in", plan: plan, use: .values(column: 0), timeLimit: Self.subqueryTime))
    return BoundExpression(.amongRows(operand, .subplan(number), isNegated: isNegated))
  }

  static let subqueryTime = Duration.seconds(EngineLimits.subquerySeconds)

  /// The only column, or the one of the outer field's name.
  private static func column(
    named name: String?, of columns: [OutputStep.Column]
  ) -> OutputStep.Column? {
    let named = columns.filter {
      if case .named(let own, _) = $0 { columns.count == 1 || own == name } else { false }
    }
    return named.first
  }

  private static func severalColumns(
    _ columns: [OutputStep.Column], outer: String?, at range: SourceRange
  ) -> Diagnostic {
    let list = columns.map { column in
      if case .named(let name, _) = column { name } else { "*" }
    }
    return Diagnostic(
      .subqueryColumns, .error,
      "the subquery returns several columns (\(list.joined(separator: ", ")))", at: range,
      notes: [.init("end it with fields \(outer ?? "and the one field that is meant")")])
  }

  private static func misplacedSubquery(_ command: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .misplacedSubquery, .error,
      "a subquery may stand in a filter, in join and in appendcols, not in \(command)", at: range,
      notes: [.init("filter the rows first, and go on with those that are left")])
  }
}
