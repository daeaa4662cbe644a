import Foundation
import Testing

/// What scripts rely on when they ask.
@Suite struct QueryCommandTests {
  private static let three = """
    {"time":"2026-03-14T10:00:00Z","level":"INFO","ms":12.50,"note":"a,b"}
    {"time":"2026-03-14T10:00:01Z","level":"ERROR","ms":7,"note":"say \\"hi\\""}
    {"time":"2026-03-14T10:00:02Z","level":"INFO"}

    """

  private func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func `a query reads standard input with no store at all`() throws {
    let varve = try VarveProcess()
    let result = try varve(
      "query", "stats count(*) as n by level | sort n desc", "-", input: Self.three)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.lines == [#"{"level":"INFO","n":2}"#, #"{"level":"ERROR","n":1}"#])
    #expect(!FileManager.default.fileExists(atPath: varve.store))
  }

  @Test func `a store and its file give the same answer`() throws {
    let varve = try VarveProcess()
    let path = VarveProcess.sample("api.ndjson")
    #expect(try varve("ingest", "-q", "-g", "api", "--now", "2026-03-15", path).status == 0)
    let query = "stats count(*) as n, avg(durationMs) as ms by service, level | sort n desc, ms"
    let stored = try varve("query", query)
    let direct = try varve("query", query, path, "--now", "2026-03-15")
    #expect(stored.status == 0, "\(stored.errors)")
    #expect(stored.output == direct.output)
    #expect(stored.lines.count > 5)
  }

  @Test func `numbers keep their text and absent fields are left out`() throws {
    let result = try VarveProcess()(
      "query", "fields @timestamp, ms, note | sort @timestamp asc", "-", input: Self.three)
    #expect(
      result.lines == [
        #"{"@timestamp":"2026-03-14 10:00:00.000","ms":12.50,"note":"a,b"}"#,
        #"{"@timestamp":"2026-03-14 10:00:01.000","ms":7,"note":"say \"hi\""}"#,
        #"{"@timestamp":"2026-03-14 10:00:02.000"}"#,
      ])
  }

