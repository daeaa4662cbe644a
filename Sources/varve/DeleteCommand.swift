import ArgumentParser
import LogStorage

/// `varve delete`: a group with everything in it, or one of its streams.
struct DeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a log group with all its events, or one of its streams.",
    discussion: "Asks first on a terminal; a script says --yes.")

  @Argument(help: "The log group.")
  var group: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Delete only this stream of the group.", valueName: "stream"))
  var stream: String?

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var store: StoreOptions

  func run() throws {
    let opened = try store.open(.readWrite)
    let events = try eventCount(opened)
    let what = stream.map { "stream \($0) of \(group)" } ?? group
    if !yes { try confirm("\(what) and its \(HumanUnits.count(Int(clamping: events), "event"))") }
    if let stream {
      try opened.deleteStream(stream, of: group)
    } else {
      try opened.deleteGroup(group)
    }
    // Files go at once where no reader needs them; what a reader holds goes with 'varve retain'.
    _ = try? opened.collectGarbage()
    if !store.quiet { Terminal.say("Deleted \(what).\n") }
  }

  /// Events that are about to go. An unknown name is said before anybody is asked about it.
  private func eventCount(_ opened: LogStore) throws -> UInt64 {
    let streams = try opened.streams(of: group)
    guard let stream else { return streams.reduce(0) { $0 + $1.eventCount } }
    guard let found = streams.first(where: { $0.name == stream }) else {
      let near = LogName.nearest(to: stream, among: streams.map(\.name)).first
      throw StorageError(
        .unknownStream,
        "log stream '\(stream)' does not exist in \(group)"
          + (near.map { "; did you mean '\($0)'?" } ?? "; 'varve streams \(group)' lists them"))
    }
    return found.eventCount
  }

  private func confirm(_ what: String) throws {
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
