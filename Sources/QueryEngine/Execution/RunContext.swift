import Columnar
import QueryLanguage
import Synchronization

/// What the parts of a run share besides rows: the clock of the query, and what is to be said at its
/// end.
final class RunContext: Sendable {
  /// What `now()` and the window functions see.
  let functions: FunctionContext
  private let notes = Mutex<(warnings: [Diagnostic], approximations: [String])>(([], []))

  init(functions: FunctionContext) { self.functions = functions }

  /// Adds a warning; equal ones are kept once.
  func warn(_ diagnostic: Diagnostic) {
    notes.withLock { if !$0.warnings.contains(diagnostic) { $0.warnings.append(diagnostic) } }
  }

  /// Notes that a value of the answer is approximate, and why.
  func noteApproximation(_ text: String) {
    notes.withLock {
      if !$0.approximations.contains(text) { $0.approximations.append(text) }
    }
  }

  var warnings: [Diagnostic] { notes.withLock { $0.warnings } }
  var approximations: [String] { notes.withLock { $0.approximations } }
}
