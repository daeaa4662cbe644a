import Columnar

// What `anomaly` keeps of the tokens of a template: how often each value came in each part of the
// window. The first two thirds of the window, which say what is usual, are cut into ten parts; the
// last third is one.
//
//     took <Duration-1> on <Token-2>       part   1   2   3  …  10   last third
//     <Token-2>                   web-1           4   5   4      4           21
//                                 web-2           4   3   4      5           19
//
// A token has few values worth telling apart, or it is a name of its own kind, of users or orders: a
// value more than `mostTexts`, and none is kept. Numbers are counted exactly as long as they are few,
// then by as many leading bits as make them few enough. What is left so depends only on which values
// there were, not on their order or on how rows were split among threads. Ids and times, of which each
// is another one, are not looked at.

/// A window in the parts by which tokens are compared.
enum TokenParts {
  /// Parts of the first two thirds.
  static let usual = WindowParts.count / 3
  /// The last third.
  static let recent = usual
  static let count = usual + 1

  /// The part that a part of ``WindowParts`` lies in.
  static func part(of bucket: Int) -> Int { min(bucket / 2, recent) }

  /// Counts of the parts of ``WindowParts``, added up.
  static func counts(of buckets: [Int]) -> [UInt32] {
    var counts = [UInt32](repeating: 0, count: count)
    for (bucket, found) in buckets.enumerated() {
      counts[part(of: bucket)] += UInt32(truncatingIfNeeded: found)
    }
    return counts
  }
}

/// The values of one token of a template.
struct TokenValues: Sendable {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// Values that are told apart.
  static let mostTexts = 64
  /// Longer values are not kept, and no other of their token.
  static let mostBytes = 100

  /// How many rows have the token in each part.
  private(set) var totals = [UInt32](repeating: 0, count: TokenParts.count)
  /// Rows whose value is a number.
  private(set) var numberCount = 0
  /// Whether there were too many different values that are no numbers.
  private(set) var isFull = false
  /// Values that are no numbers.
  private(set) var texts: [[UInt8]] = []
  private var hashes: [UInt64] = []
  /// By value, the counts of all parts.
  private var counts: [UInt32] = []
  private(set) var numbers = NumberCounts()

  init() {}

  /// A token that has been one text wherever it was.
  init(_ text: [UInt8], counts: [UInt32]) {
    totals = counts
    text.withUnsafeBufferPointer { bytes in
      for (part, count) in counts.enumerated() where count > 0 { add(bytes, count, part) }
    }
  }

  /// Counts a value.
  mutating func add(_ text: Bytes, number: Double?, part: Int) {
    totals[part] += 1
    if let number, number.isFinite {
      numberCount += 1
      numbers.add(number, 1, part: part)
    } else {
      add(text, 1, part)
    }
  }

  private mutating func add(_ text: Bytes, _ count: UInt32, _ part: Int) {
    guard !isFull else { return }
    let hash = TableHash.hash(text, seed: 0)
    if let found = find(text, hash) {
      counts[found * TokenParts.count + part] += count
    } else if texts.count == Self.mostTexts || text.count > Self.mostBytes {
      fill()
    } else {
      hashes.append(hash)
      texts.append(Array(text))
      counts += [UInt32](repeating: 0, count: TokenParts.count)
      counts[counts.count - TokenParts.count + part] += count
    }
  }

  private func find(_ text: Bytes, _ hash: UInt64) -> Int? {
    for index in 0..<hashes.count where hashes[index] == hash {
      if texts[index].count == text.count, texts[index].elementsEqual(text) { return index }
    }
    return nil
  }

  private mutating func fill() {
    isFull = true
    texts = []
    hashes = []
    counts = []
  }

  mutating func add(_ other: TokenValues) {
    for part in totals.indices { totals[part] += other.totals[part] }
    numberCount += other.numberCount
    numbers.add(other.numbers)
    if other.isFull { fill() }
    for (index, text) in other.texts.enumerated() where !isFull {
      let found = other.counts(of: index)
      text.withUnsafeBufferPointer { bytes in
        for (part, count) in found.enumerated() where count > 0 { add(bytes, count, part) }
      }
    }
  }

