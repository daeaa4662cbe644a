@preconcurrency import CEdit
import Glibc

/// The line editor of the shell: libedit, with its history kept in a file.
///
/// Ctrl-C while a line is being edited gives the line up. libedit has no such notion, so the
/// characters it reads come through `nextCharacter`: an interrupted read makes it say "kill the
/// line, return", and `read` then tells the interruption from an empty line.
final class LineEditor {
  enum Input {
    case line(String)
    /// Ctrl-C.
    case interrupted
    /// Ctrl-D, or the terminal went away.
    case end
  }

  private static let historyLength: Int32 = 1_000
  private let historyPath: String?

  /// - Parameter historyPath: where lines are kept from one session to the next; `nil` forgets them.
  init(historyPath: String?) {
    self.historyPath = historyPath
    useTextLocale()
    // Before the rest: libedit looks at it once.
    rl_getc_function = { _ in LineEditorInput.nextCharacter() }
    rl_initialize()
    stifle_history(Self.historyLength)
    if let historyPath { read_history(historyPath) }
  }

  /// Lets the user edit one line.
  func read(prompt: String) -> Input {
    LineEditorInput.begin()
    guard let line = readline(prompt) else {
      return .end
    }
    defer { free(line) }
    return LineEditorInput.wasInterrupted ? .interrupted : .line(String(cString: line))
  }

  /// Puts a finished query into the history, and the history on disk.
  func remember(_ text: String) {
    // One line is easier to recall and edit; a comment, though, ends with its line.
    let entry =
      text.contains("#") ? text : text.split(whereSeparator: \.isNewline).joined(separator: " ")
    add_history(entry)
    if let historyPath { write_history(historyPath) }
  }

  /// libedit reads characters by the rules of the locale; without one it takes bytes for letters.
  private func useTextLocale() {
    setlocale(LC_CTYPE, "")
    if __ctype_get_mb_cur_max() == 1 { setlocale(LC_CTYPE, "C.UTF-8") }
  }
}

/// Where libedit's characters come from. libedit is one per process and runs on the main thread, and
/// so does everything here.
private enum LineEditorInput {
  nonisolated(unsafe) private static var pending: [Int32] = []
  nonisolated(unsafe) private static var interruptsSeen = 0
  nonisolated(unsafe) private(set) static var wasInterrupted = false

  private static let killLine: Int32 = 0x15
  private static let lineEnd: Int32 = 0x0A
  private static let endOfFile: Int32 = -1

  static func begin() {
    pending = []
    wasInterrupted = false
    interruptsSeen = Interruption.total
  }

  /// The next character as a code point, or -1 at the end.
  static func nextCharacter() -> Int32 {
    if !pending.isEmpty { return pending.removeFirst() }
    guard let first = nextByte() else { return interruptedOrEnd() }
    // libedit takes what it gets for a whole character, so bytes are put together here.
    let more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0
    var bytes = [first]
    for _ in 0..<more {
      guard let byte = nextByte() else { return interruptedOrEnd() }
      bytes.append(byte)
    }
    let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first
    return Int32(scalar?.value ?? 0xFFFD)
  }

  private static func interruptedOrEnd() -> Int32 {
    guard Interruption.total != interruptsSeen else { return endOfFile }
    wasInterrupted = true
    interruptsSeen = Interruption.total
    // What was typed before it goes too, as Ctrl-C does it on a terminal.
    tcflush(STDIN_FILENO, TCIFLUSH)
    pending = [lineEnd]
    return killLine
  }

  /// `nil` when the read was interrupted by Ctrl-C, or at the end.
  private static func nextByte() -> UInt8? {
    var byte: UInt8 = 0
    guard waitForInput() else { return nil }
    return Glibc.read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
  }

  /// Whether there is input, or its end. `false` when Ctrl-C came instead, be it just before: the signal is
  /// let in only while waiting, so none falls between looking and waiting.
  private static func waitForInput() -> Bool {
    var (interrupt, usual) = (SignalSet.interrupt, SignalSet.empty)
    pthread_sigmask(SIG_BLOCK, &interrupt, &usual)
    defer { pthread_sigmask(SIG_SETMASK, &usual, nil) }
    while Interruption.total == interruptsSeen {
      var input = fd_set()
      input.__fds_bits.0 = 1 << STDIN_FILENO
      // Other signals, such as a resized window, do not matter here.
      if pselect(STDIN_FILENO + 1, &input, nil, nil, nil, &usual) >= 0 || errno != EINTR {
        return true
      }
    }
    return false
  }
}
