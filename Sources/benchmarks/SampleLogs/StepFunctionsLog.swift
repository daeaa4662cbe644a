/// `stepfunctions.ndjson`: the execution history of the state machine `orders-nightly`, seven
/// nights, as Step Functions writes it to CloudWatch Logs. Its time is a string of epoch
/// milliseconds under a name of its own, `event_timestamp`.
enum StepFunctionsLog {
  static func text() -> String {
    var random = SampleRandom(seed: 5)
    return SampleLogs.nights.map { night(of: $0, &random) }.joined()
  }

  /// Writes the events of one execution, numbered from 1.
  private struct History {
    let execution: String
    var time: Int
    var number = 0
    var text = ""

    mutating func add(_ type: String, _ details: String, after milliseconds: Int) {
      time += milliseconds
      number += 1
      text += "{\"id\":\"\(number)\",\"type\":\"\(type)\",\"details\":{\(details)},"
      text += "\"previous_event_id\":\"\(number - 1)\",\"event_timestamp\":\"\(time)\","
      text += "\"execution_arn\":\"\(execution)\"}\n"
    }
  }

  private static func night(of day: Int, _ random: inout SampleRandom) -> String {
    let date = "2026-03-\(SampleText.pad(day, 2))"
    var history = History(
      execution: arn("execution:orders-nightly:nightly-\(date)"),
      time: SampleText.time(2026, 3, day, 3, 0, 0, random.below(400)))
    let input = SampleText.quoted("{\"date\":\"\(date)\"}")
    let role = "arn:aws:iam::\(SampleText.account):role/states-orders-nightly"
    history.add("ExecutionStarted", "\"input\":\(input),\"roleArn\":\"\(role)\"", after: 0)
    let run = SampleLogs.glueRun(day)
    // The Glue job starts a second after Extract is done.
    runLambda(
      "Extract", "orders-extract", took: run.start - history.time - 1_000, &history, &random)
    guard runGlue(run, fails: day == SampleLogs.badNight, &history) else { return history.text }
    for (state, function) in [("Load", "orders-load"), ("Publish", "orders-publish")] {
      runLambda(state, function, took: random.number(20_000...60_000), &history, &random)
    }
    let output = SampleText.quoted("{\"rows\":\(random.number(170_000...190_000))}")
    history.add("ExecutionSucceeded", "\"output\":\(output)", after: 12)
    return history.text
  }

  private static func runLambda(
    _ state: String, _ function: String, took: Int, _ history: inout History,
    _ random: inout SampleRandom
  ) {
    history.add("TaskStateEntered", "\"name\":\"\(state)\"", after: random.number(8...40))
    let resource = "arn:aws:lambda:\(SampleText.region):\(SampleText.account):function:\(function)"
    history.add("LambdaFunctionScheduled", "\"resource\":\"\(resource)\"", after: 3)
    history.add("LambdaFunctionStarted", "", after: random.number(20...90))
    history.add("LambdaFunctionSucceeded", "\"output\":\"{\\\"ok\\\":true}\"", after: took)
    history.add("TaskStateExited", "\"name\":\"\(state)\"", after: 4)
  }

  /// Whether the Glue job succeeded. If not, the execution has failed too.
  private static func runGlue(
    _ run: SampleLogs.GlueRun, fails: Bool, _ history: inout History
  ) -> Bool {
    let parameters = SampleText.quoted(
      "{\"JobName\":\"orders-transform\",\"JobRunId\":\"\(run.id)\"}")
    let task = "\"resource\":\"startJobRun.sync\",\"resourceType\":\"glue\""
    history.add("TaskStateEntered", "\"name\":\"Transform\"", after: 14)
    history.add("TaskScheduled", "\(task),\"parameters\":\(parameters)", after: 5)
    history.add("TaskStarted", task, after: run.start + 140 - history.time)
    let noticed = run.end + 1_120 - history.time
    guard fails else {
      history.add("TaskSucceeded", task, after: noticed)
      history.add("TaskStateExited", "\"name\":\"Transform\"", after: 4)
      return true
    }
    let cause = SampleText.quoted(
      "{\"JobName\":\"orders-transform\",\"JobRunState\":\"FAILED\",\"Id\":\"\(run.id)\","
        + "\"ErrorMessage\":\(SampleText.quoted(SampleLogs.denied))}")
    let reason = "\"error\":\"States.TaskFailed\",\"cause\":\(cause)"
    history.add("TaskFailed", "\(task),\(reason)", after: noticed)
    history.add("ExecutionFailed", reason, after: 61)
    return false
  }

  private static func arn(_ rest: String) -> String {
    "arn:aws:states:\(SampleText.region):\(SampleText.account):\(rest)"
  }
}
