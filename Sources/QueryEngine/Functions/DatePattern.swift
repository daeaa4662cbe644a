import Columnar

/// The letters of `parseDate`, a subset of Java's DateTimeFormatter, checked when made.
struct DatePattern: Sendable {
  private enum Part: Sendable {
    case text([UInt8])
    /// A letter and how often it stands.
    case field(UInt8, Int)
  }

  private let parts: [Part]

  /// As many as a fraction of a second has digits; what they stand for is a number of no more.
  private static let mostLetters = 9

  private static let letters = Set("yuMLdDEHkhamsSnAXxZzV".utf8)

  /// - Throws: ``UnsupportedDateCode`` with the first letter that is not known.
  init(_ pattern: String) throws(UnsupportedDateCode) {
    var parts: [Part] = []
    let bytes = Array(pattern.utf8)
    var i = 0
    while i < bytes.count {
      let byte = bytes[i]
      if byte == UInt8(ascii: "'") {
        let (text, end) = try Self.quoted(bytes, from: i + 1)
        parts.append(.text(text))
        i = end
      } else if byte & 0xDF >= 0x41, byte & 0xDF <= 0x5A {
        guard Self.letters.contains(byte) else {
          throw UnsupportedDateCode(code: String(Unicode.Scalar(byte)))
        }
        let count = bytes[i...].prefix { $0 == byte }.count
        guard count <= Self.mostLetters else {
          throw UnsupportedDateCode(
            code: String(repeating: String(Unicode.Scalar(byte)), count: count))
        }
        parts.append(.field(byte, count))
        i += count
      } else {
        parts.append(.text([byte]))
        i += 1
      }
    }
    self.parts = parts
  }

  /// `'text'`, in which `''` is one quote; `''` alone is a quote too.
  private static func quoted(
    _ bytes: [UInt8], from start: Int
  ) throws(UnsupportedDateCode) -> (text: [UInt8], end: Int) {
    let quote = UInt8(ascii: "'")
    if start < bytes.count, bytes[start] == quote { return ([quote], start + 1) }
    var text: [UInt8] = []
    var i = start
    while i < bytes.count {
      if bytes[i] == quote {
        guard i + 1 < bytes.count, bytes[i + 1] == quote else { return (text, i + 1) }
        i += 1
      }
      text.append(bytes[i])
      i += 1
    }
    throw UnsupportedDateCode(code: "'")
  }

  /// The time that the whole text shows, in epoch ms; missing parts are those of 1970-01-01 00:00.
  func milliseconds(in text: String, zone: TimeZoneRules) -> Int64? {
    var reader = DateReader(text: Array(text.utf8))
    for (index, part) in parts.enumerated() {
      let followedByDigits =
        if index + 1 < parts.count, case .field = parts[index + 1] { true } else { false }
      switch part {
      case .text(let expected): guard reader.take(expected) else { return nil }
      case .field(let letter, let count):
        guard reader.take(letter, count, isFixed: followedByDigits) else { return nil }
      }
    }
    guard reader.isAtEnd else { return nil }
    return reader.milliseconds(zone: zone)
  }
}

/// Reads a text along a pattern and gathers what it says.
private struct DateReader {
  let text: [UInt8]
  private var position = 0
  private var year = 1970
  private var month: Int?
  private var day: Int?
  private var dayOfYear: Int?
  private var hour = 0
  private var isAfternoon: Bool?
  private var usesHalfDays = false
  private var minute = 0
  private var second = 0
  private var nanosecond = 0
  private var milliOfDay: Int?
  private var zone: TimeZoneRules?

  init(text: [UInt8]) { self.text = text }

  var isAtEnd: Bool { position == text.count }

  mutating func take(_ expected: [UInt8]) -> Bool {
    guard text[position...].starts(with: expected) else { return false }
    position += expected.count
    return true
  }

