/// Finds the time of an event in a field or in a line of text.
///
/// Times are ms since 1970 UTC; what is finer is cut (towards the past). A time without a zone is
/// UTC. Formats of text lines are told apart by their first bytes, never by what earlier lines
/// looked like, so the answer depends on the line and the time of arrival alone.
struct EventTimeFinder {
  /// Fields that hold the event time when the user names none, best first.
  static let defaultFields = [
    "@timestamp", "timestamp", "time", "ts", "eventTime", "date", "datetime", "t.$date", "_time",
  ]

  /// The fields to look at: the one the user named, then the default ones.
  static func fields(first: String?) -> [String] {
    guard let first else { return defaultFields }
    return [first] + defaultFields.filter { $0 != first }
  }

  /// The time of arrival: times without a year lie in the last year up to a day after it.
  var arrivalTime: Int64 = 0
  private var calendar = CalendarText()

  /// The time that a field's text or number means, if it is one.
  ///
  /// ISO 8601 to the minute or finer, or time since 1970 in s, ms, µs or ns. The number of digits
  /// before the point tells the unit: 9–11 are seconds (from March 1973), 12–14 ms, 15–17 µs, 18–20 ns. Smaller
  /// numbers are no times, unless the user named the field: then they are seconds.
  ///
  /// - Parameter bytes: 16 bytes past it are readable.
  mutating func time(inField bytes: UnsafeBufferPointer<UInt8>, isExplicit: Bool) -> Int64? {
    var text = TextCursor(bytes)
    if let time = calendar.isoTime(&text) {
      text.skipBlanks()
      return text.isAtEnd ? time : nil
    }
    return EpochText.time(bytes, acceptsSmall: isExplicit)
  }

  /// The time that a line of text names, if it does so in a known place and form.
  ///
  /// - Parameter bytes: 16 bytes past it are readable.
  mutating func time(inLine bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var line = TextCursor(bytes)
    line.skipBlanks()
    switch line.peek {
    case 0x30...0x39: return startingWithDigit(line)
    case 0x5B: return startingWithBracket(line)  // [
    case 0x3C: return startingWithPriority(line)  // <
    default: return startingWithLetter(line)
    }
  }

  // MARK: - Lines by their first byte

  private mutating func startingWithDigit(_ line: TextCursor) -> Int64? {
    var text = line
    if let time = calendar.isoTime(&text) { return time }
    return shortDate(line) ?? flowLog(line) ?? accessLog(line) ?? logfmt(line)
  }

  private mutating func startingWithBracket(_ line: TextCursor) -> Int64? {
    var text = line
    text.advance(1)
    let inside = text
    if let time = calendar.isoTime(&text) { return time }
    text = inside
    if let time = apacheError(&text) { return time }
    text = inside
    if let time = commonLog(&text) { return time }
    // `[INFO]<tab>2024-05-01T00:00:00.123Z<tab>…`, functions in Python.
    text = inside
    text.skipToken(ending: 0x5D)
    if text.accept(0x5D), text.accept(0x09), let time = calendar.isoTime(&text) { return time }
    return accessLog(line) ?? logfmt(line)
  }

  /// `<34>Oct 11 22:14:15 host …` (RFC 3164), `<34>1 2003-10-11T22:14:15.003Z host …` (RFC 5424).
  private mutating func startingWithPriority(_ line: TextCursor) -> Int64? {
    var text = line
    text.advance(1)
    guard text.number(1...3) != nil, text.accept(0x3E) else { return logfmt(line) }
    let afterPriority = text
    if text.number(1...2) != nil, text.accept(0x20), let time = calendar.isoTime(&text) {
      return time
    }
    text = afterPriority
    if let time = calendar.isoTime(&text) { return time }
    return syslog(afterPriority)
  }

  private mutating func startingWithLetter(_ line: TextCursor) -> Int64? {
    syslog(line) ?? klog(line) ?? loadBalancer(line) ?? accessLog(line) ?? logfmt(line)
  }

