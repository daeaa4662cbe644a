import Foundation

/// A grammar in the W3C's EBNF: its rules in order, and which of them are lexical.
package struct GrammarText: Sendable {
  /// What a rule is made of.
  package indirect enum Node: Equatable, Sendable {
    case terminal(String)
    /// One character: inside the ranges, or outside them if negated.
    case characters([ClosedRange<UInt32>], isNegated: Bool)
    case reference(String)
    case sequence([Node])
    case choice([Node])
    case optional(Node)
    case repeated(Node, atLeastOnce: Bool)
  }

  /// One rule: its text with blanks made one space, and the tree of that text.
  package struct Rule: Sendable {
    package var name: String
    package var text: String
    package var node: Node
  }

  package private(set) var rules: [Rule] = []
  /// The names of the rules before the comment that begins with "Syntax".
  package private(set) var lexicalNames: Set<String> = []

  package struct Malformed: Error {
    package var rule: String
    package var remark: String
  }

  /// Reads a grammar; comments stand between `/*` and `*/`.
  package init(_ text: String) throws {
    var isLexical = true
    var name: String?
    var body = ""
    for piece in Self.pieces(of: text) {
      if piece.hasPrefix("/*") {
        try finish(name, body, isLexical)
        name = nil
        if piece.hasPrefix("/* Syntax") { isLexical = false }
      } else if let mark = piece.range(of: " ::= ") {
        try finish(name, body, isLexical)
        name = String(piece[..<mark.lowerBound])
        body = String(piece[mark.upperBound...])
      } else {
        body += " " + piece.drop { $0 == " " }
      }
    }
    try finish(name, body, isLexical)
  }

  private mutating func finish(_ name: String?, _ body: String, _ isLexical: Bool) throws {
    guard let name else { return }
    let text = body.split(separator: " ").joined(separator: " ")
    var reader = NodeReader(rule: name, text: text)
    rules.append(Rule(name: name, text: text, node: try reader.readAll()))
    if isLexical { lexicalNames.insert(name) }
  }

  /// Comments as one piece each, all else by line.
  private static func pieces(of text: String) -> [String] {
    var pieces: [String] = []
    var comment: String?
    for line in text.split(separator: "\n").map(String.init) {
      if comment != nil || line.hasPrefix("/*") {
        comment = (comment.map { $0 + "\n" } ?? "") + line
        guard line.hasSuffix("*/") else { continue }
        pieces.append(comment ?? "")
        comment = nil
      } else {
        pieces.append(line)
      }
    }
    return pieces
  }
}

/// Reads the right side of a rule.
private struct NodeReader {
  let rule: String
  let characters: [Character]
  var position = 0

  init(rule: String, text: String) {
    self.rule = rule
    characters = Array(text)
  }

  mutating func readAll() throws -> GrammarText.Node {
    let node = try readChoice()
    guard position == characters.count else { throw malformed("something is left over") }
    return node
  }

  private func malformed(_ remark: String) -> GrammarText.Malformed {
    .init(rule: rule, remark: "\(remark) at character \(position)")
  }

  private mutating func readChoice() throws -> GrammarText.Node {
    var options = [try readSequence()]
    while take("|") { options.append(try readSequence()) }
    return options.count == 1 ? options[0] : .choice(options)
  }

  private mutating func readSequence() throws -> GrammarText.Node {
    var parts: [GrammarText.Node] = []
    while skipBlanks(), position < characters.count, !"|)".contains(characters[position]) {
      parts.append(try readRepeated())
    }
    guard !parts.isEmpty else { throw malformed("an empty alternative") }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func readRepeated() throws -> GrammarText.Node {
    let node = try readPrimary()
    guard position < characters.count else { return node }
    switch characters[position] {
    case "?":
      position += 1
      return .optional(node)
    case "*":
      position += 1
      return .repeated(node, atLeastOnce: false)
    case "+":
      position += 1
      return .repeated(node, atLeastOnce: true)
    default: return node
    }
  }

  private mutating func readPrimary() throws -> GrammarText.Node {
    let first = characters[position]
    switch first {
    case "(":
      position += 1
      let node = try readChoice()
      guard take(")") else { throw malformed("a bracket is missing") }
      return node
    case "\"", "'":
      return .terminal(try readUntil(first))
    case "[":
      return try readClass(readUntil("]"))
    default:
      let name = characters[position...].prefix { $0.isLetter }
      guard !name.isEmpty else { throw malformed("'\(first)' means nothing") }
      position += name.count
      return .reference(String(name))
    }
  }

  private mutating func readUntil(_ end: Character) throws -> String {
    position += 1
    guard let close = characters[position...].firstIndex(of: end) else {
      throw malformed("'\(end)' is missing")
    }
    defer { position = close + 1 }
    return String(characters[position..<close])
  }

  private func readClass(_ text: String) throws -> GrammarText.Node {
    var scalars = Array(text.unicodeScalars)[...]
    let isNegated = scalars.first == "^"
    if isNegated { scalars = scalars.dropFirst() }
    var ranges: [ClosedRange<UInt32>] = []
    while let first = takeScalar(&scalars) {
      if scalars.first == "-", scalars.count > 1 {
        scalars = scalars.dropFirst()
        guard let last = takeScalar(&scalars), first <= last else { throw malformed("a bad range") }
        ranges.append(first...last)
      } else {
        ranges.append(first...first)
      }
    }
    return .characters(ranges, isNegated: isNegated)
  }

  private func takeScalar(_ scalars: inout ArraySlice<Unicode.Scalar>) -> UInt32? {
    guard let first = scalars.popFirst() else { return nil }
    guard first == "#", scalars.first == "x" else { return first.value }
    scalars = scalars.dropFirst()
    let digits = scalars.prefix { $0.properties.isASCIIHexDigit }
    scalars = scalars.dropFirst(digits.count)
    return UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
  }

  @discardableResult
  private mutating func skipBlanks() -> Bool {
    while position < characters.count, characters[position] == " " { position += 1 }
    return true
  }

  private mutating func take(_ character: Character) -> Bool {
    skipBlanks()
    guard position < characters.count, characters[position] == character else { return false }
    position += 1
    return true
  }
}
