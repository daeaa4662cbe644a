/// One word, sign or literal of a query.
struct Token: Hashable, Sendable {
  /// What a token is; the raw value of a sign is its spelling.
  enum Kind: String, Hashable, Sendable, CaseIterable {
    case name
    case number
    /// Digits with letters glued to them; the parser decides whether they are a period.
    case duration
    case string
    /// A placeholder of a saved query: `{{name}}`.
    case parameter

    case pipe = "|"
    case comma = ","
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBracket = "["
    case rightBracket = "]"
    case leftBrace = "{"
    case rightBrace = "}"
    case colon = ":"
    case dot = "."
    case dollar = "$"
    case equal = "="
    case equalEqual = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case matches = "=~"
    case notMatches = "!~"
    case exclamation = "!"
    case andSign = "&&"
    case orSign = "||"
    case plus = "+"
    case minus = "-"
    case star = "*"
    case slash = "/"
    case percent = "%"
    case caret = "^"

    /// A string or a name in backticks without its closing mark.
    case unterminated
    /// A character that means nothing.
    case unexpected
    /// Behind the last character; empty.
    case end
  }

  var kind: Kind
  var range: SourceRange
  /// Whether nothing, not even a blank, stands between the token and the one before.
  var isGlued: Bool
  /// The keyword a bare word spells; its place decides whether it is meant as one.
  var keyword: Keyword?
}