  // MARK: - Formats

  /// `17/06/09 20:10:40`: year of this century, month, day.
  private func shortDate(_ line: TextCursor) -> Int64? {
    var text = line
    guard let year = text.number(2...2), text.accept(0x2F), let month = text.number(2...2),
      text.accept(0x2F), let day = text.number(2...2), text.accept(0x20),
      let time = text.clock()
    else { return nil }
    return CalendarText.time(year: 2_000 + year, month: month, day: day, clock: time)
  }

  /// `Oct 11 22:14:15`, the day padded with a blank or a zero.
  private func syslog(_ line: TextCursor) -> Int64? {
    var text = line
    guard let month = text.month(), text.accept(0x20) else { return nil }
    text.skipBlanks()
    guard let day = text.number(1...2), text.accept(0x20), let clock = text.clock() else {
      return nil
    }
    return lastOccurrence(month: month, day: day, clock: clock)
  }

  /// `I0507 11:59:44.523502 …`: severity, month, day.
  private func klog(_ line: TextCursor) -> Int64? {
    var text = line
    guard [0x49, 0x57, 0x45, 0x46].contains(text.peek) else { return nil }
    text.advance(1)
    guard let month = text.number(2...2), let day = text.number(2...2), text.accept(0x20),
      let clock = text.clock()
    else { return nil }
    return lastOccurrence(month: month, day: day, clock: clock)
  }

  /// The last time with this month and day up to a day after arrival.
  private func lastOccurrence(month: Int, day: Int, clock: Int64) -> Int64? {
    let arrivalYear = CalendarText.year(of: arrivalTime)
    // Eight years reach over a leap year missed in a century.
    for year in stride(from: arrivalYear + 1, through: arrivalYear - 8, by: -1) {
      if let time = CalendarText.time(year: year, month: month, day: day, clock: clock),
        time <= arrivalTime + 86_400_000
      {
        return time
      }
    }
    return nil
  }

  /// `Sun Dec 04 04:47:44.123456 2005]`.
  private func apacheError(_ text: inout TextCursor) -> Int64? {
    guard text.letters(3), text.accept(0x20), let month = text.month(), text.accept(0x20) else {
      return nil
    }
    text.skipBlanks()
    guard let day = text.number(1...2), text.accept(0x20), let clock = text.clock(),
      text.accept(0x20), let year = text.number(4...4)
    else { return nil }
    return CalendarText.time(year: year, month: month, day: day, clock: clock)
  }

  /// `26/Jan/2019:19:45:25 +0330]`.
  private func commonLog(_ text: inout TextCursor) -> Int64? {
    guard let day = text.number(1...2), text.accept(0x2F), let month = text.month(),
      text.accept(0x2F), let year = text.number(4...4), text.accept(0x3A),
      let clock = text.clock()
    else { return nil }
    let offset = text.zone() ?? 0
    return CalendarText.time(year: year, month: month, day: day, clock: clock).map { $0 - offset }
  }

  /// A bracketed time within the first 512 bytes: host, identity and user stand before it.
  private func accessLog(_ line: TextCursor) -> Int64? {
    var text = line
    text.limit(to: 512)
    while text.skip(past: 0x5B) {
      var inside = text
      if let time = commonLog(&inside) { return time }
    }
    return nil
  }

  /// AWS load balancer: the type of the request, then the time.
  private mutating func loadBalancer(_ line: TextCursor) -> Int64? {
    var text = line
    let word = text.token()
    guard ["http", "https", "h2", "grpcs", "ws", "wss", "tls"].contains(where: word.equals),
      text.accept(0x20)
    else { return nil }
    return calendar.isoTime(&text)
  }

