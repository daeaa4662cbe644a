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

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func run() throws {
    let report = try store.open(.readOnly).verify()
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
      $0.add("problems", problems)
      $0.add("notes", notes)
    }
  }

  private var headText: String {
    head.map { byte in
      let text = String(byte, radix: 16)
      return text.utf8.count < 2 ? "0" + text : text
    }.joined()
  }
}
