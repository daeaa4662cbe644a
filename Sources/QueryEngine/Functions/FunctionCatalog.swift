/// Every function of the language, in one table: what the analyzer binds, what help prints, what
/// completion offers.
package enum FunctionCatalog {
  /// All functions of one row, in the order of the manual.
  package static let scalars: [ScalarFunction] =
    NumericFunctions.all + DateTimeFunctions.all + GeneralFunctions.all + JSONFunctions.all
    + IPFunctions.all + StringFunctions.all + HashFunctions.all

  private static let byName: [String: ScalarFunction] = {
    var table: [String: ScalarFunction] = [:]
    for function in scalars {
      for name in [function.name] + function.aliases { table[name.lowercased()] = function }
    }
    return table
  }()

  /// A function by its name or alias, in any case.
  package static func scalar(_ name: String) -> ScalarFunction? { byName[name.lowercased()] }

  /// Names of all functions, for suggestions: scalars with their aliases, then aggregates.
  package static var names: [String] {
    scalars.flatMap { [$0.name] + $0.aliases } + aggregates.flatMap { [$0.name] + $0.aliases }
  }

  /// An aggregate as the manual shows it; its code is in `Aggregates`.
  package struct AggregateEntry: Sendable, Hashable {
    package let name: String
    package let aliases: [String]
    package let category: FunctionCategory
    package let signature: String
    package let result: String
    package let summary: String
    /// A whole query.
    package let example: String
  }

  /// All aggregates, in the order of the manual.
  package static let aggregates: [AggregateEntry] = [
    entry(
      "count", [], .aggregate, "count([f])", "number", "Rows, or rows that have the field.",
      "stats count(*)"),
    entry(
      "countDistinct", ["count_distinct"], .aggregate, "countDistinct(f)", "number",
      "Different values; exact to 100,000, then estimated.", "stats countDistinct(service)"),
    entry("sum", [], .aggregate, "sum(n)", "number", "The sum.", "stats sum(durationMs)"),
    entry(
      "avg", [], .aggregate, "avg(n)", "number", "The mean.", "stats avg(durationMs) by service"),
    entry("min", [], .aggregate, "min(f)", "any", "The smallest value.", "stats min(durationMs)"),
    entry("max", [], .aggregate, "max(f)", "any", "The largest value.", "stats max(durationMs)"),
    entry(
      "pct", ["percentile"], .aggregate, "pct(f, p)", "number",
      "The value that p percent lie below; exact to 50,000 values.", "stats pct(durationMs, 95)"),
    entry(
      "stddev", [], .aggregate, "stddev(n)", "number", "The standard deviation (population).",
      "stats stddev(durationMs)"),
    entry(
      "variance", [], .aggregate, "variance(n)", "number", "The variance (population).",
      "stats variance(durationMs)"),
    entry(
      "values", ["collect_values"], .aggregate, "values(f)", "list",
      "The different values, at most 10,000.", "stats values(service)"),
    entry(
      "topk", [], .aggregate, "topk(k, f)", "list", "The k most frequent values.",
      "stats topk(3, service)"),
    entry(
      "earliest", [], .order, "earliest(f)", "any", "The value of the oldest event that has one.",
      "stats earliest(level) by service"),
    entry(
      "latest", [], .order, "latest(f)", "any", "The value of the newest event that has one.",
      "stats latest(level) by service"),
    entry(
      "sortsFirst", [], .order, "sortsFirst(f)", "any", "The value that sorts first.",
      "stats sortsFirst(service)"),
    entry(
      "sortsLast", [], .order, "sortsLast(f)", "any", "The value that sorts last.",
      "stats sortsLast(service)"),
    entry(
      "rate", [], .series, "rate(n, period)", "number",
      "Change of a value per period, first to last.", "stats rate(durationMs, 1m)"),
    entry(
      "countOverTime", [], .series, "countOverTime(f)", "number",
      "Rows that have the field, per time bin.",
      "filter ispresent(level) | stats countOverTime(level) by bin(1h)"),
    entry(
      "sumOverTime", [], .series, "sumOverTime(n)", "number", "The sum per time bin.",
      "filter ispresent(durationMs) | stats sumOverTime(durationMs) by bin(1h)"),
    entry(
      "histogram", [], .series, "histogram(n, buckets)", "map", "Counts in buckets of equal width.",
      "stats histogram(durationMs, 5)"),
  ]

  private static func entry(
    _ name: String, _ aliases: [String], _ category: FunctionCategory, _ signature: String,
    _ result: String, _ summary: String, _ example: String
  ) -> AggregateEntry {
    AggregateEntry(
      name: name, aliases: aliases, category: category, signature: signature, result: result,
      summary: summary, example: example)
  }
}