  /// One field of the pattern.
  ///
  /// - Parameter isFixed: another field follows at once, so exactly `count` digits are read.
  mutating func take(_ letter: UInt8, _ count: Int, isFixed: Bool) -> Bool {
    func width(_ most: Int) -> ClosedRange<Int> {
      isFixed || count >= 2 && most == 2 ? count...max(count, isFixed ? count : most) : 1...most
    }
    switch letter {
    case UInt8(ascii: "y"), UInt8(ascii: "u"):
      if count == 2 { return number(2...2, 0...99) { $0.year = 2000 + $1 } }
      return number(isFixed ? count...count : min(count, 4)...9, 0...999_999_999) { $0.year = $1 }
    case UInt8(ascii: "M"), UInt8(ascii: "L"):
      if count >= 3 { return name(CalendarNames.months, isShort: count == 3) { $0.month = $1 + 1 } }
      return number(width(2), 1...12) { $0.month = $1 }
    case UInt8(ascii: "d"): return number(width(2), 1...31) { $0.day = $1 }
    case UInt8(ascii: "D"):
      return number(isFixed ? count...count : 1...3, 1...366) { $0.dayOfYear = $1 }
    case UInt8(ascii: "E"):
      return name(CalendarNames.weekdays, isShort: count <= 3) { _, _ in }
    case UInt8(ascii: "H"): return number(width(2), 0...23) { $0.hour = $1 }
    case UInt8(ascii: "k"): return number(width(2), 1...24) { $0.hour = $1 % 24 }
    case UInt8(ascii: "h"):
      usesHalfDays = true
      return number(width(2), 1...12) { $0.hour = $1 % 12 }
    case UInt8(ascii: "a"):
      return name(["AM", "PM"], isShort: false) { $0.isAfternoon = $1 == 1 }
    case UInt8(ascii: "m"): return number(width(2), 0...59) { $0.minute = $1 }
    case UInt8(ascii: "s"): return number(width(2), 0...59) { $0.second = $1 }
    case UInt8(ascii: "S"):
      return number(count...count, 0...999_999_999) { reader, value in
        reader.nanosecond = (count..<9).reduce(value) { scaled, _ in scaled * 10 }
      }
    case UInt8(ascii: "n"): return number(1...9, 0...999_999_999) { $0.nanosecond = $1 }
    case UInt8(ascii: "A"): return number(1...8, 0...86_399_999) { $0.milliOfDay = $1 }
    default: return takeZone()
    }
  }

  private mutating func number(
    _ digits: ClosedRange<Int>, _ range: ClosedRange<Int>, _ set: (inout DateReader, Int) -> Void
  ) -> Bool {
    var value = 0
    var count = 0
    while count < digits.upperBound, position < text.count, text[position] &- 0x30 <= 9 {
      value = value * 10 + Int(text[position] - 0x30)
      position += 1
      count += 1
    }
    guard count >= digits.lowerBound, range.contains(value) else { return false }
    set(&self, value)
    return true
  }

  private mutating func name(
    _ names: [String], isShort: Bool, _ set: (inout DateReader, Int) -> Void
  ) -> Bool {
    for (index, name) in names.enumerated() {
      let wanted = Array((isShort ? String(name.prefix(3)) : name).lowercased().utf8)
      let end = position + wanted.count
      guard end <= text.count else { continue }
      let found = text[position..<end].map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
      if found == wanted {
        position = end
        set(&self, index)
        return true
      }
    }
    return false
  }

  /// An offset, `Z`, or the name of a zone, up to the next character that neither can hold.
  private mutating func takeZone() -> Bool {
    let rest = text[position...].prefix { byte in
      byte & 0xDF >= 0x41 && byte & 0xDF <= 0x5A || byte &- 0x30 <= 9
        || [0x2B, 0x2D, 0x2F, 0x3A, 0x5F].contains(byte)
    }
    guard let zone = TimeZoneRules.named(String(decoding: rest, as: UTF8.self)) else {
      return false
    }
    self.zone = zone
    position += rest.count
    return true
  }

  private static let mostDays = Int(Int64.max / 86_400_000) - 2

  func milliseconds(zone argument: TimeZoneRules) -> Int64? {
    let days: Int
    if let dayOfYear {
      guard dayOfYear <= (CivilTime.isLeap(year) ? 366 : 365) else { return nil }
      days = CivilTime.days(year: year, month: 1, day: 1) + dayOfYear - 1
    } else {
      guard (day ?? 1) <= CivilTime.dayCount(year: year, month: month ?? 1) else { return nil }
      days = CivilTime.days(year: year, month: month ?? 1, day: day ?? 1)
    }
    var millisecond = milliOfDay ?? 0
    if milliOfDay == nil {
      let hours = hour + (usesHalfDays && isAfternoon == true ? 12 : 0)
      millisecond = ((hours * 60 + minute) * 60 + second) * 1_000 + nanosecond / 1_000_000
    }
    // Times end some 292 million years after 1970; a day and an offset must fit as well.
    guard days < Self.mostDays else { return nil }
    let local = Int64(days) * 86_400_000 + Int64(millisecond)
    return (zone ?? argument).utc(fromLocal: local)
  }
}
