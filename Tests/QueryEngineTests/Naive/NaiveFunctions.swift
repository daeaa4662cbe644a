import Foundation

// Scalar functions by section 7 of the language reference.

extension NaiveEvaluator {
  static func scalar(_ name: String, _ values: [NaiveValue]) throws -> NaiveValue {
    if let general = general(name, values) { return general }
    if let numeric = numeric(name, values) { return numeric }
    if let text = text(name, values) { return text }
    throw NaiveRefusal(description: name)
  }

  private static func general(_ name: String, _ values: [NaiveValue]) -> NaiveValue? {
    let first = values[0]
    switch name {
    case "ispresent": return .condition(!first.isMissing)
    case "isnumeric": return .condition(first.number != nil)
    case "coalesce": return values.first { !$0.isMissing } ?? .missing
    case "if": return first.isTrue ? values[1] : values[2]
    case "case":
      for index in stride(from: 0, to: values.count - 1, by: 2) where values[index].isTrue {
        return values[index + 1]
      }
      return values.count.isMultiple(of: 2) ? .missing : values[values.count - 1]
    case "messagesize": return first.text.map { .integer(Int64($0.utf8.count)) } ?? .missing
    case "jsonparse":
      guard case .text(let text) = first else { return first.isStructure ? first : .missing }
      return text.hasPrefix("{") || text.hasPrefix("[") ? NaiveJSON.parse(text) : .missing
    case "jsonarraysize":
      if case .list(let list) = first { return .integer(Int64(list.count)) }
      guard case .text(let text) = first, text.hasPrefix("["),
        case .list(let list) = NaiveJSON.parse(text)
      else { return .missing }
      return .integer(Int64(list.count))
    case "jsonstringify": return first.isStructure ? first.shown.map { .text($0) } : .missing
    case "tomillis":
      if case .time(let time) = first { return .integer(time) }
      return nil
    case "frommillis":
      guard let number = first.number, let time = Int64(exactly: number.double.rounded(.down))
      else { return .missing }
      return .time(time)
    default: return nil
    }
  }

  // MARK: Numbers

  private static func numeric(_ name: String, _ values: [NaiveValue]) -> NaiveValue? {
    switch name {
    case "greatest", "least":
      let numbers = values.compactMap(\.number)
      let sign = name == "least" ? -1 : 1
      return numbers.dropFirst().reduce(numbers.first) { best, number in
        best.map { NaiveNumber.compare(number, $0) == sign ? number : $0 }
      }?.value ?? .missing
    case "abs", "ceil", "floor", "round", "log", "sqrt", "tonumber", "toint", "tolong", "todouble",
      "dectohex":
      guard let number = values[0].number else { return .missing }
      if name == "round" {
        if values.count == 1 { return round(number, 0) }
        return values[1].number.map { round(number, Int($0.double)) } ?? .missing
      }
      return numeric(name, number)
    default: return nil
    }
  }

  private static func numeric(_ name: String, _ number: NaiveNumber) -> NaiveValue {
    let double = number.double
    switch name {
    case "abs": return double < 0 ? negative(number) : number.value
    case "ceil":
      if case .integer = number { return number.value }
      return .double(double.rounded(.up))
    case "floor":
      if case .integer = number { return number.value }
      return .double(double.rounded(.down))
    case "log": return double > 0 ? .double(log(double)) : .missing
    case "sqrt": return double >= 0 ? .double(double.squareRoot()) : .missing
    case "todouble": return .double(double)
    case "toint", "tolong", "dectohex":
      var whole: Int64?
      if case .integer(let integer) = number { whole = integer }
      whole = whole ?? Int64(exactly: double.rounded(.towardZero))
      guard let whole else { return .missing }
      if name == "dectohex" {
        return .text((whole < 0 ? "-0x" : "0x") + String(whole.magnitude, radix: 16))
      }
      if name == "toint", Int32(exactly: whole) == nil { return .missing }
      return .integer(whole)
    default: return number.value
    }
  }

  /// Half away from zero, on the shortest decimal of the number.
  private static func round(_ number: NaiveNumber, _ places: Int) -> NaiveValue {
    if case .integer = number, places >= 0 { return number.value }
    let text = number.value.text ?? ""
    guard var decimal = Decimal(string: text) else { return .missing }
    var rounded = Decimal()
    NSDecimalRound(&rounded, &decimal, places, .plain)
    if case .integer = number, let whole = Int64("\(rounded)") { return .integer(whole) }
    return Double("\(rounded)").map { .double($0) } ?? .missing
  }

