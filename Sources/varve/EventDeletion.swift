import Columnar
import LogStorage
import QueryEngine
import QueryLanguage

/// Finds and deletes the events that a filter of the query language matches: what
/// `delete --where` does.
struct EventDeletion {
  let group: String
  /// What stands behind `filter` in a query.
  let condition: String
  let window: ClosedRange<Int64>?
  let now: Int64

  /// Checks the condition before anything is opened or asked.
  ///
  /// - Throws: `QueryError` with carets under the condition, `CommandFailure` when it is more than a
  ///   condition.
  func check() throws {
    _ = try PreparedQuery(filter, options: options)
    let commands = QueryParser.parse(filter).query.commands
    guard commands.count == 1, case .filter = commands[0].kind else {
      throw CommandFailure.usage(
        "--where takes one condition, as it stands behind 'filter'; '\(condition)' has further commands"
      )
    }
  }

  /// Deletes, or only counts.
  func run(
    on store: LogStore, dryRun: Bool, note: String
  ) throws -> EventDeletionReport {
    try store.deleteEvents(of: group, dryRun: dryRun, note: note, choose: sequences)
  }

  private var filter: String { "filter " + condition }

  private var options: QueryOptions {
    var options = QueryOptions(now: now)
    options.logGroups = [group]
    options.window = window
    return options
  }

  /// The sequence numbers of the events that match. A damaged part could hold more of them, so
  /// nothing is chosen then.
  private func sequences(in snapshot: Snapshot) throws -> [UInt64] {
    // The line end closes a comment that the condition may end with.
    let query = try PreparedQuery(filter + "\n| display @ptr", options: options)
    var found: [UInt64] = []
    let outcome = try query.run(on: snapshot) { batch in
      for row in 0..<batch.rowCount {
        guard case .string(let pointer) = batch.columns[0].value(at: row),
          let sequence = UInt64(pointer.suffix(16), radix: 16)
        else { throw CommandFailure("an event has no record id; nothing was deleted") }
        found.append(sequence)
      }
    }
    if let part = outcome.statistics.damagedParts.first {
      throw CommandFailure(
        "nothing was deleted, for a part that cannot be read may hold further matches: \(part); "
          + "'varve repair' removes it", code: "damaged")
    }
    return found
  }
}
