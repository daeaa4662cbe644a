/// The shapes of a row group, each with the columns of its slots.
///
/// A row group of varied events has a thousand shapes of twenty slots, and every query that opens it reads them. So
/// they lie in a few flat lists, which take no block of memory of their own for each shape:
///
///     shapes           0: (text)    1: level, user     2: level, error, stack
///     slotStarts       0            1                  3                       6
///     slotColumns      0            4  9               4  7  8
struct ShapeList: Sendable {
  /// One shape; its text lies in the chunk of shape texts.
  struct Entry {
    let rowCount: Int
    /// For each slot the index of its chunk.
    let columns: Columns
    /// Slots from this one on are not discovered by themselves.
    let firstHiddenSlot: Int
    /// Paths of `{}` and `[]`, which have no slot and yet are values that a query may name.
    let emptyContainers: [String]
  }

  /// The columns of one shape's slots.
  struct Columns: RandomAccessCollection, Sendable {
    fileprivate let all: [UInt16]
    fileprivate let range: Range<Int>

    var startIndex: Int { 0 }
    var endIndex: Int { range.count }

    @inline(__always)
    subscript(slot: Int) -> Int {
      precondition(slot >= 0 && slot < range.count, "a shape has no such slot")
      return Int(all[range.lowerBound + slot])
    }
  }

  /// More chunks than this a row group cannot have.
  static let chunkLimit = Int(UInt16.max)

  /// How the columns of the slots are written; the raw values are part of the format.
  enum Form: UInt8, Sendable {
    /// As distances from the column of the slot before.
    case listed = 0
    /// By what followed the column of the slot before in earlier shapes (`ColumnSuccessors`): for many shapes.
    case followed = 1
  }

  var form = Form.listed
  private(set) var rowCounts: [Int32] = []
  private var slotStarts: [UInt32] = [0]
  private var slotColumns: [UInt16] = []
  private var firstHiddenSlots: [UInt32] = []
  /// Of the few shapes that have some.
  private(set) var emptyContainers: [Int: [String]] = [:]

  mutating func reserve(shapes: Int, slots: Int) {
    rowCounts.reserveCapacity(shapes)
    slotStarts.reserveCapacity(shapes + 1)
    firstHiddenSlots.reserveCapacity(shapes)
    slotColumns.reserveCapacity(slots)
  }

  /// - Precondition: columns are below `chunkLimit`, the other numbers below 2³¹.
  mutating func append(
    rowCount: Int, columns: some Sequence<Int>, firstHiddenSlot: Int, emptyContainers: [String]
  ) {
    for column in columns { slotColumns.append(UInt16(column)) }
    slotStarts.append(UInt32(slotColumns.count))
    if !emptyContainers.isEmpty { self.emptyContainers[rowCounts.count] = emptyContainers }
    rowCounts.append(Int32(rowCount))
    firstHiddenSlots.append(UInt32(firstHiddenSlot))
  }

  func emptyContainers(ofShape shape: Int) -> [String] {
    emptyContainers.isEmpty ? [] : emptyContainers[shape] ?? []
  }

  /// For each shape whether it has a column.
  func having(_ column: Int) -> [Bool] {
    guard let wanted = UInt16(exactly: column) else {
      return [Bool](repeating: false, count: count)
    }
    var result = [Bool](repeating: false, count: count)
    forEachShape(having: wanted) { result[$0] = true }
    return result
  }

  /// Calls `body` with each shape that has a column, as fast as may be.
  @inline(__always)
  func forEachShape(having column: UInt16, _ body: (_ shape: Int) -> Void) {
    var shape = 0
    slotColumns.withUnsafeBufferPointer { columns in
      for slot in columns.indices where columns[slot] == column {
        // The last start is the number of slots, so this ends.
        while slotStarts[shape + 1] <= slot { shape += 1 }
        body(shape)
      }
    }
  }

  /// Calls `body` with each slot's column and the rows of its shape, as fast as may be.
  @inline(__always)
  func forEachSlot(_ body: (_ column: Int, _ rowCount: Int) -> Void) {
    slotColumns.withUnsafeBufferPointer { columns in
      for shape in rowCounts.indices {
        let rowCount = Int(rowCounts[shape])
        for slot in Int(slotStarts[shape])..<Int(slotStarts[shape + 1]) {
          body(Int(columns[slot]), rowCount)
        }
      }
    }
  }

