import Foundation
import Testing

/// The reference pages are what the catalogue and the engine say today. `RECORD=1` writes them,
/// and fails where they differ, so that somebody reads the difference.
@Suite struct ReferencePageTests {
  @Test(arguments: ["commands", "functions", "codes"])
  func `a page of the reference is up to date`(name: String) throws {
    let varve = try VarveProcess()
    let page = try varve("help", "--markdown", name)
    #expect(page.status == 0, "\(page.errors)")
    var lines: [String] = []
    for line in page.lines(keepingEmpty: true) {
      lines.append(line)
      guard line.hasPrefix("$ ") else { continue }
      let printed = try varve.shell(String(line.dropFirst(2)))
      #expect(!printed.contains { $0.contains("error:") }, "\(line)\n\(printed)")
      lines += printed
    }
    let made = lines.joined(separator: "\n") + "\n"
    let path = VarveProcess.repository.appendingPathComponent("Documentation/reference/\(name).md")
      .path
    let kept = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    #expect(made == kept, "\(name).md differs; run RECORD=1 swift test --filter ReferencePage")
    if ProcessInfo.processInfo.environment["RECORD"] != nil {
      try made.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }

  @Test func `help explains commands, functions and codes`() throws {
    let varve = try VarveProcess()
    #expect(try varve("help").text.contains("help codes"))
    #expect(try varve("help", "stats").text.contains("by bin("))
    #expect(try varve("help", "pct").text.contains("pct(f, p) → number"))
    #expect(try varve("help", "e301").text.contains("E301"))
    #expect(try varve("help", "codes").text.contains("W105"))
    #expect(try varve("help", "retain").text.contains("USAGE: varve retain"))
  }

  @Test func `an unknown topic is wrong usage and tells the nearest`() throws {
    let result = try VarveProcess()("help", "stast")
    #expect(result.status == 2)
    #expect(result.errors.contains("did you mean 'stats'?"))
    #expect(result.text.isEmpty)
  }
}
