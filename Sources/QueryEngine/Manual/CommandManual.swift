import QueryLanguage

/// Every command of the language as the manual tells it: the one place help, the shell and the
/// reference pages take it from. Functions have theirs in `FunctionCatalog`.
package enum CommandManual {
  /// A query over one of the sample logs.
  package struct Example: Sendable, Hashable {
    package let query: String
    /// The name of the file in `SampleLogs`.
    package let file: String
    /// A command of the shell that goes before it and puts into the store what it needs.
    package let preparation: String?

    init(_ query: String, file: String = "api.ndjson", after preparation: String? = nil) {
      self.query = query
      self.file = file
      self.preparation = preparation
    }
  }

  /// One command.
  package struct Entry: Sendable, Hashable {
    package let name: String
    /// Other spellings, or close relatives explained on the same page.
    package let aliases: [String]
    package let syntax: [String]
    /// One sentence.
    package let meaning: String
    package let notes: [String]
    package let examples: [Example]

    init(
      _ name: String, aliases: [String] = [], _ syntax: String..., meaning: String,
      notes: [String] = [], examples: Example...
    ) {
      self.name = name
      self.aliases = aliases
      self.syntax = syntax
      self.meaning = meaning
      self.notes = notes
      self.examples = examples
    }
  }

  /// The command of a name or another spelling of it, in any case.
  package static func entry(_ name: String) -> Entry? {
    let folded = name.lowercased()
    return entries.first { entry in
      ([entry.name] + entry.aliases).contains { $0.lowercased() == folded }
    }
  }

  /// All commands: the everyday ones first, then those for rows, lists, patterns and other sources.
  package static let entries = everyday + rows + comparisons + sources
}

