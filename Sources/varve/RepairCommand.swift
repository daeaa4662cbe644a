import ArgumentParser
import Columnar
import LogStorage

/// `varve repair`: makes the best of a damaged store.
struct RepairCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Save what can be read of a damaged store; says first what would be lost.",
    discussion: """
      Reads every segment. Of a damaged one the row groups that are whole are copied to a new segment, byte \
      for byte; what cannot be read is named by group, times and number of events. Of damaged write-ahead logs the \
      events that are whole are published; logs that have gone, and lost records of the manifest, are given up, \
      so that queries no longer speak of them. Without --yes nothing is changed. The damaged files are kept in the folder 'damaged' of the store, and the \
      manifest records what was lost.
      """)

  @Flag(help: "Do it; without it, only say what would be done.")
  var yes = false

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func run() throws {
    let opened = try store.open(yes ? .readWrite : .readOnly)
    let report = try opened.repair(dryRun: !yes)
    if yes { _ = try? opened.collectGarbage() }
    var out = OutputBuffer.standardOutput()
    if output.output == .json {
      out.append(report.json + "\n")
    } else if !store.quiet {
      out.append(report.text)
    }
    try out.flush()
    for problem in report.problems { Terminal.say("varve: \(problem)\n") }
    if !report.problems.isEmpty { throw CommandExit.failure }
    // A rehearsal that finds damage must not look like a healthy store to a script.
    if report.isDryRun, report.isNeeded { throw CommandExit.incomplete }
  }
}

extension RepairReport {
  fileprivate var text: String {
    let checked = HumanUnits.count(checkedSegmentCount, "segment")
    guard isNeeded else { return "Nothing to repair: \(checked) intact.\n" }
    let damaged = HumanUnits.count(damagedSegmentCount, "segment")
    let saved = HumanUnits.count(Int(clamping: salvagedRowCount), "event")
    let lost = HumanUnits.count(Int(clamping: lostRowCount), "event")
    var text =
      isDryRun
      ? "Would repair \(damaged) of \(checked): \(saved) saved, \(lost) lost. Say --yes to do it.\n"
      : "Repaired \(damaged) of \(checked): \(saved) saved, \(lost) lost.\n"
    for loss in losses {
      let events = HumanUnits.count(Int(clamping: loss.rowCount), "event")
      text += "Lost: \(events) of \(loss.logGroup) from \(Timestamp.text(loss.minTime)) "
      text += "to \(Timestamp.text(loss.maxTime)): \(loss.reason)\n"
    }
    for detail in lostDetails { text += "Kept in part: \(detail)\n" }
    for fault in manifestFaults + logFaults + rejectedFaults { text += "Lost: \(fault)\n" }
    for path in keptFiles { text += "The damaged file is kept as \(path)\n" }
    return text
  }

  fileprivate var json: String {
    JSONText.object { json in
      json.add("dryRun", isDryRun)
      json.add("segments", checkedSegmentCount)
      json.add("damagedSegments", damagedSegmentCount)
      json.add("savedEvents", Int(clamping: salvagedRowCount))
      json.add("lostEvents", Int(clamping: lostRowCount))
      let parts = losses.map { loss in
        JSONText.object {
          $0.add("group", loss.logGroup)
          $0.add("segment", "\(loss.segment)")
          $0.add("rowGroup", loss.rowGroup)
          $0.add("events", Int(clamping: loss.rowCount))
          $0.add("first", Timestamp.text(loss.minTime))
          $0.add("last", Timestamp.text(loss.maxTime))
          $0.add("reason", loss.reason)
        }
      }
      json.add("losses", raw: "[\(parts.joined(separator: ","))]")
      json.add("lostDetails", lostDetails)
      json.add("manifest", manifestFaults)
      json.add("writeAheadLogs", logFaults)
      json.add("rejected", rejectedFaults)
      json.add("keptFiles", keptFiles)
      json.add("problems", problems)
    }
  }
}