  // MARK: Texts

  private static func text(_ name: String, _ values: [NaiveValue]) -> NaiveValue? {
    let first = values[0]
    switch name {
    // These answer with numbers, not with conditions.
    case "isempty":
      return .flag(!first.isStructure && (first.isMissing || first.text == ""))
    case "isblank":
      return .flag(
        !first.isStructure
          && (first.text ?? "").unicodeScalars.allSatisfy(\.properties.isWhitespace))
    case "concat":
      let texts = values.map(\.text)
      return texts.allSatisfy { $0 == nil } ? .missing : .text(texts.map { $0 ?? "" }.joined())
    case "strcontains", "startswith", "endswith":
      guard let text = first.text, let part = values[1].text else { return .flag(false) }
      if name == "startswith" { return .flag(Array(text.utf8).starts(with: part.utf8)) }
      if name == "endswith" {
        return .flag(text.utf8.reversed().starts(with: part.utf8.reversed()))
      }
      if values.count > 2, values[2].isTrue {
        return .flag(contains(text.lowercased(), part.lowercased()))
      }
      return .flag(contains(text, part))
    default:
      let known: Set<String> = [
        "strlen", "toupper", "tolower", "trim", "ltrim", "rtrim", "substr", "replace", "split",
        "urlencode", "base64encode", "hextodec",
      ]
      guard known.contains(name) else { return nil }
      guard let text = first.text else { return .missing }
      return transformed(name, text, Array(values.dropFirst()))
    }
  }

  private static func transformed(
    _ name: String, _ text: String, _ others: [NaiveValue]
  ) -> NaiveValue {
    switch name {
    case "strlen": return .integer(Int64(text.unicodeScalars.count))
    case "toupper": return .text(text.uppercased())
    case "tolower": return .text(text.lowercased())
    case "trim", "ltrim", "rtrim": return trimmed(name, text, others.first?.text)
    case "substr":
      let start = max(0, others[0].number.map { Int($0.double) } ?? 0)
      let rest = text.unicodeScalars.dropFirst(start)
      guard others.count > 1 else { return .text(String(rest)) }
      let count = others[1].number.map { Int($0.double) } ?? 0
      return .text(String(rest.prefix(max(0, count))))
    case "replace":
      guard let find = others[0].text, let with = others[1].text else { return .missing }
      return find.isEmpty ? .text(text) : .text(pieces(text, find).joined(separator: with))
    case "split":
      guard let part = others[0].text else { return .missing }
      return .list((part.isEmpty ? [text] : pieces(text, part)).map { .text($0) })
    case "urlencode":
      let kept = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
      return .text(
        text.utf8.map { byte in
          kept.contains(byte)
            ? String(UnicodeScalar(byte)) : String(format: "%%%02X", byte)
        }.joined())
    case "base64encode": return .text(Data(text.utf8).base64EncodedString())
    default:
      let digits = text.lowercased().hasPrefix("0x") ? String(text.dropFirst(2)) : text
      return Int64(digits, radix: 16).map { .integer($0) } ?? .missing
    }
  }

  private static func pieces(_ text: String, _ part: String) -> [String] {
    var pieces: [[UInt8]] = [[]]
    var rest = Array(text.utf8)[...]
    while let byte = rest.first {
      if rest.starts(with: part.utf8) {
        pieces.append([])
        rest = rest.dropFirst(part.utf8.count)
      } else {
        pieces[pieces.count - 1].append(byte)
        rest = rest.dropFirst()
      }
    }
    return pieces.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func trimmed(_ name: String, _ text: String, _ characters: String?) -> NaiveValue {
    var scalars = Substring(text).unicodeScalars
    let cuts = { (scalar: Unicode.Scalar) in
      characters?.unicodeScalars.contains(scalar) ?? scalar.properties.isWhitespace
    }
    if name != "rtrim" { scalars = scalars.drop(while: cuts) }
    if name != "ltrim" { while let last = scalars.last, cuts(last) { scalars.removeLast() } }
    return .text(String(scalars))
  }
}

extension NaiveValue {
  fileprivate static func flag(_ flag: Bool) -> NaiveValue { .integer(flag ? 1 : 0) }
}