extension CommandManual {
  private static let everyday = [
    Entry(
      "fields", aliases: ["field"], "fields NAME [as ALIAS], EXPRESSION [as ALIAS], … | *",
      meaning: "Chooses columns, computes new ones and gives them names.",
      notes: [
        "Nested JSON is named with dots (http.status, items.0.sku); odd names stand in backticks.",
        "Fields that are not listed are still there for the commands that follow.",
      ],
      examples: Example(
        "fields service, http.status, durationMs / 1000 as seconds | filter seconds > 1.5 | limit 3"
      )),
    Entry(
      "display", "display NAME [as ALIAS], …",
      meaning: "Decides which columns are shown at the end; the last display counts.",
      examples: Example(
        "fields durationMs * 2 as twice | sort twice desc | display service, twice | limit 3")),
    Entry(
      "filter", aliases: ["where"], "filter CONDITION",
      meaning: "Keeps the events for which the condition is true.",
      notes: [
        "Operators: = != < <= > >= and or not in like =~, and brackets.",
        "like takes a part of the text (\"timed out\") or a regular expression (/timed? out/).",
        "A comparison with a field that an event does not have is false, with != too.",
      ],
      examples: Example(
        "filter level = \"ERROR\" and http.status in [500, 502] | stats count(*) by service"),
      Example(
        "filter message like /(?i)out of stock|older than/ | fields service, message | limit 2"
      )),
    Entry(
      "filterIndex", "filterIndex NAME = VALUE | NAME in [VALUE, …] [and …]",
      meaning: "Filters like filter, and promises that the field is selective.",
      notes: ["No event is left out for want of an index."],
      examples: Example("filterIndex level = \"ERROR\" | stats count(*)")),
    Entry(
      "search", "search \"TEXT\" | /REGEX/",
      meaning: "Keeps the events whose message contains the text; short for filter @message like.",
      examples: Example("search \"stock\" | stats count(*) by service | sort service")),
    Entry(
      "parse", "parse [EXPRESSION] \"text * text *\" as NAME, …",
      "parse [EXPRESSION] /(?<name>…)/ [multi]", "parse [EXPRESSION] logfmt as NAME",
      "parse [EXPRESSION] csv as NAME, …",
      meaning: "Takes values out of a text, @message if no other is named.",
      notes: [
        "Each * takes as little as it can, the last one the rest; \\* is a star itself.",
        "An event that does not match stays, without the new fields.",
        "multi gives one row for each match of the regular expression.",
      ],
      examples: Example(
        "parse @message \"Duration: * ms\" as took | stats count(took) as n, max(took) as slowest",
        file: "lambda.log")),
    Entry(
      "json", "json [field=NAME] \"PATH\" as NAME, …",
      meaning: "Takes values out of a map, or of a text that holds a JSON object.",
      notes: ["The path is written with dots, list positions count from 0: items.0.sku."],
      examples: Example(
        "json field=http \"status\" as code | filter code >= 500 | stats count(*) as n by code")),
    Entry(
      "stats", "stats FUNCTION(…) [as NAME], … [by KEY [as NAME], …] [offset PERIOD]",
      meaning: "Sums events up: one row for each group, or one row in all.",
      notes: [
        "bin(5m) as a key makes a time series; help functions lists what can be computed.",
        "Afterwards only the keys and the results exist; a second stats sums those up.",
        "offset 1d shows yesterday's series at today's times; it needs by bin(…).",
      ],
      examples: Example(
        "stats count(*) as n, pct(durationMs, 95) as p95 by service | sort p95 desc"),
      Example("filter level = \"ERROR\" | stats count(*) as errors by bin(1h) | limit 3")),
    Entry(
      "sort", aliases: ["order"], "sort KEY [asc | desc], …",
      meaning: "Orders the rows; without it events come newest first.",
      notes: [
        "asc is the default, and a direction belongs to its own key only.",
        "Missing values sort first, then texts, then numbers by value.",
      ],
      examples: Example("fields service, durationMs | sort durationMs desc | limit 3")),
    Entry(
      "limit", aliases: ["head", "tail"], "limit [any] NUMBER", "head [NUMBER]", "tail [NUMBER]",
      meaning: "Keeps so many rows of the sorted result.",
      notes: [
        "limit any takes the first events found, in no order.",
        "tail keeps the last rows instead; head is an older spelling of limit.",
      ],
      examples: Example("stats count(*) as n by service | sort n desc | limit 2")),
    Entry(
      "dedup", "dedup NAME, …",
      meaning: "Keeps the first row of those that agree in all these fields.",
      notes: ["A row that misses one of the fields is always kept."],
      examples: Example("fields service, level | sort service asc | dedup service")),
  ]

