import ArgumentParser
import LogStorage
import Synchronization

/// `varve ingest`: logs into the store.
struct IngestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest",
    abstract: "Load logs into a log group.",
    discussion: """
      Reads NDJSON, concatenated JSON, {"Records":[…]} and {"logEvents":[…]} wrappers and plain \
      text lines; gzip and zstd are recognised. When it reports success, every accepted event is \
      on disk.

      varve ingest --group /aws/lambda/report report.log.gz
      tail -F app.log | varve ingest --group app --acknowledge -
      """)

  @Argument(help: "Files to load; '-' is standard input.")
  var files: [String] = []

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The log group; made if need be.", valueName: "group"))
  var group: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The log stream of events that name none.", valueName: "stream"))
  var stream = "default"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The field that holds an event's time, before those that are looked for anyway.",
      valueName: "name"))
  var timestampField: String?

  @Flag(
    help: """
      After each durable commit, at least twice a second, write {"acknowledged":N} to standard \
      output: the first N input events are safely dealt with.
      """)
  var acknowledge = false

  @Flag(
    help: """
      Load only what an earlier run with --once has not: the same file again adds nothing, a file that \
      has grown goes on where it ended, one that was cut or replaced is read from its start. For files \
      of one event a line; the last line waits until it has its line end.
      """)
  var once = false

  @Flag(help: "With --once: the files are complete; load a last line without line end too.")
  var final = false

  @OptionGroup var clock: ClockOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func run() throws {
    let inputs = try inputNames()
    try checkOnce(inputs)
    // A missing file is said before the first one is loaded, not after.
    let sizes = try inputs.map { try InputStream(.init(argument: $0)).totalByteCount }
    let opened = try store.open(.create)
    let progress = IngestProgress(
      total: sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) },
      isShown: Terminal.mayRedrawErrorLine && !store.quiet)
    var report: IngestReport?
    for input in inputs {
      let bookmark = try once ? makeBookmark(input, opened) : nil
      let session = try makeSession(opened, progress, after: report, bookmark)
      let next = try session.ingest(.init(argument: input))
      progress.finishInput(byteCount: next.inputByteCount)
      if report == nil { report = next } else { report?.merge(next) }
    }
    progress.clear()
    guard let report else { return }
    try IngestSummary(report: report, group: group).print(
      as: output.output, isQuiet: store.quiet, toErrors: acknowledge)
    if !report.faults.isEmpty { throw CommandExit.failure }
  }

  private func inputNames() throws -> [String] {
    if !files.isEmpty { return files }
    guard !Terminal.isInputInteractive else {
      throw CommandFailure.usage(
        "nothing to load: name files, or pipe something in: … | varve ingest --group \(group) -")
    }
    return ["-"]
  }

  private func checkOnce(_ inputs: [String]) throws {
    if final, !once { throw CommandFailure.usage("--final goes with --once") }
    guard once else { return }
    if acknowledge {
      throw CommandFailure.usage("--once remembers files, --acknowledge streams; choose one")
    }
    if inputs.contains("-") {
      throw CommandFailure.usage("--once knows files again, but not standard input; name files")
    }
  }

  /// Where to go on, with what somebody should know about it.
  private func makeBookmark(_ path: String, _ opened: LogStore) throws -> BookmarkedInput {
    let bookmark = try BookmarkedInput(
      path, logGroup: group, store: opened, takesUnfinishedLine: final, now: clock.time)
    if let remark = bookmark.remark { Terminal.say("varve: \(remark)\n") }
    guard !store.quiet else { return bookmark }
    if bookmark.range.lowerBound > 0 {
      let size = HumanUnits.bytes(Int(clamping: bookmark.range.lowerBound))
      Terminal.say("\(path): \(size) skipped, loaded before\n")
    }
    if bookmark.unfinishedByteCount > 0 {
      let size = HumanUnits.bytes(Int(clamping: bookmark.unfinishedByteCount))
      Terminal.say(
        "\(path): the last line (\(size)) has no line end yet and waits; --final loads it\n")
    }
    return bookmark
  }

  private func makeSession(
    _ opened: LogStore, _ progress: IngestProgress, after earlier: IngestReport?,
    _ bookmark: BookmarkedInput?
  ) throws -> IngestSession {
    var options = IngestSession.Options(logGroup: group, stream: stream, now: try clock.time)
    options.timestampField = timestampField
    options.bookmark = bookmark
    options.progress = { progress.update(consumed: $0) }
    if acknowledge {
      // A stream may go on for days: each batch has its own time of arrival.
      if clock.now == nil { options.clock = SystemClock() }
      let before = earlier.map { $0.acceptedCount + $0.rejectedCount } ?? 0
      options.acknowledge = { Self.acknowledge(before + $0) }
    }
    return try IngestSession(store: opened, options: options)
  }

  /// One line at once; the session calls from one thread at a time. If nobody reads any more, the
  /// signal of the closed pipe ends the process.
  private static func acknowledge(_ events: UInt64) {
    var out = OutputBuffer.standardOutput()
    out.append("{\"acknowledged\":\(events)}\n")
    try? out.flush()
  }
}
