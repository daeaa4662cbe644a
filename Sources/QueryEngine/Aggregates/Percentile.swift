import Columnar
import LogStorage

// Percentiles: exact up to 50,000 numbers of a group, then a t-digest.
//
// Exact: the numbers are kept, and the rank p/100 · (n − 1) is interpolated between its two
// neighbours. Of many numbers, two passes first count how many lie in each of up to 2,048 ranges, by the leading bits in
// which their floating-point forms differ; these are in the order of the numbers and spread latencies evenly.
// Only the numbers of the one or two ranges that hold the neighbours are looked at further, and
// selection (quickselect) finds the neighbours among them without sorting the rest.
//
// t-digest (Dunning, Ertl 2019): numbers are gathered into centroids, mean and weight, that are small
// near the ends and large in the middle, so that the 99.9th percentile is as sharp as the median.
// New numbers wait in a buffer; a full buffer is sorted together with the centroids and swept once,
// joining neighbours while the joined weight stays within 4 · n · q(1 − q) / δ for the centroid's
// place q and the compression δ = 200. Everything is deterministic; partial digests are merged in the
// order of the scan.

/// A sketch of a distribution.
struct TDigest: Sendable {
  private struct Centroid: Sendable {
    var mean: Double
    var weight: Double
  }

  static let compression = 200.0
  private static let bufferCount = 2_000

  private var centroids: [Centroid] = []
  /// Numbers that wait.
  private var buffer: [Double] = []
  private var minimum = Double.infinity
  private var maximum = -Double.infinity

  var byteCount: Int { centroids.capacity * 16 + buffer.capacity * 8 + 32 }

  init() {}

  /// A sketch as it was written.
  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let means = try reader.array(of: Double.self)
    centroids = zip(means, try reader.array(of: Double.self)).map {
      Centroid(mean: $0, weight: $1)
    }
    buffer = try reader.array(of: Double.self)
    let ends = try reader.array(of: Double.self)
    guard ends.count == 2 else { throw DecodingFailure("a sketch has two ends") }
    (minimum, maximum) = (ends[0], ends[1])
  }

  func write(to writer: inout ByteWriter) {
    writer.append(array: centroids.map(\.mean))
    writer.append(array: centroids.map(\.weight))
    writer.append(array: buffer)
    writer.append(array: [minimum, maximum])
  }

  mutating func add(_ number: Double) {
    minimum = min(minimum, number)
    maximum = max(maximum, number)
    buffer.append(number)
    if buffer.count >= Self.bufferCount { compress() }
  }

  mutating func merge(_ other: TDigest) {
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    buffer += other.buffer
    compress(with: other.centroids)
  }

  /// Joins the centroids, those of another digest, and the numbers that wait.
  private mutating func compress(with others: [Centroid] = []) {
    let numbers = buffer.sorted()
    buffer.removeAll(keepingCapacity: true)
    let old = (centroids + others).sorted {
      $0.mean == $1.mean ? $0.weight < $1.weight : $0.mean < $1.mean
    }
    var all: [Centroid] = []
    all.reserveCapacity(old.count + numbers.count)
    var next = 0
    for centroid in old {
      while next < numbers.count, numbers[next] <= centroid.mean {
        all.append(Centroid(mean: numbers[next], weight: 1))
        next += 1
      }
      all.append(centroid)
    }
    for number in numbers[next...] { all.append(Centroid(mean: number, weight: 1)) }
    sweep(all)
  }

  private mutating func sweep(_ all: [Centroid]) {
    guard var current = all.first else { return }
    let total = all.reduce(0) { $0 + $1.weight }
    centroids.removeAll(keepingCapacity: true)
    var before = 0.0
    for next in all.dropFirst() {
      let weight = current.weight + next.weight
      let place = (before + weight / 2) / total
      if weight <= 4 * total * place * (1 - place) / Self.compression {
        current.mean = current.mean.moved(to: next.mean, by: next.weight / weight)
        current.weight = weight
      } else {
        before += current.weight
        centroids.append(current)
        current = next
      }
    }
    centroids.append(current)
  }

  /// The number below which `fraction` of the distribution lies.
  func quantile(_ fraction: Double) -> Double? {
    var digest = self
    digest.compress()
    return digest.interpolated(fraction)
  }

  /// Between the middles of two neighbouring centroids values are taken to lie evenly; the first
  /// and the last half centroid reach to the smallest and largest number.
  private func interpolated(_ fraction: Double) -> Double? {
    guard let first = centroids.first, let last = centroids.last else { return nil }
    let total = centroids.reduce(0) { $0 + $1.weight }
    let wanted = fraction * (total - 1) + 0.5
    if wanted <= first.weight / 2 {
      return minimum.moved(
        to: first.mean, by: max(0, (wanted - 0.5) / max(first.weight / 2 - 0.5, 0.5)))
    }
    var position = first.weight / 2
    for (left, right) in zip(centroids, centroids.dropFirst()) {
      let width = (left.weight + right.weight) / 2
      if wanted <= position + width {
        return left.mean.moved(to: right.mean, by: (wanted - position) / width)
      }
      position += width
    }
    let rest = max(last.weight / 2 - 0.5, 0.5)
    return last.mean.moved(to: maximum, by: min(1, (wanted - position) / rest))
  }
}

