import Foundation
import Testing

/// Life with a store: logs go in, are looked at, expire, are deleted.
@Suite struct StoreCommandTests {
  /// A store with one group of three days.
  private func threeDays() throws -> VarveProcess {
    let varve = try VarveProcess()
    let lines = (12...14).map {
      "{\"time\":\"2026-03-\($0)T12:00:00Z\",\"level\":\"INFO\",\"n\":\($0)}\n"
    }
    #expect(try varve("ingest", "-g", "days", "-", input: lines.joined()).status == 0)
    return varve
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func `the report of an ingestion counts what went in`() throws {
    let varve = try VarveProcess()
    let result = try varve(
      "ingest", "--group", "/orders/api", VarveProcess.sample("api.ndjson"), "--output", "json")
    #expect(result.status == 0)
    let report = try object(result.text)
    #expect(report["accepted"] as? Int == 1_438)
    #expect(report["rejected"] as? Int == 0)
    #expect(report["bytesRaw"] as? Int == 408_283 - 1_438)
    #expect(report["textEvents"] as? Int == 1)
    #expect(try #require(report["bytesStored"] as? Int) < 100_000)
    #expect(report["elapsedMilliseconds"] is NSNumber)
    let groups = try object(try varve("groups").lines[0])
    #expect(groups["group"] as? String == "/orders/api")
    #expect(groups["events"] as? Int == 1_438)
  }

  @Test func `compressed input and wrappers are recognised by what they hold`() throws {
    let varve = try VarveProcess()
    let gzip = varve.folder.path("api.gz")
    let packed = try varve.run(
      ["-c", "gzip -c SampleLogs/api.ndjson > '\(gzip)'"], of: URL(fileURLWithPath: "/bin/bash"))
    #expect(packed.status == 0)
    let zipped = try varve("ingest", "-g", "a", "-o", "json", gzip)
    #expect(try object(zipped.text)["accepted"] as? Int == 1_438)
    let trail = try varve("ingest", "-g", "b", "-o", "json", VarveProcess.sample("cloudtrail.json"))
    #expect(try object(trail.text)["accepted"] as? Int == 81)
  }

  @Test func `a damaged archive keeps what came before the damage and fails`() throws {
    let varve = try VarveProcess()
    let cut = varve.folder.path("cut.gz")
    _ = try varve.run(
      ["-c", "gzip -c SampleLogs/api.ndjson | head -c 30000 > '\(cut)'"],
      of: URL(fileURLWithPath: "/bin/bash"))
    let result = try varve("ingest", "-g", "g", "-o", "json", cut)
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("varve: error: \(cut)"), "\(result.errors)")
    let report = try object(result.text)
    #expect(try #require(report["accepted"] as? Int) > 100)
    #expect((report["faults"] as? [String])?.count == 1)
  }

