/// `glue.ndjson`: the Glue job `orders-transform` of the same seven nights, state changes as
/// EventBridge delivers them, and between them the lines of its driver.
enum GlueLog {
  static func text() -> String {
    var random = SampleRandom(seed: 6)
    return SampleLogs.nights.map { night(of: $0, &random) }.joined()
  }

  private static func night(of day: Int, _ random: inout SampleRandom) -> String {
    let (glueRun, failed) = (SampleLogs.glueRun(day), day == SampleLogs.badNight)
    let run = glueRun.id
    var time = glueRun.start
    var text = state("STARTING", "INFO", "Job run is starting", run, time, &random)
    time += random.number(28_000...45_000)
    text += state("RUNNING", "INFO", "Job run is running", run, time, &random)
    let yesterday = SampleText.pad(day - 1, 2)
    let source = "s3://shop-raw-orders/2026/03/\(yesterday)/"
    text += driver("INFO", "Spark session ready, 10 workers of G.1X", run, time + 9_410, 0, &random)
    text += driver("INFO", "Listing \(source)", run, time + 10_024, 0, &random)
    guard !failed else { return text + failure(source, glueRun, &random) }
    let rows = random.number(170_000...190_000)
    text += driver("INFO", "Read \(rows) orders from \(source)", run, time + 64_800, 1, &random)
    for stage in 2...6 {
      time = glueRun.start + (glueRun.end - glueRun.start) * stage / 7 + random.below(9_000)
      let done = "Stage \(stage) finished: \(random.number(40...200)) tasks"
      text += driver("INFO", done, run, time, stage, &random)
      if random.chance(percent: 30) {
        let lost = "Lost executor \(random.number(1...10)): container killed, will be replaced"
        text += driver("WARN", lost, run, time + 3_210, stage, &random)
      }
    }
    return text + state("SUCCEEDED", "INFO", "Job run succeeded", run, glueRun.end, &random)
  }

  private static func failure(
    _ source: String, _ run: SampleLogs.GlueRun, _ random: inout SampleRandom
  ) -> String {
    var time = SampleText.time(2026, 3, SampleLogs.badNight, 3, 4, 6, 310)
    var text = ""
    for attempt in 1...4 {
      let message = "Access denied on \(source)part-0000.json.gz, attempt \(attempt) of 4"
      text += driver(attempt < 4 ? "WARN" : "ERROR", message, run.id, time, 1, &random)
      time += attempt < 3 ? 4_000 * attempt : 16_000
    }
    return text + state("FAILED", "ERROR", SampleLogs.denied, run.id, run.end, &random)
  }

  /// A `Glue Job State Change` event.
  private static func state(
    _ name: String, _ severity: String, _ message: String, _ run: String, _ time: Int,
    _ random: inout SampleRandom
  ) -> String {
    "{\"version\":\"0\",\"id\":\"\(random.uuid())\",\"detail-type\":\"Glue Job State Change\","
      + "\"source\":\"aws.glue\",\"account\":\"\(SampleText.account)\","
      + "\"time\":\"\(SampleText.iso(time, milliseconds: false))\","
      + "\"region\":\"\(SampleText.region)\",\"resources\":[],"
      + "\"detail\":{\"jobName\":\"orders-transform\",\"severity\":\"\(severity)\","
      + "\"state\":\"\(name)\",\"jobRunId\":\"\(run)\",\"message\":\(SampleText.quoted(message))}}\n"
  }

  /// A line of the job's own log.
  private static func driver(
    _ level: String, _ message: String, _ run: String, _ time: Int, _ stage: Int,
    _ random: inout SampleRandom
  ) -> String {
    "{\"time\":\"\(SampleText.iso(time))\",\"level\":\"\(level)\",\"jobRunId\":\"\(run)\","
      + "\"stage\":\(stage),\"glue.driver.jvm.heap.usage\":0.\(random.number(12...84)),"
      + "\"message\":\(SampleText.quoted(message))}\n"
  }
}
