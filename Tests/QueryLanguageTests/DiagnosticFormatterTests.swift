import Testing

@testable import QueryLanguage

@Suite struct DiagnosticFormatterTests {
  private func formatted(_ text: String, name: String? = nil, width: Int = 100) -> String {
    let parsed = QueryParser.parse(text)
    return DiagnosticFormatter(source: parsed.source, name: name, width: width)
      .format(parsed.diagnostics)
  }

  @Test func `one mistake`() {
    #expect(
      formatted("fields status | limt 2") == """
        1:17: error: unknown command 'limt' [E106 unknown-command]
          1 | fields status | limt 2
            |                 ^~~~ did you mean 'limit'?
        """)
  }

  @Test func `several mistakes, notes and help`() {
    #expect(
      formatted("stats count(*) by bin(5M)\n| fields a as \"x y\"", name: "errors.cwli") == """
        errors.cwli:1:23: error: '5M' is not a period [E116 not-a-period]
          1 | stats count(*) by bin(5M)
            |                       ^~
            = note: M could be minutes (m) or months (mo)
            = help: minutes: 5m
            = help: months: 5mo

        errors.cwli:2:15: error: names after 'as' are written bare or in backticks, not in quotes \
        [E109 quoted-alias]
          2 | | fields a as "x y"
            |               ^~~~~
            = help: write `x y`
        """)
  }

  @Test func `the underline stands under the place after wide, combining and tab characters`() {
    #expect(
      formatted("filter 名前\t= é̂ 😀")
        == """
        1:16: error: unexpected character '😀' at line 1, column 16 [E101 unexpected-character]
          1 | filter 名前 = é̂ 😀
            |                 ^~
        """)
  }

  @Test func `a note with a place shows that place`() {
    #expect(
      formatted("sort a | pattern b") == """
        1:10: error: pattern cannot follow sort; put sort after pattern [E206 pattern-after-sort]
          1 | sort a | pattern b
            |          ^~~~~~~
            = note: the sort before it
          1 | sort a | pattern b
            | ^~~~
        """)
  }

  @Test func `a long line is cut to a window around the place`() {
    let text = "fields " + (0..<60).map { "column\($0)" }.joined(separator: ", ") + ", a b, "
    let lines = formatted(text, width: 60).split(separator: "\n")
    let line = lines[1].dropFirst(6)
    let mark = lines[2].dropFirst(6).prefix { $0 == " " }.count
    #expect(line.hasPrefix("…") && line.count <= 60)
    #expect(Array(line)[mark] == "b")
  }

  @Test func `control characters of the query do not reach the terminal`() {
    let text = formatted("filter a = \u{1B}[31m \u{7F} \u{202E}")
    #expect(
      !text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x7F || $0.value == 0x202E })
    #expect(text.contains("␛[31m"))
  }

  @Test func `colours can be had`() {
    let parsed = QueryParser.parse("limit 0")
    let text = DiagnosticFormatter(source: parsed.source, usesColor: true).format(
      parsed.diagnostics)
    #expect(text.contains("\u{1B}[1;31merror:\u{1B}[0m"))
  }

  @Test func `numbers of lines stand flush right`() {
    let text = formatted(String(repeating: "\n", count: 10) + "fields a,")
    #expect(text.contains("\n  11 | fields a,\n     |          ^"))
  }

  @Test func `places count lines and scalars from one, offsets from zero`() {
    let source = SourceText("é\r\nab\n\nc")
    #expect(source.lineCount == 4)
    #expect(source.location(of: 6) == SourceLocation(line: 2, column: 3))
    #expect(source.lineRange(0) == SourceRange(0, 2))
    #expect(source.lineRange(2).isEmpty)
    #expect(source.scalarOffset(of: 2) == 1)
    #expect(source.location(of: 8).line == 4)
  }
}
