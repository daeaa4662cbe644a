import Foundation
import Testing

/// The interactive shell on a terminal of its own.
@Suite(.timeLimit(.minutes(2))) struct ShellTests {
  @Test func `the shell answers, keeps history and leaves at Ctrl-D`() throws {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-g", "days", "-", input: "{\"n\":1}\n").status == 0)
    let shell = try PseudoTerminal(varve)
    try shell.waitForPrompt()
    try shell.type("help stats\n")
    try shell.wait(for: "Examples:")
    try shell.waitForPrompt()
    try shell.type(".mode csv\n")
    try shell.waitForPrompt()
    try shell.type(".groups\n")
    try shell.wait(for: "days,1,7,")
    try shell.waitForPrompt()
    try shell.type("fields n |\n")
    try shell.wait(for: "...> ")
    try shell.type("limt 1;\n")
    try shell.wait(for: "did you mean 'limit'?")
    try shell.waitForPrompt()
    try shell.type("\u{04}")
    #expect(try shell.end() == 0)
    let history = try String(
      contentsOfFile: varve.folder.path("home/.local/state/varve/history"), encoding: .utf8)
    #expect(history.contains(".groups"))
    #expect(history.contains("limt"))
  }

  @Test func `Tab completes calls of saved queries and names of tables`() throws {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-g", "days", "-", input: "{\"n\":1}\n").status == 0)
    #expect(try varve("saved", "put", "numbers", "fields n + {{more}} as sum").status == 0)
    #expect(try varve("lookup", "put", "weekdays", "-", input: "n,day\n1,Monday\n").status == 0)
    let shell = try PseudoTerminal(varve)
    try shell.waitForPrompt()
    try shell.type("$numb\tmore = 41);\n")
    try shell.wait(for: "42")
    try shell.waitForPrompt()
    try shell.type("lookup weekd\t n OUTPUT day | fields day;\n")
    try shell.wait(for: "Monday")
    try shell.waitForPrompt()
    try shell.type(".quit\n")
    #expect(try shell.end() == 0)
  }

  @Test func `Ctrl-C gives up the line, not the shell`() throws {
    let varve = try VarveProcess()
    #expect(try varve("ingest", "-g", "days", "-", input: "{\"n\":1}\n").status == 0)
    let shell = try PseudoTerminal(varve)
    try shell.waitForPrompt()
    try shell.type("fields n |\n")
    try shell.wait(for: "...> ")
    try shell.type("half a li")
    try shell.wait(for: "half a li")
    shell.interrupt()
    try shell.waitForPrompt()
    try shell.type(".mode\n")
    try shell.wait(for: "Rows are printed as table.")
    try shell.waitForPrompt()
    try shell.type(".quit\n")
    #expect(try shell.end() == 0)
  }
}

/// `varve repl` on a terminal, typed at by a test.
final class PseudoTerminal {
  private let process = Process()
  private let master: Int32
  private var seen = ""

  init(_ varve: VarveProcess) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    // TIOCSPTLCK and TIOCGPTN: the C library's functions for these are not visible to Swift.
    var (lock, number): (Int32, Int32) = (0, -1)
    guard master >= 0, ioctl(master, 0x4004_5431, &lock) == 0,
      ioctl(master, 0x8004_5430, &number) == 0
    else { throw Failure(what: "no pseudo terminal") }
    let terminal = FileHandle(
      fileDescriptor: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY), closeOnDealloc: true)
    process.executableURL = VarveProcess.executable
    process.arguments = ["repl"]
    process.environment = [
      "VARVE_STORE": varve.store, "HOME": varve.folder.path("home"), "TERM": "xterm",
      "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
    ]
    process.standardInput = terminal
    process.standardOutput = terminal
    process.standardError = terminal
    try process.run()
  }

  deinit {
    if process.isRunning { process.terminate() }
    close(master)
  }

  struct Failure: Error { let what: String }

  func type(_ text: String) throws {
    var text = text
    let written = text.withUTF8 { write(master, $0.baseAddress, $0.count) }
    guard written == text.utf8.count else { throw Failure(what: "cannot type") }
  }

  /// Waits until the shell has written `text` after what was waited for before.
  func wait(for text: String) throws {
    let deadline = Date().addingTimeInterval(30)
    while true {
      if let range = seen.range(of: text) {
        seen = String(seen[range.upperBound...])
        return
      }
      guard Date() < deadline, let more = readSome() else {
        throw Failure(what: "waited for '\(text)', saw: \(seen)")
      }
      seen += more
    }
  }

  /// Waits until the shell has asked for a line and says no more. The prompt alone does not tell: the
  /// editor may draw it again with the line that was typed.
  func waitForPrompt() throws {
    try wait(for: "varve> ")
    while let more = readSome(), !more.isEmpty { seen += more }
    seen = ""
  }

  /// What Ctrl-C does.
  func interrupt() { process.interrupt() }

  /// Waits for the end and gives the exit code.
  func end() throws -> Int32 {
    let deadline = Date().addingTimeInterval(30)
    while process.isRunning {
      guard Date() < deadline else { throw Failure(what: "does not end, saw: \(seen)") }
      _ = readSome()
    }
    return process.terminationStatus
  }

  /// What comes within a moment; `nil` when the terminal is closed.
  private func readSome() -> String? {
    var waiting = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, 200) > 0 else { return "" }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = read(master, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
