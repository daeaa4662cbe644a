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
}
