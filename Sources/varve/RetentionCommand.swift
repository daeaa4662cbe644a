import ArgumentParser
import LogStorage

/// `varve retention`: how long groups keep their events.
struct RetentionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retention",
    abstract: "Set or show how long a log group keeps its events.",
    subcommands: [SetRetention.self, ShowRetention.self], defaultSubcommand: ShowRetention.self)
}

struct SetRetention: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Keep a group's events for so many days, or for ever.",
    discussion: """
      Events past their time are out of sight at once; 'varve retain' removes them from disk.
      """)

  @Argument(help: "The log group.")
  var group: String

  @Argument(help: "A number of days, or 'never' for events that never expire.")
  var days: String

  @OptionGroup var store: StoreOptions

  func run() throws {
    let wanted = days.lowercased() == "never" ? nil : Int(days)
    guard days.lowercased() == "never" || wanted != nil else {
      throw CommandFailure.usage("'\(days)' is no number of days; write 30, or 'never'")
    }
    try store.open(.readWrite).setRetention(group, days: wanted)
    guard !store.quiet else { return }
    let text = wanted.map { "keeps its events for \(HumanUnits.count($0, "day"))" }
    Terminal.say("\(group) \(text ?? "keeps its events for ever").\n")
  }
}

struct ShowRetention: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show how long groups keep their events.")

  @Argument(help: "A log group (default: all).")
  var group: String?

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try GroupListing.retention(store.open(.readOnly), group: group).print(as: output.format)
  }
}
