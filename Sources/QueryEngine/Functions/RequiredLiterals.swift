import Columnar

// Which texts a regular expression cannot match, told without running it.
//
// A match must contain every character that the pattern demands one after the other. Of each sequence
// the longest such run is taken; alternatives need one run each, and a text with none of them has no
// match. Groups that may be left out demand nothing, nor do classes, anchors and lookarounds.
//
//     Order ORD-\d+ transitioned (\w+)          ["Order ORD-"] (" transitioned " would do as well)
//     (?i)time(d )?out|refused|deadlock         ["time", "refu", "deadloc"], in either case
//     \d+ms|.*                                  nothing: the second alternative matches everything
//
// Ignoring case, runs end at k and s, which have a third form outside ASCII (the Kelvin sign, the long s).
// Whatever the reader below does not know, it takes for an expression that demands nothing.
//
// Idea: R. Cox, "Regular expression matching with a trigram index" (2012).

/// Reads a pattern for literals of which every match contains one.
struct RequiredLiterals {
  /// Shorter ones are in too many texts to be worth a search.
  private static let leastLength = 3
  private static let mostAlternatives = 8

  private let bytes: [UInt8]
  private var position = 0
  private var ignoresCase = false
  private var depth = 0

  private struct GivenUp: Error {}

  /// Of every match one of these is a part; `nil` if nothing is known.
  typealias Alternatives = [[UInt8]]

  private init(_ pattern: [UInt8]) { bytes = pattern }

  /// Literals of which each text that matches holds one; `nil` if there are none worth a search.
  static func searches(of pattern: [UInt8]) -> [ByteSearch]? {
    var reader = RequiredLiterals(pattern)
    guard let found = try? reader.pattern(),
      found.count <= mostAlternatives, found.allSatisfy({ $0.count >= leastLength })
    else { return nil }
    return found.map { ByteSearch($0, ignoringCase: reader.ignoresCase) }
  }

  private mutating func pattern() throws -> Alternatives? {
    if bytes.starts(with: Array("(?i)".utf8)) {
      ignoresCase = true
      position = 4
    }
    let found = try alternatives()
    guard position == bytes.count else { throw GivenUp() }
    return found
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// To the end of the group or the pattern.
  private mutating func alternatives() throws -> Alternatives? {
    depth += 1
    defer { depth -= 1 }
    guard depth < 50 else { throw GivenUp() }
    var all: Alternatives? = []
    while true {
      let one = try sequence()
      if let known = all, let one { all = known + one } else { all = nil }
      guard current == UInt8(ascii: "|") else { return all }
      position += 1
    }
  }

  private mutating func sequence() throws -> Alternatives? {
    var best: Alternatives?
    var run: [UInt8] = []
    func better(_ new: Alternatives?) {
      guard let new, let shortest = new.map(\.count).min(), shortest > 0 else { return }
      if shortest > best?.map(\.count).min() ?? 0 { best = new }
    }
    while let byte = current, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      let atom = try atom()
      let repeats = try quantifier()
      if case .character(let character) = atom, repeats != .maybeNone {
        run += character
        if repeats == .once { continue }
      }
      // Behind a repeated character another run begins.
      better([run])
      run = []
      if case .group(let inner) = atom, repeats != .maybeNone { better(inner) }
    }
    better([run])
    return best
  }

  // MARK: Atoms

  private enum Atom {
    /// Exactly these bytes.
    case character([UInt8])
    case group(Alternatives?)
    /// Anything else, or nothing.
    case other
  }

  private mutating func atom() throws -> Atom {
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "("): return try group()
    case UInt8(ascii: "["):
      try skipClass()
      return .other
    case UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"): return .other
    case UInt8(ascii: "\\"): return try escape()
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"): throw GivenUp()
    default: return character(byte)
    }
  }

  /// A character of one or more bytes.
  private mutating func character(_ first: UInt8) -> Atom {
    var text = [first]
    while first >= 0x80, let next = current, next & 0xC0 == 0x80 {
      text.append(next)
      position += 1
    }
    if !ignoresCase { return .character(text) }
    if first >= 0x80 { return .other }
    switch first | 0x20 {
    case UInt8(ascii: "k"), UInt8(ascii: "s"): return .other
    default: return .character(text)
    }
  }

  private mutating func escape() throws -> Atom {
    guard let byte = current else { throw GivenUp() }
    position += 1
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
      if "dDwWsShHvVbBAzZGntrfe".utf8.contains(byte) { return .other }
      throw GivenUp()
    case UInt8(ascii: "0")...UInt8(ascii: "9"): throw GivenUp()
    case 0x80...: throw GivenUp()
    default: return character(byte)
    }
  }

  /// Behind the opening bracket.
  private mutating func skipClass() throws {
    if current == UInt8(ascii: "^") { position += 1 }
    if current == UInt8(ascii: "]") { position += 1 }
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "]"): return
      case UInt8(ascii: "\\"): position += 1
      case UInt8(ascii: "["):
        if current == UInt8(ascii: ":") {
          guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "]")) else {
            throw GivenUp()
          }
          position = end + 1
        }
      default: break
      }
    }
    throw GivenUp()
  }

  /// Behind the opening parenthesis.
  private mutating func group() throws -> Atom {
    var isLookaround = false
    if current == UInt8(ascii: "*") { throw GivenUp() }
    if current == UInt8(ascii: "?") {
      let rest = bytes[(position + 1)...]
      func opens(_ text: String) -> Bool { rest.starts(with: Array(text.utf8)) }
      if opens(":") || opens(">") {
        position += 2
      } else if opens("=") || opens("!") {
        position += 2
        isLookaround = true
      } else if opens("<=") || opens("<!") {
        position += 3
        isLookaround = true
      } else if opens("<") || opens("P<") {
        guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { throw GivenUp() }
        position = end + 1
      } else {
        throw GivenUp()
      }
    }
    let inner = try alternatives()
    guard current == UInt8(ascii: ")") else { throw GivenUp() }
    position += 1
    return isLookaround ? .other : .group(inner)
  }

  // MARK: Quantifiers

  private enum Repeats {
    case once
    /// At least once.
    case many
    case maybeNone
  }

  private mutating func quantifier() throws -> Repeats {
    var result = Repeats.once
    switch current {
    case UInt8(ascii: "*"), UInt8(ascii: "?"): result = .maybeNone
    case UInt8(ascii: "+"): result = .many
    case UInt8(ascii: "{"):
      // Counts, or a brace that means itself.
      guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "}")) else { throw GivenUp() }
      let counts = bytes[(position + 1)..<end]
      guard let first = counts.first, first &- 0x30 < 10 else { throw GivenUp() }
      let least = counts.prefix { $0 &- 0x30 < 10 }
      result = least.allSatisfy { $0 == 0x30 } ? .maybeNone : .many
      position = end
    default: return .once
    }
    position += 1
    // Lazy or possessive.
    if current == UInt8(ascii: "?") || current == UInt8(ascii: "+") { position += 1 }
    return result
  }
}
