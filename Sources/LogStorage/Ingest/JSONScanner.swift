import Synchronization

/// Takes the records of a block apart: shape, slots and event time of each, without copying.
///
/// A record's shape is guessed by `ShapeTrie` from those seen before; what the trie does not know
/// `ShapeParser` parses by the book. Both give the same answer for the same bytes. Shapes, trie and
/// time formats live on from block to block, so a scanner is worth keeping: one per worker.
///
/// Any bytes are accepted: what is not one JSON object is a text record (shape 0).
package final class JSONScanner: Sendable {
  private let state: Mutex<ScannerState>

  /// - Parameter timestampField: Dotted path of the field to take the event time from before any
  ///   other; `nil` for none.
  package init(timestampField: String? = nil) {
    state = Mutex(ScannerState(timestampField: timestampField))
  }

  /// Scans a block. Callers that come while another scan runs wait for it.
  ///
  /// - Parameter arrivalTime: Ms since 1970; the event time of records in which none is found, and
  ///   the base for times written without a year.
  /// - Complexity: O(bytes)
  package func scan(_ block: RecordBlock, arrivalTime: Int64) -> ScannedBlock {
    state.withLock { $0.scan(block, arrivalTime: arrivalTime) }
  }
}

/// What a scanner keeps between blocks.
private struct ScannerState: ~Copyable {
  /// Kept shapes are forgotten between blocks when they take more than this.
  private static let shapeByteLimit = 16 << 20

  private let timeFields: [String]
  private let explicitTimeField: Bool
  private var shapes: ShapeDictionary
  private var trie = ShapeTrie()
  private var parser = ShapeParser()
  private var timeFinder: EventTimeFinder

  /// For each kept shape the block it was last used in, and its index there.
  private var lastUse: [(block: UInt64, index: UInt32)] = [(0, 0)]
  private var blockNumber: UInt64 = 0
  /// The time of the record at hand, if it was found in a field and the record is kept as text all the same.
  private var timeOfText: Int64?

  private var slots = UnsafeMutablePointer<UInt64>.allocate(capacity: 1 << 16)
  private var slotCapacity = 1 << 16
  private var slotCount = 0

  init(timestampField: String?) {
    timeFields = EventTimeFinder.fields(first: timestampField)
    explicitTimeField = timestampField != nil
    shapes = ShapeDictionary(timeFields: timeFields)
    timeFinder = EventTimeFinder()
  }

  deinit { slots.deallocate() }

  mutating func scan(_ block: RecordBlock, arrivalTime: Int64) -> ScannedBlock {
    let count = block.records.count
    begin(arrivalTime)
    var result = ScannedBlock(
      block: block, shapes: [.text], shapeOfRecord: [], slotStarts: [], slots: [], times: [],
      recordsWithoutTime: 0)
    var used: [Int] = [0]
    var withoutTime = 0
    result.shapeOfRecord = .init(repeating: 0, count: count)
    result.slotStarts = .init(repeating: 0, count: count + 1)
    result.times = .init(repeating: arrivalTime, count: count)
    block.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      precondition(bytes.count >= block.byteCount + RecordBlock.padding, "a block without padding")
      for (index, record) in block.records.enumerated() {
        // The block's invariant, checked because everything below trusts it.
        precondition(Int(record.offset) + Int(record.length) <= block.byteCount, "record range")
        let first = slotCount
        reserveSlots()
        let start = base + Int(record.offset)
        let shape = shape(of: start, start + Int(record.length), block: base)
        result.shapeOfRecord[index] = localIndex(of: shape, &used)
        result.slotStarts[index + 1] = UInt32(slotCount)
        if record.time != RecordReference.undiscovered {
          result.times[index] = record.time
          timeOfText = nil
        } else if let time = time(of: shape, base, slots + first) {
          result.times[index] = time
        } else {
          withoutTime += 1
        }
      }
    }
    result.shapes = used.map { shapes.shape($0) }
    result.slots = Array(UnsafeBufferPointer(start: slots, count: slotCount))
    result.recordsWithoutTime = withoutTime
    return result
  }

  private mutating func begin(_ arrivalTime: Int64) {
    if shapes.byteCount > Self.shapeByteLimit {
      shapes = ShapeDictionary(timeFields: timeFields)
      trie.removeAll()
      lastUse = [(0, 0)]
    }
    timeFinder.arrivalTime = arrivalTime
    blockNumber += 1
    lastUse[0] = (blockNumber, 0)
    slotCount = 0
  }

  /// Finds the shape of a record and appends its slots.
  @inline(__always)
  private mutating func shape(
    of start: JSONText.Position, _ end: JSONText.Position, block: JSONText.Position
  ) -> Int {
    let target = slots + slotCount
    if start < end, start.pointee == 0x7B || JSONText.isBlank(start.pointee) {
      var found = 0
      if let shape = trie.match(start, end, block: block, slots: target, slotCount: &found) {
        slotCount &+= found
        return shape
      }
      if let shape = parse(start, end, block: block) { return shape }
    }
    target.pointee = UInt64(start - block) << 32 | UInt64(end - start)
    slotCount &+= 1
    return 0
  }

  @inline(never)
  private mutating func parse(
    _ start: JSONText.Position, _ end: JSONText.Position, block: JSONText.Position
  ) -> Int? {
    guard parser.parse(start, end, block: block, slots: slots + slotCount) else { return nil }
    let key = UnsafeBufferPointer(start: UnsafePointer(parser.key), count: parser.keyCount)
    let (index, isNew) = shapes.index(of: key)
    if isNew { lastUse.append((0, 0)) }
    if shapes.isKeptAsText(index) {
      timeOfText = time(of: index, block, slots + slotCount)
      return nil
    }
    slotCount &+= parser.slotCount
    if isNew {
      if !parser.hasVerbatim { trie.insert(key: key, shape: index) }
    }
    return index
  }

  @inline(__always)
  private mutating func localIndex(of shape: Int, _ used: inout [Int]) -> UInt32 {
    if lastUse[shape].block == blockNumber { return lastUse[shape].index }
    let index = UInt32(used.count)
    used.append(shape)
    lastUse[shape] = (blockNumber, index)
    return index
  }

  @inline(__always)
  private mutating func time(
    of shape: Int, _ block: JSONText.Position, _ slots: UnsafeMutablePointer<UInt64>
  ) -> Int64? {
    if shape == 0 {
      return timeOfText.take() ?? timeFinder.time(inLine: Self.bytes(of: slots[0], block))
    }
    for candidate in shapes.timeSlots(shape) {
      if let time = timeFinder.time(
        inField: Self.bytes(of: slots[Int(candidate.slot)], block),
        isExplicit: explicitTimeField && candidate.rank == 0)
      {
        return time
      }
    }
    return nil
  }

  private static func bytes(
    of slot: UInt64, _ block: JSONText.Position
  ) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: block + Int(slot >> 32), count: Int(slot & 0xFFFF_FFFF))
  }

  /// Makes room for the slots of one more record.
  @inline(__always)
  private mutating func reserveSlots() {
    if slotCount &+ StorageLimits.slotsPerEvent > slotCapacity { growSlots() }
  }

  @inline(never)
  private mutating func growSlots() {
    let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: slotCapacity * 2)
    larger.update(from: slots, count: slotCount)
    slots.deallocate()
    slots = larger
    slotCapacity *= 2
  }
}
