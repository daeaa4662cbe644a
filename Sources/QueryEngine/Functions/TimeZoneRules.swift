import Columnar
import Glibc
import Synchronization

/// How far a zone's clocks are ahead of UTC, and when that changes.
///
/// Fixed offsets (`+05:30`, `UTC`, `Z`) are computed; names of the IANA database are read from the system's TZif files
/// (RFC 8536): a list of transition times with the offset that holds after each, and a footer with the rule for all
/// later years in the notation of POSIX `TZ`.
struct TimeZoneRules: Sendable, Hashable {
  struct Offset: Sendable, Hashable {
    var seconds: Int
    var name: String

    /// `+0130`
    var text: String {
      let minutes = seconds.magnitude / 60
      func two(_ number: UInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
      return (seconds < 0 ? "-" : "+") + two(minutes / 60) + two(minutes % 60)
    }
  }

  /// Offset before the first transition.
  private var first: Offset
  /// Times in seconds, ascending, with the offsets that hold from each on.
  private var transitions: [(time: Int64, offset: Offset)] = []
  private var rule: PosixZoneRule?

  static func == (a: TimeZoneRules, b: TimeZoneRules) -> Bool {
    a.first == b.first && a.rule == b.rule
      && a.transitions.map(\.time) == b.transitions.map(\.time)
  }

  func hash(into hasher: inout Hasher) { hasher.combine(first) }

  static let utc = TimeZoneRules(first: Offset(seconds: 0, name: "UTC"))

  private init(first: Offset) { self.first = first }

  // MARK: Names

  private static let known = Mutex<[String: TimeZoneRules]>([:])

  /// The zone of a name: an IANA id, `UTC`, `GMT`, `Z`, or `±HH`, `±HHMM`, `±HH:MM`; `nil` when unknown.
  static func named(_ name: String) -> TimeZoneRules? {
    if ["UTC", "GMT", "Z"].contains(name) { return .utc }
    if let offset = fixedOffset(name) { return TimeZoneRules(first: offset) }
    if let zone = known.withLock({ $0[name] }) { return zone }
    guard let zone = load(name) else { return nil }
    known.withLock { $0[name] = zone }
    return zone
  }

  private static func fixedOffset(_ name: String) -> Offset? {
    var text = Array(name.utf8)
    for prefix in ["UTC", "GMT"] where name.hasPrefix(prefix) {
      text.removeFirst(prefix.utf8.count)
    }
    guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
      return nil
    }
    let digits = text.dropFirst().filter { $0 != UInt8(ascii: ":") }
    guard digits.count == 2 || digits.count == 4, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
      text.count - 1 - digits.count <= 1
    else { return nil }
    let numbers = digits.map { Int($0 - 0x30) }
    let hours = numbers[0] * 10 + numbers[1]
    let minutes = digits.count == 4 ? numbers[2] * 10 + numbers[3] : 0
    guard hours <= 18, minutes < 60 else { return nil }
    let seconds = (hours * 60 + minutes) * 60
    return Offset(seconds: sign == UInt8(ascii: "-") ? -seconds : seconds, name: name)
  }

