import ArgumentParser
import LogStorage

/// `varve retain`: the job for cron.
struct RetainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retain",
    abstract: "Remove events past their retention and merge small segments: the job for cron.",
    discussion: """
      Running it again does nothing, and two at once do no harm. It prints one line.
      """)

  @Flag(help: "Only say what would be done.")
  var dryRun = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "A log group; may be given several times (default: all).", valueName: "group"))
  var group: [String] = []

  @Flag(
    help: """
      Also remove expired events from segments that hold newer ones; without it they are out of \
      sight at once, but stay on disk until the last event of their segment has expired. Streams \
      that run are asked to publish such events first; what they or readers keep from going within ten \
      seconds is named, and the exit code is 1.
      """)
  var exact = false

  @Option(
    help: ArgumentHelp(
      "Merge and erase at most so many percent of the time, to leave processors and disks to others.",
      valueName: "percent"))
  var throttle = 100

  @OptionGroup var clock: ClockOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func run() throws {
    guard (1...100).contains(throttle) else {
      throw CommandFailure.usage("--throttle \(throttle): allowed are 1 to 100 percent")
    }
    let opened = try store.open(
      dryRun ? .readOnly : .readWrite, maintenanceShare: Double(throttle) / 100)
    let report: RetentionReport
    do {
      report = try opened.retain(
        dryRun: dryRun, groups: group.isEmpty ? nil : group, now: clock.time, exact: exact)
    } catch let error as StorageError where error.code == .busy {
      // The other run does the work; a cron job that overlaps itself has not failed.
      return Terminal.say("varve: nothing done: \(error.message)\n")
    }
    try print(report)
    for remainder in report.remaining { Terminal.say("varve: \(remainder.sentence)\n") }
    for problem in report.problems { Terminal.say("varve: \(problem)\n") }
    if !report.problems.isEmpty || !report.remaining.isEmpty { throw CommandExit.failure }
  }

  private func print(_ report: RetentionReport) throws {
    guard output.output == .json || !store.quiet else { return }
    var out = OutputBuffer.standardOutput()
    out.append((output.output == .json ? report.json : report.sentence) + "\n")
    try out.flush()
  }
}

extension RetentionReport {
  /// One line for a person or a log.
  fileprivate var sentence: String {
    guard !isNoOperation else { return "Nothing to do." }
    var parts: [String] = []
    if expiredSegmentCount > 0 {
      parts.append(
        "\(isDryRun ? "would expire" : "expired") \(events(expiredRowCount)) in "
          + "\(HumanUnits.count(expiredSegmentCount, "segment")) of "
          + "\(HumanUnits.count(expired.count, "group")) (\(bytes(expiredByteCount)))")
    }
    if !surplus.isEmpty {
      let rows = surplus.reduce(0) { $0 + $1.rowCount }
      let size = surplus.reduce(0) { $0 + $1.storedByteCount }
      parts.append(
        "\(isDryRun ? "would remove" : "removed") \(events(rows)) above the size limit of "
          + "\(HumanUnits.count(surplus.count, "group")) (\(bytes(size)))")
    }
    if erasedRowCount > 0 {
      parts.append("\(isDryRun ? "would erase" : "erased") \(events(erasedRowCount)) to the event")
    }
    if recoveredRowCount > 0 {
      parts.append(
        "\(isDryRun ? "would publish" : "published") \(events(recoveredRowCount)) that a writer left "
          + "when it ended early")
    }
    if mergeCount > 0 {
      let merged = HumanUnits.count(mergedSegmentCount, "segment")
      parts.append(
        isDryRun
          ? "would merge \(merged) (\(bytes(mergedByteCount)))"
          : "merged \(merged) (\(bytes(mergedByteCount))) into \(bytes(writtenByteCount))")
    }
    if removedFileCount > 0 {
      let files = HumanUnits.count(removedFileCount, "file")
      parts.append("\(isDryRun ? "would free" : "freed") \(bytes(removedByteCount)) in \(files)")
    }
    let text = parts.joined(separator: "; ")
    return text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  private func events(_ count: UInt64) -> String { HumanUnits.count(Int(clamping: count), "event") }
  private func bytes(_ count: UInt64) -> String { HumanUnits.bytes(Int(clamping: count)) }

  fileprivate var json: String {
    JSONText.object { json in
      json.add("dryRun", isDryRun)
      json.add("expiredEvents", Int(clamping: expiredRowCount))
      json.add("expiredSegments", expiredSegmentCount)
      json.add("expiredBytes", Int(clamping: expiredByteCount))
      json.add("erasedEvents", Int(clamping: erasedRowCount))
      json.add("recoveredEvents", Int(clamping: recoveredRowCount))
      json.add("merges", mergeCount)
      json.add("mergedSegments", mergedSegmentCount)
      json.add("mergedBytes", Int(clamping: mergedByteCount))
      json.add("writtenBytes", Int(clamping: writtenByteCount))
      json.add("removedFiles", removedFileCount)
      json.add("removedBytes", Int(clamping: removedByteCount))
      let groups = expired.map { expiry in
        JSONText.object {
          $0.add("group", expiry.logGroup)
          $0.add("cutoff", Int(expiry.cutoff))
          $0.add("events", Int(clamping: expiry.rowCount))
          $0.add("segments", expiry.segmentCount)
        }
      }
      let capped = surplus.map { item in
        JSONText.object {
          $0.add("group", item.logGroup)
          $0.add("maxBytes", Int(clamping: item.maximumByteCount))
          $0.add("events", Int(clamping: item.rowCount))
          $0.add("segments", item.segmentCount)
          $0.add("bytes", Int(clamping: item.storedByteCount))
        }
      }
      json.add("surplus", raw: "[\(capped.joined(separator: ","))]")
      json.add("groups", raw: "[\(groups.joined(separator: ","))]")
      json.add("remaining", raw: "[\(remaining.map(\.json).joined(separator: ","))]")
      json.add("problems", problems)
    }
  }
}

extension Remainder {
  /// One line for a person: what is left, where, and until when.
  fileprivate var sentence: String {
    let files = HumanUnits.count(fileCount, "file")
    switch kind {
    case .log:
      let events = HumanUnits.count(Int(clamping: rowCount ?? 0), "expired event")
      let (remain, them) = rowCount == 1 ? ("remains", "it") : ("remain", "them")
      return
        "\(events) of log group '\(logGroup ?? "")' \(remain) in \(path) until \(processes), which "
        + "writes it, publishes \(them): it was asked to, and did not in time, or more came later; the "
        + "next run removes \(them)"
    case .reader:
      let remain = fileCount == 1 ? "remains" : "remain"
      let reading = processes.count > 1 ? "which read them, have" : "which reads them, has"
      return
        "\(files) of removed segments \(remain) in \(path) until \(processes), \(reading) ended; "
        + "the next run removes them"
    case .damaged:
      return
        "\(files) that a repair put aside may hold expired events: look into \(path) and remove "
        + "them yourself"
    }
  }

  fileprivate var json: String {
    JSONText.object {
      $0.add("kind", kind.rawValue)
      if let logGroup { $0.add("group", logGroup) }
      $0.add("path", path)
      $0.add("files", fileCount)
      if let rowCount { $0.add("events", Int(clamping: rowCount)) }
      $0.add("holders", processes.description)
    }
  }
}
