/// The dotted paths met so far, each made once: a tree of keys and array positions.
///
/// Children are found by parent and the raw bytes of the key (escapes and all), so a known path costs
/// a hash and a comparison and makes no `String`. Different raw keys can mean the same path
/// (`"a.b"` and a → b, `"\u0061"` and `"a"`); equal paths share one *name*.
struct PathTable {
  /// One key under one parent.
  private struct Node {
    let parent: UInt32
    let hash: UInt64
    let raw: [UInt8]
    let name: UInt32
    /// Keys and positions from the root to here.
    let depth: UInt16
  }

  static let root: UInt32 = 0

  private var nodes: [Node] = []
  /// Open addressing; 0 is empty, else node + 1. Always a power of two, at most half full.
  private var slots = [UInt32](repeating: 0, count: 1_024)
  private let seed = UInt64.random(in: .min ... .max)

  /// Paths by name.
  private(set) var names: [String] = []
  private var nameIndex: [String: UInt32] = [:]

  /// - Parameter reserved: Paths that get the names 0, 1, 2 ….
  init(reserved: [String]) {
    for path in reserved { _ = name(path) }
    nodes.append(Node(parent: 0, hash: 0, raw: [], name: name(""), depth: 0))
  }

  /// The name of a node's path.
  func name(of node: UInt32) -> UInt32 { nodes[Int(node)].name }

  /// How many keys and positions lead to a node.
  func depth(of node: UInt32) -> Int { Int(nodes[Int(node)].depth) }

  /// The path of an object's member; `raw` is the inside of the key's quotes.
  mutating func member(_ parent: UInt32, _ raw: UnsafeBufferPointer<UInt8>) -> UInt32 {
    child(parent, raw, marker: 0) { JSONText.decoded(raw) }
  }

  /// The path of an array's element.
  mutating func element(_ parent: UInt32, _ position: Int) -> UInt32 {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { buffer in
      // Positions end at 15, so one byte tells them apart; the marker tells them from keys.
      buffer[0] = UInt8(truncatingIfNeeded: position)
      return child(parent, UnsafeBufferPointer(buffer), marker: 1) { String(position) }
    }
  }

  private mutating func child(
    _ parent: UInt32, _ raw: UnsafeBufferPointer<UInt8>, marker: UInt64, _ text: () -> String
  ) -> UInt32 {
    let hash = XXH64.hash(
      UnsafeRawBufferPointer(raw), seed: seed &+ UInt64(parent) << 1 &+ marker)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let node = slots[slot] - 1
      if nodes[Int(node)].hash == hash, nodes[Int(node)].parent == parent,
        nodes[Int(node)].raw.elementsEqual(raw)
      {
        return node
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    let above = nodes[Int(parent)]
    let path = above.depth == 0 ? text() : names[Int(above.name)] + "." + text()
    let node = UInt32(nodes.count)
    nodes.append(
      Node(parent: parent, hash: hash, raw: Array(raw), name: name(path), depth: above.depth + 1))
    slots[slot] = node + 1
    if nodes.count * 2 > slots.count { grow() }
    return node
  }

  private mutating func name(_ path: String) -> UInt32 {
    if let known = nameIndex[path] { return known }
    let name = UInt32(names.count)
    names.append(path)
    nameIndex[path] = name
    return name
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for (index, node) in nodes.enumerated().dropFirst() {
      var slot = Int(truncatingIfNeeded: node.hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index) + 1
    }
  }
}
