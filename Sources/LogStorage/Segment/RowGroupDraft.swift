/// Records dealt out into columns, before anything is encoded.
///
/// A row group of more than `StorageLimits.columnsBySelf` columns has few values in most of them: maps keyed by names or
/// ids, events whose authors all chose other keys. A chunk for each of those would cost more than what is in it. So the *rare*
/// columns, of less than `StorageLimits.valuesPerRareColumn` values, come behind the others in the order of their paths, and
/// the values of each kind make one chunk, a *run*, column after column. How many each has stands in the table, so
/// nothing else says where they start. Columns of whole numbers have a run of their own: with fractions among them,
/// each would take more.
///
///     rows                            rare columns, by path        runs
///     {"u7":5,"u1":"x"}               u1 (string)   x z            strings        x z y
///     {"u1":"z","u9":2.5}             u3 (whole)    7              whole numbers  7 5
///     {"u9":"y","u3":7}               u7 (whole)    5              numbers        2.5
///                                     u9 (string)   y
///                                     u9 (number)   2.5
struct RowGroupDraft {
  struct LocalShape {
    var shape: Shape
    var rowCount = 0
    var columns: [Int] = []
  }

  let scanned: ScannedBlock
  let rows: [UInt32]
  let base: UnsafePointer<UInt8>
  private(set) var columns: [RowGroupEncoder.ColumnKey] = []
  /// Shape 0 is the text shape.
  private(set) var shapes: [LocalShape] = [LocalShape(shape: .text)]
  /// Local shape of each row.
  private(set) var shapeCodes: [UInt16] = []
  private(set) var rawByteCount = 0
  /// Slots of all columns, column after column, and where each column starts.
  private var starts: [Int] = []
  private var dealt = DealtSlots(count: 0)

  /// Columns from this one on are rare.
  private(set) var firstRare = 0
  /// The rare columns of each kind, in order of their paths.
  private(set) var rareRuns: [Range<Int>] = []
  /// All rare columns in order of their paths.
  private(set) var rareByPath: [Int] = []

  /// How records are taken apart.
  enum Form {
    /// All columns have chunks of their own: quick, for row groups that only live in memory.
    case simple
    /// Columns of few values share chunks where there are very many.
    case compact
    /// Not at all: every record is one text.
    case text
  }

  private let form: Form

  init(scanned: ScannedBlock, rows: [UInt32], base: UnsafePointer<UInt8>, form: Form) {
    self.scanned = scanned
    self.rows = rows
    self.base = base
    self.form = form
  }

  /// - Parameter mostBySelf: columns above which rare ones share chunks.
  mutating func layOut(mostBySelf: Int) {
    assignShapes()
    firstRare = columns.count
    if form == .compact, columns.count > mostBySelf { separateRareColumns() }
    dealSlots()
  }

  // MARK: Shapes

  /// Numbers the shapes in use and the columns they need. Once a row group has as many columns as it
  /// may have, records whose shape would need more are kept as text.
  private mutating func assignShapes() {
    var localOf = [Int](repeating: -1, count: scanned.shapes.count)
    var columnOf: [RowGroupEncoder.ColumnKey: Int] = [:]
    localOf[0] = 0
    shapeCodes.reserveCapacity(rows.count)
    for row in rows {
      let global = Int(scanned.shapeOfRecord[Int(row)])
      if localOf[global] < 0 {
        localOf[global] = addShape(scanned.shapes[global], columnOf: &columnOf)
      }
      let local = localOf[global]
      if local == 0, shapes[0].columns.isEmpty {
        shapes[0].columns = Self.columns(of: .text, columnOf: &columnOf, columns: &columns)
      }
      shapes[local].rowCount += 1
      shapeCodes.append(UInt16(local))
      rawByteCount += Int(scanned.block.records[Int(row)].length)
    }
  }

  private mutating func addShape(
    _ shape: Shape, columnOf: inout [RowGroupEncoder.ColumnKey: Int]
  ) -> Int {
    let limit =
      form == .simple ? StorageLimits.columnsBySelf : StorageLimits.columnsPerRowGroup
    guard form != .text, shapes.count < Int(UInt16.max),
      columns.count + shape.slots.count < limit
    else { return 0 }
    let indices = Self.columns(of: shape, columnOf: &columnOf, columns: &columns)
    shapes.append(LocalShape(shape: shape, rowCount: 0, columns: indices))
    return shapes.count - 1
  }

