import Foundation
import Testing

/// `varve ingest --acknowledge` beside other processes, and killed.
@Suite struct StreamCommandTests {
  /// Of the events of a stream, ms since 1970: half a day ago, as the streams themselves go by the clock of the system.
  private static let firstTime = Int64(Date().timeIntervalSince1970 - 43_200) * 1_000

  /// A running stream.
  private final class Stream {
    let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()

    init(_ varve: VarveProcess) throws {
      process.executableURL = VarveProcess.executable
      process.arguments = ["ingest", "--group", "g", "--acknowledge", "--quiet", "-"]
      process.environment = ["VARVE_STORE": varve.store, "HOME": varve.folder.path("home")]
      process.standardInput = input
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      try process.run()
    }

    func send(_ numbers: Range<Int>) throws {
      let lines = numbers.map { "{\"timestamp\":\(firstTime + Int64($0)),\"n\":\($0)}\n" }
      try input.fileHandleForWriting.write(contentsOf: Data(lines.joined().utf8))
    }

    /// Reads acknowledgements until so many events are safe.
    func waitUntilSafe(_ count: Int) throws {
      while true {
        let more = output.fileHandleForReading.availableData
        try #require(!more.isEmpty, "the stream ended")
        unread += more
        let lines = String(decoding: unread, as: UTF8.self).split(separator: "\n")
        let numbers = lines.compactMap { line in Int(line.filter(\.isNumber)) }
        if unread.last == 0x0A, (numbers.max() ?? 0) >= count { return }
      }
    }

    func end() throws {
      try input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
  }

  private func count(_ varve: VarveProcess) throws -> String {
    try varve("query", "stats count(*) as n, countDistinct(n) as d").text
  }

  @Test func `acknowledged events are seen while the stream goes on, and after it was killed`()
    throws
  {
    let varve = try VarveProcess()
    let stream = try Stream(varve)
    try stream.send(0..<300)
    try stream.waitUntilSafe(300)
    #expect(try count(varve) == "{\"n\":300,\"d\":300}\n")
    let groups = try varve("groups").text
    #expect(groups.contains("\"events\":300"), "\(groups)")
    try stream.send(300..<500)
    try stream.waitUntilSafe(500)
    kill(stream.process.processIdentifier, SIGKILL)
    stream.process.waitUntilExit()
    #expect(try count(varve) == "{\"n\":500,\"d\":500}\n")
    // The next stream publishes what that one left, and says so.
    let next = try varve("ingest", "-g", "g", "--acknowledge", "-", input: "{\"n\":500}\n")
    #expect(next.errors.contains("published 500 acknowledged events"), "\(next.errors)")
    #expect(try count(varve) == "{\"n\":501,\"d\":501}\n")
    #expect(try varve("verify").status == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: varve.store + "/wal").isEmpty)
  }

  @Test func `maintenance publishes what a killed stream left`() throws {
    let varve = try VarveProcess()
    let stream = try Stream(varve)
    try stream.send(0..<20)
    try stream.waitUntilSafe(20)
    kill(stream.process.processIdentifier, SIGKILL)
    stream.process.waitUntilExit()
    let report = try varve("retain")
    #expect(report.text.contains("Published 20 events"), "\(report.text) \(report.errors)")
    #expect(try count(varve) == "{\"n\":20,\"d\":20}\n")
    #expect(try varve("retain").text == "Nothing to do.\n")
  }

  @Test func `a stream that ends by itself leaves no log behind`() throws {
    let varve = try VarveProcess()
    let stream = try Stream(varve)
    try stream.send(0..<10)
    try stream.end()
    #expect(stream.process.terminationStatus == 0)
    #expect(try count(varve) == "{\"n\":10,\"d\":10}\n")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: varve.store + "/wal").isEmpty)
  }

  @Test func `exact retention empties the log of a stream that runs, or says that it cannot`()
    throws
  {
    let varve = try VarveProcess()
    let stream = try Stream(varve)
    let process = stream.process.processIdentifier
    try stream.send(0..<20)
    try stream.waitUntilSafe(20)
    #expect(try varve("retention", "set", "g", "1").status == 0)
    let drill = ["--exact", "--now", "\(Self.firstTime + 86_400_010)"]
    // It cannot answer.
    kill(process, SIGSTOP)
    let stuck = try varve.run(["retain"] + drill)
    #expect(stuck.status == 1)
    #expect(
      stuck.errors.contains("10 expired events of log group 'g' remain in ")
        && stuck.errors.contains(" until process \(process), which writes it, publishes them"),
      "\(stuck.errors)")
    kill(process, SIGCONT)
    let rehearsal = try varve.run(["retain", "--dry-run"] + drill)
    #expect(rehearsal.text.contains("ould erase 10 events"), "\(rehearsal.text)")
    let report = try varve.run(["retain"] + drill)
    #expect(report.status == 0, "\(report.errors)")
    #expect(report.text.contains("rased 10 events to the event"), "\(report.text)")
    #expect(try varve("retention", "set", "g", "never").status == 0)
    #expect(try count(varve) == "{\"n\":10,\"d\":10}\n")
    // The stream goes on.
    try stream.send(20..<30)
    try stream.waitUntilSafe(30)
    try stream.end()
    #expect(stream.process.terminationStatus == 0)
    #expect(try count(varve) == "{\"n\":20,\"d\":20}\n")
    #expect(try varve("verify").status == 0)
  }
}