  /// Calls `body` with the columns of each shape, as fast as may be.
  @inline(__always)
  func forEachShape(_ body: (_ shape: Int, _ columns: UnsafeBufferPointer<UInt16>) -> Void) {
    slotColumns.withUnsafeBufferPointer { columns in
      for shape in rowCounts.indices {
        let own = Int(slotStarts[shape])..<Int(slotStarts[shape + 1])
        body(shape, UnsafeBufferPointer(rebasing: columns[own]))
      }
    }
  }
}

extension ShapeList: RandomAccessCollection {
  var startIndex: Int { 0 }
  var endIndex: Int { rowCounts.count }

  subscript(shape: Int) -> Entry {
    Entry(
      rowCount: Int(rowCounts[shape]),
      columns: Columns(
        all: slotColumns, range: Int(slotStarts[shape])..<Int(slotStarts[shape + 1])),
      firstHiddenSlot: Int(firstHiddenSlots[shape]),
      emptyContainers: emptyContainers(ofShape: shape))
  }
}

extension ShapeList {
  /// Reads the form that `write(to:columnsByUse:)` leaves, for a table of `chunkCount` chunks.
  ///
  /// - Parameter columnsByUse: the columns of the table, those with the most values first.
  init(
    from reader: inout ByteReader, form: Form, chunkCount: Int, columnsByUse: () -> [UInt16]
  ) throws(DecodingFailure) {
    self.form = form
    let count = try reader.count(limit: reader.remaining)
    rowCounts = [Int32](repeating: 0, count: count)
    try rowCounts.withUnsafeMutableBufferPointer { counts throws(DecodingFailure) in
      try reader.counts(count, limit: StorageLimits.rowsPerRowGroup) {
        counts[$0] = Int32(truncatingIfNeeded: $1)
      }
    }
    try readSlotStarts(&reader)
    switch form {
    case .listed: try readColumns(&reader, chunkCount: chunkCount)
    case .followed: try readFollowedColumns(&reader, chunkCount: chunkCount, columnsByUse())
    }
    try readFirstHiddenSlots(&reader)
    for shape in 0..<count {
      let paths = try reader.count(limit: reader.remaining)
      for _ in 0..<paths { emptyContainers[shape, default: []].append(try reader.text()) }
    }
  }

  private mutating func readSlotStarts(_ reader: inout ByteReader) throws(DecodingFailure) {
    slotStarts = [UInt32](repeating: 0, count: rowCounts.count + 1)
    let limit = reader.remaining
    var slotCount = 0
    try slotStarts.withUnsafeMutableBufferPointer { starts throws(DecodingFailure) in
      try reader.counts(rowCounts.count, limit: limit) { shape, slots in
        slotCount &+= slots
        starts[shape + 1] = UInt32(truncatingIfNeeded: slotCount)
      }
    }
    // Each slot takes a byte. At most `limit` numbers of at most `limit` were added, so the sum is right.
    guard slotCount <= reader.remaining else { throw DecodingFailure("slots without columns") }
  }

  private mutating func readFirstHiddenSlots(_ reader: inout ByteReader) throws(DecodingFailure) {
    firstHiddenSlots = [UInt32](repeating: 0, count: rowCounts.count)
    let isListed = form == .listed
    var isWrong = false
    try firstHiddenSlots.withUnsafeMutableBufferPointer { target throws(DecodingFailure) in
      try reader.counts(rowCounts.count, limit: Int(UInt32.max)) { shape, number in
        let number = UInt32(truncatingIfNeeded: number)
        let slots = slotStarts[shape + 1] - slotStarts[shape]
        isWrong = isWrong || (!isListed && number > slots)
        target[shape] = isListed ? number : slots &- number
      }
    }
    if isWrong { throw DecodingFailure("more hidden slots than a shape has") }
  }

