import Columnar
import LogStorage

/// `count(*)`: rows; `count(f)`: rows in which `f` has a value.
struct CountAggregate: Aggregate {
  private var counts: [Int64] = []

  var byteCount: Int { counts.capacity * 8 }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    counts.grow(to: groupCount, with: 0)
    let presence = arguments.first.map { $0.presence() }
    guard let groups else {
      if groupCount > 0 { counts[0] += Int64(presence?.setCount ?? rowCount) }
      return
    }
    if let presence, !presence.isFull {
      for row in presence.setRows() { counts[Int(groups[Int(row)])] += 1 }
    } else {
      Self.count(groups, into: &counts)
    }
  }

  /// Adds counts that are known, each to its group.
  mutating func add(_ known: [Int64], to groups: [UInt32], groupCount: Int) {
    counts.grow(to: groupCount, with: 0)
    for (group, count) in zip(groups, known) { counts[Int(group)] += count }
  }

  /// Counts into four arrays in turn while groups are few, so that an addition need not wait for
  /// the one before it to the same counter.
  private static func count(_ groups: [UInt32], into counts: inout [Int64]) {
    let width = counts.count
    guard width <= 4096, groups.count >= 4 * width else {
      for group in groups { counts[Int(group)] &+= 1 }
      return
    }
    var lanes = [UInt32](repeating: 0, count: 4 * width)
    let whole = groups.count & ~3
    groups.withUnsafeBufferPointer { groups in
      lanes.withUnsafeMutableBufferPointer { lanes in
        for row in stride(from: 0, to: whole, by: 4) {
          lanes[Int(groups[row])] &+= 1
          lanes[width &+ Int(groups[row &+ 1])] &+= 1
          lanes[2 &* width &+ Int(groups[row &+ 2])] &+= 1
          lanes[3 &* width &+ Int(groups[row &+ 3])] &+= 1
        }
      }
    }
    for group in 0..<width {
      for lane in 0..<4 { counts[group] += Int64(lanes[lane * width + group]) }
    }
    for row in whole..<groups.count { counts[Int(groups[row])] += 1 }
  }

  mutating func merge(_ other: CountAggregate, mapping: [UInt32]) {
    for (group, count) in other.counts.enumerated() {
      let target = Int(mapping[group])
      counts.grow(to: target + 1, with: 0)
      counts[target] += count
    }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    writer.append(array: subset.pick(counts, none: 0))
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    counts = try reader.array(of: Int64.self)
  }

  func finish(groupCount: Int) -> ColumnVector {
    var results = counts
    results.grow(to: groupCount, with: 0)
    return .integers(IntegerVector(values: results))
  }
}
