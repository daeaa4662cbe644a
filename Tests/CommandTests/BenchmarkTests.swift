import Foundation
import Testing

/// The benchmarks, small: they run, each run does the same, and every line has its figures.
struct BenchmarkTests {
  private static let executable = VarveProcess.executable.deletingLastPathComponent()
    .appendingPathComponent("benchmarks")

  private func lines(_ arguments: String...) throws -> [String] {
    let result = try VarveProcess().run(arguments, of: Self.executable)
    #expect(result.status == 0, "\(result.errors)")
    for line in result.lines {
      #expect(
        line.contains("rows/s") && line.contains("B/s") && line.contains("checksum"), "\(line)")
    }
    return result.lines
  }

  @Test func `all benchmarks run small`() throws {
    let found = try lines("all", "3000", "2")
    for name in ["kernel/sort-texts", "encoding/templates/rebuild", "micro/scan-json", "ingest"] {
      #expect(found.contains { $0.hasPrefix(name + " ") }, "\(name)")
    }
    for number in 1...21 {
      let name = number < 10 ? "q0\(number) " : "q\(number) "
      #expect(found.filter { $0.hasPrefix(name) }.count == 1, "\(name)")
    }
  }

  @Test func `a checksum is that of the answer`() throws {
    func checksums(_ lines: [String]) -> [Substring?] {
      lines.map { $0.split(separator: " ").last }
    }
    #expect(
      try checksums(lines("queries", "2000", "1")) == checksums(lines("queries", "2000", "1")))
    #expect(
      try checksums(lines("queries", "2000", "1")) != checksums(lines("queries", "2001", "1")))
  }

  @Test func `benchmarks take a file too`() throws {
    let path = VarveProcess.sample("api.ndjson")
    #expect(try lines("filter", path, "1").count == 2)
    let wrong = try VarveProcess().run(["nothing"], of: Self.executable)
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("usage: benchmarks"))
  }
}
