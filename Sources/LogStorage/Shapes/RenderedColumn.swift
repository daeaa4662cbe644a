/// A column as flat text: what every encoding is turned into before rows are put together.
final class RenderedColumn {
  /// Where the text of each value lies. Without an owner: valid while the column is. Behind the bytes lies the slack
  /// of ``TextMemory``.
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
  /// How many values there are.
  let count: Int
  private let memory: TextMemory
  private let codes: UnsafeMutableBufferPointer<UInt16>?

  /// Some values of a column.
  ///
  /// - Throws: when a part of the column is read first here, and damaged.
  convenience init(_ data: ColumnData, at positions: [Int]) throws {
    switch data {
    case .constant: try self.init(data, count: positions.count)
    case .dictionary(let codes, let entries):
      self.init(TextMemory(entries), codes: positions.map { codes[$0] }, count: positions.count)
    case .texts(let run): self.init(TextMemory(run, at: positions), count: positions.count)
    default:
      self.init(try Self.memory(data, positions.count) { positions[$0] }, count: positions.count)
    }
  }

  /// - Throws: when a part of the column is read first here, and damaged.
  convenience init(_ data: ColumnData, count: Int) throws {
    switch data {
    case .constant(let text):
      self.init(
        TextMemory(TextRun(offsets: [0, UInt32(text.count)], bytes: text)), isConstant: true,
        count: count)
    case .dictionary(let codes, let entries):
      self.init(TextMemory(entries), codes: codes, count: count)
    case .texts(let texts): self.init(TextMemory(texts), count: count)
    case .templates(let templates): self.init(try templates.memory(), count: count)
    case .reference(let reference):
      try self.init(reference.column[0], at: reference.positions.map { Int($0) })
    default: self.init(try Self.memory(data, count) { $0 }, count: count)
    }
  }

  private init(
    _ memory: TextMemory, codes: [UInt16]? = nil, isConstant: Bool = false, count: Int
  ) {
    self.memory = memory
    self.count = count
    self.codes = codes.map { codes in
      let kept = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: codes.count + 1)
      _ = kept.initialize(from: codes)
      return kept
    }
    lane = Lane(
      bytes: UnsafePointer(memory.bytes), offsets: UnsafePointer(memory.offsets),
      codes: self.codes.map { UnsafePointer($0.baseAddress!) }, isConstant: isConstant)
  }

  deinit { codes?.deallocate() }

  /// The text of all values if they are the same by the way they are stored.
  var constant: UnsafeBufferPointer<UInt8>? { lane.isConstant ? lane.text(0) : nil }

  /// The texts of all values, cut loose.
  var texts: TextRun {
    var run = TextRun(offsets: [0], bytes: [])
    if lane.codes == nil, !lane.isConstant {
      run.offsets = Array(UnsafeBufferPointer(start: lane.offsets, count: count + 1))
      run.bytes = Array(UnsafeBufferPointer(start: lane.bytes, count: memory.byteCount))
      return run
    }
    for i in 0..<count {
      run.bytes.append(contentsOf: lane.text(i))
      run.offsets.append(UInt32(truncatingIfNeeded: run.bytes.count))
    }
    return run
  }

  /// Bytes of the texts of all values.
  var byteCount: Int {
    if lane.isConstant { return count * memory.byteCount }
    guard let codes = lane.codes else { return memory.byteCount }
    var total = 0
    for i in 0..<count {
      let entry = Int(codes[i])
      total &+= Int(lane.offsets[entry &+ 1] &- lane.offsets[entry])
    }
    return total
  }

  /// The values at `count` positions, which the caller knows to be in the column.
  @inline(__always)
  private static func memory(
    _ data: ColumnData, _ count: Int, _ position: (Int) -> Int
  ) throws -> TextMemory {
    switch data {
    case .integers(let values):
      return TextMemory.rendered(count, most: DigitWriter.mostBytes) { i, target in
        DigitWriter.write(values[position(i)], to: target)
      }
    case .decimals(let run):
      return TextMemory.rendered(count, most: DigitWriter.mostBytes) { i, target in
        let place = position(i)
        let scale = run.scales.isEmpty ? run.scale : run.scales[place]
        return DigitWriter.write(
          mantissa: run.mantissas[place], scale: Int(scale), to: target)
      }
    case .timestamps(let run):
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { prefix in
        var writer = TimestampWriter(run, prefix: prefix.baseAddress!)
        return TextMemory.rendered(count, most: TimestampWriter.mostBytes) { i, target in
          writer.write(position(i), to: target)
        }
      }
    case .identifiers(let run):
      return run.pool.withUnsafeBufferPointer { pool in
        TextMemory.rendered(count, most: run.form.maximalTextLength) { i, target in
          // The decoder checked every index against the pool's size.
          run.form.write(
            pool.baseAddress! + Int(run.indices[position(i)]) &* run.form.width, to: target)
        }
      }
    case .doubles(let values):
      return TextMemory.rendered(count, most: 32) { i, target in
        var text = values[position(i)].description
        return text.withUTF8 { text in
          target.update(from: text.baseAddress!, count: text.count)
          return text.count
        }
      }
    default:
      var run = TextRun(offsets: [0], bytes: [])
      run.offsets.reserveCapacity(count + 1)
      for i in 0..<count {
        try data.appendText(position(i), to: &run.bytes)
        run.offsets.append(UInt32(run.bytes.count))
      }
      return TextMemory(run)
    }
  }
}
