package import Columnar

/// Fields of events that are no JSON objects, found in their text.
///
/// A text is one of a few formats, told apart by its first bytes so that other texts cost next to nothing:
///
/// | format | begins with | fields |
/// | --- | --- | --- |
/// | Lambda platform line | `START`, `END`, `REPORT RequestId:`, `INIT_START` | `@type`, `@requestId`, `@duration` … |
/// | VPC flow log, 14 default columns | a small number | `version` … `logStatus` |
/// | Route 53 query log | a version with a point, a time | `version` … `ednsClientSubnet` |
/// | syslog, RFC 5424 and RFC 3164 | `<priority>`, or a month and a day | `appName`, `hostname`, `message` … |
/// | text that ends in a JSON object | – | the object's |
///
/// A text can be of a format and end in an object, as syslog of structured logs does: then it has the fields of
/// both, and of equal names the object's counts. A time and a blank before the format are passed over. Whole numbers in canonical form and decimals are
/// numbers, all else is text; `@message` is never touched.
package enum TextFields {
  /// One field of a text; missing when the text has none of this name.
  package static func value(of field: String, in text: UnsafeRawBufferPointer) -> Value {
    if let object = embeddedObject(in: text) {
      let value = FieldPath.value(of: field, inObject: object)
      if !value.isMissing { return value }
    }
    guard TextFormat.names.contains(field) else { return .missing }
    let text = TextFormat.withoutLeadingTime(text)
    return TextFormat(text)?.fields(of: text).last { $0.name == field }?.value ?? .missing
  }

  /// All fields of a text, each once: those of its format, then those of its object in order.
  package static func fields(
    in text: UnsafeRawBufferPointer
  ) -> [(name: String, value: Value)] {
    let line = TextFormat.withoutLeadingTime(text)
    let formatted = TextFormat(line)?.fields(of: line) ?? []
    guard let object = embeddedObject(in: text), let value = JSONValue.parse(object) else {
      return formatted
    }
    return formatted.filter { value.member(path: $0.name).isMissing }
      + LeafPaths(value).paths.prefix(StorageLimits.discoveredFieldsPerEvent).map {
        (name: DiscoveredName.name(ofPath: $0), value: value.member(path: $0))
      }.filter { !$0.value.isMissing }
  }

  /// The JSON object that a text ends with: from its first `{` to the end, if that brace closes there.
  private static func embeddedObject(
    in text: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    var end = text.count
    while end > 0, JSONExtent.isBlank(text[end - 1]) { end -= 1 }
    guard end > 1, text[end - 1] == UInt8(ascii: "}"),
      let start = text.firstIndex(of: UInt8(ascii: "{"))
    else { return nil }
    let bytes = text.bindMemory(to: UInt8.self).baseAddress!
    guard JSONExtent.end(of: bytes, from: start, limit: end) == end else { return nil }
    return UnsafeRawBufferPointer(rebasing: text[start..<end])
  }
}

/// A format of text events.
private enum TextFormat {
  case lambda
  case flowLog
  case queryLog
  case syslog

  /// Every name that a format can give.
  static let names = Set(
    FlowLog.names + QueryLog.names + LambdaLine.names + SyslogLine.names)

  /// The text behind an ISO 8601 time and a blank, which exports of CloudWatch put before each line;
  /// the text itself when there is none.
  static func withoutLeadingTime(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard text.count > 36, text[4] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"),
      let blank = text[..<36].firstIndex(of: 0x20),
      Timestamp.parse(String(decoding: text[..<blank], as: UTF8.self)) != nil
    else { return text }
    return UnsafeRawBufferPointer(rebasing: text[(blank + 1)...])
  }

