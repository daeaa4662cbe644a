import QueryEngine
import QueryLanguage

/// The shell's own help.
enum ReplHelp {
  /// What `help` or `help WORD` prints; `nil` for any other text.
  static func answer(to text: String) -> String? {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count <= 2, words.first?.lowercased() == "help" else { return nil }
    return words.count == 1 ? overview : page(String(words[1]))
  }

  /// The page of a command, function or code, or what comes near.
  static func page(_ word: String) -> String { Manual.page(word) ?? Manual.unknown(word) + "\n" }

  /// The commands of the shell that begin with a dot.
  static let commands = [
    ".groups", ".fields", ".use", ".since", ".mode", ".timing", ".explain", ".quit",
  ]

  static let overview = """
    Type a query and end it with ';' or an empty line:

      stats count(*) as n by level | sort n desc;
      fields @timestamp, @message
      | filter @message like /timeout/
      | limit 20;

    help WORD          what a command or function of the language does (help stats)
    help commands      all commands; also: help functions, help codes
    help lookup        tables of the store; help saved: queries called as $name()
    .groups            the log groups of the store
    .fields [GROUP]    the fields of the chosen groups
    .use [GROUP …]     which groups queries read; alone, all of them
    .since [3h | all]  how far back queries look
    .mode [FORMAT]     how rows are printed: table, vertical, json, ndjson, csv, tsv, markdown, raw
    .timing [on|off]   what each query read and how long it took
    .explain QUERY     what a query would read, and how long it would take
    clear              an empty screen
    .quit              leave, as Ctrl-D does

    Ctrl-C stops a running query, or gives up the line being typed.

    """
}
