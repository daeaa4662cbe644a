// The order of rows by any number of keys (language reference, 6.6).
//
// Each key column becomes one 64-bit word per row whose order is the order of the values; descending
// keys turn the bits over, which reverses the order exactly, missing values included. Words are then
// sorted by bytes from the lowest (a radix sort), which never compares and keeps equal rows in their
// order. Being stable, it sorts by several keys by sorting by the last key first:
//
//     rows (b, 2) (a, 2) (b, 1)   by second key → (b, 1) (b, 2) (a, 2)   by first → (a, 2) (b, 1) (b, 2)
//
// Bytes in which all words agree are passed over: times of one day differ in four bytes of eight.
//
// How words come about: whole numbers and times flip their sign bit; doubles are numbered in their
// order; 0 is left for missing rows. Texts and mixed columns have no such formula: their word is their
// rank, of texts as TextRanks finds it, of mixed values by comparison. A dictionary ranks its entries.
//
// With a limit k much smaller than the rows, a heap of the k smallest words of the first key finds
// the word that no kept row exceeds, and only the rows up to it are sorted.

/// Sorts rows by key columns.
package enum SortKernel {
  /// The rows in the order of the keys, ascending or descending by key; rows equal in all keys stay
  /// in their order.
  ///
  /// - Parameter limit: how many rows are wanted; `nil` for all.
  /// - Precondition: every column has `rowCount` rows, and every column a direction.
  /// - Complexity: O(rows × keys) for typed columns, O(d log d) comparisons more for d distinct texts
  package static func order(
    keys: [ColumnVector], descending: [Bool], rowCount: Int, limit: Int? = nil
  ) -> SelectionVector {
    precondition(keys.count == descending.count, "a direction per key")
    precondition(keys.allSatisfy { $0.count == rowCount }, "keys of different length")
    let all = zip(keys, descending).compactMap { words(of: $0, descending: $1) }
    return order(words: all, rowCount: rowCount, limit: limit)
  }

  /// Words whose order is the order of a column's values; `nil` for a column that puts no row before another.
  package static func words(of column: ColumnVector, descending: Bool) -> [UInt64]? {
    guard let words = SortWords.words(of: column) else { return nil }
    return descending ? words.map { ~$0 } : words
  }

  /// The same as ``order(keys:descending:rowCount:limit:)`` for keys whose words are known, ascending.
  package static func order(
    words: [[UInt64]], rowCount: Int, limit: Int? = nil
  ) -> SelectionVector {
    var rows = SelectionVector(0..<UInt32(rowCount))
    if let limit, limit < rowCount {
      if let first = words.first, limit > 0, limit < rowCount / 4 {
        let bound = largest(ofSmallest: limit, in: first)
        rows = rows.filter { first[Int($0)] <= bound }
      }
      for key in words.reversed() { RadixSort.sort(&rows, by: key) }
      return Array(rows.prefix(limit))
    }
    for key in words.reversed() { RadixSort.sort(&rows, by: key) }
    return rows
  }

  /// The `count`-th smallest word, by a heap whose root is the largest of those kept.
  private static func largest(ofSmallest count: Int, in words: [UInt64]) -> UInt64 {
    var heap = Array(words[..<count])
    func siftDown(_ start: Int) {
      var parent = start
      let moving = heap[start]
      while true {
        var child = 2 * parent + 1
        if child >= count { break }
        if child + 1 < count, heap[child + 1] > heap[child] { child += 1 }
        if heap[child] <= moving { break }
        heap[parent] = heap[child]
        parent = child
      }
      heap[parent] = moving
    }
    for start in stride(from: count / 2 - 1, through: 0, by: -1) { siftDown(start) }
    for word in words[count...] where word < heap[0] {
      heap[0] = word
      siftDown(0)
    }
    return heap[0]
  }
}

/// A stable sort of rows by one word per row.
enum RadixSort {
  static func sort(_ rows: inout SelectionVector, by words: [UInt64]) {
    var keys = rows.map { words[Int($0)] }
    sort(&keys, &rows)
  }

