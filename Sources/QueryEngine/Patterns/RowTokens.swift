import Columnar

/// The tokens of one text.
struct RowTokens: Sendable {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// Of a text with more tokens the first ones are kept.
  static let most = 50

  private var bytes: [UInt8] = []
  private var tokens: [(range: Range<Int>, number: Double?, isKept: Bool)] = []

  mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    tokens.removeAll(keepingCapacity: true)
  }

  /// Adds what a tokenizer has found in a text.
  mutating func add(_ places: [TokenPlace], of text: Bytes) {
    for place in places {
      let value = Bytes(rebasing: text[place.range])
      switch place.type {
      case .number: add(value, NumberText.number(of: value)?.asDouble)
      case .duration: add(value, Self.milliseconds(value))
      // Each is another one, and says nothing.
      case .time, .date, .uuid, .id: add(value, nil, isKept: false)
      default: add(value, nil)
      }
    }
  }

  /// Adds the value of a slot of a record.
  ///
  /// - Parameter form: what it looks like; `nil` for a number.
  mutating func add(slot value: Bytes, _ form: [UInt8]?) {
    guard let form else { return add(value, NumberText.number(of: value)?.asDouble) }
    let type =
      form.count == 2 && form[0] == TemplateTokenizer.mark ? TokenType(rawValue: form[1]) : nil
    switch type {
    case .time?, .date?, .uuid?, .id?: add(value, nil, isKept: false)
    case .number?: add(value, NumberText.number(of: value)?.asDouble)
    case .duration?: add(value, Self.milliseconds(value))
    default: add(value, nil)
    }
  }

  private mutating func add(_ value: Bytes, _ number: Double?, isKept: Bool = true) {
    guard tokens.count < Self.most else { return }
    // Distances and spreads of numbers are numbers too; those of larger ones need not be.
    let number = number.flatMap { abs($0) < 1e300 ? $0 : nil }
    let start = bytes.count
    guard isKept, number == nil else {
      tokens.append((start..<start, number, isKept))
      return
    }
    bytes += value.prefix(TokenValues.mostBytes + 1)
    tokens.append((start..<bytes.count, number, isKept))
  }

  /// Counts the tokens in those of a template.
  ///
  /// - Parameter texts: what values are numbers of.
  func count(in values: inout [TokenValues], part: Int, texts: inout ByteTable) {
    if values.count < tokens.count {
      values.reserveCapacity(tokens.count)
      while values.count < tokens.count { values.append(TokenValues()) }
    }
    bytes.withUnsafeBufferPointer { bytes in
      for index in tokens.indices where tokens[index].isKept {
        values[index].add(
          Bytes(rebasing: bytes[tokens[index].range]), number: tokens[index].number, part: part,
          texts: &texts)
      }
    }
  }

  /// `350us` is 0.35, `2s` is 2,000.
  private static func milliseconds(_ text: Bytes) -> Double? {
    let end = text.firstIndex { ($0 | 0x20) &- 0x61 < 26 || $0 >= 128 } ?? text.count
    guard let number = NumberText.number(of: Bytes(rebasing: text[..<end])) else { return nil }
    let unit = String(decoding: text[end...], as: UTF8.self)
    return units[unit].map { number.asDouble * $0 }
  }

  private static let units: [String: Double] = [
    "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1e3, "sec": 1e3, "secs": 1e3, "m": 6e4,
    "min": 6e4, "mins": 6e4, "h": 36e5, "d": 864e5,
  ]
}
