import Columnar

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
    guard let time = Timestamp.parse(text) else { return nil }
    let isDateAlone = text.utf8.count == 10
    return isDateAlone && date == .lastMoment ? time + 86_399_999 : time
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
}
