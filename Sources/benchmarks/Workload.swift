/// The questions that people ask of logs, from the cheapest to the dearest: what the macro benchmarks run.
struct Workload {
  struct Question {
    let name: String
    let query: String
    /// Event times in ms, where the question is about some minutes only.
    var window: ClosedRange<Int64>?
  }

  private let log: ServiceLog

  init(_ log: ServiceLog) { self.log = log }

  var questions: [Question] { counts + needles + phrases + figures + records + minutes }

  private var counts: [Question] {
    [
      Question(name: "q01 all events", query: "stats count(*)"),
      Question(name: "q02 by level", query: "stats count(*) by level"),
    ]
  }

  private var needles: [Question] {
    let absent = String(repeating: "f", count: 32)
    return [
      Question(
        name: "q03 a trace",
        query: "filter trace_id = \"\(log.traceID)\" | fields @timestamp, @message"),
      Question(
        name: "q04 no such trace",
        query: "filter trace_id = \"\(absent)\" | fields @timestamp, @message"),
    ]
  }

  private var phrases: [Question] {
    [
      Question(
        name: "q05 frequent word", query: "filter message like \"took\" | stats count(*)"),
      Question(
        name: "q06 rare phrase",
        query: "filter message like \"is ahead by\" | fields @timestamp, message | limit 10000"),
      Question(
        name: "q07 absent phrase",
        query: "filter message like \"perpetual motion\" | stats count(*)"),
      Question(
        name: "q08 anywhere in the record",
        query: "filter @message like \"out of memory\" | stats count(*)"),
      Question(
        name: "q09 parse and count",
        query: "parse message /went from (?<a>\\w+) to (?<b>\\w+)/ | filter ispresent(a) "
          + "| stats count(*) by a, b"),
      Question(
        name: "q10 any of some words",
        query: "filter message like /(?i)timed? out|refused|evicted/ | stats count(*)"),
    ]
  }

  private var figures: [Question] {
    [
      Question(
        name: "q11 percentiles by route",
        query: "filter http.latency_ms > 20 | stats count(*), avg(http.latency_ms), "
          + "pct(http.latency_ms, 50), pct(http.latency_ms, 95), pct(http.latency_ms, 99) "
          + "by http.route"),
      Question(
        name: "q12 errors by minute",
        query: "filter level = \"ERROR\" | stats count(*) by bin(1m)"),
      Question(
        name: "q13 busiest users",
        query: "stats count(*) as n by user.id | sort n desc | limit 20"),
      Question(name: "q14 distinct traces", query: "stats count_distinct(trace_id)"),
    ]
  }

  private var records: [Question] {
    [
      Question(
        name: "q15 slowest requests",
        query: "sort http.latency_ms desc | limit 20 | fields @timestamp, @message"),
      Question(
        name: "q16 newest events",
        query: "fields @timestamp, @message | sort @timestamp desc | limit 100"),
      Question(name: "q17 newest of each host", query: "dedup host | fields @timestamp, @message"),
      Question(
        name: "q18 several conditions",
        query: "filter (level = \"ERROR\" or http.status >= 500) and service != \"mail\" "
          + "| stats count(*)"),
      Question(
        name: "q19 nested fields",
        query: "filter user.country = \"JP\" and http.method = \"POST\" "
          + "| stats sum(http.bytes) by http.status"),
    ]
  }

  private var minutes: [Question] {
    let end = Int64(log.lastTime)
    let window = (end - 300_000)...end
    return [
      Question(
        name: "q20 last minutes by service", query: "stats count(*) by service", window: window),
      Question(
        name: "q21 last minutes, text",
        query: "filter @message like \"refused\" | fields @timestamp, @message | limit 100",
        window: window),
    ]
  }
}
