import Columnar
import LogStorage

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

// `countDistinct`: exact to 100,000 values of a group, then HyperLogLog.
//
// Values are known by 64-bit hashes of their key bytes (see KeyIdentity: 200, 200.0 and "200" are one
// value). Two of 100,000 values share a hash with a probability of 3 in 10^10. One table holds the
// pairs (group, hash) of all groups, so that a million groups of three values each cost no million
// sets. A group that passes the bound moves its hashes into 16,384 registers.
//
// HyperLogLog (Flajolet et al. 2007): the first 14 bits of a hash choose a register, which keeps the
// longest run of zeros seen at the start of the rest. The estimate is Ertl's (2017, "New cardinality
// estimation algorithms for HyperLogLog sketches", algorithm 6), which needs no correction tables and
// has no bias; the standard error is 1.04 / √16384 = 0.8 %. Registers are merged by maximum, so the
// order of merging does not matter, and the hash is the same in every process: so is the estimate.

/// 2^14 registers.
struct HyperLogLog: Sendable {
  static let bits = 14
  private(set) var registers = [UInt8](repeating: 0, count: 1 << HyperLogLog.bits)

  init() {}

  /// A sketch as it was.
  init(registers: [UInt8]) throws(DecodingFailure) {
    guard registers.count == 1 << Self.bits else { throw DecodingFailure("a sketch is too short") }
    self.registers = registers
  }

  var byteCount: Int { registers.count }

  @inline(__always)
  mutating func add(_ hash: UInt64) {
    let register = Int(hash >> UInt64(64 - Self.bits))
    // A bit behind the rest ends the run of zeros at 51.
    let rest = hash << UInt64(Self.bits) | 1 << UInt64(Self.bits - 1)
    registers[register] = max(registers[register], UInt8(rest.leadingZeroBitCount + 1))
  }

  mutating func merge(_ other: HyperLogLog) {
    for i in registers.indices { registers[i] = max(registers[i], other.registers[i]) }
  }

  var estimate: Double {
    let count = Double(registers.count)
    let longest = 64 - Self.bits + 1
    var counts = [Double](repeating: 0, count: longest + 1)
    for register in registers { counts[Int(register)] += 1 }
    var z = count * Self.tau(1 - counts[longest] / count)
    for length in stride(from: longest - 1, through: 1, by: -1) {
      z = 0.5 * (z + counts[length])
    }
    z += count * Self.sigma(counts[0] / count)
    return count * count / (2 * log(2.0)) / z
  }

  private static func sigma(_ x: Double) -> Double {
    if x == 1 { return .infinity }
    var (x, y, z) = (x, 1.0, x)
    while true {
      x *= x
      let next = z + x * y
      if next == z { return z }
      z = next
      y += y
    }
  }

  private static func tau(_ x: Double) -> Double {
    if x == 0 || x == 1 { return 0 }
    var (x, y, z) = (x, 1.0, 1 - x)
    while true {
      x = x.squareRoot()
      y *= 0.5
      let next = z - (1 - x) * (1 - x) * y
      if next == z { return z / 3 }
      z = next
    }
  }
}

/// `countDistinct` for every group.
struct CountDistinctAggregate: Aggregate {
  /// Values of a group that are counted exactly.
  static let exactCount = 100_000

  private var pairs = HashPairs()
  private var counts: [Int64] = []
  private var sketches: [Int: HyperLogLog] = [:]

  var byteCount: Int {
    pairs.byteCount + counts.capacity * 8
      + sketches.values.reduce(0) { $0 + $1.byteCount + 64 }
  }

  var approximateGroupCount: Int { sketches.count }

  static func approximation(ofGroups count: Int) -> String {
    "countDistinct: more than \(exactCount) values in \(count) "
      + "group\(count == 1 ? "" : "s"), estimated with HyperLogLog (standard error 0.8 %)"
  }

  mutating func update(
    groups: [UInt32]?, groupCount: Int, arguments: [ColumnVector], rowCount: Int,
    times: [Int64]?, sequences: [UInt64]?
  ) {
    counts.grow(to: max(groupCount, 1), with: 0)
    if groups == nil, case .dictionary(let vector) = arguments[0] {
      return add(hashes(ofEntriesIn: vector))
    }
    let (hashes, present) = arguments[0].keyHashes()
    if let groups {
      for row in present.setRows() { add(hashes[Int(row)], to: groups[Int(row)]) }
    } else {
      add(present.setRows().map { hashes[Int($0)] })
    }
  }

  /// One hash for each entry that occurs, instead of one for each row.
  private func hashes(ofEntriesIn vector: DictionaryVector) -> [UInt64] {
    var occurs = [Bool](repeating: false, count: vector.entries.count + 1)
    for code in vector.codes { occurs[Int(code)] = true }
    let (hashes, present) = vector.entries.keyHashes()
    return present.setRows().filter { occurs[Int($0)] }.map { hashes[Int($0)] }
  }

