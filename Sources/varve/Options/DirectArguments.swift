import ArgumentParser

/// Reads the arguments of the commands whose answers people wait for, where these are plain.
///
/// The argument parser finds a command's options by reflection when the program runs: 2 ms, as long as a query may
/// take. The usual forms, a known option and its value, need no search; all others are left to it, and so is every
/// mistake. A test holds both against each other: what is read here is what it reads.
///
///     query 'stats count(*)' --group app -o json     read here
///     query 'stats count(*)' --since -3h             a value like an option: left to the parser
struct DirectArguments {
  private var words: [String] = []
  private var group: [String] = []
  private var lookup: [String] = []
  /// Values of options that count once, by their long names; the last one given holds.
  private var values: [String: String] = [:]
  private var flags: Set<String> = []

  private static let long = [
    "-g": "--group", "-o": "--output", "-f": "--file", "-q": "--quiet",
  ]
  private static let withValue: Set = [
    "--store", "--output", "--since", "--start", "--end", "--now", "--tz", "--memory", "--timeout",
  ]
  private static let withoutValue: Set = [
    "--strict", "--statistics", "--quiet", "--allow-network-file-system",
  ]

  /// The command that the arguments ask for, if it is one of these and they are plain.
  static func command(_ arguments: [String]) -> (any ParsableCommand)? {
    switch arguments.first {
    case "query":
      read(
        arguments.dropFirst(), values: ["--file", "--timestamp-field"], ["--explain", "--rejected"])?
        .query()
    case "repl":
      read(arguments.dropFirst(), values: [], [], takesWords: false)?.repl()
    default: nil
    }
  }

  private static func read(
    _ arguments: ArraySlice<String>, values more: Set<String>, _ moreFlags: Set<String>,
    takesWords: Bool = true
  ) -> DirectArguments? {
    var result = DirectArguments()
    var rest = arguments
    while let argument = rest.popFirst() {
      guard argument.utf8.first == UInt8(ascii: "-") else {
        guard takesWords, !argument.isEmpty else { return nil }
        result.words.append(argument)
        continue
      }
      let option = long[argument] ?? argument
      if withoutValue.contains(option) || moreFlags.contains(option) {
        result.flags.insert(option)
        continue
      }
      guard let value = rest.popFirst(), let first = value.utf8.first, first != UInt8(ascii: "-")
      else { return nil }
      switch option {
      case "--group": result.group.append(value)
      case "--lookup": result.lookup.append(value)
      case _ where withValue.contains(option) || more.contains(option):
        result.values[option] = value
      default: return nil
      }
    }
    return result
  }

  // MARK: The commands

  private func query() -> QueryCommand? {
    guard let arguments = queryArguments(), let output = outputOptions() else { return nil }
    var command = QueryCommand()
    command.words = words
    command.queryFile = values["--file"]
    command.query = arguments
    command.store = storeOptions()
    command.output = output
    command.explain = flags.contains("--explain")
    command.rejected = flags.contains("--rejected")
    command.timestampField = values["--timestamp-field"]
    return command
  }

  private func repl() -> ReplCommand? {
    guard let arguments = queryArguments(), let output = outputOptions() else { return nil }
    var command = ReplCommand()
    command.query = arguments
    command.store = storeOptions()
    command.output = output
    return command
  }

  private func queryArguments() -> QueryArguments? {
    var zone = DisplayZone.utc
    if let name = values["--tz"] {
      guard let named = DisplayZone(argument: name) else { return nil }
      zone = named
    }
    var clock = ClockOptions()
    clock.now = values["--now"]
    var times = WindowOptions()
    times.since = values["--since"]
    times.start = values["--start"]
    times.end = values["--end"]
    times.clock = clock
    var arguments = QueryArguments()
    arguments.group = group
    arguments.times = times
    arguments.tz = zone
    arguments.memory = values["--memory"]
    arguments.timeout = values["--timeout"]
    arguments.strict = flags.contains("--strict")
    arguments.lookup = lookup
    arguments.statistics = flags.contains("--statistics")
    return arguments
  }

  private func storeOptions() -> StoreOptions {
    var options = StoreOptions()
    options.store = values["--store"]
    options.allowNetworkFileSystem = flags.contains("--allow-network-file-system")
    options.quiet = flags.contains("--quiet")
    return options
  }

  private func outputOptions() -> OutputOptions? {
    var options = OutputOptions()
    options.output = nil
    if let name = values["--output"] {
      guard let format = OutputFormat(rawValue: name) else { return nil }
      options.output = format
    }
    return options
  }
}