  /// How often a value came in each part.
  func counts(of text: Int) -> ArraySlice<UInt32> {
    counts[text * TokenParts.count..<(text + 1) * TokenParts.count]
  }

  /// What the bound on all tokens goes by: never less for more rows.
  var weight: Int { (isFull ? Self.mostTexts : texts.count) + numbers.weight }

  var byteCount: Int { 200 + texts.reduce(0) { $0 + $1.count + 88 } + numbers.byteCount }
}

/// Numbers by the parts of the window.
struct NumberCounts: Sendable {
  /// Numbers that are told apart.
  private static let mostNumbers = 256
  /// Bits of the fraction that are kept, less the more numbers there are.
  private static let precisions: [UInt64] = [52, 8, 6, 4, 2]

  /// Place in `precisions`; behind the last one nothing is kept.
  private var level = 0
  private var table: WordTable?
  private var counts: [UInt32] = []

  mutating func add(_ number: Double, _ count: UInt32, part: Int) {
    guard level < Self.precisions.count else { return }
    let index = Int(insert(number))
    if index * TokenParts.count == counts.count {
      counts += [UInt32](repeating: 0, count: TokenParts.count)
    }
    counts[index * TokenParts.count + part] += count
    while keys.count > Self.mostNumbers { coarsen() }
  }

  private var keys: [UInt64] { table?.keys ?? [] }

  private mutating func insert(_ number: Double) -> UInt32 {
    let bits = (number == 0 ? 0 : number).bitPattern
    let key = bits & ~((1 << (52 - Self.precisions[level])) - 1)
    if table == nil { table = WordTable() }
    return table!.insert(key)
  }

  private mutating func coarsen() {
    let old = self
    level += 1
    table = nil
    counts = []
    add(old.entries)
  }

  private mutating func add(_ entries: [(number: Double, counts: ArraySlice<UInt32>)]) {
    for (number, found) in entries {
      for (part, count) in found.enumerated() where count > 0 { add(number, count, part: part) }
    }
  }

  mutating func add(_ other: NumberCounts) {
    while level < other.level { coarsen() }
    add(other.entries)
  }

  private var entries: [(number: Double, counts: ArraySlice<UInt32>)] {
    keys.enumerated().map { index, key in
      let first = index * TokenParts.count
      return (Double(bitPattern: key), counts[first..<first + TokenParts.count])
    }
  }

  var weight: Int { level > 0 ? Self.mostNumbers : keys.count }
  var byteCount: Int { counts.capacity * 4 + (table?.byteCount ?? 0) }

  /// Every number with how often it came in each part; `nil` if numbers that are nearly equal count as
  /// one.
  var exact: [(number: Double, counts: ArraySlice<UInt32>)]? { level == 0 ? entries : nil }

  /// The numbers in some parts, ascending, with how often each came.
  func sorted(_ parts: Range<Int>) -> [(number: Double, count: Int)] {
    entries.compactMap { number, counts in
      let count = parts.reduce(0) { $0 + Int(counts[counts.startIndex + $1]) }
      return count > 0 ? (number, count) : nil
    }
    .sorted { $0.number < $1.number }
  }
}

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
    let start = bytes.count
    guard isKept, number == nil else {
      tokens.append((start..<start, number, isKept))
      return
    }
    bytes += value.prefix(TokenValues.mostBytes + 1)
    tokens.append((start..<bytes.count, number, isKept))
  }

  /// Counts the tokens in those of a template.
  func count(in values: inout [TokenValues], part: Int) {
    while values.count < tokens.count { values.append(TokenValues()) }
    bytes.withUnsafeBufferPointer { bytes in
      for (index, token) in tokens.enumerated() where token.isKept {
        values[index].add(Bytes(rebasing: bytes[token.range]), number: token.number, part: part)
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
