// Many values found again by `=` of the language (reference, 4.4), without comparing each with each.
//
// `=` is no equivalence: the number 200 equals the texts "200" and "200.0", which differ from one
// another. So a value goes into the tables of all forms in which another one may meet it, and is
// looked for in those that can hold an equal one:
//
//     kept          tables                       looked for     tables asked
//     "200"         texts, numbers of texts      "200"          texts, numbers
//     200           numbers                      200            numbers, numbers of texts
//     12:00         numbers, times               12:00          numbers, numbers and times of texts
//     "12:00"       texts, times of texts        "12:00"        texts, times
//     true          numbers, conditions          true           numbers, numbers and words of texts
//
// Numbers enter as whole numbers where they are whole, and as doubles else, which is exactly how
// two numbers are equal. A text is a number, or a time, or a word for a condition, never two of
// them, so no entry is found twice.

/// Values numbered from 0 in the order in which they came, found again by `=`.
package struct EqualityIndex: Sendable {
  /// What a text can be to a value that is no text.
  private enum Form: Int, CaseIterable {
    case number, time, condition
  }

  private static let none = UInt32.max

  private var texts = ByteTable()
  private var lastOfText: [UInt32] = []
  /// Texts by what they are besides.
  private var formsOfTexts = [NumberTable](repeating: NumberTable(), count: Form.allCases.count)
  /// Values that are no texts: all, then the times and the conditions among them once more.
  private var numbers = [NumberTable](repeating: NumberTable(), count: Form.allCases.count)
  /// By entry, the one before it in the chain of its text or its number.
  private var previous: [UInt32] = []
  /// By entry, the one before it in its second chain.
  private var previousForm: [UInt32] = []
  /// Whether only one entry of each key is kept.
  private let isSet: Bool

  /// - Parameter isSet: keeps one entry of equal type and value; the others are not numbered.
  package init(isSet: Bool = false) { self.isSet = isSet }

  /// Entries so far, those that equal nothing among them.
  package var count: Int { previous.count }

  /// Different keys so far.
  package var keyCount: Int { texts.count + numbers[0].count }

  /// Bytes it occupies, about.
  package var byteCount: Int {
    texts.byteCount + lastOfText.capacity * 4 + previous.capacity * 8
      + (formsOfTexts + numbers).reduce(0) { $0 + $1.byteCount }
  }

  // MARK: Entering

  /// Enters a value; missing ones, maps and lists take a number and are never found.
  ///
  /// - Returns: whether it is kept, which a set refuses for a value that it has.
  @discardableResult
  package mutating func insert(_ value: Value) -> Bool {
    switch value {
    case .missing, .list, .map: return isSet ? false : append(nil, nil)
    case .string(var text): return text.withUTF8 { insert($0) }
    default:
      guard let number = value.number else { return isSet ? false : append(nil, nil) }
      return insert(number, Self.form(of: value))
    }
  }

  private mutating func insert(_ number: Number, _ form: Form) -> Bool {
    if isSet, numbers[form.rawValue].last(of: number) != nil { return false }
    let entry = UInt32(count)
    let before = numbers[0].replaceLast(of: number, with: entry)
    guard form != .number else { return append(before, nil) }
    return append(before, numbers[form.rawValue].replaceLast(of: number, with: entry))
  }

  private mutating func insert(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if isSet, texts.find(text) != nil { return false }
    let key = Int(texts.insert(text))
    let entry = UInt32(count)
    var before: UInt32?
    if key == lastOfText.count {
      lastOfText.append(entry)
    } else {
      before = lastOfText[key]
      lastOfText[key] = entry
    }
    guard let (form, number) = Self.form(of: text) else { return append(before, nil) }
    return append(before, formsOfTexts[form.rawValue].replaceLast(of: number, with: entry))
  }

  private mutating func append(_ before: UInt32?, _ beforeForm: UInt32?) -> Bool {
    previous.append(before ?? Self.none)
    previousForm.append(beforeForm ?? Self.none)
    return true
  }

  private static func form(of value: Value) -> Form {
    switch value {
    case .timestamp: .time
    case .boolean, .jsonBoolean: .condition
    default: .number
    }
  }

  private static func form(
    of text: UnsafeBufferPointer<UInt8>
  ) -> (form: Form, number: Number)? {
    if let number = NumberText.number(of: text) { return (.number, number) }
    if let time = Timestamp.parse(text) { return (.time, .integer(time)) }
    if let condition = BooleanText.boolean(of: text) {
      return (.condition, .integer(condition ? 1 : 0))
    }
    return nil
  }

  // MARK: Parts

  /// A hash of each row's value, the same for any two values that are equal, and the rows that can be
  /// equal to any. What a text is besides decides: `"200"`, `"200.0"` and 200 have one hash.
  ///
  /// - Complexity: O(rows), for texts O(bytes)
  package static func partHashes(of column: ColumnVector) -> (hashes: [UInt64], present: Bitmap) {
    switch column {
    case .strings(let v):
      let present = v.validity ?? Bitmap(repeating: true, count: v.count)
      let hashes = v.bytes.withUnsafeBufferPointer { bytes in
        (0..<v.count).map { row in
          present[row] ? partHash(UnsafeBufferPointer(rebasing: bytes[v.range(row)])) : 0
        }
      }
      return (hashes, present)
    case .dictionary(let v):
      let (hashes, present) = partHashes(of: v.entries)
      let all = hashes + [0]
      return (v.codes.map { all[Int($0)] }, v.rows(whereEntry: present))
    default:
      let hashes = (0..<column.count).map { partHash(column.value(at: $0)) }
      return (hashes.map { $0 ?? 0 }, Bitmap(count: hashes.count) { hashes[$0] != nil })
    }
  }

  private static let partSeed: UInt64 = 0x2545_F491_4F6C_DD1D

  private static func partHash(_ value: Value) -> UInt64? {
    switch value {
    case .missing, .list, .map: return nil
    case .string(var text): return text.withUTF8 { partHash($0) }
    default: return value.number.map { partHash($0) }
    }
  }

  private static func partHash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
    form(of: text).map { partHash($0.number) } ?? TableHash.hash(text, seed: partSeed)
  }

  private static func partHash(_ number: Number) -> UInt64 {
    switch number {
    case .integer(let whole): TableHash.hash(UInt64(bitPattern: whole), seed: partSeed)
    case .double(let double):
      Int64(exactly: double).map { partHash(.integer($0)) }
        ?? TableHash.hash(double.bitPattern, seed: ~partSeed)
    }
  }

  // MARK: Finding

  /// The entries that equal a value, ascending.
  package func entries(equalTo value: Value) -> [UInt32] {
    var found: [UInt32] = []
    visit(value) { last, isForm in
      collect(last, isForm, &found)
      return false
    }
    return found.sorted()
  }

  /// The entries that equal the value of one row, ascending.
  package func entries(equalTo column: ColumnVector, at row: Int) -> [UInt32] {
    var found: [UInt32] = []
    let body = { (last: UInt32, isForm: Bool) -> Bool in
      collect(last, isForm, &found)
      return false
    }
    switch column {
    case .strings(let v) where v.validity?[row] ?? true:
      v.bytes.withUnsafeBufferPointer {
        _ = visit(UnsafeBufferPointer(rebasing: $0[v.range(row)]), body)
      }
    case .integers(let v) where v.validity?[row] ?? true:
      _ = visit(.integer(v.values[row]), .number, body)
    default: visit(column.value(at: row), body)
    }
    return found.sorted()
  }

  /// Adds all entries of a chain.
  private func collect(_ last: UInt32, _ isForm: Bool, _ found: inout [UInt32]) {
    var entry = last
    while entry != Self.none {
      found.append(entry)
      entry = isForm ? previousForm[Int(entry)] : previous[Int(entry)]
    }
  }

  /// Whether some entry equals a value.
  package func contains(_ value: Value) -> Bool { visit(value) { _, _ in true } }

  /// The rows whose value equals some entry.
  package func rows(of column: ColumnVector) -> Bitmap {
    switch column {
    case .missing(let count): return Bitmap(repeating: false, count: count)
    case .constant(let value, let count): return Bitmap(repeating: contains(value), count: count)
    case .dictionary(let v): return v.rows(whereEntry: rows(of: v.entries))
    case .strings(let v):
      return v.bytes.withUnsafeBufferPointer { bytes in
        Bitmap(count: v.count) { row in
          (v.validity?[row] ?? true)
            && visit(UnsafeBufferPointer(rebasing: bytes[v.range(row)])) { _, _ in true }
        }
      }
    case .integers(let v):
      return Bitmap(count: v.values.count) { row in
        (v.validity?[row] ?? true)
          && visit(.integer(v.values[row]), .number) { _, _ in true }
      }
    default:
      return Bitmap(count: column.count) { contains(column.value(at: $0)) }
    }
  }

  /// The rows with a value that equals no entry; not those that are missing, nor maps and lists.
  package func rowsOutside(of column: ColumnVector) -> Bitmap {
    let found = rows(of: column)
    switch column {
    case .values, .constant, .dictionary:
      return Bitmap(count: column.count) { row in
        guard !found[row] else { return false }
        let value = column.value(at: row)
        return !value.isMissing && !value.isStructure
      }
    default:
      var rest = column.presence()
      rest.formSubtraction(found)
      return rest
    }
  }

  /// Calls `body` with the last entry of each chain of equal ones, and whether the chain is a second
  /// one, until it returns true.
  @discardableResult
  private func visit(_ value: Value, _ body: (UInt32, Bool) -> Bool) -> Bool {
    switch value {
    case .missing, .list, .map: return false
    case .string(var text): return text.withUTF8 { visit($0, body) }
    default: return value.number.map { visit($0, Self.form(of: value), body) } ?? false
    }
  }

  private func visit(_ number: Number, _ form: Form, _ body: (UInt32, Bool) -> Bool) -> Bool {
    if let last = numbers[0].last(of: number), body(last, false) { return true }
    if let last = formsOfTexts[0].last(of: number), body(last, true) { return true }
    guard form != .number, let last = formsOfTexts[form.rawValue].last(of: number) else {
      return false
    }
    return body(last, true)
  }

  private func visit(
    _ text: UnsafeBufferPointer<UInt8>, _ body: (UInt32, Bool) -> Bool
  ) -> Bool {
    if let key = texts.find(text), body(lastOfText[Int(key)], false) { return true }
    guard numbers[0].count > 0, let (form, number) = Self.form(of: text),
      let last = numbers[form.rawValue].last(of: number)
    else { return false }
    return body(last, form != .number)
  }
}

