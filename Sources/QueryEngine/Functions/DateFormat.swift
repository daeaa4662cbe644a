import Columnar

/// The codes of `formatDate`, a subset of strftime's, checked when made.
struct DateFormat: Sendable {
  private enum Part: Sendable {
    case text(String)
    case code(Character)
  }

  private let parts: [Part]

  private static let codes = Set("YymdejHIMSpLfsaAbBuwVGzZTDFRnt%")

  /// - Throws: ``UnsupportedDateCode`` with the first code that is not known.
  init(_ format: String) throws(UnsupportedDateCode) {
    var parts: [Part] = []
    var rest = format[...]
    while let character = rest.popFirst() {
      guard character == "%" else {
        parts.append(.text(String(character)))
        continue
      }
      guard let code = rest.popFirst() else { throw UnsupportedDateCode(code: "%") }
      guard Self.codes.contains(code) else { throw UnsupportedDateCode(code: "%\(code)") }
      parts.append(.code(code))
    }
    self.parts = parts
  }

  /// The text of a time in a zone.
  func text(_ milliseconds: Int64, zone: TimeZoneRules) -> String {
    let offset = zone.offset(at: milliseconds)
    let (local, overflow) = milliseconds.addingReportingOverflow(Int64(offset.seconds) * 1_000)
    let time = CivilTime(milliseconds: overflow ? milliseconds : local)
    return parts.map { part in
      switch part {
      case .text(let text): text
      case .code(let code): Self.text(code, time, milliseconds, offset)
      }
    }.joined()
  }

  private static func text(
    _ code: Character, _ time: CivilTime, _ milliseconds: Int64, _ offset: TimeZoneRules.Offset
  ) -> String {
    let hour12 = time.hour % 12 == 0 ? 12 : time.hour % 12
    switch code {
    case "Y": return padded(time.year, 4)
    case "y": return padded(((time.year % 100) + 100) % 100, 2)
    case "m": return padded(time.month, 2)
    case "d": return padded(time.day, 2)
    case "e": return time.day < 10 ? " \(time.day)" : "\(time.day)"
    case "j": return padded(time.dayOfYear, 3)
    case "H": return padded(time.hour, 2)
    case "I": return padded(hour12, 2)
    case "M": return padded(time.minute, 2)
    case "S": return padded(time.second, 2)
    case "p": return time.hour < 12 ? "AM" : "PM"
    case "L": return padded(time.millisecond, 3)
    case "f": return padded(time.millisecond * 1_000, 6)
    case "s":
      let seconds = milliseconds / 1_000
      return String(milliseconds % 1_000 < 0 ? seconds - 1 : seconds)
    case "a": return String(CalendarNames.weekdays[time.weekday - 1].prefix(3))
    case "A": return CalendarNames.weekdays[time.weekday - 1]
    case "b": return String(CalendarNames.months[time.month - 1].prefix(3))
    case "B": return CalendarNames.months[time.month - 1]
    case "u": return String(time.weekday)
    case "w": return String(time.weekday % 7)
    case "V": return padded(isoWeek(time).week, 2)
    case "G": return padded(isoWeek(time).year, 4)
    case "z": return offset.text
    case "Z": return offset.name
    case "T":
      return [time.hour, time.minute, time.second].map { padded($0, 2) }.joined(separator: ":")
    case "D":
      return
        "\(padded(time.month, 2))/\(padded(time.day, 2))/\(padded(((time.year % 100) + 100) % 100, 2))"
    case "F": return "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2))"
    case "R": return "\(padded(time.hour, 2)):\(padded(time.minute, 2))"
    case "n": return "\n"
    case "t": return "\t"
    default: return "%"
    }
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number.magnitude)
    let zeros = String(repeating: "0", count: max(0, width - digits.count))
    return (number < 0 ? "-" : "") + zeros + digits
  }

  /// Week and week-based year (ISO 8601): week 1 holds the year's first Thursday.
  private static func isoWeek(_ time: CivilTime) -> (year: Int, week: Int) {
    let week = (time.dayOfYear - time.weekday + 10) / 7
    if week < 1 { return (time.year - 1, weekCount(time.year - 1)) }
    if week > weekCount(time.year) { return (time.year + 1, 1) }
    return (time.year, week)
  }

  private static func weekCount(_ year: Int) -> Int {
    let first = CivilTime(year: year, month: 1, day: 1)
    return first.weekday == 4 || CivilTime.isLeap(year) && first.weekday == 3 ? 53 : 52
  }
}
