/// A column as flat text: what every encoding is turned into before rows are put together.
final class RenderedColumn {
  /// Where the text of each value lies. Without an owner: valid while the column is.
  struct Lane {
    let bytes: UnsafePointer<UInt8>
    let offsets: UnsafePointer<UInt32>
    /// Entry of each value, or `nil` when value `i` is entry `i`.
    let codes: UnsafePointer<UInt16>?
    /// All values are entry 0.
    let isConstant: Bool

    @inline(__always)
    func text(_ position: Int) -> UnsafeBufferPointer<UInt8> {
      let entry = isConstant ? 0 : codes.map { Int($0[position]) } ?? position
      let start = Int(offsets[entry])
      return UnsafeBufferPointer(start: bytes + start, count: Int(offsets[entry &+ 1]) &- start)
    }
  }

  let lane: Lane
  private let bytes: UnsafeMutableBufferPointer<UInt8>
  private let offsets: UnsafeMutableBufferPointer<UInt32>
  private let codes: UnsafeMutableBufferPointer<UInt16>?

  /// Some values of a column.
  ///
  /// - Throws: when a part of the column is read first here, and damaged.
  convenience init(_ data: ColumnData, at positions: [Int]) throws {
    var run = TextRun(offsets: [0], bytes: [])
    switch data {
    case .constant:
      try self.init(data, count: positions.count)
      return
    case .integers(let values):
      run.render(positions.count) { i, output in
        DecimalText.append(values[positions[i]], to: &output)
      }
    case .identifiers(let ids): run = ids.texts(positions.count) { positions[$0] }
    default:
      try run.render(positions.count) { i, output in
        try data.appendText(positions[i], to: &output)
      }
    }
    try self.init(.texts(run), count: positions.count)
  }

  /// - Throws: when a part of the column is read first here, and damaged.
  init(_ data: ColumnData, count: Int) throws {
    var run = TextRun(offsets: [0], bytes: [])
    var codes: [UInt16]?
    var isConstant = false
    switch data {
    case .constant(let text):
      run = TextRun(offsets: [0, UInt32(text.count)], bytes: text)
      isConstant = true
    case .dictionary(let rowCodes, let entries):
      run = entries
      codes = rowCodes
    case .texts(let texts): run = texts
    case .integers(let values):
      run.render(count) { i, output in DecimalText.append(values[i], to: &output) }
    case .decimals(let decimals): run.render(count) { i, output in decimals.append(i, to: &output) }
    case .timestamps(let times): run.render(count) { i, output in times.append(i, to: &output) }
    case .doubles(let values):
      run.render(count) { i, output in DoubleStream.append(values[i], to: &output) }
    case .identifiers(let ids): run = ids.texts(count) { $0 }
    case .templates(let templates): run = try templates.texts()
    case .reference(let reference):
      try run.render(count) { i, output in try reference.append(i, to: &output) }
    }
    bytes = Self.copy(run.bytes)
    offsets = Self.copy(run.offsets)
    self.codes = codes.map(Self.copy)
    lane = Lane(
      bytes: UnsafePointer(bytes.baseAddress!), offsets: UnsafePointer(offsets.baseAddress!),
      codes: self.codes.map { UnsafePointer($0.baseAddress!) }, isConstant: isConstant)
  }

  /// Memory that stays in place; one element more, so that there is always a base address.
  private static func copy<T: FixedWidthInteger>(_ array: [T]) -> UnsafeMutableBufferPointer<T> {
    let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: array.count + 1)
    _ = memory.initialize(from: array)
    memory[array.count] = 0
    return memory
  }

  deinit {
    bytes.deallocate()
    offsets.deallocate()
    codes?.deallocate()
  }
}

extension TextRun {
  fileprivate mutating func render(
    _ count: Int, _ append: (Int, inout [UInt8]) throws -> Void
  ) rethrows {
    offsets.reserveCapacity(count + 1)
    bytes.reserveCapacity(count * 8)
    for i in 0..<count {
      try append(i, &bytes)
      offsets.append(UInt32(bytes.count))
    }
  }
}

/// Texts being written end to end.
final class TextOutput {
  private var bytes: UnsafeMutableRawPointer
  private var capacity: Int
  private var count = 0
  private var offsets: [UInt32] = [0]

  init(rowCapacity: Int, bytesPerRow: Int) {
    capacity = max(4_096, rowCapacity * bytesPerRow)
    bytes = .allocate(byteCount: capacity, alignment: 16)
    offsets.reserveCapacity(rowCapacity + 1)
  }

  deinit { bytes.deallocate() }

  func run() -> TextRun {
    TextRun(offsets: offsets, bytes: Array(UnsafeRawBufferPointer(start: bytes, count: count)))
  }

  /// Appends one text: the pieces with the texts of the slots between them.
  @inline(__always)
  func append(
    _ pieces: ShapePieces, _ slots: Int, slot: (Int) -> UnsafeBufferPointer<UInt8>
  ) {
    pieces.text.withUnsafeBufferPointer { text in
      pieces.bounds.withUnsafeBufferPointer { bounds in
        var length = text.count
        for i in 0..<slots { length &+= slot(i).count }
        if count &+ length > capacity { grow(by: length) }
        // `length` bytes are free from here on, and exactly so many are written below.
        var target = bytes + count
        for i in 0..<slots {
          target = copyBytes(text.baseAddress, bounds[i], bounds[i &+ 1], to: target)
          let value = slot(i)
          target = copyBytes(value.baseAddress, 0, value.count, to: target)
        }
        _ = copyBytes(text.baseAddress, bounds[slots], bounds[slots &+ 1], to: target)
        count &+= length
      }
    }
    offsets.append(UInt32(truncatingIfNeeded: count))
  }

  @inline(never)
  private func grow(by length: Int) {
    let larger = max(capacity * 2, count + length)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    memory.copyMemory(from: bytes, byteCount: count)
    bytes.deallocate()
    bytes = memory
    capacity = larger
  }
}

/// Copies `base[start..<end]` to a place that has room for it, which the caller proves, and gives the place behind.
@inline(__always)
func copyBytes(
  _ base: UnsafePointer<UInt8>?, _ start: Int, _ end: Int, to target: UnsafeMutableRawPointer
) -> UnsafeMutableRawPointer {
  guard end > start, let base else { return target }
  target.copyMemory(from: base + start, byteCount: end &- start)
  return target + (end &- start)
}
