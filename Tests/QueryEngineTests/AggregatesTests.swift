import Columnar
import Foundation
import TestSupport
import Testing

@testable import QueryEngine

/// What an aggregate gives for the rows of one group, straight from the reference.
private enum Reference {
  typealias Row = AggregatesWorld.Row

  static func result(_ kind: AggregateKind, _ rows: [Row]) -> Value {
    let present = rows.filter { !$0.argument.isMissing }
    let scalars = present.filter { !$0.argument.isStructure }.map(\.argument)
    let numbers = rows.compactMap { $0.argument.number?.asDouble }
    switch kind {
    case .countRows: return .integer(Int64(rows.count))
    case .count: return .integer(Int64(present.count))
    case .countDistinct: return .integer(Int64(Set(scalars.map { KeyIdentity.key(of: $0) }).count))
    case .sum: return numbers.isEmpty ? .missing : .double(numbers.reduce(0, +))
    case .average:
      return numbers.isEmpty ? .missing : .double(numbers.reduce(0, +) / Double(numbers.count))
    case .minimum, .sortsFirst: return extreme(.less, scalars)
    case .maximum, .sortsLast: return extreme(.greater, scalars)
    case .percentile(let percent): return percentile(percent, numbers)
    case .variance, .standardDeviation:
      guard !numbers.isEmpty else { return .missing }
      let mean = numbers.reduce(0, +) / Double(numbers.count)
      let variance =
        numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
      return .double(kind == .variance ? variance : variance.squareRoot())
    case .earliest: return inTime(present).first?.argument ?? .missing
    case .latest: return inTime(present).last?.argument ?? .missing
    case .values:
      let distinct = firsts(scalars)
      return distinct.isEmpty ? .missing : .list(distinct)
    case .topK(let count): return top(count, scalars)
    case .rate(let period): return rate(period, rows)
    case .histogram: return .missing
    }
  }

  /// The first of those that no other precedes or follows.
  private static func extreme(_ wanted: Ordering, _ values: [Value]) -> Value {
    values.reduce(.missing) { best, value in
      best.isMissing || SortOrder.order(value, best) == wanted ? value : best
    }
  }

  private static func inTime(_ rows: [Row]) -> [Row] {
    rows.sorted { ($0.time, $0.sequence) < ($1.time, $1.sequence) }
  }

  private static func percentile(_ percent: Double, _ numbers: [Double]) -> Value {
    guard !numbers.isEmpty else { return .missing }
    let sorted = numbers.sorted()
    let rank = percent / 100 * Double(sorted.count - 1)
    let low = sorted[Int(rank)]
    let high = sorted[min(Int(rank) + 1, sorted.count - 1)]
    return .double(low + (high - low) * (rank - rank.rounded(.down)))
  }

  /// Distinct keys in the order of their first appearance, each shown as a group shows it.
  private static func firsts(_ values: [Value]) -> [Value] {
    var places: [[UInt8]: Int] = [:]
    var result: [Value] = []
    for value in values {
      let key = KeyIdentity.key(of: value)
      let place = places[key] ?? result.count
      places[key] = place
      if place == result.count { result.append(value) }
      if AggregatesWorld.rank(value) > AggregatesWorld.rank(result[place]) {
        result[place] = value
      }
    }
    return result
  }

  private static func top(_ count: Int, _ values: [Value]) -> Value {
    if values.isEmpty { return .missing }
    var counts: [[UInt8]: Int] = [:]
    for value in values { counts[KeyIdentity.key(of: value), default: 0] += 1 }
    let order = firsts(values).sorted { a, b in
      let (x, y) = (counts[KeyIdentity.key(of: a)] ?? 0, counts[KeyIdentity.key(of: b)] ?? 0)
      if x != y { return x > y }
      let order = SortOrder.order(a, b)
      if order != .equal { return order == .less }
      return SortOrder.order(.string(keyText(a)), .string(keyText(b))) == .less
    }
    return .list(Array(order.prefix(count)))
  }

  private static func keyText(_ value: Value) -> String {
    KeyIdentity.withText(of: value) { String(decoding: $0, as: UTF8.self) }
  }

