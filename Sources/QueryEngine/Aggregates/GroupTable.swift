import Columnar

// From key columns to group numbers.
//
// Every key column has its own table of values (KeyTable), which turns it into small numbers. One
// column: its number decides the group by an array. Several: the numbers of the first two columns
// form one 64-bit word, whose dense number joins with the third column's, and so on, so that any
// count of keys needs only one kind of table. A single dictionary column skips even that: its codes
// lead to groups through an array that is filled as codes turn up.
//
// Group numbers follow the order of first appearance. Tables of several workers (or of several row
// groups) are merged in the order of the scan; then numbers, and with them everything that depends
// on them, do not depend on which worker ran when.

/// Groups of rows with equal keys, numbered in the order in which they first appear.
struct GroupTable: Sendable {
  private static let unknown = UInt32.max

  private var keys: [KeyTable]
  /// For each key column the number of the value that each group shows.
  private var members: [[UInt32]]
  /// With one key column, the group of each value; `unknown` for values that have none yet.
  private var groupOfNumber: [UInt32] = []
  /// With several key columns, one table per column behind the first.
  private var pairs: [WordTable]
  private var lastDictionary: DictionaryGroups?

  /// How many groups there are; without key columns always one.
  private(set) var count: Int

  /// - Parameter keyCount: how many key columns every batch brings; 0 makes one group of all rows.
  init(keyCount: Int) {
    keys = [KeyTable](repeating: KeyTable(), count: keyCount)
    members = [[UInt32]](repeating: [], count: keyCount)
    pairs = [WordTable](repeating: WordTable(), count: max(0, keyCount - 1))
    count = keyCount == 0 ? 1 : 0
  }

  /// Bytes the table occupies, about.
  var byteCount: Int {
    keys.reduce(0) { $0 + $1.byteCount } + members.reduce(0) { $0 + $1.capacity * 4 }
      + pairs.reduce(0) { $0 + $1.byteCount } + groupOfNumber.capacity * 4
  }

  /// The group of each row of a batch; keys never seen before make new groups.
  ///
  /// - Precondition: as many key columns as the table was made for, each of `rowCount` rows.
  /// - Complexity: O(rows × keys), for texts O(bytes)
  mutating func assignGroups(keys columns: [ColumnVector], rowCount: Int) -> [UInt32] {
    precondition(columns.count == keys.count, "not the key columns of this table")
    precondition(columns.allSatisfy { $0.count == rowCount }, "key columns of different length")
    switch columns.count {
    case 0:
      return [UInt32](repeating: 0, count: rowCount)
    case 1:
      if case .dictionary(let v) = columns[0] { return groups(ofDictionary: v) }
      return groups(ofNumbers: keys[0].numbers(of: columns[0]))
    default:
      return groups(ofTuples: columns.indices.map { keys[$0].numbers(of: columns[$0]) })
    }
  }

  /// What the keys of all groups show, one column per key, one row per group.
  func keyColumns() -> [ColumnVector] {
    keys.indices.map { keys[$0].column(of: members[$0]) }
  }

  /// How many key columns there are.
  var keyCount: Int { keys.count }

  /// What the keys of some groups show, one column per key, one row per group.
  func keyColumns(_ groups: [UInt32]) -> [ColumnVector] {
    keys.indices.map { keyColumn($0, groups) }
  }

  /// Words whose order is that of what one key of some groups shows, a list of them for each column of words that is to be
  /// compared: a second one tells values apart that sort alike but are no one key; none if all are equal.
  ///
  /// - Parameter limit: how many of the first are wanted; only their words tell groups apart.
  /// - Complexity: O(groups), and what sorting the distinct values takes
  func words(
    ofKey key: Int, _ groups: [UInt32], limit: Int = .max
  ) -> (order: [UInt64]?, texts: [UInt64]?) {
    let members = members[key]
    let numbers = groups.map { members[Int($0)] }
    var places = [UInt32](repeating: .max, count: keys[key].count)
    var distinct: [UInt32] = []
    for number in numbers where places[Int(number)] == .max {
      places[Int(number)] = UInt32(truncatingIfNeeded: distinct.count)
      distinct.append(number)
    }
    func words(_ ofDistinct: [UInt64]?) -> [UInt64]? {
      if distinct.count == numbers.count { return ofDistinct }
      return ofDistinct.map { words in numbers.map { words[Int(places[Int($0)])] } }
    }
    if let ranks = keys[key].words(of: distinct, limit: limit) { return (words(ranks), nil) }
    let column = keys[key].column(of: distinct)
    return (
      words(SortKernel.words(of: column, descending: false)),
      words(column.keyTexts.flatMap { SortKernel.words(of: $0, descending: false) })
    )
  }

  /// What one key of some groups shows, one row per group.
  func keyColumn(_ key: Int, _ groups: [UInt32]) -> ColumnVector {
    let numbers = members[key]
    return keys[key].column(of: groups.map { numbers[Int($0)] })
  }

  /// Takes over the groups of another table and tells for each of them its number here.
  ///
  /// Groups that are new here are numbered in the other table's order.
  mutating func merge(_ other: GroupTable) -> [UInt32] {
    precondition(keys.count == other.keys.count, "not a table of the same keys")
    if keys.isEmpty { return [0] }
    let numbers = keys.indices.map { column -> [UInt32] in
      let translated = keys[column].numbers(of: other.keys[column])
      return other.members[column].map { translated[Int($0)] }
    }
    return keys.count == 1 ? groups(ofNumbers: numbers[0]) : groups(ofTuples: numbers)
  }

  // MARK: One key column