  private mutating func readColumns(
    _ reader: inout ByteReader, chunkCount: Int
  ) throws(DecodingFailure) {
    slotColumns = [UInt16](repeating: 0, count: Int(slotStarts[rowCounts.count]))
    var isWrong = false
    try slotColumns.withUnsafeMutableBufferPointer { target throws(DecodingFailure) in
      for shape in rowCounts.indices {
        let first = Int(slotStarts[shape])
        var expected: Int64 = 0
        try reader.varints(Int(slotStarts[shape + 1]) - first) { slot, value in
          // A sum that overflows is below zero, as what it is added to is not.
          let column = expected &+ Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
          isWrong = isWrong || column < 0 || column >= chunkCount
          target[first + slot] = UInt16(truncatingIfNeeded: column)
          expected = column &+ 1
        }
        if isWrong { throw DecodingFailure("a slot whose column is not there") }
      }
    }
  }

  private mutating func readFollowedColumns(
    _ reader: inout ByteReader, chunkCount: Int, _ columnsByUse: [UInt16]
  ) throws(DecodingFailure) {
    let codes = try reader.take(Int(slotStarts[rowCounts.count]))
    let namedCount = codes.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
    let low = try reader.take(namedCount)
    let high = try reader.take(namedCount)
    var successors = ColumnSuccessors(chunkCount: chunkCount)
    var named = 0
    slotColumns.reserveCapacity(codes.count)
    for shape in rowCounts.indices {
      var previous: UInt16?
      for slot in Int(slotStarts[shape])..<Int(slotStarts[shape + 1]) {
        let column: UInt16
        if codes[slot] > 0 {
          guard let known = successors.column(codes[slot], after: previous) else {
            throw DecodingFailure("a slot whose column nothing foretells")
          }
          column = known
        } else {
          let rank = Int(low[named]) | Int(high[named]) << 8
          guard rank < columnsByUse.count else {
            throw DecodingFailure("a slot whose column is not there")
          }
          column = columnsByUse[rank]
          successors.learn(column, after: previous)
          named += 1
        }
        slotColumns.append(column)
        previous = column
      }
    }
  }

  /// - Parameter columnsByUse: the columns of the table, those with the most values first; they have all slots.
  func write(to writer: inout ByteWriter, columnsByUse: () -> [UInt16]) {
    writer.append(varint: count)
    for shape in self { writer.append(varint: shape.rowCount) }
    for shape in self { writer.append(varint: shape.columns.count) }
    switch form {
    case .listed: writeColumns(to: &writer)
    case .followed: writeFollowedColumns(to: &writer, columnsByUse())
    }
    for shape in self {
      writer.append(
        varint: form == .listed
          ? shape.firstHiddenSlot : shape.columns.count - shape.firstHiddenSlot)
    }
    for shape in self {
      writer.append(varint: shape.emptyContainers.count)
      for path in shape.emptyContainers { writer.append(text: path) }
    }
  }

  private func writeColumns(to writer: inout ByteWriter) {
    forEachShape { _, columns in
      // Most slots have the column behind that of the slot before.
      var expected = 0
      for column in columns {
        writer.append(zigzag: Int64(Int(column) - expected))
        expected = Int(column) + 1
      }
    }
  }

  private func writeFollowedColumns(to writer: inout ByteWriter, _ columnsByUse: [UInt16]) {
    let chunkCount = Int(columnsByUse.max() ?? 0) + 1
    var rankOf = [UInt16](repeating: 0, count: chunkCount)
    for (rank, column) in columnsByUse.enumerated() { rankOf[Int(column)] = UInt16(rank) }
    var successors = ColumnSuccessors(chunkCount: chunkCount)
    var codes: [UInt8] = []
    var named: [UInt16] = []
    codes.reserveCapacity(slotColumns.count)
    forEachShape { _, columns in
      var previous: UInt16?
      for column in columns {
        let code = successors.code(of: column, after: previous)
        codes.append(code)
        if code == 0 { named.append(rankOf[Int(column)]) }
        previous = column
      }
    }
    writer.append(contentsOf: codes)
    writer.append(contentsOf: named.map { UInt8(truncatingIfNeeded: $0) })
    writer.append(contentsOf: named.map { UInt8(truncatingIfNeeded: $0 >> 8) })
  }
}