  @Test func `a field that no event has is told with the one that was probably meant`() throws {
    let varve = try VarveProcess()
    let file = VarveProcess.sample("api.ndjson")
    let direct = try varve("query", "filter LEVEL = \"ERROR\" | stats count(*) as n", file)
    #expect(direct.lines == [#"{"n":0}"#])
    #expect(
      direct.errors.contains("no event in this window has 'LEVEL'; 99 % have 'level'"),
      "\(direct.errors)")
    #expect(direct.errors.contains("1:8: hint") && direct.errors.contains("H3"))
    #expect(try varve("ingest", "-q", "-g", "api", "--now", "2026-03-15", file).status == 0)
    let stored = try varve("query", "stats avg(durationMS) as ms", "--output", "json")
    let warnings = try #require(try object(stored.text)["warnings"] as? [[String: Any]])
    #expect(warnings.map { $0["code"] as? String } == ["H3"], "\(stored.text)")
    #expect(stored.text.contains("have 'durationMs'"), "\(stored.text)")
    // The last part of a longer name, and a word that lacks its quotes.
    for (query, wanted) in [
      ("filter status >= 500", "have 'http.status'"),
      ("filter level = ERROR", "a text stands in quotes: 'ERROR'"),
      ("filter level in [\"INFO\", WARN]", "a text stands in quotes: 'WARN'"),
    ] {
      let errors = try varve("query", query).errors
      #expect(errors.contains("H3") && errors.contains(wanted), "\(query): \(errors)")
    }
    // A field that some event has, a name like no other, and no events at all: nothing is said.
    for query in ["fields user.id | limit 1", "fields quite.another | limit 1"] {
      #expect(try !varve("query", query).errors.contains("H3"), "\(query)")
    }
    let nothing = try varve("query", "fields LEVEL", "--start", "2020-01-01", "--end", "2020-01-02")
    #expect(!nothing.errors.contains("H3"), "\(nothing.errors)")
    // A field that is null wherever it stands is not meant instead of itself.
    let null = try varve("query", "filter a = 1", "-", input: "{\"a\":null}\n")
    #expect(!null.errors.contains("H3"), "\(null.errors)")
  }

  @Test func `the share of the other field is counted over the window, null as missing`() throws {
    let events = (0..<4).map {
      #"{"time":"2026-03-14T10:00:0\#($0)Z","statusCode":\#($0 == 3 ? "null" : "200")}"# + "\n"
    }.joined()
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-q", "-g", "api", "-", input: events).status == 0)
    let all = try varve("query", "fields statuscode")
    #expect(all.errors.contains("has 'statuscode'; 75 % have 'statusCode'"), "\(all.errors)")
    let part = try varve("query", "fields statuscode", "--end", "2026-03-14T10:00:02Z")
    #expect(part.errors.contains("has 'statuscode'; all have 'statusCode'"), "\(part.errors)")
    // A text event is looked into.
    let text = "REPORT RequestId: 7 Duration: 1 ms"
    #expect(try varve("ingest", "-q", "-g", "api", "-", input: text + "\n").status == 0)
    let mixed = try varve("query", "fields statuscode")
    #expect(mixed.errors.contains("60 % have 'statusCode'"), "\(mixed.errors)")
  }

  @Test func `the window has both its ends`() throws {
    let varve = try VarveProcess()
    let result = try varve(
      "query", "stats count(*) as n", "-", "--start", "2026-03-14T10:00:00Z", "--end",
      "2026-03-14T10:00:01Z", input: Self.three)
    #expect(result.lines == [#"{"n":2}"#])
    let since = try varve(
      "query", "stats count(*) as n", "-", "--since", "1s", "--now", "2026-03-14T10:00:02Z",
      input: Self.three)
    #expect(since.lines == [#"{"n":2}"#])
  }

  @Test func `json carries rows, statistics and warnings`() throws {
    let result = try VarveProcess()(
      "query", "fields level | sort @timestamp asc", "-", "-o", "json", input: Self.three)
    let answer = try object(result.text)
    #expect(answer["columns"] as? [String] == ["level"])
    #expect((answer["rows"] as? [[String: Any]])?.count == 3)
    let statistics = try #require(answer["statistics"] as? [String: Any])
    #expect(statistics["recordsScanned"] as? Int == 3)
    #expect(answer["warnings"] is [Any])
  }

  @Test func `statistics are one line of JSON for programs`() throws {
    let result = try VarveProcess()(
      "query", "filter level = \"ERROR\" | stats count(*)", "-", "--statistics", input: Self.three)
    let statistics = try object(result.errors)
    #expect(statistics["recordsScanned"] as? Int == 3)
    #expect(statistics["recordsMatched"] as? Int == 1)
    for key in ["bytesScanned", "peakMemoryBytes", "elapsedMilliseconds", "rowGroupsRead"] {
      #expect(statistics[key] is NSNumber, "\(key)")
    }
  }

  @Test(arguments: [
    "api.ndjson", "lambda.log", "vpcflow.log", "glue.ndjson", "stepfunctions.ndjson",
  ])
  func `raw gives back every line of a sample, byte for byte`(name: String) throws {
    let varve = try VarveProcess()
    let path = VarveProcess.sample(name)
    let query = "fields @message | sort @timestamp asc"
    let expected = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").sorted()
    #expect(try varve("ingest", "-q", "-g", "g", path).status == 0)
    for arguments in [["query", query], ["query", query, path]] {
      let result = try varve.run(arguments + ["--output", "raw"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.split(separator: "\n").sorted() == expected)
    }
  }

  @Test func `a query with three mistakes shows all three`() throws {
    let result = try VarveProcess()(
      "query", "fields level | filtr ms > 1 | sort | limt 5", "-", input: Self.three)
    #expect(result.status == 1)
    #expect(result.output.isEmpty)
    #expect(result.errors.components(separatedBy: " error: ").count == 4, "\(result.errors)")
    #expect(result.errors.contains("did you mean 'limit'?"))
    #expect(result.errors.contains("^"))
  }

  @Test func `what a store cannot know is refused by name`() throws {
    let query = "SOURCE logGroups(accountIdentifiers: ['123456789012']) | fields a"
    let result = try VarveProcess()("query", query, "-", input: Self.three)
    #expect(result.status == 1)
    #expect(result.errors.contains("log groups here belong to no account"), "\(result.errors)")
  }

  @Test func `files belong to no log group`() throws {
    let result = try VarveProcess()(
      "query", "SOURCE \"g\" | stats count(*)", "-", input: Self.three)
    #expect(result.status == 1)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("files are read here"), "\(result.errors)")
  }

  @Test func `a query can come from a file`() throws {
    let varve = try VarveProcess()
    let path = try varve.folder.write("q.insights", "# how many\nstats count(*) as n\n")
    #expect(try varve("query", "-f", path, "-", input: Self.three).lines == [#"{"n":3}"#])
    let missing = try varve("query", "-f", varve.folder.path("none"), "-")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("cannot read the query"))
  }

  @Test func `explain runs nothing`() throws {
    let result = try VarveProcess()(
      "query", "filter level = \"ERROR\" | stats count(*)", "--explain",
      VarveProcess.sample("api.ndjson"))
    #expect(result.status == 0, "\(result.errors)")
    #expect(!result.text.isEmpty)
    #expect(!result.text.contains("{\"count(*)\""))
  }

  @Test func `time that is up ends with 124`() throws {
    let varve = try VarveProcess()
    let line = "{\"time\":\"2026-03-14T10:00:00Z\",\"level\":\"INFO\",\"n\":1}\n"
    let path = try varve.folder.write("many", String(repeating: line, count: 200_000))
    let result = try varve("query", "stats count(*) by @message, n", path, "--timeout", "1ms")
    #expect(result.status == 124, "\(result.errors)")
    #expect(result.errors.contains("time"))
  }

  @Test func `a closed pipe ends in silence`() throws {
    let varve = try VarveProcess()
    let path = VarveProcess.sample("api.ndjson")
    let script = "'\(VarveProcess.executable.path)' query 'fields @message' '\(path)' | head -n 1"
    let result = try varve.run(["-c", script], of: URL(fileURLWithPath: "/bin/bash"))
    #expect(result.lines.count == 1)
    #expect(!result.errors.contains("error"), "\(result.errors)")
  }

  @Test func `a damaged segment leaves a named gap and ends with 3`() throws {
    let varve = try VarveProcess()
    let lines = (12...14).map { "{\"time\":\"2026-03-\($0)T12:00:00Z\",\"n\":\($0)}\n" }
    #expect(try varve("ingest", "-q", "-g", "days", "-", input: lines.joined()).status == 0)
    let files = try #require(FileManager.default.enumerator(atPath: varve.store))
    let segment = try #require(files.compactMap { $0 as? String }.first { $0.hasSuffix(".seg") })
    let url = URL(fileURLWithPath: varve.store + "/" + segment)
    try Data(repeating: 0, count: try Data(contentsOf: url).count).write(to: url)
    let result = try varve("query", "stats count(*) as n")
    #expect(result.status == 3, "\(result.errors)")
    #expect(result.lines == [#"{"n":2}"#])
    #expect(result.errors.contains("days"), "\(result.errors)")
  }

  @Test func `a piped shell is a warm engine that survives bad queries`() throws {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-q", "-g", "g", "-", input: Self.three).status == 0)
    let result = try varve(
      "repl", "--group", "g", "--output", "ndjson", "--statistics",
      input: """
        stats count(*) as n;
        fields level
        | limt 1;
        filter note = "a;b"
        | stats count(*) as n ;
        stats sum(ms) as m
        """)
    #expect(result.status == 1)
    #expect(result.lines == [#"{"n":3}"#, #"{"n":0}"#, #"{"m":19.5}"#])
    let statements = result.errors.split(separator: "\n").filter { $0.hasPrefix("{") }.map(
      String.init)
    let parsed = try statements.map(object)
    #expect(parsed.count == 4)
    #expect(parsed.map { $0["error"] as? Bool ?? false } == [false, true, false, false])
    #expect(parsed.allSatisfy { $0["elapsedMilliseconds"] is NSNumber })
    #expect(result.errors.contains("did you mean 'limit'?"))
    #expect(!result.errors.contains("queries end with ';'"))
  }

  @Test func `a piped shell says how queries end, and helps`() throws {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-q", "-g", "g", "-", input: Self.three).status == 0)
    let joined = try varve("repl", input: "stats count(*) as n\n  stats sum(ms) as m\n")
    #expect(joined.status == 1 && joined.lines.isEmpty)
    #expect(joined.errors.contains("2:3: error: expected"), "\(joined.errors)")
    #expect(joined.errors.contains("note: queries end with ';' at the end of a line"))
    // A mistake inside a line is no other query.
    let wrong = try varve("repl", input: "stats count(*) as n\n| limit 1 2;\n")
    #expect(wrong.status == 1 && !wrong.errors.contains("queries end with"), "\(wrong.errors)")
    for help in ["help;\n", "help", " HELP ;\n"] {
      let result = try varve("repl", input: help)
      #expect(result.status == 0 && result.text.contains(".groups "), "\(result.errors)")
    }
    let page = try varve("repl", "-o", "ndjson", input: "help stats;\nstats count(*) as n;\n")
    #expect(page.status == 0 && page.lines.last == #"{"n":3}"#)
    #expect(page.text.contains("Examples:"), "\(page.text)")
  }

  @Test func `Ctrl-C ends a query that waits for input which does not come`() throws {
    let varve = try VarveProcess()
    let process = Process()
    let (input, output, error) = (Pipe(), Pipe(), Pipe())
    process.executableURL = VarveProcess.executable
    process.arguments = ["query", "stats count(*)", "-"]
    process.environment = ["HOME": varve.folder.path("home")]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = error
    try process.run()
    // From here on it takes the interrupt as its own.
    let catchesInterrupt = try Regex("SigCgt:\\s*[0-9a-f]*[2367abef]\n")
    let status = "/proc/\(process.processIdentifier)/status"
    while try !String(contentsOfFile: status, encoding: .utf8).contains(catchesInterrupt) {
      usleep(1_000)
    }
    let start = ContinuousClock.now
    process.interrupt()
    process.waitUntilExit()
    #expect(start.duration(to: .now) < .seconds(2))
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let said = String(decoding: error.fileHandleForReading.availableData, as: UTF8.self)
    #expect(said == "varve: error: the query was cancelled\n")
    withExtendedLifetime(input) {}
  }
}
