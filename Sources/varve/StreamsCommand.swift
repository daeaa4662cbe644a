import ArgumentParser
import LogStorage

/// `varve streams`: the streams of a group.
struct StreamsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "streams", abstract: "List the log streams of a group.")

  @Argument(help: "The log group.")
  var group: String

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try GroupListing.streams(store.open(.readOnly), of: group).print(as: output.format)
  }
}
