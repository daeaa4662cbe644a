import Glibc

/// What the process knows about the terminal it may be talking to.
enum Terminal {
  static let isInputInteractive = isatty(STDIN_FILENO) == 1
  static let isOutputInteractive = isatty(STDOUT_FILENO) == 1
  static let isErrorInteractive = isatty(STDERR_FILENO) == 1

  /// Columns of the terminal that shows standard output; `nil` when there is none.
  static var width: Int? {
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return isOutputInteractive ? environment("COLUMNS").flatMap(Int.init) : nil
  }

  /// Whether text on standard output may carry colours: `NO_COLOR` forbids, `CLICOLOR_FORCE`
  /// demands, otherwise a terminal that is not `dumb` decides.
  static let outputTakesColour = takesColour(isInteractive: isOutputInteractive)
  /// The same for standard error.
  static let errorTakesColour = takesColour(isInteractive: isErrorInteractive)

  private static func takesColour(isInteractive: Bool) -> Bool {
    if let forbidden = environment("NO_COLOR"), !forbidden.isEmpty { return false }
    if let forced = environment("CLICOLOR_FORCE"), !forced.isEmpty, forced != "0" { return true }
    return isInteractive && environment("TERM") != "dumb"
  }

  /// Whether a progress line may be drawn over itself on standard error.
  static let mayRedrawErrorLine = isErrorInteractive && environment("TERM") != "dumb"

  /// The value of an environment variable.
  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// Writes text to standard error at once; if nobody takes it, there is nobody to tell.
  static func say(_ text: String) {
    var error = OutputBuffer(descriptor: STDERR_FILENO)
    error.append(text)
    try? error.flush()
  }
}

/// Colours and weights of a terminal, or nothing at all.
struct TextStyle {
  let isOn: Bool

  static let output = TextStyle(isOn: Terminal.outputTakesColour)
  static let error = TextStyle(isOn: Terminal.errorTakesColour)

  func bold(_ text: String) -> String { wrap(text, "1") }
  func dim(_ text: String) -> String { wrap(text, "2") }
  func red(_ text: String) -> String { wrap(text, "1;31") }

  private func wrap(_ text: String, _ code: String) -> String {
    isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
