import Columnar
import LogStorage

// `min`, `max`, `sortsFirst`, `sortsLast`: the first or last value in the order of sort.
//
// While all values are whole numbers, or all are times, the state is one array of them. Anything
// else moves it to values compared by the rules of sort. A dictionary is ranked once per batch, so
// that rows only compare small numbers.

/// The smallest or largest value of each group, in the type it came in.
struct ExtremeAggregate: Aggregate {
  private enum Form: Sendable { case none, integers, timestamps, values }

  private let isMaximum: Bool
  private var form = Form.none
  private var numbers: [Int64] = []
  private var hasNumber: [Bool] = []
  private var best: [Value] = []

  init(isMaximum: Bool) { self.isMaximum = isMaximum }

  /// Bytes of the texts in `best`.
  private var textByteCount = 0

  var byteCount: Int {
    numbers.capacity * 9 + best.capacity * MemoryLayout<Value>.stride + textByteCount
  }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    guard rowCount > 0 else { return }
    let groupCount = max(groupCount, 1)
    switch arguments[0] {
    case .missing: break
    case .integers(let v): update(groups, groupCount, v, .integers)
    case .timestamps(let v): update(groups, groupCount, v, .timestamps)
    case .dictionary(let v): update(groups, groupCount, v)
    case .doubles(let v):
      let values = v.values
      let isMaximum = isMaximum
      let rows = Self.bestRows(groups, groupCount, values.count, v.validity) { row, best in
        isMaximum ? values[row] > values[best] : values[row] < values[best]
      }
      offer(arguments[0], rows)
    case .strings(let v):
      let wanted = wanted
      let rows = v.bytes.withUnsafeBufferPointer { bytes in
        Self.bestRows(groups, groupCount, v.count, v.validity) { row, best in
          SortOrder.order(
            texts: UnsafeBufferPointer(rebasing: bytes[v.range(row)]),
            UnsafeBufferPointer(rebasing: bytes[v.range(best)])) == wanted
        }
      }
      offer(arguments[0], rows)
    case let column: update(groups, groupCount, column)
    }
  }

  /// The best row of each group, −1 for groups without one.
  @inline(__always)
  private static func bestRows(
    _ groups: [UInt32]?, _ groupCount: Int, _ count: Int, _ validity: Bitmap?,
    _ isBetter: (Int, Int) -> Bool
  ) -> [Int] {
    var rows = [Int](repeating: -1, count: groupCount)
    GroupedRows.forEach(groups, count, validity) { group, row in
      if rows[group] < 0 || isBetter(row, rows[group]) { rows[group] = row }
    }
    return rows
  }

  /// Offers the value of one row to each group that has one.
  private mutating func offer(_ column: ColumnVector, _ rows: [Int]) {
    for (group, row) in rows.enumerated() where row >= 0 {
      offer(column.value(at: row), to: group, rows.count)
    }
  }

  // MARK: Whole numbers

  private mutating func update(
    _ groups: [UInt32]?, _ groupCount: Int, _ vector: IntegerVector, _ wanted: Form
  ) {
    if form == .none { form = wanted }
    guard form == wanted else {
      return update(
        groups, groupCount, wanted == .integers ? .integers(vector) : .timestamps(vector))
    }
    numbers.grow(to: groupCount, with: isMaximum ? .min : .max)
    hasNumber.grow(to: groupCount, with: false)
    let values = vector.values
    if groups == nil, vector.validity == nil {
      if let extreme = isMaximum ? values.max() : values.min() { offer(extreme, to: 0) }
      return
    }
    GroupedRows.forEach(groups, values.count, vector.validity) { group, row in
      offer(values[row], to: group)
    }
  }

  @inline(__always)
  private mutating func offer(_ number: Int64, to group: Int) {
    numbers[group] = isMaximum ? max(numbers[group], number) : min(numbers[group], number)
    hasNumber[group] = true
  }

  // MARK: Dictionaries

  /// Finds the best code of each group by rank, and then offers that entry's value.
  private mutating func update(
    _ groups: [UInt32]?, _ groupCount: Int, _ vector: DictionaryVector
  ) {
    let entries = vector.entries.values()
    if entries.isEmpty { return }
    var used = [Bool](repeating: false, count: entries.count + 1)
    for code in vector.codes { used[Int(code)] = true }
    let kept = (0..<UInt32(entries.count)).filter { used[Int($0)] && !entries[Int($0)].isStructure }
    let order = SortKernel.order(
      keys: [ColumnVector(kept.map { entries[Int($0)] })], descending: [isMaximum],
      rowCount: kept.count)
    // The smaller the rank the better; what is missing ranks behind all.
    var ranks = [UInt32](repeating: .max, count: entries.count + 1)
    for (rank, row) in order.enumerated() { ranks[Int(kept[Int(row)])] = UInt32(rank) }
    var bestRanks = [UInt32](repeating: .max, count: groupCount)
    GroupedRows.forEach(groups, vector.codes.count, nil) { group, row in
      bestRanks[group] = min(bestRanks[group], ranks[Int(vector.codes[row])])
    }
    for (group, rank) in bestRanks.enumerated() where rank != .max {
      offer(entries[Int(kept[Int(order[Int(rank)])])], to: group, groupCount)
    }
  }

  // MARK: Any values

  private mutating func update(_ groups: [UInt32]?, _ groupCount: Int, _ column: ColumnVector) {
    let values = column.values()
    GroupedRows.forEach(groups, values.count, nil) { group, row in
      if !values[row].isMissing { offer(values[row], to: group, groupCount) }
    }
  }

  private mutating func offer(_ value: Value, to group: Int, _ groupCount: Int) {
    if value.isMissing || value.isStructure { return }
    switch (value, form) {
    case (.integer(let number), .none), (.integer(let number), .integers):
      form = .integers
      offerNumber(number, to: group, groupCount)
    case (.timestamp(let time), .none), (.timestamp(let time), .timestamps):
      form = .timestamps
      offerNumber(time, to: group, groupCount)
    default:
      becomeValues(groupCount)
      if best[group].isMissing || isBetter(value, than: best[group]) {
        textByteCount += value.textByteCount - best[group].textByteCount
        best[group] = value
      }
    }
  }

  /// Of equal numbers the one of an event is kept, which shows all its digits: the answer is the
  /// same whichever came first.
  private func isBetter(_ value: Value, than other: Value) -> Bool {
    let order = SortOrder.order(value, other)
    if order == .equal, case .sourceNumber = value, case .double = other { return true }
    return order == wanted
  }

  private mutating func offerNumber(_ number: Int64, to group: Int, _ groupCount: Int) {
    numbers.grow(to: groupCount, with: isMaximum ? .min : .max)
    hasNumber.grow(to: groupCount, with: false)
    offer(number, to: group)
  }

  private var wanted: Ordering { isMaximum ? .greater : .less }

  private mutating func becomeValues(_ groupCount: Int) {
    if form != .values {
      best = numbers.indices.map { number(of: $0) }
      (numbers, hasNumber) = ([], [])
      form = .values
    }
    best.grow(to: groupCount, with: .missing)
  }

  private func number(of group: Int) -> Value {
    guard hasNumber[group] else { return .missing }
    return form == .timestamps ? .timestamp(numbers[group]) : .integer(numbers[group])
  }

  private func value(of group: Int) -> Value {
    if form == .values { return group < best.count ? best[group] : .missing }
    return group < numbers.count ? number(of: group) : .missing
  }

  mutating func merge(_ other: ExtremeAggregate, mapping: [UInt32]) {
    for group in 0..<max(other.best.count, other.numbers.count) {
      let target = Int(mapping[group])
      offer(other.value(of: group), to: target, target + 1)
    }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    writer.append(vector: ColumnVector(subset.groups.map { value(of: Int($0)) }))
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    for (group, value) in try reader.vector().values().enumerated() {
      offer(value, to: group, groupCount)
    }
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector((0..<groupCount).map { value(of: $0) })
  }
}