  /// The groups of the codes of one dictionary.
  private struct DictionaryGroups: Sendable {
    /// Held so that no other dictionary can lie at the same place in memory.
    let entries: StringVector
    var groupOfCode: [UInt32]
  }

  private mutating func groups(ofDictionary vector: DictionaryVector) -> [UInt32] {
    var groupOfCode: [UInt32]
    if case .strings(let entries) = vector.entries, let last = lastDictionary,
      last.entries.sharesStorage(with: entries)
    {
      groupOfCode = last.groupOfCode
    } else {
      groupOfCode = [UInt32](repeating: Self.unknown, count: vector.entries.count + 1)
    }
    lastDictionary = nil
    assignGroups(of: vector, &groupOfCode)
    let groups = [UInt32](unsafeUninitializedCapacity: vector.codes.count) { result, used in
      for (row, code) in vector.codes.enumerated() { result[row] = groupOfCode[Int(code)] }
      used = vector.codes.count
    }
    if case .strings(let entries) = vector.entries {
      lastDictionary = DictionaryGroups(entries: entries, groupOfCode: groupOfCode)
    }
    return groups
  }

  /// Gives the codes that occur and have no group yet one each, in the order of their first rows.
  private mutating func assignGroups(of vector: DictionaryVector, _ groupOfCode: inout [UInt32]) {
    let pending = Self.unknown - 1
    var first: [UInt32] = []
    groupOfCode.withUnsafeMutableBufferPointer { groupOfCode in
      vector.codes.withUnsafeBufferPointer { codes in
        for code in codes where groupOfCode[Int(code)] == Self.unknown {
          groupOfCode[Int(code)] = pending
          first.append(UInt32(code))
        }
      }
    }
    if first.isEmpty { return }
    let missing = UInt32(vector.entries.count)
    if case .strings(let texts) = vector.entries, texts.validity == nil, first.count >= 16,
      groupOfCode[Int(missing)] != pending
    {
      let groups = groups(ofNumbers: keys[0].numbers(of: texts, at: first))
      for (code, group) in zip(first, groups) { groupOfCode[Int(code)] = group }
      return
    }
    let entries = vector.entries.gatherOrMissing(
      first.map { $0 == missing ? ColumnVector.missingRow : $0 })
    for (code, group) in zip(first, groups(ofNumbers: keys[0].numbers(of: entries))) {
      groupOfCode[Int(code)] = group
    }
  }

  private mutating func groups(ofNumbers numbers: [UInt32]) -> [UInt32] {
    // Asked of the table for all rows at once: whoever calls a method on an element of an array, row
    // by row, may copy the element each time.
    let keyNumbers = keys[0].keys(of: numbers)
    if let greatest = numbers.max() {
      groupOfNumber.grow(to: Int(greatest) + 1, with: Self.unknown)
    }
    var groups: [UInt32] = []
    groups.reserveCapacity(numbers.count)
    var synonyms: [(number: UInt32, group: UInt32)] = []
    for row in numbers.indices {
      let number = numbers[row]
      var group = groupOfNumber[Int(number)]
      if group == Self.unknown {
        group = self.group(of: number, key: keyNumbers[row])
        if keyNumbers[row] != number { synonyms.append((number, group)) }
      }
      groups.append(group)
    }
    for (number, group) in synonyms { show(number, 0, group) }
    return groups
  }

  /// The group of a value that occurs for the first time.
  private mutating func group(of number: UInt32, key: UInt32) -> UInt32 {
    groupOfNumber.grow(to: Int(key) + 1, with: Self.unknown)
    var group = groupOfNumber[Int(key)]
    if group == Self.unknown {
      group = UInt32(truncatingIfNeeded: count)
      members[0].append(number)
      count += 1
      groupOfNumber[Int(key)] = group
    }
    groupOfNumber[Int(number)] = group
    return group
  }

  @inline(__always)
  private mutating func show(_ number: UInt32, _ column: Int, _ group: UInt32) {
    if keys[column].outranks(number, members[column][Int(group)]) {
      members[column][Int(group)] = number
    }
  }

  // MARK: Several key columns

  private mutating func groups(ofTuples numbers: [[UInt32]]) -> [UInt32] {
    var groups = keys[0].keys(of: numbers[0])
    for column in 1..<numbers.count {
      let others = keys[column].keys(of: numbers[column])
      groups = Self.join(groups, others, &pairs[column - 1])
    }
    for (row, group) in groups.enumerated() where Int(group) == count {
      for column in members.indices { members[column].append(numbers[column][row]) }
      count += 1
    }
    for column in members.indices where keys[column].hasSynonyms {
      for (row, group) in groups.enumerated() { show(numbers[column][row], column, group) }
    }
    return groups
  }

  /// The number of each pair. Where both sides have few numbers, pairs are looked up in an array
  /// of all combinations, and only the first of each goes to the table.
  private static func join(
    _ a: [UInt32], _ b: [UInt32], _ table: inout WordTable
  ) -> [UInt32] {
    let width = Int(b.max() ?? 0) + 1
    let (size, overflow) = (Int(a.max() ?? 0) + 1).multipliedReportingOverflow(by: width)
    guard !overflow, size <= min(a.count, 65_536) else {
      return table.insert(a.indices.map { UInt64(a[$0]) << 32 | UInt64(b[$0]) })
    }
    var known = [UInt32](repeating: unknown, count: size)
    return a.indices.map { row in
      let place = Int(a[row]) &* width &+ Int(b[row])
      if known[place] == unknown {
        known[place] = table.insert(UInt64(a[row]) << 32 | UInt64(b[row]))
      }
      return known[place]
    }
  }
}
