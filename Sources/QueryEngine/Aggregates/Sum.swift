import Columnar
import LogStorage

// Sums that lose nothing they need not lose.
//
// Whole numbers are added in 128 bits and cannot overflow: 2^63 values of 2^63 fit. Decimals are
// whole numbers of their last decimal place: `12.50` and `0.10` are 1250 and 10 hundredths, added
// exactly, one sum per count of decimals. Only computed doubles are rounded, and their sum carries
// the error of every addition along (Neumaier 1974: a variant of Kahan's sum that survives a term
// larger than the sum). The parts meet in `finish`.
//
// Exact parts do not depend on the order of rows; the compensated part is merged in the order of the
// scan.

/// A sum of doubles with the error of its additions.
struct CompensatedSum: Sendable {
  private(set) var sum = 0.0
  private(set) var error = 0.0

  init() {}

  /// A sum as it was.
  init(sum: Double, error: Double) {
    self.sum = sum
    self.error = error
  }

  @inline(__always)
  mutating func add(_ term: Double) {
    let total = sum + term
    error +=
      sum.magnitude >= term.magnitude ? (sum - total) + term : (term - total) + sum
    sum = total
  }

  mutating func add(_ other: CompensatedSum) {
    add(other.sum)
    error += other.error
  }

  var value: Double { sum + error }
}

/// `sum` and `avg`; booleans count 1 and 0.
struct SumAggregate: Aggregate {
  enum Result: Sendable { case sum, average }

  private let result: Result
  private var counts: [Int64] = []
  private var integers: [Int128] = []
  /// Sums of mantissas by count of decimals less one; empty for counts that did not occur.
  private var decimals: [[Int128]] = []
  /// Empty until a double occurs.
  private var doubles: [CompensatedSum] = []
  /// Whether a double or a decimal occurred in a group, so that its sum is no whole number.
  private var isFractional: [Bool] = []

  init(result: Result) { self.result = result }

  var byteCount: Int {
    counts.capacity * 8 + integers.capacity * 16 + decimals.reduce(0) { $0 + $1.capacity * 16 }
      + doubles.capacity * 16 + isFractional.capacity
  }