/// `pct`: linear interpolation between closest ranks.
struct PercentileAggregate: Aggregate {
  /// Numbers of a group that are kept before a digest takes their place.
  static let exactCount = 50_000

  private let percent: Double
  private var numbers: [[Double]] = []
  /// By group; groups that are still exact have none.
  private var digests: [Int: TDigest] = [:]

  init(percent: Double) { self.percent = percent }

  /// Numbers in all groups.
  private var heldCount = 0

  var byteCount: Int {
    numbers.capacity * 48 + heldCount * 12
      + digests.values.reduce(0) { $0 + $1.byteCount + 64 }
  }

  var approximateGroupCount: Int { digests.count }

  static func approximation(ofGroups count: Int) -> String {
    "pct: more than \(exactCount) numbers in \(count) "
      + "group\(count == 1 ? "" : "s"), estimated with a t-digest"
  }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    numbers.grow(to: max(groupCount, 1), with: [])
    GroupedRows.forEachGroup(groups, groupCount: numbers.count, arguments[0]) {
      add($1, to: $0)
    }
  }

  private mutating func add(_ more: UnsafeBufferPointer<Double>, to group: Int) {
    var rest = more[...]
    while !rest.isEmpty {
      let taken = rest.prefix(Self.exactCount + 1 - numbers[group].count)
      numbers[group].append(contentsOf: UnsafeBufferPointer(rebasing: taken))
      heldCount += taken.count
      rest = rest.dropFirst(taken.count)
      if numbers[group].count > Self.exactCount { spill(group) }
    }
  }

  /// Moves the numbers of a group into its digest.
  @inline(never)
  private mutating func spill(_ group: Int) {
    var digest = digests[group] ?? TDigest()
    for number in numbers[group] { digest.add(number) }
    heldCount -= numbers[group].count
    numbers[group].removeAll(keepingCapacity: true)
    digests[group] = digest
  }

  mutating func merge(_ other: PercentileAggregate, mapping: [UInt32]) {
    for group in other.numbers.indices {
      let target = Int(mapping[group])
      numbers.grow(to: target + 1, with: [])
      if let digest = other.digests[group] {
        spill(target)
        digests[target]?.merge(digest)
      }
      numbers[target] += other.numbers[group]
      heldCount += other.numbers[group].count
      if numbers[target].count > Self.exactCount { spill(target) }
    }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    writer.append(lists: subset.pick(numbers, none: []))
    let sketched = subset.groups.indices.filter { digests[Int(subset.groups[$0])] != nil }
    writer.append(array: sketched.map { UInt32($0) })
    for place in sketched { digests[Int(subset.groups[place])]?.write(to: &writer) }
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    numbers = try reader.lists()
    heldCount = numbers.reduce(0) { $0 + $1.count }
    for group in try reader.array(of: UInt32.self) {
      digests[Int(group)] = try TDigest(from: &reader)
    }
  }

  func finish(groupCount: Int) -> ColumnVector {
    finish(groupCount: groupCount, as: [.percentile(percent)])[0]
  }

  func finish(groupCount: Int, as kinds: [AggregateKind]) -> [ColumnVector] {
    let percents = kinds.map { kind -> Double in
      guard case .percentile(let percent) = kind else {
        preconditionFailure("numbers of percentiles give nothing else")
      }
      return percent
    }
    let found = (0..<groupCount).map { values(of: $0, percents) }
    return percents.indices.map { place in
      ColumnVector(found.map { $0.map { .double($0[place]) } ?? .missing })
    }
  }

  private func values(of group: Int, _ percents: [Double]) -> [Double]? {
    guard group < numbers.count else { return nil }
    if var digest = digests[group] {
      for number in numbers[group] { digest.add(number) }
      let found = percents.compactMap { digest.quantile($0 / 100) }
      return found.count == percents.count ? found : nil
    }
    return Self.percentiles(percents, of: numbers[group])
  }

  /// The interpolated values at ranks percent/100 · (n − 1); `nil` of no numbers.
  static func percentiles(_ percents: [Double], of numbers: [Double]) -> [Double]? {
    if numbers.isEmpty { return nil }
    let ranges = numbers.count < leastCountForRanges ? nil : NumberRanges(numbers)
    return percents.map { percent in
      let rank = percent / 100 * Double(numbers.count - 1)
      let index = min(max(Int(rank), 0), numbers.count - 1)
      let part = rank - Double(index)
      var (near, before) = ranges?.numbers(near: index, of: numbers) ?? (numbers, 0)
      return near.withUnsafeMutableBufferPointer { near in
        let low = select(index - before, in: near)
        if part <= 0 { return low }
        // Selection left everything above the index behind it.
        guard let high = near[(index - before + 1)...].min() else { return low }
        return low.moved(to: high, by: part)
      }
    }
  }

  /// Below this, selection among all is as fast.
  private static let leastCountForRanges = 512

  /// The element that sorting would put at `index`, with nothing larger before it and nothing
  /// smaller behind it. The middle of three is the pivot; O(n) on average.
  ///
  /// No search runs past the ends: the pivot lies between the first and the last number, and what one pass exchanged
  /// stops the next; a number that compares with none stops each.
  private static func select(_ index: Int, in numbers: UnsafeMutableBufferPointer<Double>) -> Double
  {
    var low = 0
    var high = numbers.count - 1
    while low < high {
      let middle = (low + high) / 2
      if numbers[middle] < numbers[low] { numbers.swapAt(middle, low) }
      if numbers[high] < numbers[low] { numbers.swapAt(high, low) }
      if numbers[high] < numbers[middle] { numbers.swapAt(high, middle) }
      let pivot = numbers[middle]
      var i = low
      var j = high
      while i <= j {
        while numbers[i] < pivot { i += 1 }
        while pivot < numbers[j] { j -= 1 }
        if i <= j {
          numbers.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if index <= j {
        high = j
      } else if index >= i {
        low = i
      } else {
        break
      }
    }
    return numbers[index]
  }
}

/// How many numbers lie in each of many ranges, which are in the order of the numbers.
private struct NumberRanges {
  private static let rangeBits = 11

  private let first: UInt64
  private let shift: UInt64
  private let counts: [Int32]

  /// `nil` where a number compares with none.
  init?(_ numbers: [Double]) {
    var least = UInt64.max
    var greatest = UInt64.min
    for number in numbers {
      let key = number.orderedBits
      least = min(least, key)
      greatest = max(greatest, key)
    }
    guard least >= (-Double.infinity).orderedBits, greatest <= Double.infinity.orderedBits else {
      return nil
    }
    // All keys agree in the bits above the highest one in which the least and the greatest differ.
    let shift = UInt64(max(0, 64 - (least ^ greatest).leadingZeroBitCount - Self.rangeBits))
    let first = least &>> shift
    var counts = [Int32](repeating: 0, count: 1 << Self.rangeBits)
    counts.withUnsafeMutableBufferPointer { counts in
      for number in numbers { counts[Int(number.orderedBits &>> shift &- first)] &+= 1 }
    }
    self.shift = shift
    self.first = first
    self.counts = counts
  }

  /// The numbers among which those lie that sorting would put at `index` and behind it, and how many are smaller than all
  /// of them.
  func numbers(near index: Int, of numbers: [Double]) -> (near: [Double], before: Int) {
    var range = 0
    var before = 0
    while before + Int(counts[range]) <= index {
      before += Int(counts[range])
      range += 1
    }
    // The next number may lie in the next range that has some.
    var last = range
    if before + Int(counts[range]) == index + 1, index + 1 < numbers.count {
      repeat { last += 1 } while counts[last] == 0
    }
    let count = Int(counts[range]) + (last > range ? Int(counts[last]) : 0)
    let least = first &+ UInt64(range)
    let width = UInt64(last - range)
    let near = [Double](unsafeUninitializedCapacity: count + 1) { target, used in
      // As many as were counted in these ranges are kept; what is written without a branch goes at most one past them.
      for number in numbers {
        target[used] = number
        used &+= number.orderedBits &>> shift &- least <= width ? 1 : 0
      }
    }
    return (near, before)
  }
}

extension Double {
  /// Bits that as a whole number are in the order of the numbers; those of no number lie outside of both infinities.
  @inline(__always)
  fileprivate var orderedBits: UInt64 {
    // Added to, the negative zero is the positive one.
    let bits = (self + 0.0).bitPattern
    return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
  }

  /// The number at a part of the way to another one, 0 to 1, also where they lie farther apart than
  /// the largest number there is.
  func moved(to other: Double, by part: Double) -> Double {
    let distance = other - self
    return distance.isFinite ? self + distance * part : self * (1 - part) + other * part
  }
}
