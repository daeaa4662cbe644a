import ArgumentParser
import QueryEngine

/// `varve help`: the manual of the language, and the usage of the other commands.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "help", abstract: "Explains a command, a function or a code of the language.")

  @Argument(help: "Such as stats, pct, E301, commands, functions, codes.")
  var topic: String?

  @Option(help: "Print a page of the reference: commands, functions or codes.")
  var markdown: String?

  func run() throws {
    if let markdown {
      guard let page = ReferencePages.markdown(markdown) else {
        throw CommandFailure.usage("the pages are \(ReferencePages.names.joined(separator: ", "))")
      }
      return print(page, terminator: "")
    }
    guard let topic else { return print(Self.overview, terminator: "") }
    if let page = Manual.page(topic) { return print(page, terminator: "") }
    let command = Varve.configuration.subcommands.first {
      $0.configuration.commandName == topic
    }
    if let command { throw CleanExit.helpRequest(command) }
    throw CommandFailure.usage(Manual.unknown(topic))
  }

  private static var overview: String {
    """
    A query is a chain of commands: filter level = "ERROR" | stats count(*) by service

    \(Manual.page("commands") ?? "")
    help COMMAND       one of these, with examples (help stats)
    help functions     all functions; help FUNCTION explains one (help pct)
    help codes         all errors, warnings and hints; help CODE explains one (help E301)
    varve --help       the commands of the shell: query, ingest, retain …

    Documentation/where-aws-is-silent.md tells what Varve chose where AWS says nothing.

    """
  }
}
