import ArgumentParser
import LogStorage
import QueryEngine
import QueryLanguage

/// Says on standard error why a command failed, and decides the exit code.
struct FailureReport {
  /// Whether `--output json` asks for the error as JSON too.
  private let isJSON: Bool

  init(arguments: [String]) {
    let pairs = zip(arguments, arguments.dropFirst())
    isJSON =
      arguments.contains { $0 == "--output=json" || $0 == "-ojson" }
      || pairs.contains { ($0 == "--output" || $0 == "-o") && $1 == "json" }
  }

  init(isJSON: Bool) { self.isJSON = isJSON }

  /// Shows any error that a command can throw.
  func show(_ error: any Error) -> CommandExit {
    switch error {
    case let failure as CommandFailure:
      return show(failure.message, code: failure.code, exit: failure.exitCode)
    case let failure as QueryError: return show(failure)
    case let failure as QueryFailure: return show(failure)
    case let failure as StorageError:
      return show(failure.message, code: failure.code.description, exit: .failure)
    case let exit as CommandExit: return exit
    default: return showParserError(error)
    }
  }

  /// What is said of a failed query.
  func text(of failure: QueryFailure) -> String { text(failure.description, code: failure.code) }

  private func text(_ message: String, code: String) -> String {
    guard isJSON else { return "varve: \(TextStyle.error.red("error:")) \(message)\n" }
    return JSONText.object {
      $0.add("error", true)
      $0.add("code", code)
      $0.add("message", message)
    } + "\n"
  }

  private func show(_ message: String, code: String, exit: CommandExit) -> CommandExit {
    Terminal.say(text(message, code: code))
    return exit
  }

  private func show(_ failure: QueryFailure) -> CommandExit {
    let exit: CommandExit =
      switch failure {
      case .timedOut: .timedOut
      case .cancelled: .interrupted
      default: .failure
      }
    return show(failure.description, code: failure.code, exit: exit)
  }

  /// Mistakes of a query: each with its place under the text.
  private func show(_ error: QueryError) -> CommandExit {
    if isJSON {
      let diagnostics = error.diagnostics.map(\.json).joined(separator: ",")
      Terminal.say(
        JSONText.object {
          $0.add("error", true)
          $0.add("code", error.diagnostics.first { $0.severity == .error }?.id.code)
          $0.add("message", error.diagnostics.first { $0.severity == .error }?.message)
          $0.add("diagnostics", raw: "[\(diagnostics)]")
        } + "\n")
    } else {
      DiagnosticText.show(error.diagnostics, of: error.text)
    }
    return .failure
  }

  /// `--help` and `--version` are errors to the parser, and none to the user.
  private func showParserError(_ error: any Error) -> CommandExit {
    guard Varve.exitCode(for: error) != .success else {
      var output = OutputBuffer.standardOutput()
      output.append(Varve.fullMessage(for: error) + "\n")
      try? output.flush()
      return .success
    }
    let message = Varve.message(for: error)
    // In one voice with our own messages, which go on in lower case after "error:".
    let exit = show(
      message.prefix(1).lowercased() + message.dropFirst(), code: "usage", exit: .usage)
    // The parser's own text starts with "Error: " and goes on with the usage.
    let usage = Varve.fullMessage(for: error).split(separator: "\n")
      .drop { !$0.hasPrefix("Usage:") && !$0.hasPrefix("  See ") }
    if !isJSON, !usage.isEmpty { Terminal.say(usage.joined(separator: "\n") + "\n") }
    return exit
  }
}

/// Warnings and errors of a query on the terminal.
enum DiagnosticText {
  static func show(_ diagnostics: [Diagnostic], of text: SourceText) {
    guard !diagnostics.isEmpty else { return }
    let formatter = DiagnosticFormatter(source: text, usesColor: Terminal.errorTakesColour)
    Terminal.say(formatter.format(diagnostics) + "\n")
  }
}