  /// Sorts words, and with each the row beside it.
  static func sort(_ keys: inout [UInt64], _ rows: inout SelectionVector) {
    var differing: UInt64 = 0
    var isSorted = true
    for i in keys.indices.dropFirst() {
      differing |= keys[i] ^ keys[0]
      isSorted = isSorted && keys[i - 1] <= keys[i]
    }
    if isSorted { return }
    var otherKeys = keys
    var otherRows = rows
    for shift in stride(from: UInt64(0), to: 64, by: 8) where differing >> shift & 0xFF != 0 {
      if StopPoint.isPassed { return }
      pass(keys, rows, shift, &otherKeys, &otherRows)
      swap(&keys, &otherKeys)
      swap(&rows, &otherRows)
    }
  }

  /// Distributes the rows over 256 buckets by one byte of their keys.
  private static func pass(
    _ keys: [UInt64], _ rows: SelectionVector, _ shift: UInt64, _ newKeys: inout [UInt64],
    _ newRows: inout SelectionVector
  ) {
    var starts = [Int](repeating: 0, count: 257)
    for key in keys { starts[Int(key >> shift & 0xFF) + 1] += 1 }
    for bucket in 1..<257 { starts[bucket] += starts[bucket - 1] }
    for i in keys.indices {
      let bucket = Int(keys[i] >> shift & 0xFF)
      let position = starts[bucket]
      starts[bucket] = position &+ 1
      newKeys[position] = keys[i]
      newRows[position] = rows[i]
    }
  }
}

/// Words whose order is the order of a column's values, ascending.
private enum SortWords {
  private static let sign: UInt64 = 1 << 63

  /// `nil` for columns that put no row before another.
  static func words(of column: ColumnVector) -> [UInt64]? {
    switch column {
    case .missing, .constant: return nil
    case .integers(let v), .timestamps(let v): return words(of: v) ?? ranks(of: column.values())
    case .doubles(let v) where v.hasNegativeZero && v.isSource: return ranks(of: column.values())
    case .doubles(let v):
      return spread(v.values.count, v.validity) { row in
        // Adding zero makes −0 into 0; no finite double has the word 0.
        let bits = Int64(bitPattern: (v.values[row] + 0).bitPattern)
        return UInt64(bitPattern: bits ^ ((bits >> 63) & .max)) ^ sign
      }
    case .decimals(let v):
      return words(of: v) ?? ranks(of: column.values())
    case .booleans(let v):
      return spread(v.values.count, v.validity) { v.values[$0] ? 2 : 1 }
    case .dictionary(let v):
      // Ranks of texts begin with 1, words of other entries may be that of missing rows.
      let entries: [UInt64] =
        if case .strings(let texts) = v.entries { words(of: texts) } else {
          ranks(of: v.entries.values())
        }
      let words = entries + [0]
      return v.codes.map { words[Int($0)] }
    case .strings(let v):
      return words(of: v)
    case .values(let v):
      return ranks(of: v)
    }
  }

  @inline(__always)
  private static func spread(
    _ count: Int, _ validity: Bitmap?, _ word: (Int) -> UInt64
  ) -> [UInt64] {
    (0..<count).map { validity.allows($0) ? word($0) : 0 }
  }

  /// `nil` when a missing row and the smallest number would have the same word.
  private static func words(of vector: IntegerVector) -> [UInt64]? {
    let values = vector.values
    guard let validity = vector.validity else {
      return values.map { UInt64(bitPattern: $0) ^ sign }
    }
    if values.indices.contains(where: { values[$0] == .min && validity[$0] }) { return nil }
    return spread(values.count, validity) { UInt64(bitPattern: values[$0]) ^ sign }
  }

