/// Times and lengths of time as the command line takes them.
enum TimeArgument {
  /// Which moment of a day a date without a time stands for.
  enum DateMeaning {
    case firstMoment, lastMoment
  }

  /// Milliseconds since 1970 for ISO 8601 (`2026-03-14`, `2026-03-14T03:00Z`,
  /// `2026-03-14 03:00:00.250+01:00`; UTC unless an offset is given), epoch seconds or
  /// milliseconds, `now`, or a duration back from now (`3h`, `-1h30m`). `nil` when it is none.
  static func parse(_ text: String, now: Int64, date: DateMeaning = .firstMoment) -> Int64? {
    if text == "now" { return now }
    if let number = Int64(text), !text.hasPrefix("+"), text.utf8.count >= 9 {
      // Seconds reach this size in 5138; as milliseconds that is March 1973.
      return number.magnitude < 100_000_000_000 ? number * 1_000 : number
    }
    if let back = duration(text.hasPrefix("-") ? String(text.dropFirst()) : text) {
      return now - back
    }
    return calendar(Array(text.utf8), date: date)
  }

  /// What `parse` takes, for messages.
  static let forms =
    "give ISO 8601 (2026-03-14T03:00:00Z), epoch seconds or milliseconds, 'now', "
    + "or a time back from now (3h, 2d)"

  /// Milliseconds of a length of time: whole numbers with units, such as `3h`, `1h30m`, `2d`, `250ms`.
  static func duration(_ text: String) -> Int64? {
    var total: Int64 = 0
    var rest = Substring(text)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isWholeNumber }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let number = Int64(digits), let length = unitLength(unit) else { return nil }
      let (product, tooLong) = number.multipliedReportingOverflow(by: length)
      let (sum, tooMuch) = total.addingReportingOverflow(product)
      guard !tooLong, !tooMuch, sum <= 1 << 53 else { return nil }
      total = sum
    }
    return total
  }

  private static func unitLength(_ unit: Substring) -> Int64? {
    switch unit {
    case "ms": 1
    case "s", "sec": 1_000
    case "m", "min": 60_000
    case "h", "hr": 3_600_000
    case "d": 86_400_000
    case "w": 604_800_000
    default: nil
    }
  }

  // MARK: ISO 8601

  private static func calendar(_ text: [UInt8], date meaning: DateMeaning) -> Int64? {
    var reader = DigitReader(bytes: text)
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2),
      reader.take("-"), let day = reader.number(2), (1...12).contains(month),
      (1...daysIn(month, of: year)).contains(day)
    else { return nil }
    let midnight = days(year, month, day) * 86_400_000
    if reader.isAtEnd { return meaning == .firstMoment ? midnight : midnight + 86_399_999 }
    guard reader.take("T") || reader.take("t") || reader.take(" "), let hour = reader.number(2),
      reader.take(":"), let minute = reader.number(2), hour < 24, minute < 60
    else { return nil }
    var time = midnight + Int64(hour * 60 + minute) * 60_000
    if reader.take(":") {
      guard let second = reader.number(2), second < 60 else { return nil }
      time += Int64(second) * 1_000
      if reader.take(".") || reader.take(",") {
        guard let fraction = reader.fraction() else { return nil }
        time += fraction
      }
    }
    guard let offset = reader.offset(), reader.isAtEnd else { return nil }
    return time - offset
  }

  private static func daysIn(_ month: Int, of year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Days since 1970 of a civil date (Hinnant, "chrono-compatible low-level date algorithms").
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }

  /// Takes a time apart from left to right.
  private struct DigitReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ character: Character) -> Bool {
      guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
      position += 1
      return true
    }

    mutating func digit() -> Int? {
      guard position < bytes.count, bytes[position] &- 48 < 10 else { return nil }
      position += 1
      return Int(bytes[position - 1] - 48)
    }

    mutating func number(_ digits: Int) -> Int? {
      var value = 0
      for _ in 0..<digits {
        guard let digit = digit() else { return nil }
        value = value * 10 + digit
      }
      return value
    }

    /// Milliseconds of a fraction; finer digits are cut.
    mutating func fraction() -> Int64? {
      var (value, scale): (Int64, Int64) = (0, 100)
      guard var next = digit() else { return nil }
      while true {
        value += Int64(next) * scale
        scale /= 10
        guard let more = digit() else { return value }
        next = more
      }
    }

    /// Milliseconds east of UTC; no mark at all means UTC.
    mutating func offset() -> Int64? {
      if isAtEnd || take("Z") || take("z") { return 0 }
      let sign: Int64
      if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
      guard let hours = number(2) else { return nil }
      if isAtEnd { return sign * Int64(hours) * 3_600_000 }
      _ = take(":")
      guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
      return sign * Int64(hours * 60 + minutes) * 60_000
    }
  }
}
