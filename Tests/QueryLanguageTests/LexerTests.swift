import Testing

@testable import QueryLanguage

@Suite struct LexerTests {
  private func tokens(_ text: String) -> [Token] {
    let lexer = Lexer(SourceText(text))
    var tokens: [Token] = []
    var offset = 0
    while true {
      let previous = tokens.last?.kind
      let token = lexer.token(
        at: offset, afterDot: previous == .dot,
        afterOperand: previous == .rightParenthesis || previous == .rightBracket)
      if token.kind == .end { return tokens }
      tokens.append(token)
      offset = token.range.end
    }
  }

  private func words(_ text: String) -> [String] {
    let source = SourceText(text)
    return tokens(text).map { source[$0.range] }
  }

  @Test func `a name is one token with all its segments`() {
    #expect(
      words("a.b.0.c @x @`k:v`.d `a b`.`c` x.@y.`z`") == [
        "a.b.0.c", "@x", "@`k:v`.d", "`a b`.`c`", "x.@y.`z`",
      ])
    #expect(tokens("p99.9").map(\.kind) == [.name])
  }

  @Test func `a hyphen ends a name`() {
    #expect(words("user-agent") == ["user", "-", "agent"])
  }

  @Test func `numbers and periods are told apart by what is glued to the digits`() {
    #expect(
      tokens("1 1.5 .5 1e3 2E-4 1e 5m 0x1F 12ab").map(\.kind) == [
        .number, .number, .number, .number, .number, .duration, .duration, .duration, .duration,
      ])
    #expect(words("1.a 1..2") == ["1", ".", "a", "1", ".", ".2"])
  }

  @Test func `digits after the dot of a bracket are a segment`() {
    #expect(words("f(x).0.b [1].5") == ["f", "(", "x", ")", ".", "0.b", "[", "1", "]", ".", "5"])
    #expect(tokens("f(x).0").last?.kind == .name)
    #expect(tokens("(1) .5").last?.kind == .number)
  }

  @Test func `the longest sign wins`() {
    #expect(
      words("a<=b!=c=~d!~e==f&&g||h|i!j") == [
        "a", "<=", "b", "!=", "c", "=~", "d", "!~", "e", "==", "f", "&&", "g", "||", "h", "|", "i",
        "!", "j",
      ])
  }

  @Test func `blanks and comments separate and vanish`() {
    #expect(words("a\u{A0}b\tc\r\nd # e | f\ng") == ["a", "b", "c", "d", "g"])
    #expect(words("\"#\" `#` # x") == ["\"#\"", "`#`"])
    #expect(tokens("a b").map(\.isGlued) == [true, false])
  }

  @Test func `keywords are found in any case and only bare`() {
    #expect(
      tokens("FilTer OUTPUTnew count_frequent").map(\.keyword) == [
        .filter, .outputnew, .countFrequentSnake,
      ])
    #expect(tokens("`filter` filter.x @filter").map(\.keyword) == [nil, nil, nil])
  }

  @Test func `what is never closed reaches to the end`() {
    #expect(tokens("a 'b | c").map(\.kind) == [.name, .unterminated])
    #expect(tokens("`a\nb").map(\.kind) == [.unterminated, .name])
    #expect(tokens("\"a\\\"").map(\.kind) == [.unterminated])
  }

  @Test func `every byte sequence gives tokens that move on`() {
    for byte in UInt8.min...UInt8.max {
      for text in [
        String(decoding: [byte], as: UTF8.self), String(decoding: [byte, byte], as: UTF8.self),
      ] {
        let ranges = tokens(text).map(\.range)
        #expect(ranges.allSatisfy { !$0.isEmpty })
      }
    }
  }

  @Test func `segments lose their backticks and escapes`() {
    let names = ["a.b", "`a.b`", "body.`x y`.0", "@`aws.tag:k`", "`a\\`b`", "``", "@@x"]
    let segments = names.map { Lexer(SourceText($0)).segments(of: SourceText($0).range) }
    #expect(
      segments == [
        ["a", "b"], ["a.b"], ["body", "x y", "0"], ["@aws.tag:k"], ["a`b"], [""], ["@@x"],
      ])
  }

  @Test func `a regular expression ends at the first slash that is not escaped`() throws {
    let lexer = Lexer(SourceText("/a\\/[/] b/"))
    let literal = try #require(lexer.regex(at: 0))
    #expect(literal.pattern == "a/[")
    #expect(literal.range == SourceRange(0, 6))
    #expect(Lexer(SourceText("/a\\\\/x")).regex(at: 0)?.pattern == "a\\\\")
    #expect(Lexer(SourceText("/a")).regex(at: 0) == nil)
  }

  @Test func `a byte of the pattern is found again in the query`() throws {
    let text = "like /a\\/b\\/(c/"
    let literal = try #require(Lexer(SourceText(text)).regex(at: 5))
    #expect(literal.pattern == "a/b/(c")
    let offset = literal.sourceOffset(ofPatternByte: 4)
    #expect(Array(text.utf8)[offset] == UInt8(ascii: "("))
    #expect(literal.sourceOffset(ofPatternByte: 99) == literal.patternRange.end)
  }

  @Test(arguments: [
    (#"a\nb\t\r"#, "a\nb\t\r"), (#"\"\'\\\/"#, "\"'\\/"), (#"\d\*\x"#, #"\d\*\x"#),
    (#"\u00e9\u4e2d"#, "é中"), (#"\ud83d\ude00"#, "😀"), (#"\ud83d!"#, #"\ud83d!"#),
    (#"\u12"#, #"\u12"#), (#"end\"#, #"end\"#), ("", ""),
  ])
  func `string escapes`(_ literal: String, _ text: String) {
    #expect(StringEscapes.resolve(literal.utf8) == text)
    let quoted = StringEscapes.quoted(text)
    #expect(StringEscapes.resolve(quoted.utf8.dropFirst().dropLast()) == text)
  }
}
