import ArgumentParser
import LogStorage

/// `varve fields`: the fields of a group.
struct FieldsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fields",
    abstract: "List the fields found in the events of a group: type and share of events.")

  @Argument(help: "The log group.")
  var group: String

  @Flag(help: "The fields that cost most on disk first, with the share of the group's bytes.")
  var bytes = false

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let opened = try store.open(.readOnly)
    let total = try bytes ? opened.groups().first { $0.name == group }?.storedByteCount : nil
    try FieldListing(opened.snapshot(), groups: [group], totalByteCount: total)
      .print(as: output.format)
  }
}
