/// Reads dates written as text, and does the calendar's arithmetic (proleptic Gregorian, UTC).
struct CalendarText {
  /// The last `YYYY-MM-DDTHH:MM` read, as two words, and the time it means: records come in order
  /// of time, so most share their minute with the one before and need no calendar.
  private var knownMinute: (UInt64, UInt64) = (0, 0)
  private var knownTime: Int64?

  /// Reads `YYYY-MM-DD HH:MM[:SS[.fraction]][zone]`, the date with `-` or `/`, the time after `T`,
  /// a blank or a tab, the fraction after `.` or `,` with any number of digits. On success the
  /// cursor stands after it; on failure anywhere.
  @inline(__always)
  mutating func isoTime(_ text: inout TextCursor) -> Int64? {
    guard text.count >= 16 else { return nil }
    let words = (JSONText.load64(text.position), JSONText.load64(text.position + 8))
    if knownTime == nil || words != knownMinute {
      guard let time = Self.minute(text) else { return nil }
      (knownMinute, knownTime) = (words, time)
    }
    guard var time = knownTime else { return nil }
    text.advance(16)
    if text.peek == 0x3A {
      guard let milliseconds = text.seconds() else { return nil }
      time += milliseconds
    }
    return time - (text.zone() ?? 0)
  }

  @inline(never)
  private static func minute(_ start: TextCursor) -> Int64? {
    var text = start
    guard let year = text.number(4...4) else { return nil }
    let separator = text.peek
    guard separator == 0x2D || separator == 0x2F else { return nil }
    text.advance(1)
    guard let month = text.number(2...2), text.accept(separator), let day = text.number(2...2)
    else { return nil }
    guard [0x54, 0x74, 0x20, 0x09].contains(text.peek) else { return nil }
    text.advance(1)
    guard let hour = text.number(2...2), hour < 24, text.accept(0x3A),
      let minute = text.number(2...2), minute < 60
    else { return nil }
    return time(
      year: year, month: month, day: day, clock: Int64(hour * 60 + minute) * 60_000)
  }

  // MARK: - Arithmetic

  /// The time of a date and the ms since its midnight; `nil` when there is no such date.
  static func time(year: Int, month: Int, day: Int, clock: Int64) -> Int64? {
    guard (1...12).contains(month), day >= 1, day <= dayCount(year: year, month: month) else {
      return nil
    }
    return Int64(days(year: year, month: month, day: day)) * 86_400_000 + clock
  }

  /// The year that a time lies in.
  static func year(of time: Int64) -> Int {
    let day = Int((Double(time) / 86_400_000).rounded(.down))
    var year = 1970 + Int((Double(day) / 365.2425).rounded(.down))
    while days(year: year, month: 1, day: 1) > day { year -= 1 }
    while days(year: year + 1, month: 1, day: 1) <= day { year += 1 }
    return year
  }

