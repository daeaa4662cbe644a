import QueryLanguage

/// A span of time that a query rounds to or moves by: `5m`, `2w`, `1mo`.
///
/// Milliseconds to days are multiples counted from 1970-01-01T00:00Z; weeks begin on Monday, counted from
/// 1969-12-29; months, quarters and years are calendar periods counted from January 1970. All in UTC.
struct Period: Sendable, Hashable {
  private enum Length: Hashable, Sendable {
    /// Multiples of `milliseconds` from `origin`, both in ms.
    case fixed(milliseconds: Int64, origin: Int64)
    /// Multiples of so many months.
    case months(Int64)
  }

  private let length: Length

  /// The first Monday on or before 1970-01-01.
  private static let monday: Int64 = -3 * 86_400_000

  /// A period of at least one unit. Counts so large that they do not fit are held at the largest that do.
  init(_ literal: DurationLiteral) {
    let count = Int64(clamping: literal.count)
    switch literal.unit {
    case .month: length = .months(max(1, min(count, Self.mostMonths)))
    case .quarter: length = .months(max(1, min(count, Self.mostMonths / 3) * 3))
    case .year: length = .months(max(1, min(count, Self.mostMonths / 12) * 12))
    case .millisecond, .second, .minute, .hour, .day, .week:
      let (product, overflow) = count.multipliedReportingOverflow(
        by: literal.unit.milliseconds ?? 1)
      length = .fixed(
        milliseconds: max(1, overflow ? .max / 4 : min(product, .max / 4)),
        origin: literal.unit == .week ? Self.monday : 0)
    }
  }

  private static let mostMonths: Int64 = 1_200_000

  /// The length in ms; `nil` for calendar periods, whose length varies.
  var milliseconds: Int64? {
    if case .fixed(let milliseconds, _) = length { milliseconds } else { nil }
  }

  // MARK: Rounding

  /// The latest start of a period that is not after `time`, in ms.
  func floor(_ time: Int64) -> Int64 {
    switch length {
    case .fixed(let milliseconds, let origin): Self.floor(time, milliseconds, origin)
    case .months(let months): CalendarMonth(time).floor(months).start
    }
  }

  /// ``floor(_:)-(Int64)`` of many times.
  func floor(_ times: [Int64]) -> [Int64] {
    guard case .fixed(let milliseconds, let origin) = length else { return times.map { floor($0) } }
    // Neighbouring events mostly fall into one period: the division is done when they do not.
    var start = Int64.max
    var end = Int64.min
    return times.map { time in
      if time < start || time >= end {
        start = Self.floor(time, milliseconds, origin)
        end = start &+ milliseconds
      }
      return start
    }
  }

  /// The earliest start of a period that is not before `time`, in ms.
  func ceil(_ time: Int64) -> Int64 {
    let start = floor(time)
    return start == time ? time : following(start)
  }

  /// The start of the period after the one that starts at `start`.
  func following(_ start: Int64) -> Int64 {
    switch length {
    case .fixed(let milliseconds, _):
      let (end, overflow) = start.addingReportingOverflow(milliseconds)
      return overflow ? .max : end
    case .months(let months): return CalendarMonth(start).moved(by: months).start
    }
  }

  @inline(__always)
  private static func floor(_ time: Int64, _ milliseconds: Int64, _ origin: Int64) -> Int64 {
    let (distance, overflow) = time.subtractingReportingOverflow(origin)
    if overflow { return time }
    let remainder = distance % milliseconds
    return time &- (remainder < 0 ? remainder &+ milliseconds : remainder)
  }

  // MARK: Moving

  /// A time moved by the period; by calendar months the day stays, or becomes the month's last.
  func shift(_ time: Int64, isNegative: Bool) -> Int64 {
    switch length {
    case .fixed(let milliseconds, _):
      let (moved, overflow) =
        isNegative
        ? time.subtractingReportingOverflow(milliseconds)
        : time.addingReportingOverflow(milliseconds)
      return overflow ? (isNegative ? .min : .max) : moved
    case .months(let months):
      return CalendarMonth.move(time, byMonths: isNegative ? -months : months)
    }
  }
}

/// A month of the Gregorian calendar, as the number of months since January 1970.
private struct CalendarMonth {
  private static let day: Int64 = 86_400_000
  private let index: Int64

  private init(index: Int64) { self.index = index }

  /// The month a time falls into.
  init(_ time: Int64) { index = Self.split(time).month }

  /// Months since January 1970, and ms since the month's start.
  private static func split(_ time: Int64) -> (month: Int64, rest: Int64) {
    let days = floorQuotient(time, day)
    // Howard Hinnant, "chrono-compatible low-level date algorithms".
    let z = days + 719_468
    let era = floorQuotient(z, 146_097)
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let m = (5 * dayOfYear + 2) / 153
    let month = m < 10 ? m + 3 : m - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let index = (year - 1970) * 12 + month - 1
    return (index, time - CalendarMonth(index: index).start)
  }

  /// The first ms of the month.
  var start: Int64 {
    let year = floorQuotient(index, 12) + 1970
    let month = index - (year - 1970) * 12 + 1
    let y = month <= 2 ? year - 1 : year
    let era = floorQuotient(y, 400)
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return (era * 146_097 + dayOfEra - 719_468) * Self.day
  }

  /// The first month of the multiple of `months` that this one falls into.
  func floor(_ months: Int64) -> CalendarMonth {
    CalendarMonth(index: floorQuotient(index, months) * months)
  }

  func moved(by months: Int64) -> CalendarMonth { CalendarMonth(index: index + months) }

  static func move(_ time: Int64, byMonths months: Int64) -> Int64 {
    let (month, rest) = split(time)
    let target = CalendarMonth(index: month).moved(by: months)
    let length = target.moved(by: 1).start - target.start
    let dayOfMonth = min(rest / day, length / day - 1)
    return target.start + dayOfMonth * day + rest % day
  }
}

private func floorQuotient(_ a: Int64, _ b: Int64) -> Int64 {
  let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
  return remainder < 0 ? quotient - 1 : quotient
}