  private mutating func grow(to groupCount: Int) {
    counts.grow(to: groupCount, with: 0)
    integers.grow(to: groupCount, with: 0)
    isFractional.grow(to: groupCount, with: false)
  }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    guard rowCount > 0 else { return }
    grow(to: max(groupCount, 1))
    if case .decimals(let v) = arguments[0] { return update(groups, v) }
    switch arguments[0].numbers() {
    case .missing: break
    case .integers(let v): update(groups, v)
    case .doubles(let v):
      doubles.grow(to: counts.count, with: CompensatedSum())
      GroupedRows.forEach(groups, v.values.count, v.validity) { group, row in
        addDouble(v.values[row], to: group)
      }
    case .mixed(let numbers):
      doubles.grow(to: counts.count, with: CompensatedSum())
      GroupedRows.forEach(groups, numbers.count, nil) { group, row in
        switch numbers[row] {
        case .integer(let number): addInteger(number, to: group)
        case .double(let number): addDouble(number, to: group)
        case nil: break
        }
      }
    }
  }

  @inline(__always)
  private mutating func addDouble(_ number: Double, to group: Int) {
    doubles[group].add(number)
    counts[group] &+= 1
    isFractional[group] = true
  }

  @inline(__always)
  private mutating func addInteger(_ number: Int64, to group: Int) {
    integers[group] &+= Int128(number)
    counts[group] &+= 1
  }

  private mutating func update(_ groups: [UInt32]?, _ vector: IntegerVector) {
    if groups != nil || vector.validity != nil {
      GroupedRows.forEach(groups, vector.values.count, vector.validity) { group, row in
        addInteger(vector.values[row], to: group)
      }
      return
    }
    // Without groups, halves of the numbers are added apart: 2^32 terms of 32 bits fit 64 bits.
    var low: UInt64 = 0
    var high: Int64 = 0
    for number in vector.values {
      low &+= UInt64(truncatingIfNeeded: UInt32(truncatingIfNeeded: number))
      high &+= number >> 32
    }
    integers[0] &+= Int128(high) << 32 + Int128(low)
    counts[0] += Int64(vector.values.count)
  }

  private mutating func update(_ groups: [UInt32]?, _ vector: DecimalVector) {
    let isUniform = vector.scales.isEmpty
    for scale in isUniform ? [vector.scale] : vector.scalesInUse where scale > 0 {
      reserve(scale: Int(scale))
    }
    GroupedRows.forEach(groups, vector.mantissas.count, vector.validity) { group, row in
      let scale = Int(isUniform ? vector.scale : vector.scales[row])
      if scale == 0 {
        addInteger(vector.mantissas[row], to: group)
      } else {
        decimals[scale - 1][group] &+= Int128(vector.mantissas[row])
        counts[group] &+= 1
        isFractional[group] = true
      }
    }
  }

  private mutating func reserve(scale: Int) {
    decimals.grow(to: scale, with: [])
    decimals[scale - 1].grow(to: counts.count, with: 0)
  }

  mutating func merge(_ other: SumAggregate, mapping: [UInt32]) {
    guard let last = mapping[..<other.counts.count].max() else { return }
    grow(to: Int(last) + 1)
    if !other.doubles.isEmpty { doubles.grow(to: counts.count, with: CompensatedSum()) }
    for (index, sums) in other.decimals.enumerated() where !sums.isEmpty {
      reserve(scale: index + 1)
      for (group, sum) in sums.enumerated() { decimals[index][Int(mapping[group])] &+= sum }
    }
    for group in other.counts.indices {
      let target = Int(mapping[group])
      counts[target] += other.counts[group]
      integers[target] &+= other.integers[group]
      isFractional[target] = isFractional[target] || other.isFractional[group]
    }
    for (group, sum) in other.doubles.enumerated() { doubles[Int(mapping[group])].add(sum) }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    writer.append(array: subset.pick(counts, none: 0))
    writer.append(array: subset.pick(integers, none: 0))
    writer.append(array: subset.pick(isFractional, none: false).map { $0 ? 1 : 0 as UInt8 })
    writer.append(varint: decimals.count)
    for sums in decimals { writer.append(array: sums.isEmpty ? [] : subset.pick(sums, none: 0)) }
    let parts = doubles.isEmpty ? [] : subset.pick(doubles, none: CompensatedSum())
    writer.append(array: parts.map(\.sum))
    writer.append(array: parts.map(\.error))
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    counts = try reader.array(of: Int64.self)
    integers = try reader.array(of: Int128.self)
    isFractional = try reader.array(of: UInt8.self).map { $0 != 0 }
    decimals = []
    for _ in 0..<(try reader.count(limit: 18)) {
      decimals.append(try reader.array(of: Int128.self))
    }
    let sums = try reader.array(of: Double.self)
    doubles = zip(sums, try reader.array(of: Double.self)).map {
      CompensatedSum(sum: $0, error: $1)
    }
  }

  func finish(groupCount: Int) -> ColumnVector {
    ColumnVector((0..<groupCount).map { value(of: $0) })
  }

  private func value(of group: Int) -> Value {
    guard group < counts.count, counts[group] > 0 else { return .missing }
    if result == .sum, !isFractional[group], let whole = Int64(exactly: integers[group]) {
      return .integer(whole)
    }
    let total = isFractional[group] ? fraction(of: group) : Double(integers[group])
    let value = result == .sum ? total : total / Double(counts[group])
    return value.isFinite ? .double(value) : .missing
  }

  /// The sum of all parts, the exact ones put together exactly as far as they fit.
  private func fraction(of group: Int) -> Double {
    var exact = integers[group]
    var scale = 0
    var rest = doubles.count > group ? doubles[group] : CompensatedSum()
    for (index, sums) in decimals.enumerated() where group < sums.count && sums[group] != 0 {
      let raised = Self.raise(exact, by: index + 1 - scale)
      let (sum, overflow) = (raised ?? 0).addingReportingOverflow(sums[group])
      if raised != nil, !overflow {
        (exact, scale) = (sum, index + 1)
      } else {
        rest.add(Self.double(sums[group], scale: index + 1))
      }
    }
    rest.add(Self.double(exact, scale: scale))
    return rest.value
  }

  private static func raise(_ number: Int128, by power: Int) -> Int128? {
    var result = number
    for _ in 0..<power {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = product
    }
    return result
  }

  private static func double(_ mantissa: Int128, scale: Int) -> Double {
    if let short = Int64(exactly: mantissa) {
      return DecimalNumber.double(mantissa: short, scale: scale)
    }
    return Double(mantissa) / Double((0..<scale).reduce(1.0) { power, _ in power * 10 })
  }
}
