import Columnar
import LogStorage

/// What `ingest` reports at its end.
struct IngestSummary {
  let report: IngestReport
  let group: String

  /// Rejected lines that the text names one by one; the rejected file has all.
  private static let namedRejects = 5

  /// - Parameter toErrors: the text goes to standard error, because something else has the output.
  func print(as format: ReportFormat, isQuiet: Bool, toErrors: Bool) throws {
    for line in report.recovered { Terminal.say("varve: \(line)\n") }
    for fault in report.faults {
      Terminal.say("varve: \(TextStyle.error.red("error:")) \(fault.message)\n")
    }
    var out = OutputBuffer.standardOutput()
    switch format {
    case .json: out.append(json + "\n")
    case .text where isQuiet: break
    case .text where toErrors: Terminal.say(text)
    case .text: out.append(text)
    }
    try out.flush()
    if isQuiet, report.rejectedCount > 0 {
      Terminal.say("varve: \(rejectedText)\n")
    }
  }

  private var milliseconds: Double { report.elapsed / .milliseconds(1) }
  private var rawBytes: Int { Int(clamping: report.counts.rawByteCount) }
  private var storedBytes: Int { Int(clamping: report.counts.storedByteCount) }

  private var text: String {
    let accepted = HumanUnits.count(Int(clamping: report.acceptedCount), "event")
    var lines = [
      "\(group): \(accepted) accepted, \(rejectedText), in "
        + "\(HumanUnits.duration(milliseconds: milliseconds)) "
        + "(\(HumanUnits.rate(bytes: rawBytes, milliseconds: milliseconds)))"
    ]
    if rawBytes > 0 {
      let share = HumanUnits.percent(Double(storedBytes) / Double(rawBytes))
      lines.append(
        "\(HumanUnits.bytes(rawBytes)) of text stored in \(HumanUnits.bytes(storedBytes)) (\(share))"
      )
    }
    if let first = report.counts.firstTime, let last = report.counts.lastTime {
      lines.append("from \(Timestamp.text(first)) to \(Timestamp.text(last))")
    }
    return (lines + remarks).joined(separator: "\n  ") + "\n"
  }

  private var rejectedText: String {
    "\(HumanUnits.count(Int(clamping: report.rejectedCount))) rejected"
  }

  /// What a reader may want to know before trusting the figures.
  private var remarks: [String] {
    var remarks: [String] = []
    let counts = report.counts
    if counts.textEventCount > 0 {
      let count = Int(clamping: counts.textEventCount)
      remarks.append(
        "\(HumanUnits.count(count, "event")) \(count == 1 ? "is" : "are") plain text, not JSON")
    }
    if counts.withoutTimeCount > 0 {
      let count = Int(clamping: counts.withoutTimeCount)
      remarks.append(
        "\(HumanUnits.count(count, "event")) without a time of \(count == 1 ? "its" : "their") own "
          + "got the time of arrival; --timestamp-field can name the field that has it")
    }
    if report.emptyLines > 0 {
      let count = HumanUnits.count(Int(clamping: report.emptyLines), "empty line")
      remarks.append("\(count) kept as events without text")
    }
    if report.wrapperMembers > 0 {
      let count = HumanUnits.count(Int(clamping: report.wrapperMembers), "member")
      remarks.append("\(count) of wrapper objects beside their events not stored")
    }
    if report.cutOff > 0 {
      remarks.append("rejected: the last record, which the damage cut in the middle")
    }
    for reject in report.tooLong.prefix(Self.namedRejects) {
      let size = HumanUnits.bytes(Int(clamping: reject.byteCount))
      let limit = HumanUnits.bytes(StorageLimits.bytesPerEvent)
      remarks.append("rejected: line \(reject.line) is \(size) long, the limit is \(limit)")
    }
    if report.tooLong.count > Self.namedRejects {
      remarks.append("… and \(report.tooLong.count - Self.namedRejects) more like these")
    }
    return remarks
  }

  private var json: String {
    JSONText.object { json in
      let counts = report.counts
      json.add("group", group)
      json.add("accepted", Int(clamping: report.acceptedCount))
      json.add("rejected", Int(clamping: report.rejectedCount))
      json.add("rejectedTooLong", report.tooLong.count)
      json.add("rejectedCutOff", Int(clamping: report.cutOff))
      json.add("wrapperMembers", Int(clamping: report.wrapperMembers))
      json.add("bytesRead", Int(clamping: report.inputByteCount))
      json.add("bytesRaw", rawBytes)
      json.add("bytesStored", storedBytes)
      json.add("textEvents", Int(clamping: counts.textEventCount))
      json.add("withoutTime", Int(clamping: counts.withoutTimeCount))
      json.add("emptyLines", Int(clamping: report.emptyLines))
      json.add("firstEvent", counts.firstTime.map { Timestamp.text($0) })
      json.add("lastEvent", counts.lastTime.map { Timestamp.text($0) })
      json.add("elapsedMilliseconds", milliseconds)
      json.add("faults", report.faults.map(\.message))
    }
  }
}
