/// Takes one record apart into shape key and slots, by the book: a strict JSON parser (RFC 8259)
/// without recursion that copies what is constant and notes what is not.
///
/// Worked example, `{"a": 1,"b":["x",{}]}`:
///
///     text    {"a": 1,"b":["x",{}]}
///     key     {"a": ␂,"b":["␁",{}]}      slots: `1` (number), `x` (string)
///
/// The parser copies the text between two slots (a *piece*) when it meets the second one. Empty
/// objects and arrays have no slot, so they stay within a piece, as does all whitespace.
///
/// **Arrays.** Elements get slots of their own while an array has at most 16 elements and all arrays
/// of the record together at most 256 slots. When an array breaks a bound — the 17th element
/// begins, or a slot inside it would be the 257th — the innermost array concerned is *kept*: key and slots are cut
/// back to where it began, its rest is only checked, and at its `]` one verbatim slot takes its whole
/// text. That slot counts for the array around it, if there is one, which may then be kept in turn. What is
/// kept thus depends on the record's text alone, and every byte is read once.
///
/// **Text mode.** `parse` returns false for anything that is not one JSON object with nothing but
/// whitespace around it, for nesting over 128, and for more than 4,096 slots.
struct ShapeParser: ~Copyable {
  typealias Position = UnsafePointer<UInt8>

  /// One open object or array.
  private struct Frame {
    var isArray: Bool
    /// Members or elements begun so far.
    var count: Int
    /// What to cut back to when an array is kept as one value.
    var start: Position
    var pieceStart: Position
    var keyCount: Int
    var slotCount: Int
    var arraySlots: Int
  }

  private static let depthLimit = StorageLimits.jsonDepth
  private let frames = UnsafeMutablePointer<Frame>.allocate(capacity: depthLimit)
  private var depth = 0
  /// Arrays among the open frames.
  private var openArrays = 0
  /// The depth of the array being kept as one value; 0 for none.
  private var keptDepth = 0

  /// The key found by the last successful `parse`.
  private(set) var key = UnsafeMutablePointer<UInt8>.allocate(capacity: 4_096)
  private(set) var keyCount = 0
  private var keyCapacity = 4_096
  /// Slots found by the last successful `parse`.
  private(set) var slotCount = 0
  /// Whether an array of the record was kept as one value.
  private(set) var hasVerbatim = false
  private var arraySlots = 0

  private var slots: UnsafeMutablePointer<UInt64>
  private var block: Position
  private var cursor: Position
  private var end: Position
  private var pieceStart: Position

  init() {
    // Placeholders, never read: `parse` sets all five before anything else.
    slots = UnsafeMutablePointer<UInt64>(bitPattern: 8)!
    block = UnsafePointer(key)
    cursor = block
    end = block
    pieceStart = block
  }

  deinit {
    frames.deallocate()
    key.deallocate()
  }

  /// Parses the record `start..<end` of `block`.
  ///
  /// - Parameter slots: Receives (offset in `block`, length) pairs; has room for
  ///   `StorageLimits.slotsPerEvent`.
  /// - Returns: Whether the record can be taken apart; when not, it is to be stored as text.
  /// - Complexity: O(bytes)
  mutating func parse(
    _ start: Position, _ end: Position, block: Position, slots: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    reset(start, end, block, slots)
    skipBlanks()
    guard cursor < end, cursor.pointee == 0x7B, open(isArray: false) else { return false }
    while depth > 0 {
      guard step() else { return false }
    }
    skipBlanks()
    guard cursor == end else { return false }
    flushPiece(to: end)
    return true
  }

  private mutating func reset(
    _ start: Position, _ end: Position, _ block: Position, _ slots: UnsafeMutablePointer<UInt64>
  ) {
    self.end = end
    self.block = block
    self.slots = slots
    cursor = start
    pieceStart = start
    (depth, openArrays, keptDepth) = (0, 0, 0)
    (keyCount, slotCount, arraySlots) = (0, 0, 0)
    hasVerbatim = false
    // A key is never longer than its text: every slot but an empty string is at least one byte, and
    // an empty string is one marker more.
    let needed = (end - start) + StorageLimits.slotsPerEvent + 1
    if needed > keyCapacity { growKey(to: needed) }
  }

  @inline(never)
  private mutating func growKey(to capacity: Int) {
    key.deallocate()
    key = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    keyCapacity = capacity
  }