  private static let rows = [
    Entry(
      "accum", "accum NAME [as ALIAS]",
      meaning: "Adds a field up, row after row; without alias the sum replaces the field.",
      examples: Example(
        "stats count(*) as n by service | sort service asc | accum n as total")),
    Entry(
      "autoregress", "autoregress NAME [as ALIAS] [p=LAG | p=FIRST-LAST]",
      meaning: "Copies the values of earlier rows, as NAME_p1, NAME_p2 and so on.",
      examples: Example("stats count(*) as n by service | sort service asc | autoregress n p=1-2")),
    Entry(
      "filldown", "filldown [NAME | PATTERN*, …]",
      meaning: "Fills missing values and empty texts with the last value above.",
      notes: [
        "Without names it fills the columns that are shown; where none is listed, every field.",
        "A * stands for any part of a name. Sort first: rows come newest first.",
      ],
      examples: Example(
        "fields @timestamp, service, user.id | sort @timestamp asc | filldown user.id | limit 3"),
      Example("sort @timestamp asc | filldown | display @timestamp, service, user.id | limit 3")),
    Entry(
      "fillmissing", "fillmissing [with VALUE for NAME, …]",
      meaning: "Adds a row for each time bin in which nothing happened.",
      notes: ["It needs a stats … by bin(…) before it; with further keys each gets its rows."],
      examples: Example(
        "filter level = \"ERROR\" | stats count(*) as n by bin(30m) | fillmissing with 0 for n "
          + "| limit 4")),
    Entry(
      "addtotals", "addtotals [row=BOOL] [col=BOOL] [fieldname=NAME] [NAME, …]",
      meaning: "Adds the numbers of each row, or with col=true of each column, up.",
      examples: Example(
        "stats sum(level = \"ERROR\") as errors, sum(level = \"WARN\") as warnings by service "
          + "| sort service asc | addtotals col=true")),
    Entry(
      "outlier",
      "outlier [action=remove | transform] [param=N] [uselower=BOOL] [mark=BOOL] NAME, …",
      meaning: "Finds values far outside the middle half, and clamps or removes them.",
      notes: [
        "The fence is the upper quartile plus param (2.5) times the distance of the quartiles.",
        "mark=true adds NAME_outlier, 1 or 0, instead of leaving no trace.",
      ],
      examples: Example(
        "fields durationMs | outlier action=remove durationMs "
          + "| stats max(durationMs)")),
    Entry(
      "sessionize", "sessionize NAME, … [maxspan PERIOD] [as ALIAS]",
      meaning: "Numbers the visits of each identity; a pause longer than maxspan begins a new one.",
      notes: ["maxspan is 30m and the new field session_id unless told otherwise."],
      examples: Example(
        "filter ispresent(user.id) | sessionize user.id maxspan 1h "
          + "| stats countDistinct(session_id) as visits")),
    Entry(
      "unnest", "unnest EXPRESSION into NAME",
      meaning: "Makes one row of each element of a list; other fields are copied.",
      examples: Example(
        "unnest skus into sku | stats count(*) as n by sku | sort n desc, sku asc | limit 3")),
    Entry(
      "expand", "expand NAME",
      meaning: "Makes one row of each element of a list, in the field itself.",
      examples: Example(
        "expand skus | stats count(*) as n by skus | sort n desc, skus asc | limit 3")),
    Entry(
      "countFrequent", aliases: ["count_frequent"], "countFrequent NAME, …",
      meaning: "Counts each combination of values, the most frequent first, as _approxcount.",
      notes: ["Exact to 100,000 combinations."],
      examples: Example("countFrequent service, level | limit 3")),
    Entry(
      "appendcols", "appendcols [override=BOOL] [max=NUMBER] (QUERY)",
      meaning: "Glues the rows of a second query to the right of the rows of this one, in order.",
      notes: ["Fields that exist already stay unless override=true."],
      examples: Example(
        "stats count(*) as events | appendcols (filter level = \"ERROR\" | stats count(*) as errors)"
      )
    ),
  ]

  private static let comparisons = [
    Entry(
      "pattern", "pattern EXPRESSION",
      meaning: "Groups texts that differ only in numbers, times, names and the like.",
      notes: ["Columns: @pattern, @sampleCount, @ratio, @severityLabel."],
      examples: Example("pattern message | display @sampleCount, @pattern | limit 3")),
    Entry(
      "anomaly", "pattern EXPRESSION | anomaly",
      meaning:
        "Marks patterns that are new or changed in the last third of the window.",
      notes: [
        "Columns: @anomaly (1 or 0), @anomalyType, @anomalyScore, @anomalyDescription.",
        "Types of a pattern as a whole: New pattern, Pattern frequency.",
        "Types of its tokens: HTTP error code, Numerical token (its median), Token variation.",
        "A median of more than 256 different numbers is approximate to 0.2 %.",
      ],
      examples: Example("pattern message | anomaly | filter @anomaly = 1 | limit 3"),
      Example(
        "filter service = \"gateway\" | pattern message | anomaly "
          + "| display @pattern, @anomaly, @anomalyType")),
    Entry(
      "diff", "diff [previousDay | previousWeek | previousMonth]",
      meaning: "Compares the patterns of the window with those of an earlier one of equal length.",
      examples: Example("SOURCE \"shop\" START=-1h END=now | pattern message | diff | limit 3")),
    Entry(
      "logcompare", "logcompare timeshift PERIOD",
      meaning: "Compares the result with the same query run on a window shifted back.",
      notes: [
        "Each output x of stats gains x_baseline and x_delta; patterns are compared as by diff."
      ],
      examples: Example(
        "SOURCE \"shop\" START=-1h END=now | stats count(*) as n by service "
          + "| logcompare timeshift 1d")),
    Entry(
      "relevantfields", "relevantfields [NAME, …] where CONDITION",
      meaning: "Ranks fields by how much their values differ where the condition holds.",
      examples: Example("relevantfields service, durationMs where level = \"ERROR\"")),
  ]

