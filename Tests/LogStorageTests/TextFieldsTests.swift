import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Fields found in the text of events that are no JSON objects.
@Suite struct TextFieldsTests {
  private func fields(_ text: String) -> [String: Value] {
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBytes { raw in
      let found = TextFields.fields(in: raw)
      // One by one gives the same as all at once.
      for (name, value) in found {
        #expect(TextFields.value(of: name, in: raw) == value)
      }
      return Dictionary(found.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }
  }

  @Test func `a time that an export put before the line is passed over`() {
    let line = fields("2026-03-13T20:00:00.490Z START RequestId: bfc84610-987b Version: $LATEST")
    #expect(line["@type"] == .string("START"))
    #expect(line["@requestId"] == .string("bfc84610-987b"))
    #expect(fields("2026-03-13T20:00:00.490Z a line of an application, of no format") == [:])
  }

  @Test func `Lambda reports have durations in ms and memory in bytes`() {
    let report = fields(
      "REPORT RequestId: 8f5-1\tDuration: 102.25 ms\tBilled Duration: 103 ms\tMemory Size: 128 MB\t"
        + "Max Memory Used: 70 MB\tInit Duration: 130.5 ms\t\nXRAY TraceId: 1-5f\tSegmentId: 0a1\tSampled: true"
    )
    #expect(report["@type"] == .string("REPORT"))
    #expect(report["@requestId"] == .string("8f5-1"))
    #expect(report["@duration"] == .sourceNumber(SourceNumber(value: 102.25, text: "102.25")))
    #expect(report["@billedDuration"] == .integer(103))
    #expect(report["@memorySize"] == .integer(128_000_000))
    #expect(report["@maxMemoryUsed"] == .integer(70_000_000))
    #expect(report["@initDuration"] == .sourceNumber(SourceNumber(value: 130.5, text: "130.5")))
    #expect(report["@xrayTraceId"] == .string("1-5f"))
    #expect(report["@xraySegmentId"] == .string("0a1"))
    #expect(
      fields("START RequestId: 8f5-1 Version: $LATEST")
        == ["@type": .string("START"), "@requestId": .string("8f5-1")])
    #expect(fields("END RequestId: 8f5-1\n")["@requestId"] == .string("8f5-1"))
    #expect(fields("REPORTING for duty, all is well") == [:])
  }

  @Test func `flow log lines have their fourteen columns`() {
    let line =
      "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"
    let found = fields(line)
    #expect(found.count == 14)
    #expect(found["srcAddr"] == .string("172.31.16.139"))
    #expect(found["bytes"] == .integer(4_249))
    #expect(found["action"] == .string("ACCEPT"))
    #expect(fields(line + " extra") == [:])
    let noData = "2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - NODATA"
    #expect(fields(noData)["srcAddr"] == .string("-"))
  }

  @Test func `query log lines have their ten columns`() {
    let found = fields(
      "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A NOERROR UDP FRA6 192.168.1.1 -")
    #expect(found["queryName"] == .string("example.com"))
    #expect(found["edgeLocation"] == .string("FRA6"))
  }

