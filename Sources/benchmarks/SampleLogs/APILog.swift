/// `api.ndjson`: the shop's services from 20:00 to 04:00. Each request is a trace: the gateway's
/// line and the lines of the services it called, joined by `traceId`.
///
/// Quirks, on purpose: the payment service writes `time` with an offset where the others write
/// `timestamp`; anonymous requests have no `user`; some lines have no `durationMs`; texts with
/// escapes, line ends and letters of many scripts; a few events that arrive twenty minutes late;
/// one line that was cut off in the middle.
enum APILog {
  static func text() -> String {
    var random = SampleRandom(seed: 1)
    var lines: [Line] = []
    var time = SampleText.time(2026, 3, 13, 20, 0)
    let end = SampleText.time(2026, 3, 14, 4, 0)
    while time < end {
      lines += request(at: time, &random)
      time += random.number(4_000...130_000)
    }
    for index in stride(from: 97, to: lines.count, by: 211) { lines[index].arrival += 1_210_000 }
    let order = lines.indices.sorted {
      (lines[$0].arrival, $0) < (lines[$1].arrival, $1)
    }
    var texts = order.map { lines[$0].text }
    let broken = texts.count / 2
    texts[broken] = String(texts[broken].prefix(120))
    return texts.joined(separator: "\n") + "\n"
  }

  private struct Line {
    var arrival: Int
    var text: String
  }

  /// What the lines of one request share.
  private struct Trace {
    let id: String
    let root: String
    let user: String?
    let country: String
    var time: Int
    /// Seconds since the pipeline last published the stock: the night before went well.
    var stockAge: Int { (time - SampleText.time(2026, 3, 13, 3, 14)) / 1_000 }
    /// Tonight's stock never came: from 03:14 on the shop runs on yesterday's.
    var isStale: Bool { stockAge >= 86_400 }
  }

  private static func request(at time: Int, _ random: inout SampleRandom) -> [Line] {
    let user = random.chance(percent: 70) ? "u-\(random.number(1_000...1_240))" : nil
    var trace = Trace(
      id: random.hex(32), root: random.hex(16), user: user,
      country: random.pick(["DE", "DE", "DE", "AT", "CH", "FR", "JP"]), time: time)
    let buys = user != nil && random.chance(percent: 35)
    var lines = [auth(&trace, &random), inventory(&trace, &random)]
    var status = trace.isStale && random.chance(percent: 45) ? 409 : 200
    if buys {
      lines.append(cart(&trace, &random))
      if status == 200 {
        let (line, isPaid) = payment(&trace, &random)
        lines.append(line)
        if !isPaid { status = 502 }
      }
    }
    let path =
      buys ? "/checkout" : random.pick(["/products/\(random.number(1...400))", "/search", "/cart"])
    lines.insert(gateway(trace, path, status, start: time, &random), at: 0)
    return lines
  }

  private static func gateway(
    _ trace: Trace, _ path: String, _ status: Int, start: Int, _ random: inout SampleRandom
  ) -> Line {
    let method = path == "/checkout" ? "POST" : "GET"
    let level = status >= 500 ? "ERROR" : status >= 400 ? "WARN" : "INFO"
    let end = trace.time + random.number(1...6)
    var rest = "\"http\":{\"method\":\"\(method)\",\"path\":\"\(path)\",\"status\":\(status)},"
    rest += "\"durationMs\":\(end - start),"
    if let user = trace.user {
      rest += "\"user\":{\"id\":\"\(user)\",\"country\":\"\(trace.country)\"},"
    }
    return line(
      trace, end, level, "gateway", rest, "\(method) \(path) answered \(status)", parent: nil,
      &random)
  }

  private static func auth(_ trace: inout Trace, _ random: inout SampleRandom) -> Line {
    trace.time += random.number(2...9)
    guard let user = trace.user else {
      return line(trace, trace.time, "DEBUG", "auth", "", "anonymous session", &random)
    }
    let rest = "\"user\":{\"id\":\"\(user)\"},\"method\":\"token\","
    return line(trace, trace.time, "INFO", "auth", rest, "session of \(user) is valid", &random)
  }

