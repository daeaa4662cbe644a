import QueryEngine
import QueryLanguage

/// What `help WORD` says about a command or a function of the language.
enum CommandHelp {
  /// The help of a word, or what to do when there is none.
  static func text(for word: String) -> String {
    let folded = word.lowercased()
    if let entry = entries.first(where: { $0.names.contains(folded) }) { return entry.text }
    if let function = functionText(folded) { return function }
    if Keyword(spelling: word)?.role == .command {
      return "\(word) belongs to the language, but is not available yet.\n"
    }
    let known = entries.map { $0.names[0] }.joined(separator: ", ")
    return "There is no help for '\(word)'. Commands: \(known). Functions: 'help functions'.\n"
  }

  private static func functionText(_ word: String) -> String? {
    if word == "functions" { return functionList }
    if let function = FunctionCatalog.scalar(word) {
      return Entry(
        names: [], form: "\(function.signature) → \(function.result)", meaning: function.summary,
        example: function.example
      ).text
    }
    let aggregate = FunctionCatalog.aggregates.first {
      ([$0.name] + $0.aliases).contains { $0.lowercased() == word }
    }
    guard let aggregate else { return nil }
    return Entry(
      names: [], form: "\(aggregate.signature) → \(aggregate.result)", meaning: aggregate.summary,
      example: aggregate.example
    ).text
  }

  private static var functionList: String {
    let scalars = FunctionCatalog.scalars.map { ($0.signature, $0.summary) }
    let aggregates = FunctionCatalog.aggregates.map { ($0.signature, $0.summary) }
    let style = TextStyle.output
    func section(_ title: String, _ functions: [(String, String)]) -> String {
      let widest = functions.map(\.0.count).max() ?? 0
      let lines = functions.map { signature, summary in
        "  " + signature + String(repeating: " ", count: widest - signature.count + 2) + summary
      }
      return style.bold(title) + "\n" + lines.joined(separator: "\n") + "\n"
    }
    return section("In stats", aggregates) + "\n" + section("Anywhere", scalars)
  }

  private struct Entry {
    let names: [String]
    let form: String
    let meaning: String
    let example: String

    var text: String {
      "\(TextStyle.output.bold(form))\n\n  \(meaning)\n\n  Example:  \(example)\n"
    }
  }

  private static let entries = [
    Entry(
      names: ["fields", "field"], form: "fields NAME [as ALIAS], EXPRESSION as NAME, …",
      meaning: """
        Chooses the columns of the result, computes new ones, gives them names. Nested JSON is named
          with dots (http.status, items.0.sku); odd names stand in backticks.
        """,
      example: "fields @timestamp, http.status, durationMs / 1000 as seconds"),
    Entry(
      names: ["display"], form: "display NAME, …",
      meaning: "Decides which columns are shown at the end, and in which order.",
      example: "fields durationMs * 2 as twice | sort twice desc | display service, twice"),
    Entry(
      names: ["filter", "where"], form: "filter CONDITION",
      meaning: """
        Keeps the events for which the condition holds. Operators: = != < <= > >= and or not in
          like =~. Names after like and =~ are texts ('part') or regular expressions (/^part/).
        """,
      example:
        "filter level = \"ERROR\" and http.status in [500, 502] and message like /timed? out/"),
    Entry(
      names: ["parse"],
      form: "parse [FIELD] \"text * text *\" as NAME, …   or   parse [FIELD] /(?<name>…)/",
      meaning:
        "Takes values out of a text, by wildcards or by the named groups of a regular expression.",
      example: "parse @message \"Duration: * ms\" as took | stats max(took)"),
    Entry(
      names: ["stats"], form: "stats FUNCTION [as NAME], … [by NAME, bin(PERIOD), …]",
      meaning: """
        Sums events up, one row for each group: count, sum, avg, min, max, pct, countDistinct and
          more ('help functions').
        """,
      example: "stats count(*) as n, pct(durationMs, 95) as p95 by service, bin(5m)"),
    Entry(
      names: ["sort", "order"], form: "sort NAME [asc | desc], …",
      meaning: "Orders the rows. Without it events come newest first.",
      example: "sort durationMs desc, @timestamp asc"),
    Entry(
      names: ["limit", "head", "tail"], form: "limit NUMBER",
      meaning: "Keeps the first rows of the result as it is sorted.",
      example: "sort @timestamp desc | limit 20"),
    Entry(
      names: ["dedup"], form: "dedup NAME, …",
      meaning: "Keeps, of rows that agree in these fields, the first.",
      example: "fields @timestamp, service, level | sort @timestamp desc | dedup service"),
    Entry(
      names: ["accum"], form: "accum NAME [as ALIAS]",
      meaning: "Sums a field up, row after row; without alias the sum replaces the field.",
      example: "sort @timestamp asc | accum bytes as total"),
    Entry(
      names: ["autoregress"], form: "autoregress NAME [as ALIAS] [p=LAG | p=FIRST-LAST]",
      meaning: "Copies the values of earlier rows, as NAME_p1, NAME_p2 and so on.",
      example: "sort @timestamp asc | autoregress durationMs p=1-3"),
    Entry(
      names: ["filldown"], form: "filldown [NAME | PATTERN*, …]",
      meaning: "Fills missing values and empty texts with the last value above.",
      example: "sort @timestamp asc | filldown requestId"),
    Entry(
      names: ["unnest"], form: "unnest EXPRESSION into NAME",
      meaning: "Makes one row of each element of a list; other fields are copied.",
      example: "unnest items into item | stats count(*) by item.sku"),
    Entry(
      names: ["countfrequent", "count_frequent"], form: "countFrequent NAME, …",
      meaning: "Counts each combination of values, the most frequent first, as _approxcount.",
      example: "countFrequent service, level | limit 10"),
    Entry(
      names: ["expand"], form: "expand NAME",
      meaning: "Makes one row of each element of a list, in the field itself.",
      example: "expand tags | stats count(*) by tags"),
  ]
}
