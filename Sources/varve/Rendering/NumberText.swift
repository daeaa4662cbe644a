/// Digits of numbers and times, written straight into bytes.
enum NumberText {
  static func append(_ number: Int64, to out: inout [UInt8]) {
    if number < 0 { out.append(UInt8(ascii: "-")) }
    appendDigits(number.magnitude, width: 1, to: &out)
  }

  /// Digits of a number, with leading zeros up to `width`.
  static func appendDigits(_ number: UInt64, width: Int, to out: inout [UInt8]) {
    // 20 digits hold the largest number.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var (rest, start) = (number, 20)
      repeat {
        start -= 1
        digits[start] = 48 + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest != 0
      for _ in 0..<max(0, width - (20 - start)) { out.append(48) }
      out.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[start..<20]))
    }
  }

  /// A decimal number as its event wrote it.
  static func append(mantissa: Int64, decimals: Int, to out: inout [UInt8]) {
    guard decimals > 0 else { return append(mantissa, to: &out) }
    if mantissa < 0 { out.append(UInt8(ascii: "-")) }
    var power: UInt64 = 1
    for _ in 0..<decimals { power *= 10 }
    appendDigits(mantissa.magnitude / power, width: 1, to: &out)
    out.append(UInt8(ascii: "."))
    appendDigits(mantissa.magnitude % power, width: decimals, to: &out)
  }

  /// The shortest text that reads back as the same number; whole numbers without a point.
  static func append(_ number: Double, to out: inout [UInt8]) {
    if number.magnitude < 9e15, number == number.rounded(.towardZero) {
      append(Int64(number), to: &out)
    } else {
      out.append(contentsOf: number.description.utf8)
    }
  }

  /// `YYYY-MM-DD HH:MM:SS.mmm`; years outside 0 to 9999 get a sign and as many digits as they need.
  static func append(timestamp: Int64, to out: inout [UInt8]) {
    let day = timestamp >= 0 ? timestamp / 86_400_000 : (timestamp - 86_399_999) / 86_400_000
    let ofDay = UInt64(timestamp - day * 86_400_000)
    let (year, month, dayOfMonth) = civil(day)
    if year < 0 || year > 9_999 { out.append(UInt8(ascii: year < 0 ? "-" : "+")) }
    appendDigits(year.magnitude, width: 4, to: &out)
    out.append(UInt8(ascii: "-"))
    appendDigits(UInt64(month), width: 2, to: &out)
    out.append(UInt8(ascii: "-"))
    appendDigits(UInt64(dayOfMonth), width: 2, to: &out)
    out.append(UInt8(ascii: " "))
    appendDigits(ofDay / 3_600_000, width: 2, to: &out)
    out.append(UInt8(ascii: ":"))
    appendDigits(ofDay / 60_000 % 60, width: 2, to: &out)
    out.append(UInt8(ascii: ":"))
    appendDigits(ofDay / 1_000 % 60, width: 2, to: &out)
    out.append(UInt8(ascii: "."))
    appendDigits(ofDay % 1_000, width: 3, to: &out)
  }
}

extension NumberText {
  /// A computed number as people read it: rounded half to even at four decimals, trailing zeros
  /// cut; below 0.0001 four significant digits; never an exponent below 10^21.
  static func appendRounded(_ number: Double, to out: inout [UInt8]) {
    let size = number.magnitude
    guard size >= 0.0001, size < 9e11 else { return appendExtreme(number, to: &out) }
    var scaled = UInt64((size * 10_000).rounded(.toNearestOrEven))
    if number < 0, scaled > 0 { out.append(UInt8(ascii: "-")) }
    var decimals = 4
    while decimals > 0, scaled % 10 == 0 { (scaled, decimals) = (scaled / 10, decimals - 1) }
    append(mantissa: Int64(scaled), decimals: decimals, to: &out)
  }

  /// Numbers whose size the quick way cannot hold, and zero.
  private static func appendExtreme(_ number: Double, to out: inout [UInt8]) {
    if number == 0 { return out.append(48) }
    if number.magnitude < 9e15 && number.magnitude >= 1 || number.magnitude >= 1e21 {
      return append(number, to: &out)
    }
    if number < 0 { out.append(UInt8(ascii: "-")) }
    var digits: [UInt8] = []
    if number.magnitude >= 1 { return appendWhole(number.magnitude, to: &out) }
    var (value, zeros) = (number.magnitude, 0)
    while value < 0.1 { (value, zeros) = (value * 10, zeros + 1) }
    appendDigits(UInt64((value * 10_000).rounded(.toNearestOrEven)), width: 4, to: &digits)
    while digits.last == 48 { digits.removeLast() }
    out.append(contentsOf: "0.".utf8)
    out.append(contentsOf: [UInt8](repeating: 48, count: zeros) + digits)
  }

  /// A whole number from 9·10^15 on: the digits of its shortest text, without its exponent.
  private static func appendWhole(_ number: Double, to out: inout [UInt8]) {
    let parts = number.description.utf8.split(separator: UInt8(ascii: "e"))
    let digits = parts[0].filter { $0 != UInt8(ascii: ".") }
    guard parts.count == 2, let exponent = Int(String(parts[1]) ?? "") else {
      return out.append(contentsOf: parts[0].prefix { $0 != UInt8(ascii: ".") })
    }
    out.append(contentsOf: digits)
    out.append(contentsOf: repeatElement(48, count: max(0, exponent + 1 - digits.count)))
  }

  /// Year, month and day of a day since 1970 (Hinnant, "chrono-compatible low-level date
  /// algorithms").
  private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let z = day + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
    )
  }
}
