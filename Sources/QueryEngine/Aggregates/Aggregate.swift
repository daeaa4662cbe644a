import Columnar
import LogStorage

// How a `stats` computes: rows → groups → states → results.
//
//     for each row group (by any worker):   table = GroupTable, states = one Aggregate per call
//         for each batch:  groups = table.assignGroups(keys); states.update(groups, …)
//     then, in the order of the scan:       mapping = whole.merge(table)
//                                           wholeStates.merge(states, mapping)
//     at the end:                           whole.keyColumns() + wholeStates.finish(whole.count)
//
// One state covers *all* groups of one call in arrays by group number, so a batch costs one call and
// one loop. Sums of doubles depend on the order of addition, and first-seen lists on the order of
// rows: that is why partial states belong to row groups, not to workers, and are merged in the order
// of the scan. Done so, every result is the same whatever the number of threads.

/// The state of one aggregate call for every group.
protocol Aggregate: Sendable {
  /// Takes in the rows of a batch.
  ///
  /// - Parameters:
  ///   - groups: The group of each row; `nil` puts all rows into group 0.
  ///   - groupCount: How many groups there are by now, new ones of this batch included.
  ///   - arguments: The columns of the call's arguments, `rowCount` rows each; empty for `count(*)`.
  ///   - times: Event times in ms, for calls whose kind needs them; missing rows do not occur.
  ///   - sequences: What orders rows of equal time; `nil` takes the order in which rows come.
  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?)

  /// Takes in the state of rows that come after all rows of this one.
  ///
  /// - Parameter mapping: The group here of each group there.
  mutating func merge(_ other: Self, mapping: [UInt32])

  /// The results, one row per group; groups that no row reached have the result of no rows.
  func finish(groupCount: Int) -> ColumnVector

  /// The results of all calls whose state this is, see ``AggregateKind/sharesState(with:)``.
  func finish(groupCount: Int, as kinds: [AggregateKind]) -> [ColumnVector]

  /// Bytes the state occupies, about.
  var byteCount: Int { get }

  /// Writes the states of some groups, for a temporary file.
  func write(_ subset: GroupSubset, to writer: inout ByteWriter)

  /// Reads what was written; the state is as it was then, for groups from 0 on.
  ///
  /// - Precondition: no row was taken in.
  mutating func read(groupCount: Int, from reader: inout ByteReader) throws(DecodingFailure)

  /// How many groups have an approximate result.
  var approximateGroupCount: Int { get }

  /// Why results of so many groups are approximate, in words for the statistics of the answer.
  static func approximation(ofGroups count: Int) -> String

  /// Whether a list was cut to its greatest length.
  var isCut: Bool { get }
}

extension Aggregate {
  func finish(groupCount: Int, as kinds: [AggregateKind]) -> [ColumnVector] {
    let result = finish(groupCount: groupCount)
    return kinds.map { _ in result }
  }

  var approximateGroupCount: Int { 0 }
  static func approximation(ofGroups count: Int) -> String { "" }
  var isCut: Bool { false }

  /// ``merge(_:mapping:)`` with a state that is known to be of the same kind.
  mutating func merge(erased other: any Aggregate, mapping: [UInt32]) {
    guard let other = other as? Self else {
      preconditionFailure("states of different aggregates do not merge")
    }
    merge(other, mapping: mapping)
  }
}

/// An aggregate function with its constants.
enum AggregateKind: Sendable, Equatable {
  /// `count(*)`.
  case countRows
  case count
  case countDistinct
  case sum
  case average
  case minimum
  case maximum
  /// In percent, 0 to 100.
  case percentile(Double)
  case standardDeviation
  case variance
  case earliest
  case latest
  case sortsFirst
  case sortsLast
  case values
  case topK(Int)
  /// Change per so many ms.
  case rate(periodMilliseconds: Double)
  case histogram(buckets: Int)

  /// A state without rows.
  func makeState() -> any Aggregate {
    switch self {
    case .countRows, .count: CountAggregate()
    case .countDistinct: CountDistinctAggregate()
    case .sum: SumAggregate(result: .sum)
    case .average: SumAggregate(result: .average)
    case .minimum, .sortsFirst: ExtremeAggregate(isMaximum: false)
    case .maximum, .sortsLast: ExtremeAggregate(isMaximum: true)
    case .percentile(let percent): PercentileAggregate(percent: percent)
    case .standardDeviation: VarianceAggregate(result: .standardDeviation)
    case .variance: VarianceAggregate(result: .variance)
    case .earliest: EarliestLatestAggregate(isLatest: false)
    case .latest: EarliestLatestAggregate(isLatest: true)
    case .values: ValuesAggregate()
    case .topK(let count): TopKAggregate(count: count)
    case .rate(let period): RateAggregate(periodMilliseconds: period)
    case .histogram(let buckets): HistogramAggregate(buckets: buckets)
    }
  }

  /// Whether a call of this kind and one of another, for the same argument, keep the same: percentiles keep the numbers,
  /// whichever of them is asked for.
  func sharesState(with other: AggregateKind) -> Bool {
    if case (.percentile, .percentile) = (self, other) { true } else { false }
  }