  /// The format that the first bytes promise; ``fields(of:)`` may still find that they lied.
  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count >= 12 else { return nil }
    switch text[0] {
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      guard text[1] == UInt8(ascii: " ") || text[2] == UInt8(ascii: " ") else {
        guard text[1] == UInt8(ascii: "."), text[3] == UInt8(ascii: " ") else { return nil }
        self = .queryLog
        return
      }
      self = .flowLog
    case UInt8(ascii: "<"):
      self = .syslog
    case UInt8(ascii: "A")...UInt8(ascii: "Z"):
      self = LambdaLine.keywords.contains { text.starts(with: $0.utf8) } ? .lambda : .syslog
    default: return nil
    }
  }

  func fields(of text: UnsafeRawBufferPointer) -> [(name: String, value: Value)] {
    switch self {
    case .lambda: LambdaLine.fields(String(decoding: text, as: UTF8.self))
    case .flowLog: columns(text, FlowLog.names, where: FlowLog.isOne)
    case .queryLog: columns(text, QueryLog.names, where: QueryLog.isOne)
    case .syslog: SyslogLine.fields(text)
    }
  }

  /// Blank-separated columns, if there are as many as names and they look right.
  private func columns(
    _ text: UnsafeRawBufferPointer, _ names: [String], where isOne: ([Substring]) -> Bool
  ) -> [(name: String, value: Value)] {
    guard text.count < 1_024 else { return [] }
    let parts = text.split(whereSeparator: { $0 == 0x20 || $0 == 0x0D || $0 == 0x0A })
    guard parts.count == names.count else { return [] }
    let words = parts.map { Substring(String(decoding: $0, as: UTF8.self)) }
    guard isOne(words) else { return [] }
    return zip(names, words).map { ($0, Self.typed($1)) }
  }

  /// A number if the text is a whole one as it would be printed or a decimal, else the text.
  static func typed(_ text: Substring) -> Value {
    var text = text
    return text.withUTF8 { bytes in
      if let base = bytes.baseAddress, DecimalText.decimal(base, bytes.count) != nil {
        return NumberLexeme.value(of: bytes)
      }
      return .string(String(decoding: bytes, as: UTF8.self))
    }
  }
}

/// VPC flow logs in their default format, version 2.
private enum FlowLog {
  static let names = [
    "version", "accountId", "interfaceId", "srcAddr", "dstAddr", "srcPort", "dstPort", "protocol",
    "packets", "bytes", "startTime", "endTime", "action", "logStatus",
  ]

  static func isOne(_ parts: [Substring]) -> Bool {
    ["OK", "NODATA", "SKIPDATA"].contains(parts[13])
      && ["ACCEPT", "REJECT", "-"].contains(parts[12]) && Int64(parts[10]) != nil
  }
}

/// Route 53 public query logs.
private enum QueryLog {
  static let names = [
    "version", "queryTimestamp", "hostZoneId", "queryName", "queryType", "responseCode",
    "protocol", "edgeLocation", "resolverIp", "ednsClientSubnet",
  ]

  static func isOne(_ parts: [Substring]) -> Bool {
    Timestamp.parse(String(parts[1])) != nil && ["UDP", "TCP"].contains(parts[6])
  }
}

/// What the Lambda platform writes about an invocation.
private enum LambdaLine {
  static let keywords = [
    "START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "INIT_START ", "INIT_REPORT ",
    "RESTORE_START ", "RESTORE_REPORT ",
  ]
  static let names = [
    "@type", "@requestId", "@duration", "@billedDuration", "@initDuration", "@memorySize",
    "@maxMemoryUsed", "@xrayTraceId", "@xraySegmentId",
  ]

  static func fields(_ line: String) -> [(name: String, value: Value)] {
    let type = line.prefix { $0 != " " }
    var fields: [(name: String, value: Value)] = [("@type", .string(String(type)))]
    for part in line.split(whereSeparator: { $0 == "\t" || $0.isNewline }) {
      let text = part.hasPrefix(type + " ") ? part.dropFirst(type.count + 1) : part
      guard let colon = text.firstIndex(of: ":") else { continue }
      let rest = text[text.index(after: colon)...].drop { $0 == " " }
      let words = rest.split(separator: " ")
      guard let first = words.first else { continue }
      switch text[..<colon] {
      case "RequestId": fields.append(("@requestId", .string(String(first))))
      case "Duration": fields.append(("@duration", number(first)))
      case "Billed Duration": fields.append(("@billedDuration", number(first)))
      case "Init Duration": fields.append(("@initDuration", number(first)))
      case "Memory Size": fields.append(("@memorySize", bytes(megabytes: first)))
      case "Max Memory Used": fields.append(("@maxMemoryUsed", bytes(megabytes: first)))
      case "XRAY TraceId": fields.append(("@xrayTraceId", .string(String(first))))
      case "SegmentId": fields.append(("@xraySegmentId", .string(String(first))))
      default: break
      }
    }
    return fields
  }

  private static func number(_ text: Substring) -> Value {
    var text = text
    return text.withUTF8 { bytes in
      JSONValue.parse(bytes) ?? .string(String(decoding: bytes, as: UTF8.self))
    }
  }

  /// AWS counts a megabyte as 1,000,000 bytes here: its own samples divide by 1,000 twice.
  private static func bytes(megabytes text: Substring) -> Value {
    Int64(text).map { .integer($0 * 1_000_000) } ?? .string(String(text))
  }
}

