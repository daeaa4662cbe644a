/// Makes random sentences of a grammar.
///
/// It starts at a rule and replaces what it meets: a choice by one of its branches, a reference by a
/// walk through its rule. Parts of a lexical rule are glued together; between all others goes a blank,
/// a line break or a comment. Beyond a depth it takes the shortest way out, which is known for each
/// rule, so every walk ends.
package struct GrammarWalker {
  private let rules: [String: GrammarText.Node]
  private let lexicalNames: Set<String>
  /// Rules whose text is taken from a list instead of being walked.
  private let samples: [String: [String]]
  /// The fewest references on the way from a rule to its end.
  private let heights: [String: Int]
  private var generator: SeededGenerator
  /// How many references deep a walk may branch freely.
  private let depthLimit: Int
  /// The rules walked so far: what a test can check for completeness.
  package private(set) var visited: Set<String> = []

  package init(
    _ grammar: GrammarText, samples: [String: [String]], depthLimit: Int, seed: UInt64
  ) {
    rules = Dictionary(uniqueKeysWithValues: grammar.rules.map { ($0.name, $0.node) })
    lexicalNames = grammar.lexicalNames
    self.samples = samples
    self.depthLimit = depthLimit
    generator = SeededGenerator(seed: seed)
    heights = Self.heights(of: rules, samples: samples)
  }

  /// A sentence made from the rule of this name.
  package mutating func sentence(from rule: String) -> String {
    walk(.reference(rule), depth: 0, isLexical: false)
  }

  private mutating func walk(_ node: GrammarText.Node, depth: Int, isLexical: Bool) -> String {
    switch node {
    case .terminal(let text): return text
    case .characters(let ranges, let isNegated): return character(ranges, isNegated)
    case .reference(let name): return walkRule(name, depth: depth + 1)
    case .sequence(let parts):
      return join(parts, depth: depth, isLexical: isLexical)
    case .choice(let options):
      return walk(pick(options, depth: depth), depth: depth, isLexical: isLexical)
    case .optional(let part):
      guard depth < depthLimit, Bool.random(using: &generator) else { return "" }
      return walk(part, depth: depth, isLexical: isLexical)
    case .repeated(let part, let atLeastOnce):
      let least = atLeastOnce ? 1 : 0
      let count = depth < depthLimit ? Int.random(in: least...2, using: &generator) : least
      return join(Array(repeating: part, count: count), depth: depth, isLexical: isLexical)
    }
  }

  private mutating func walkRule(_ name: String, depth: Int) -> String {
    visited.insert(name)
    if let texts = samples[name] { return texts.randomElement(using: &generator) ?? "" }
    guard let node = rules[name] else { preconditionFailure("no rule is called \(name)") }
    return walk(node, depth: depth, isLexical: lexicalNames.contains(name))
  }

  private mutating func join(
    _ parts: [GrammarText.Node], depth: Int, isLexical: Bool
  ) -> String {
    var text = ""
    for part in parts {
      let next = walk(part, depth: depth, isLexical: isLexical)
      if next.isEmpty { continue }
      if !isLexical, !text.isEmpty { text += blank() }
      text += next
    }
    return text
  }

  private mutating func blank() -> String {
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: "\n"
    case 1: " # a | note\n"
    case 2: "\t "
    default: " "
    }
  }

  private mutating func pick(_ options: [GrammarText.Node], depth: Int) -> GrammarText.Node {
    if depth < depthLimit { return options.randomElement(using: &generator) ?? options[0] }
    let least = options.map { Self.height(of: $0, heights) ?? Int.max }.min()
    return options.first { (Self.height(of: $0, heights) ?? Int.max) == least } ?? options[0]
  }

  private mutating func character(_ ranges: [ClosedRange<UInt32>], _ isNegated: Bool) -> String {
    let ordinary = "abz09 ._-+(){}[]$^:,;|#é名"
    let candidates =
      isNegated
      ? ordinary.unicodeScalars.filter { scalar in !ranges.contains { $0.contains(scalar.value) } }
      : ranges.flatMap { [$0.lowerBound, min($0.upperBound, $0.lowerBound + 25)] }
        .filter { $0 >= 0x20 }.compactMap(Unicode.Scalar.init)
    return String(candidates.randomElement(using: &generator) ?? "a")
  }

  // MARK: Heights

  private static func heights(
    of rules: [String: GrammarText.Node], samples: [String: [String]]
  ) -> [String: Int] {
    var heights = samples.mapValues { _ in 0 }
    var isChanging = true
    while isChanging {
      isChanging = false
      for (name, node) in rules where heights[name] == nil {
        guard let height = height(of: node, heights) else { continue }
        heights[name] = height + 1
        isChanging = true
      }
    }
    return heights
  }

  /// The height of a part, as far as the heights of the rules it needs are known.
  private static func height(
    of node: GrammarText.Node, _ heights: [String: Int]
  ) -> Int? {
    switch node {
    case .terminal, .characters, .optional: return 0
    case .reference(let name): return heights[name]
    case .sequence(let parts):
      let known = parts.compactMap { height(of: $0, heights) }
      return known.count == parts.count ? known.max() : nil
    case .choice(let options): return options.compactMap { height(of: $0, heights) }.min()
    case .repeated(let part, let atLeastOnce): return atLeastOnce ? height(of: part, heights) : 0
    }
  }
}
