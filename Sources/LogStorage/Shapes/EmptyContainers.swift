extension Shape {
  /// Display paths of the objects and arrays without members: values that a query may name although
  /// no slot belongs to them.
  ///
  /// Walks the shape's text, which is valid JSON once its markers are read as scalars. `{"a":{},"b":[␂,[]]}`
  /// gives `a` and `b.1`.
  ///
  /// - Complexity: O(bytes of the text)
  var emptyContainerPaths: [String] {
    guard key.first != SlotKind.text.rawValue else { return [] }
    var walk = EmptyContainerWalk()
    for byte in key { walk.take(byte) }
    return walk.paths
  }
}

/// One pass over the text of a shape.
private struct EmptyContainerWalk {
  private struct Level {
    var isArray: Bool
    var isEmpty = true
    var index = 0
    /// Key of the member being read.
    var name: [UInt8] = []
  }

  private(set) var paths: [String] = []
  private var levels: [Level] = []
  private var inString = false
  private var escaped = false
  private var readsName = false
  private var text: [UInt8] = []

  mutating func take(_ byte: UInt8) {
    if inString {
      takeInString(byte)
      return
    }
    switch byte {
    case UInt8(ascii: "\""):
      inString = true
      text = []
      noteMember()
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      noteMember()
      levels.append(Level(isArray: byte == UInt8(ascii: "[")))
      readsName = byte == UInt8(ascii: "{")
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      if let closed = levels.popLast(), closed.isEmpty, !levels.isEmpty { paths.append(path) }
      readsName = false
    case UInt8(ascii: ","):
      if let last = levels.indices.last {
        if levels[last].isArray { levels[last].index += 1 } else { readsName = true }
      }
    case UInt8(ascii: ":"):
      readsName = false
    case 0x20, 0x09, 0x0A, 0x0D:
      break
    default:
      noteMember()
    }
  }

  private mutating func takeInString(_ byte: UInt8) {
    if byte == UInt8(ascii: "\""), !escaped {
      inString = false
      if readsName, let last = levels.indices.last { levels[last].name = text }
      return
    }
    escaped = byte == UInt8(ascii: "\\") && !escaped
    text.append(byte)
  }

  private mutating func noteMember() {
    if let last = levels.indices.last { levels[last].isEmpty = false }
  }

  private var path: String {
    levels.map { level in
      level.isArray ? String(level.index) : JSONEscapes.decoded(level.name)
    }.joined(separator: ".")
  }
}