/// Syslog lines of RFC 5424 (`<34>1 2003-10-11T22:14:15Z host app pid id - text`) and RFC 3164
/// (`<34>Oct 11 22:14:15 host app[pid]: text`), the latter also as files have it, without priority.
private enum SyslogLine {
  static let names = [
    "facility", "severity", "severityCode", "hostname", "appName", "procId", "messageId", "message",
  ]
  private static let facilities = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
  ]
  private static let severities = [
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
  ]
  private static let months = Set([
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ])

  static func fields(_ text: UnsafeRawBufferPointer) -> [(name: String, value: Value)] {
    guard
      text[0] == UInt8(ascii: "<") || months.contains(String(decoding: text[..<3], as: UTF8.self))
    else { return [] }
    var rest = Substring(String(decoding: text, as: UTF8.self))
    while let last = rest.last, last.isNewline { rest.removeLast() }
    var fields: [(name: String, value: Value)] = []
    if rest.first == "<" {
      guard let end = rest.firstIndex(of: ">"), let priority = Int(rest[..<end].dropFirst()),
        (0...191).contains(priority)
      else { return [] }
      fields = [
        ("facility", .string(facilities[priority / 8])),
        ("severity", .string(severities[priority % 8])),
        ("severityCode", .integer(Int64(priority % 8))),
      ]
      rest = rest[rest.index(after: end)...]
    }
    guard let more = rest.hasPrefix("1 ") ? modern(rest.dropFirst(2)) : traditional(rest) else {
      return []
    }
    return fields + more
  }

  /// Behind the version: time, host, app, process, message id, structured data, text.
  private static func modern(_ text: Substring) -> [(name: String, value: Value)]? {
    let words = text.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
    guard words.count == 6, words[0] == "-" || Timestamp.parse(String(words[0])) != nil else {
      return nil
    }
    let names = ["hostname", "appName", "procId", "messageId"]
    var fields: [(name: String, value: Value)] = []
    for (name, word) in zip(names, words[1...4]) where word != "-" {
      fields.append((name, TextFormat.typed(word)))
    }
    fields.append(("message", .string(String(withoutStructuredData(words[5])))))
    return fields
  }

  /// Drops `-` or `[id key="value"]…` and the blank behind it.
  private static func withoutStructuredData(_ text: Substring) -> Substring {
    var rest = text
    if rest.first == "-" {
      rest = rest.dropFirst()
    } else {
      while rest.first == "[" {
        var quoted = false
        var escaped = false
        let end = rest.firstIndex { character in
          defer { escaped = character == "\\" && !escaped }
          if character == "\"", !escaped { quoted.toggle() }
          return character == "]" && !quoted
        }
        guard let end else { return text }
        rest = rest[rest.index(after: end)...]
      }
    }
    rest = rest.first == " " ? rest.dropFirst() : rest
    // UTF-8 texts may begin with a byte order mark, which is no part of them.
    if rest.unicodeScalars.first == "\u{FEFF}" {
      rest = Substring(rest.unicodeScalars.dropFirst())
    }
    return rest
  }

  /// `Oct 11 22:14:15 host app[pid]: text`
  private static func traditional(_ text: Substring) -> [(name: String, value: Value)]? {
    let bytes = Array(text.utf8.prefix(16))
    guard bytes.count == 16, bytes[3] == 0x20, bytes[6] == 0x20, bytes[9] == 0x3A,
      bytes[12] == 0x3A, bytes[15] == 0x20, months.contains(String(text.prefix(3)))
    else { return nil }
    let words = text.dropFirst(16).split(
      separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard words.count == 2 else { return nil }
    var fields: [(name: String, value: Value)] = [("hostname", TextFormat.typed(words[0]))]
    guard let colon = words[1].firstIndex(of: ":") else {
      return fields + [("message", .string(String(words[1])))]
    }
    let tag = words[1][..<colon]
    let name = tag.prefix { $0 != "[" }
    guard !name.isEmpty, !tag.contains(" ") else {
      return fields + [("message", .string(String(words[1])))]
    }
    fields.append(("appName", .string(String(name))))
    if tag.last == "]" {
      fields.append(("procId", TextFormat.typed(tag.dropFirst(name.count + 1).dropLast())))
    }
    let message = words[1][words[1].index(after: colon)...]
    fields.append(
      ("message", .string(String(message.first == " " ? message.dropFirst() : message))))
    return fields
  }
}
