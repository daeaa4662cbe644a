import Columnar
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
}
