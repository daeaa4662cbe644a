/// Looks for a dotted path in a JSON text: one strict pass over the text that notes where the value
/// lies, and makes only that value.
///
/// Of several places the one in the fewest steps counts, then the last, as in `Value.member(path:)`. A key that comes
/// again in its object takes with it what was found below it before.
struct JSONPathSearch {
  private let path: UnsafeBufferPointer<UInt8>
  private var parser: JSONParser
  private var found: Range<Int>?
  private var foundDepth = Int.max

  init(path: UnsafeBufferPointer<UInt8>, text: UnsafeBufferPointer<UInt8>) {
    self.path = path
    parser = JSONParser(text)
  }

  /// The value found, `.missing` when there is none, `nil` when the text is no JSON.
  mutating func value() -> Value? {
    parser.skipBlanks()
    guard visit(from: 0, depth: 0) else { return nil }
    parser.skipBlanks()
    guard parser.position == parser.text.count else { return nil }
    guard let found else { return .missing }
    var part = JSONParser(UnsafeBufferPointer(rebasing: parser.text[found]))
    return part.document()
  }

  /// Moves past a value and looks below it for what is left of the path from `start`, if anything.
  private mutating func visit(from start: Int?, depth: Int) -> Bool {
    switch parser.next {
    case UInt8(ascii: "{"): structure { $0.object(from: start, depth: depth + 1) }
    case UInt8(ascii: "["): structure { $0.array(from: start, depth: depth + 1) }
    case UInt8(ascii: "\""): skipString() != nil
    case UInt8(ascii: "t"): parser.word("true")
    case UInt8(ascii: "f"): parser.word("false")
    case UInt8(ascii: "n"): parser.word("null")
    default: parser.skipNumber()
    }
  }

  private mutating func structure(_ body: (inout JSONPathSearch) -> Bool) -> Bool {
    guard parser.open() else { return false }
    defer { parser.close() }
    return body(&self)
  }

  /// What was found below one key of an object.
  private struct Candidate {
    /// Where the key ends in the path, which tells keys of an object apart.
    let end: Int
    let place: Range<Int>
    let depth: Int
  }

  private mutating func object(from start: Int?, depth: Int) -> Bool {
    var candidates: [Candidate] = []
    parser.skipBlanks()
    if parser.accept("}") { return true }
    while true {
      guard let key = skipString() else { return false }
      let end = start.flatMap { keyEnd(key, from: $0) }
      parser.skipBlanks()
      guard parser.accept(":") else { return false }
      parser.skipBlanks()
      guard member(end: end, depth: depth, &candidates) else { return false }
      parser.skipBlanks()
      if parser.accept("}") { break }
      guard parser.accept(",") else { return false }
      parser.skipBlanks()
    }
    for candidate in candidates where candidate.depth <= foundDepth {
      (found, foundDepth) = (candidate.place, candidate.depth)
    }
    return true
  }

  private mutating func member(end: Int?, depth: Int, _ candidates: inout [Candidate]) -> Bool {
    guard let end else { return visit(from: nil, depth: depth) }
    let outer = (found, foundDepth)
    (found, foundDepth) = (nil, .max)
    defer { (found, foundDepth) = outer }
    guard step(end: end, depth: depth) else { return false }
    candidates.removeAll { $0.end == end }
    if let found {
      candidates.append(Candidate(end: end, place: found, depth: foundDepth))
    }
    return true
  }

  private mutating func array(from start: Int?, depth: Int) -> Bool {
    parser.skipBlanks()
    if parser.accept("]") { return true }
    let wanted = start.flatMap { FieldSegment.index(in: path, from: $0) }
    var index = 0
    while true {
      guard step(end: index == wanted?.index ? wanted?.end : nil, depth: depth) else {
        return false
      }
      index += 1
      parser.skipBlanks()
      if parser.accept("]") { return true }
      guard parser.accept(",") else { return false }
      parser.skipBlanks()
    }
  }

  /// Moves past a member's value; `end` tells where its key ends in the path, `nil` off the path.
  private mutating func step(end: Int?, depth: Int) -> Bool {
    guard let end else { return visit(from: nil, depth: depth) }
    if end < path.count { return visit(from: end + 1, depth: depth) }
    let first = parser.position
    guard visit(from: nil, depth: depth) else { return false }
    (found, foundDepth) = (first..<parser.position, depth)
    return true
  }

  // MARK: Keys

  /// Moves past a string; its place with the quotes, and whether it is ASCII without escapes.
  private mutating func skipString() -> (place: Range<Int>, isPlain: Bool)? {
    let start = parser.position
    guard let isPlain = parser.skipString() else { return nil }
    return (start..<parser.position, isPlain)
  }

  private func keyEnd(_ key: (place: Range<Int>, isPlain: Bool), from start: Int) -> Int? {
    if key.isPlain {
      let inside = parser.text[(key.place.lowerBound + 1)..<(key.place.upperBound - 1)]
      return FieldSegment.end(of: UnsafeBufferPointer(rebasing: inside), in: path, from: start)
    }
    var part = JSONParser(UnsafeBufferPointer(rebasing: parser.text[key.place]))
    return part.string().flatMap { FieldSegment.end(of: $0, in: path, from: start) }
  }
}
