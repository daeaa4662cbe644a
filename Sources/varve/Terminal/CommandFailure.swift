/// Why a command did not do what it was asked: what the user reads, and the exit code.
struct CommandFailure: Error {
  /// What happened and what to do about it; lower case at the start, as it follows `error:`.
  let message: String
  /// A stable word for scripts (`unknown-group`).
  let code: String
  let exitCode: CommandExit

  init(_ message: String, code: String = "failed", exit exitCode: CommandExit = .failure) {
    self.message = message
    self.code = code
    self.exitCode = exitCode
  }

  /// The command line itself is wrong.
  static func usage(_ message: String) -> CommandFailure {
    CommandFailure(message, code: "usage", exit: .usage)
  }
}

/// The exit codes that scripts rely on.
enum CommandExit: Int32, Error {
  case success = 0
  /// The query or the operation failed.
  case failure = 1
  /// The command line is wrong.
  case usage = 2
  /// The answer is complete only for the data that could be read.
  case incomplete = 3
  case timedOut = 124
  case interrupted = 130
}