  /// Whether ``Aggregate/update(groups:groupCount:arguments:rowCount:times:sequences:)`` needs times.
  var needsTimes: Bool {
    switch self {
    case .earliest, .latest, .rate: true
    default: false
    }
  }

  /// Whether it depends on the order of rows: of events, which are scanned in any order, it needs
  /// times where there are some.
  var dependsOnOrder: Bool { self == .values }
}

/// In place of a state that another call keeps.
struct BorrowedState: Aggregate {
  var byteCount: Int { 0 }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {}

  mutating func merge(_ other: BorrowedState, mapping: [UInt32]) {}
  func finish(groupCount: Int) -> ColumnVector { .missing(count: groupCount) }
  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {}
  mutating func read(groupCount: Int, from reader: inout ByteReader) throws(DecodingFailure) {}
}

extension Array {
  /// Lengthens the array to `count` elements.
  @inline(__always)
  mutating func grow(to count: Int, with element: Element) {
    if self.count < count {
      append(contentsOf: repeatElement(element, count: count - self.count))
    }
  }
}

/// Loops over the rows of a batch with their groups.
enum GroupedRows {
  /// Calls `body` with group and row of each row that is valid.
  @inline(__always)
  static func forEach(
    _ groups: [UInt32]?, _ count: Int, _ validity: Bitmap?, _ body: (Int, Int) -> Void
  ) {
    switch (groups, validity) {
    case (nil, nil):
      for row in 0..<count { body(0, row) }
    case (nil, let validity?):
      for row in validity.setRows() { body(0, Int(row)) }
    case (let groups?, nil):
      for row in 0..<count { body(Int(groups[row]), row) }
    case (let groups?, let validity?):
      for row in validity.setRows() { body(Int(groups[Int(row)]), Int(row)) }
    }
  }

  /// Calls `body` with group and number of each row that has a number.
  @inline(__always)
  static func forEachDouble(
    _ groups: [UInt32]?, _ column: ColumnVector, _ body: (Int, Double) -> Void
  ) {
    if case .decimals(let v) = column {
      let numbers = v.doubles()
      return forEach(groups, numbers.count, v.validity) { body($0, numbers[$1]) }
    }
    switch column.numbers() {
    case .missing: break
    case .integers(let v):
      forEach(groups, v.values.count, v.validity) { body($0, Double(v.values[$1])) }
    case .doubles(let v):
      forEach(groups, v.values.count, v.validity) { body($0, v.values[$1]) }
    case .mixed(let numbers):
      forEach(groups, numbers.count, nil) { group, row in
        if let number = numbers[row] { body(group, number.asDouble) }
      }
    }
  }
  /// Calls `body` with each group that has numbers and all of them, in the order of their rows.
  ///
  /// A list for each group is long in coming when it grows by one number at a time; so the numbers are first counted by
  /// group and laid side by side.
  static func forEachGroup(
    _ groups: [UInt32]?, groupCount: Int, _ column: ColumnVector,
    _ body: (Int, UnsafeBufferPointer<Double>) -> Void
  ) {
    let rowCount = column.count
    withUnsafeTemporaryAllocation(of: Double.self, capacity: rowCount) { numbers in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: rowCount) { groupOf in
        var count = 0
        // A row has one number at most.
        forEachDouble(groups, column) { group, number in
          numbers[count] = number
          groupOf[count] = UInt32(truncatingIfNeeded: group)
          count &+= 1
        }
        let numbers = UnsafeBufferPointer(rebasing: numbers[..<count])
        if count == 0 { return }
        if groups == nil { return body(0, numbers) }
        if groupCount > count {
          for place in 0..<count {
            body(Int(groupOf[place]), UnsafeBufferPointer(rebasing: numbers[place...place]))
          }
        } else {
          lay(numbers, byGroup: UnsafeBufferPointer(groupOf), groupCount: groupCount, body)
        }
      }
    }
  }

  private static func lay(
    _ numbers: UnsafeBufferPointer<Double>, byGroup groupOf: UnsafeBufferPointer<UInt32>,
    groupCount: Int, _ body: (Int, UnsafeBufferPointer<Double>) -> Void
  ) {
    // From where the next number of a group is laid down; in the end where its numbers end.
    var places = [Int](repeating: 0, count: groupCount)
    for i in numbers.indices { places[Int(groupOf[i])] += 1 }
    var start = 0
    for group in 0..<groupCount { (places[group], start) = (start, start + places[group]) }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: numbers.count) { laid in
      places.withUnsafeMutableBufferPointer { places in
        // Groups were compared with their count when they were counted, and each has as many places as numbers.
        for i in numbers.indices {
          let group = Int(groupOf[i])
          laid[places[group]] = numbers[i]
          places[group] &+= 1
        }
      }
      var start = 0
      for group in 0..<groupCount where places[group] > start {
        body(group, UnsafeBufferPointer(rebasing: laid[start..<places[group]]))
        start = places[group]
      }
    }
  }
}

extension Value {
  /// Bytes of the text that a state holds with a value.
  var textByteCount: Int {
    switch self {
    case .string(let text): text.utf8.count
    case .sourceNumber(let number): number.text.utf8.count
    default: 0
    }
  }
}
