import Columnar
import LogStorage

/// `variance` and `stddev` of the whole population.
///
/// Each group keeps count, mean and the sum of squared distances from the mean, taken forward row by
/// row (Welford 1962) and merged pairwise (Chan, Golub, LeVeque 1979): no difference of large
/// squares ever occurs, so times and identifiers do not lose their digits.
struct VarianceAggregate: Aggregate {
  enum Result: Sendable { case variance, standardDeviation }

  private struct Moments: Sendable {
    var count = 0.0
    var mean = 0.0
    var squares = 0.0

    @inline(__always)
    mutating func add(_ number: Double) {
      count += 1
      let distance = number - mean
      mean += distance / count
      squares += distance * (number - mean)
    }

    mutating func add(_ other: Moments) {
      if other.count == 0 { return }
      if count == 0 { return self = other }
      let total = count + other.count
      let distance = other.mean - mean
      mean += distance * (other.count / total)
      squares += other.squares + distance * distance * (count * other.count / total)
      count = total
    }
  }

  private let result: Result
  private var moments: [Moments] = []

  init(result: Result) { self.result = result }

  var byteCount: Int { moments.capacity * MemoryLayout<Moments>.stride }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    moments.grow(to: max(groupCount, 1), with: Moments())
    GroupedRows.forEachDouble(groups, arguments[0]) { moments[$0].add($1) }
  }

  mutating func merge(_ other: VarianceAggregate, mapping: [UInt32]) {
    for (group, part) in other.moments.enumerated() where part.count > 0 {
      moments.grow(to: Int(mapping[group]) + 1, with: Moments())
      moments[Int(mapping[group])].add(part)
    }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    let parts = subset.pick(moments, none: Moments())
    writer.append(array: parts.map(\.count))
    writer.append(array: parts.map(\.mean))
    writer.append(array: parts.map(\.squares))
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    let counts = try reader.array(of: Double.self)
    let means = try reader.array(of: Double.self)
    let squares = try reader.array(of: Double.self)
    moments = zip(counts, zip(means, squares)).map {
      Moments(count: $0, mean: $1.0, squares: $1.1)
    }
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector(
      (0..<groupCount).map { group in
        guard group < moments.count, moments[group].count > 0 else { return .missing }
        let variance = moments[group].squares / moments[group].count
        guard variance.isFinite else { return .missing }
        return .double(result == .variance ? max(0, variance) : max(0, variance).squareRoot())
      })
  }
}
