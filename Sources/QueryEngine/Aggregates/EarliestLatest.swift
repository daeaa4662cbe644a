import Columnar
import LogStorage

/// The rows of each group that are first or last in time, found batch by batch.
struct TimeExtreme: Sendable {
  let isLatest: Bool
  private var times: [Int64] = []
  private var sequences: [UInt64] = []
  private(set) var values: [Value] = []

  /// Bytes of the texts in `values`.
  private var textByteCount = 0

  init(isLatest: Bool) { self.isLatest = isLatest }

  var byteCount: Int {
    times.capacity * 16 + values.capacity * (MemoryLayout<Value>.stride + 16) + textByteCount
  }

  /// The time of the row found for a group, `nil` when it has none.
  func time(of group: Int) -> Int64? {
    group < values.count && !values[group].isMissing ? times[group] : nil
  }

  private mutating func grow(to groupCount: Int) {
    times.grow(to: groupCount, with: 0)
    sequences.grow(to: groupCount, with: 0)
    values.grow(to: groupCount, with: .missing)
  }

  /// Looks at the valid rows; only the value of the best row of each group is made.
  mutating func update(
    groups: [UInt32]?, groupCount: Int, column: ColumnVector, present: Bitmap, times: [Int64],
    sequences: [UInt64]?
  ) {
    grow(to: groupCount)
    var bestRows = [Int](repeating: -1, count: groupCount)
    GroupedRows.forEach(groups, times.count, present) { group, row in
      let best = bestRows[group]
      if best < 0
        || isBetter(times[row], sequences?[row] ?? 0, than: times[best], sequences?[best] ?? 0)
      {
        bestRows[group] = row
      }
    }
    for (group, row) in bestRows.enumerated() where row >= 0 {
      offer(column.value(at: row), times[row], sequences?[row] ?? 0, to: group)
    }
  }

  /// Of rows with equal time and arrival, the earliest is the first that came, the latest the last.
  @inline(__always)
  private func isBetter(
    _ time: Int64, _ sequence: UInt64, than other: Int64, _ otherSequence: UInt64
  ) -> Bool {
    isLatest
      ? (time, sequence) >= (other, otherSequence) : (time, sequence) < (other, otherSequence)
  }

  private mutating func offer(
    _ value: Value, _ time: Int64, _ sequence: UInt64, to group: Int
  ) {
    if values[group].isMissing || isBetter(time, sequence, than: times[group], sequences[group]) {
      textByteCount += value.textByteCount - values[group].textByteCount
      (values[group], times[group], sequences[group]) = (value, time, sequence)
    }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    writer.append(array: subset.pick(times, none: 0))
    writer.append(array: subset.pick(sequences, none: 0))
    writer.append(vector: .values(subset.pick(values, none: .missing)))
  }

  mutating func read(from reader: inout ByteReader) throws(DecodingFailure) {
    times = try reader.array(of: Int64.self)
    sequences = try reader.array(of: UInt64.self)
    values = try reader.vector().values()
    textByteCount = values.reduce(0) { $0 + $1.textByteCount }
  }

  mutating func merge(_ other: TimeExtreme, mapping: [UInt32]) {
    for (group, value) in other.values.enumerated() where !value.isMissing {
      let target = Int(mapping[group])
      grow(to: target + 1)
      offer(value, other.times[group], other.sequences[group], to: target)
    }
  }
}

/// `earliest` and `latest`: the value of the row with the smallest or largest time.
struct EarliestLatestAggregate: Aggregate {
  private var extreme: TimeExtreme

  init(isLatest: Bool) { extreme = TimeExtreme(isLatest: isLatest) }

  var byteCount: Int { extreme.byteCount }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    guard rowCount > 0 else { return }
    guard let times else { preconditionFailure("earliest and latest need times") }
    extreme.update(
      groups: groups, groupCount: max(groupCount, 1), column: arguments[0],
      present: arguments[0].presence(), times: times, sequences: sequences)
  }

  mutating func merge(_ other: EarliestLatestAggregate, mapping: [UInt32]) {
    extreme.merge(other.extreme, mapping: mapping)
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    extreme.write(subset, to: &writer)
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    try extreme.read(from: &reader)
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector(
      (0..<groupCount).map { $0 < extreme.values.count ? extreme.values[$0] : .missing })
  }
}

/// `rate`: the change from the earliest to the latest number of a group, per period.
struct RateAggregate: Aggregate {
  private let periodMilliseconds: Double
  private var first = TimeExtreme(isLatest: false)
  private var last = TimeExtreme(isLatest: true)

  init(periodMilliseconds: Double) { self.periodMilliseconds = periodMilliseconds }

  var byteCount: Int { first.byteCount + last.byteCount }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    guard rowCount > 0 else { return }
    guard let times else { preconditionFailure("rate needs times") }
    let numbers = arguments[0].numbers().column
    let present = numbers.presence()
    let groupCount = max(groupCount, 1)
    first.update(
      groups: groups, groupCount: groupCount, column: numbers, present: present, times: times,
      sequences: sequences)
    last.update(
      groups: groups, groupCount: groupCount, column: numbers, present: present, times: times,
      sequences: sequences)
  }

  mutating func merge(_ other: RateAggregate, mapping: [UInt32]) {
    first.merge(other.first, mapping: mapping)
    last.merge(other.last, mapping: mapping)
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    first.write(subset, to: &writer)
    last.write(subset, to: &writer)
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    try first.read(from: &reader)
    try last.read(from: &reader)
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector((0..<groupCount).map { value(of: $0) })
  }

  private func value(of group: Int) -> Value {
    guard let start = first.time(of: group), let end = last.time(of: group), end > start,
      let from = first.values[group].number, let to = last.values[group].number,
      let change = ArithmeticOperator.subtract.apply(to, from)
    else { return .missing }
    let rate = change.asDouble / (Double(end) - Double(start)) * periodMilliseconds
    return rate.isFinite ? .double(rate) : .missing
  }
}
