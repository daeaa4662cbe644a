/// The log of a shop's services in any length, the same bytes every time: what the queries of ``Workload`` are asked of.
///
/// Ten services write one JSON object per event. They differ in their fields, share trace ids, and say most things in
/// words that come again; some phrases are rare, on purpose.
struct ServiceLog {
  /// NDJSON.
  let text: [UInt8]
  /// The trace of some event in the middle.
  let traceID: String
  /// Time of the last event, ms since 1970.
  let lastTime: Int

  private static let services = [
    "gateway", "auth", "cart", "orders", "payment", "stock", "search", "mail", "billing", "audit",
  ]
  private static let routes = ["/api/cart", "/api/orders", "/api/search", "/api/login", "/health"]
  private static let states = ["created", "paid", "packed", "shipped", "returned"]

  init(eventCount: Int) {
    var random = SampleRandom(seed: 7)
    var text: [UInt8] = []
    text.reserveCapacity(eventCount * 420)
    var time = SampleText.time(2026, 3, 14, 0, 0)
    var traces = (0..<16).map { _ in random.hex(32) }
    var needle = traces[0]
    for number in 0..<eventCount {
      time += random.below(90)
      let place = random.below(traces.count)
      if random.chance(percent: 25) { traces[place] = random.hex(32) }
      if number == eventCount / 2 { needle = traces[place] }
      text += Self.event(time, traces[place], number, &random).utf8
      text.append(UInt8(ascii: "\n"))
    }
    self.text = text
    traceID = needle
    lastTime = time
  }

  private static func event(
    _ time: Int, _ trace: String, _ number: Int, _ random: inout SampleRandom
  ) -> String {
    let service = random.pick(services)
    let level =
      random.chance(percent: 2) ? "ERROR" : random.pick(["INFO", "INFO", "DEBUG", "WARN"])
    let latency = random.latency(typical: 40)
    var text = "{\"timestamp\":\(time),\"level\":\"\(level)\",\"service\":\"\(service)\","
    text += "\"host\":\"\(service)-\(random.below(12))\",\"trace_id\":\"\(trace)\","
    text += "\"span_id\":\"\(random.hex(16))\",\"user\":{\"id\":\"u-\(random.below(20_000))\","
    text += "\"country\":\"\(random.pick(["DE", "FR", "JP", "US", "BR"]))\"},"
    text += "\"http\":{\"method\":\"\(random.pick(["GET", "GET", "POST"]))\","
    text +=
      "\"route\":\"\(random.pick(routes))\",\"status\":\(random.pick([200, 200, 200, 404, 500])),"
    text += "\"latency_ms\":\(latency).\(random.below(10)),\"bytes\":\(random.below(90_000))},"
    text += "\"address\":\"10.\(random.below(4)).\(random.below(256)).\(random.below(256))\","
    if service == "payment" { text += "\"risk\":0.\(random.below(9) + 1)\(random.below(9) + 1)7," }
    return text + "\"message\":\"\(message(number, latency, &random))\"}"
  }

  private static func message(
    _ number: Int, _ latency: Int, _ random: inout SampleRandom
  ) -> String {
    switch random.below(1_000) {
    case 0: "worker \(random.below(90)) was evicted: out of memory"
    case 1: "clock of node \(random.below(40)) is ahead by \(random.below(900)) ms"
    case 2..<40: "connection to db-\(random.below(6)) timed out after \(latency) ms"
    case 40..<60: "connection to db-\(random.below(6)) refused"
    case 60..<260:
      "order A-\(10_000 + random.below(80_000)) went from \(random.pick(states)) to \(random.pick(states))"
    case 260..<300: "retry \(random.below(5)) of job \(random.uuid())"
    default: "request \(number) took \(latency) ms for user u-\(random.below(20_000))"
    }
  }
}
