import Testing

@testable import LogStorage

@Suite("Event time")
struct EventTimeTests {
  /// 2026-07-01T12:00:00Z.
  private static let arrival: Int64 = 1_782_907_200_000

  private func time(_ text: String, field: String? = nil, arrival: Int64 = arrival) -> Int64? {
    let block = JSONScanner(timestampField: field).scan(
      makeBlock([Array(text.utf8)]), arrivalTime: arrival)
    #expect(block.recordsWithoutTime == 0 || block.times == [arrival])
    return block.recordsWithoutTime == 0 ? block.times[0] : nil
  }

  private func fieldTime(_ value: String) -> Int64? { time("{\"timestamp\":\(value)}") }

  @Test(
    "reads ISO 8601 and RFC 3339 with any fraction and zone",
    arguments: [
      ("2026-07-01T12:34:56.789Z", 1_782_909_296_789), ("2026-07-01T12:34:56Z", 1_782_909_296_000),
      ("2026-07-01T12:34Z", 1_782_909_240_000), ("2026-07-01 12:34:56.789", 1_782_909_296_789),
      ("2026-07-01T12:34:56,7", 1_782_909_296_700),
      ("2026-07-01T12:34:56.789999999Z", 1_782_909_296_789),
      ("2026-07-01T14:34:56.789+02:00", 1_782_909_296_789),
      ("2026-07-01T07:04:56.789-0530", 1_782_909_296_789),
      ("2026-07-01T14:34:56.789+02", 1_782_909_296_789),
      ("2026-07-01 12:34:56.789 +00:00", 1_782_909_296_789),
      ("2026-07-01 12:34:56.789 UTC", 1_782_909_296_789),
      ("2026/07/01 12:34:56", 1_782_909_296_000), ("1969-12-31T23:59:59.999Z", -1),
      ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("2026-07-01t12:34:56z", 1_782_909_296_000),
      ("2016-12-31T23:59:60Z", 1_483_228_800_000),
    ])
  func iso(_ text: String, _ expected: Int64) {
    #expect(fieldTime("\"\(text)\"") == expected)
  }

  @Test(
    "takes nothing for a time that is none",
    arguments: [
      "\"2026-02-29T00:00:00Z\"", "\"2026-13-01T00:00:00Z\"", "\"2026-07-01T24:00:00Z\"",
      "\"2026-07-01T12:60:00Z\"", "\"2026-07-01T12:00:61Z\"", "\"2026-07-01\"", "\"\"", "\"now\"",
      "\"2026-07-01T12:34:56Z and\"", "\"2026-07-01T12:34:5\"", "12.5", "99999999", "-1700000000",
      "true", "null", "{}", "\"1700000000s\"", "1e400", "\"0x5f5e1000\"", "123456789012345678901",
    ])
  func noTime(_ value: String) {
    #expect(fieldTime(value) == nil)
  }

  @Test(
    "reads epoch seconds, ms, µs and ns by their magnitude, as numbers and as texts",
    arguments: [
      ("1693840791", 1_693_840_791_000), ("1693840791.7564995", 1_693_840_791_756),
      ("1693840791756", 1_693_840_791_756), ("1693840791756499", 1_693_840_791_756),
      ("1693840791756499500", 1_693_840_791_756), ("1.688560107857E9", 1_688_560_107_857),
      ("1693840791.9999999999999999999", 1_693_840_791_999), ("1.7e12", 1_700_000_000_000),
      ("100000000", 100_000_000_000), ("1693840791756.9", 1_693_840_791_756),
    ])
  func epoch(_ text: String, _ expected: Int64) {
    #expect(fieldTime(text) == expected)
    #expect(fieldTime("\"\(text)\"") == expected)
  }

