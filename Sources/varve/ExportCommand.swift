import ArgumentParser
import Columnar
import LogStorage
import QueryEngine

/// `varve export`: the events of a group as they came in.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Give the events of a log group back, byte for byte.",
    discussion: """
      Each event is its exact text on a line of its own, in the order of event times; events of \
      equal times in the order of their arrival. --order arrival gives a file back line for line as \
      it was loaded. The order does not depend on how the store lies. Counts go to standard error.

      varve export app --since 1d > app.ndjson
      varve export app --log-events | zstd > app.zst
      """)

  /// The order of events.
  enum Order: String, CaseIterable, ExpressibleByArgument {
    case time, arrival
  }

  @Argument(help: "The log group.")
  var group: String

  @Flag(help: "The exact texts, one a line (the default).")
  var ndjson = false

  @Flag(
    help: """
      Each event as {"logGroup","logStream","logEvents":[{"id","timestamp","ingestionTime","message"}]} \
      on one line: with its stream and time, and whatever its text holds. 'varve ingest' reads it.
      """)
  var logEvents = false

  @Option(help: ArgumentHelp("By event time, or as events came in.", valueName: "order"))
  var order = Order.time

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Only events of this stream.", valueName: "stream"))
  var stream: String?

  @OptionGroup var times: WindowOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func validate() throws {
    if ndjson, logEvents {
      throw ValidationError("--ndjson and --log-events are two forms of one output; choose one")
    }
  }

  func run() throws {
    let now = try times.clock.time
    let request = ScanRequest(logGroups: [group], window: try times.window(now: now))
    let opened = try store.open(.readOnly)
    if let stream { try opened.checkStream(stream, of: group) }
    let export = EventExport(
      try opened.snapshot(now: now), request: request, stream: stream,
      order: order == .time ? .time : .arrival)
    var writer = ExportWriter(form: logEvents ? .logEvents(group: group) : .texts)
    let outcome = try export.run { page, places in try writer.write(page, places) }
    try writer.finish()
    report(outcome, writer)
    DamageReport.show(outcome.damagedParts)
    if !outcome.damagedParts.isEmpty { throw CommandExit.incomplete }
  }

  private func report(_ outcome: EventExport.Outcome, _ writer: ExportWriter) {
    if output.output == .json {
      return Terminal.say(
        JSONText.object {
          $0.add("group", group)
          $0.add("events", outcome.eventCount)
          $0.add("bytes", outcome.byteCount)
          $0.add("withLineEnds", writer.multiLineCount)
          $0.add("invalidUTF8", writer.repairedCount)
          $0.add("damagedParts", outcome.damagedParts)
        } + "\n")
    }
    guard !store.quiet || writer.multiLineCount > 0 || writer.repairedCount > 0 else { return }
    if !store.quiet {
      let events = HumanUnits.count(outcome.eventCount, "event")
      let what = "\(events) of \(group), \(HumanUnits.bytes(outcome.byteCount)) of text"
      Terminal.say("Exported \(what).\n")
    }
    if writer.multiLineCount > 0 {
      let events = HumanUnits.count(writer.multiLineCount, "event")
      Terminal.say(
        "note: the text of \(events) goes over several lines; --log-events keeps each on one\n")
    }
    if writer.repairedCount > 0 {
      let events = HumanUnits.count(writer.repairedCount, "event")
      Terminal.say(
        "note: the text of \(events) is not valid UTF-8, which JSON cannot hold: the bytes in question "
          + "were replaced; --ndjson gives them back exactly\n")
    }
  }
}

/// Writes exported events to standard output.
struct ExportWriter {
  enum Form {
    case texts
    case logEvents(group: String)
  }

  private let form: Form
  private var output = OutputBuffer.standardOutput()
  /// Events whose text holds line ends of its own, in the form that does not protect them.
  private(set) var multiLineCount = 0
  /// Events whose text JSON cannot hold as it is.
  private(set) var repairedCount = 0

  init(form: Form) { self.form = form }

  mutating func write(_ page: EventExport.Page, _ places: Range<Int>) throws {
    for place in places {
      let row = page.places[place]
      let text = page.texts.bytes[page.texts.range(row)]
      switch form {
      case .texts:
        if text.contains(0x0A) { multiLineCount += 1 }
        output.bytes.append(contentsOf: text)
      case .logEvents(let group): append(text, page, row, group)
      }
      output.bytes.append(0x0A)
      try output.flushIfLarge()
    }
  }

  private mutating func append(
    _ text: ArraySlice<UInt8>, _ page: EventExport.Page, _ row: Int, _ group: String
  ) {
    let message: String
    if let whole = String(validating: text, as: UTF8.self) {
      message = whole
    } else {
      message = String(decoding: text, as: UTF8.self)
      repairedCount += 1
    }
    let event = JSONText.object {
      $0.add("id", "\(page.sequences[row])")
      $0.add("timestamp", Int(page.times[row]))
      $0.add("ingestionTime", Int(page.ingestionTimes[row]))
      $0.add("message", message)
    }
    output.append(
      JSONText.object {
        $0.add("logGroup", group)
        $0.add("logStream", page.streams[Int(page.streamOf[row])])
        $0.add("logEvents", raw: "[\(event)]")
      })
  }

  mutating func finish() throws { try output.flush() }
}
