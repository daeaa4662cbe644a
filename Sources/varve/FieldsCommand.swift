import ArgumentParser
import LogStorage

/// `varve fields`: the fields of a group.
struct FieldsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fields",
    abstract: "List the fields found in the events of a group: type and share of events.")

  @Argument(help: "The log group.")
  var group: String

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let snapshot = try store.open(.readOnly).snapshot()
    try FieldListing(snapshot, groups: [group]).print(as: output.format)
  }
}
