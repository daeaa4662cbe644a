/// Every code a query can be answered with, explained: what `varve help E301` prints.
package enum DiagnosticCatalog {
  /// One code.
  package struct Entry: Sendable, Hashable {
    package let code: String
    package let title: String
    package let meaning: String
    package let remedy: String
    /// A query that provokes it; `nil` if it would be too long to read, or takes half a minute.
    package let example: String?
    /// Whether it shows only with `--strict`.
    package let isStrict: Bool
    /// Whether it shows only beside `--group`.
    package let isInGroup: Bool

    init(
      _ code: String, _ title: String, _ meaning: String, _ remedy: String,
      example: String? = nil, isStrict: Bool = false, isInGroup: Bool = false
    ) {
      self.code = code
      self.title = title
      self.meaning = meaning
      self.remedy = remedy
      self.example = example
      self.isStrict = isStrict
      self.isInGroup = isInGroup
    }
  }

  /// The entry of a code, in any case.
  package static func entry(_ code: String) -> Entry? {
    entries.first { $0.code == code.uppercased() }
  }

  /// All codes: errors, warnings, hints.
  package static let entries = text + places + names + values + runs + warnings

  private static let text = [
    Entry(
      "E101", "unexpected character", "The character means nothing at this place.",
      "Take it out, or put the name or text around it in backticks or quotes.",
      example: "fields a ; b"),
    Entry(
      "E102", "text never closed", "A text begins with a quote that has no partner.",
      "Add the closing quote.", example: "filter level = \"ERROR"),
    Entry(
      "E103", "regular expression never closed", "It begins with a slash that has no partner.",
      "Add the closing slash.", example: "filter message like /time"),
    Entry(
      "E104", "flags after a regular expression", "Letters after the last slash are not read.",
      "Write the flag inside: /(?i)error/.", example: "filter message like /error/i"),
    Entry(
      "E105", "bad regular expression", "The pattern cannot be read.",
      "Repair the place that the message names.", example: "filter message like /(/"),
    Entry(
      "E106", "unknown command", "No command has this name.",
      "See 'help commands'; commands are separated by '|'.", example: "fields level | limt 2"),
    Entry(
      "E107", "call in sort", "With --strict, sort takes columns only.",
      "Name the value first, with as, and sort by the name.",
      example: "fields level | sort strlen(level)", isStrict: true),
    Entry(
      "E108", "names only", "The command takes fields, not computed values.",
      "Compute the value with fields … as NAME first.", example: "dedup strlen(level)"),
    Entry(
      "E109", "quoted alias", "A name after as is written bare or in backticks.",
      "Use backticks instead of quotes.", example: "fields level as \"severity\""),
    Entry(
      "E110", "chained comparison", "Two comparisons stand in a row, or a period stands alone.",
      "Join comparisons with and: 1 < a and a < 5.", example: "filter 1 < durationMs < 5"),
    Entry(
      "E111", "operator not for filterIndex", "filterIndex knows only = and in.",
      "Use filter.", example: "filterIndex level like \"E\""),
    Entry(
      "E112", "limit out of range", "limit takes a whole number from 1 to 100000.",
      "Write such a number, or leave limit out to get all rows.", example: "limit 0"),
    Entry(
      "E113", "wildcards and names differ", "Each * of the pattern takes one name after as.",
      "Give as many names as there are stars.", example: "parse @message \"a * b *\" as x"),
    Entry(
      "E114", "nothing captured", "The regular expression has no groups.",
      "Name a group: (?<name>…).", example: "parse @message /took/"),
    Entry(
      "E115", "alias of several lags", "One alias cannot name several columns.",
      "Leave it out, or ask for a single lag.", example: "autoregress durationMs as d p=1-3"),
    Entry(
      "E116", "not a period", "A period is a whole number with a unit.",
      "Use ms, s, m, h, d, w, mo, q or y: 5m.", example: "stats count(*) by bin(5x)"),
    Entry(
      "E117", "something else expected", "The text does not go on as the command needs.",
      "The message names what was expected and what was found.", example: "filter level ="),
    Entry(
      "E118", "hyphen in a name", "a-b is a subtraction.",
      "Put the field in backticks: `a-b`.",
      example: "fields user-agent"),
    Entry(
      "E119", "nested too deeply", "Brackets and calls stand too deep in each other.",
      "Split the expression with fields … as NAME."),
    Entry("E120", "query too long", "The text exceeds the length that is read.", "Shorten it."),
    Entry(
      "E121", "too many", "A list or chain is longer than allowed.",
      "The message names the limit.",
      example: "SOURCE logGroups(namePrefix: [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"])"),
    Entry(
      "E122", "number out of range", "The number does not fit its place.",
      "The message names the range.",
      example: "autoregress durationMs p=0"),
    Entry(
      "E123", "given twice", "An option of the command stands twice.", "Keep one of them.",
      example: "SOURCE \"shop\" START=-1h START=-2h"),
    Entry(
      "E124", "sides of a join", "Both sides have one name, or both keys one side.",
      "Give each side a name of its own and compare a field of one with a field of the other.",
      example: "SOURCE \"shop\" | join left=a right=a where a.id = a.id (SOURCE \"shop\")"),
    Entry(
      "E190", "standard input is read once",
      "The query has to read its events twice, or to know beforehand how many there are.",
      "Put the events into a file or a store, or do what the message says; nothing was answered."),
    Entry(
      "E191", "not kept by the store",
      "The query selects by something that the store does not keep.",
      "Select the groups by name; nothing was answered.",
      example: "SOURCE logGroups(class: \"INFREQUENT_ACCESS\") | limit 5"),
  ]

  private static let places = [
    Entry(
      "E201", "groups given twice", "Both the request and SOURCE name log groups.",
      "Use --group or SOURCE, not both.",
      example: "SOURCE \"shop\" | limit 5", isInGroup: true),
    Entry(
      "E202", "SOURCE not first", "Other commands stand before SOURCE.", "Move it to the front.",
      example: "fields level | SOURCE \"shop\""),
    Entry(
      "E203", "estimate not last", "Commands stand behind estimate.", "Move it to the end.",
      example: "estimate | limit 5"),
    Entry(
      "E204", "too many stats", "A query can have ten stats commands.",
      "Join some of them into one.",
      example: [String](repeating: "stats count(*) as n", count: 11).joined(separator: " | ")),
    Entry(
      "E205", "limit before stats", "It would be unclear which events are summed up.",
      "Put limit after the last stats.", example: "limit 5 | stats count(*)"),
    Entry(
      "E206", "pattern after sort", "The order of events does not matter to pattern.",
      "Put sort after pattern.", example: "sort level | pattern @message"),
    Entry(
      "E207", "command after dedup", "With --strict, only limit may follow dedup.",
      "Move the command before dedup.", example: "dedup level | fields level", isStrict: true),
    Entry(
      "E208", "several joins", "A query can have one join.", "Split the query.",
      example:
        "SOURCE \"shop\" | join where id = id (SOURCE \"shop\") | join where id = id (SOURCE \"shop\")"
    ),
    Entry(
      "E209", "no bins to fill", "fillmissing needs the time bins of a stats.",
      "Put stats … by bin(…) before it.",
      example: "stats count(*) by service | fillmissing"),
    Entry(
      "E210", "too many join keys",
      "With --strict, the right side has more than 50,000 different keys.",
      "Filter or sum up the right side first.",
      example: "SOURCE \"shop\" | join where id = id (SOURCE \"large\")", isStrict: true),
    Entry(
      "E211", "nested subquery", "A subquery cannot contain another.",
      "Run the inner query first and write its values as a list.",
      example: "filter id in (filter id in (fields id) | fields id)"),
    Entry(
      "E212", "several columns", "A subquery of in must give one column.",
      "End it with fields NAME.",
      example: "filter id in (fields service, level)"),
    Entry(
      "E213", "too many values", "The subquery gives more than 50,000 values.",
      "Filter it further.",
      example: "filter id in (SOURCE \"large\" | fields id)"),
    Entry(
      "E214", "too many rows to fill", "More than 100,000 rows would be added.",
      "Use a longer period or a shorter window.",
      example: "stats count(*) by bin(1ms) | fillmissing"),
    Entry(
      "E215", "no window", "diff and logcompare compare windows; this query has none.",
      "Give --start and --end, or START= and END= in SOURCE.",
      example: "pattern message | diff"),
    Entry(
      "E216", "nothing to compare",
      "diff, logcompare and anomaly need patterns, anomaly those of events.",
      "Put them behind a pattern, or logcompare behind a stats.",
      example: "stats count(*) as n by service | pattern service | anomaly"),
    Entry(
      "E217", "command after a comparison",
      "What diff and logcompare make is only chosen, ordered and shown.",
      "Move the command before it, or leave it out.",
      example: "SOURCE \"shop\" START=-2h END=now | pattern message | diff | stats count(*)"),
    Entry(
      "E220", "parameter without value", "A saved query needs a value and has no default for it.",
      "Give it: $name(parameter = value).",
      example: "filter durationMs > {{least}}"),
    Entry(
      "E221", "argument no literal", "A parameter takes one literal, never operators or pipes.",
      "Write a number, a text in quotes, a period or a list.",
      example: "$slow(least = level)"),
    Entry(
      "E222", "unknown parameter", "The saved query has no parameter of this name.",
      "Choose one of those listed.", example: "$slow(leest = 100)"),
    Entry(
      "E223", "parameter given twice", "A parameter stands twice in a call.", "Keep one of them.",
      example: "$slow(least = 1, least = 2)"),
    Entry(
      "E224", "saved query calls another", "A saved query cannot call a saved query.",
      "Put the text of the inner one into the outer one.", example: "$nested()"),
  ]

  private static let names = [
    Entry(
      "E301", "field dropped by stats", "After stats only its keys and results exist.",
      "Add the field after by, or use one of those listed.",
      example: "stats count(*) as n by level | fields nn"),
    Entry(
      "E302", "name defined twice", "Two columns of one command have the same name.",
      "Give one of them another name.", example: "fields level as a, service as a"),
    Entry(
      "E303", "map or list", "The command cannot work on a map or list.",
      "Pick a member of it, such as user.id.",
      example: "fields split(service, \"-\") as parts | dedup parts"),
    Entry(
      "E304", "neither aggregated nor key", "A plain field in stats has many values for one row.",
      "Put it after by, or into a function such as max().",
      example: "stats count(*), level by service"),
    Entry(
      "E305", "nested aggregate", "An aggregate cannot stand inside another.",
      "Use a second stats.", example: "stats max(count(*))"),
    Entry(
      "E306", "time dropped", "bin() needs @timestamp, which the stats before it dropped.",
      "Keep max(@timestamp) as t there and use datefloor(t, 5m).",
      example: "stats count(*) as n by level | stats sum(n) by bin(5m)"),
    Entry(
      "E307", "offset without bins", "offset shifts a time series.", "Add by bin(…).",
      example: "stats count(*) offset 1d"),
    Entry(
      "E308", "aggregate outside stats", "Aggregates sum rows up, and only stats does that.",
      "Use stats.", example: "filter count(*) > 5"),
    Entry(
      "E309", "topk not alone", "topk takes no by and no other aggregate beside it.",
      "Use it alone.", example: "stats topk(3, level), count(*)"),
    Entry(
      "E404", "no such log group", "The store has no group of this name.", "See 'varve groups'.",
      example: "SOURCE \"shopp\" | limit 5"),
    Entry(
      "E405", "no such table", "No lookup table of this name was given or is kept.",
      "Choose one of those listed.", example: "lookup service service OUTPUT team"),
    Entry(
      "E406", "no such column", "The lookup table has no column of this name.",
      "Choose one of those listed.", example: "lookup services service OUTPUT owner"),
    Entry(
      "E407", "no such saved query", "The store keeps no query of this name.",
      "Choose one of those listed, or keep it with varve saved put.",
      example: "$slwo(least = 100)"),
  ]

  private static let values = [
    Entry(
      "E401", "unknown function, or wrong number of arguments",
      "The function does not exist, or takes another number of arguments.",
      "See 'help functions'.", example: "fields toUper(level)"),
    Entry(
      "E402", "bad argument", "An argument is outside what the function takes.",
      "The message names what it must be.", example: "stats pct(durationMs, 101)"),
    Entry(
      "E403", "unknown date code", "A letter, code or time zone of a date is not supported.",
      "Use one that is: %Y-%m-%d.", example: "fields formatDate(@timestamp, \"%Q\")"),
    Entry(
      "E408", "subquery too slow", "It ran for more than 30 seconds.", "Narrow it."),
  ]

  private static let runs = [
    Entry(
      "E502", "out of memory", "The query needs more memory than it was given.",
      "Give it more with --memory, narrow the window, or add a filter.")
  ]

  private static let warnings = [
    Entry(
      "W101", "sort before stats", "The order of events cannot change a sum.",
      "Sort the result, after stats.", example: "sort level | stats count(*)"),
    Entry(
      "W102", "several displays", "Only the last display counts.", "Take the others out.",
      example: "display level | display service"),
    Entry(
      "W103", "filter moved",
      "A filter after stats names a field that stats drops; it runs before.",
      "Write it before stats.",
      example: "stats count(*) as n by service | filter level = \"ERROR\""),
    Entry(
      "W104", "newest first", "The order was not asked for, and decides the result.",
      "Put a sort before the command.",
      example: "accum durationMs as total"),
    Entry(
      "W105", "foreign spelling", "The word or sign is of another language; it was understood.",
      "Write it as the message says.", example: "filter level == \"ERROR\""),
    Entry(
      "W106", "round list", "A list in round brackets.", "Write it in square ones.",
      example: "filter level in (\"ERROR\", \"WARN\")"),
    Entry(
      "W107", "@ left out", "A name with @ was read as the captured name without it.",
      "Write it without @.",
      example: "parse @message \"user *\" as who | stats count(*) by @who"),
    Entry(
      "W108", "limit any", "An order or a sum needs more than any events.", "Write limit.",
      example: "sort level | limit any 5"),
    Entry(
      "W109", "no time key", "A time series without by bin(…) covers the whole window.",
      "Add by bin(…).", example: "stats countOverTime(level)"),
    Entry(
      "W110", "period cut", "A unit has a greatest count, as in AWS: 300s is read as 60s.",
      "Use the next larger unit.", example: "stats count(*) by bin(300s)"),
    Entry(
      "W111", "unknown sort key", "The key does not exist after stats; its value is missing.",
      "Sort by one of those listed.", example: "stats count(*) as n by level | sort service"),
    Entry(
      "W201", "regular expression given up", "It took too many steps on some events.",
      "Avoid nested repeats.",
      example: "filter message like /^(a+)+$/"),
    Entry(
      "W202", "structures as missing", "Maps and lists count as missing in keys and aggregates.",
      "Pick a member of them.",
      example: "stats count(*) by user"),
    Entry(
      "W203", "list cut", "A list reached its greatest length.", "Narrow the group.",
      example: "SOURCE \"large\" | stats values(id)"),
    Entry(
      "W204", "value cut", "A value reached its greatest length.", "Take a part of it.",
      example: "SOURCE \"shop\" | fields concat(note, note, note, note)"),
    Entry(
      "H1", "use concat", "+ adds numbers only.", "Join texts with concat().",
      example: "fields \"a\" + level"),
    Entry(
      "H2", "use sum", "count(a > 1) counts every row that has a.",
      "Use sum(a > 1) to count the true ones.", example: "stats count(durationMs > 5)"),
    Entry(
      "H3", "field of another name", "No event of the window has the field; many have another.",
      "Write the field as the events have it: case matters.",
      example: "filter Level = \"ERROR\" | stats count(*)"),
    Entry(
      "H4", "like is literal", "In like, % and * stand for themselves.",
      "Leave them out: like finds the text anywhere. Or write a regular expression.",
      example: "filter message like \"%timeout%\" | stats count(*)"),
    Entry(
      "H5", "no list", "Behind in stands a single value, and nothing is in that.",
      "Put it in square brackets.", example: "filter http.status in 500 | stats count(*)"),
  ]
}
