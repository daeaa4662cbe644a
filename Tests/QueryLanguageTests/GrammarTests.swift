import Foundation
import TestSupport
import Testing

@testable import QueryLanguage

/// The files in `Grammar/` say what the code does.
@Suite struct GrammarTests {
  static let grammar = try? GrammarText(ProjectFolder.text("Grammar/insights.ebnf"))

  @Test func `the keyword list equals the keywords of the parser`() throws {
    let words = try ProjectFolder.text("Grammar/keywords.list")
      .split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    #expect(words == Keyword.allCases.map(\.rawValue))
  }

  @Test func `every rule is quoted word for word by exactly one function`() throws {
    let grammar = try #require(Self.grammar)
    var quoted: [String: String] = [:]
    for (name, text) in try Self.rulesInComments() {
      #expect(quoted[name] == nil, "\(name) is quoted twice")
      quoted[name] = text
    }
    #expect(Set(quoted.keys) == Set(grammar.rules.map(\.name)))
    for rule in grammar.rules { #expect(quoted[rule.name] == rule.text) }
  }

  @Test func `every name in a rule is a rule`() throws {
    let grammar = try #require(Self.grammar)
    let names = Set(grammar.rules.map(\.name))
    #expect(names.count > 90)
    #expect(names.count == grammar.rules.count, "a rule is written twice")
    for rule in grammar.rules {
      for name in Self.references(in: rule.node) { #expect(names.contains(name), "\(name)") }
    }
  }

  @Test func `every keyword stands in the grammar and every word of it is a keyword`() throws {
    let grammar = try #require(Self.grammar)
    let syntax = grammar.rules.filter { !grammar.lexicalNames.contains($0.name) }
    let words = Set(syntax.flatMap { Self.words(in: $0.node) })
    #expect(words == Set(Keyword.allCases.map { $0.rawValue.lowercased() }))
  }

  @Test func `the precedence table equals the levels of the parser`() throws {
    let rows = try ProjectFolder.text("Grammar/precedence.md")
      .split(separator: "\n").filter { $0.hasPrefix("| ") }.map { $0.split(separator: "|") }
    let levels = rows.map { $0[0].filter { $0 != " " } }
    let table = levels.filter { name in Precedence.allCases.contains { "\($0)" == name } }
    #expect(table == Precedence.allCases.map { "\($0)" })
    for binary in BinaryOperator.allCases {
      let row = rows.first { $0[0].filter { $0 != " " } == "\(binary.precedence)" }
      let operators = try #require(row)[1].split(separator: " ")
      #expect(operators.contains("`\(binary.rawValue)`"), "\(binary)")
    }
  }

  // MARK: Reading

  private static func rulesInComments() throws -> [(String, String)] {
    let files =
      try ProjectFolder.swiftFiles(below: "Sources/QueryLanguage/Lexer")
      + ProjectFolder.swiftFiles(below: "Sources/QueryLanguage/Parser")
    return try files.flatMap { try rules(inComments: ProjectFolder.text($0)) }
  }

  private static func rules(inComments source: String) -> [(String, String)] {
    var rules: [(String, String)] = []
    var isInside = false
    for line in source.split(separator: "\n") {
      let code = line.drop { $0 == " " }
      let body = code.dropFirst(4)
      if code.hasPrefix("/// "), let mark = body.range(of: " ::= "), body.first?.isUppercase == true
      {
        rules.append((String(body[..<mark.lowerBound]), String(body[mark.upperBound...])))
        isInside = true
      } else if isInside, code.hasPrefix("///   ") {
        rules[rules.count - 1].1 += " " + body.drop { $0 == " " }
      } else {
        isInside = false
      }
    }
    return rules
  }

  private static func references(in node: GrammarText.Node) -> [String] {
    switch node {
    case .reference(let name): [name]
    case .terminal, .characters: []
    case .sequence(let parts), .choice(let parts): parts.flatMap(references)
    case .optional(let part), .repeated(let part, _): references(in: part)
    }
  }

  private static func words(in node: GrammarText.Node) -> [String] {
    switch node {
    case .terminal(let text):
      // `regexReplace` is a function, and the quoted words of SOURCE repeat the bare ones.
      text.allSatisfy { $0.isLetter || $0 == "_" } && text != "regexReplace"
        ? [text.lowercased()] : []
    case .reference, .characters: []
    case .sequence(let parts), .choice(let parts): parts.flatMap(words)
    case .optional(let part), .repeated(let part, _): words(in: part)
    }
  }
}