  @Test("takes the first field of the list that holds a time")
  func fieldOrder() {
    #expect(
      time(#"{"ts":1700000000,"time":1600000000,"@timestamp":1500000000}"#) == 1_500_000_000_000)
    #expect(time(#"{"ts":1700000000,"time":"soon","timestamp":null}"#) == 1_700_000_000_000)
    #expect(time(#"{"t":{"$date":"2024-02-29T00:00:00.000+00:00"},"s":"I"}"#) == 1_709_164_800_000)
    #expect(time(#"{"_time":"2024-02-29T00:00:00Z","created":1}"#) == 1_709_164_800_000)
    #expect(time(#"{"created_at":"2024-02-29T00:00:00Z"}"#) == nil)
    // Of duplicate keys the last is the visible one.
    #expect(time(#"{"ts":1700000000,"ts":1600000000}"#) == 1_600_000_000_000)
  }

  @Test("prefers the field that the user named, small numbers included")
  func namedField() {
    let text = #"{"timestamp":1700000000,"a":{"b":1600000000},"n":5}"#
    #expect(time(text, field: "a.b") == 1_600_000_000_000)
    #expect(time(text, field: "n") == 5_000)
    #expect(time(text, field: "missing") == 1_700_000_000_000)
    #expect(time(text, field: "timestamp") == 1_700_000_000_000)
  }

  @Test("takes a wrapper's time as it stands")
  func wrapperTime() {
    var block = makeBlock([Array(#"{"timestamp":1700000000}"#.utf8), Array("text".utf8)])
    block.records[0].time = 42
    block.records[1].time = -7
    let scanned = JSONScanner().scan(block, arrivalTime: 0)
    #expect(scanned.times == [42, -7] && scanned.recordsWithoutTime == 0)
  }

  @Test(
    "finds the time in lines of text",
    arguments: [
      ("2026-07-01T12:34:56.789Z INFO x", 1_782_909_296_789),
      ("2015-07-29 17:41:44,747 - INFO  [QuorumPeer]", 1_438_191_704_747),
      ("2015-10-18 18:01:47,978 INFO [main]", 1_445_191_307_978),
      ("17/06/09 20:10:40 INFO executor", 1_497_039_040_000),
      ("[Sun Dec 04 04:47:44 2005] [notice] x", 1_133_671_664_000),
      ("[Sun Dec 04 04:47:44.123456 2005] [core:notice]", 1_133_671_664_123),
      (#"5.2.1.1 - - [26/Jan/2019:19:45:25 +0330] "GET / HTTP/1.1" 200"#, 1_548_519_325_000),
      (#"host ::1 frank [x] [10/Oct/2000:13:55:36 -0700] "GET /""#, 971_211_336_000),
      ("<34>1 2003-10-11T22:14:15.003Z host app - ID47 - x", 1_065_910_455_003),
      ("ts=2024-04-16T15:10:44.103611953Z caller=x", 1_713_280_244_103),
      (#"level=info time="2024-04-16T15:10:44Z" msg=x"#, 1_713_280_244_000),
      ("level=info ts=1713280244.5 msg=x", 1_713_280_244_500),
      (
        "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 "
          + "1418530010 1418530070 ACCEPT OK", 1_418_530_010_000
      ),
      (#"h2 2018-07-02T22:23:00.186641Z app/my-lb 10.0.1.252:48160 "#, 1_530_570_180_186),
      ("[INFO]\t2024-05-01T00:00:00.123Z\treq\tx", 1_714_521_600_123),
      ("[2024-05-01T00:00:00.123456+00:00] app.INFO: x", 1_714_521_600_123),
      ("2019-12-04\t21:02:31\tLAX1", 1_575_493_351_000),
      ("2024/01/10 14:42:31 [error] 31#31: *1", 1_704_897_751_000),
    ])
  func lines(_ line: String, _ expected: Int64) {
    #expect(time(line) == expected)
  }

  @Test("gives lines without a year the last year up to a day after arrival")
  func yearless() {
    // Arrival: 2026-07-01T12:00Z.
    #expect(time("Jun 14 15:16:01 combo sshd[1]: x") == 1_781_450_161_000)
    #expect(time("Dec 10 06:55:46 LabSZ sshd[2]: x") == 1_765_349_746_000)
    #expect(time("<13>Jul  2 11:59:59 host x") == 1_782_993_599_000)
    #expect(time("Jul  2 12:00:01 host x") == 1_751_457_601_000)
    #expect(time("Feb 29 00:00:00 host x") == 1_709_164_800_000)
    #expect(time("I0507 11:59:44.523502    4727 kubelet.go:187] x") == 1_778_155_184_523)
    // 2026-01-01T00:00Z: a clock that is ahead by hours is no year behind.
    #expect(time("Jan  1 10:00:00 host x", arrival: 1_767_225_600_000) == 1_767_261_600_000)
    #expect(time("Dec 31 23:00:00 host x", arrival: 1_767_225_600_000) == 1_767_222_000_000)
  }

  @Test(
    "finds no time where none is",
    arguments: [
      "", "hello", "START RequestId: 1 Version: $LATEST", "12345", "[x] y", "<abc> x", "Jan x",
      "Mai 12 10:00:00 x", "lasttime=2024-04-16T15:10:44Z", "http nothing", "2 acc eni-1 a b",
      "99/99/99 20:10:40 x", "I0507x", "[26/Jan/2019", "ts=", "Feb 30 00:00:00 x", "{\"a\":",
    ])
  func noTimeInLine(_ line: String) {
    #expect(time(line) == nil)
  }

  @Test("gives each of many records its own time, whatever came before")
  func manyRecords() {
    let scanner = JSONScanner()
    var records: [[UInt8]] = []
    var expected: [Int64] = []
    for minute in [0, 1, 0, 59, 59, 7] {
      for second in [0, 59, 3] {
        let text =
          "2026-07-01T12:\(minute < 10 ? "0" : "")\(minute):\(second < 10 ? "0" : "")\(second)"
        records.append(Array("{\"time\":\"\(text).5Z\"}".utf8))
        records.append(Array("\(text).5+01:00 line".utf8))
        let time = 1_782_907_200_500 + Int64(minute * 60 + second) * 1_000
        expected += [time, time - 3_600_000]
      }
    }
    let block = scanner.scan(makeBlock(records), arrivalTime: 0)
    #expect(block.times == expected)
  }
}
