/// The bounds of a query's text and tree; beyond each the parser reports an error, never a guess.
package enum LanguageLimits {
  /// The longest query, in Unicode scalars, also after saved queries are pasted in.
  ///
  /// The service's own limit. It also bounds every other cost of the parser.
  package static let queryLength = 10_000

  /// How deep brackets, calls, prefix operators and subqueries may nest.
  ///
  /// Bounds the parser's recursion, hence the stack it needs.
  package static let nesting = 200

  /// The most levels of an expression tree, which chains such as `a + b + c` add to as well.
  ///
  /// Bounds the recursion of everything that walks the tree after the parser.
  package static let expressionHeight = 1000

  /// The most operands in one list.
  package static let listOperands = 10_000

  /// The most rows a query gives back; the largest number after `limit`.
  package static let rows = 100_000

  /// The rows of `head` and `tail` without number.
  package static let defaultHeadRows = 1000

  /// The most `stats` commands in one query.
  package static let statsCommands = 10

  /// The largest `max` of `appendcols`.
  package static let appendedRows = 100_000

  /// The `max` of `appendcols` if none is given.
  package static let defaultAppendedRows = 10_000

  /// The largest lag of `autoregress`.
  package static let lag = 10_000

  /// The most arguments of a saved query.
  package static let savedQueryParameters = 20

  /// The most errors of one query, and the most warnings; the rest would only repeat them.
  package static let diagnostics = 50

  /// How many diagnostics of one query, from the first on, may come with fix-its.
  ///
  /// Each fix-it costs a run of the parser to confirm it.
  package static let diagnosticsWithFixIts = 10
}
