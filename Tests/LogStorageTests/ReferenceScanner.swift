import Columnar

@testable import LogStorage

/// A slow second opinion on `JSONScanner`: reads a record into a tree by recursion, then flattens the
/// tree into key and slots. Shares no code with the scanner.
struct ReferenceScanner {
  struct Result: Equatable {
    var key: [UInt8]
    var slots: [[UInt8]]
  }

  private indirect enum Node {
    case scalar(UInt8, Range<Int>)
    case object([Member], Range<Int>)
    case array([Node], Range<Int>)
  }
  private struct Member {
    let key: String
    let value: Node

    var isContainer: Bool {
      if case .scalar = value { false } else { true }
    }
  }
  private struct Invalid: Error {}
  private struct Overflow: Error {}

  private let text: [UInt8]
  private var position = 0
  private var result = Result(key: [], slots: [])
  private var copied = 0
  private var arraySlots = 0
  /// Whether an object that is taken apart has a key twice, once for an object or an array.
  private var hasRepeatedContainer = false

  static func scan(_ text: [UInt8]) -> Result {
    var scanner = ReferenceScanner(text)
    return (try? scanner.record()) ?? Result(key: [5], slots: [text])
  }

  private init(_ text: [UInt8]) { self.text = text }

  private mutating func record() throws -> Result {
    blanks()
    guard peek == 0x7B else { throw Invalid() }
    let tree = try value(depth: 1)
    blanks()
    guard position == text.count else { throw Invalid() }
    try flatten(tree, inArray: false)
    guard result.slots.count <= 4_096, !hasRepeatedContainer else { throw Invalid() }
    result.key += text[copied...]
    return result
  }

  // MARK: - Tree

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func blanks() {
    while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func expect(_ byte: UInt8) throws {
    guard peek == byte else { throw Invalid() }
    position += 1
  }

  private mutating func value(depth: Int) throws -> Node {
    let start = position
    switch peek {
    case 0x7B:
      return .object(try members(0x7D, depth) { try $0.member(depth) }, start..<position)
    case 0x5B:
      return .array(try members(0x5D, depth) { try $0.value(depth: depth + 1) }, start..<position)
    case 0x22:
      try string()
      return .scalar(1, (start + 1)..<(position - 1))
    case 0x74: return try literal("true")
    case 0x66: return try literal("false")
    case 0x6E: return try literal("null")
    default:
      try number()
      return .scalar(2, start..<position)
    }
  }

  private mutating func members<Item>(
    _ close: UInt8, _ depth: Int, _ read: (inout ReferenceScanner) throws -> Item
  ) throws -> [Item] {
    guard depth <= 128 else { throw Invalid() }
    position += 1
    blanks()
    var nodes: [Item] = []
    if peek != close {
      while true {
        blanks()
        nodes.append(try read(&self))
        blanks()
        guard peek == 0x2C else { break }
        position += 1
      }
    }
    try expect(close)
    return nodes
  }

  private mutating func member(_ depth: Int) throws -> Member {
    let start = position
    try string()
    let raw = Array(text[start..<position])
    let key = raw.withUnsafeBytes { JSONValue.parse($0) }
    blanks()
    try expect(0x3A)
    blanks()
    return Member(
      key: key.map { "\($0)" } ?? String(decoding: raw, as: UTF8.self),
      value: try value(depth: depth + 1))
  }

  private mutating func string() throws {
    try expect(0x22)
    while let byte = peek, byte != 0x22 {
      guard byte >= 0x20 else { throw Invalid() }
      position += 1
      guard byte == 0x5C else { continue }
      guard let letter = peek else { throw Invalid() }
      position += 1
      if letter == UInt8(ascii: "u") {
        for _ in 0..<4 {
          guard let digit = peek, Character(Unicode.Scalar(digit)).isHexDigit, digit < 0x80 else {
            throw Invalid()
          }
          position += 1
        }
      } else if !Array("\"\\/bfnrt".utf8).contains(letter) {
        throw Invalid()
      }
    }
    try expect(0x22)
  }

  private mutating func literal(_ word: String) throws -> Node {
    let start = position
    for byte in word.utf8 { try expect(byte) }
    return .scalar(3, start..<position)
  }

  private mutating func digits() throws {
    guard let first = peek, (0x30...0x39).contains(first) else { throw Invalid() }
    while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
  }

  private mutating func number() throws {
    if peek == 0x2D { position += 1 }
    if peek == 0x30 { position += 1 } else { try digits() }
    if peek == 0x2E {
      position += 1
      try digits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      position += 1
      if peek == 0x2B || peek == 0x2D { position += 1 }
      try digits()
    }
  }

  // MARK: - Key and slots

  private mutating func flatten(_ node: Node, inArray: Bool) throws {
    switch node {
    case .scalar(let kind, let range):
      try slot(kind, range, inArray)
    case .object(let members, _):
      for (_, same) in Dictionary(grouping: members, by: \.key)
      where same.count > 1 && same.contains(where: \.isContainer) {
        hasRepeatedContainer = true
      }
      for member in members { try flatten(member.value, inArray: inArray) }
    case .array(let elements, let range):
      let saved = (result, copied, arraySlots, hasRepeatedContainer)
      if elements.count <= 16 {
        do {
          for element in elements { try flatten(element, inArray: true) }
          return
        } catch is Overflow {
          (result, copied, arraySlots, hasRepeatedContainer) = saved
        }
      }
      try slot(4, range, inArray)
    }
  }

  private mutating func slot(_ kind: UInt8, _ range: Range<Int>, _ inArray: Bool) throws {
    if inArray {
      arraySlots += 1
      if arraySlots > 256 { throw Overflow() }
    }
    result.key += text[copied..<range.lowerBound]
    result.key.append(kind)
    result.slots.append(Array(text[range]))
    copied = range.upperBound
  }
}