  private static func inventory(_ trace: inout Trace, _ random: inout SampleRandom) -> Line {
    let took = random.latency(typical: 24)
    trace.time += took
    let skus = (0..<random.number(1...4)).map { _ in "\"SKU-\(random.number(100...480))\"" }
    let rest =
      "\"skus\":[\(skus.joined(separator: ","))],\"stock\":{\"ageSeconds\":\(trace.stockAge)},"
      + "\"durationMs\":\(took),"
    let message =
      trace.isStale ? "stock is older than a day, answering from yesterday's" : "stock looked up"
    return line(
      trace, trace.time, trace.isStale ? "WARN" : "INFO", "inventory", rest, message, &random)
  }

  private static let goods = [
    "Käsefondue-Set", "Bialetti \"Moka\" 3 cups", "茶碗, handmade", "Crème brûlée torch",
    "C:\\recipes\\bread.pdf", "Notebook A5", "Łyżka drewniana", "🫖 teapot",
  ]

  private static func cart(_ trace: inout Trace, _ random: inout SampleRandom) -> Line {
    let took = random.latency(typical: 12)
    trace.time += took
    var total = 0
    let items = (0..<random.number(1...3)).map { _ in
      let (cents, quantity) = (random.number(190...9_900), random.number(1...3))
      total += cents * quantity
      return "{\"name\":\(SampleText.quoted(random.pick(goods))),\"quantity\":\(quantity),"
        + "\"price\":\(SampleText.money(cents))}"
    }
    let rest =
      "\"items\":[\(items.joined(separator: ","))],\"total\":\(SampleText.money(total)),"
      + "\"durationMs\":\(took),"
    return line(trace, trace.time, "INFO", "cart", rest, "cart priced", &random)
  }

  private static func payment(
    _ trace: inout Trace, _ random: inout SampleRandom
  ) -> (Line, isPaid: Bool) {
    let took = random.latency(typical: 180)
    trace.time += took
    let isPaid = !random.chance(percent: 7)
    let amount = SampleText.money(random.number(900...24_000))
    var rest = "\"amount\":{\"value\":\(amount),\"currency\":\"EUR\"},\"durationMs\":\(took),"
    var message = "payment of \(amount) € accepted ✓"
    if !isPaid {
      let stack =
        "PaymentError: bank did not answer\n\tat charge (pay.js:88)\n\tat retry (pay.js:41)"
      rest += "\"error\":{\"type\":\"BankTimeout\",\"stack\":\(SampleText.quoted(stack))},"
      message = "payment failed: bank said \"try later\""
    }
    let text = line(
      trace, trace.time, isPaid ? "INFO" : "ERROR", "payment", rest, message, &random,
      clock: "\"time\":\"\(SampleText.iso(trace.time, offsetHours: 1))\"")
    return (text, isPaid)
  }

  private static func line(
    _ trace: Trace, _ time: Int, _ level: String, _ service: String, _ rest: String,
    _ message: String, parent: String?, _ random: inout SampleRandom, clock: String? = nil
  ) -> Line {
    let clock = clock ?? "\"timestamp\":\"\(SampleText.iso(time))\""
    let span = parent == nil ? trace.root : random.hex(16)
    var text = "{\(clock),\"level\":\"\(level)\",\"service\":\"\(service)\","
    text += "\"traceId\":\"\(trace.id)\",\"spanId\":\"\(span)\","
    if let parent { text += "\"parentSpanId\":\"\(parent)\"," }
    return Line(arrival: time, text: text + rest + "\"message\":\(SampleText.quoted(message))}")
  }

  private static func line(
    _ trace: Trace, _ time: Int, _ level: String, _ service: String, _ rest: String,
    _ message: String, _ random: inout SampleRandom, clock: String? = nil
  ) -> Line {
    line(
      trace, time, level, service, rest, message, parent: trace.root, &random, clock: clock)
  }
}
