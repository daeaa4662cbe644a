import ArgumentParser
import LogStorage

/// Which store a command works on.
struct StoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The store's folder (default: $VARVE_STORE, else $XDG_DATA_HOME/varve, else ~/.local/share/varve).",
      valueName: "dir"))
  var store: String?

  @Flag(
    help: ArgumentHelp(
      "Use a store on a network file system, whose locks may not reach other machines.",
      visibility: .hidden))
  var allowNetworkFileSystem = false

  @Flag(name: .shortAndLong, help: "Say nothing beyond the answer and errors.")
  var quiet = false

  /// The folder that the option, the environment or the custom decide.
  var folder: String {
    get throws {
      if let store { return store }
      if let named = Self.environment("VARVE_STORE") { return named }
      if let data = Self.environment("XDG_DATA_HOME") { return data + "/varve" }
      if let home = Self.environment("HOME") { return home + "/.local/share/varve" }
      throw CommandFailure.usage("no store is named and HOME is not set; give one with --store")
    }
  }

  /// Opens the store; readers and writers work side by side.
  ///
  /// - Throws: `StorageError`, `CommandFailure`.
  ///
  /// - Parameter decodedByteCount: bytes of decoded columns that are kept from one query to the next.
  /// - Parameter maintenanceShare: the part of the time that merging and erasing may be at work.
  func open(
    _ mode: LogStore.Mode, decodedByteCount: Int = 0, maintenanceShare: Double = 1
  ) throws -> LogStore {
    var options = LogStore.Options()
    options.allowsNetworkFileSystem = allowNetworkFileSystem
    options.maintenanceShare = maintenanceShare
    options.decodedByteCount = decodedByteCount
    if !quiet {
      options.fileSystem = PosixFileSystem { Terminal.say("varve: \($0)\n") }
    }
    return try LogStore.open(folder, mode: mode, options: options)
  }

  /// Opens the store for reading, for what it keeps beside its events; `nil` if there is none, which
  /// a query that needs its events says itself.
  func openIfThere() throws -> LogStore? {
    do { return try open(.readOnly) } catch let error as StorageError where error.code == .noStore {
      return nil
    }
  }

  private static func environment(_ name: String) -> String? {
    Terminal.environment(name).flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// How a command prints its rows.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "How rows are printed (default: table on a terminal, ndjson in a pipe).", valueName: "format")
  )
  var output: OutputFormat?

  var format: OutputFormat { output ?? .standard }
}

/// Whether a report is a text for a person or one JSON object.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json
}

/// How a command prints what it has done.
struct ReportOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The report as text or as one JSON object.", valueName: "format"))
  var output: ReportFormat = .text
}

/// The clock of a command.
struct ClockOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What counts as now, for tests and drills.", valueName: "time"))
  var now: String?

  /// Milliseconds since 1970.
  var time: Int64 {
    get throws {
      let clock = SystemClock().now()
      guard let now else { return clock }
      guard let time = TimeArgument.parse(now, now: clock) else {
        throw CommandFailure.usage("--now '\(now)' is no time; \(TimeArgument.forms)")
      }
      return time
    }
  }
}
