import Foundation

// Values by the language reference, for comparison with the engine: its own JSON reader, coercion,
// order and printing, obvious rather than fast. Nothing here is shared with the engine.

/// One cell of a row.
indirect enum NaiveValue {
  case missing
  case text(String)
  case integer(Int64)
  /// A computed number.
  case double(Double)
  /// A number of an event, with its spelling.
  case spelled(Double, String)
  case condition(Bool)
  case jsonBoolean(Bool)
  /// Milliseconds since 1970.
  case time(Int64)
  case list([NaiveValue])
  case map([(key: String, value: NaiveValue)])

  var isMissing: Bool { if case .missing = self { true } else { false } }

  var isStructure: Bool {
    switch self {
    case .list, .map: true
    default: false
    }
  }

  /// The value where structures count as null.
  var scalar: NaiveValue { isStructure ? .missing : self }
}

/// A number: exact while it fits into 64 bits.
enum NaiveNumber {
  case integer(Int64)
  case double(Double)

  var double: Double {
    switch self {
    case .integer(let integer): Double(integer)
    case .double(let double): double
    }
  }

  var value: NaiveValue {
    switch self {
    case .integer(let integer): .integer(integer)
    case .double(let double): double.isFinite ? .double(double) : .missing
    }
  }

  /// Optional sign, digits with a point, optional exponent, nothing else. One that is too large for a
  /// double is infinite: it sorts as a number but converts to none.
  init?(text: String) {
    guard Self.isSpelled(text) else { return nil }
    if let integer = Int64(text) {
      self = .integer(integer)
    } else if let double = Double(text) {
      self = .double(double)
    } else {
      return nil
    }
  }

  private static func isSpelled(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    func take(_ signs: String) -> Bool {
      guard let first = rest.first, signs.utf8.contains(first) else { return false }
      rest.removeFirst()
      return true
    }
    func takeDigits() -> Int {
      var count = 0
      while take("0123456789") { count += 1 }
      return count
    }
    _ = take("+-")
    var digits = takeDigits()
    if take(".") { digits += takeDigits() }
    if digits == 0 { return false }
    if take("eE") {
      _ = take("+-")
      if takeDigits() == 0 { return false }
    }
    return rest.isEmpty
  }

  static func compare(_ a: NaiveNumber, _ b: NaiveNumber) -> Int {
    if case .integer(let x) = a, case .integer(let y) = b { return x < y ? -1 : x == y ? 0 : 1 }
    if case .integer(let x) = a { return compare(x, b.double) }
    if case .integer(let y) = b { return -compare(y, a.double) }
    return a.double < b.double ? -1 : a.double == b.double ? 0 : 1
  }

  private static func compare(_ a: Int64, _ b: Double) -> Int {
    if b >= 0x1p63 { return -1 }
    if b < -0x1p63 { return 1 }
    let whole = Int64(b.rounded(.down))
    if a != whole { return a < whole ? -1 : 1 }
    return b > b.rounded(.down) ? -1 : 0
  }
}

// MARK: - Coercion

extension NaiveValue {
  var number: NaiveNumber? {
    switch self {
    case .integer(let integer): .integer(integer)
    case .double(let double), .spelled(let double, _): .double(double)
    case .condition(let flag), .jsonBoolean(let flag): .integer(flag ? 1 : 0)
    case .time(let time): .integer(time)
    case .text(let text):
      NaiveNumber(text: text.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap {
        $0.double.isFinite ? $0 : nil
      }
    case .missing, .list, .map: nil
    }
  }

  var text: String? {
    switch self {
    case .text(let text): text
    case .integer(let integer): String(integer)
    case .double(let double): Self.plain(double)
    case .spelled(_, let text): text
    case .condition(let flag): flag ? "1" : "0"
    case .jsonBoolean(let flag): flag ? "true" : "false"
    case .time(let time): Self.written(time)
    case .missing, .list, .map: nil
    }
  }

  private static func written(_ time: Int64) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyy-MM-dd HH:mm:ss.SSS"
    return formatter.string(from: Date(timeIntervalSince1970: Double(time) / 1000))
  }

  var isTrue: Bool {
    switch self {
    case .condition(let flag), .jsonBoolean(let flag): return flag
    case .text(let text):
      if text.lowercased() == "true" { return true }
      return number.map { $0.double != 0 } ?? false
    default: return number.map { $0.double != 0 } ?? false
    }
  }

  /// What decides whether two values are one group.
  var key: String? {
    if case .spelled(let double, _) = self { return Self.plain(double) }
    return text
  }

