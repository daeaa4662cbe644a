import ArgumentParser
import LogStorage

/// `varve delete`: a group with everything in it.
struct DeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a log group with all its events.",
    discussion: "Asks first on a terminal; a script says --yes.")

  @Argument(help: "The log group.")
  var group: String

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var store: StoreOptions

  func run() throws {
    let opened = try store.open(.readWrite)
    // An unknown name is said before anybody is asked about it.
    _ = try opened.streams(of: group)
    if !yes { try confirm(opened) }
    try opened.deleteGroup(group)
    if !store.quiet { Terminal.say("Deleted \(group).\n") }
  }

  private func confirm(_ opened: LogStore) throws {
    let events = try opened.groups().first { $0.name == group }?.eventCount ?? 0
    let what = "\(group) and its \(HumanUnits.count(Int(clamping: events), "event"))"
    guard Terminal.isInputInteractive else {
      throw CommandFailure.usage("nobody is there to confirm that \(what) go; say --yes")
    }
    Terminal.say("Delete \(what)? This cannot be undone. [y/N] ")
    let answer = readLine()?.lowercased() ?? ""
    guard answer == "y" || answer == "yes" else {
      throw CommandFailure("nothing was deleted", code: "not-confirmed")
    }
  }
}
