import ArgumentParser
import Glibc
import QueryLanguage

/// The command `varve`.
@main
struct Varve: ParsableCommand {
  static let name = "varve"

  static let configuration = CommandConfiguration(
    commandName: name,
    abstract: "Log analytics on one machine, in the language of CloudWatch Logs Insights.",
    discussion: """
      Without a subcommand it opens the interactive shell. Data goes to standard output, \
      everything else to standard error. The store is --store, else $VARVE_STORE, else \
      $XDG_DATA_HOME/varve, else ~/.local/share/varve.

      Exit codes: 0 success, 1 failed, 2 wrong usage, 3 complete only for the data that could be \
      read, 124 timed out, 130 interrupted.
      """,
    version: "varve 0.1.0",
    subcommands: [
      QueryCommand.self, ReplCommand.self, IngestCommand.self, GroupsCommand.self,
      StreamsCommand.self, FieldsCommand.self, RetentionCommand.self, RetainCommand.self,
      InspectCommand.self, VerifyCommand.self, HeadCommand.self, AuditCommand.self,
      RepairCommand.self, ExportCommand.self, DeleteCommand.self, LookupCommand.self,
      SavedCommand.self,
      ManualCommand.self,
    ],
    defaultSubcommand: ReplCommand.self)

  static func main() {
    MemoryReuse.enable()
    let arguments = ArgumentOrder.arranged(Array(CommandLine.arguments.dropFirst()))
    do {
      var command = try parsed(arguments)
      try command.run()
    } catch {
      Glibc.exit(FailureReport(arguments: arguments).show(error).rawValue)
    }
  }

  /// The command that the arguments ask for.
  private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
    if let command = DirectArguments.command(arguments) { return command }
    try checkCommand(arguments.first)
    return try parseAsRoot(arguments)
  }

  /// A first word that is no command would else be taken for an argument of the shell.
  private static func checkCommand(_ word: String?) throws {
    guard let word, !word.hasPrefix("-"), word != "help" else { return }
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard !names.contains(word) else { return }
    if word.contains(" ") || word.contains("|") {
      throw CommandFailure.usage("to run a query, write: varve query '\(word)'")
    }
    let near = NameSuggestion.nearest(to: word, among: names).map { " (did you mean '\($0)'?)" }
    throw CommandFailure.usage(
      "there is no command '\(word)'\(near ?? ""); 'varve --help' lists the commands")
  }
}