  private static func load(_ name: String) -> TimeZoneRules? {
    // Names are joined to a path: only what the database uses, and no way out of its folder.
    guard !name.isEmpty, name.utf8.count < 64, !name.hasPrefix("/"), !name.contains(".."),
      name.utf8.allSatisfy({
        $0 & 0xDF >= 0x41 && $0 & 0xDF <= 0x5A || $0 &- 0x30 <= 9
          || [0x2F, 0x5F, 0x2D, 0x2B].contains($0)
      })
    else { return nil }
    for folder in ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"] {
      if let bytes = contents("\(folder)/\(name)"), let zone = TimeZoneRules(tzif: bytes) {
        return zone
      }
    }
    return nil
  }

  private static func contents(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 17)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return count > 0 && count < bytes.count ? Array(bytes[..<count]) : nil
  }

  // MARK: Offsets

  /// What holds at a time in ms.
  func offset(at milliseconds: Int64) -> Offset {
    let quotient = milliseconds / 1_000
    return offset(atSecond: milliseconds % 1_000 < 0 ? quotient - 1 : quotient)
  }

  private func offset(atSecond second: Int64) -> Offset {
    if let last = transitions.last, second >= last.time, let rule { return rule.offset(at: second) }
    if transitions.isEmpty, let rule { return rule.offset(at: second) }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].time <= second { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? first : transitions[low - 1].offset
  }

  /// The time in ms that a local clock shows as `local`. Of a doubled hour the earlier time is taken; an
  /// hour that is skipped is read with the offset before it.
  func utc(fromLocal local: Int64) -> Int64 {
    let before = offset(at: local - 86_400_000)
    let after = offset(at: local + 86_400_000)
    for candidate in [before, after] {
      let time = local - Int64(candidate.seconds) * 1_000
      if offset(at: time).seconds == candidate.seconds { return time }
    }
    return local - Int64(before.seconds) * 1_000
  }

  // MARK: TZif

  /// Reads a TZif file; every index in it is checked.
  init?(tzif bytes: [UInt8]) {
    guard bytes.count > 44, Array(bytes[0..<4]) == Array("TZif".utf8) else { return nil }
    var start = 0
    var wide = false
    if bytes[4] >= 0x32, let length = Self.blockLength(bytes, at: 0, timeSize: 4) {
      // The second block repeats the first with times of 64 bits.
      start = length
      wide = true
    }
    guard let header = Self.header(bytes, at: start),
      let length = Self.blockLength(bytes, at: start, timeSize: wide ? 8 : 4),
      start + length <= bytes.count
    else { return nil }
    let timeSize = wide ? 8 : 4
    let times = start + 44
    let indices = times + header.times * timeSize
    let types = indices + header.times
    let names = types + header.types * 6
    func offset(_ type: Int) -> Offset? {
      guard type < header.types else { return nil }
      let at = types + type * 6
      let seconds = Int(Int32(truncatingIfNeeded: Self.number(bytes, at, 4)))
      let nameStart = names + Int(bytes[at + 5])
      guard nameStart <= names + header.characters else { return nil }
      let name = bytes[nameStart..<names + header.characters].prefix { $0 != 0 }
      return Offset(seconds: seconds, name: String(decoding: name, as: UTF8.self))
    }
    guard let first = offset(0) else { return nil }
    self.first = first
    for i in 0..<header.times {
      guard let next = offset(Int(bytes[indices + i])) else { return nil }
      transitions.append((Self.number(bytes, times + i * timeSize, timeSize), next))
    }
    let footer = bytes[(start + length)...].dropFirst().prefix { $0 != 0x0A }
    if wide { rule = PosixZoneRule(String(decoding: footer, as: UTF8.self)) }
  }

  private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64 {
    var value: Int64 = count == 4 && bytes[start] >= 0x80 ? -1 : 0
    for byte in bytes[start..<start + count] { value = value << 8 | Int64(byte) }
    return value
  }

  private static func header(
    _ bytes: [UInt8], at start: Int
  ) -> (utc: Int, standard: Int, leaps: Int, times: Int, types: Int, characters: Int)? {
    guard start + 44 <= bytes.count else { return nil }
    let counts = (0..<6).map { Int(number(bytes, start + 20 + $0 * 4, 4)) }
    guard counts.allSatisfy({ $0 >= 0 && $0 < 100_000 }) else { return nil }
    return (counts[0], counts[1], counts[2], counts[3], counts[4], counts[5])
  }

  private static func blockLength(_ bytes: [UInt8], at start: Int, timeSize: Int) -> Int? {
    guard let h = header(bytes, at: start) else { return nil }
    let length =
      44 + h.times * (timeSize + 1) + h.types * 6 + h.characters + h.leaps * (timeSize + 4)
      + h.standard + h.utc
    return start + length <= bytes.count ? length : nil
  }
}