  /// Adds values of the only group.
  private mutating func add(_ hashes: [UInt64]) {
    if var sketch = sketches.removeValue(forKey: 0) {
      for hash in hashes { sketch.add(hash) }
      sketches[0] = sketch
    } else {
      for hash in hashes { add(hash, to: 0) }
    }
  }

  @inline(__always)
  private mutating func add(_ hash: UInt64, to group: UInt32) {
    if !sketches.isEmpty, sketches[Int(group)] != nil {
      sketches[Int(group)]?.add(hash)
      return
    }
    guard pairs.insert(group, hash) else { return }
    counts[Int(group)] &+= 1
    if counts[Int(group)] > Int64(Self.exactCount) { beginSketch(of: group) }
  }

  @inline(never)
  private mutating func beginSketch(of group: UInt32) {
    var sketch = HyperLogLog()
    pairs.forEach { other, hash in
      if other == group { sketch.add(hash) }
    }
    sketches[Int(group)] = sketch
  }

  mutating func merge(_ other: CountDistinctAggregate, mapping: [UInt32]) {
    guard let last = mapping[..<other.counts.count].max() else { return }
    counts.grow(to: Int(last) + 1, with: 0)
    for (group, sketch) in other.sketches.sorted(by: { $0.key < $1.key }) {
      let target = mapping[group]
      if sketches[Int(target)] == nil { beginSketch(of: target) }
      sketches[Int(target)]?.merge(sketch)
    }
    if mapping.count == 1, last == 0 {
      add(other.pairs.hashes)
    } else {
      other.pairs.forEach { group, hash in add(hash, to: mapping[Int(group)]) }
    }
  }

  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    var groups: [UInt32] = []
    var hashes: [UInt64] = []
    pairs.forEach { group, hash in
      let place = subset.places[Int(group)]
      if place == GroupSubset.none { return }
      groups.append(place)
      hashes.append(hash)
    }
    writer.append(array: groups)
    writer.append(array: hashes)
    writer.append(array: subset.pick(counts, none: 0))
    let sketched = subset.groups.indices.filter { sketches[Int(subset.groups[$0])] != nil }
    writer.append(array: sketched.map { UInt32($0) })
    for place in sketched {
      writer.append(array: sketches[Int(subset.groups[place])]?.registers ?? [])
    }
  }

  mutating func read(
    groupCount: Int, from reader: inout ByteReader
  ) throws(DecodingFailure) {
    let groups = try reader.array(of: UInt32.self)
    for (group, hash) in zip(groups, try reader.array(of: UInt64.self)) {
      _ = pairs.insert(group, hash)
    }
    counts = try reader.array(of: Int64.self)
    for group in try reader.array(of: UInt32.self) {
      sketches[Int(group)] = try HyperLogLog(registers: reader.array(of: UInt8.self))
    }
  }

  func finish(groupCount: Int) -> ColumnVector {
    .integers(
      IntegerVector(
        values: (0..<groupCount).map { group in
          if let sketch = sketches[group] { return Int64(sketch.estimate.rounded()) }
          return group < counts.count ? counts[group] : 0
        }))
  }
}

/// A set of pairs of group and hash, open addressing.
private struct HashPairs: Sendable {
  private var slots = [UInt32](repeating: 0, count: 16)
  private var groups: [UInt32] = []
  private(set) var hashes: [UInt64] = []

  var byteCount: Int { slots.capacity * 4 + groups.capacity * 4 + hashes.capacity * 8 }

  /// Whether the pair is new.
  @inline(__always)
  mutating func insert(_ group: UInt32, _ hash: UInt64) -> Bool {
    let mask = slots.count &- 1
    var slot = Self.start(group, hash) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot] &- 1)
      if hashes[index] == hash, groups[index] == group { return false }
      slot = (slot &+ 1) & mask
    }
    groups.append(group)
    hashes.append(hash)
    slots[slot] = UInt32(truncatingIfNeeded: groups.count)
    if groups.count * 4 > slots.count * 3 { grow() }
    return true
  }

  /// Hashes are mixed well already; the group moves them apart.
  @inline(__always)
  private static func start(_ group: UInt32, _ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash ^ (UInt64(group) &* 0x9E37_79B9_7F4A_7C15))
  }

  private mutating func grow() {
    precondition(groups.count < UInt32.max - 1, "more pairs than 32 bits number")
    var larger = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = larger.count - 1
    for index in groups.indices {
      var slot = Self.start(groups[index], hashes[index]) & mask
      while larger[slot] != 0 { slot = (slot &+ 1) & mask }
      larger[slot] = UInt32(index + 1)
    }
    slots = larger
  }

  func forEach(_ body: (UInt32, UInt64) -> Void) {
    for index in groups.indices { body(groups[index], hashes[index]) }
  }
}