  /// Of values in one group the one of the highest kind shows, among equals the shortest.
  func outranks(_ other: NaiveValue) -> Bool {
    if kind != other.kind { return kind > other.kind }
    let (mine, theirs) = (text ?? "", other.text ?? "")
    if mine == theirs, case .spelled = self, case .double = other { return true }
    return (mine.utf8.count, mine) < (theirs.utf8.count, theirs)
  }

  private var kind: Int {
    switch self {
    case .missing, .list, .map: 0
    case .text: 1
    case .condition, .jsonBoolean: 2
    case .time: 3
    case .integer, .double, .spelled: 4
    }
  }

  private static func plain(_ double: Double) -> String {
    if double == double.rounded(), abs(double) < 1e30 { return String(Int128(double)) }
    return "\(double)"
  }

  // MARK: Printing

  var shown: String? {
    switch self {
    case .missing: nil
    case .double(let double): Self.rounded(double)
    case .list, .map: json
    default: text
    }
  }

  private static func rounded(_ double: Double) -> String {
    if double == double.rounded(), abs(double) < 9.2e18 { return String(Int64(double)) }
    let small = abs(double) < 0.0001
    let places = small ? 3 - Int(log10(abs(double)).rounded(.down)) : 4
    var text = String(format: "%.\(places)f", double)
    // What is halfway is seen in the digits that the number is written with: 0.00125, which is a
    // little more when taken as a double, goes to the even 0.0012.
    if abs(double) < 1e15, var exact = Decimal(string: "\(double)") {
      var rounded = Decimal()
      NSDecimalRound(&rounded, &exact, places, .bankers)
      text = NSDecimalString(&rounded, nil)
    }
    guard text.contains(".") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  private var json: String {
    switch self {
    case .missing: "null"
    case .text(let text): Self.quoted(text)
    case .list(let list): "[\(list.map(\.json).joined(separator: ","))]"
    case .map(let map):
      "{\(map.map { "\(Self.quoted($0.key)):\($0.value.json)" }.joined(separator: ","))}"
    default: shown ?? ""
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\u{0}"..<" ":
        let code = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - code.count) + code
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

// MARK: - Comparison and order

extension NaiveValue {
  static func holds(_ sign: String, _ left: NaiveValue, _ right: NaiveValue) -> Bool {
    if left.isMissing || right.isMissing || left.isStructure || right.isStructure { return false }
    if case .text(let a) = left, case .text(let b) = right {
      if sign == "=" || sign == "!=" {
        return (Array(a.unicodeScalars) == Array(b.unicodeScalars)) == (sign == "=")
      }
      if let x = left.number, let y = right.number {
        return holds(sign, NaiveNumber.compare(x, y))
      }
      return holds(sign, scalars(a, b))
    }
    guard let x = left.comparable(with: right), let y = right.comparable(with: left) else {
      return sign == "!="
    }
    return holds(sign, NaiveNumber.compare(x, y))
  }

  /// The number; against a boolean the words of the booleans count too.
  private func comparable(with other: NaiveValue) -> NaiveNumber? {
    if case .text(let text) = self, other.isBoolean {
      if text.lowercased() == "true" { return .integer(1) }
      if text.lowercased() == "false" { return .integer(0) }
    }
    if case .text(let text) = self, case .time = other, number == nil {
      return Self.time(of: text).map { .integer($0) }
    }
    return number
  }

  /// The ms of a text that shows a time in the form of ISO 8601 or in that of results.
  private static func time(of text: String) -> Int64? {
    let form =
      #/^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2})?)?)?$/#
    guard let match = text.wholeMatch(of: form)?.output else { return nil }
    func number(_ part: Substring?) -> Int { part.flatMap { Int($0) } ?? 0 }
    var parts = tm()
    parts.tm_year = Int32(number(match.1) - 1900)
    parts.tm_mon = Int32(number(match.2) - 1)
    parts.tm_mday = Int32(number(match.3))
    let day = parts.tm_mday
    parts.tm_hour = Int32(number(match.4))
    parts.tm_min = Int32(number(match.5))
    parts.tm_sec = Int32(number(match.6))
    guard parts.tm_hour < 24, parts.tm_min < 60, parts.tm_sec <= 60 else { return nil }
    let seconds = timegm(&parts)
    guard parts.tm_mday == day || number(match.6) == 60 else { return nil }
    let fraction = number(((match.7 ?? "") + "000").prefix(3))
    let offset = (number(match.9) * 60 + number(match.10)) * (match.8 == "-" ? -60 : 60)
    return Int64(seconds - offset) * 1000 + Int64(fraction)
  }

  var isBoolean: Bool {
    switch self {
    case .condition, .jsonBoolean: true
    default: false
    }
  }

  private static func holds(_ sign: String, _ order: Int) -> Bool {
    switch sign {
    case "=": order == 0
    case "!=": order != 0
    case "<": order < 0
    case "<=": order <= 0
    case ">": order > 0
    default: order >= 0
    }
  }

  static func scalars(_ a: String, _ b: String) -> Int {
    let x = a.unicodeScalars.map(\.value)
    let y = b.unicodeScalars.map(\.value)
    return x == y ? 0 : x.lexicographicallyPrecedes(y) ? -1 : 1
  }

  /// The order of `sort`: nothing, what is no number, numbers.
  static func order(_ left: NaiveValue, _ right: NaiveValue) -> Int {
    let a = left.scalar
    let b = right.scalar
    if a.rank != b.rank { return a.rank < b.rank ? -1 : 1 }
    guard var x = a.text, var y = b.text else { return 0 }
    if case .time(let time) = a { x = String(time) }
    if case .time(let time) = b { y = String(time) }
    guard a.rank == 2, let p = a.sortNumber, let q = b.sortNumber else { return natural(x, y) }
    let byValue = NaiveNumber.compare(p, q)
    if byValue != 0 { return byValue }
    if x.count != y.count { return x.count < y.count ? -1 : 1 }
    return scalars(x, y)
  }

  private var rank: Int {
    switch self {
    case .missing, .list, .map: 0
    case .text(let text): NaiveNumber(text: text) == nil ? 1 : 2
    default: 2
    }
  }

  private var sortNumber: NaiveNumber? {
    if case .text(let text) = self { return NaiveNumber(text: text) }
    return number
  }

  private static func natural(_ a: String, _ b: String) -> Int {
    let x = runs(a)
    let y = runs(b)
    for (p, q) in zip(x, y) {
      let areDigits = isDigit(p.unicodeScalars.first) && isDigit(q.unicodeScalars.first)
      if areDigits, p.count != q.count { return p.count < q.count ? -1 : 1 }
      let order = scalars(p, q)
      if order != 0 { return order }
    }
    return x.count < y.count ? -1 : x.count == y.count ? 0 : 1
  }

  private static func isDigit(_ scalar: Unicode.Scalar?) -> Bool {
    scalar.map { ("0"..."9").contains($0) } ?? false
  }

  private static func runs(_ text: String) -> [String] {
    var runs: [String] = []
    var last: Bool?
    for scalar in text.unicodeScalars {
      let digit = isDigit(scalar)
      if digit != last { runs.append("") }
      runs[runs.count - 1].unicodeScalars.append(scalar)
      last = digit
    }
    return runs
  }
}

// MARK: - JSON

/// A reader of the JSON that the generator of events writes; it keeps the spelling of numbers.
struct NaiveJSON {
  private var rest: Substring.UnicodeScalarView

  static func parse(_ text: String) -> NaiveValue {
    var reader = NaiveJSON(rest: Substring(text).unicodeScalars)
    return reader.value()
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func value() -> NaiveValue {
    if take("{") {
      var map: [(key: String, value: NaiveValue)] = []
      while !take("}"), !rest.isEmpty {
        let key = string()
        _ = take(":")
        map.append((key, value()))
        _ = take(",")
      }
      return .map(map)
    }
    if take("[") {
      var list: [NaiveValue] = []
      while !take("]"), !rest.isEmpty {
        list.append(value())
        _ = take(",")
      }
      return .list(list)
    }
    return rest.first == "\"" ? .text(string()) : word()
  }

  private mutating func string() -> String {
    var text = String.UnicodeScalarView()
    _ = take("\"")
    while let scalar = rest.popFirst(), scalar != "\"" {
      guard scalar == "\\" else {
        text.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "n": text.append("\n")
      case "t": text.append("\t")
      case "u":
        let code = UInt32(String(rest.prefix(4)), radix: 16).flatMap(Unicode.Scalar.init)
        if let code { text.append(code) }
        rest = rest.dropFirst(4)
      case let other?: text.append(other)
      case nil: break
      }
    }
    return String(text)
  }

  private mutating func word() -> NaiveValue {
    let word = String(rest.prefix { !",]}".unicodeScalars.contains($0) })
    rest = rest.dropFirst(word.unicodeScalars.count)
    switch word {
    case "true": return .jsonBoolean(true)
    case "false": return .jsonBoolean(false)
    case "null": return .missing
    default:
      if let integer = Int64(word), String(integer) == word { return .integer(integer) }
      return .spelled(Double(word) ?? 0, word)
    }
  }
}