/// The rule for years after a zone's last transition: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZoneRule: Sendable, Hashable {
  /// The `week`-th `weekday` (0 = Sunday) of `month`, so many seconds after local midnight; week 5 is the last.
  private struct Change: Hashable {
    var month: Int
    var week: Int
    var weekday: Int
    var seconds: Int
  }

  private let standard: TimeZoneRules.Offset
  private let daylight: TimeZoneRules.Offset?
  private let begins: Change
  private let ends: Change

  /// Rules without daylight time and rules by weekday; others (Julian days) are not used by the database today.
  init?(_ text: String) {
    var rest = Array(text.utf8)[...]
    guard let name = Self.name(&rest), let offset = Self.seconds(&rest) else { return nil }
    standard = .init(seconds: -offset, name: name)
    let none = Change(month: 1, week: 1, weekday: 0, seconds: 0)
    guard let other = Self.name(&rest) else {
      daylight = nil
      (begins, ends) = (none, none)
      return
    }
    let ahead = rest.first == UInt8(ascii: ",") ? nil : Self.seconds(&rest)
    daylight = .init(seconds: ahead.map { -$0 } ?? standard.seconds + 3_600, name: other)
    guard let first = Self.change(&rest), let second = Self.change(&rest) else { return nil }
    (begins, ends) = (first, second)
  }

  private static func name(_ rest: inout ArraySlice<UInt8>) -> String? {
    if rest.first == UInt8(ascii: "<") {
      let name = rest.dropFirst().prefix { $0 != UInt8(ascii: ">") }
      rest = rest.dropFirst(name.count + 2)
      return String(decoding: name, as: UTF8.self)
    }
    let name = rest.prefix { $0 & 0xDF >= 0x41 && $0 & 0xDF <= 0x5A }
    guard name.count >= 3 else { return nil }
    rest = rest.dropFirst(name.count)
    return String(decoding: name, as: UTF8.self)
  }

  /// `[+-]hh[:mm[:ss]]`
  private static func seconds(_ rest: inout ArraySlice<UInt8>) -> Int? {
    var sign = 1
    if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      sign = first == UInt8(ascii: "-") ? -1 : 1
      rest = rest.dropFirst()
    }
    guard var total = number(&rest) else { return nil }
    total *= 3_600
    for unit in [60, 1] where rest.first == UInt8(ascii: ":") {
      rest = rest.dropFirst()
      guard let part = number(&rest) else { return nil }
      total += part * unit
    }
    return sign * total
  }

  private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
    let digits = rest.prefix { $0 &- 0x30 <= 9 }
    guard !digits.isEmpty, digits.count <= 4 else { return nil }
    rest = rest.dropFirst(digits.count)
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// `,Mm.w.d[/time]`
  private static func change(_ rest: inout ArraySlice<UInt8>) -> Change? {
    guard rest.starts(with: Array(",M".utf8)) else { return nil }
    rest = rest.dropFirst(2)
    guard let month = number(&rest), rest.popFirst() == UInt8(ascii: "."),
      let week = number(&rest), rest.popFirst() == UInt8(ascii: "."), let weekday = number(&rest),
      (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday)
    else { return nil }
    var time = 7_200
    if rest.first == UInt8(ascii: "/") {
      rest = rest.dropFirst()
      guard let given = seconds(&rest) else { return nil }
      time = given
    }
    return Change(month: month, week: week, weekday: weekday, seconds: time)
  }

  func offset(at second: Int64) -> TimeZoneRules.Offset {
    guard let daylight else { return standard }
    let days = second >= 0 ? second / 86_400 : -((-second + 86_399) / 86_400)
    let year = CivilTime.date(daysSince1970: Int(days)).year
    let start = time(of: begins, year: year) - Int64(standard.seconds)
    let end = time(of: ends, year: year) - Int64(daylight.seconds)
    let isDaylight =
      start < end ? second >= start && second < end : second >= start || second < end
    return isDaylight ? daylight : standard
  }

  /// Local seconds since 1970 of a change in a year.
  private func time(of change: Change, year: Int) -> Int64 {
    let first = CivilTime.days(year: year, month: change.month, day: 1)
    // 1970-01-01 was a Thursday.
    let weekday = ((first + 4) % 7 + 7) % 7
    var day = first + (change.weekday - weekday + 7) % 7 + (change.week - 1) * 7
    let next =
      change.month == 12
      ? CivilTime.days(year: year + 1, month: 1, day: 1)
      : CivilTime.days(year: year, month: change.month + 1, day: 1)
    while day >= next { day -= 7 }
    return Int64(day) * 86_400 + Int64(change.seconds)
  }
}
