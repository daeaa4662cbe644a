import Foundation
import Testing

/// What was loaded comes back.
@Suite struct ExportTests {
  /// The file's lines ordered as `order by time, then arrival` leaves them, found by the query engine.
  private func sortedLines(_ varve: VarveProcess, group: String) throws -> Data {
    try varve("query", "fields @message | sort @timestamp asc", "-g", group, "-o", "raw").output
  }

  @Test(arguments: [
    "api.ndjson", "lambda.log", "stepfunctions.ndjson", "glue.ndjson", "vpcflow.log",
  ])
  func `a file comes back byte for byte in the order of its arrival`(_ name: String) throws {
    let varve = try VarveProcess()
    let file = VarveProcess.sample(name)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    #expect(try varve("ingest", "-q", "-g", "g", file).status == 0)
    let arrival = try varve("export", "g", "--ndjson", "--order", "arrival")
    #expect(arrival.status == 0, "\(arrival.errors)")
    #expect(arrival.output == bytes)
    let inTime = try varve("export", "g")
    let lines = { (data: Data) in data.split(separator: 0x0A, omittingEmptySubsequences: false) }
    #expect(inTime.output.count == bytes.count)
    #expect(
      lines(inTime.output).sorted { $0.lexicographicallyPrecedes($1) }
        == lines(bytes).sorted { $0.lexicographicallyPrecedes($1) })
    #expect(inTime.errors.hasPrefix("Exported "), "\(inTime.errors)")
  }

  @Test func `segments and merges change nothing about the order`() throws {
    let varve = try VarveProcess()
    let text = try String(contentsOfFile: VarveProcess.sample("api.ndjson"), encoding: .utf8)
    let lines = text.split(separator: "\n").map { $0 + "\n" }
    // Interleaved: each load overlaps all others in time.
    for start in 0..<5 {
      let part = stride(from: start, to: lines.count, by: 5).map { lines[$0] }.joined()
      #expect(try varve("ingest", "-q", "-g", "g", "-", input: part).status == 0)
    }
    let before = try varve("export", "g")
    #expect(before.output.count == text.utf8.count)
    #expect(before.output == (try sortedLines(varve, group: "g")))
    #expect(try varve("retain", "--now", "2026-04-01").status == 0)
    #expect(try varve("export", "g").output == before.output)
  }

  @Test func `odd texts come back too`() throws {
    let varve = try VarveProcess()
    var bytes = Data()
    for line in [
      "", " ", "{\"a\":1}\r", "{\"a\" : 1e400, \"a\":\"\\u0000\"}", "\u{FEFF}x", "{\"broken\":",
      "\t\"",
      String(repeating: "ä", count: 40_000),
    ] {
      bytes.append(Data(line.utf8))
      bytes.append(0x0A)
    }
    bytes.append(contentsOf: [0xFF, 0x00, 0xC3, 0x28, 0x0A])
    let file = try varve.folder.write("odd", bytes)
    #expect(try varve("ingest", "-q", "-g", "g", file, "--now", "2026-01-01").status == 0)
    #expect(try varve("export", "g").output == bytes)
    let wrapped = try varve("export", "g", "--log-events")
    #expect(wrapped.errors.contains("not valid UTF-8"), "\(wrapped.errors)")
  }

  @Test func `log events go to another store with their streams and times`() throws {
    let (one, other) = (try VarveProcess(), try VarveProcess())
    let event =
      #"{"logEvents":[{"timestamp":1767225600123,"message":"two\nlines"}],"logStream":"s1"}"#
    #expect(try one("ingest", "-q", "-g", "g", "-", input: event + "\n").status == 0)
    #expect(
      try one("ingest", "-q", "-g", "g", "-s", "s2", "-", input: "{\"time\":1767225600,\"n\":1}\n")
        .status == 0)
    #expect(try one("export", "g").errors.contains("goes over several lines"))
    let exported = try one("export", "g", "--log-events")
    #expect(exported.status == 0 && exported.lines.count == 2)
    _ = try other("ingest", "-q", "-g", "g", "-", input: exported.text)
    let query = "fields @timestamp, @logStream, @message | sort @timestamp"
    let (first, second) = (try one("query", query), try other("query", query))
    #expect(first.lines.count == 2)
    #expect(first.text == second.text)
  }

  @Test func `a window and a stream choose, an unknown name is told`() throws {
    let varve = try VarveProcess()
    for day in 12...14 {
      let line = "{\"time\":\"2026-03-\(day)T12:00:00Z\",\"n\":\(day)}\n"
      _ = try varve("ingest", "-q", "-g", "g", "-s", "s\(day)", "-", input: line)
    }
    #expect(
      try varve("export", "g", "--start", "2026-03-13", "--end", "2026-03-13").lines.count == 1)
    #expect(try varve("export", "g", "--stream", "s14").text.contains("\"n\":14"))
    #expect(try varve("export", "g", "--stream", "s1").errors.contains("did you mean 's12'"))
    let unknown = try varve("export", "gg")
    #expect(unknown.status == 1 && unknown.errors.contains("'g'"), "\(unknown.errors)")
  }

  @Test func `a damaged part is named and the rest comes with exit code 3`() throws {
    let varve = try VarveProcess()
    for day in 12...14 {
      let line = "{\"time\":\"2026-03-\(day)T12:00:00Z\",\"n\":\(day)}\n"
      _ = try varve("ingest", "-q", "-g", "g", "-", input: line)
    }
    try varve.damageSegment(number: 0)
    let result = try varve("export", "g")
    #expect(result.status == 3)
    #expect(result.lines.count == 2)
    #expect(result.errors.contains("1 events from 2026-03-12T12:00:00.000Z"), "\(result.errors)")
  }
}

extension VarveProcess {
  /// Paths of the segments, in order of their days.
  func segments() throws -> [URL] {
    let files = try #require(FileManager.default.enumerator(atPath: store + "/segments"))
    return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".seg") }.sorted()
      .map { URL(fileURLWithPath: "\(store)/segments/\($0)") }
  }

  /// Changes a byte in the first row group of a segment, which begins at byte 64 with the times of the events.
  func damageSegment(number: Int, byte: Int = 80) throws {
    let url = try segments()[number]
    var bytes = try Data(contentsOf: url)
    bytes[byte] ^= 1
    try bytes.write(to: url)
  }
}
