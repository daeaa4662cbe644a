/// The catalogue of what the parser says, in alphabetical order.
///
/// A message says what was expected and what was found; a label of a few words goes under the
/// place itself; a note says what to do. A fix-it is a proposal: `QueryParser` drops it unless the
/// query gets better by it.
package enum LanguageDiagnostics {
  static func aliasOfSeveralLags(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .aliasOfSeveralLags, "an alias is possible only with a single lag", at: range,
      notes: [.init("without alias the columns are called <field>_p<lag>")])
  }

  static func argumentNotLiteral(
    _ name: String, _ token: Token, in source: SourceText
  ) -> Diagnostic {
    Diagnostic(
      .argumentNotLiteral,
      "the value of '\(name)' must be a single literal, found \(found(token, in: source))",
      at: token.range, notes: [.init("a text stands in quotes")],
      fixIts: [
        FixIt(
          "put quotes around it",
          [.init(token.range, StringEscapes.quoted(source[token.range]))])
      ])
  }

  static func backwardLags(_ first: Int, _ last: Int, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .numberOutOfRange, "the lags run from the smaller to the larger, found \(first)-\(last)",
      at: range, fixIts: [FixIt("swap them", [.init(range, "\(last)-\(first)")])])
  }

  static func cappedPeriod(_ duration: DurationLiteral, in function: String) -> Diagnostic {
    let capped = duration.capped
    var diagnostic = Diagnostic(
      .cappedPeriod, .warning,
      "'\(duration.text)' counts as \(capped.text), the most that \(function) takes in this unit",
      at: duration.range, label: "read as \(capped.text)")
    if let intended = duration.inLargerUnit {
      diagnostic.notes = [.init("write \(intended.text) for the period itself")]
      diagnostic.fixIts = [
        FixIt("write \(intended.text)", [.init(duration.range, intended.text)])
      ]
    }
    return diagnostic
  }

  static func chainTooLong(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .nestedTooDeeply,
      "this expression is too long; at most \(LanguageLimits.expressionHeight) operators can follow "
        + "each other", at: range)
  }

  static func chainedComparison(
    at range: SourceRange, after offset: Int, middle: String?
  ) -> Diagnostic {
    var diagnostic = Diagnostic(
      .chainedComparison, "comparisons cannot be chained; join them with 'and'", at: range,
      notes: [.init("a < b < c is written a < b and b < c")])
    if let middle {
      diagnostic.fixIts = [
        FixIt("put 'and \(middle)' in", [.init(SourceRange(at: offset), " and \(middle)")])
      ]
    }
    return diagnostic
  }

  static func emptyQuery(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unexpectedToken, "the query is empty", at: range,
      notes: [.init("for a first look write: fields @timestamp, @message | limit 20")])
  }

  static func expected(
    _ what: String, after previous: String?, found token: Token, in source: SourceText
  ) -> Diagnostic {
    let place = previous.map { " after '\(shortened($0))'" } ?? ""
    var diagnostic = Diagnostic(
      .unexpectedToken, "expected \(what)\(place), found \(found(token, in: source))",
      at: token.range)
    let isValue = [.number, .duration, .name].contains(token.kind)
    if token.isGlued, isValue, previous?.last?.isNumber == true {
      diagnostic.notes.append(.init("addresses, dates and ids are texts and stand in quotes"))
    }
    return diagnostic
  }

  /// A spelling of other languages that is understood; the warning names ours.
  package static func foreignSpelling(
    _ found: String, of spelling: String, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .foreignSpelling, .warning, "'\(found)' is read as '\(spelling)'", at: range,
      fixIts: [FixIt("write '\(spelling)'", [.init(range, spelling)])])
  }

  /// A name with a hyphen that was read as a subtraction; for the engine, which knows the fields.
  package static func hyphenatedName(
    _ left: String, _ right: String, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .hyphenatedName, .hint, "'\(left)-\(right)' is read as a subtraction", at: range,
      notes: [.init("for a field of this name write `\(left)-\(right)` in backticks")],
      fixIts: [FixIt("write it in backticks", [.init(range, "`\(left)-\(right)`")])])
  }

  static func indexOperator(_ found: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .indexOperator, "filterIndex supports only '=' and 'in', joined by 'and'; found '\(found)'",
      at: range, notes: [.init("use filter for other conditions")])
  }

  static func limitNumber(_ word: Token, found token: Token, in source: SourceText) -> Diagnostic {
    limitOutOfRange(source[word.range], foundText: found(token, in: source), at: token.range)
  }

  static func limitOutOfRange(
    _ word: String, found number: String, at range: SourceRange
  ) -> Diagnostic {
    limitOutOfRange(word, foundText: "'\(number)'", at: range)
  }

  private static func limitOutOfRange(
    _ word: String, foundText: String, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .limitOutOfRange,
      "\(word) must be a whole number from 1 to \(LanguageLimits.rows), found \(foundText)",
      at: range)
  }

  static func misplacedRegex(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unexpectedToken, "expected an expression, found a regular expression", at: range,
      notes: [
        .init("a regular expression stands after 'like', '=~' and in 'parse'"),
        .init("to search the whole message write: filter @message like /…/"),
      ])
  }

  static func namesOnly(
    _ command: Keyword, at range: SourceRange, hyphenated: SourceRange? = nil,
    in source: SourceText? = nil
  ) -> Diagnostic {
    var diagnostic = Diagnostic(
      .namesOnly, "\(command.spelling) takes field names only", at: range,
      notes: [.init("compute the value in 'fields … as name' first, then use its name")])
    if let hyphenated, let source {
      let name = "`\(source[hyphenated])`"
      diagnostic.notes = [.init("a name with a hyphen stands in backticks: \(name)")]
      diagnostic.fixIts = [FixIt("write \(name)", [.init(hyphenated, name)])]
    }
    return diagnostic
  }

  static func nestedTooDeeply(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .nestedTooDeeply,
      "this is nested too deeply; at most \(LanguageLimits.nesting) levels are possible", at: range)
  }

  static func notAPeriod(_ text: String, at range: SourceRange) -> Diagnostic {
    var diagnostic = Diagnostic(
      .notAPeriod, "'\(text)' is not a period", at: range,
      notes: [.init("write a whole number and a unit: ms, s, m, h, d, w, mo, q, y")])
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      diagnostic.notes = [.init("for a hexadecimal number write hexToDec(\"\(text)\")")]
    } else if text.last == "M" {
      let count = text.dropLast()
      diagnostic.notes = [.init("M could be minutes (m) or months (mo)")]
      diagnostic.fixIts = [
        FixIt("minutes: \(count)m", [.init(range, "\(count)m")]),
        FixIt("months: \(count)mo", [.init(range, "\(count)mo")]),
      ]
    }
    return diagnostic
  }

  static func notMatches(at range: SourceRange, isRegex: Bool) -> Diagnostic {
    // Before a text the two differ: `like` takes it as it is, `!~` as a regular expression.
    isRegex
      ? foreignSpelling("!~", of: "not like", at: range)
      : Diagnostic(.foreignSpelling, .warning, "'!~' is read as the opposite of '=~'", at: range)
  }

  static func numberTooLarge(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .numberOutOfRange, "the number \(shortened(text)) is too large", at: range,
      notes: [.init("the largest number is about 1.8e308")])
  }

  static func optionOutOfRange(
    _ option: String, _ bounds: ClosedRange<Int>, found: String, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .numberOutOfRange,
      "\(option) must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound), "
        + "found '\(shortened(found))'", at: range)
  }

  static func parameterWithoutValue(at range: SourceRange, in source: SourceText) -> Diagnostic {
    let name = source[range].dropFirst(2).dropLast(2)
    return Diagnostic(
      .parameterWithoutValue, "parameter '\(name)' has no value and no default", at: range,
      notes: [.init("placeholders stand in saved queries, which are called as $Name(\(name) = 1)")])
  }

  static func queryTooLong(_ length: Int, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .queryTooLong,
      "the query has \(length) characters; at most \(LanguageLimits.queryLength) are possible",
      at: range)
  }

  static func quotedAlias(at range: SourceRange, instead name: String) -> Diagnostic {
    Diagnostic(
      .quotedAlias, "names after 'as' are written bare or in backticks, not in quotes", at: range,
      fixIts: [FixIt("write \(name)", [.init(range, name)])])
  }

  static func regexFlags(
    _ flags: String, at range: SourceRange, of literal: RegexLiteral, in source: SourceText
  ) -> Diagnostic {
    let pattern = shortened(source[literal.patternRange])
    var diagnostic = Diagnostic(
      .regexFlags, "flags after a regular expression are not supported, found '\(flags)'",
      at: range, notes: [.init("write them inside: /(?i)\(pattern)/")])
    if flags.allSatisfy({ "imsU".contains($0) }) {
      let start = SourceRange(at: literal.patternRange.start)
      diagnostic.fixIts = [
        FixIt("write /(?\(flags))\(pattern)/", [.init(range, ""), .init(start, "(?\(flags))")])
      ]
    }
    return diagnostic
  }

  static func repeated(_ option: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.givenTwice, "'\(option)' is given twice", at: range)
  }

  static func repeatedParameter(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.repeatedParameter, "parameter '\(name)' is given twice", at: range)
  }

  static func roundList(open: SourceRange, close: SourceRange) -> Diagnostic {
    Diagnostic(
      .roundList, .warning, "round brackets after 'in' are read as a list",
      at: open.union(close), notes: [.init("a list stands in square brackets")],
      fixIts: [FixIt("write square brackets", [.init(open, "["), .init(close, "]")])])
  }

  static func savedQueryName(found token: Token, in source: SourceText) -> Diagnostic {
    var diagnostic = Diagnostic(
      .unexpectedToken,
      "expected '(' after the name of a saved query, found \(found(token, in: source))",
      at: token.range, notes: [.init("a call is written $Name(parameter = value) or $Name()")])
    if token.kind == .slash || token.kind == .minus || token.kind == .name {
      diagnostic.notes = [.init("a name with folders, blanks or hyphens stands in backticks")]
    }
    return diagnostic
  }

  static func severalJoinKeys(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unexpectedToken, "expected '(' and a query, since join compares one pair of fields",
      at: range, notes: [.init("make one key of several with concat(…) on both sides")])
  }

  static func tooMany(
    _ what: String, _ most: Int, found count: Int, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(.tooMany, "at most \(most) \(what) are possible, found \(count)", at: range)
  }

  static func unequalSign(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unexpectedToken, "expected '!=', found '<>'", at: range,
      fixIts: [FixIt("write '!='", [.init(range, "!=")])])
  }

  static func unexpectedCharacter(at range: SourceRange, in source: SourceText) -> Diagnostic {
    let character = source[range]
    let place = source.location(of: range.start)
    var diagnostic = Diagnostic(
      .unexpectedCharacter,
      "unexpected character '\(character)' at line \(place.line), column \(place.column)",
      at: range)
    if let (remedy, replacement) = foreignCharacters[character] {
      diagnostic.notes = [.init(remedy)]
      if let replacement {
        diagnostic.fixIts = [FixIt("write \(replacement)", [.init(range, replacement)])]
      }
    }
    return diagnostic
  }

  /// Characters that slip in from elsewhere: what to write, and the replacement if there is one.
  private static let foreignCharacters: [String: (remedy: String, replacement: String?)] = [
    "“": ("use straight quotes", nil), "”": ("use straight quotes", nil),
    "‘": ("use straight quotes", nil), "’": ("use straight quotes", nil),
    "–": ("this is a dash; use '-'", "-"), "—": ("this is a dash; use '-'", "-"),
    "−": ("use the hyphen '-' to subtract", "-"), "×": ("use '*' to multiply", "*"),
    "≠": ("use '!='", "!="), "≤": ("use '<='", "<="), "≥": ("use '>='", ">="),
    ";": ("a query needs no ';', and commands are separated by '|'", nil),
    "&": ("join conditions with 'and'", "and"), "~": ("match with '=~' or 'like'", nil),
    "\\": ("a backslash has a meaning only in quotes and regular expressions", nil),
  ]

  static func unknownCommand(_ token: Token, next: Token, in source: SourceText) -> Diagnostic {
    let word = source[token.range]
    var diagnostic = Diagnostic(.unknownCommand, "unknown command '\(word)'", at: token.range)
    if beginsCondition(next) {
      diagnostic.notes = [.init("to keep the rows that match, begin with 'filter'")]
      let place = SourceRange(at: token.range.start)
      diagnostic.fixIts = [FixIt("put 'filter' before it", [.init(place, "filter ")])]
    } else if let near = suggestedCommand(for: word) {
      diagnostic.label = "did you mean '\(near)'?"
      diagnostic.fixIts = [FixIt("replace '\(word)' with '\(near)'", [.init(token.range, near)])]
    } else {
      diagnostic.notes = [
        .init("a command comes first, such as fields, filter, parse, stats, sort or limit"),
        .init("commands are separated by '|'"),
      ]
    }
    return diagnostic
  }

  private static func beginsCondition(_ token: Token) -> Bool {
    if let keyword = token.keyword { return keyword == .like || keyword == .in }
    if token.kind == .matches || token.kind == .notMatches { return true }
    return BinaryOperator(token.kind)?.isComparison ?? false
  }

  private static func suggestedCommand(for word: String) -> String? {
    if let command = foreignCommands[word.lowercased()] { return command.spelling }
    let spellings = Keyword.commands.map(\.spelling)
    return NameSuggestion.nearest(to: word, among: spellings)
  }

  /// Commands of other query languages and ours of the same kind.
  private static let foreignCommands: [String: Keyword] = [
    "select": .fields, "project": .fields, "eval": .fields, "extend": .fields, "rename": .fields,
    "table": .display, "columns": .display, "keep": .display, "having": .filter, "grep": .search,
    "rex": .parse, "regex": .parse, "extract": .parse, "summarize": .stats, "aggregate": .stats,
    "group": .stats, "count": .stats, "orderby": .sort, "take": .limit, "top": .limit,
    "first": .head, "last": .tail, "distinct": .dedup, "uniq": .dedup, "mvexpand": .expand,
    "from": .source,
  ]

  static func unknownOption(
    _ word: String, of command: Keyword, among options: [String], at range: SourceRange
  ) -> Diagnostic {
    let expected = alternatives(options.map { "'\($0)'" })
    var diagnostic = Diagnostic(
      .unexpectedToken, "\(command.spelling) knows \(expected), found '\(word)'", at: range)
    if let near = NameSuggestion.nearest(to: word, among: options) {
      diagnostic.label = "did you mean '\(near)'?"
      diagnostic.fixIts = [FixIt("replace '\(word)' with '\(near)'", [.init(range, near)])]
    }
    return diagnostic
  }

  static func unknownSelector(_ word: String, at range: SourceRange) -> Diagnostic {
    unknownOption(
      word, of: .source, among: [Keyword.logGroups, .logGroupTags, .dataSource].map(\.spelling),
      at: range)
  }

  static func unterminatedRegex(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .unterminatedRegex, "this regular expression is never closed; add '/'", at: range,
      label: "opened here", notes: [.init("a slash inside the pattern is written \\/")])
  }

  static func unterminatedText(at range: SourceRange, in source: SourceText) -> Diagnostic {
    let mark = source[range].first.map(String.init) ?? "\""
    let place = SourceRange(range.start, range.start + 1)
    let end = source.lineRange(source.lineIndex(of: range.start)).end
    let isName = mark != "\"" && mark != "'"
    return Diagnostic(
      .unterminatedText,
      isName
        ? "this name in backticks is never closed; add a matching `"
        : "this string is never closed; add a matching \(mark)",
      at: place, label: "opened here",
      fixIts: [
        FixIt("close it at the end of the line", [.init(SourceRange(at: end), isName ? "`" : mark)])
      ])
  }
}