  @Test func `a missing file or a folder stops before anything is loaded`() throws {
    let varve = try VarveProcess()
    let good = VarveProcess.sample("api.ndjson")
    for bad in [varve.folder.path("nowhere.log"), VarveProcess.repository.path] {
      let result = try varve("ingest", "-g", "g", good, bad)
      #expect(result.status == 1)
      #expect(result.errors.contains(bad), "\(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: varve.store))
  }

  @Test func `acknowledgements grow and end at the number of input events`() throws {
    let varve = try VarveProcess()
    let lines = (0..<500).map { "{\"n\":\($0)}\n" }.joined()
    let result = try varve("ingest", "-g", "g", "--acknowledge", "-", input: lines)
    #expect(result.status == 0)
    let counts = try result.lines.map { try #require(try object($0)["acknowledged"] as? Int) }
    #expect(counts == counts.sorted())
    #expect(counts.last == 500)
    #expect(result.errors.contains("500 events accepted"))
  }

  @Test func `a bad name of a group is refused with the character`() throws {
    let result = try VarveProcess()("ingest", "-g", "no spaces", "-", input: "{}\n")
    #expect(result.status == 1)
    #expect(result.errors.contains("' ' is not allowed"), "\(result.errors)")
  }

  @Test func `an unknown group is answered with the nearest names`() throws {
    let varve = try threeDays()
    for command in [["streams", "dayz"], ["fields", "dayz"], ["delete", "dayz", "--yes"]] {
      let result = try varve.run(command)
      #expect(result.status == 1)
      #expect(result.errors.contains("'days'"), "\(result.errors)")
    }
  }

  @Test func `fields tells type, share and bytes on disk`() throws {
    let varve = try threeDays()
    let lines = try varve("fields", "days").lines
    let known = [
      #"{"field":"time","type":"string","events":3,"share":1,"stored":"#,
      #"{"field":"level","type":"string","events":3,"share":1,"stored":"#,
      #"{"field":"n","type":"number","events":3,"share":1,"stored":"#,
    ]
    #expect(lines.count == known.count)
    for (line, start) in zip(lines, known) {
      let bytes = Int(line.dropFirst(start.count).dropLast()) ?? 0
      #expect(line.hasPrefix(start) && bytes > 0 && bytes < 200, "\(line)")
    }
  }

  @Test
  func `retention expires to the day, shows a rehearsal first, and a second run does nothing`()
    throws
  {
    let varve = try threeDays()
    #expect(try varve("retention", "set", "days", "2").status == 0)
    #expect(
      try varve("retention", "show", "-o", "csv").text
        == "group,retentionDays,maxBytes\r\ndays,2,\r\n")
    let now = "2026-03-15T06:00:00Z"
    let rehearsal = try varve("retain", "--dry-run", "--now", now, "-o", "json")
    #expect(try object(rehearsal.text)["expiredEvents"] as? Int == 1)
    #expect(try object(try varve("groups").lines[0])["events"] as? Int == 3)
    let first = try varve("retain", "--now", now)
    #expect(first.status == 0)
    #expect(first.text.hasPrefix("Expired 1 event in 1 segment of 1 group"), "\(first.text)")
    #expect(try varve("retain", "--now", now).text == "Nothing to do.\n")
    #expect(try object(try varve("groups").lines[0])["events"] as? Int == 2)
    #expect(try varve("verify").status == 0)
  }

  @Test func `verify names a damaged segment and fails`() throws {
    let varve = try threeDays()
    let intact = try varve("verify")
    #expect(intact.status == 0)
    #expect(intact.text.hasPrefix("Intact: 3 segments, 3 events"))
    let files = try #require(FileManager.default.enumerator(atPath: varve.store))
    let segment = try #require(files.compactMap { $0 as? String }.first { $0.hasSuffix(".seg") })
    let url = URL(fileURLWithPath: varve.store + "/" + segment)
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url)
    let result = try varve("verify")
    #expect(result.status == 1)
    #expect(result.text.hasPrefix("Damaged: "))
    #expect(result.errors.contains(segment), "\(result.errors)")
  }

  @Test func `inspect adds up to the chunks of a segment`() throws {
    let varve = try threeDays()
    let segments = try varve("inspect").lines.map(object)
    #expect(segments.count == 3)
    let id = try #require(segments[0]["segment"] as? String)
    let columns = try varve("inspect", String(id.prefix(8))).lines.map(object)
    #expect(columns.contains { $0["column"] as? String == "level" })
    #expect(columns.contains { $0["column"] as? String == "eventTime" })
    #expect(columns.allSatisfy { ($0["bytesPerValue"] as? Double ?? -1) >= 0 })
    let share = columns.reduce(0.0) { $0 + ($1["shareOfStore"] as? Double ?? 0) }
    #expect(share > 0 && share < 0.5)
    let each = try varve("inspect", String(id.prefix(8)), "--row-groups").lines.map(object)
    #expect(each.count == columns.count && each.allSatisfy { $0["rowGroup"] as? Int == 0 })
  }