  /// AWS VPC flow log, default columns: version, account, interface, …; the 11th is the start.
  private func flowLog(_ line: TextCursor) -> Int64? {
    var text = line
    guard text.number(1...2) != nil, text.accept(0x20) else { return nil }
    text.skipToken(ending: 0x20)
    guard text.accept(0x20), text.token().hasPrefix("eni-") else { return nil }
    for _ in 0..<7 {
      guard text.accept(0x20) else { return nil }
      text.skipToken(ending: 0x20)
    }
    guard text.accept(0x20) else { return nil }
    return EpochText.time(text.token().bytes, acceptsSmall: false)
  }

  /// `… ts=2024-05-01T00:00:00Z …`, `time="…"`, `timestamp=…` within the first 1,024 bytes.
  private mutating func logfmt(_ line: TextCursor) -> Int64? {
    var text = line
    text.limit(to: 1_024)
    while text.skip(past: 0x3D) {
      guard text.isAfterKey("ts") || text.isAfterKey("time") || text.isAfterKey("timestamp")
      else { continue }
      var value = text
      let isQuoted = value.accept(0x22)
      var iso = value
      if let time = calendar.isoTime(&iso) { return time }
      let number = value.token(ending: isQuoted ? 0x22 : 0x20)
      if let time = EpochText.time(number.bytes, acceptsSmall: false) { return time }
    }
    return nil
  }
}

/// Times written as a number of seconds, ms, µs or ns since 1970.
enum EpochText {
  /// The time in ms; the count of digits before the point tells the unit. `1693840791.7564995` and
  /// `1.688560107857E9` are seconds.
  static func time(_ bytes: UnsafeBufferPointer<UInt8>, acceptsSmall: Bool) -> Int64? {
    guard let (mantissa, digits, exponent) = decimal(bytes) else { return nil }
    let scale: Int
    switch digits + exponent {
    case ...8 where acceptsSmall: scale = 3
    case 9...11: scale = 3
    case 12...14: scale = 0
    case 15...17: scale = -3
    case 18...20: scale = -6
    default: return nil
    }
    return shifted(mantissa, by: exponent + scale)
  }

  /// The first 19 significant digits of a JSON number without sign, how many they are, and the power of
  /// ten to multiply them with.
  private static func decimal(
    _ bytes: UnsafeBufferPointer<UInt8>
  ) -> (mantissa: UInt64, digits: Int, exponent: Int)? {
    var (mantissa, digits, exponent) = (UInt64(0), 0, 0)
    var index = 0
    var isFraction = false
    while index < bytes.count {
      let byte = bytes[index]
      if JSONText.isDigit(byte) {
        if digits < 19 {
          mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30)
          if mantissa > 0 { digits += 1 }
          if isFraction { exponent -= 1 }
        } else if !isFraction {
          exponent += 1
        }
      } else if byte == 0x2E, !isFraction, index > 0 {
        isFraction = true
      } else {
        break
      }
      index += 1
    }
    guard index > 0, bytes[index - 1] != 0x2E else { return nil }
    if index == bytes.count { return (mantissa, digits, exponent) }
    let rest = UnsafeBufferPointer(rebasing: bytes[index...])
    guard let power = power(rest) else { return nil }
    return (mantissa, digits, exponent + power)
  }

  /// The number of `e9`, `E+09`, `e-3`.
  private static func power(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    guard bytes.count >= 2, bytes[0] | 0x20 == 0x65 else { return nil }
    let isSigned = bytes[1] == 0x2B || bytes[1] == 0x2D
    let digits = bytes[(isSigned ? 2 : 1)...]
    guard (1...4).contains(digits.count), digits.allSatisfy(JSONText.isDigit) else { return nil }
    let value = digits.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
    return bytes[1] == 0x2D ? -value : value
  }

  private static func shifted(_ mantissa: UInt64, by exponent: Int) -> Int64? {
    var value = mantissa
    if exponent < 0 {
      for _ in 0..<min(-exponent, 20) { value /= 10 }
    } else if value > 0 {
      for _ in 0..<exponent {
        let (next, overflow) = value.multipliedReportingOverflow(by: 10)
        guard !overflow else { return nil }
        value = next
      }
    }
    return Int64(exactly: value)
  }
}
