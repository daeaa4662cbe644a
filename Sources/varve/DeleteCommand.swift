import ArgumentParser
import LogStorage

/// `varve delete`: a group with everything in it, or one of its streams.
struct DeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a log group with all its events, one of its streams, or single events.",
    discussion: """
      Asks first on a terminal; a script says --yes.

      With --where only the events go that a filter of the query language matches, from the disk too: \
      the segments that hold them are written anew, in one step. Look first with --dry-run. The \
      manifest records how many went and the --reason, not the condition, which may name a person.

      varve delete app --where 'user.id = "u-1042"' --reason 'request 17' --dry-run
      """)

  @Argument(help: "The log group.")
  var group: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Delete only this stream of the group.", valueName: "stream"))
  var stream: String?

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Delete only events that match, as in 'filter': user.id = \"u-1042\".",
      valueName: "condition"))
  var condition: String?

  @Option(
    help: ArgumentHelp(
      "With --where: why, for the record that stays; leave out what is to be forgotten.",
      valueName: "text"))
  var reason: String?

  @Flag(help: "With --where: only say how many events would go.")
  var dryRun = false

  @OptionGroup var times: WindowOptions

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func run() throws {
    if let condition { return try deleteEvents(condition) }
    guard reason == nil, !dryRun, times.since == nil, times.start == nil, times.end == nil else {
      throw CommandFailure.usage(
        "--reason, --dry-run and times choose among events, which takes --where; without it "
          + "the whole group would go")
    }
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

  private func deleteEvents(_ condition: String) throws {
    guard stream == nil else {
      throw CommandFailure.usage(
        "--stream deletes a whole stream; write --where '@logStream = \"…\" and …' in its place")
    }
    let now = try times.clock.time
    let deletion = EventDeletion(
      group: group, condition: condition, window: try times.window(now: now), now: now)
    try deletion.check()
    let note = reason.map { "delete --where: \($0)" } ?? "delete --where"
    let opened = try store.open(dryRun ? .readOnly : .readWrite)
    if !dryRun, !yes {
      let found = try deletion.run(on: opened, dryRun: true, note: note)
      guard found.rowCount > 0 else { return try print(found) }
      try confirm("\(HumanUnits.count(Int(clamping: found.rowCount), "event")) of \(group)")
    }
    let report = try deletion.run(on: opened, dryRun: dryRun, note: note)
    // Their bytes go at once where no reader needs the old segments.
    if !dryRun { _ = try? opened.collectGarbage() }
    try print(report)
  }

  private func print(_ report: EventDeletionReport) throws {
    let events = HumanUnits.count(Int(clamping: report.rowCount), "event")
    let segments = HumanUnits.count(report.segmentCount, "segment")
    var out = OutputBuffer.standardOutput()
    if output.output == .json {
      out.append(
        JSONText.object {
          $0.add("dryRun", report.isDryRun)
          $0.add("group", group)
          $0.add("events", Int(clamping: report.rowCount))
          $0.add("segments", report.segmentCount)
          $0.add("removedSegments", report.removedSegmentCount)
          $0.add("bytes", Int(clamping: report.byteCount))
          $0.add("writtenBytes", Int(clamping: report.writtenByteCount))
        } + "\n")
    } else if !store.quiet {
      let verb = report.isDryRun ? "Would delete" : "Deleted"
      out.append(
        report.rowCount == 0
          ? "No event of \(group) matches; nothing to delete.\n"
          : "\(verb) \(events) of \(group), in \(segments).\n")
    }
    try out.flush()
  }

  /// Events that are about to go. An unknown name is said before anybody is asked about it.
  private func eventCount(_ opened: LogStore) throws -> UInt64 {
    let streams = try opened.streams(of: group)
    guard let stream else { return streams.reduce(0) { $0 + $1.eventCount } }
    try opened.checkStream(stream, of: group)
    return streams.first { $0.name == stream }?.eventCount ?? 0
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

extension LogStore {
  /// - Throws: `StorageError` (`unknownStream`) that names the nearest stream.
  func checkStream(_ stream: String, of group: String) throws {
    let names = try streams(of: group).map(\.name)
    guard !names.contains(stream) else { return }
    let near = LogName.nearest(to: stream, among: names).first
    throw StorageError(
      .unknownStream,
      "log stream '\(stream)' does not exist in \(group)"
        + (near.map { "; did you mean '\($0)'?" } ?? "; 'varve streams \(group)' lists them"))
  }
}
