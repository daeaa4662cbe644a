// Values as keys (language reference, 6.11).
//
// Two values are one key when their texts agree, the spelling of numbers in events apart: 200,
// 200.0 and "200" are one key, "007" and 7 are two. A missing value is a key of its own; maps and
// lists count as missing.
//
// What was grouped must be shown again, and a group that has numbers and texts shows the number. So
// a table numbers *values* as they are told apart when shown, and knows the key of each:
//
//     "200"  → value 1, key 1        "abc"     → value 3, key 3
//     200.0  → value 2, key 1        (missing) → value 0, key 0
//
// A key's number is the number of its first value. Of the values in a group the one of the highest
// rank is shown (number, time, boolean, text), of equal rank the one that is written shorter, so that
// it does not matter which came first. Nearly always every key has one value; then values and keys
// are the same numbers and nobody has to look.
//
// As long as all values are texts, values and texts are numbered alike, and nothing is kept beside the texts.
//
// Typed columns do not make texts per row. Words of whole numbers, times and doubles are looked up
// in tables of words first; only a word never seen before is spelled out and enters the table of
// texts. A dictionary looks up each entry that occurs, once.

/// Distinct values of a column, their dense numbers and their keys, over any number of batches.
package struct KeyTable: Sendable {
  /// What kind of value is shown; later cases are preferred to earlier ones.
  private enum Rank: UInt8 {
    case missing, text, boolean, timestamp, number
  }

  /// How a value is found again.
  private enum Shown: Sendable {
    case missing
    /// The key's own text.
    case text
    case integer(Int64)
    case timestamp(Int64)
    /// Position in `others`.
    case other(Int)
  }

  /// The number of a missing value, and of its key.
  package static let missing: UInt32 = 0

  private var texts = ByteTable()
  /// Whether every value is a text or missing: the value that is text `t` has the number t + 1, and the lists below are
  /// empty.
  private var hasOnlyTexts = true
  /// By number in `texts`: the first value of the key, and further values of keys that have some.
  private var firstValues: [UInt32] = []
  private var furtherValues: [UInt32: [UInt32]] = [:]
  /// By number in `texts`: the value that is this text, where it was looked up before; else `missing`.
  private var numbersOfTexts: [UInt32] = []
  /// By number of a value: what it shows, how it ranks, its text.
  private var shown: [Shown] = []
  private var ranks: [Rank] = []
  private var textOfValue: [UInt32] = []
  private var others: [Value] = []
  private var integers = WordCache()
  private var timestamps = WordCache()
  private var doubles = WordCache()
  /// Mantissas of decimals, by their count of decimals less one.
  private var decimals: [WordCache] = []

  package init() {}

  /// How many values there are, the missing one included.
  package var count: Int { hasOnlyTexts ? texts.count + 1 : shown.count }

  /// Whether some key has several values, so that values and keys have different numbers.
  package var hasSynonyms: Bool { !furtherValues.isEmpty }

  /// Bytes the table occupies, about.
  package var byteCount: Int {
    texts.byteCount + shown.capacity * (MemoryLayout<Shown>.stride + 9)
      + numbersOfTexts.capacity * 4 + furtherValues.count * 64
      + others.capacity * (MemoryLayout<Value>.stride + 16)
      + integers.byteCount + timestamps.byteCount + doubles.byteCount
      + decimals.reduce(0) { $0 + $1.byteCount }
  }

  /// The key of a value, by their numbers.
  package func key(of number: UInt32) -> UInt32 {
    number == Self.missing || hasOnlyTexts
      ? number : firstValues[Int(textOfValue[Int(number)])]
  }

  /// The keys of values, by their numbers.
  package func keys(of numbers: [UInt32]) -> [UInt32] {
    hasSynonyms ? numbers.map { key(of: $0) } : numbers
  }

  /// Whether a group is to show the first value rather than the second, both of one key.
  package func outranks(_ number: UInt32, _ other: UInt32) -> Bool {
    if number == other { return false }
    // One key has one text then.
    if hasOnlyTexts { return other == Self.missing }
    let (rank, otherRank) = (ranks[Int(number)].rawValue, ranks[Int(other)].rawValue)
    if rank != otherRank { return rank > otherRank }
    let (value, otherValue) = (value(of: number), value(of: other))
    let (text, otherText) = (value.text ?? "", otherValue.text ?? "")
    // A computed number may be rounded when shown, the same one of an event is not.
    if text == otherText, case .sourceNumber = value, case .double = otherValue { return true }
    return (text.utf8.count, text) < (otherText.utf8.count, otherText)
  }

  // MARK: Numbers of values

  /// The number of a value, new or not.
  package mutating func number(of value: Value) -> UInt32 {
    switch value {
    case .missing, .list, .map:
      return Self.missing
    case .integer(let number):
      return self.number(of: number)
    case .timestamp(let time):
      return self.number(ofTime: time)
    case .string(var text):
      return text.withUTF8 { self.number(ofText: $0) }
    case .double, .sourceNumber:
      return self.number(of: value, .number)
    case .boolean, .jsonBoolean:
      return self.number(of: value, .boolean)
    }
  }

  /// The number of one cell.
  package mutating func number(of column: ColumnVector, at row: Int) -> UInt32 {
    switch column {
    case .strings(let v) where v.validity.allows(row):
      return v.bytes.withUnsafeBufferPointer {
        number(ofText: UnsafeBufferPointer(rebasing: $0[v.range(row)]))
      }
    default:
      return number(of: column.value(at: row))
    }
  }

  /// The number of each row.
  ///
  /// - Complexity: O(rows), for texts O(bytes)
  package mutating func numbers(of column: ColumnVector) -> [UInt32] {
    switch column {
    case .missing(let count):
      return [UInt32](repeating: Self.missing, count: count)
    case .constant(let value, let count):
      return [UInt32](repeating: count == 0 ? 0 : number(of: value), count: count)
    case .integers(let v):
      return numbers(of: v) { table, word in table.integers.find(word) ?? table.number(of: word) }
    case .timestamps(let v):
      return numbers(of: v) { table, word in
        table.timestamps.find(word) ?? table.number(ofTime: word)
      }
    case .doubles(let v) where v.isSource:
      return words(v.values.count, v.validity) { $0.number(of: v.value(at: $1)) }
    case .doubles(let v):
      return words(v.values.count, v.validity) { table, row in
        let word = Int64(bitPattern: v.values[row].bitPattern)
        return table.doubles.find(word) ?? table.number(ofDouble: v.values[row])
      }
    case .decimals(let v):
      return words(v.mantissas.count, v.validity) { $0.number(of: v, at: $1) }
    case .strings(let v):
      return v.bytes.withUnsafeBufferPointer { bytes in
        if v.validity == nil, TextBytes.isASCII(bytes) {
          return numbers(
            ofTextKeys: texts.insert(v.count) { UnsafeBufferPointer(rebasing: bytes[v.range($0)]) })
        }
        return words(v.count, v.validity) { table, row in
          table.number(ofText: UnsafeBufferPointer(rebasing: bytes[v.range(row)]))
        }
      }
    case .dictionary(let v):
      return numbers(of: v)
    case .booleans(let v):
      return words(v.values.count, v.validity) { $0.number(of: .boolean(v.values[$1])) }
    case .values(let values):
      return numbers(of: values)
    }
  }

  @inline(never)
  private mutating func numbers(of values: [Value]) -> [UInt32] {
    var numbers: [UInt32] = []
    numbers.reserveCapacity(values.count)
    var stop = StopCounter(every: 1_024)
    for value in values {
      // Nobody will look at the rest.
      if stop.isPassed() { return numbers.filled(to: values.count, with: Self.missing) }
      numbers.append(number(of: value))
    }
    return numbers
  }

  @inline(__always)
  private mutating func words(
    _ count: Int, _ validity: Bitmap?, _ number: (inout KeyTable, Int) -> UInt32
  ) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(count)
    for row in 0..<count {
      result.append(validity.allows(row) ? number(&self, row) : Self.missing)
    }
    return result
  }

  /// Words that lie close together (codes, minutes of a day) lead to numbers through an array of
  /// their range; others are looked up unless they repeat the row before.
  @inline(__always)
  private mutating func numbers(
    of vector: IntegerVector, _ number: (inout KeyTable, Int64) -> UInt32
  ) -> [UInt32] {
    let values = vector.values
    guard let low = values.min(), let high = values.max() else { return [] }
    let width = UInt64(bitPattern: high &- low)
    if vector.validity == nil, width < UInt64(min(values.count, 65_536)) {
      var known = [UInt32](repeating: .max, count: Int(width) + 1)
      return values.map { word in
        let place = Int(truncatingIfNeeded: word &- low)
        if known[place] == .max { known[place] = number(&self, word) }
        return known[place]
      }
    }
    var last: (word: Int64, number: UInt32)?
    return words(values.count, vector.validity) { table, row in
      let word = values[row]
      if let last, last.word == word { return last.number }
      let found = number(&table, word)
      last = (word, found)
      return found
    }
  }

  private mutating func numbers(of vector: DictionaryVector) -> [UInt32] {
    let unknown = UInt32.max
    var known = [UInt32](repeating: unknown, count: vector.entries.count + 1)
    known[vector.entries.count] = Self.missing
    var result: [UInt32] = []
    result.reserveCapacity(vector.codes.count)
    for code in vector.codes {
      var number = known[Int(code)]
      if number == unknown {
        number = self.number(of: vector.entries, at: Int(code))
        known[Int(code)] = number
      }
      result.append(number)
    }
    return result
  }

  /// The numbers of some texts of a vector, none of them missing.
  package mutating func numbers(of texts: StringVector, at rows: [UInt32]) -> [UInt32] {
    texts.bytes.withUnsafeBufferPointer { bytes in
      func text(_ i: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[texts.range(Int(rows[i]))])
      }
      guard TextBytes.isASCII(bytes) else { return rows.indices.map { number(ofText: text($0)) } }
      return numbers(ofTextKeys: self.texts.insert(rows.count, text))
    }
  }

  private mutating func numbers(ofTextKeys keys: [UInt32]) -> [UInt32] {
    if hasOnlyTexts { return keys.map { $0 &+ 1 } }
    var result: [UInt32] = []
    result.reserveCapacity(keys.count)
    for key in keys { result.append(number(ofTextKey: key)) }
    return result
  }

  /// The number here of every value of another table, in that table's order.
  package mutating func numbers(of other: KeyTable) -> [UInt32] {
    if other.hasOnlyTexts {
      let keys = texts.insert(Array(0..<UInt32(other.texts.count)), of: other.texts)
      return [Self.missing] + numbers(ofTextKeys: keys)
    }
    tellTypesApart()
    var result = [Self.missing]
    result.reserveCapacity(other.count)
    var stop = StopCounter(every: 1_024)
    for index in 1..<other.count {
      if stop.isPassed() { return result.filled(to: other.count, with: Self.missing) }
      let text = other.texts.withKey(other.textOfValue[index]) { texts.insert($0) }
      switch other.shown[index] {
      case .missing: result.append(Self.missing)
      case .text: result.append(number(text, .text, .text))
      case .integer(let value): result.append(number(text, .number, .integer(value)))
      case .timestamp(let value): result.append(number(text, .timestamp, .timestamp(value)))
      case .other(let position):
        result.append(number(text, other.ranks[index], other: other.others[position]))
      }
    }
    return result
  }

  // MARK: Entering values

  /// Makes the lists that are needed once there are values other than texts; to be called before the text of one enters.
  private mutating func tellTypesApart() {
    guard hasOnlyTexts else { return }
    hasOnlyTexts = false
    let count = UInt32(texts.count)
    firstValues = (0..<count).map { $0 + 1 }
    numbersOfTexts = firstValues
    shown = [.missing] + repeatElement(.text, count: texts.count)
    ranks = [.missing] + repeatElement(.text, count: texts.count)
    textOfValue = [.max] + (0..<count)
  }

  /// The number of the value of a key that shows this, new or not.
  private mutating func number(_ text: UInt32, _ rank: Rank, _ shows: Shown) -> UInt32 {
    if hasOnlyTexts { return text + 1 }
    if let known = self.known(text, where: { isSame(shown[Int($0)], shows) }) { return known }
    return add(text, rank, shows)
  }

  /// The same for values that have no form of their own.
  private mutating func number(_ text: UInt32, _ rank: Rank, other value: Value) -> UInt32 {
    let known = self.known(text) { number in
      if case .other(let position) = shown[Int(number)] {
        return Self.isSame(others[position], value)
      }
      return false
    }
    if let known { return known }
    others.append(value)
    return add(text, rank, .other(others.count - 1))
  }

  @inline(__always)
  private func known(_ text: UInt32, where isWanted: (UInt32) -> Bool) -> UInt32? {
    if Int(text) >= firstValues.count { return nil }
    let first = firstValues[Int(text)]
    if isWanted(first) { return first }
    return furtherValues[text]?.first(where: isWanted)
  }

  private mutating func add(_ text: UInt32, _ rank: Rank, _ shows: Shown) -> UInt32 {
    let number = UInt32(truncatingIfNeeded: shown.count)
    if Int(text) == firstValues.count {
      firstValues.append(number)
    } else {
      furtherValues[text, default: []].append(number)
    }
    shown.append(shows)
    ranks.append(rank)
    textOfValue.append(text)
    return number
  }

  @inline(__always)
  private func isSame(_ a: Shown, _ b: Shown) -> Bool {
    switch (a, b) {
    case (.text, .text): true
    case (.integer(let x), .integer(let y)), (.timestamp(let x), .timestamp(let y)): x == y
    default: false
    }
  }

  /// Of values with one key: whether they print alike and are of one type.
  private static func isSame(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.sourceNumber(let x), .sourceNumber(let y)): x.text.utf8.elementsEqual(y.text.utf8)
    case (.double, .double), (.boolean, .boolean), (.jsonBoolean, .jsonBoolean): true
    default: false
    }
  }

  private mutating func number(ofText text: UnsafeBufferPointer<UInt8>) -> UInt32 {
    if TextBytes.isASCII(text) { return number(ofTextKey: texts.insert(text)) }
    if let known = texts.find(text) { return number(ofTextKey: known) }
    if TextBytes.isValid(text) {
      return number(ofTextKey: texts.insert(text))
    }
    // Texts with invalid bytes are the same key when they print alike.
    var repaired = String(decoding: text, as: UTF8.self)
    return repaired.withUTF8 { number(texts.insert($0), .text, .text) }
  }

  /// The number of the value that is a text of the table itself.
  @inline(__always)
  private mutating func number(ofTextKey text: UInt32) -> UInt32 {
    if hasOnlyTexts { return text &+ 1 }
    if Int(text) < numbersOfTexts.count, numbersOfTexts[Int(text)] != Self.missing {
      return numbersOfTexts[Int(text)]
    }
    return enter(text)
  }

  @inline(never)
  private mutating func enter(_ text: UInt32) -> UInt32 {
    let number = number(text, .text, .text)
    while numbersOfTexts.count <= Int(text) { numbersOfTexts.append(Self.missing) }
    numbersOfTexts[Int(text)] = number
    return number
  }

  private mutating func number(of integer: Int64) -> UInt32 {
    if let known = integers.find(integer) { return known }
    tellTypesApart()
    var spelled = String(integer)
    let text = spelled.withUTF8 { texts.insert($0) }
    let number = number(text, .number, .integer(integer))
    integers.insert(integer, number)
    return number
  }

  private mutating func number(ofTime time: Int64) -> UInt32 {
    if let known = timestamps.find(time) { return known }
    let number = number(insertText(of: .timestamp(time)), .timestamp, .timestamp(time))
    timestamps.insert(time, number)
    return number
  }

  private mutating func number(ofDouble value: Double) -> UInt32 {
    let number = self.number(of: .double(value), .number)
    doubles.insert(Int64(bitPattern: value.bitPattern), number)
    return number
  }

  private mutating func number(of vector: DecimalVector, at row: Int) -> UInt32 {
    let mantissa = vector.mantissas[row]
    let scale = vector.scale(at: row)
    if scale == 0 { return number(of: mantissa) }
    while decimals.count < scale { decimals.append(WordCache()) }
    if let known = decimals[scale - 1].find(mantissa) { return known }
    let number = self.number(of: vector.value(at: row), .number)
    decimals[scale - 1].insert(mantissa, number)
    return number
  }

  private mutating func number(of value: Value, _ rank: Rank) -> UInt32 {
    number(insertText(of: value), rank, other: value)
  }

  private mutating func insertText(of value: Value) -> UInt32 {
    tellTypesApart()
    return KeyIdentity.withText(of: value) { texts.insert($0) }
  }

  // MARK: Values of numbers

  private func isText(_ number: UInt32) -> Bool {
    hasOnlyTexts || ranks[Int(number)].rawValue <= Rank.text.rawValue
  }

  private func text(of number: UInt32) -> UInt32 {
    hasOnlyTexts ? number - 1 : textOfValue[Int(number)]
  }

  /// The value of a number.
  package func value(of number: UInt32) -> Value {
    if number == Self.missing { return .missing }
    return switch hasOnlyTexts ? .text : shown[Int(number)] {
    case .missing: .missing
    case .text: .string(texts.withKey(text(of: number)) { String(decoding: $0, as: UTF8.self) })
    case .integer(let value): .integer(value)
    case .timestamp(let value): .timestamp(value)
    case .other(let index): others[index]
    }
  }

  /// Words whose order is the order of these values, 0 for missing ones; `nil` if not all others are texts.
  ///
  /// - Parameter limit: how many of the first are wanted; only their words tell values apart.
  package func words(of numbers: [UInt32], limit: Int = .max) -> [UInt64]? {
    let areTexts = numbers.allSatisfy { isText($0) }
    guard areTexts else { return nil }
    let present = numbers.indices.filter { numbers[$0] != Self.missing }
    let found = texts.ranks(of: present.map { text(of: numbers[$0]) }, limit: limit)
    if present.count == numbers.count { return found }
    var words = [UInt64](repeating: 0, count: numbers.count)
    for (place, rank) in zip(present, found) { words[place] = rank }
    return words
  }

  /// The values of these numbers, as a column.
  package func column(of numbers: [UInt32]) -> ColumnVector {
    let areTexts = numbers.allSatisfy { isText($0) }
    if !areTexts { return ColumnVector(numbers.map { value(of: $0) }) }
    var result = StringVector()
    result.offsets.reserveCapacity(numbers.count + 1)
    result.bytes.reserveCapacity(
      numbers.reduce(0) { sum, number in
        number == Self.missing ? sum : sum + texts.withKey(text(of: number)) { $0.count }
      })
    for number in numbers {
      if number != Self.missing {
        texts.withKey(text(of: number)) { result.bytes += $0 }
      }
      precondition(result.bytes.count <= UInt32.max, "more than 4 GiB of text in one vector")
      result.offsets.append(UInt32(truncatingIfNeeded: result.bytes.count))
    }
    let present = Bitmap(count: numbers.count) { numbers[$0] != Self.missing }
    if present.isEmpty { return .missing(count: numbers.count) }
    result.validity = present.isFull ? nil : present
    return .strings(result)
  }
}

/// Words whose values are known.
private struct WordCache: Sendable {
  private var table = WordTable()
  private var numbers: [UInt32] = []

  var byteCount: Int { table.byteCount + numbers.capacity * 4 }

  @inline(__always)
  func find(_ word: Int64) -> UInt32? {
    table.find(UInt64(bitPattern: word)).map { numbers[Int($0)] }
  }

  mutating func insert(_ word: Int64, _ number: UInt32) {
    _ = table.insert(UInt64(bitPattern: word))
    numbers.append(number)
  }
}
