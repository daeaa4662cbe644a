import ArgumentParser

@main
struct Varve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "varve", abstract: "Log analytics from the command line.", version: "0.1.0")
}
