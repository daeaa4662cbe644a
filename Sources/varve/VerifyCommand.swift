import ArgumentParser
import LogStorage

/// `varve verify`: whether every byte is what was written.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read the whole store against every checksum.",
    discussion: """
      The head it prints is the SHA-256 of the last record of the manifest, which carries that of \
      the one before it, and so on: keep it elsewhere, and nobody can change the past unseen.
      """)

  @Flag(
    help: """
      Only follow the chain of the manifest's records and compare the SHA-256 of each segment with \
      its record: whether anything was changed, removed, inserted or reordered. Decodes nothing.
      """)
  var chain = false

  @Option(
    help: ArgumentHelp(
      "A head that 'varve head' printed earlier: fails unless it is in the chain.",
      valueName: "hash"))
  var head: String?

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func run() throws {
    let report = try store.open(.readOnly).verify(chainOnly: chain, head: keptHead())
    var out = OutputBuffer.standardOutput()
    if output.output == .json {
      out.append(report.json + "\n")
    } else if !store.quiet {
      out.append(report.text)
    }
    try out.flush()
    if output.output == .text {
      for problem in report.problems {
        Terminal.say("varve: \(TextStyle.error.red("damaged:")) \(problem)\n")
      }
    }
    if !report.isIntact { throw CommandExit.failure }
  }

  /// The bytes of the head given.
  private func keptHead() throws -> [UInt8]? {
    guard let head else { return nil }
    let digits = Array(head.filter { !$0.isWhitespace }.lowercased())
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
    guard digits.count == 64, bytes.count == 32 else {
      throw CommandFailure.usage("--head '\(head)' is no head; 'varve head' prints 64 hex digits")
    }
    return bytes
  }
}

extension VerificationReport {
  fileprivate var text: String {
    let segments = HumanUnits.count(segmentCount, "segment")
    let events = HumanUnits.count(Int(clamping: eventCount), "event")
    let what = "\(segments), \(events), \(HumanUnits.bytes(Int(clamping: byteCount)))"
    var text =
      isIntact
      ? "Intact: \(what).\n"
      : "Damaged: \(HumanUnits.count(problems.count, "problem")) in \(what).\n"
    text += "Head: \(headText) (\(HumanUnits.count(manifestRecordCount, "manifest record"))).\n"
    let removed = removals.reduce(0) { $0 + $1.rowCount }
    if !removals.isEmpty {
      text += "Removed on purpose: \(HumanUnits.count(Int(clamping: removed), "event")) in "
      text += "\(HumanUnits.count(removals.count, "removal")); 'varve audit' lists them.\n"
    }
    for note in notes { text += "Note: \(note)\n" }
    return text
  }

  fileprivate var json: String {
    JSONText.object {
      $0.add("intact", isIntact)
      $0.add("segments", segmentCount)
      $0.add("rowGroups", rowGroupCount)
      $0.add("events", Int(clamping: eventCount))
      $0.add("bytes", Int(clamping: byteCount))
      $0.add("manifestRecords", manifestRecordCount)
      $0.add("head", headText)
      $0.add("removals", removals.count)
      $0.add("removedEvents", Int(clamping: removals.reduce(0) { $0 + $1.rowCount }))
      $0.add("problems", problems)
      $0.add("notes", notes)
    }
  }

  private var headText: String { hexadecimal(head) }
}