  // MARK: - Grammar

  /// Reads the next member or element of the innermost container, or its end.
  @inline(__always)
  private mutating func step() -> Bool {
    skipBlanks()
    guard cursor < end else { return false }
    let frame = frames + (depth &- 1)
    if cursor.pointee == (frame.pointee.isArray ? 0x5D : 0x7D) { return close() }
    if frame.pointee.count > 0 {
      guard cursor.pointee == 0x2C else { return false }
      cursor += 1
      skipBlanks()
    }
    frame.pointee.count &+= 1
    if frame.pointee.isArray {
      if frame.pointee.count > StorageLimits.positionalElementsPerArray, keptDepth == 0 {
        keep(depth)
      }
      return value()
    }
    return memberName() && value()
  }

  @inline(__always)
  private mutating func memberName() -> Bool {
    guard cursor < end, cursor.pointee == 0x22,
      let quote = JSONText.endOfString(cursor + 1, end)
    else { return false }
    cursor = quote + 1
    skipBlanks()
    guard cursor < end, cursor.pointee == 0x3A else { return false }
    cursor += 1
    skipBlanks()
    return true
  }

  @inline(__always)
  private mutating func value() -> Bool {
    guard cursor < end else { return false }
    switch cursor.pointee {
    case 0x22:
      guard let quote = JSONText.endOfString(cursor + 1, end) else { return false }
      return emit(.string, cursor + 1, quote, next: quote + 1)
    case 0x7B:
      return open(isArray: false)
    case 0x5B:
      return open(isArray: true)
    case 0x74, 0x66, 0x6E:
      guard let after = JSONText.endOfLiteral(cursor), after <= end else { return false }
      return emit(.literal, cursor, after, next: after)
    default:
      guard let after = JSONText.endOfNumber(cursor), after <= end else { return false }
      return emit(.number, cursor, after, next: after)
    }
  }

  private mutating func open(isArray: Bool) -> Bool {
    guard depth < Self.depthLimit else { return false }
    frames[depth] = Frame(
      isArray: isArray, count: 0, start: cursor, pieceStart: pieceStart, keyCount: keyCount,
      slotCount: slotCount, arraySlots: arraySlots)
    depth &+= 1
    if isArray { openArrays &+= 1 }
    cursor += 1
    return true
  }

  private mutating func close() -> Bool {
    cursor += 1
    depth &-= 1
    let frame = frames[depth]
    if frame.isArray { openArrays &-= 1 }
    guard keptDepth == depth &+ 1 else { return true }
    keptDepth = 0
    hasVerbatim = true
    return emit(.verbatim, frame.start, cursor, next: cursor)
  }

  @inline(__always)
  private mutating func skipBlanks() {
    cursor = JSONText.skipBlanks(cursor, end)
  }

  // MARK: - Key and slots

  @inline(__always)
  private mutating func emit(
    _ kind: SlotKind, _ from: Position, _ to: Position, next: Position
  ) -> Bool {
    cursor = next
    guard keptDepth == 0 else { return true }
    if openArrays > 0 {
      arraySlots &+= 1
      if arraySlots > StorageLimits.positionalSlotsPerEvent {
        keepInnermostArray()
        return true
      }
    }
    guard slotCount < StorageLimits.slotsPerEvent else { return false }
    flushPiece(to: from)
    key[keyCount] = kind.rawValue
    keyCount &+= 1
    slots[slotCount] = UInt64(from - block) << 32 | UInt64(to - from)
    slotCount &+= 1
    pieceStart = to
    return true
  }

  @inline(__always)
  private mutating func flushPiece(to position: Position) {
    let count = position - pieceStart
    (key + keyCount).update(from: pieceStart, count: count)
    keyCount &+= count
  }

  @inline(never)
  private mutating func keepInnermostArray() {
    var innermost = depth
    while !frames[innermost - 1].isArray { innermost -= 1 }
    keep(innermost)
  }

  /// Turns the array at this depth (1 is the outermost container) into one value.
  private mutating func keep(_ depth: Int) {
    let frame = frames[depth - 1]
    keptDepth = depth
    pieceStart = frame.pieceStart
    keyCount = frame.keyCount
    slotCount = frame.slotCount
    arraySlots = frame.arraySlots
  }
}