  @Test func `syslog lines of both kinds`() {
    let modern = fields(
      #"<165>1 2003-10-11T22:14:15.003Z web evntslog 812 ID47 [x@1 a="]" b="2"][y] An event"#)
    #expect(modern["facility"] == .string("local4"))
    #expect(modern["severity"] == .string("notice"))
    #expect(modern["severityCode"] == .integer(5))
    #expect(modern["hostname"] == .string("web"))
    #expect(modern["procId"] == .integer(812))
    #expect(modern["messageId"] == .string("ID47"))
    #expect(modern["message"] == .string("An event"))
    let traditional = fields("<34>Oct 11 22:14:15 mymachine su[77]: failed for x: no")
    #expect(traditional["appName"] == .string("su"))
    #expect(traditional["procId"] == .integer(77))
    #expect(traditional["message"] == .string("failed for x: no"))
    #expect(fields("Jun 14 15:16:01 combo kernel: klogd 1.4.1")["hostname"] == .string("combo"))
    #expect(fields("<999>1 x") == [:])
    #expect(fields("Octopus 8 arms and more") == [:])
  }

  @Test func `an object at the end of a text gives its fields`() {
    let found = fields(#"2026 INFO done {"a": {"b": [1, "x"]}, "c": null}  "#)
    #expect(found == ["a.b.0": .integer(1), "a.b.1": .string("x")])
    #expect(fields(#"{"a": 1} and more"#) == [:])
    #expect(fields("closing } brace only") == [:])
  }

  @Test func `lines of every month are syslog`() {
    for month in [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ] {
      let found = fields("\(month)  4 15:16:01 combo sshd(pam_unix)[19939]: check pass")
      #expect(found["hostname"] == .string("combo"))
      #expect(found["appName"] == .string("sshd(pam_unix)"))
      #expect(found["procId"] == .integer(19_939))
      #expect(found["message"] == .string("check pass"))
      #expect(found["severity"] == nil)
    }
    #expect(fields("Set 14 15:16:01 combo sshd: x") == [:])
    let repeated = fields("Jun 14 15:16:01 combo last message repeated 2 times")
    #expect(repeated["message"] == .string("last message repeated 2 times"))
    #expect(repeated["appName"] == nil)
  }

  @Test func `a syslog line that ends in an object has the fields of both`() {
    let found = fields(#"<14>Sep 11 22:14:15 web app[7]: {"level":"info","message":"hi","n":null}"#)
    #expect(found["hostname"] == .string("web"))
    #expect(found["level"] == .string("info"))
    #expect(found["message"] == .string("hi"))
    #expect(found["n"] == nil)
    let broken = fields("<14>Oct 11 22:14:15 web app[7]: state {not json}")
    #expect(broken["appName"] == .string("app"))
    #expect(broken["message"] == .string("state {not json}"))
  }

  @Test func `equal keys of an object count once, the last of them`() {
    #expect(fields(#"x {"a":1,"a":2,"b":3,"b":null}"#) == ["a": .integer(2)])
  }

  @Test func `at most 200 fields of an object are found, and more when named`() {
    let members = (0..<205).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    let text = "text {\(members)}"
    #expect(fields(text).count == 200)
    #expect(fields(text)["k199"] == .integer(199))
    Array(text.utf8).withUnsafeBytes { raw in
      #expect(TextFields.value(of: "k204", in: raw) == .integer(204))
    }
  }

  @Test func `an object nested too deep gives nothing`() {
    let deep = String(repeating: #"{"a":"#, count: 200) + "1" + String(repeating: "}", count: 200)
    #expect(fields(deep) == [:])
  }

  @Test func `numbers are typed and other texts are not`() {
    let query = fields(
      "1.0 2017-12-13T08:16:02Z Z123 example.com A NOERROR TCP FRA6 ::1 192.168.0.0/24\r\n")
    #expect(query["version"] == .sourceNumber(SourceNumber(value: 1, text: "1.0")))
    #expect(query["queryTimestamp"] == .string("2017-12-13T08:16:02Z"))
    #expect(query["ednsClientSubnet"] == .string("192.168.0.0/24"))
    let flow = fields(
      "2 012345678901 eni-1 10.0.0.1 10.0.0.2 443 5 6 1 40 1418530010 1418530070 REJECT OK")
    #expect(flow["accountId"] == .string("012345678901"))
    #expect(flow["version"] == .integer(2))
    #expect(flow["logStatus"] == .string("OK"))
  }

  @Test func `empty parts of structured syslog are missing`() {
    let found = fields("<0>1 - - - - - - \u{FEFF}text")
    #expect(found["hostname"] == nil)
    #expect(found["facility"] == .string("kern"))
    #expect(found["severityCode"] == .integer(0))
    #expect(found["message"] == .string("text"))
    #expect(fields("<192>1 - - - - - - x") == [:])
  }

  @Test func `hostile bytes never trap`() {
    let seed: UInt64 = 0x7E47
    var random = SeededGenerator(seed: seed)
    let starts = [
      "<34>1 ", "<34>Oct 11 22:14:15 ", "REPORT RequestId: ", "2 1 ", "1.0 ", "{",
      "Sep  1 01:02:03 ",
    ]
    for _ in 0..<3_000 {
      var bytes = Array(starts.randomElement(using: &random)!.utf8)
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        bytes.append(
          Bool.random(using: &random)
            ? UInt8.random(in: 0...255, using: &random)
            : Array("{}[]\":, -\\1a\t".utf8).randomElement(using: &random)!)
      }
      bytes.withUnsafeBytes { raw in
        for (name, value) in TextFields.fields(in: raw) {
          #expect(TextFields.value(of: name, in: raw) == value, "\(bytes), seed \(seed)")
        }
      }
    }
  }
}
