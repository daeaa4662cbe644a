import ArgumentParser
import QueryEngine

/// What `query` and `repl` share: which events a query sees and what it may use.
struct QueryArguments: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "A log group to read; may be given several times (default: all).", valueName: "group"))
  var group: [String] = []

  @OptionGroup var times: WindowOptions

  @Option(
    help: ArgumentHelp(
      "Show times in this zone: UTC, local, +02:00, Europe/Berlin.", valueName: "zone"))
  var tz: DisplayZone = .utc

  @Option(
    help: ArgumentHelp("Memory the query may hold, such as 256M or 2G.", valueName: "size"))
  var memory: String?

  @Option(help: ArgumentHelp("Give up after this long, such as 30s.", valueName: "duration"))
  var timeout: String?

  @Flag(help: "Refuse what CloudWatch refuses, where Varve is more lenient.")
  var strict = false

  @Option(
    help: ArgumentHelp(
      "A table for lookup and cidrlookup, from a CSV file; may be given several times.",
      valueName: "name=file"))
  var lookup: [String] = []

  @Flag(help: "After each answer, one line on standard error: what was read and how long it took.")
  var statistics = false

  /// The options of one run that starts now.
  func options() throws -> QueryOptions {
    let now = try times.clock.time
    var options = QueryOptions(now: now)
    options.suggestsFields = true
    options.logGroups = group.isEmpty ? nil : group
    options.window = try times.window(now: now)
    options.isStrict = strict
    options.cancellation = QueryCancellation()
    options.lookupTables = try TableFiles.tables(lookup)
    if let memory { options.memoryLimit = try Self.byteCount(memory) }
    if let timeout {
      guard let length = TimeArgument.duration(timeout), length > 0 else {
        throw CommandFailure.usage("--timeout '\(timeout)' is no length of time; write 30s or 5m")
      }
      options.deadline = .now + .milliseconds(length)
    }
    return options
  }

  /// Bytes of `512M`, `2G`, `64MiB`, `1000000`.
  static func byteCount(_ text: String, option: String = "--memory") throws -> Int {
    let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
    let shift: Int? =
      switch text.dropFirst(digits.count).uppercased() {
      case "", "B": 0
      case "K", "KB", "KIB": 10
      case "M", "MB", "MIB": 20
      case "G", "GB", "GIB": 30
      default: nil
      }
    guard let shift, let number = Int(digits), number > 0, number < 1 << (62 - shift) else {
      throw CommandFailure.usage("\(option) '\(text)' is no size; write 256M or 2G")
    }
    return number << shift
  }
}
