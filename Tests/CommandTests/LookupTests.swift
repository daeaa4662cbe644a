import Foundation
import Testing

/// Tables that come from files.
@Suite struct LookupTests {
  private static let events = """
    {"time":"2026-03-14T10:00:00Z","id":1,"ip":"10.1.2.3"}
    {"time":"2026-03-14T10:00:01Z","id":2,"ip":"10.9.9.9"}

    """

  @Test func `a query takes tables from files`() throws {
    let varve = try VarveProcess()
    let users = try varve.folder.write("users.csv", "\u{FEFF}id,name\r\n1,\"Ann, A\"\r\n")
    let nets = try varve.folder.write("nets.csv", "net,zone\n10.0.0.0/8,in\n10.1.0.0/16,office\n")
    let result = try varve(
      "query",
      "lookup users id OUTPUT name | cidrlookup nets ip OUTPUT zone"
        + " | sort @timestamp asc | fields id, name, zone", "-", "--lookup", "users=\(users)",
      "--lookup", "nets=\(nets)", input: Self.events)
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.lines == [
        #"{"id":1,"name":"Ann, A","zone":"office"}"#, #"{"id":2,"zone":"in"}"#,
      ])
  }

  @Test(arguments: [
    ("a,b\n1,2\n3\n", "line 3: 1 cell where the header has 2"),
    ("a,b,a\n", "line 1: column 'a' is there twice"),
    ("a,\n1,2\n", "line 1: a column has no name"),
    ("a\n\"x\ny\"\n\"z\n", "line 4: the quote that opens here is never closed"),
    ("a\nx\"y\n", "line 2: a quote inside a cell"),
    ("a\n\"x\"y\n", "line 2: something stands between"),
    ("a\rb\r", "line 1: a carriage return without a line feed"),
    ("", "the table is empty"),
  ])
  func `a file that is no table is refused with its line`(text: String, message: String) throws {
    let varve = try VarveProcess()
    let file = try varve.folder.write("t.csv", text)
    let result = try varve(
      "query", "lookup t a OUTPUT a", "-", "--lookup", "t=\(file)", input: Self.events)
    #expect(result.status == 1)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test func `bytes that are not UTF-8 are refused with their line`() throws {
    let varve = try VarveProcess()
    let file = try varve.folder.write("t.csv", Data([0x61, 0x0A, 0x78, 0x0A, 0xFF, 0x0A]))
    let result = try varve("query", "limit 1", "-", "--lookup", "t=\(file)", input: Self.events)
    #expect(result.status == 1)
    #expect(result.errors.contains("line 3: not UTF-8"), "\(result.errors)")
  }

  @Test func `an unknown table is said with its place`() throws {
    let varve = try VarveProcess()
    let file = try varve.folder.write("t.csv", "a\n1\n")
    let result = try varve(
      "query", "lookup tabel a OUTPUT a", "-", "--lookup", "table=\(file)", input: Self.events)
    #expect(result.status == 1)
    #expect(result.errors.contains("1:8: error: no lookup table 'tabel' [E405"))
    #expect(result.errors.contains("did you mean 'table'?"), "\(result.errors)")
  }

  @Test func `a store keeps tables for queries and the shell`() throws {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-q", "-g", "g", "-", input: Self.events).status == 0)
    let users = try varve.folder.write("users.csv", "id,name\n1,Ann\n2,Bob\n")
    let put = try varve("lookup", "put", "users", users)
    #expect(put.status == 0, "\(put.errors)")
    #expect(put.errors == "Kept users: 2 rows of id, name.\n")
    let query = "lookup users id OUTPUT name | sort @timestamp asc | fields name"
    let expected = [#"{"name":"Ann"}"#, #"{"name":"Bob"}"#]
    #expect(try varve("query", query).lines == expected)
    #expect(try varve("repl", input: query + ";\n").lines == expected)
    #expect(
      try varve("lookup", "list").lines == [
        #"{"table":"users","rows":2,"bytes":20,"columns":"id, name"}"#
      ])
    // A table of the command line stands in front of one of the store.
    let other = try varve.folder.write("other.csv", "id,name\n1,Zoe\n")
    #expect(
      try varve("query", query, "--lookup", "users=\(other)").lines.first == #"{"name":"Zoe"}"#)
    #expect(try varve("lookup", "put", "-q", "users", other).status == 0)
    #expect(try varve("query", query).lines.first == #"{"name":"Zoe"}"#)
    #expect(try varve("verify").status == 0)
    let wrong = try varve("lookup", "delete", "user")
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("did you mean 'users'?"), "\(wrong.errors)")
    #expect(try varve("lookup", "delete", "users").status == 0)
    #expect(try varve("query", query).errors.contains("E405"))
  }

  @Test func `a table is kept up to 10 MiB, and 100 of them`() throws {
    let varve = try VarveProcess()
    let rows = String(repeating: "x\n", count: 5 << 20)
    let large = try varve.folder.write("large.csv", "a\n" + rows)
    let refused = try varve("lookup", "put", "large", large)
    #expect(refused.status == 1)
    #expect(refused.errors.contains("larger than 10 MB"), "\(refused.errors)")
    let small = try varve.folder.write("small.csv", "a\n1\n")
    #expect(try varve("lookup", "put", "t1", small).status == 0)
    let folder = varve.store + "/lookups/"
    for number in 2...100 {
      try FileManager.default.copyItem(atPath: folder + "t1.csv", toPath: "\(folder)t\(number).csv")
    }
    let last = try varve("lookup", "put", "one-more", small)
    #expect(last.status == 1)
    #expect(last.errors.contains("100 lookup tables"), "\(last.errors)")
    #expect(try varve("lookup", "put", "t50", small).status == 0)
  }

  @Test func `a damaged table is said, and a bad one is not kept`() throws {
    let varve = try VarveProcess()
    let bad = try varve.folder.write("bad.csv", "a,b\n1\n")
    #expect(try varve("lookup", "put", "t", bad).status == 1)
    #expect(!FileManager.default.fileExists(atPath: varve.store))
    let good = try varve.folder.write("good.csv", "a\n1\n")
    #expect(try varve("lookup", "put", "t/u", good).status == 1)
    #expect(!FileManager.default.fileExists(atPath: varve.store))
    #expect(try varve("lookup", "put", "t", good).status == 0)
    let path = varve.store + "/lookups/t.csv"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try (text.dropLast(2) + "2\n").write(toFile: path, atomically: true, encoding: .utf8)
    let result = try varve("query", "lookup t a OUTPUT a")
    #expect(result.status == 1)
    #expect(result.errors.contains("is damaged"), "\(result.errors)")
    let verified = try varve("verify")
    #expect(verified.status == 1)
    #expect(verified.errors.contains("the lookup table is damaged"), "\(verified.errors)")
  }
}
