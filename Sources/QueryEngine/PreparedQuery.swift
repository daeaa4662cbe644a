package import Columnar
package import LogStorage
package import QueryLanguage

/// A query that was understood in full and can be run, any number of times, on any source.
package struct PreparedQuery: Sendable {
  /// The query as given.
  package let text: SourceText
  /// Warnings and hints about the text, in the order of the text.
  package let warnings: [Diagnostic]
  private let written: LogicalPlan
  private let plan: LogicalPlan
  private let options: QueryOptions
  private let expansion: QueryExpansion

  /// Reads, analyzes and plans a query.
  ///
  /// - Throws: ``QueryError`` with every mistake found.
  package init(_ text: String, options: QueryOptions) throws(QueryError) {
    let expansion = QueryExpansion(text, saved: options.savedQueries)
    let parsed = expansion.parsed
    var analyzer = Analyzer(parsed, options: options)
    let plan = expansion.isComplete ? analyzer.analyze(parsed.query) : nil
    let diagnostics = (parsed.diagnostics + analyzer.diagnostics).inTextOrder()
      .map { options.isStrict ? $0.inStrictMode(parsed.source) : $0 }.map(expansion.written)
    guard let plan, !diagnostics.contains(where: { $0.severity == .error }) else {
      throw QueryError(text: expansion.written, diagnostics: diagnostics)
    }
    self.text = expansion.written
    self.expansion = expansion
    self.options = options
    warnings = diagnostics
    written = plan
    self.plan = options.isOptimized ? Optimizer.optimized(plan) : plan
  }

  /// Names of the result's columns in order, when the text alone decides them; `nil` for `fields *`,
  /// whose batches may differ in their columns.
  package var columns: [String]? { plan.output.names }

  /// Runs the query and hands its rows to `sink` in final order, a bounded batch at a time, on the
  /// calling thread. What `sink` throws ends the query and is thrown on.
  ///
  /// A row without a value in a column has it missing. `@ptr` is a column only if the query names it.
  /// With `fields *` each batch brings the columns its own rows have.
  ///
  /// - Throws: ``QueryFailure``, ``QueryError`` for a `SOURCE` of groups that are not there, or what
  ///   `sink` throws.
  package func run(
    on source: any EventSource, sink: (ColumnBatch) throws -> Void
  ) throws -> QueryOutcome {
    try checkGroups(of: source)
    do {
      return try withoutActuallyEscaping(sink) { sink in
        var options = options
        if let folder = source.temporaryFolder { options.temporaryFolders.insert(folder, at: 0) }
        let runner = QueryRunner(plan, options: options)
        let statistics = try runner.run(on: source, sink: sink)
        return QueryOutcome(
          statistics: statistics,
          warnings: warnings + runner.context.warnings.map(expansion.written))
      }
    } catch let error as StorageError {
      throw QueryFailure.storage(error)
    }
  }

  /// The plan, and what it would read and cost, without the answer.
  ///
  /// The query is tried on some row groups, for a tenth of a second at most.
  ///
  /// - Throws: ``QueryFailure``, ``QueryError``.
  package func forecast(on source: any EventSource) throws -> QueryForecast {
    try checkGroups(of: source)
    do {
      return try Forecaster(plan: plan, options: options)
        .forecast(comparedWith: written, on: source)
    } catch let error as StorageError {
      throw QueryFailure.storage(error)
    }
  }

  /// What a run is expected to count; `nil` where that cannot be told.
  ///
  /// It does not tell the time and memory of a first run of its kind that read a row group or two for longer than
  /// a moment: only the same run would show them.
  ///
  /// - Parameters:
  ///   - statistics: those of the run, from which later estimates of the same process learn.
  ///   - rates: what runs before it took.
  package func estimate(
    of statistics: QueryStatistics, on source: any EventSource, rates: RateBook
  ) throws -> QueryEstimate? {
    let work = PlanPrinter(plan, hidesValues: true).text()
    let forecaster = Forecaster(plan: plan, options: options)
    let estimate = try forecaster.estimate(
      on: source, rate: rates.rate(of: work), trialMilliseconds: trialMilliseconds(statistics))
    rates.note(
      RunRate(
        rowGroupCount: statistics.rowGroupsRead, bytesRead: statistics.bytesRead,
        peakMemoryBytes: statistics.peakMemoryBytes, milliseconds: statistics.elapsedMilliseconds,
        endsEarly: statistics.rowGroupsRead < estimate?.rowGroupsRead ?? 0),
      of: work)
    return estimate
  }

  /// How long a trial behind a run may take; `nil` where it would be the better part of the run once more, and the user
  /// would wait for the answer twice.
  private func trialMilliseconds(_ run: QueryStatistics) -> Int? {
    let allowed = max(2, run.elapsedMilliseconds / 4)
    let rowGroupsInTurn = max(1, run.rowGroupsRead / max(1, options.workers))
    return run.elapsedMilliseconds / Double(rowGroupsInTurn) <= allowed ? Int(allowed) : nil
  }
}

extension PreparedQuery {
  /// Refuses a `SOURCE` of groups that the source of events does not have.
  private func checkGroups(of source: any EventSource) throws(QueryError) {
    let errors = plan.sourceDiagnostics(of: source)
    guard !errors.isEmpty else { return }
    throw QueryError(
      text: text, diagnostics: (warnings + errors.map(expansion.written)).inTextOrder())
  }
}

extension Diagnostic {
  /// Words that CloudWatch itself takes, though no page of it names them.
  private static let knownWords = ["order", "search", "field"]

  /// What is written as CloudWatch does not know it is an error then.
  fileprivate func inStrictMode(_ source: SourceText) -> Diagnostic {
    guard [.foreignSpelling, .roundList, .limitAny].contains(id),
      !Self.knownWords.contains(source[range].lowercased())
    else { return self }
    var diagnostic = self
    diagnostic.severity = .error
    diagnostic.notes.append(.init("--strict refuses what CloudWatch does not know"))
    return diagnostic
  }
}

extension [Diagnostic] {
  fileprivate func inTextOrder() -> [Diagnostic] {
    enumerated().sorted { a, b in
      (a.element.range.start, a.offset) < (b.element.range.start, b.offset)
    }.map(\.element)
  }
}
