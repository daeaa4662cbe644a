import Columnar
import QueryLanguage
import Synchronization

/// What the parts of a run share besides rows: the clock of the query, and what is to be said at its
/// end.
final class RunContext: Sendable {
  /// What `now()` and the window functions see.
  let functions: FunctionContext
  private let notes: Notes

  /// What is to be said, shared by a query and those it runs inside.
  private final class Notes: Sendable {
    let all = Mutex<(warnings: [Diagnostic], approximations: [String])>(([], []))
    let metFields = Mutex<Set<String>>([])
  }

  init(functions: FunctionContext) {
    self.functions = functions
    notes = Notes()
  }

  /// The context of an inner query: with a window of its own, and one place for what is to be said.
  init(functions: FunctionContext, sharing outer: RunContext) {
    var functions = functions
    functions.givenUp = outer.functions.givenUp
    self.functions = functions
    notes = outer.notes
  }

  /// Adds a warning; equal ones are kept once.
  func warn(_ diagnostic: Diagnostic) {
    notes.all.withLock { if !$0.warnings.contains(diagnostic) { $0.warnings.append(diagnostic) } }
  }

  /// Notes that a value of the answer is approximate, and why.
  func noteApproximation(_ text: String) {
    notes.all.withLock {
      if !$0.approximations.contains(text) { $0.approximations.append(text) }
    }
  }

  /// Notes that some event has a field.
  func noteMet(_ field: String) { notes.metFields.withLock { _ = $0.insert(field) } }

  /// The fields that were read and found in some event.
  var metFields: Set<String> { notes.metFields.withLock { $0 } }
  var warnings: [Diagnostic] { notes.all.withLock { $0.warnings } }
  var approximations: [String] { notes.all.withLock { $0.approximations } }
}