  private static func dayCount(year: Int, month: Int) -> Int {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Days since 1970-01-01. Years are counted from March, so that the leap day comes last and the
  /// months before it have a regular pattern of 153 days in five.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

/// A position in a line of text that only moves forward and never past its end.
struct TextCursor {
  private(set) var position: UnsafePointer<UInt8>
  private var end: UnsafePointer<UInt8>
  private let start: UnsafePointer<UInt8>

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    // An empty buffer may have no address; then nothing is ever read through this one.
    start = bytes.baseAddress ?? UnsafePointer(bitPattern: 8)!
    position = start
    end = start + bytes.count
  }

  /// Bytes left.
  var count: Int { end - position }
  var isAtEnd: Bool { position == end }
  /// The next byte, 0 at the end.
  var peek: UInt8 { position < end ? position.pointee : 0 }
  /// What is left.
  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: position, count: count) }

  mutating func advance(_ count: Int) { position += min(count, self.count) }

  mutating func limit(to count: Int) { end = position + min(count, self.count) }

  mutating func accept(_ byte: UInt8) -> Bool {
    guard position < end, position.pointee == byte else { return false }
    position += 1
    return true
  }

  mutating func skipBlanks() {
    while position < end, position.pointee == 0x20 || position.pointee == 0x09 { position += 1 }
  }

  /// Moves to the next such byte or to the end.
  mutating func skipToken(ending byte: UInt8) {
    while position < end, position.pointee != byte { position += 1 }
  }

  /// Moves past the next such byte; false when there is none.
  mutating func skip(past byte: UInt8) -> Bool {
    skipToken(ending: byte)
    return accept(byte)
  }

  /// What lies before the next such byte or the end.
  mutating func token(ending byte: UInt8 = 0x20) -> TextCursor {
    let first = position
    skipToken(ending: byte)
    return TextCursor(UnsafeBufferPointer(start: first, count: position - first))
  }

  func equals(_ text: StaticString) -> Bool {
    text.utf8CodeUnitCount == count && hasPrefix(text)
  }

  func hasPrefix(_ text: StaticString) -> Bool {
    guard text.utf8CodeUnitCount <= count else { return false }
    for index in 0..<text.utf8CodeUnitCount where text.utf8Start[index] != position[index] {
      return false
    }
    return true
  }

  /// Whether `key=` at the start or after a blank ends right before the cursor.
  func isAfterKey(_ key: StaticString) -> Bool {
    let length = key.utf8CodeUnitCount
    let before = position - start - length - 1
    guard before >= 0, before == 0 || (position - length - 2).pointee == 0x20 else { return false }
    for index in 0..<length where (position - length - 1)[index] != key.utf8Start[index] {
      return false
    }
    return true
  }

  /// A number of so many digits; further digits make it none.
  mutating func number(_ digits: ClosedRange<Int>) -> Int? {
    var value = 0
    var count = 0
    while count < digits.upperBound, position < end, JSONText.isDigit(position.pointee) {
      value = value * 10 + Int(position.pointee &- 0x30)
      position += 1
      count += 1
    }
    return count >= digits.lowerBound ? value : nil
  }

  /// So many ASCII letters.
  mutating func letters(_ count: Int) -> Bool {
    guard self.count >= count else { return false }
    for index in 0..<count where (position[index] | 0x20) &- 0x61 > 25 { return false }
    position += count
    return true
  }

  /// `Jan` … `Dec` as 1 … 12.
  mutating func month() -> Int? {
    guard count >= 3 else { return nil }
    let names: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    for month in 0..<12 {
      let name = names.utf8Start + month * 3
      if name[0] == position[0], name[1] == position[1], name[2] == position[2] {
        position += 3
        return month + 1
      }
    }
    return nil
  }

  /// `HH:MM:SS[.fraction]` as ms.
  mutating func clock() -> Int64? {
    guard let hour = number(2...2), hour < 24, accept(0x3A), let minute = number(2...2),
      minute < 60, let seconds = seconds()
    else { return nil }
    return Int64(hour * 60 + minute) * 60_000 + seconds
  }

  /// `:SS[.fraction]` as ms; 60 is a leap second.
  @inline(__always)
  mutating func seconds() -> Int64? {
    guard count >= 3, position.pointee == 0x3A, JSONText.isDigit(position[1]),
      JSONText.isDigit(position[2])
    else { return nil }
    let seconds = Int64(position[1] &- 0x30) * 10 + Int64(position[2] &- 0x30)
    guard seconds <= 60 else { return nil }
    position += 3
    return seconds * 1_000 + fraction()
  }

  /// `.123…` or `,123…` as ms, 0 when there is none.
  @inline(__always)
  private mutating func fraction() -> Int64 {
    guard count >= 2, position.pointee == 0x2E || position.pointee == 0x2C,
      JSONText.isDigit(position[1])
    else { return 0 }
    position += 1
    var value: Int64 = 0
    var unit: Int64 = 100
    while position < end, JSONText.isDigit(position.pointee) {
      value += Int64(position.pointee &- 0x30) * unit
      unit /= 10
      position += 1
    }
    return value
  }

  /// `Z`, `UTC`, `GMT`, `+HH:MM`, `-HHMM`, `+HH`, also after a blank (then with minutes), as ms to
  /// take off; `nil`, and no move, when there is none.
  @inline(__always)
  mutating func zone() -> Int64? {
    if peek == 0x5A || peek == 0x7A {
      position += 1
      return 0
    }
    return isAtEnd ? nil : rareZone()
  }

  @inline(never)
  private mutating func rareZone() -> Int64? {
    var text = self
    let isSeparate = text.accept(0x20)
    if text.hasPrefix("UTC") || text.hasPrefix("GMT") || (isSeparate && text.equals("Z")) {
      text.advance(text.peek == 0x5A ? 1 : 3)
      self = text
      return 0
    }
    let sign: Int64 = text.peek == 0x2D ? -1 : 1
    guard text.peek == 0x2D || text.peek == 0x2B else { return nil }
    text.advance(1)
    guard let hours = text.number(2...2), hours < 24 else { return nil }
    let hasColon = text.accept(0x3A)
    let minutes = text.number(2...2)
    guard minutes != nil || !(hasColon || isSeparate), minutes ?? 0 < 60 else { return nil }
    self = text
    return sign * Int64(hours * 60 + (minutes ?? 0)) * 60_000
  }
}
