/// Pieces of text that several sample files are made of.
enum SampleText {
  static let account = "123456789012"
  static let region = "eu-central-1"

  /// Milliseconds since 1970 of a UTC time.
  static func time(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0,
    _ millisecond: Int = 0
  ) -> Int {
    // Days since 1970 of a civil date (Hinnant, "chrono-compatible low-level date algorithms").
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millisecond
  }

  /// `2026-03-14T03:00:00.000Z`, or without its milliseconds; `offsetHours` gives a local time and
  /// its offset in place of the `Z`.
  static func iso(_ time: Int, milliseconds: Bool = true, offsetHours: Int = 0) -> String {
    let local = time + offsetHours * 3_600_000
    let (date, ofDay) = (civil(local / 86_400_000), local % 86_400_000)
    var text = "\(date.year)-\(pad(date.month, 2))-\(pad(date.day, 2))T"
    text += "\(pad(ofDay / 3_600_000, 2)):\(pad(ofDay / 60_000 % 60, 2))"
    text += ":\(pad(ofDay / 1_000 % 60, 2))"
    if milliseconds { text += ".\(pad(ofDay % 1_000, 3))" }
    return text + (offsetHours == 0 ? "Z" : "+\(pad(offsetHours, 2)):00")
  }

  static func pad(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// A number with two decimals, from hundredths.
  static func money(_ cents: Int) -> String { "\(cents / 100).\(pad(cents % 100, 2))" }

  /// A JSON string with its quotes; only what JSON demands is escaped.
  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let z = days + 719_468
    let era = z / 146_097
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
