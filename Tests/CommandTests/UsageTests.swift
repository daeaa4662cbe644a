import Foundation
import Testing

/// What happens when the command line, or the world around it, is wrong.
@Suite struct UsageTests {
  @Test func `the version is one line`() throws {
    let result = try VarveProcess()("--version")
    #expect(result.status == 0)
    #expect(result.lines.count == 1)
    #expect(result.text.hasPrefix("varve "))
  }

  private static let wrong: [(arguments: [String], says: String)] = [
    (["frobnicate"], "there is no command 'frobnicate'"),
    (["qury"], "did you mean 'query'?"),
    (["fields x | limit 1"], "varve query 'fields x | limit 1'"),
    (["query"], "no query is given"),
    (["query", "fields x", "--frob"], "unknown option '--frob'"),
    (["query", "fields x", "--output", "xml"], "table"),
    (["query", "fields x", "--since", "soon"], "--since 'soon' is no length of time"),
    (["query", "fields x", "--start", "soon"], "--start 'soon' is no time"),
    (["query", "fields x", "--since", "3h", "--start", "3h"], "--since cannot stand beside"),
    (["query", "fields x", "--start", "1h", "--end", "2h"], "lies after"),
    (["query", "fields x", "--group", "g", "file"], "--group names log groups of a store"),
    (["query", "fields x", "--memory", "much"], "--memory 'much' is no size"),
    (["query", "fields x", "--timeout", "5"], "--timeout '5' is no length of time"),
    (["query", "fields x", "--now", "then"], "--now 'then' is no time"),
    (["query", "fields x", "--tz", "Middle/Earth"], "Middle/Earth"),
    (["retention", "set", "g", "many"], "'many' is no number of days"),
  ]

  @Test(arguments: wrong)
  func `wrong usage ends with 2 and says what to do`(
    arguments: [String], says: String
  ) throws {
    let result = try VarveProcess().run(arguments)
    #expect(result.status == 2)
    #expect(result.output.isEmpty)
    #expect(result.errors.hasPrefix("varve: error: "), "\(result.errors)")
    #expect(result.errors.contains(says), "\(result.errors)")
  }

  private static let commands = [
    ["query", "fields @message"], ["groups"], ["streams", "g"], ["fields", "g"], ["repl"],
    ["retention", "show"], ["retention", "set", "g", "3"], ["delete", "g", "--yes"],
  ]

  @Test(arguments: commands)
  func `a store that is not there is named, with the way to one`(arguments: [String]) throws {
    let varve = try VarveProcess()
    let result = try varve.run(arguments)
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("varve: error: \(varve.store)"), "\(result.errors)")
    #expect(result.errors.contains("--store"))
  }

  @Test func `errors are JSON when the output is`() throws {
    let result = try VarveProcess()("query", "fields @message", "--output", "json")
    #expect(result.status == 1)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.errors.utf8)) as? [String: Any])
    #expect(object["error"] as? Bool == true)
    #expect(object["code"] as? String == "no-store")
    #expect((object["message"] as? String)?.contains("no store") == true)
  }

  @Test func `help is an answer, not an error`() throws {
    for arguments in [["--help"], ["query", "--help"], ["help", "query"]] {
      let result = try VarveProcess().run(arguments)
      #expect(result.status == 0)
      #expect(result.errors.isEmpty)
      #expect(result.text.contains("USAGE: varve"))
    }
  }
}
