package import LogStorage
package import QueryLanguage

/// A query that cannot run: everything that is wrong with its text, each with its place.
package struct QueryError: Error, Sendable {
  package let text: SourceText
  /// In the order of the text; errors and the warnings found beside them.
  package let diagnostics: [Diagnostic]

  package init(text: SourceText, diagnostics: [Diagnostic]) {
    self.text = text
    self.diagnostics = diagnostics
  }
}

/// Why a query that could run did not come to its end.
package enum QueryFailure: Error, Sendable, CustomStringConvertible {
  /// E502: the query needs more memory than it may use; the text names the operator and the remedy.
  case outOfMemory(String)
  /// A limit of the language that only the run can find passed: E210, E213, E408.
  case refused(code: String, String)
  /// The deadline passed.
  case timedOut
  /// Another thread cancelled the query.
  case cancelled
  /// The source of the events failed.
  case storage(StorageError)

  /// The short code of the diagnostics catalogue, or the name of the storage error.
  package var code: String {
    switch self {
    case .outOfMemory: "E502"
    case .refused(let code, _): code
    case .timedOut: "timed-out"
    case .cancelled: "cancelled"
    case .storage(let error): error.code.description
    }
  }

  package var description: String {
    switch self {
    case .outOfMemory(let text), .refused(_, let text): text
    case .timedOut: "the query ran out of time; narrow the window or give it more with --timeout"
    case .cancelled: "the query was cancelled"
    case .storage(let error): error.message
    }
  }
}
