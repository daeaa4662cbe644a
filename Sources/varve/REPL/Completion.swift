@preconcurrency import CEdit
import Glibc
import LogStorage
import QueryEngine
import QueryLanguage

/// What Tab offers in the shell: commands and functions of the language, commands of the shell, fields of the events,
/// lookup tables and saved queries.
///
/// libedit asks through C functions, which can carry no state, so the words lie in globals; it does so on
/// the thread that reads the line.
enum Completion {
  /// Row groups whose fields are offered; those of a large store would take long to gather.
  private static let rowGroupsLookedAt = 32

  nonisolated(unsafe) private static var words: [String] = []
  nonisolated(unsafe) private static var matches: [String] = []

  /// Makes libedit ask here.
  static func install() {
    // Which of the two counts depends on libedit's version; the basic ones would part `@` and `$`
    // from what follows.
    let breaks = strdup(" \t\n\"'`=<>!~;|,(){}[]+*/%^")
    rl_completer_word_break_characters = breaks
    rl_basic_word_break_characters = UnsafePointer(breaks)
    // What comes next is a blank after a field, a bracket after a function: the user knows.
    rl_completion_append_character = 0
    rl_attempted_completion_function = { text, _, _ in
      // Nothing fitting means nothing at all, never names of files.
      rl_attempted_completion_over = 1
      return rl_completion_matches(text) { text, state in
        text.flatMap { Completion.match(String(cString: $0), number: Int(state)) }
      }
    }
  }

  /// Offers the fields of these events too. What cannot be read is not offered; a query will say why.
  static func offer(
    fieldsOf source: any EventSource, groups: [String], tables: [String], savedQueries: [String]
  ) {
    var fields: Set<String> = ["@timestamp", "@message", "@logStream", "@log", "@ingestionTime"]
    let request = ScanRequest(logGroups: groups.isEmpty ? nil : groups)
    if let cursor = try? source.scan(request) {
      for _ in 0..<rowGroupsLookedAt {
        guard let rowGroup = try? cursor.next() else { break }
        fields.formUnion((try? rowGroup.discoveredFields().map(\.name)) ?? [])
      }
    }
    words =
      (Keyword.commands.map(\.spelling) + FunctionCatalog.names + ReplHelp.commands + fields
      + tables + calls(of: savedQueries))
      .sorted()
  }

  /// The calls of saved queries as far as they are sure. A name in backticks is no word to complete.
  private static func calls(of names: [String]) -> [String] {
    names.map { SavedQuery(name: $0, text: "").callName + "(" }.filter { !$0.contains("`") }
  }

  /// The words that begin with `start`, one a call, as libedit wants them: owned by the caller.
  private static func match(_ start: String, number: Int) -> UnsafeMutablePointer<CChar>? {
    if number == 0 { matches = words.filter { $0.hasPrefix(start) } }
    return number < matches.count ? strdup(matches[number]) : nil
  }
}
