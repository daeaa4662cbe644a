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
    abstract: "Keep a group's events for so many days, or for ever, or up to a size.",
    discussion: """
      Events past their time are out of sight at once; 'varve retain' removes them from disk.
      --max-bytes limits the bytes on disk: 'varve retain' removes the oldest events above it, in \
      row groups of up to 65,536 events.
      """)

  @Argument(help: "The log group.")
  var group: String

  @Argument(help: "A number of days, or 'never' for events that never expire.")
  var days: String?

  @Option(
    help: ArgumentHelp(
      "Bytes on disk that the group may have, such as 500M or 2G, or 'none' for no limit.",
      valueName: "size"))
  var maxBytes: String?

  @OptionGroup var store: StoreOptions

  func run() throws {
    guard days != nil || maxBytes != nil else {
      throw CommandFailure.usage("what is to be set? write 30, 'never' or --max-bytes 2G")
    }
    // Both are understood before one of them is done.
    let (keep, limit) = (try days.map(Self.dayCount), try maxBytes.map(Self.byteCount))
    let opened = try store.open(.readWrite)
    if let keep { try opened.setRetention(group, days: keep) }
    if let limit { try opened.setSizeLimit(group, byteCount: limit) }
    guard !store.quiet else { return }
    if let keep {
      let text = keep.map { "for \(HumanUnits.count($0, "day"))" } ?? "for ever"
      Terminal.say("\(group) keeps its events \(text).\n")
    }
    if let limit {
      let text = limit.map { "may have \(HumanUnits.bytes(Int(clamping: $0))) on disk" }
      Terminal.say("\(group) \(text ?? "may grow without bound").\n")
    }
  }

  /// The number of days; `nil` inside for ever.
  private static func dayCount(_ text: String) throws -> Int? {
    if text.lowercased() == "never" { return nil }
    guard let days = Int(text) else {
      throw CommandFailure.usage("'\(text)' is no number of days; write 30, or 'never'")
    }
    return days
  }

  /// The size; `nil` inside for no limit.
  private static func byteCount(_ text: String) throws -> UInt64? {
    if text.lowercased() == "none" { return nil }
    return UInt64(try QueryArguments.byteCount(text, option: "--max-bytes"))
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
