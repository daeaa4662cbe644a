/// `lambda.log`: the function `orders-report`, in the form that an export of CloudWatch Logs has,
/// each line led by its time. Invocations every ten minutes, a cold start now and then, and the one
/// at 03:30 that waits for the pipeline until it is timed out.
enum LambdaLog {
  static func text() -> String {
    var random = SampleRandom(seed: 2)
    let first = SampleText.time(2026, 3, 13, 20, 0, 0, 180)
    var text = ""
    for tick in 0..<48 {
      // Idle containers are let go: the first invocation and every 17th starts cold. The morning
      // report is due at tick 45, 03:30.
      text += invoke(
        first + tick * 600_000 + random.below(900), cold: tick % 17 == 0, waitsInVain: tick == 45,
        &random)
    }
    return text
  }

  private static func invoke(
    _ start: Int, cold: Bool, waitsInVain: Bool, _ random: inout SampleRandom
  ) -> String {
    let request = random.uuid()
    var text = ""
    var initialisation: String?
    if cold {
      let runtime = "arn:aws:lambda:\(SampleText.region)::runtime:\(random.hex(64))"
      text += line(
        start - 480, "INIT_START Runtime Version: nodejs:22.v41\tRuntime Version ARN: \(runtime)")
      initialisation = "\(random.number(310...470)).\(SampleText.pad(random.below(100), 2))"
    }
    text += line(start, "START RequestId: \(request) Version: $LATEST")
    text += own(start + 12, request, "INFO", "looking for reports that are due")
    guard !waitsInVain else { return text + timeout(start, request, &random) }
    let duration = random.latency(typical: 420)
    text += own(start + duration - 5, request, "INFO", "\(random.number(0...4)) reports sent")
    text += line(start + duration, "END RequestId: \(request)")
    let milliseconds = "\(duration).\(SampleText.pad(random.below(100), 2))"
    return text
      + report(
        start + duration, request, milliseconds, duration + 1, random.number(96...131),
        initialisation.map { "\tInit Duration: \($0) ms" } ?? "")
  }

  private static func timeout(
    _ start: Int, _ request: String, _ random: inout SampleRandom
  ) -> String {
    var text = ""
    for attempt in 1...5 {
      text += own(
        start + attempt * 11_000, request, "WARN",
        "s3://shop-mart/orders/date=2026-03-13/_SUCCESS is not there yet, attempt \(attempt)")
    }
    let end = start + 60_000
    text += line(end, "\(SampleText.iso(end)) \(request) Task timed out after 60.00 seconds")
    text += line(end, "END RequestId: \(request)")
    return text + report(end, request, "60000.00", 60_000, 128, "\tStatus: timeout")
  }

  private static func report(
    _ time: Int, _ request: String, _ duration: String, _ billed: Int, _ used: Int, _ rest: String
  ) -> String {
    line(
      time,
      "REPORT RequestId: \(request)\tDuration: \(duration) ms\tBilled Duration: \(billed) ms\t"
        + "Memory Size: 256 MB\tMax Memory Used: \(used) MB\(rest)\t")
  }

  /// A line that the function itself writes, in the form of its runtime.
  private static func own(
    _ time: Int, _ request: String, _ level: String, _ message: String
  ) -> String {
    line(time, "\(SampleText.iso(time))\t\(request)\t\(level)\t\(message)")
  }

  private static func line(_ time: Int, _ message: String) -> String {
    "\(SampleText.iso(time)) \(message)\n"
  }
}
