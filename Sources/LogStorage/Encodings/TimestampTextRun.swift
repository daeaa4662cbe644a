import Columnar

/// Texts of a time (`2026-03-02T10:00:00.123456Z`) as a *form* and a distance from the event's time.
///
/// A form says what stands around the digits: the separator (`T`, `t` or a blank), the mark before the
/// fraction (`.` or `,`), how many fraction digits (0 to 9) and the zone text verbatim (``, `Z`,
/// `+01:00`, `+0330`). With the form known, the text is a function of one number: the ticks (units of the last
/// fraction digit) since 1970 of the *local* time that is written. Stored is the difference to
/// the event's own time in the same ticks — zero, or the digits below a millisecond, when the
/// field is where the event's time came from.
///
/// `2026-03-02T10:00:00.123456Z` at event time …00.123: form (`T`, `.`, 6, `Z`), difference 456.
///
/// A text is admitted only if rendering gives it back byte for byte, so odd dates (`2026-02-30`) and odd
/// digits never lose anything: the column falls back to another encoding.
struct TimestampTextRun: Sendable {
  struct Form: Sendable, Hashable {
    var separator: UInt8
    var fractionMark: UInt8
    var fractionDigits: UInt8
    var zone: [UInt8]

    /// Ticks in a millisecond for forms of three digits or more, else 1.
    var ticksPerMillisecond: Int64 {
      fractionDigits >= 3 ? TimestampTextRun.powersOfTen[Int(fractionDigits) - 3] : 1
    }

    /// An event time in the form's ticks.
    @inline(__always)
    func ticks(milliseconds: Int64) -> Int64 {
      if fractionDigits >= 3 { return milliseconds &* ticksPerMillisecond }
      let divisor = TimestampTextRun.powersOfTen[3 - Int(fractionDigits)]
      return floorDivide(milliseconds, divisor)
    }
  }

  var forms: [Form]
  /// Form of each value; empty when there is one form.
  var formOf: [UInt16]
  /// Ticks since 1970 of the time written.
  var ticks: [Int64]

  /// Whether a text can hold a literal, by its bytes alone.
  func mayHold(_ search: ByteSearch) -> Bool {
    var known = Array("0123456789-:".utf8)
    for form in forms { known += [form.separator, form.fractionMark] + form.zone }
    if search.ignoringCase { known = known.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } }
    return search.pattern.allSatisfy { known.contains($0) }
  }

  static let powersOfTen: [Int64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  ]

  /// Form and ticks of a text, or `nil`.
  static func parse(_ p: UnsafePointer<UInt8>, _ count: Int) -> (form: Form, ticks: Int64)? {
    guard count >= 19, count <= 36, p[4] == 0x2D, p[7] == 0x2D, p[13] == 0x3A, p[16] == 0x3A,
      p[10] == 0x54 || p[10] == 0x20 || p[10] == 0x74
    else { return nil }
    func two(_ at: Int) -> Int64 {
      let a = p[at] &- 0x30
      let b = p[at + 1] &- 0x30
      return a <= 9 && b <= 9 ? Int64(a) * 10 + Int64(b) : -1
    }
    let (century, year, month, day) = (two(0), two(2), two(5), two(8))
    let (hour, minute, second) = (two(11), two(14), two(17))
    guard century >= 0, year >= 0, month >= 1, month <= 12, day >= 1, day <= 31, hour >= 0,
      hour <= 23, minute >= 0, minute <= 59, second >= 0, second <= 59
    else { return nil }
    var i = 19
    var fraction: Int64 = 0
    var digits = 0
    var mark: UInt8 = 0x2E
    if i < count, p[i] == 0x2E || p[i] == 0x2C {
      mark = p[i]
      i += 1
      while i < count, digits < 10, p[i] &- 0x30 <= 9 {
        fraction = fraction * 10 + Int64(p[i] &- 0x30)
        digits += 1
        i += 1
      }
      guard digits >= 1, digits <= 9 else { return nil }
    }
    let zone = UnsafeBufferPointer(start: p + i, count: count - i)
    guard zone.count <= 6 else { return nil }
    let (y, m) = (Int(century * 100 + year), Int(month))
    let days = Int64(CivilTime.days(year: y, month: m, day: Int(day)))
    guard day <= CivilTime.dayCount(year: y, month: m) else { return nil }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: powersOfTen[digits])
    guard !overflow else { return nil }
    let form = Form(
      separator: p[10], fractionMark: mark, fractionDigits: UInt8(digits), zone: Array(zone))
    return (form, whole + fraction)
  }

  /// Appends the text of value `i`.
  func append(_ i: Int, to output: inout [UInt8]) {
    let form = forms[formOf.isEmpty ? 0 : Int(formOf[i])]
    let unit = Self.powersOfTen[Int(form.fractionDigits)]
    let seconds = floorDivide(ticks[i], unit)
    let fraction = ticks[i] &- seconds &* unit
    let days = floorDivide(seconds, 86_400)
    let rest = seconds - days * 86_400
    let (year, month, day) = CivilTime.date(daysSince1970: Int(days))
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
      var end = 0
      func digits(_ value: Int64, _ count: Int) {
        var rest = value
        for k in 0..<count {
          buffer[end + count - 1 - k] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        }
        end += count
      }
      func mark(_ byte: UInt8) {
        buffer[end] = byte
        end += 1
      }
      digits(Int64(year), 4)
      mark(0x2D)
      digits(Int64(month), 2)
      mark(0x2D)
      digits(Int64(day), 2)
      mark(form.separator)
      digits(rest / 3_600, 2)
      mark(0x3A)
      digits(rest / 60 % 60, 2)
      mark(0x3A)
      digits(rest % 60, 2)
      if form.fractionDigits > 0 {
        mark(form.fractionMark)
        digits(fraction, Int(form.fractionDigits))
      }
      output.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<end]))
    }
    output.append(contentsOf: form.zone)
  }
}

/// The quotient rounded toward minus infinity.
@inline(__always)
func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
  let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
  return remainder < 0 ? quotient - 1 : quotient
}
