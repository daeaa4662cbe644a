// Display paths through maps and lists.
//
// A path is keys and zero-based positions joined by dots. Keys may hold dots themselves, so one path
// can lead to several places: `a.b` is both `{"a.b":1}` and `{"a":{"b":2}}`. The place reached in the
// fewest steps is meant, so the literal key wins; among those the last in the text, so of equal
// keys the last wins. Example, path `a.b`:
//
//     {"a.b":1,"a":{"b":2}}            1, one step
//     {"a":{"b":1},"a":{"b":2}}        2, the last of two
//     {"a":{"b":1},"a":{"c":2}}        1, the only place
//
// A step consumes its key of the path, so no place is visited twice and the search is linear.

extension Value {
  /// The value at a dotted path through maps and lists; `.missing` when there is none.
  ///
  /// - Complexity: O(members on the way × length of the path)
  package func member(path: String) -> Value {
    path.withUTF8Bytes { path in
      var search = PathSearch(path: path)
      search.visit(self, from: 0, depth: 0)
      return search.found
    }
  }

  /// The element of a list; `.missing` for anything else.
  package func element(_ index: Int) -> Value {
    guard case .list(let elements) = self, elements.indices.contains(index) else {
      return .missing
    }
    return elements[index]
  }

  /// The member of a map, the last one of equal keys; `.missing` for anything else.
  package func member(key: String) -> Value {
    guard case .map(let map) = self else { return .missing }
    return map[key] ?? .missing
  }
}

extension ValueMap {
  /// Whether no later member has the same key.
  fileprivate func isLast(_ index: Int) -> Bool {
    !keys[(index + 1)...].contains { $0.utf8.elementsEqual(keys[index].utf8) }
  }
}

/// One search for a path.
private struct PathSearch {
  let path: UnsafeBufferPointer<UInt8>
  private(set) var found = Value.missing
  private var foundDepth = Int.max

  init(path: UnsafeBufferPointer<UInt8>) { self.path = path }

  /// Looks below `value` for what is left of the path from `start`.
  mutating func visit(_ value: Value, from start: Int, depth: Int) {
    guard depth < foundDepth else { return }
    switch value {
    case .map(let map):
      for index in map.keys.indices {
        guard let end = FieldSegment.end(of: map.keys[index], in: path, from: start),
          map.isLast(index)
        else { continue }
        step(to: map.values[index], end: end, depth: depth + 1)
      }
    case .list(let elements):
      guard let (index, end) = FieldSegment.index(in: path, from: start), index < elements.count
      else { return }
      step(to: elements[index], end: end, depth: depth + 1)
    default: break
    }
  }

  private mutating func step(to value: Value, end: Int, depth: Int) {
    if end < path.count {
      visit(value, from: end + 1, depth: depth)
    } else if depth <= foundDepth {
      (found, foundDepth) = (value, depth)
    }
  }
}

/// Steps along a dotted path in UTF-8.
package enum FieldSegment {
  /// Where `key` ends if the path goes on with it from `start`: at a dot or the path's end.
  package static func end(
    of key: String, in path: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> Int? {
    key.withUTF8Bytes { end(of: $0, in: path, from: start) }
  }

  /// As above, for a key in UTF-8.
  package static func end(
    of key: UnsafeBufferPointer<UInt8>, in path: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> Int? {
    let end = start + key.count
    guard end <= path.count, end == path.count || path[end] == UInt8(ascii: ".") else {
      return nil
    }
    for i in 0..<key.count where key[i] != path[start + i] { return nil }
    return end
  }

  /// The position in a list that the path goes on with from `start`, and where it ends: digits
  /// without a leading zero.
  package static func index(
    in path: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> (index: Int, end: Int)? {
    var value = 0
    var end = start
    while end < path.count, path[end] &- 0x30 < 10 {
      guard end - start < 9 else { return nil }
      value = value * 10 + Int(path[end] &- 0x30)
      end += 1
    }
    guard end > start, end == path.count || path[end] == UInt8(ascii: ".") else { return nil }
    return path[start] == 0x30 && end - start > 1 ? nil : (value, end)
  }
}
