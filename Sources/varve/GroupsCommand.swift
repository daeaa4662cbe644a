import ArgumentParser
import LogStorage

/// `varve groups`: what the store holds.
struct GroupsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "groups",
    abstract: "List the log groups: events, bytes as ingested and as stored, first and last event.")

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try GroupListing.groups(store.open(.readOnly)).print(as: output.format)
  }
}