  /// Mantissas at the largest scale, with the value's own scale behind: of equal numbers the shorter text
  /// (1.5 before 1.50) sorts first. `nil` beyond 15 digits, where different mantissas may be one double.
  private static func words(of vector: DecimalVector) -> [UInt64]? {
    let most: UInt64 = 1_000_000_000_000_000
    let largest = vector.scales.max() ?? vector.scale
    let factors = (0...Int(largest)).map { scale in
      (scale..<Int(largest)).reduce(Int64(1)) { factor, _ in factor &* 10 }
    }
    guard largest <= 15 else { return nil }
    var words = [UInt64](repeating: 0, count: vector.mantissas.count)
    for row in words.indices where vector.validity.allows(row) {
      let scale = Int(vector.scales.isEmpty ? vector.scale : vector.scales[row])
      let (scaled, overflow) = vector.mantissas[row].multipliedReportingOverflow(by: factors[scale])
      guard !overflow, scaled.magnitude <= most else { return nil }
      words[row] = UInt64(bitPattern: scaled &* 32 &+ Int64(scale)) ^ sign
    }
    return words
  }

  /// Ranks of the texts: of the distinct ones, where few of them are.
  private static func words(of vector: StringVector) -> [UInt64] {
    guard repeats(vector) else { return ranks(of: vector) }
    var table = ByteTable()
    var numbers: [UInt32] = []
    numbers.reserveCapacity(vector.count)
    var stop = StopCounter(every: 4_096)
    vector.bytes.withUnsafeBufferPointer { bytes in
      for row in 0..<vector.count {
        if stop.isPassed() { break }
        let text = UnsafeBufferPointer(rebasing: bytes[vector.range(row)])
        numbers.append(vector.validity.allows(row) ? table.insert(text) : .max)
      }
    }
    guard numbers.count == vector.count else {
      return [UInt64](repeating: 0, count: vector.count)
    }
    let ranks = table.ranks(of: (0..<UInt32(table.count)).map { $0 })
    return numbers.map { $0 == .max ? 0 : ranks[Int($0)] }
  }

  /// Whether most texts occur again and again, as far as a thousand of them tell.
  private static func repeats(_ vector: StringVector) -> Bool {
    let step = max(1, vector.count / 1_024)
    var table = ByteTable()
    var sampleCount = 0
    vector.bytes.withUnsafeBufferPointer { bytes in
      for row in stride(from: 0, to: vector.count, by: step) {
        _ = table.insert(UnsafeBufferPointer(rebasing: bytes[vector.range(row)]))
        sampleCount += 1
      }
    }
    return table.count * 4 <= sampleCount
  }

  private static func ranks(of vector: StringVector) -> [UInt64] {
    let rows: [UInt32] = (0..<UInt32(vector.count)).filter { vector.validity.allows(Int($0)) }
    let ranks = vector.bytes.withUnsafeBufferPointer { bytes in
      TextRanks.ranks(rows.count) {
        UnsafeBufferPointer(rebasing: bytes[vector.range(Int(rows[$0]))])
      }
    }
    if rows.count == vector.count { return ranks }
    var words = [UInt64](repeating: 0, count: vector.count)
    for (row, rank) in zip(rows, ranks) { words[Int(row)] = rank }
    return words
  }

  /// The rank of each value among all, from 1; 0 for missing values and structures.
  private static func ranks(of values: [Value]) -> [UInt64] {
    let keys = values.map { SortKey($0) }
    var stop = StopCounter(every: 1_024)
    let order = try? keys.indices.sorted { a, b in
      try stop.check()
      return SortKey.order(keys[a], keys[b]) == .less
    }
    var ranks = [UInt64](repeating: 0, count: values.count)
    var rank: UInt64 = 0
    var last: SortKey?
    for row in order ?? [] {
      if case .missing = keys[row] { continue }
      if last.map({ SortKey.order($0, keys[row]) != .equal }) ?? true { rank += 1 }
      last = keys[row]
      ranks[row] = rank
    }
    return ranks
  }
}

extension DoubleVector {
  /// Whether a row is −0, whose text is another one than that of 0.
  fileprivate var hasNegativeZero: Bool { values.contains { $0 == 0 && $0.sign == .minus } }
}
