import Foundation
import Testing

/// Queries kept in the store.
@Suite struct SavedTests {
  private static let events = """
    {"time":"2026-03-14T10:00:00Z","id":1,"ms":50}
    {"time":"2026-03-14T10:00:01Z","id":2,"ms":150}
    {"time":"2026-03-14T10:00:02Z","id":3,"ms":250}

    """

  private static func filled() throws -> VarveProcess {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-q", "-g", "g", "-", input: events).status == 0)
    return varve
  }

  @Test func `a saved query is put, called, listed, shown and deleted`() throws {
    let varve = try Self.filled()
    let text = "filter ms > {{least}} # slow ones"
    let put = try varve("saved", "put", "slow", text, "--default", "least=100")
    #expect(put.status == 0, "\(put.errors)")
    #expect(put.errors == "Kept slow: call it as $slow(least = 100).\n")
    let expected = [#"{"id":2}"#, #"{"id":3}"#]
    let query = "$slow() | sort id asc | fields id"
    #expect(try varve("query", query).lines == expected)
    #expect(try varve("repl", input: query + ";\n").lines == expected)
    #expect(
      try varve("query", "$slow(least = 200) | fields id", "-", input: Self.events).lines
        == [#"{"id":3}"#])
    #expect(
      try varve("saved", "list").lines == [
        #"{"name":"slow","parameters":"least = 100","query":"filter ms > {{least}} # slow ones"}"#
      ])
    #expect(
      try varve("saved", "show", "slow").lines == ["default least = 100", text])
    #expect(try varve("verify").status == 0)
    let wrong = try varve("saved", "delete", "slwo")
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("did you mean 'slow'?"), "\(wrong.errors)")
    #expect(try varve("saved", "show", "slwo").status == 1)
    #expect(try varve("saved", "put", "-q", "slow", "limit 1").status == 0)
    #expect(try varve("query", "$slow()").lines.count == 1)
    #expect(try varve("saved", "delete", "slow").errors == "Deleted the saved query slow.\n")
    #expect(
      try varve("query", "$slow()").errors.contains("1:2: error: no saved query 'slow' [E407"))
    #expect(try varve("saved", "list").output.isEmpty)
  }

  @Test func `names may hold blanks, slashes and letters of any language`() throws {
    let varve = try Self.filled()
    for name in ["Team A/langsam ü", "a.b", "100%", "日本"] {
      let put = try varve("saved", "put", name, "limit 1")
      #expect(put.status == 0, "\(put.errors)")
      #expect(try varve("query", "$`\(name)`()").lines.count == 1, "\(name)")
    }
    #expect(try varve("saved", "list").lines.count == 4)
    let long = String(repeating: "ü", count: 40)
    #expect(try varve("saved", "put", long, "limit 1").status == 0)
    #expect(try varve("query", "$\(long)()").lines.count == 1)
  }

  @Test(arguments: ["", " a", "a ", "a`b", "a\nb", String(repeating: "ü", count: 41)])
  func `a name that is none is refused`(name: String) throws {
    let varve = try VarveProcess()
    let put = try varve("saved", "put", name, "limit 1")
    #expect(put.status == 1)
    #expect(put.errors.contains("cannot name a saved query"), "\(put.errors)")
    #expect(!FileManager.default.fileExists(atPath: varve.store))
  }

  @Test(arguments: [
    ("limt 3", "1:1: error: unknown command 'limt' [E106"),
    ("filter ms > {{least}} | limt 3", "1:25: error: unknown command 'limt' [E106"),
    ("fields id\n| filter nosuch({{a}}) = 1", "2:10: error: unknown function 'nosuch'"),
    ("fields id {{n}}", "1:11: error: no value can stand here in place of '{{n}}'"),
    ("fields a as {{n}}", "1:13: error: no value can stand here"),
    ("stats count(*) by bin({{n}}m)", "1:23: error: the placeholder '{{n}}' is part of a name"),
    ("fields `a{{n}}`", "1:10: error: the placeholder '{{n}}' is part of a name"),
    ("limit 1 | $other()", "1:11: error: the saved query calls another one, 'other' [E224"),
    ("filter a like \"{{x}}", "1:15: error: "),
    ("", "1:1: error: the query is empty"),
    // A name that no call could write.
    ("filter a = {{1a}}", "1:12: error: expected"),
    (
      "filter a in [" + (1...21).map { "{{p\($0)}}" }.joined(separator: ",") + "]",
      "error: at most 20 parameters are possible, found 21 [E121"
    ),
    ("default a = 1", "error: unknown command 'default'"),
  ])
  func `a query that no call could use is refused with its place`(
    text: String, message: String
  ) throws {
    let varve = try VarveProcess()
    let put = try varve("saved", "put", "q", text)
    #expect(put.status == 1)
    #expect(put.errors.contains(message), "\(put.errors)")
    #expect(!FileManager.default.fileExists(atPath: varve.store))
  }

  @Test(arguments: [
    "limit {{n}}", "stats count(*) by bin({{p}})", "filter a in {{list}}",
    "filter a like {{text}} and b > {{n}}", "filter datefloor(@timestamp, {{p}}) = {{t}}",
    "parse @message \"user={{user}} ip=*\" as ip", "parse @message /user={{user}} (?<ip>\\S+)/",
    "filter a / {{n}} > 2 and b / 2 < 3", "fillmissing with {{n}} for count",
    "SOURCE {{group}} | limit 1", "filter isIpInSubnet(ip, {{net}})",
    "fields formatDate(@timestamp, {{form}}) as d", "autoregress bytes p = {{lag}}",
    "fields parseDate(a, {{form}}) as d", "fields round(ms, {{digits}}) as r",
  ])
  func `a placeholder may stand wherever a value may`(text: String) throws {
    let put = try VarveProcess()("saved", "put", "q", text)
    #expect(put.status == 0, "\(put.errors)")
  }

  @Test func `defaults are literals, or texts`() throws {
    let varve = try Self.filled()
    let put = try varve(
      "saved", "put", "q", "fields {{a}} as a, {{b}} as b, {{c}} as c, {{d}} as d | limit 1",
      "--default", "a=1.50", "--default", "b=x | limit 0", "--default", "c=\"two\\nlines\"",
      "--default", "d=")
    #expect(put.status == 0, "\(put.errors)")
    #expect(
      try varve("saved", "show", "q").lines.prefix(4) == [
        "default a = 1.50", "default b = \"x | limit 0\"", "default c = \"two\\nlines\"",
        "default d = \"\"",
      ])
    #expect(
      try varve("query", "$q()").lines == [
        #"{"a":1.5,"b":"x | limit 0","c":"two\nlines","d":""}"#
      ])
    let unknown = try varve("saved", "put", "q", "filter a > {{least}}", "--default", "leest=1")
    #expect(unknown.status == 2)
    #expect(unknown.errors.contains("did you mean 'least'?"), "\(unknown.errors)")
    let twice = try varve(
      "saved", "put", "q", "filter a > {{n}}", "--default", "n=1", "--default", "n=2")
    #expect(twice.status == 2)
    #expect(try varve("saved", "put", "q", "limit 1", "--default", "n").status == 2)
    #expect(try varve("saved", "put", "q").status == 2)
    #expect(try varve("saved", "put", "q", "-f", "-", input: "limit 1\n").status == 0)
    #expect(try varve("query", "$q()").lines.count == 1)
  }

  @Test func `mistakes inside a saved query name it, and its text is never run in part`() throws {
    let varve = try Self.filled()
    #expect(try varve("saved", "put", "-q", "top", "sort ms desc | limit {{n}}").status == 0)
    let result = try varve("query", "fields id | $top(n = 0)")
    #expect(result.status == 1)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("1:13: error: limit must be"), "\(result.errors)")
    #expect(result.errors.contains("the saved query 'top': sort ms desc | limit 0"))
    let json = try varve("query", "$top()", "--output", "json")
    #expect(json.errors.contains(#""code":"E220""#), "\(json.errors)")
  }

  @Test func `what a run finds out is shown where it stands`() throws {
    let varve = try Self.filled()
    #expect(try varve("saved", "put", "-q", "slow", "filter mss > {{least}}").status == 0)
    let inside = try varve("query", "fields id | $slow(least = 1)").errors
    #expect(inside.contains("1:13: hint: no event in this window has 'mss'"), "\(inside)")
    #expect(inside.contains("the saved query 'slow': filter mss > 1"), "\(inside)")
    #expect(try varve("saved", "put", "-q", "some", "limit 2").status == 0)
    let behind = try varve("query", "$some() | filter mss > 1").errors
    #expect(behind.contains("1:18: hint: no event in this window has 'mss'"), "\(behind)")
    #expect(!behind.contains("saved query"), "\(behind)")
  }

  @Test func `a damaged saved query is said`() throws {
    let varve = try Self.filled()
    #expect(try varve("saved", "put", "-q", "one", "limit 1").status == 0)
    let path = varve.store + "/saved/one.query"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try (text.dropLast() + "3").write(toFile: path, atomically: true, encoding: .utf8)
    let result = try varve("query", "$one()")
    #expect(result.status == 1)
    #expect(result.errors.contains("E407") && result.errors.contains("is damaged"))
    #expect(try varve("verify").errors.contains("the saved query is damaged"))
  }
}
