import QueryLanguage

/// A span of time that a query rounds to or moves by: `5m`, `2w`, `1mo`.
///
/// Milliseconds to days are multiples counted from 1970-01-01T00:00Z; weeks begin on Monday, counted from
/// 1969-12-29; months, quarters and years are calendar periods counted from January 1970. All in UTC.
///
/// Times are ms in 64 bits, some 292 million years each way. What would lie beyond has no value: every
/// function here that makes a time answers `nil` then, as division by zero has no number.
struct Period: Sendable, Hashable {
  private enum Length: Hashable, Sendable {
    /// Multiples of `milliseconds` from `origin`, both in ms.
    case fixed(milliseconds: Int64, origin: Int64)
    /// Multiples of so many months.
    case months(Int64)
    /// Longer than all times together.
    case endless
  }

  private let length: Length

  /// The first Monday on or before 1970-01-01.
  private static let monday: Int64 = -3 * 86_400_000

  /// A period of at least one unit.
  init(_ literal: DurationLiteral) {
    let count = max(1, Int64(clamping: literal.count))
    switch literal.unit {
    case .month: length = Self.months(count, each: 1)
    case .quarter: length = Self.months(count, each: 3)
    case .year: length = Self.months(count, each: 12)
    case .millisecond, .second, .minute, .hour, .day, .week:
      let (product, overflow) = count.multipliedReportingOverflow(
        by: literal.unit.milliseconds ?? 1)
      length =
        overflow
        ? .endless
        : .fixed(milliseconds: product, origin: literal.unit == .week ? Self.monday : 0)
    }
  }

  private static func months(_ count: Int64, each: Int64) -> Length {
    count <= mostMonths / each ? .months(count * each) : .endless
  }

  /// From the first time to the last.
  private static let mostMonths: Int64 = 2 * 12 * 292_300_000

  /// The length in ms; `nil` for calendar periods, whose length varies.
  var milliseconds: Int64? {
    switch length {
    case .fixed(let milliseconds, _): milliseconds
    case .months: nil
    case .endless: .max
    }
  }

  // MARK: Rounding

  /// The latest start of a period that is not after `time`, in ms.
  func floor(_ time: Int64) -> Int64? {
    switch length {
    case .fixed(let milliseconds, let origin):
      let (start, overflow) = time.subtractingReportingOverflow(
        Self.rest(time, milliseconds, origin))
      return overflow ? nil : start
    case .months(let months): return CalendarMonth(time).floor(months).start
    case .endless: return time >= 0 ? 0 : nil
    }
  }

  /// ``floor(_:)-(Int64)`` of many times; `nil` if one of them has no value.
  func floor(_ times: [Int64]) -> [Int64]? {
    // Neighbouring events mostly fall into one period: the division is done when they do not.
    let span = if case .fixed(let milliseconds, _) = length { milliseconds } else { Int64(1) }
    var starts: [Int64] = []
    starts.reserveCapacity(times.count)
    var start = Int64.max
    var end = Int64.min
    for time in times {
      if time < start || time >= end {
        guard let next = floor(time) else { return nil }
        start = next
        end = span > 1 ? next &+ span : .min
      }
      starts.append(start)
    }
    return starts
  }

  /// The earliest start of a period that is not before `time`, in ms.
  func ceil(_ time: Int64) -> Int64? {
    switch length {
    case .fixed(let milliseconds, let origin):
      let rest = Self.rest(time, milliseconds, origin)
      if rest == 0 { return time }
      let (end, overflow) = time.addingReportingOverflow(milliseconds - rest)
      return overflow ? nil : end
    case .months(let months):
      let month = CalendarMonth(time).floor(months)
      return month.start == time ? time : month.moved(by: months).start
    case .endless: return time <= 0 ? 0 : nil
    }
  }

  /// The start of the period after the one that starts at `start`.
  func following(_ start: Int64) -> Int64? {
    switch length {
    case .fixed, .endless: shift(start, isNegative: false)
    case .months(let months): CalendarMonth(start).moved(by: months).start
    }
  }

  /// How far a time lies behind the start of its period, 0 to `milliseconds` - 1.
  @inline(__always)
  private static func rest(_ time: Int64, _ milliseconds: Int64, _ origin: Int64) -> Int64 {
    // Both terms are shorter than the period, so that nothing overflows but for periods that are
    // nearly as long as all times, which the origin of weeks cannot be told apart from.
    let distance = (time % milliseconds) &- (origin % milliseconds)
    let rest = distance % milliseconds
    return rest < 0 ? rest &+ milliseconds : rest
  }

  // MARK: Moving

  /// A time moved by the period; by calendar months the day stays, or becomes the month's last.
  func shift(_ time: Int64, isNegative: Bool) -> Int64? {
    switch length {
    case .fixed(let milliseconds, _):
      let (moved, overflow) =
        isNegative
        ? time.subtractingReportingOverflow(milliseconds)
        : time.addingReportingOverflow(milliseconds)
      return overflow ? nil : moved
    case .months(let months):
      return CalendarMonth.move(time, byMonths: isNegative ? -months : months)
    case .endless: return nil
    }
  }

  /// A bound of a window moved by the period, which stops at the first and the last time there is.
  func shift(bound: Int64, isNegative: Bool) -> Int64 {
    shift(bound, isNegative: isNegative) ?? (isNegative ? .min : .max)
  }
}

/// A month of the Gregorian calendar, as the number of months since January 1970.
private struct CalendarMonth {
  private static let day: Int64 = 86_400_000
  private let index: Int64

  private init(index: Int64) { self.index = index }

  /// The month a time falls into.
  init(_ time: Int64) { index = Self.split(time).month }

  /// Months since January 1970, and days since the month's first.
  private static func split(_ time: Int64) -> (month: Int64, days: Int64) {
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
    return (index, days - CalendarMonth(index: index).firstDay)
  }

  /// Days from 1970-01-01 to the first of the month.
  private var firstDay: Int64 {
    let year = floorQuotient(index, 12) + 1970
    let month = index - (year - 1970) * 12 + 1
    let y = month <= 2 ? year - 1 : year
    let era = floorQuotient(y, 400)
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The first ms of the month; `nil` if it is beyond all times.
  var start: Int64? {
    let (start, overflow) = firstDay.multipliedReportingOverflow(by: Self.day)
    return overflow ? nil : start
  }

  /// The first month of the multiple of `months` that this one falls into.
  func floor(_ months: Int64) -> CalendarMonth {
    CalendarMonth(index: floorQuotient(index, months) * months)
  }

  func moved(by months: Int64) -> CalendarMonth { CalendarMonth(index: index + months) }

  static func move(_ time: Int64, byMonths months: Int64) -> Int64? {
    let (month, days) = split(time)
    let target = CalendarMonth(index: month).moved(by: months)
    let length = target.moved(by: 1).firstDay - target.firstDay
    let (midnight, overflow) = (target.firstDay + min(days, length - 1))
      .multipliedReportingOverflow(by: day)
    let (moved, overflow2) = midnight.addingReportingOverflow(
      time &- floorQuotient(time, day) &* day)
    return overflow || overflow2 ? nil : moved
  }
}

private func floorQuotient(_ a: Int64, _ b: Int64) -> Int64 {
  let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
  return remainder < 0 ? quotient - 1 : quotient
}
