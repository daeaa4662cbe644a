/// A point in time taken apart by the proleptic Gregorian calendar, UTC.
package struct CivilTime: Sendable, Hashable {
  package var year: Int
  /// 1 to 12.
  package var month: Int
  /// 1 to 31.
  package var day: Int
  package var hour: Int
  package var minute: Int
  package var second: Int
  package var millisecond: Int

  /// Takes apart ms since 1970.
  package init(milliseconds: Int64) {
    let days = milliseconds.floored(by: 86_400_000)
    let clock = Int(milliseconds &- days &* 86_400_000)
    (year, month, day) = CivilTime.date(daysSince1970: Int(days))
    hour = clock / 3_600_000
    minute = clock / 60_000 % 60
    second = clock / 1_000 % 60
    millisecond = clock % 1_000
  }

  package init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0,
    millisecond: Int = 0
  ) {
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
    self.millisecond = millisecond
  }

  /// Ms since 1970; `nil` when there is no such date or clock time, or it is out of Int64. A second
  /// of 60 (a leap second) is the first of the next minute.
  package var milliseconds: Int64? {
    guard (1...12).contains(month), year.magnitude < 300_000_000, day >= 1,
      day <= CivilTime.dayCount(year: year, month: month), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second), (0...999).contains(millisecond)
    else { return nil }
    let clock = Int64(((hour * 60 + minute) * 60 + second) * 1_000 + millisecond)
    let days = Int64(CivilTime.days(year: year, month: month, day: day))
    // Before 1970 from the midnight that follows: the earliest times lie after a midnight that is
    // out of range.
    let (midnight, rest) = days < 0 ? (days + 1, clock - 86_400_000) : (days, clock)
    let (start, overflow) = midnight.multipliedReportingOverflow(by: 86_400_000)
    let (time, overflow2) = start.addingReportingOverflow(rest)
    return overflow || overflow2 ? nil : time
  }

  /// Days of a month.
  package static func dayCount(year: Int, month: Int) -> Int {
    if month == 2 { return isLeap(year) ? 29 : 28 }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Whether a year has a February 29th.
  package static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  /// Day of the week, 1 for Monday to 7 for Sunday.
  package var weekday: Int {
    // 1970-01-01 was a Thursday.
    let days = CivilTime.days(year: year, month: month, day: day)
    return (days % 7 + 10) % 7 + 1
  }

  /// Day of the year, 1 for January 1st.
  package var dayOfYear: Int {
    CivilTime.days(year: year, month: month, day: day)
      - CivilTime.days(year: year, month: 1, day: 1) + 1
  }

  /// Days since 1970-01-01. Years are counted from March, so that the leap day comes last and the
  /// months before it have a regular pattern of 153 days in five.
  package static func days(year: Int, month: Int, day: Int) -> Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The date of a day counted from 1970-01-01, by the same shifted years.
  package static func date(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = daysSince1970 + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

extension Int64 {
  /// The quotient by a positive number, rounded down.
  func floored(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

/// Times as text and back; all in ms since 1970, UTC.
package enum Timestamp {
  /// Appends `YYYY-MM-DD HH:MM:SS.mmm`; outside of the years 0 to 9999 the ISO form with a signed
  /// year, `+10000-01-01T00:00:00.000Z`.
  package static func append(_ milliseconds: Int64, to output: inout [UInt8]) {
    let time = CivilTime(milliseconds: milliseconds)
    let isPlain = (0...9_999).contains(time.year)
    if !isPlain { output.append(UInt8(ascii: time.year < 0 ? "-" : "+")) }
    appendPadded(time.year.magnitude, 4, to: &output)
    output.append(UInt8(ascii: "-"))
    appendPadded(time.month.magnitude, 2, to: &output)
    output.append(UInt8(ascii: "-"))
    appendPadded(time.day.magnitude, 2, to: &output)
    output.append(UInt8(ascii: isPlain ? " " : "T"))
    appendPadded(time.hour.magnitude, 2, to: &output)
    output.append(UInt8(ascii: ":"))
    appendPadded(time.minute.magnitude, 2, to: &output)
    output.append(UInt8(ascii: ":"))
    appendPadded(time.second.magnitude, 2, to: &output)
    output.append(UInt8(ascii: "."))
    appendPadded(time.millisecond.magnitude, 3, to: &output)
    if !isPlain { output.append(UInt8(ascii: "Z")) }
  }

  /// A time as results show it.
  package static func text(_ milliseconds: Int64) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24)
    append(milliseconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func appendPadded(_ number: UInt, _ width: Int, to output: inout [UInt8]) {
    var divisor: UInt = 1
    var digits = 1
    while digits < width || number / divisor >= 10 {
      divisor *= 10
      digits += 1
    }
    while divisor > 0 {
      output.append(0x30 &+ UInt8(truncatingIfNeeded: number / divisor % 10))
      divisor /= 10
    }
  }

  /// The time that a text shows, or `nil`: `YYYY-MM-DD`, optionally followed by `T` or one blank and
  /// `HH:MM[:SS[.fraction]]`, optionally followed by `Z`, `±HH:MM`, `±HHMM` or `±HH`; years beyond
  /// 9999 with a sign. Without a zone it is UTC; what is finer than a ms is cut off.
  ///
  /// - Complexity: O(bytes), and usually O(1) for texts that show no time
  package static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard text.count >= 10 else { return nil }
    var reader = TimeReader(text: text)
    guard let time = reader.time(), reader.isAtEnd else { return nil }
    return time
  }

  /// The time that a text shows, or `nil`.
  package static func parse(_ text: String) -> Int64? { text.withUTF8Bytes { parse($0) } }
}

/// Reads one time from left to right; never moves past the end.
private struct TimeReader {
  let text: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(text: UnsafeBufferPointer<UInt8>) { self.text = text }

  var isAtEnd: Bool { position == text.count }

  private var next: UInt8 { position < text.count ? text[position] : 0 }

  mutating func time() -> Int64? {
    guard let year = year(), accept("-"), let month = number(2...2), accept("-"),
      let day = number(2...2)
    else { return nil }
    var civil = CivilTime(year: year, month: month, day: day)
    if isAtEnd { return civil.milliseconds }
    guard accept("T") || accept("t") || accept(" "), let hour = number(2...2), accept(":"),
      let minute = number(2...2)
    else { return nil }
    (civil.hour, civil.minute) = (hour, minute)
    if accept(":") {
      guard let second = number(2...2) else { return nil }
      civil.second = second
      if accept(".") || accept(",") {
        guard let fraction = fraction() else { return nil }
        civil.millisecond = fraction
      }
    }
    guard let local = civil.milliseconds, let offset = zone() else { return nil }
    let (time, overflow) = local.subtractingReportingOverflow(offset)
    return overflow ? nil : time
  }

  private mutating func year() -> Int? {
    if accept("+") { return number(4...9) }
    if accept("-") { return number(4...9).map { -$0 } }
    return number(4...4)
  }

  /// Digits behind the point as ms.
  private mutating func fraction() -> Int? {
    var value = 0
    var unit = 100
    let start = position
    while next &- 0x30 < 10 {
      value += Int(next &- 0x30) * unit
      unit /= 10
      position += 1
    }
    return position > start ? value : nil
  }

  /// Ms to take off; 0 when no zone is given.
  private mutating func zone() -> Int64? {
    if isAtEnd || accept("Z") || accept("z") { return 0 }
    let isWest = next == UInt8(ascii: "-")
    guard accept("+") || accept("-"), let hours = number(2...2), hours < 24 else { return nil }
    let hasColon = accept(":")
    let minutes = number(2...2)
    guard minutes != nil || (!hasColon && isAtEnd), minutes ?? 0 < 60 else { return nil }
    let offset = Int64(hours * 60 + (minutes ?? 0)) * 60_000
    return isWest ? -offset : offset
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// A number of so many digits.
  private mutating func number(_ digits: ClosedRange<Int>) -> Int? {
    var value = 0
    var count = 0
    while count < digits.upperBound, next &- 0x30 < 10 {
      value = value * 10 + Int(next &- 0x30)
      position += 1
      count += 1
    }
    return count >= digits.lowerBound ? value : nil
  }
}
