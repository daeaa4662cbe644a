import Columnar
import LogStorage

/// `histogram`: counts of a group's numbers in buckets of equal width between the smallest and the
/// largest, as a map from `"lo..hi"` to counts.
///
/// Buckets are half open, the last is closed. The ends are known only when all numbers are, so all
/// are kept.
struct HistogramAggregate: Aggregate {
  private let buckets: Int
  private var numbers: [[Double]] = []

  init(buckets: Int) {
    precondition(buckets >= 1, "a histogram has a bucket")
    self.buckets = buckets
  }

  /// Numbers in all groups.
  private var heldCount = 0

  var byteCount: Int { numbers.capacity * 48 + heldCount * 12 }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    numbers.grow(to: max(groupCount, 1), with: [])
    GroupedRows.forEachDouble(groups, arguments[0]) { group, number in
      numbers[group].append(number)
      heldCount &+= 1
    }
  }

  mutating func merge(_ other: HistogramAggregate, mapping: [UInt32]) {
    for (group, part) in other.numbers.enumerated() {
      numbers.grow(to: Int(mapping[group]) + 1, with: [])
      numbers[Int(mapping[group])] += part
      heldCount += part.count
    }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    writer.append(lists: subset.pick(numbers, none: []))
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    numbers = try reader.lists()
    heldCount = numbers.reduce(0) { $0 + $1.count }
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector((0..<groupCount).map { value(of: $0) })
  }

  private func value(of group: Int) -> Value {
    guard group < numbers.count, let low = numbers[group].min(), let high = numbers[group].max()
    else { return .missing }
    if low == high {
      return .map(
        ValueMap(keys: [Self.label(low, high)], values: [.integer(Int64(numbers[group].count))]))
    }
    let width = (high - low) / Double(buckets)
    let ends = (0...buckets).map { place in
      if place == buckets { return high }
      // Where high − low exceeds the largest number, each end is found by itself.
      return width.isFinite
        ? low + width * Double(place) : low.moved(to: high, by: Double(place) / Double(buckets))
    }
    var counts = [Int64](repeating: 0, count: buckets)
    for number in numbers[group] {
      counts[Self.bucket(of: number, ends, buckets)] += 1
    }
    return .map(
      ValueMap(
        keys: (0..<buckets).map { Self.label(ends[$0], ends[$0 + 1]) },
        values: counts.map { .integer($0) }))
  }

  /// By bisection of the printed ends, so that a number never stands in a bucket it does not fit.
  private static func bucket(of number: Double, _ ends: [Double], _ buckets: Int) -> Int {
    var low = 0
    var high = buckets
    while high - low > 1 {
      let middle = (low + high) / 2
      if ends[middle] <= number { low = middle } else { high = middle }
    }
    return low
  }

  private static func label(_ low: Double, _ high: Double) -> String {
    NumberFormat.displayText(low) + ".." + NumberFormat.displayText(high)
  }
}