  private static func columns(
    of shape: Shape, columnOf: inout [RowGroupEncoder.ColumnKey: Int],
    columns: inout [RowGroupEncoder.ColumnKey]
  ) -> [Int] {
    shape.slots.map { slot in
      let key = RowGroupEncoder.ColumnKey(
        path: slot.path, kind: slot.kind, instance: slot.instance)
      if let known = columnOf[key] { return known }
      columnOf[key] = columns.count
      columns.append(key)
      return columns.count - 1
    }
  }

  // MARK: Rare columns

  /// How many values each column has.
  private func valueCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: columns.count)
    for shape in shapes {
      for column in shape.columns { counts[column] += shape.rowCount }
    }
    return counts
  }

  /// Puts the rare columns behind the others.
  private mutating func separateRareColumns() {
    let counts = valueCounts()
    let isRare = columns.indices.map {
      counts[$0] < StorageLimits.valuesPerRareColumn && columns[$0].kind != .text
    }
    let isWhole = wholeColumns(isRare)
    func run(_ column: Int) -> Int {
      Int(columns[column].kind.rawValue) * 2 + (isWhole[column] ? 0 : 1)
    }
    var order = columns.indices.filter { !isRare[$0] }
    firstRare = order.count
    let byPath = columns.indices.filter { isRare[$0] }.sorted {
      let (a, b) = (columns[$0], columns[$1])
      return (a.path, run($0), a.instance) < (b.path, run($1), b.instance)
    }
    let runs = Dictionary(grouping: byPath, by: run).sorted { $0.key < $1.key }.map(\.value)
    for run in runs {
      rareRuns.append(order.count..<order.count + run.count)
      order += run
    }
    var numberOf = [Int](repeating: 0, count: columns.count)
    for (number, column) in order.enumerated() { numberOf[column] = number }
    rareByPath = byPath.map { numberOf[$0] }
    columns = order.map { columns[$0] }
    for shape in shapes.indices {
      shapes[shape].columns = shapes[shape].columns.map { numberOf[$0] }
    }
  }

  /// Whether shapes are more than a sixteenth of the rows: then they are a good part of what is stored.
  var hasManyShapes: Bool { shapes.count > 16 && shapes.count * 16 > rows.count }

  /// Whether the row group may be smaller with rare columns, though it has few enough without: that is found out by
  /// trying both, as a pack of columns that repeat each other is smaller still.
  var mayShare: Bool {
    form == .compact && rareRuns.isEmpty && hasManyShapes
      && columns.count > StorageLimits.leastColumnsToShare
  }

  /// The columns, those with the most values first, of equally many the first.
  func columnsByUse() -> [Int] {
    let counts = valueCounts()
    return columns.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
  }

  /// The rare columns of numbers whose values are all whole.
  private func wholeColumns(_ isRare: [Bool]) -> [Bool] {
    var isWhole = columns.indices.map { isRare[$0] && columns[$0].kind == .number }
    for (position, row) in rows.enumerated() where shapeCodes[position] > 0 {
      let first = Int(scanned.slotStarts[Int(row)])
      for (slot, column) in shapes[Int(shapeCodes[position])].columns.enumerated()
      where isWhole[column] {
        let place = scanned.slots[first + slot]
        let value = DecimalText.integer(base + Int(place >> 32), Int(place & 0xFFFF_FFFF))
        isWhole[column] = value != nil
      }
    }
    return isWhole
  }

  /// The number of each column's chunk, if that of the first is `first`: before the rare columns come the chunks
  /// of their values.
  func chunkNumbers(from first: Int) -> [Int] {
    var numbers = Array(first..<first + columns.count)
    for (place, column) in rareByPath.enumerated() {
      numbers[column] = first + firstRare + rareRuns.count + place
    }
    return numbers
  }

  // MARK: Slots

  private mutating func dealSlots() {
    let counts = valueCounts()
    starts = [0]
    for count in counts { starts.append(starts.last! + count) }
    let total = starts[columns.count]
    var next = starts
    let dealt = DealtSlots(count: total)
    for (position, row) in rows.enumerated() {
      let record = Int(row)
      let local = Int(shapeCodes[position])
      let first = Int(scanned.slotStarts[record])
      shapes[local].columns.withUnsafeBufferPointer { columns in
        if local == 0 {
          let reference = scanned.block.records[record]
          let place = next[columns[0]]
          next[columns[0]] = place &+ 1
          dealt.slots[place] = UInt64(reference.offset) << 32 | UInt64(reference.length)
          dealt.rows[place] = UInt32(truncatingIfNeeded: position)
        } else {
          for slot in 0..<columns.count {
            let place = next[columns[slot]]
            next[columns[slot]] = place &+ 1
            dealt.slots[place] = scanned.slots[first &+ slot]
            dealt.rows[place] = UInt32(truncatingIfNeeded: position)
          }
        }
      }
    }
    self.dealt = dealt
  }

  /// The values of a column, in row order; valid while the draft is.
  func column(_ index: Int) -> SlotColumn { column(index..<index + 1) }

  /// The values of some columns, column after column.
  func column(_ run: Range<Int>) -> SlotColumn {
    let range = starts[run.lowerBound]..<starts[run.upperBound]
    return SlotColumn(
      base: base, slots: UnsafeBufferPointer(rebasing: dealt.slots[range]))
  }

  /// The rows of a column's values.
  func rows(of index: Int, times: UnsafeBufferPointer<Int64>) -> ColumnRows {
    let range = starts[index]..<starts[index + 1]
    if range.count == rows.count {
      return ColumnRows(times: times, shapes: shapeCodes, numbers: nil)
    }
    return ColumnRows(
      times: times, shapes: shapeCodes,
      numbers: UnsafeBufferPointer(rebasing: dealt.rows[range]))
  }

  func siblings(firstChunk: Int) -> SiblingColumns {
    SiblingColumns(
      scanned: scanned, base: base, rows: rows, shapeCodes: shapeCodes,
      columnsOfShape: shapes.map(\.columns), columnCount: columns.count, firstChunk: firstChunk)
  }

  /// Names of the streams in use and the code of each row.
  func localStreams() -> (names: [String], codes: [UInt16]) {
    var names: [String] = []
    var localOf: [UInt32: UInt16] = [:]
    let codes = rows.map { row in
      let stream = scanned.block.records[Int(row)].stream
      if let known = localOf[stream] { return known }
      let code = UInt16(names.count)
      localOf[stream] = code
      names.append(scanned.block.streams[Int(stream)])
      return code
    }
    return (names, codes)
  }

  func streamCounts(streams: [String], codes: [UInt16]) -> [StreamCount] {
    var counts = [UInt64](repeating: 0, count: streams.count)
    for code in codes { counts[Int(code)] += 1 }
    return zip(streams, counts).map { StreamCount(name: $0, rowCount: $1) }
  }

  /// - Parameter chunks: the number of each column's chunk.
  func shapeList(chunks: [Int]) -> ShapeList {
    var list = ShapeList()
    list.reserve(shapes: shapes.count, slots: shapes.reduce(0) { $0 + $1.columns.count })
    for local in shapes {
      list.append(
        rowCount: local.rowCount, columns: local.columns.lazy.map { chunks[$0] },
        firstHiddenSlot: local.shape.slots.firstIndex(where: \.isHidden) ?? local.columns.count,
        emptyContainers: local.shape.emptyContainerPaths)
    }
    return list
  }

  /// Texts of all records, one after the other.
  func texts() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: rawByteCount) { target, used in
      for row in rows {
        let reference = scanned.block.records[Int(row)]
        let length = Int(reference.length)
        // `rawByteCount` is the sum of these lengths, so the copies fill the buffer exactly.
        if length > 0 {
          UnsafeMutableRawPointer(target.baseAddress! + used).copyMemory(
            from: base + Int(reference.offset), byteCount: length)
        }
        used += length
      }
    }
  }

  func contentSum(times: [Int64]) -> ContentSum {
    var sum = ContentSum()
    let streamHashes = scanned.block.streams.map { name in
      Array(name.utf8).withUnsafeBytes { XXH64.hash($0) }
    }
    for (position, row) in rows.enumerated() {
      let reference = scanned.block.records[Int(row)]
      sum.add(
        text: UnsafeRawBufferPointer(
          start: base + Int(reference.offset), count: Int(reference.length)),
        time: times[position], streamHash: streamHashes[Int(reference.stream)])
    }
    return sum
  }
}

/// Slots in column order with the row of each: memory that stays in place while columns view it.
private final class DealtSlots {
  let slots: UnsafeMutableBufferPointer<UInt64>
  let rows: UnsafeMutableBufferPointer<UInt32>

  /// Every element is written by `dealSlots`, which places exactly `count` of them.
  init(count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: 0)
    rows = .allocate(capacity: count)
    rows.initialize(repeating: 0)
  }

  deinit {
    slots.deallocate()
    rows.deallocate()
  }
}
