import Foundation
import Testing

/// What the README and the page on our choices show is what happens: each `$ …` line of its console blocks is run, in order,
/// on one store, and what it prints must be what stands below it. Lines that begin with `> ` go on with the
/// command above them, as in a shell. `RECORD=1` writes the output into
/// the README and fails, so that somebody reads the difference.
@Suite struct ReadmeTests {
  @Test(arguments: ["README.md", "Documentation/where-aws-is-silent.md"])
  func `every command of the document runs and prints what is shown`(name: String) throws {
    let path = VarveProcess.repository.appendingPathComponent(name).path
    let varve = try VarveProcess()
    let text = try String(contentsOfFile: path, encoding: .utf8)
    var written: [String] = []
    var commands = 0
    for block in Self.blocks(of: text) {
      switch block {
      case .text(let line): written.append(line)
      case .command(let command, let shown):
        commands += 1
        let printed = try varve.shell(command)
        written += ["$ " + command.replacingOccurrences(of: "\n", with: "\n> ")] + printed
        #expect(printed == shown, "$ \(command)")
      }
    }
    #expect(commands >= 5, "the tour is gone")
    if ProcessInfo.processInfo.environment["RECORD"] != nil {
      try written.joined(separator: "\n").write(
        toFile: path, atomically: true, encoding: .utf8)
    }
  }

  private enum Block {
    case text(String)
    case command(String, shown: [String])
  }

  private static func blocks(of text: String) -> [Block] {
    var blocks: [Block] = []
    var isConsole = false
    for line in text.components(separatedBy: "\n") {
      if line.hasPrefix("```") { isConsole = line == "```console" }
      if isConsole, line.hasPrefix("$ ") {
        blocks.append(.command(String(line.dropFirst(2)), shown: []))
      } else if isConsole, line.hasPrefix("> "), case .command(let command, [])? = blocks.last {
        blocks[blocks.count - 1] = .command(command + "\n" + line.dropFirst(2), shown: [])
      } else if isConsole, case .command(let command, let shown)? = blocks.last {
        blocks[blocks.count - 1] = .command(command, shown: shown + [line])
      } else {
        blocks.append(.text(line))
      }
    }
    return blocks
  }
}

extension VarveProcess {
  /// Runs a line as a shell would, `varve` on the path; the lines of both its outputs.
  func shell(_ line: String) throws -> [String] {
    let folder = Self.executable.deletingLastPathComponent().path
    let result = try run(
      ["-c", "exec 2>&1; \(line)"], of: URL(fileURLWithPath: "/bin/bash"),
      environment: ["PATH": "\(folder):/usr/bin:/bin"])
    return result.lines(keepingEmpty: true)
  }
}

@Suite struct RepositoryTests {
  @Test(arguments: ["Scripts/demo", "Scripts/test", "Scripts/install-libraries", ".ci/run"])
  func `scripts are executable and have no mistakes of syntax`(name: String) throws {
    let path = VarveProcess.repository.appendingPathComponent(name).path
    #expect(FileManager.default.isExecutableFile(atPath: path))
    let result = try VarveProcess().run(["-n", path], of: URL(fileURLWithPath: "/bin/bash"))
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func `every benchmark runs, and twice to the same result`() throws {
    let benchmarks = VarveProcess.executable.deletingLastPathComponent()
      .appendingPathComponent("benchmarks")
    let result = try VarveProcess().run(
      ["all", VarveProcess.sample("api.ndjson"), "2"], of: benchmarks)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.lines.count >= 10)
    #expect(result.lines.allSatisfy { $0.contains("rows/s") && $0.contains("checksum") })
  }

  @Test func `the sample logs are what their generator writes`() throws {
    let process = try VarveProcess()
    let generator = VarveProcess.executable.deletingLastPathComponent()
      .appendingPathComponent("benchmarks")
    let target = process.folder.path("samples")
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    let result = try process.run(["sample-logs", target], of: generator)
    #expect(result.status == 0, "\(result.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
    #expect(names.count == 6)
    for name in names {
      let made = try Data(contentsOf: URL(fileURLWithPath: target + "/" + name))
      let kept = try Data(contentsOf: URL(fileURLWithPath: VarveProcess.sample(name)))
      #expect(made == kept, "\(name) differs; run: swift run benchmarks sample-logs SampleLogs")
    }
  }
}
