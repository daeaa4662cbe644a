/// What is wrong or doubtful at one place of a query.
///
/// A value: the terminal, the server and the tests each show it in their own way.
package struct Diagnostic: Hashable, Sendable {
  package var id: DiagnosticID
  package var severity: DiagnosticSeverity
  /// What was expected and what was found; lower case, no full stop.
  package var message: String
  package var range: SourceRange
  /// A few words for the underlined place itself, such as `did you mean 'limit'?`.
  package var label: String?
  package var notes: [DiagnosticNote]
  package var fixIts: [FixIt]

  package init(
    _ id: DiagnosticID, _ severity: DiagnosticSeverity, _ message: String,
    at range: SourceRange, label: String? = nil, notes: [DiagnosticNote] = [], fixIts: [FixIt] = []
  ) {
    self.id = id
    self.severity = severity
    self.message = message
    self.range = range
    self.label = label
    self.notes = notes
    self.fixIts = fixIts
  }

  /// An error.
  package init(
    _ id: DiagnosticID, _ message: String, at range: SourceRange, label: String? = nil,
    notes: [DiagnosticNote] = [], fixIts: [FixIt] = []
  ) {
    self.init(id, .error, message, at: range, label: label, notes: notes, fixIts: fixIts)
  }
}

/// The stable name of a kind of diagnostic; the wording of its message may change.
package struct DiagnosticID: Hashable, Sendable, CustomStringConvertible {
  /// The short code, such as `E106`; warnings begin with `W`, hints with `H`.
  package var code: String
  /// The same in words, such as `unknown-command`.
  package var name: String

  package init(_ code: String, _ name: String) {
    self.code = code
    self.name = name
  }

  package var description: String { "\(code) \(name)" }
}

/// How much a diagnostic matters.
package enum DiagnosticSeverity: String, Hashable, Sendable, Comparable {
  /// A tip; the query does what it says.
  case hint
  /// The query runs, but perhaps not as meant.
  case warning
  /// The query cannot run.
  case error

  package static func < (left: DiagnosticSeverity, right: DiagnosticSeverity) -> Bool {
    left.rank < right.rank
  }

  private var rank: Int {
    switch self {
    case .hint: 0
    case .warning: 1
    case .error: 2
    }
  }
}

/// A further remark to a diagnostic, at a place of its own if it has one.
package struct DiagnosticNote: Hashable, Sendable {
  package var message: String
  package var range: SourceRange?

  package init(_ message: String, at range: SourceRange? = nil) {
    self.message = message
    self.range = range
  }
}
