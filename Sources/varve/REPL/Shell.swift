import Glibc
import LogStorage
import QueryEngine
import QueryLanguage

/// The interactive shell: reads lines, gathers queries of several lines, answers them.
struct Shell {
  private static let prompt = "varve> "
  private static let continuation = "   ...> "

  private let store: LogStore
  private var arguments: QueryArguments
  private var runner: QueryRunner

  init(store: LogStore, arguments: QueryArguments, runner: QueryRunner) {
    self.store = store
    self.arguments = arguments
    self.runner = runner
  }

  /// Runs until the user leaves.
  mutating func run() {
    Interruption.listen(lastWords: nil)
    let editor = LineEditor(historyPath: HistoryFile.path())
    Completion.install()
    offerFields()
    if !runner.isQuiet { greet() }
    var query = ""
    while true {
      switch editor.read(prompt: query.isEmpty ? Self.prompt : Self.continuation) {
      case .interrupted: query = ""
      case .end:
        print("")
        return
      case .line(let line):
        guard !(query.isEmpty && isLeaving(line)) else { return }
        guard let finished = gather(line, into: &query) else { continue }
        editor.remember(isShellCommand(finished) ? finished : finished + ";")
        handle(finished)
      }
    }
  }

  private func offerFields() {
    if let snapshot = try? store.snapshot() {
      Completion.offer(
        fieldsOf: snapshot, groups: arguments.group,
        tables: (try? store.lookupTables().names()) ?? [],
        savedQueries: (try? store.savedQueries().names()) ?? [])
    }
  }

  private func greet() {
    print("Queries end with ';' or an empty line; 'help' tells more, Ctrl-D leaves.")
    print("Store: \(store.path)")
  }

  private func isLeaving(_ line: String) -> Bool {
    [".quit", ".exit", "quit", "exit", "quit;", "exit;"].contains(line.trimmed.lowercased())
  }

  /// Adds a line to the query being typed; gives back the query once it is complete.
  private func gather(_ line: String, into query: inout String) -> String? {
    let text = line.trimmed
    if query.isEmpty, text.isEmpty { return nil }
    if query.isEmpty, isShellCommand(text) { return text }
    let endsHere = text.isEmpty || text.hasSuffix(";")
    query += query.isEmpty ? line : "\n" + line
    guard endsHere else { return nil }
    defer { query = "" }
    let whole = query.trimmed
    let finished = whole.hasSuffix(";") ? String(whole.dropLast()).trimmed : whole
    return finished.isEmpty ? nil : finished
  }

  private func isShellCommand(_ text: String) -> Bool {
    let word = text.split(whereSeparator: { $0 == " " || $0 == ";" }).first.map { $0.lowercased() }
    return text.hasPrefix(".") || word == "help" || word == "clear"
  }

  private mutating func handle(_ text: String) {
    do {
      if isShellCommand(text) {
        try runShellCommand(text.hasSuffix(";") ? String(text.dropLast()) : text)
      } else {
        try answer(text)
      }
    } catch QueryFailure.cancelled {
      Terminal.say("Cancelled.\n")
    } catch {
      _ = FailureReport(isJSON: false).show(error)
    }
  }

  private func answer(_ text: String) throws {
    var options = try arguments.options()
    options.addKept { [store] in store }
    try Interruption.cancelling(options.cancellation!) {
      _ = try runner.answer(text, options: options) {
        try store.snapshot(now: options.now)
      }
    }
  }

  /// What a query would do.
  private func explain(_ text: Substring) throws {
    guard !text.isEmpty else {
      throw CommandFailure("write the query behind it: .explain stats count(*) by level")
    }
    var options = try arguments.options()
    options.addKept { [store] in store }
    let query = try PreparedQuery(String(text), options: options)
    let forecast = try Interruption.cancelling(options.cancellation!) {
      try query.forecast(on: store.snapshot(now: options.now))
    }
    DiagnosticText.show(query.warnings, of: query.text)
    print(ForecastText(forecast, style: .output).text, terminator: "")
  }

  // MARK: Commands of the shell itself

  private mutating func runShellCommand(_ text: String) throws {
    let words = text.split(separator: " ").map(String.init)
    let rest = Array(words.dropFirst())
    switch words[0].lowercased() {
    case "help", ".help":
      print(
        rest.isEmpty ? ReplHelp.overview : ReplHelp.page(rest[0]), terminator: "")
    case "clear", ".clear": print("\u{1B}[H\u{1B}[2J", terminator: "")
    case ".groups": try GroupListing.groups(store).print(as: listingFormat)
    case ".fields":
      let groups = rest.isEmpty ? arguments.group : rest
      try FieldListing(store.snapshot(), groups: groups).print(as: listingFormat)
    case ".use": try use(rest)
    case ".since": try setSince(rest.first)
    case ".mode": try setMode(rest.first)
    case ".timing": setTiming(rest.first)
    case ".explain": try explain(text.dropFirst(words[0].count).drop { $0 == " " })
    default:
      let near = NameSuggestion.nearest(to: words[0], among: ReplHelp.commands)
      let hint = near.map { " (did you mean '\($0)'?)" } ?? ""
      throw CommandFailure(
        "the shell has no command '\(words[0])'\(hint); 'help' lists what it has")
    }
    fflush(nil)
  }

  private var listingFormat: OutputFormat { runner.format == .raw ? .table : runner.format }

  private mutating func use(_ groups: [String]) throws {
    let known = try store.groups().map(\.name)
    for group in groups where !known.contains(group) {
      let near = NameSuggestion.nearest(to: group, among: known)
      let hint = near.map { "; nearest: '\($0)'" } ?? "; '.groups' lists what there is"
      throw CommandFailure("log group '\(group)' does not exist\(hint)")
    }
    arguments.group = groups
    offerFields()
    print(groups.isEmpty ? "Reading all groups." : "Reading \(groups.joined(separator: ", ")).")
  }

  private mutating func setSince(_ word: String?) throws {
    guard let word, word != "all" else {
      arguments.times.since = nil
      return print("Looking at all events.")
    }
    guard TimeArgument.duration(word) != nil else {
      throw CommandFailure(
        "'\(word)' is no length of time; write .since 3h or .since all")
    }
    (arguments.times.since, arguments.times.start, arguments.times.end) = (word, nil, nil)
    print("Looking at the last \(word).")
  }

  private mutating func setMode(_ word: String?) throws {
    guard let word else { return print("Rows are printed as \(runner.format.rawValue).") }
    guard let format = OutputFormat(rawValue: word) else {
      let known = OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure("there is no mode '\(word)'; choose one of \(known)")
    }
    runner.format = format
  }

  private mutating func setTiming(_ word: String?) {
    runner.showsStatistics = word.map { $0 == "on" } ?? !runner.showsStatistics
    print("Timing is \(runner.showsStatistics ? "on" : "off").")
  }
}

extension String {
  /// Without blank space at its ends.
  fileprivate var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