// MARK: - Wording

extension LanguageDiagnostics {
  /// `a`, `a or b`, `a, b or c`.
  static func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "something else" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  /// What stands there, as a message says it.
  static func found(_ token: Token, in source: SourceText) -> String {
    switch token.kind {
    case .end: "the end of the query"
    case .string: "the text \(shortened(source[token.range]))"
    default: "'\(shortened(source[token.range]))'"
    }
  }

  /// At most 40 characters, on one line.
  static func shortened(_ text: String) -> String {
    let line = text.map { $0.isNewline ? " " : $0 }
    return line.count <= 40 ? String(line) : String(line.prefix(39)) + "…"
  }
}

extension DurationLiteral {
  /// The same span in a unit whose cap it keeps, such as `5m` for `300s`; nil if there is none.
  fileprivate var inLargerUnit: DurationLiteral? {
    guard let milliseconds = unit.milliseconds else { return nil }
    let (total, overflow) = count.multipliedReportingOverflow(by: milliseconds)
    guard !overflow else { return nil }
    for larger in [DurationUnit.second, .minute, .hour, .day] {
      guard let size = larger.milliseconds, size > milliseconds, total % size == 0 else { continue }
      let candidate = DurationLiteral(count: total / size, unit: larger, range: range)
      if candidate.capped.count == candidate.count { return candidate }
    }
    return nil
  }
}
