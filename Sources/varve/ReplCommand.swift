import ArgumentParser
import Glibc
import LogStorage
import QueryEngine

/// `varve repl`: the interactive shell, or a warm engine for scripts.
struct ReplCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repl",
    _superCommandName: Varve.name,
    abstract: "Ask one query after the other: a shell on a terminal, a warm engine for scripts.",
    discussion: """
      When standard input is no terminal, each query ends with ';' at the end of a line and is \
      answered at once. With --statistics, each answer is followed by its statistics on standard \
      error; a query that cannot be answered is followed by its mistakes and a line with \
      "error":true, and the next one is read.
      """)

  /// Decoded columns kept from one query to the next.
  private static let decodedByteCount = 128 << 20

  @OptionGroup var query: QueryArguments
  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    _ = try query.options()  // a wrong option is said before the first query, not after
    let opened = try store.open(.readOnly, decodedByteCount: Self.decodedByteCount)
    let runner = QueryRunner(
      format: output.format, zone: query.tz, showsStatistics: query.statistics,
      isQuiet: store.quiet)
    if Terminal.isInputInteractive {
      var shell = Shell(store: opened, arguments: query, runner: runner)
      shell.run()
    } else {
      try answerScript(runner, opened)
    }
  }

  /// Answers queries one after the other; one that fails does not end it.
  private func answerScript(_ runner: QueryRunner, _ store: LogStore) throws {
    var script = ReplScript()
    var exit = CommandExit.success
    let report = FailureReport(isJSON: runner.format == .json)
    Interruption.listen(lastWords: report.text(of: .cancelled))
    while let text = try script.next() {
      if let help = ReplHelp.answer(to: text) {
        var output = OutputBuffer.standardOutput()
        output.append(help)
        try output.flush()
        continue
      }
      let started = ContinuousClock.now
      do {
        var options = try query.options()
        options.addKept { store }
        let status = try Interruption.cancelling(options.cancellation!) {
          try runner.answer(text, options: options) { try store.snapshot(now: options.now) }
        }
        if status != .success { exit = status }
      } catch {
        let error = (error as? QueryError)?.hintingAtEndsOfQueries ?? error
        exit = report.show(error)
        if exit == .interrupted { throw exit }
        if runner.showsStatistics { reportFailure(after: started.duration(to: .now)) }
      }
    }
    if exit != .success { throw exit }
  }

  private func reportFailure(after time: Duration) {
    Terminal.say(
      JSONText.object {
        $0.add("error", true)
        $0.add("elapsedMilliseconds", time / .milliseconds(1))
      } + "\n")
  }
}
