package import QueryLanguage

extension SavedQuery {
  /// Everything that is wrong or doubtful with the query, whoever calls it.
  ///
  /// - Parameter options: where its tables are.
  /// - Returns: in the order of its text and with places in it.
  package func diagnostics(options: QueryOptions) -> [Diagnostic] {
    let check = SavedQueryCheck(self)
    if !check.diagnostics.isEmpty { return check.diagnostics }
    var options = options
    options.savedQueries = nil
    var found: [Diagnostic]
    do {
      found = try PreparedQuery(check.trial, options: options).warnings
    } catch {
      found = error.diagnostics
    }
    // The bins may be made before the call.
    return check.written(found, without: [.fillmissingWithoutBin])
  }
}