  private static let sources = [
    Entry(
      "source", "SOURCE \"GROUP\", … [START=TIME] [END=TIME]",
      "SOURCE logGroups(namePrefix: [\"P\", …])",
      meaning: "Says which log groups of the store to read, and from when to when.",
      notes: ["It comes first. Times are durations back from now (-3h), ISO 8601 or epoch."],
      examples: Example("SOURCE \"shop\" START=-1d END=now | stats count(*)")),
    Entry(
      "join", "join [type=inner | left] [left=A] [right=B] where A.NAME = B.NAME (QUERY)",
      meaning: "Adds to each row the matching rows of a second query.",
      notes: ["A side is named as alias.field; the right query begins with its SOURCE."],
      examples: Example(
        "SOURCE \"shop\" | join type=left left=a right=b where a.traceId = b.traceId "
          + "(SOURCE \"shop\" | filter level = \"ERROR\") | stats count(*)")),
    Entry(
      "lookup", "lookup TABLE COLUMN [as FIELD], … OUTPUT | OUTPUTNEW COLUMN [as NAME], …",
      meaning: "Adds columns of a table kept in the store to the rows that match it.",
      notes: [
        "OUTPUT overwrites; OUTPUTNEW fills only what is missing.",
        "varve lookup put NAME FILE.csv stores a table.",
      ],
      examples: Example(
        "lookup services name as service OUTPUT team | stats count(*) as n by team | sort n desc",
        after: "printf 'name,team\\nauth,platform\\ngateway,platform\\ncart,shop\\n'"
          + " | varve lookup put services -")),
    Entry(
      "cidrlookup", "cidrlookup TABLE IPFIELD [as COLUMN] OUTPUT | OUTPUTNEW COLUMN [as NAME], …",
      meaning: "Like lookup, by the network an address lies in; the narrowest wins.",
      examples: Example(
        "cidrlookup networks srcAddr OUTPUT zone | stats count(*) as n by zone | sort n desc",
        file: "vpcflow.log",
        after: "printf 'cidr,zone\\n10.0.0.0/8,inside\\n10.0.3.0/24,pipeline\\n'"
          + " | varve lookup put networks -")),
    Entry(
      "saved", "$NAME(PARAMETER = VALUE, …)", "$`NAME WITH BLANKS`()",
      meaning: "Puts a query kept in the store in place of the call.",
      notes: [
        "varve saved put NAME 'QUERY' stores a query; {{parameter}} in it stands for one value.",
        "A value is a number, a text in quotes, a period, true, false, null or a list of them.",
        "--default parameter=value gives what calls may leave out.",
        "In quotes or slashes {{parameter}} is the bare text, and never more than text.",
        "A saved query cannot call another one.",
      ],
      examples: Example(
        "$slow(least = 1500) | stats count(*) as n by service | sort n desc",
        after: "varve saved put slow 'filter durationMs > {{least}}' --default least=1000")),
    Entry(
      "estimate", "… | estimate",
      meaning: "Does not run the query, but says how many bytes it would read.",
      examples: Example("filter level = \"ERROR\" | estimate")),
  ]
}
