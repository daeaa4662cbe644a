package import Columnar
package import LogStorage
package import QueryLanguage

/// A query that was understood in full and can be run, any number of times, on any source.
package struct PreparedQuery: Sendable {
  /// The query as given.
  package let text: SourceText
  /// Warnings and hints about the text, in the order of the text.
  package let warnings: [Diagnostic]
  /// Names of the result's columns in order, when the text alone decides them; `nil` for `fields *`,
  /// whose batches may differ in their columns.
  package let columns: [String]?
  private let options: QueryOptions

  /// Reads, analyzes and plans a query.
  ///
  /// - Throws: ``QueryError`` with every mistake found.
  package init(_ text: String, options: QueryOptions) throws(QueryError) {
    let source = SourceText(text)
    self.text = source
    self.options = options
    warnings = []
    columns = nil
    throw QueryError(
      text: source,
      diagnostics: [
        Diagnostic(
          DiagnosticID("E003", "not-available"), .error, "queries are not available yet",
          at: source.range)
      ])
  }

  /// Runs the query and hands its rows to `sink` in final order, a bounded batch at a time, on the
  /// calling thread. What `sink` throws ends the query and is thrown on.
  ///
  /// A row without a value in a column has it missing. `@ptr` is a column only if the query names it.
  /// With `fields *` each batch brings the columns its own rows have.
  ///
  /// - Throws: ``QueryFailure``, or what `sink` throws.
  package func run(on source: any EventSource, sink: (ColumnBatch) throws -> Void) throws
    -> QueryOutcome
  {
    QueryOutcome(statistics: QueryStatistics(), warnings: warnings)
  }

  /// The plan before and after optimization as text, and what the scan would read, without running.
  ///
  /// - Throws: ``QueryFailure``.
  package func explain(on source: any EventSource) throws -> String {
    ""
  }
}
