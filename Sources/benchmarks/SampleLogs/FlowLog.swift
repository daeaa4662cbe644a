/// `vpcflow.log`: VPC flow records in the default form of fourteen columns, from 02:50 to 03:20.
/// The Glue job's interface falls silent when the job fails; a scanner tries doors it never opens.
enum FlowLog {
  static func text() -> String {
    var random = SampleRandom(seed: 4)
    let start = SampleText.time(2026, 3, 14, 2, 50) / 1_000
    let glueSilence = SampleText.time(2026, 3, 14, 3, 5) / 1_000
    var lines: [(end: Int, text: String)] = []
    for minute in 0..<30 {
      let begin = start + minute * 60
      for _ in 0..<random.number(9...14) {
        let line = conversation(begin, glueRuns: begin < glueSilence, &random)
        lines.append(line)
      }
      if minute % 10 == 7 { lines.append(silence(begin)) }
    }
    // Records arrive when their interval ends; equal ends keep the order they were made in.
    let order = lines.indices.sorted { (lines[$0].end, $0) < (lines[$1].end, $1) }
    return order.map { lines[$0].text }.joined()
  }

  private static let shop = "eni-0a1f3c5e7b9d02468"
  private static let glue = "eni-0c9d8e7f6a5b41302"

  private static func conversation(
    _ begin: Int, glueRuns: Bool, _ random: inout SampleRandom
  ) -> (end: Int, text: String) {
    let (from, to) = (begin + random.below(20), begin + random.number(40...59))
    if random.chance(percent: 12) {
      let port = random.pick([22, 23, 3389, 5900, 6379])
      return record(
        shop, "198.51.100.\(random.number(200...215))", "10.0.1.15", random.number(40_000...65_000),
        port, random.number(1...4), 40, from, to, "REJECT")
    }
    if glueRuns, random.chance(percent: 30) {
      return record(
        glue, "10.0.3.\(random.number(20...30))", "52.219.170.\(random.number(2...9))",
        random.number(32_768...60_999), 443, random.number(200...4_000), 1_380, from, to, "ACCEPT")
    }
    let database = random.chance(percent: 40)
    return record(
      shop, database ? "10.0.1.15" : "203.0.113.\(random.number(2...250))",
      database ? "10.0.2.40" : "10.0.1.15", random.number(32_768...60_999), database ? 5_432 : 443,
      random.number(4...300), random.number(60...900), from, to, "ACCEPT")
  }

  private static func record(
    _ interface: String, _ source: String, _ target: String, _ sourcePort: Int, _ targetPort: Int,
    _ packets: Int, _ bytesEach: Int, _ begin: Int, _ end: Int, _ action: String
  ) -> (end: Int, text: String) {
    (
      end,
      "2 \(SampleText.account) \(interface) \(source) \(target) \(sourcePort) \(targetPort) 6 "
        + "\(packets) \(packets * bytesEach) \(begin) \(end) \(action) OK\n"
    )
  }

  /// An interval without traffic: the columns that have no value hold a dash.
  private static func silence(_ begin: Int) -> (end: Int, text: String) {
    let end = begin + 59
    let line = "2 \(SampleText.account) \(glue) - - - - - - - \(begin) \(end) - NODATA\n"
    return (end, line)
  }
}
