import Foundation
import Testing

/// Proof that nothing was changed, and what remains when something was.
@Suite struct EvidenceTests {
  /// A store with one group of three days, each a segment of its own.
  private func threeDays() throws -> VarveProcess {
    let varve = try VarveProcess()
    for day in 12...14 { try add(day, to: varve) }
    return varve
  }

  private func add(_ day: Int, to varve: VarveProcess) throws {
    let line = "{\"time\":\"2026-03-\(day)T12:00:00Z\",\"user\":\"u\(day)\",\"n\":\(day)}\n"
    #expect(try varve("ingest", "-q", "-g", "days", "-", input: line).status == 0)
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func head(_ varve: VarveProcess) throws -> String {
    let result = try varve("head")
    #expect(result.status == 0)
    return try #require(result.lines.first)
  }

  @Test func `a kept head is found again after more was written`() throws {
    let varve = try threeDays()
    let kept = try head(varve)
    #expect(kept.count == 64)
    #expect(try varve("verify").text.contains("Head: \(kept)"))
    let same = try varve("verify", "--chain", "--head", kept)
    #expect(same.status == 0 && same.text.contains("nothing was recorded since"), "\(same.text)")
    try add(15, to: varve)
    #expect(try head(varve) != kept)
    let later = try varve("verify", "--chain", "--head", kept)
    #expect(
      later.status == 0 && later.text.contains("1 records were appended since"), "\(later.text)")
    #expect(try varve("verify", "--head", "xyz").status == 2)
    #expect(
      try object(try varve("head", "-o", "json").text)["head"] as? String == head(varve))
  }

  @Test func `a manifest that was cut back is told by the head`() throws {
    let varve = try threeDays()
    let log = URL(fileURLWithPath: varve.store + "/manifest-1.log")
    let end = URL(fileURLWithPath: varve.store + "/manifest.end")
    let before = (log: try Data(contentsOf: log), end: try Data(contentsOf: end))
    try add(15, to: varve)
    let kept = try head(varve)
    try before.log.write(to: log)
    let cut = try varve("verify", "--chain")
    #expect(
      cut.status == 1 && cut.errors.contains("the end of the manifest has gone"), "\(cut.errors)")
    // Who cuts back the hint as well is only betrayed by the head.
    try before.end.write(to: end)
    #expect(try varve("verify", "--chain").status == 0)
    let result = try varve("verify", "--chain", "--head", kept)
    #expect(result.status == 1)
    #expect(result.errors.contains("is not in the chain"), "\(result.errors)")
    #expect(!result.errors.contains("90 days"), "all records are there: \(result.errors)")
  }

  @Test func `a changed, a missing and an inserted segment are named`() throws {
    let varve = try threeDays()
    let segments = try varve.segments()
    try varve.damageSegment(number: 0)
    try FileManager.default.removeItem(at: segments[1])
    let stranger = segments[2].deletingLastPathComponent().appendingPathComponent(
      "00112233445566778899aabbccddeeff.seg")
    try FileManager.default.copyItem(at: segments[2], to: stranger)
    let result = try varve("verify", "--chain")
    #expect(result.status == 1)
    #expect(result.errors.contains(segments[0].lastPathComponent))
    #expect(result.errors.contains(segments[1].lastPathComponent))
    #expect(result.text.contains(stranger.lastPathComponent))
    #expect(result.text.hasPrefix("Damaged: 2 problems"), "\(result.text)")
  }

  @Test func `every byte of a changed manifest record is noticed`() throws {
    let varve = try threeDays()
    let log = URL(fileURLWithPath: varve.store + "/manifest-1.log")
    let whole = try Data(contentsOf: log)
    // In the head and in the body of a record that others follow.
    for place in stride(from: 40, to: whole.count / 2, by: 97) {
      var bytes = whole
      bytes[place] ^= 4
      try bytes.write(to: log)
      let result = try varve("verify", "--chain")
      #expect(result.status == 1, "byte \(place)")
    }
  }

  @Test func `legitimate removals stay visible`() throws {
    let varve = try threeDays()
    #expect(try varve("audit").lines.isEmpty)
    _ = try varve("retention", "set", "days", "2")
    #expect(try varve("retain", "--now", "2026-03-15T06:00:00Z").status == 0)
    _ = try varve(
      "delete", "days", "--where", "user = \"u13\"", "--reason", "request 17", "--yes")
    let rows = try varve("audit").lines.map(object)
    #expect(rows.map { $0["reason"] as? String } == ["expired", "deleted"])
    #expect(rows.map { $0["events"] as? Int } == [1, 1])
    #expect(rows.last?["note"] as? String == "delete --where: request 17")
    let verified = try varve("verify", "--chain")
    #expect(verified.status == 0, "\(verified.errors)")
    #expect(
      verified.text.contains("Removed on purpose: 2 events in 2 removals"), "\(verified.text)")
  }

  // MARK: Repair

  @Test func `an intact store needs no repair`() throws {
    let varve = try threeDays()
    let result = try varve("repair")
    #expect(result.status == 0 && result.text == "Nothing to repair: 3 segments intact.\n")
  }

  @Test func `repair says first, then saves what is whole and keeps the rest aside`() throws {
    let varve = try VarveProcess()
    // Two row groups in one segment: 65,536 events and some more.
    let lines = (0..<65_600).map { "{\"time\":\(1_773_316_800_000 + $0),\"n\":\($0)}\n" }.joined()
    #expect(try varve("ingest", "-q", "-g", "big", "-", input: lines).status == 0)
    let segments = try varve.segments()
    #expect(segments.count == 1)
    let rowGroups = try object(try varve("inspect").lines[0])["rowGroups"] as? Int
    #expect(rowGroups == 2)
    try varve.damageSegment(number: 0, byte: 65)
    let before = try Data(contentsOf: segments[0])
    let rehearsal = try varve("repair", "-o", "json")
    #expect(rehearsal.status == 3)
    let said = try object(rehearsal.text)
    #expect(said["savedEvents"] as? Int == 64 && said["lostEvents"] as? Int == 65_536)
    #expect(try Data(contentsOf: segments[0]) == before)
    let done = try varve("repair", "--yes")
    #expect(done.status == 0, "\(done.errors)")
    #expect(done.text.contains("64 events saved, 65,536 events lost"), "\(done.text)")
    #expect(
      done.text.contains("Lost: 65,536 events of big from 2026-03-12 12:00:00.000"), "\(done.text)")
    #expect(try varve("verify").status == 0)
    #expect(try varve("export", "big").lines.first == "{\"time\":1773316865536,\"n\":65536}")
    let kept = varve.store + "/damaged/" + segments[0].lastPathComponent
    #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == before)
    let audit = try object(try varve("audit").lines[0])
    #expect(audit["reason"] as? String == "repaired" && audit["events"] as? Int == 65_536)
    #expect(try varve("repair").text.hasPrefix("Nothing to repair"))
  }

  @Test func `a missing segment and one without its directory are given up by name`() throws {
    let varve = try threeDays()
    let segments = try varve.segments()
    try FileManager.default.removeItem(at: segments[0])
    let bytes = try Data(contentsOf: segments[1])
    try bytes.prefix(bytes.count / 2).write(to: segments[1])
    let done = try varve("repair", "--yes")
    #expect(done.text.contains("0 events saved, 2 events lost"), "\(done.text)\(done.errors)")
    #expect(try varve("export", "days").lines.count == 1)
    #expect(try varve("verify").status == 0)
  }

  // MARK: Deletion of events

  @Test func `events that match go from view and from disk`() throws {
    let varve = try VarveProcess()
    _ = try varve("ingest", "-q", "-g", "api", VarveProcess.sample("api.ndjson"))
    let condition = "level = \"ERROR\" and @message like \"payment\""
    let count = try varve("query", "filter \(condition) | stats count(*) as n").lines
    let n = try #require(try object(count[0])["n"] as? Int)
    #expect(n > 0)
    let all = try varve("export", "api").lines
    let rehearsal = try varve("delete", "api", "--where", condition, "--dry-run")
    #expect(
      rehearsal.status == 0 && rehearsal.text.hasPrefix("Would delete \(n) event"),
      "\(rehearsal.text)\(rehearsal.errors)")
    #expect(try varve("export", "api").lines.count == all.count)
    #expect(try varve("delete", "api", "--where", condition).status == 2)
    let victims = Set(
      try varve("query", "filter \(condition) | display @message", "-o", "raw").lines)
    let done = try varve("delete", "api", "--where", condition, "--yes", "-o", "json")
    #expect(try object(done.text)["events"] as? Int == n, "\(done.errors)")
    #expect(try varve("export", "api").lines == all.filter { !victims.contains($0) })
    #expect(try varve("verify").status == 0)
    let again = try varve("delete", "api", "--where", condition, "--yes")
    #expect(again.status == 0 && again.text.hasPrefix("No event of api matches"))
  }

  @Test func `events past the retention and in a window are found too`() throws {
    let varve = try threeDays()
    _ = try varve("retention", "set", "days", "1")
    let narrow = try varve(
      "delete", "days", "--where", "n > 0", "--end", "2026-03-12", "--yes", "-o", "json")
    #expect(try object(narrow.text)["events"] as? Int == 1, "\(narrow.errors)")
    let rest = try varve("delete", "days", "--where", "n > 0", "--yes", "-o", "json")
    #expect(try object(rest.text)["removedSegments"] as? Int == 2, "\(rest.errors)")
    #expect(try varve.segments().isEmpty)
  }

  @Test func `a wrong condition is shown with carets and deletes nothing`() throws {
    let varve = try threeDays()
    let wrong = try varve("delete", "days", "--where", "n = = 3", "--yes")
    #expect(wrong.status == 1 && wrong.errors.contains("^"), "\(wrong.errors)")
    for condition in ["n > 0 | limit 1", "n > 0 # all"] {
      let result = try varve("delete", "days", "--where", condition, "--dry-run")
      let isComment = condition.contains("#")
      #expect(result.status == (isComment ? 0 : 2), "\(result.errors)")
    }
    #expect(try varve("delete", "days", "--dry-run").status == 2)
    #expect(try varve("export", "days").lines.count == 3)
  }

  @Test func `with a damaged part nothing is deleted`() throws {
    let varve = try threeDays()
    try varve.damageSegment(number: 0)
    let result = try varve("delete", "days", "--where", "n > 0", "--yes")
    let name = try varve.segments()[0].lastPathComponent
    #expect(result.status == 1 && result.errors.contains(name), "\(result.errors)")
    #expect(try varve("export", "days").lines.count == 2)
    #expect(try varve("audit").lines.isEmpty)
  }

  // MARK: Size limits

  @Test func `above a size limit the oldest go first`() throws {
    let varve = try threeDays()
    let sizes = try varve("inspect").lines.map { try #require(try object($0)["stored"] as? Int) }
    let limit = sizes[1] + sizes[2]
    #expect(try varve("retention", "set", "days", "--max-bytes", "\(limit)").status == 0)
    #expect(
      try varve("retention", "show", "-o", "csv").text
        == "group,retentionDays,maxBytes\r\ndays,never,\(limit)\r\n")
    let now = "2026-03-15T06:00:00Z"
    let rehearsal = try object(try varve("retain", "--dry-run", "--now", now, "-o", "json").text)
    let planned = try #require((rehearsal["surplus"] as? [[String: Any]])?.first)
    #expect(planned["events"] as? Int == 1 && planned["bytes"] as? Int == sizes[0])
    let done = try varve("retain", "--now", now)
    #expect(done.text.hasPrefix("Removed 1 event above the size limit of 1 group"), "\(done.text)")
    #expect(try varve("retain", "--now", now).text == "Nothing to do.\n")
    #expect(try varve("export", "days").lines.map { $0.contains("u12") } == [false, false])
    #expect(try object(try varve("audit").lines[0])["reason"] as? String == "surplus")
    _ = try varve("retention", "set", "days", "--max-bytes", "none")
    #expect(try varve("retention", "show", "-o", "csv").text.hasSuffix("days,never,\r\n"))
    #expect(try varve("retention", "set", "days").status == 2)
    #expect(try varve("retention", "set", "days", "--max-bytes", "0").status == 2)
  }

  @Test func `of a large segment only the oldest row groups go`() throws {
    let varve = try VarveProcess()
    let lines = (0..<131_072).map { "{\"time\":\(1_773_316_800_000 + $0),\"n\":\($0)}\n" }.joined()
    #expect(try varve("ingest", "-q", "-g", "big", "-", input: lines).status == 0)
    let size = try #require(try object(try varve("inspect").lines[0])["stored"] as? Int)
    _ = try varve("retention", "set", "big", "--max-bytes", "\(size - 1)")
    let now = "2026-03-12T13:00:00Z"
    #expect(try varve("retain", "--now", now).status == 0)
    let lines2 = try varve("export", "big").lines
    #expect(lines2.count == 65_536 && lines2.first?.hasSuffix("\"n\":65536}") == true)
    #expect(try varve("retain", "--now", now).text == "Nothing to do.\n")
    #expect(try varve("verify").status == 0)
  }
}
