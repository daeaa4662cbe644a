/// Sizes, counts and times as people read them.
enum HumanUnits {
  /// `812 B`, `3.4 KiB`, `1.2 GiB`.
  static func bytes(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var (value, unit) = (Double(count), 0)
    while value >= 1_023.95, unit < units.count - 1 { (value, unit) = (value / 1_024, unit + 1) }
    return unit == 0 ? "\(count) B" : "\(decimal(value)) \(units[unit])"
  }

  /// `1,438,207`.
  static func count(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// `1 event`, `2 events`.
  static func count(_ number: Int, _ noun: String) -> String {
    "\(count(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// `0.8 ms`, `41 ms`, `3.2 s`, `2 min 5 s`.
  static func duration(milliseconds: Double) -> String {
    if milliseconds < 1_000 { return "\(decimal(milliseconds)) ms" }
    let seconds = milliseconds / 1_000
    if seconds < 60 { return "\(decimal(seconds)) s" }
    let whole = Int(seconds.rounded())
    if whole < 3_600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
  }

  /// `97 MB/s`, `3.4 MB/s`: decimal megabytes of input in a time.
  static func rate(bytes: Int, milliseconds: Double) -> String {
    "\(decimal(Double(bytes) / 1_000 / max(milliseconds, 0.001))) MB/s"
  }

  /// `99.3 %` of a share between 0 and 1; what is there at all is never shown as nothing.
  static func percent(_ share: Double) -> String {
    share > 0 && share < 0.0005 ? "<0.1 %" : "\(decimal(share * 100)) %"
  }

  /// One decimal below a hundred, none above.
  static func decimal(_ value: Double) -> String {
    guard value < 99.95 else { return count(Int(value.rounded())) }
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
