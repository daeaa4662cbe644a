/// Guesses the shape of a record from those seen before, checking while it goes along.
///
/// A record is an alternation of constant *pieces* and slots. The trie has one edge per (piece, kind
/// of the slot that follows); the path from the root names everything constant that came before:
///
///     {"ts":" ·string· ","level":" ·string· ","took": ·number· }  → shape 7
///                                          └─ ","user":" ·string· "}  → shape 9
///
/// At each node the text must continue with the piece of one edge, and a slot of its kind must
/// follow. JSON is deterministic, so at most one edge can fit, and a path that reaches an end with
/// the end of the record proves both that the record is valid JSON and that its key is the
/// path's: same pieces, same kinds. Bytes are compared, never only hashed. Anything unforeseen is a miss, and the
/// caller parses the record by the book and inserts the result.
///
/// Edges of a node form a list; the edge that fitted moves to its front, so records that repeat
/// find theirs after one or two 8-byte compares. Records with arrays kept as one value never enter:
/// whether an array is kept depends on what follows.
struct ShapeTrie: ~Copyable {
  typealias Position = UnsafePointer<UInt8>

  private struct Edge {
    /// The first bytes of the piece, at most 8, and the mask of those that count.
    var head: UInt64
    var mask: UInt64
    var pieceOffset: UInt32
    var pieceLength: UInt32
    /// The next edge of the same node; 0 for none.
    var sibling: UInt32
    /// The first edge of the node this edge leads to, 0 for none; for an end, the shape.
    var target: UInt32
    /// Marker of the slot that follows the piece; `endKind` when the record ends.
    var kind: UInt8
  }

  private static let endKind: UInt8 = 0
  private static let edgeLimit = 1 << 18
  private static let pieceByteLimit = 8 << 20
  private static let siblingLimit = 96
  /// Readable bytes past the last piece, for 8-byte loads.
  private static let slack = 8

  private var edges = UnsafeMutablePointer<Edge>.allocate(capacity: 256)
  private var edgeCapacity = 256
  /// Edge 0 is no edge but the owner of the root's list.
  private var edgeCount = 1
  private var pieces = UnsafeMutablePointer<UInt8>.allocate(capacity: 4_096)
  private var pieceCapacity = 4_096
  private var pieceCount = 0

  init() {
    edges.initialize(to: Self.root)
    pieces.initialize(repeating: 0, count: pieceCapacity)
  }

  deinit {
    edges.deallocate()
    pieces.deallocate()
  }

  private static var root: Edge {
    Edge(head: 0, mask: 0, pieceOffset: 0, pieceLength: 0, sibling: 0, target: 0, kind: endKind)
  }

  /// Forgets everything.
  mutating func removeAll() {
    edges[0] = Self.root
    edgeCount = 1
    pieceCount = 0
  }

  // MARK: - Matching

  /// The shape of the record `start..<end` of `block`, its slots written to `slots`; `nil` when no
  /// path fits.
  ///
  /// - Parameter slots: Has room for `StorageLimits.slotsPerEvent`.
  @inline(__always)
  mutating func match(
    _ start: Position, _ end: Position, block: Position, slots: UnsafeMutablePointer<UInt64>,
    slotCount: inout Int
  ) -> Int? {
    let edges = self.edges
    var node = edges
    var cursor = start
    var count = 0
    while true {
      guard let edge = edge(of: node, at: cursor, end) else { return nil }
      let from = cursor + Int(edge.pointee.pieceLength)
      let kind = edge.pointee.kind
      if kind == SlotKind.string.rawValue {
        guard let quote = JSONText.endOfString(from, end) else { return nil }
        cursor = quote
      } else if kind == SlotKind.number.rawValue {
        guard let after = JSONText.endOfNumber(from), after < end else { return nil }
        cursor = after
      } else if kind == SlotKind.literal.rawValue {
        guard let after = JSONText.endOfLiteral(from), after < end else { return nil }
        cursor = after
      } else {
        slotCount = count
        return Int(edge.pointee.target)
      }
      slots[count] = UInt64(from - block) << 32 | UInt64(cursor - from)
      count &+= 1
      node = edge
    }
  }

  /// The edge of a node that fits the text at `cursor`, moved to the front of its list.
  @inline(__always)
  private func edge(
    of node: UnsafeMutablePointer<Edge>, at cursor: Position, _ end: Position
  ) -> UnsafeMutablePointer<Edge>? {
    let head = JSONText.load64(cursor)
    let remaining = end - cursor
    var index = node.pointee.target
    var previous: UnsafeMutablePointer<Edge>?
    while index != 0 {
      let edge = edges + Int(index)
      if (head ^ edge.pointee.head) & edge.pointee.mask == 0, fits(edge, cursor, remaining) {
        if let previous {
          previous.pointee.sibling = edge.pointee.sibling
          edge.pointee.sibling = node.pointee.target
          node.pointee.target = index
        }
        return edge
      }
      previous = edge
      index = edge.pointee.sibling
    }
    return nil
  }

