// The text of a saved query, and where the values go.
//
// What a placeholder becomes depends on where it stands, and a value must never become more than a
// value. So the text is cut into tokens before anything is put in, just as the parser will do it:
//
//     filter path like "/api/{{area}}" and durationMs > {{least}}   # {{least}} of a comment
//                           inside a text                 operand     means nothing
//
// An operand becomes a literal: what was given in quotes stays in quotes. In a text goes the bare value,
// with backslashes before what would end the text; in a regular expression likewise, so that it stands
// for itself. A backslash before `{{` makes it an ordinary character.
//
// Whether `/` divides or opens a regular expression only the parser knows for sure. The rule here is
// the parser's own in short (a slash divides after an operand, but not in the source of `parse`), and
// `QueryExpansion` compares: a query in which the two see different regular expressions is refused.

/// The text of a saved query, cut at its placeholders.
struct SavedQueryTemplate {
  /// What a placeholder stands in.
  enum Context: Hashable {
    case operand
    /// A text in these quotes.
    case text(quote: UInt8)
    case pattern
  }

  struct Placeholder: Hashable {
    let name: String
    let range: SourceRange
    let context: Context
    /// Whether an operand stands before it, so that a sign would be an operator.
    let followsOperand: Bool
  }

  let source: SourceText
  private(set) var placeholders: [Placeholder] = []
  /// Placeholders where none can be.
  private(set) var diagnostics: [Diagnostic] = []
  /// The regular expressions of the text.
  private(set) var patterns: [SourceRange] = []

  private let lexer: Lexer

  init(_ text: String) {
    source = SourceText(text)
    lexer = Lexer(source)
    scan()
  }

  // MARK: Tokens

  private mutating func scan() {
    var previous: Token?
    var stage: Keyword?
    var isStageStart = true
    var depth = 0
    var token = lexer.token(at: 0)
    while token.kind != .end {
      var end = token.range.end
      var kind = token.kind
      switch kind {
      case .slash:
        let divides = Self.isOperand(previous) && !(stage == .parse && depth == 0)
        if !divides, let literal = lexer.regex(at: token.range.start) {
          patterns.append(literal.range)
          find(in: literal.patternRange, .pattern)
          end = literal.range.end
          kind = .string
        }
      case .string:
        let inside = SourceRange(token.range.start + 1, token.range.end - 1)
        find(in: inside, .text(quote: source.bytes[token.range.start]))
      case .name: refuseInName(token.range)
      case .parameter: addOperand(token, after: previous)
      case .leftParenthesis, .leftBracket, .leftBrace: depth += 1
      case .rightParenthesis, .rightBracket, .rightBrace: depth -= 1
      default: break
      }
      if isStageStart { stage = token.keyword }
      isStageStart = kind == .pipe || (isStageStart && kind == .leftParenthesis)
      if kind == .pipe { depth = 0 }
      previous = Token(
        kind: kind, range: SourceRange(token.range.start, end), isGlued: token.isGlued,
        keyword: token.keyword)
      token = lexer.token(
        at: end, afterDot: kind == .dot,
        afterOperand: kind == .rightParenthesis || kind == .rightBracket)
    }
  }

  private static func isOperand(_ token: Token?) -> Bool {
    switch token?.kind {
    case .number, .duration, .string, .parameter, .rightParenthesis, .rightBracket, .rightBrace:
      true
    case .name: token?.keyword.map { $0.role != .command && $0.role != .expression } ?? true
    default: false
    }
  }

  // MARK: Placeholders

  private mutating func addOperand(_ token: Token, after previous: Token?) {
    let before = token.range.start > 0 ? source.bytes[token.range.start - 1] : 0x20
    let behind = token.range.end < source.bytes.count ? source.bytes[token.range.end] : 0x20
    if Self.isWordByte(before) || Self.isWordByte(behind) {
      diagnostics.append(
        SavedQueryDiagnostics.misplacedPlaceholder(source[token.range], at: token.range))
    }
    placeholders.append(
      Placeholder(
        name: name(of: token.range), range: token.range, context: .operand,
        followsOperand: Self.isOperand(previous)))
  }

  /// Bytes that would grow together with a literal.
  private static func isWordByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      || byte >= 0x80 || "_@`.".utf8.contains(byte)
  }

  /// Finds placeholders inside a text or a regular expression.
  private mutating func find(in range: SourceRange, _ context: Context) {
    var position = range.start
    while position < range.end {
      if source.bytes[position] == UInt8(ascii: "\\") {
        position += 2
        continue
      }
      guard let end = lexer.parameter(at: position), end <= range.end else {
        position += 1
        continue
      }
      let place = SourceRange(position, end)
      placeholders.append(
        Placeholder(name: name(of: place), range: place, context: context, followsOperand: false))
      position = end
    }
  }

  /// Names are no values, so nothing can be put into one.
  private mutating func refuseInName(_ range: SourceRange) {
    guard source.bytes[range.start..<range.end].contains(UInt8(ascii: "`")) else { return }
    for position in range.start..<range.end {
      guard let end = lexer.parameter(at: position), end <= range.end else { continue }
      let place = SourceRange(position, end)
      diagnostics.append(SavedQueryDiagnostics.misplacedPlaceholder(source[place], at: place))
    }
  }

  private func name(of range: SourceRange) -> String {
    source[SourceRange(range.start + 2, range.end - 2)].filter { $0 != " " }
  }
}

// MARK: - Values

extension SavedQueryTemplate.Placeholder {
  /// The text that stands for a value here; `nil` if it cannot stand here.
  func text(of value: Expression) -> String? {
    let literal = QueryPrinter.text(of: value)
    switch context {
    case .operand:
      guard followsOperand else { return literal }
      // A sign would subtract, and a list would be an index.
      if case .unary = value.kind { return nil }
      if case .list = value.kind { return nil }
      return literal
    case .text(let quote): return Self.bareText(value, literal).map { Self.escaped($0, quote) }
    case .pattern: return Self.bareText(value, literal).map(Self.escapedForPattern)
    }
  }

  private static func bareText(_ value: Expression, _ literal: String) -> String? {
    switch value.kind {
    case .string(let text): text.value
    case .list, .null: nil
    default: literal
    }
  }

  private static func escaped(_ text: String, _ quote: UInt8) -> String {
    let quote = Character(Unicode.Scalar(quote))
    let inside = StringEscapes.quoted(text).dropFirst().dropLast()
    return quote == "\"" ? String(inside) : String(inside.replacing("'", with: "\\'"))
  }

  private static func escapedForPattern(_ text: String) -> String {
    var escaped = ""
    for character in text {
      if "\\/.^$|?*+()[]{}-".contains(character) { escaped.append("\\") }
      escaped.append(character)
    }
    return escaped
  }
}

extension SavedQueryTemplate {
  /// The text with a value in each placeholder.
  ///
  /// - Parameter text: what goes in place of a placeholder.
  func filled(_ text: (Placeholder) -> String) -> Splicing {
    var splicing = Splicing(source)
    for placeholder in placeholders { splicing.replace(placeholder.range, by: text(placeholder)) }
    splicing.finish()
    return splicing
  }
}
