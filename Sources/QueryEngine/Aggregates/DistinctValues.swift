import Columnar
import LogStorage

/// The distinct values of each group in the order of their first appearance, with their counts.
///
/// Events are scanned in whatever order suits the store, but are seen newest first. So with times and
/// arrival numbers a value's place is that of its newest row; without them rows come in their order.
struct ValueCounts: Sendable {
  private var keys = KeyTable()
  /// Group and key of each pair.
  private var pairs = WordTable()
  private var counts: [Int64] = []
  /// The number of the value that each pair shows.
  private var members: [UInt32] = []
  /// The newest row of each pair, where rows have times.
  private var newest: [Moment] = []

  private struct Moment: Sendable {
    var time = Int64.min
    var sequence: UInt64 = 0

    func isNewer(than other: Moment) -> Bool {
      (time, sequence) > (other.time, other.sequence)
    }
  }

  /// What the lists of ``lists(groupCount:)`` take for each value is part of it, as they are made at once.
  var byteCount: Int {
    counts.count * 64 + 2 * keys.byteCount + pairs.byteCount + counts.capacity * 8 + members
      .capacity
      * 4
      + newest.capacity * MemoryLayout<Moment>.stride
  }

  mutating func add(
    _ groups: [UInt32]?, _ column: ColumnVector, times: [Int64]? = nil, sequences: [UInt64]? = nil
  ) {
    let numbers = keys.numbers(of: column)
    let rows = numbers.indices.filter { numbers[$0] != KeyTable.missing }
    let moments = times.map { times in
      rows.map { Moment(time: times[$0], sequence: sequences?[$0] ?? 0) }
    }
    add(
      rows.map { groups?[$0] ?? 0 }, rows.map { numbers[$0] },
      [Int64](repeating: 1, count: rows.count), moments ?? [])
  }

  private mutating func add(
    _ groups: [UInt32], _ numbers: [UInt32], _ added: [Int64], _ moments: [Moment]
  ) {
    let words = zip(groups, keys.keys(of: numbers)).map { UInt64($0) << 32 | UInt64($1) }
    for (index, pair) in pairs.insert(words).enumerated() {
      counts.grow(to: Int(pair) + 1, with: 0)
      members.grow(to: Int(pair) + 1, with: KeyTable.missing)
      counts[Int(pair)] += added[index]
      if keys.outranks(numbers[index], members[Int(pair)]) { members[Int(pair)] = numbers[index] }
      if moments.isEmpty { continue }
      newest.grow(to: Int(pair) + 1, with: Moment())
      if moments[index].isNewer(than: newest[Int(pair)]) { newest[Int(pair)] = moments[index] }
    }
  }

  mutating func merge(_ other: ValueCounts, mapping: [UInt32]) {
    let translated = keys.numbers(of: other.keys)
    add(
      other.pairs.keys.map { mapping[Int($0 >> 32)] }, other.members.map { translated[Int($0)] },
      other.counts, other.newest)
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    let own = pairs.keys.indices.filter {
      subset.places[Int(pairs.keys[$0] >> 32)] != GroupSubset.none
    }
    writer.append(array: own.map { subset.places[Int(pairs.keys[$0] >> 32)] })
    writer.append(vector: .values(own.map { keys.value(of: members[$0]) }))
    writer.append(array: own.map { counts[$0] })
    let moments = newest.isEmpty ? [] : own.map { newest[$0] }
    writer.append(array: moments.map(\.time))
    writer.append(array: moments.map(\.sequence))
  }

  mutating func read(from reader: inout ByteReader) throws(DecodingFailure) {
    let groups = try reader.array(of: UInt32.self)
    let numbers = keys.numbers(of: try reader.vector())
    let added = try reader.array(of: Int64.self)
    let times = try reader.array(of: Int64.self)
    let moments = zip(times, try reader.array(of: UInt64.self)).map {
      Moment(time: $0, sequence: $1)
    }
    guard groups.count == numbers.count, groups.count == added.count,
      moments.isEmpty || moments.count == groups.count
    else { throw DecodingFailure("lists of values are of different length") }
    add(groups, numbers, added, moments)
  }

  /// How many distinct values the group with the most of them has.
  var longestList: Int {
    var lengths: [Int] = []
    for word in pairs.keys {
      lengths.grow(to: Int(word >> 32) + 1, with: 0)
      lengths[Int(word >> 32)] += 1
    }
    return lengths.max() ?? 0
  }

  /// For each group the values and how often each occurred.
  func lists(groupCount: Int) -> [[(value: Value, count: Int64)]] {
    var lists = [[(value: Value, count: Int64)]](repeating: [], count: groupCount)
    let words = pairs.keys
    var order = Array(words.indices)
    if !newest.isEmpty {
      order.sort { a, b in
        if newest[a].isNewer(than: newest[b]) { return true }
        return !newest[b].isNewer(than: newest[a]) && a < b
      }
    }
    for index in order where Int(words[index] >> 32) < groupCount {
      let word = words[index]
      lists[Int(word >> 32)].append((keys.value(of: members[index]), counts[index]))
    }
    return lists
  }
}

/// `values`: the distinct values of a group, first seen first.
struct ValuesAggregate: Aggregate {
  /// Values that a list has at most.
  static let limit = 10_000

  private var values = ValueCounts()

  var byteCount: Int { values.byteCount }

  var isCut: Bool { values.longestList > Self.limit }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    values.add(groups, arguments[0], times: times, sequences: sequences)
  }

  mutating func merge(_ other: ValuesAggregate, mapping: [UInt32]) {
    values.merge(other.values, mapping: mapping)
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    values.write(subset, to: &writer)
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    try values.read(from: &reader)
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector(
      values.lists(groupCount: groupCount).map { list in
        list.isEmpty ? .missing : .list(list.prefix(Self.limit).map(\.value))
      })
  }
}

/// `topk`: the most frequent values of a group; of equally frequent ones the first in the order of
/// sort.
struct TopKAggregate: Aggregate {
  private let count: Int
  private var values = ValueCounts()

  init(count: Int) { self.count = count }

  var byteCount: Int { values.byteCount }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    values.add(groups, arguments[0])
  }

  mutating func merge(_ other: TopKAggregate, mapping: [UInt32]) {
    values.merge(other.values, mapping: mapping)
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    values.write(subset, to: &writer)
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    try values.read(from: &reader)
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector(
      values.lists(groupCount: groupCount).map { list in
        if list.isEmpty { return .missing }
        let values = ColumnVector(list.map(\.value))
        let order = SortKernel.order(
          keys: [
            .integers(IntegerVector(values: list.map(\.count))), values, values.keyTexts ?? values,
          ],
          descending: [true, false, false], rowCount: list.count, limit: count)
        return .list(order.map { list[Int($0)].value })
      })
  }
}