/// The last entry of each number.
private struct NumberTable: Sendable {
  private var integers = WordTable()
  private var doubles = WordTable()
  private var lastOfInteger: [UInt32] = []
  private var lastOfDouble: [UInt32] = []

  var count: Int { lastOfInteger.count + lastOfDouble.count }

  var byteCount: Int { integers.byteCount + doubles.byteCount + count * 4 }

  func last(of number: Number) -> UInt32? {
    switch Self.word(of: number) {
    case .integer(let whole):
      integers.find(UInt64(bitPattern: whole)).map { lastOfInteger[Int($0)] }
    case .double(let double): doubles.find(double.bitPattern).map { lastOfDouble[Int($0)] }
    }
  }

  /// Makes an entry the last one of a number, and returns the one before it.
  mutating func replaceLast(of number: Number, with entry: UInt32) -> UInt32? {
    switch Self.word(of: number) {
    case .integer(let whole):
      Self.replace(&lastOfInteger, at: integers.insert(UInt64(bitPattern: whole)), entry)
    case .double(let double):
      Self.replace(&lastOfDouble, at: doubles.insert(double.bitPattern), entry)
    }
  }

  private static func replace(
    _ last: inout [UInt32], at key: UInt32, _ entry: UInt32
  ) -> UInt32? {
    guard Int(key) < last.count else {
      last.append(entry)
      return nil
    }
    defer { last[Int(key)] = entry }
    return last[Int(key)]
  }

  /// Equal numbers in one form: whole ones as such.
  private static func word(of number: Number) -> Number {
    guard case .double(let double) = number, let whole = Int64(exactly: double) else {
      return number
    }
    return .integer(whole)
  }
}