  private static func rate(_ period: Double, _ rows: [Row]) -> Value {
    let ordered = inTime(rows.filter { $0.argument.number != nil })
    guard let first = ordered.first, let last = ordered.last, first.time < last.time,
      let from = first.argument.number, let to = last.argument.number
    else { return .missing }
    return .double(
      (to.asDouble - from.asDouble) / Double(last.time - first.time) * period)
  }
}

@Suite struct AggregatesTests {
  static let kinds: [AggregateKind] = [
    .countRows, .count, .countDistinct, .sum, .average, .minimum, .maximum, .percentile(0),
    .percentile(37.5), .percentile(50), .percentile(99.9), .percentile(100), .standardDeviation,
    .variance, .earliest, .latest, .sortsFirst, .sortsLast, .values, .topK(1), .topK(3),
    .rate(periodMilliseconds: 5),
  ]

  /// Equal as keys and lists, or as numbers up to rounding: a key may show another of its values.
  private static func agree(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.list(let x), .list(let y)):
      return x.count == y.count && zip(x, y).allSatisfy { agree($0, $1) }
    case (.missing, .missing): return true
    case (.missing, _), (_, .missing): return false
    default:
      if KeyIdentity.key(of: a) == KeyIdentity.key(of: b) { return true }
      guard case .double(let x)? = a.number, let y = b.number?.asDouble else { return false }
      return (x - y).magnitude <= 1e-9 * max(1, x.magnitude, y.magnitude)
    }
  }

  private static func update(
    _ state: inout any Aggregate, _ kind: AggregateKind, _ groups: [UInt32]?, _ groupCount: Int,
    _ batch: AggregatesWorld.Batch
  ) {
    state.update(
      groups: groups, groupCount: groupCount,
      arguments: kind == .countRows ? [] : [batch.argument], rowCount: batch.rowCount,
      times: kind.needsTimes ? batch.times : nil, sequences: batch.sequences)
  }

  @Test(arguments: AggregatesWorld.Kind.allCases)
  func `every aggregate gives for each group what its rows give one by one`(
    argument: AggregatesWorld.Kind
  ) {
    var world = AggregatesWorld(seed: 81)
    for kind in Self.kinds {
      for keyCount in [0, 1, 2] {
        let batches = (0..<3).map { _ in
          world.batch(
            keyCount: keyCount, count: world.pick([0, 1, 90]), kinds: [argument, .missing])
        }
        var table = GroupTable(keyCount: keyCount)
        var state = kind.makeState()
        for batch in batches {
          let groups = table.assignGroups(keys: batch.keys, rowCount: batch.rowCount)
          Self.update(&state, kind, keyCount == 0 ? nil : groups, table.count, batch)
        }
        let (_, rowsOfGroup) = AggregatesWorld.groups(AggregatesWorld.rows(of: batches))
        let results = state.finish(groupCount: table.count)
        #expect(results.count == table.count)
        for (group, rows) in rowsOfGroup.enumerated() {
          let expected = Reference.result(kind, rows)
          #expect(
            Self.agree(results.value(at: group), expected),
            "\(kind): \(results.value(at: group)), not \(expected), of \(rows.map(\.argument))")
        }
      }
    }
  }

  @Test func `partial states of any kinds of columns merge into the state of all rows`() {
    var world = AggregatesWorld(seed: 82)
    for kind in Self.kinds {
      for keyCount in [0, 1, 2] {
        for _ in 0..<5 {
          let batches = (0..<5).map { _ in world.batch(keyCount: keyCount, count: 50) }
          var whole = GroupTable(keyCount: keyCount)
          var wholeState = kind.makeState()
          for batch in batches {
            var part = GroupTable(keyCount: keyCount)
            let groups = part.assignGroups(keys: batch.keys, rowCount: batch.rowCount)
            var state = kind.makeState()
            Self.update(&state, kind, groups, part.count, batch)
            let mapping = whole.merge(part)
            wholeState.merge(erased: state, mapping: mapping)
          }
          let (_, rowsOfGroup) = AggregatesWorld.groups(AggregatesWorld.rows(of: batches))
          let results = wholeState.finish(groupCount: whole.count)
          for (group, rows) in rowsOfGroup.enumerated() {
            let expected = Reference.result(kind, rows)
            #expect(
              Self.agree(results.value(at: group), expected),
              "\(kind): \(results.value(at: group)), not \(expected), of \(rows.map(\.argument))")
          }
        }
      }
    }
  }

  @Test func `over no rows counts are 0 and everything else is missing`() {
    for kind in Self.kinds + [.histogram(buckets: 3)] {
      let result = kind.makeState().finish(groupCount: 2).values()
      switch kind {
      case .countRows, .count, .countDistinct: #expect(result == [.integer(0), .integer(0)])
      default: #expect(result == [.missing, .missing], "\(kind)")
      }
    }
  }

  private static func result(_ kind: AggregateKind, of column: ColumnVector) -> Value {
    var state = kind.makeState()
    state.update(
      groups: nil, groupCount: 1, arguments: [column], rowCount: column.count, times: nil,
      sequences: nil)
    return state.finish(groupCount: 1).value(at: 0)
  }

  @Test func `sums of whole numbers are exact, even past 64 bits on the way`() {
    func sum(_ numbers: [Int64]) -> Value {
      Self.result(.sum, of: .integers(IntegerVector(values: numbers)))
    }
    #expect(sum([9_007_199_254_740_993, 2]) == .integer(9_007_199_254_740_995))
    #expect(sum([.max, .max, .min, .min, 5]) == .integer(3))
    #expect(sum([.max, 1]) == .double(0x1p63))
    #expect(sum([-1, -2]) == .integer(-3))
    #expect(sum([.min, .min]) == .double(-0x1p64))
  }

  @Test func `sums of decimals are exact`() {
    let tenths = ColumnVector.decimals(
      DecimalVector(mantissas: [Int64](repeating: 1, count: 1_000), scale: 1))
    #expect(Self.result(.sum, of: tenths) == .double(100))
    let prices = ColumnVector.decimals(
      DecimalVector(mantissas: [1250, 1, -5], scales: [2, 1, 0]))
    #expect(Self.result(.sum, of: prices) == .double(7.6))
  }

  @Test func `a sum of doubles keeps what a large term would swallow`() {
    let column = ColumnVector.doubles(DoubleVector(values: [1, 1e100, 1, -1e100]))
    #expect(Self.result(.sum, of: column) == .double(2))
  }

  @Test func `variance of large numbers keeps its digits`() {
    let column = ColumnVector.integers(
      IntegerVector(values: [1_772_445_600_000, 1_772_445_600_001, 1_772_445_600_002]))
    guard case .double(let variance) = Self.result(.variance, of: column) else {
      Issue.record("no variance")
      return
    }
    #expect((variance - 2.0 / 3.0).magnitude < 1e-9)
  }

  @Test func `a histogram counts between the smallest and the largest`() {
    let column = ColumnVector.integers(IntegerVector(values: [0, 1, 5, 9, 10, 4]))
    #expect(
      Self.result(.histogram(buckets: 2), of: column)
        == .map(ValueMap(keys: ["0..5", "5..10"], values: [.integer(3), .integer(3)])))
    let same = ColumnVector.integers(IntegerVector(values: [3, 3]))
    #expect(
      Self.result(.histogram(buckets: 7), of: same)
        == .map(ValueMap(keys: ["3..3"], values: [.integer(2)])))
  }

  @Test func `many distinct values are estimated and said to be`() {
    var state = AggregateKind.countDistinct.makeState()
    var other = AggregateKind.countDistinct.makeState()
    func batch(_ range: Range<Int64>) -> ColumnVector {
      .integers(IntegerVector(values: Array(range)))
    }
    state.update(
      groups: nil, groupCount: 1, arguments: [batch(0..<100_000)], rowCount: 100_000, times: nil,
      sequences: nil)
    #expect(state.finish(groupCount: 1).value(at: 0) == .integer(100_000))
    #expect(state.approximateGroupCount == 0)
    other.update(
      groups: nil, groupCount: 1, arguments: [batch(50_000..<250_000)], rowCount: 200_000,
      times: nil, sequences: nil)
    #expect(other.approximateGroupCount == 1)
    state.merge(erased: other, mapping: [0])
    #expect(state.approximateGroupCount == 1)
    guard case .integer(let estimate) = state.finish(groupCount: 1).value(at: 0) else {
      Issue.record("no estimate")
      return
    }
    // Four standard errors.
    #expect(abs(Double(estimate) / 250_000 - 1) < 0.033, "\(estimate)")
  }

  @Test(arguments: [1, 2, 511, 512, 513, 4_000])
  func `percentiles lie between the neighbours that sorting would give`(count: Int) {
    var random = SeededGenerator(seed: UInt64(count))
    let sources: [() -> Double] = [
      { Double.random(in: -1...1, using: &random) },
      { exp(Double.random(in: -20...20, using: &random)) },
      { Double(Int.random(in: 0...3, using: &random)) },
      { [0, -0.0, 1e300, -1e300, .infinity, -.infinity, 1e-300].randomElement(using: &random)! },
      { 7 },
    ]
    for (number, source) in sources.enumerated() {
      let numbers = (0..<count).map { _ in source() }
      let sorted = numbers.sorted()
      let percents = [0, 0.1, 1, 25, 50, 75, 99, 99.9, 100]
      let found = PercentileAggregate.percentiles(percents, of: numbers)
      for (place, percent) in percents.enumerated() {
        let rank = percent / 100 * Double(count - 1)
        let index = Int(rank)
        let expected =
          rank > Double(index)
          ? sorted[index].moved(to: sorted[index + 1], by: rank - Double(index)) : sorted[index]
        #expect(
          found?[place] == expected || found?[place].isNaN == true && expected.isNaN,
          "\(percent) % of \(count), source \(number)")
      }
    }
  }

  @Test func `many numbers give percentiles close in rank, and said to be close`() {
    var random = SeededGenerator(seed: 83)
    let numbers = (0..<150_000).map { _ in
      let x = Double.random(in: 0..<1, using: &random)
      return x * x * 1_000
    }
    for percent in [0, 0.1, 1, 25, 50, 90, 99, 99.9, 100] {
      var states = (0..<3).map { part in
        var state = AggregateKind.percentile(percent).makeState()
        let slice = Array(numbers[(part * 50_000)..<((part + 1) * 50_000)])
        state.update(
          groups: nil, groupCount: 1, arguments: [.doubles(DoubleVector(values: slice))],
          rowCount: slice.count, times: nil, sequences: nil)
        return state
      }
      #expect(states[0].approximateGroupCount == 0)
      states[0].merge(erased: states[1], mapping: [0])
      states[0].merge(erased: states[2], mapping: [0])
      #expect(states[0].approximateGroupCount == 1)
      guard case .double(let value) = states[0].finish(groupCount: 1).value(at: 0) else {
        Issue.record("no percentile")
        continue
      }
      let below = Double(numbers.count { $0 < value }) / Double(numbers.count) * 100
      #expect((below - percent).magnitude < 0.35, "\(percent): \(value) is at \(below)")
      if percent == 0 { #expect(value == numbers.min()) }
      if percent == 100 { #expect(value == numbers.max()) }
    }
  }

  @Test func `a list of more than ten thousand values is cut, and said to be`() {
    var state = AggregateKind.values.makeState()
    let column = ColumnVector.integers(IntegerVector(values: Array(0..<10_000)))
    state.update(
      groups: nil, groupCount: 1, arguments: [column], rowCount: 10_000, times: nil, sequences: nil)
    #expect(!state.isCut)
    state.update(
      groups: nil, groupCount: 1, arguments: [.constant(.string("x"), count: 1)], rowCount: 1,
      times: nil, sequences: nil)
    #expect(state.isCut)
    guard case .list(let list) = state.finish(groupCount: 1).value(at: 0) else {
      Issue.record("no list")
      return
    }
    #expect(list.count == 10_000)
  }
}
