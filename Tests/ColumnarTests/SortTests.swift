import Columnar
import TestSupport
import Testing

@Suite struct SortTests {
  /// Rows by the rules for single values, equal ones in their order.
  static func reference(_ keys: [[Value]], _ descending: [Bool], count: Int) -> SelectionVector {
    (0..<UInt32(count)).sorted { a, b in
      for (values, isDescending) in zip(keys, descending) {
        let order = SortOrder.order(values[Int(a)], values[Int(b)])
        if order != .equal { return (order == .less) != isDescending }
      }
      return a < b
    }
  }

  @Test func `rows of every kind of key come in the order of their values`() {
    var world = VectorWorld(seed: 61)
    for kind in VectorWorld.Kind.allCases {
      for count in VectorWorld.counts + [500] {
        for isDescending in [false, true] {
          let vector = world.vector(kind, count: count)
          let order = SortKernel.order(
            keys: [vector], descending: [isDescending], rowCount: count)
          #expect(
            order == Self.reference([vector.values()], [isDescending], count: count), "\(kind)")
        }
      }
    }
  }

  @Test func `decimals of different scales sort by value, the shorter of equal ones first`() {
    var random = SeededGenerator(seed: 63)
    for largest in [1, 3, 15] as [UInt8] {
      let scales = (0..<400).map { _ in UInt8.random(in: 0...largest, using: &random) }
      let mantissas = scales.map { scale -> Int64 in
        // Equal values of different scales are frequent: 2, 2.0, 2.00.
        let whole = Int64.random(in: -3...3, using: &random)
        return (0..<scale).reduce(whole) { mantissa, _ in mantissa * 10 }
          + Int64.random(in: 0...1, using: &random)
      }
      let vector = ColumnVector.decimals(DecimalVector(mantissas: mantissas, scales: scales))
      for isDescending in [false, true] {
        #expect(
          SortKernel.order(keys: [vector], descending: [isDescending], rowCount: 400)
            == Self.reference([vector.values()], [isDescending], count: 400))
      }
    }
  }

  /// Texts that are hard to tell apart: long common beginnings, runs of digits of all lengths, bytes that mark something
  /// in the words by which they are sorted, invalid ones.
  private static func texts(_ count: Int, _ random: inout SeededGenerator) -> StringVector {
    let pieces: [[UInt8]] = [
      Array("{\"time\":\"2026-".utf8), Array("job ".utf8), Array("7".utf8), Array("07".utf8),
      Array("1234567".utf8), [UInt8](repeating: 0x39, count: 253),
      [UInt8](repeating: 0x38, count: 256), [0], [1], [2], [3], [0xFF], Array("é".utf8),
      Array("\u{FFFD}".utf8), Array("zz!".utf8), Array("z".utf8), Array("-".utf8), [],
    ]
    let common = (0..<Int.random(in: 0...4, using: &random)).flatMap { _ in
      pieces.randomElement(using: &random)!
    }
    let length = Int.random(in: 1...6, using: &random)
    var vector = StringVector()
    for _ in 0..<count {
      if Int.random(in: 0..<8, using: &random) > 0 { vector.bytes += common }
      for _ in 0..<Int.random(in: 0...length, using: &random) {
        vector.bytes += pieces.randomElement(using: &random)!
      }
      vector.offsets.append(UInt32(vector.bytes.count))
    }
    return vector
  }

  @Test func `texts that hardly differ come in the order of their values`() {
    let seed = UInt64.random(in: 0..<10_000)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    for round in 0..<40 {
      let count = [3, 40, 700, 2_000][round % 4]
      var texts = Self.texts(count, &random)
      if round % 3 == 0 {
        texts.validity = Bitmap(count: count) { _ in Int.random(in: 0..<9, using: &random) > 0 }
      }
      let vector = ColumnVector.strings(texts)
      let isDescending = round % 5 == 0
      let expected = Self.reference([vector.values()], [isDescending], count: count)
      #expect(
        SortKernel.order(keys: [vector], descending: [isDescending], rowCount: count) == expected,
        "seed \(seed), round \(round)")
    }
  }

  @Test func `ranks of keys tell the first ones apart`() {
    let seed = UInt64.random(in: 0..<10_000)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    for _ in 0..<10 {
      var table = KeyTable()
      let numbers = Array(Set(table.numbers(of: .strings(Self.texts(900, &random))))).sorted()
      let values = numbers.map { table.value(of: $0) }
      for number in numbers {
        #expect(table.outranks(number, KeyTable.missing))
        #expect(!table.outranks(KeyTable.missing, number) && !table.outranks(number, number))
      }
      let expected = Self.reference([values], [false], count: values.count)
      for limit in [1, 7, 100, .max] {
        let words = table.words(of: numbers, limit: limit)!
        let found = SortKernel.order(words: [words], rowCount: values.count, limit: limit)
        #expect(found == Array(expected.prefix(limit)), "seed \(seed), limit \(limit)")
      }
      _ = table.number(of: .integer(1))
      #expect(table.words(of: [table.number(of: .integer(1))]) == nil)
    }
  }

  @Test func `several keys decide one after the other, and a limit keeps the first rows`() {
    var world = VectorWorld(seed: 62)
    for _ in 0..<300 {
      let count = world.pick([0, 1, 50, 300])
      let keys = (0..<world.pick([1, 2, 3])).map { _ in
        world.vector(world.pick(VectorWorld.Kind.allCases), count: count)
      }
      let descending = keys.map { _ in Bool.random(using: &world.random) }
      let expected = Self.reference(keys.map { $0.values() }, descending, count: count)
      #expect(SortKernel.order(keys: keys, descending: descending, rowCount: count) == expected)
      let limit = world.pick([0, 1, 5, 40, 1_000])
      #expect(
        SortKernel.order(keys: keys, descending: descending, rowCount: count, limit: limit)
          == Array(expected.prefix(limit)))
    }
  }

  @Test func `the first n of a stream are the first n of all its rows`() {
    var world = VectorWorld(seed: 63)
    for round in 0..<15 {
      let kinds = [
        world.pick(VectorWorld.Kind.allCases), world.pick(VectorWorld.Kind.allCases),
      ]
      let descending = kinds.map { _ in Bool.random(using: &world.random) }
      let limit = world.pick([1, 3, 100])
      var top = TopN(limit: limit, descending: descending)
      var batches: [ColumnBatch] = []
      for batch in 0..<30 {
        let count = 300
        let columns =
          kinds.map { world.vector($0, count: count) }
          + [.integers(IntegerVector(values: (0..<count).map { Int64(batch * count + $0) }))]
        batches.append(
          ColumnBatch(names: ["a", "b", "row"], columns: columns, rowCount: count))
        top.add(batches[batch])
      }
      let all = ColumnBatch.concatenate(batches)
      let order = Self.reference(
        [all.columns[0].values(), all.columns[1].values()], descending, count: all.rowCount)
      let kept = top.finish()
      #expect(
        kept?.columns[2].values() == order.prefix(limit).map { .integer(Int64($0)) },
        "round \(round): \(kinds) \(descending)")
      #expect(top.heldRowCount == limit)
    }
  }

  @Test func `numbers in texts stand among numbers, and missing rows first`() {
    let column = ColumnVector.values([
      .integer(500), .string("404"), .string("abc"), .missing, .double(403.5), .string("111A"),
      .string("5A"), .timestamp(1),
    ])
    #expect(
      SortKernel.order(keys: [column], descending: [false], rowCount: 8)
        == [3, 6, 5, 2, 7, 4, 1, 0])
  }
}