  /// Whether the rest of the piece (its first 8 bytes are known to fit) and the first byte of
  /// the slot fit.
  @inline(__always)
  private func fits(
    _ edge: UnsafeMutablePointer<Edge>, _ cursor: Position, _ remaining: Int
  ) -> Bool {
    let length = Int(edge.pointee.pieceLength)
    let kind = edge.pointee.kind
    if kind == Self.endKind {
      guard length == remaining else { return false }
    } else {
      guard length < remaining else { return false }
      let first = cursor[length]
      // A string's piece ends with its quote: the first byte may be anything.
      if kind == SlotKind.number.rawValue {
        guard JSONText.isDigit(first) || first == 0x2D else { return false }
      } else if kind == SlotKind.literal.rawValue {
        guard first == 0x74 || first == 0x66 || first == 0x6E else { return false }
      }
    }
    guard length > 8 else { return true }
    let piece = UnsafePointer(pieces + Int(edge.pointee.pieceOffset))
    var offset = 8
    while offset &+ 8 < length {
      if JSONText.load64(piece + offset) != JSONText.load64(cursor + offset) { return false }
      offset &+= 8
    }
    // The last word overlaps what was compared before.
    return JSONText.load64(piece + (length &- 8)) == JSONText.load64(cursor + (length &- 8))
  }

  // MARK: - Growing

  /// Adds the path of a shape whose key has no verbatim slot. Does nothing when the trie is full.
  mutating func insert(key: UnsafeBufferPointer<UInt8>, shape: Int) {
    guard pieceCount + key.count <= Self.pieceByteLimit else { return }
    var node = 0
    var start = 0
    for index in 0...key.count {
      let isEnd = index == key.count
      // Only a marker is below 5 in a key: JSON has no such bytes.
      guard isEnd || key[index] < 5 else { continue }
      let piece = UnsafeBufferPointer(rebasing: key[start..<index])
      let kind = isEnd ? Self.endKind : key[index]
      guard let next = child(of: node, piece: piece, kind: kind, shape: shape) else { return }
      node = next
      start = index + 1
    }
  }

  /// The edge for a piece, made when new; `nil` when there is no room.
  private mutating func child(
    of node: Int, piece: UnsafeBufferPointer<UInt8>, kind: UInt8, shape: Int
  ) -> Int? {
    var siblings = 0
    var index = Int(edges[node].target)
    while index != 0 {
      let edge = edges[index]
      if edge.kind == kind, edge.pieceLength == UInt32(piece.count),
        UnsafeBufferPointer(start: pieces + Int(edge.pieceOffset), count: piece.count)
          .elementsEqual(piece)
      {
        return index
      }
      siblings += 1
      index = Int(edge.sibling)
    }
    guard siblings < Self.siblingLimit, edgeCount < Self.edgeLimit else { return nil }
    return append(piece, kind: kind, shape: shape, to: node)
  }

  private mutating func append(
    _ piece: UnsafeBufferPointer<UInt8>, kind: UInt8, shape: Int, to node: Int
  ) -> Int {
    reserve(pieceBytes: piece.count)
    for (offset, byte) in piece.enumerated() { pieces[pieceCount + offset] = byte }
    let mask: UInt64 = piece.count >= 8 ? .max : (1 << (8 * UInt64(piece.count))) - 1
    edges[edgeCount] = Edge(
      head: JSONText.load64(pieces + pieceCount) & mask, mask: mask,
      pieceOffset: UInt32(pieceCount), pieceLength: UInt32(piece.count),
      sibling: edges[node].target, target: kind == Self.endKind ? UInt32(shape) : 0, kind: kind)
    edges[node].target = UInt32(edgeCount)
    edgeCount += 1
    pieceCount += piece.count
    return edgeCount - 1
  }

  private mutating func reserve(pieceBytes: Int) {
    if edgeCount == edgeCapacity {
      let larger = UnsafeMutablePointer<Edge>.allocate(capacity: edgeCapacity * 2)
      larger.moveInitialize(from: edges, count: edgeCount)
      edges.deallocate()
      edges = larger
      edgeCapacity *= 2
    }
    guard pieceCount + pieceBytes + Self.slack > pieceCapacity else { return }
    let capacity = max(pieceCapacity * 2, pieceCount + pieceBytes + Self.slack)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.initialize(repeating: 0, count: capacity)
    larger.update(from: pieces, count: pieceCount)
    pieces.deallocate()
    pieces = larger
    pieceCapacity = capacity
  }
}