  @Test func `inspect tells what has been written for a segment`() throws {
    let varve = try VarveProcess()
    for n in 0..<3 {
      let line = "{\"timestamp\":\(1_773_500_000_000 + n),\"n\":\(n)}\n"
      #expect(try varve("ingest", "-q", "-g", "g", "-", input: line).status == 0)
    }
    func numbers(_ name: String) throws -> [Int] {
      try varve("inspect").lines.map { try object($0)[name] as? Int ?? -1 }
    }
    let first = try numbers("stored")
    #expect(first.count == 3 && first.allSatisfy { $0 > 0 })
    #expect(try numbers("firstStored") == first && numbers("written") == first)
    #expect(try varve("retain", "--now", "2026-03-20").status == 0)
    let sum = first.reduce(0, +)
    #expect(try numbers("firstStored") == [sum])
    #expect(try numbers("written") == [sum + numbers("stored")[0]])
  }

  @Test func `what was rejected can be queried`() throws {
    let varve = try VarveProcess()
    let long = String(repeating: "x", count: 16 << 20 | 1)
    let result = try varve("ingest", "-g", "g", "-o", "json", "-", input: "{}\n\(long)\n{}\n")
    #expect(try object(result.text)["rejected"] as? Int == 1)
    _ = try varve("ingest", "-q", "-g", "other", "-", input: "{}\n")
    let query = "fields reason, line, bytes"
    let rows = try varve("query", query, "--rejected", "-g", "g").lines.map(object)
    #expect(rows.count == 1)
    #expect(rows.first?["reason"] as? String == "too-long" && rows.first?["line"] as? Int == 2)
    #expect(try varve("query", query, "--rejected", "-g", "other").text.isEmpty)
    #expect(try varve("query", query, "--rejected").lines.count == 1)
    #expect(try varve("query", query, "--rejected", "-g", "gg").status == 1)
    let path = varve.store + "/rejected/g.ndjson"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[20] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let damaged = try varve("query", query, "--rejected")
    #expect(damaged.status == 3 && damaged.text.isEmpty && damaged.errors.contains(path))
    #expect(try varve("verify").status != 0)
    #expect(try varve("repair", "--yes").status == 0)
    let left = try varve("query", "fields reason", "--rejected").lines.map(object)
    #expect(left.map { $0["reason"] as? String } == ["lost-records"])
  }

  @Test func `fields by bytes begin with what costs most`() throws {
    let varve = try VarveProcess()
    _ = try varve("ingest", "-q", "-g", "api", VarveProcess.sample("api.ndjson"))
    let rows = try varve("fields", "api", "--bytes").lines.map(object)
    let bytes = rows.compactMap { $0["stored"] as? Int }
    #expect(bytes.count > 10 && bytes == bytes.sorted(by: >))
    #expect(rows.allSatisfy { ($0["shareOfGroup"] as? Double ?? 2) <= 1 })
  }

  @Test func `deleting asks somebody, or wants to be told`() throws {
    let varve = try threeDays()
    let asked = try varve("delete", "days")
    #expect(asked.status == 2)
    #expect(asked.errors.contains("--yes"))
    #expect(try varve("groups").lines.count == 1)
    #expect(try varve("delete", "days", "--yes").status == 0)
    #expect(try varve("groups").lines.isEmpty)
  }

  @Test func `a stream can be deleted by itself`() throws {
    let varve = try VarveProcess()
    for stream in ["one", "two"] {
      _ = try varve("ingest", "-g", "g", "-s", stream, "-", input: "{\"a\":1}\n{\"a\":2}\n")
    }
    #expect(try varve("streams", "g").lines.count == 2)
    #expect(try varve("delete", "g", "--stream", "onee", "--yes").errors.contains("'one'"))
    #expect(try varve("delete", "g", "--stream", "one", "--yes").status == 0)
    #expect(try varve("streams", "g").lines.count == 1)
  }

  @Test func `two processes may make the same store at once`() async throws {
    let varve = try VarveProcess()
    let script = """
      for i in 1 2 3 4; do
        printf '{"n":%s}\\n' $i | '\(VarveProcess.executable.path)' ingest -q -g g - &
        pids="$pids $!"
      done
      for p in $pids; do wait $p || exit 1; done
      """
    let result = try varve.run(["-c", script], of: URL(fileURLWithPath: "/bin/bash"))
    #expect(result.status == 0, "\(result.errors)")
    #expect(try object(try varve("groups").lines[0])["events"] as? Int == 4)
    #expect(try varve("verify").status == 0)
  }
}
