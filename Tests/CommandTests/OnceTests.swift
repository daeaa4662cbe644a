import Foundation
import Testing

/// `ingest --once`: the same bytes never twice.
@Suite struct OnceTests {
  private func ingest(_ varve: VarveProcess, _ more: String...) throws -> VarveProcess.Result {
    try varve.run(["ingest", "-g", "g", "--once"] + more)
  }

  private func append(_ text: String, to path: String) throws {
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  @Test func `a file that grows is loaded once, line by line`() throws {
    let varve = try VarveProcess()
    let file = try varve.folder.write("app.log", "{\"n\":1}\n{\"n\":2}\n{\"n\"")
    let first = try ingest(varve, file)
    #expect(first.status == 0 && first.text.contains("2 events accepted"), "\(first.errors)")
    #expect(first.errors.contains("the last line (4 B) has no line end yet"), "\(first.errors)")
    let again = try ingest(varve, file)
    #expect(again.text.contains("0 events accepted"), "\(again.text)")
    #expect(again.errors.contains("16 B skipped, loaded before"), "\(again.errors)")
    try append(":3}\n{\"n\":4}\n", to: file)
    #expect(try ingest(varve, file).text.contains("2 events accepted"))
    // The same file under another name, as log rotation leaves it.
    try FileManager.default.moveItem(atPath: file, toPath: file + ".1")
    #expect(try ingest(varve, file + ".1").text.contains("0 events accepted"))
    try append("{\"n\":5}", to: file + ".1")
    #expect(try ingest(varve, file + ".1", "--final").text.contains("1 event accepted"))
    #expect(
      try varve("export", "g", "--order", "arrival").lines == (1...5).map { "{\"n\":\($0)}" })
    #expect(try varve("verify").status == 0)
  }

  @Test func `a file that was cut or written anew is read from its start, and that is said`() throws
  {
    let varve = try VarveProcess()
    let file = try varve.folder.write("app.log", "{\"n\":1}\n{\"n\":2}\n")
    _ = try ingest(varve, file)
    for (text, why) in [
      ("{\"n\":3}\n", "cut or replaced"), ("{\"n\":4}\n{\"n\":5}\n", "is not the file"),
    ] {
      let handle = try #require(FileHandle(forWritingAtPath: file))
      try handle.truncate(atOffset: 0)
      try handle.write(contentsOf: Data(text.utf8))
      try handle.close()
      let result = try ingest(varve, file)
      #expect(result.status == 0 && result.errors.contains(why), "\(result.errors)")
    }
    #expect(try varve("export", "g").lines.count == 5)
  }

  @Test func `archives are loaded as a whole, damaged ones not at all`() throws {
    let varve = try VarveProcess()
    let bash = URL(fileURLWithPath: "/bin/bash")
    let (whole, cut) = (varve.folder.path("api.gz"), varve.folder.path("cut.gz"))
    _ = try varve.run(
      ["-c", "gzip -c SampleLogs/api.ndjson > '\(whole)'; head -c 30000 '\(whole)' > '\(cut)'"],
      of: bash)
    #expect(try ingest(varve, whole).text.contains("1,438 events accepted"))
    #expect(try ingest(varve, whole).text.contains("0 events accepted"))
    #expect(try ingest(varve, cut).status == 1)
    #expect(try varve("export", "g").lines.count == 1_438)
  }

  @Test func `what cannot be known again is refused`() throws {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-g", "g", "--once", "-", input: "{}\n").status == 2)
    let file = try varve.folder.write("a", "{}\n")
    #expect(try ingest(varve, file, "--acknowledge").status == 2)
    #expect(try varve("ingest", "-g", "g", "--final", file).status == 2)
  }
}
