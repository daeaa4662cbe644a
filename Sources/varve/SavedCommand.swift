import ArgumentParser
import Columnar
import LogStorage
import QueryEngine
import QueryLanguage

/// `varve saved`: the queries that a store keeps for calls such as `$slow(least = 250)`.
struct SavedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "saved",
    abstract: "Keep queries in the store, to be called as $name() in others.",
    discussion: """
      A {{name}} in the query is a parameter: it stands for one value, or inside a text or a regular \
      expression. A call gives it: $slow(least = 250). Where it does not, the default counts.

      varve saved put slow 'filter durationMs > {{least}}' --default least=100
      varve query '$slow(least = 250) | stats count(*) by service'
      """,
    subcommands: [Put.self, List.self, Show.self, Delete.self])

  /// Keeps a query.
  struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "put", abstract: "Keep a query, in place of one that has its name.")

    @Argument(help: "The query's name; with blanks or '/' in it, calls put it in backticks.")
    var name: String

    @Argument(help: "The query.")
    var query: String?

    @Option(
      name: [.customShort("f"), .customLong("file")],
      help: ArgumentHelp("Read the query from a file ('-' is standard input).", valueName: "file"))
    var queryFile: String?

    @Option(
      name: .customLong("default"),
      help: ArgumentHelp(
        "The value of a parameter that a call does not give; may be given several times.",
        valueName: "name=value"))
    var defaults: [String] = []

    @OptionGroup var store: StoreOptions

    func run() throws {
      try NamedFiles.Kind.savedQuery.check(name)
      let saved = SavedQuery(name: name, text: try text(), defaults: try readDefaults())
      try check(saved)
      try store.open(.create).savedQueries(forWriting: true).put(
        Array(saved.encoded.utf8), as: name)
      if !store.quiet { Terminal.say("Kept \(name): call it as \(saved.callExample).\n") }
    }

    private func text() throws -> String {
      switch (query, queryFile) {
      case (let query?, nil): return query
      case (nil, let file?): return try QueryText.read(file)
      default:
        throw CommandFailure.usage("give the query, or -f FILE to read it from a file")
      }
    }

    private func readDefaults() throws -> [(parameter: String, value: String)] {
      try defaults.map { argument in
        guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else {
          throw CommandFailure.usage("--default '\(argument)' names no parameter; write name=value")
        }
        return (String(argument[..<sign]), String(argument[argument.index(after: sign)...]))
      }
    }

    /// Refuses what no call could use, with its place.
    private func check(_ saved: SavedQuery) throws {
      let parameters = saved.parameters
      var given: Set<String> = []
      for parameter in saved.defaults.map(\.parameter) {
        guard parameters.contains(parameter) else {
          let near = NameSuggestion.nearest(to: parameter, among: parameters)
          throw CommandFailure.usage(
            "--default \(parameter): the query has no {{\(parameter)}}"
              + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        guard given.insert(parameter).inserted else {
          throw CommandFailure.usage("--default gives '\(parameter)' twice")
        }
      }
      var options = QueryOptions(now: SystemClock().now())
      options.addKept { [store] in try store.openIfThere() }
      let found = saved.diagnostics(options: options)
      if found.contains(where: { $0.severity == .error }) {
        throw QueryError(text: SourceText(saved.text), diagnostics: found)
      }
      if !store.quiet { DiagnosticText.show(found, of: SourceText(saved.text)) }
    }
  }

  /// Lists the queries.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the saved queries.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      let files = try store.open(.readOnly).savedQueries()
      var listing = Listing(("name", .text), ("parameters", .text), ("query", .text))
      for name in try files.names() {
        guard let saved = try files.savedQuery(name) else { continue }
        listing.add(.string(name), .string(saved.parameterList), .string(saved.text))
      }
      try listing.print(as: output.format)
    }
  }

  /// Shows one query.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Print a saved query, its defaults on lines before it.")

    @Argument(help: "The query's name.")
    var name: String

    @OptionGroup var store: StoreOptions

    func run() throws {
      let files = try store.open(.readOnly).savedQueries()
      guard let saved = try files.savedQuery(name) else { throw SavedCommand.unknown(name, files) }
      var out = OutputBuffer.standardOutput()
      out.append(saved.encoded.hasSuffix("\n") ? saved.encoded : saved.encoded + "\n")
      try out.flush()
    }
  }

  /// Removes a query.
  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "delete", abstract: "Remove a saved query.")

    @Argument(help: "The query's name.")
    var name: String

    @OptionGroup var store: StoreOptions

    func run() throws {
      let files = try store.open(.readWrite).savedQueries(forWriting: true)
      guard try files.delete(name) else { throw SavedCommand.unknown(name, files) }
      if !store.quiet { Terminal.say("Deleted the saved query \(name).\n") }
    }
  }

  fileprivate static func unknown(_ name: String, _ files: NamedFiles) -> CommandFailure {
    let near = NameSuggestion.nearest(to: name, among: (try? files.names()) ?? [])
    return CommandFailure(
      "there is no saved query '\(name)'"
        + (near.map { "; did you mean '\($0)'?" } ?? "; 'varve saved list' lists them"),
      code: "unknown-saved-query")
  }
}

extension SavedQuery {
  /// `least = 100, level`: the parameters with their defaults.
  var parameterList: String {
    parameters.map { parameter in
      let value = defaults.first { $0.parameter == parameter }?.value
      return value.map { "\(parameter) = \(QueryPrinter.text(of: $0))" } ?? parameter
    }.joined(separator: ", ")
  }

  /// A call with every parameter that must be given, and those that can be.
  fileprivate var callExample: String {
    let arguments = parameters.map { parameter in
      let value = defaults.first { $0.parameter == parameter }?.value
      return "\(parameter) = \(value.map { QueryPrinter.text(of: $0) } ?? "…")"
    }
    return "\(callName)(\(arguments.joined(separator: ", ")))"
  }
}

extension NamedFiles {
  /// A query that is kept; `nil` if there is none of this name.
  func savedQuery(_ name: String) throws -> SavedQuery? {
    try content(of: name).map {
      SavedQuery(name: name, encoded: String(decoding: $0, as: UTF8.self))
    }
  }
}
