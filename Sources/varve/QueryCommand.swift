import ArgumentParser
import LogStorage
import QueryEngine

/// `varve query`: one query, one answer.
struct QueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    _superCommandName: Varve.name,
    abstract: "Run one query on the store, or directly on files.",
    discussion: """
      varve query 'stats count(*) by level' --since 3h
      varve query 'filter status >= 500 | limit 20' access.ndjson.gz
      zcat app.log.gz | varve query 'fields @message | filter @message like "refused"' -
      """)

  @Argument(
    help: ArgumentHelp(
      "The query, then files to read in place of the store ('-' is standard input).",
      valueName: "query> <file"))
  var words: [String] = []

  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp("Read the query from a file.", valueName: "file"))
  var queryFile: String?

  @OptionGroup var query: QueryArguments
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Print the plan, what it would read and what that would cost, and no answer.")
  var explain = false

  @Flag(help: "Read what was rejected from the log groups in place of their events.")
  var rejected = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("For files: the field that holds an event's time.", valueName: "name"))
  var timestampField: String?

  func run() throws {
    let (text, files) = try textAndFiles()
    guard files.isEmpty || (query.group.isEmpty && !rejected) else {
      throw CommandFailure.usage(
        "--group names log groups of a store, but files are read here; leave out one of them")
    }
    var options = try query.options()
    if rejected { options.logGroups = nil }
    options.addKept { [store] in try store.openIfThere() }
    let now = options.now
    let source = {
      if rejected { return try EventSources.openRejected(of: query.group, in: store, now: now) }
      return try EventSources.open(
        store: store, files: files, timestampField: timestampField, now: now)
    }
    Interruption.listen(
      lastWords: FailureReport(isJSON: output.format == .json).text(of: .cancelled))
    if explain { return try printForecast(text, options, source) }
    let runner = QueryRunner(
      format: output.format, zone: query.tz, showsStatistics: query.statistics,
      isQuiet: store.quiet)
    let exit = try Interruption.cancelling(options.cancellation!) {
      try runner.answer(text, options: options, from: source)
    }
    if exit != .success { throw exit }
  }

  private func textAndFiles() throws -> (text: String, files: [String]) {
    if let queryFile { return (try QueryText.read(queryFile), words) }
    guard let text = words.first else {
      throw CommandFailure.usage(
        "no query is given: varve query 'stats count(*) by level', or -f FILE to read it from a file"
      )
    }
    return (text, Array(words.dropFirst()))
  }

  private func printForecast(
    _ text: String, _ options: QueryOptions, _ source: () throws -> any EventSource
  ) throws {
    let query = try PreparedQuery(text, options: options)
    let forecast = try Interruption.cancelling(options.cancellation!) {
      try query.forecast(on: source())
    }
    var out = OutputBuffer.standardOutput()
    switch output.output {
    case .json?, .ndjson?: out.append(forecast.json + "\n")
    default: out.append(ForecastText(forecast, style: .output).text)
    }
    try out.flush()
    if !store.quiet { DiagnosticText.show(query.warnings, of: query.text) }
  }
}
