// The lexer: bytes to tokens.
//
// It never fails. Whatever it cannot make sense of becomes a token of kind `unexpected` or
// `unterminated`, and the parser, which knows what it wanted, says what is wrong. It keeps no
// state either: a token depends on nothing but the place where it is looked for (and, after a dot,
// on that), so the parser looks ahead by asking again. That also settles the one knot of the
// language: `/` divides after an operand and opens a regular expression elsewhere. The lexer
// always answers `slash`, and a parser that wants a regular expression calls `regex(at:)`.
//
//     fields user.0.id-1 | limit 5m   # note
//     ------ --------- - - ----- --
//     name   name      | | name  duration: one token, which the parser then refuses
//                number^ ^pipe
//
// A name is one token however many segments it has, since a blank ends it.

/// Cuts the bytes of a query into tokens, one on each call.
struct Lexer: Sendable {
  private let bytes: [UInt8]

  init(_ source: SourceText) {
    bytes = source.bytes
  }

  /// The first token at or behind `offset`.
  ///
  /// `afterDot` says that a lone `.` ends just before `offset`: then digits begin a segment, as in
  /// `split(x, ",").0`, and no number.
  ///
  /// Token ::= Name | Number | Duration | String | Regex | Punctuation | Parameter
  func token(at offset: Int, afterDot: Bool = false, afterOperand: Bool = false) -> Token {
    let start = skipTrivia(from: offset)
    let isGlued = start == offset
    guard start < bytes.count else {
      return Token(kind: .end, range: SourceRange(at: start), isGlued: isGlued)
    }
    var (kind, end) = scan(start, afterDot: afterDot, afterOperand: afterOperand && isGlued)
    end = max(end, start + 1)
    let range = SourceRange(start, end)
    let keyword = kind == .name ? self.keyword(range) : nil
    return Token(kind: kind, range: range, isGlued: isGlued, keyword: keyword)
  }

  private func scan(_ start: Int, afterDot: Bool, afterOperand: Bool) -> (Token.Kind, Int) {
    let byte = bytes[start]
    if afterDot, isDigit(start) { return scanName(start) }
    if isDigit(start) || (byte == ascii(".") && isDigit(start + 1) && !afterOperand) {
      return scanNumber(start)
    }
    if byte == ascii("\"") || byte == ascii("'") { return scanString(start) }
    if byte == ascii("`") || identifierLength(start, isFirst: true) > 0 { return scanName(start) }
    if let end = parameter(at: start) { return (.parameter, end) }
    return scanSign(start)
  }

  // MARK: Blanks and comments

  /// Trivia ::= Blank | Comment
  private func skipTrivia(from offset: Int) -> Int {
    var position = offset
    while position < bytes.count {
      let length = blankLength(position)
      if length > 0 {
        position += length
      } else if bytes[position] == ascii("#") {
        position = skipComment(position)
      } else {
        break
      }
    }
    return position
  }

  /// Blank ::= [#x20#x9#xD#xA#xA0]
  private func blankLength(_ position: Int) -> Int {
    switch bytes[position] {
    case 0x20, 0x09, 0x0D, 0x0A: 1
    case 0xC2 where position + 1 < bytes.count && bytes[position + 1] == 0xA0: 2
    default: 0
    }
  }

  /// Comment ::= "#" [^#xA]*
  private func skipComment(_ start: Int) -> Int {
    var position = start
    while position < bytes.count, bytes[position] != ascii("\n") { position += 1 }
    return position
  }

  // MARK: Names

  /// Name ::= Segment ( "." ( Segment | NumericSegment ) )*
  private func scanName(_ start: Int) -> (Token.Kind, Int) {
    var position = start
    while true {
      guard let end = scanSegment(position) else { return (.unterminated, lineEnd(position)) }
      position = end
      guard byte(position) == ascii("."), beginsSegment(position + 1) else { break }
      position += 1
    }
    return (.name, position)
  }

  /// Segment ::= Identifier | "@"* Backtick
  private func scanSegment(_ start: Int) -> Int? {
    var position = start
    while byte(position) == ascii("@") { position += 1 }
    if byte(position) == ascii("`") { return scanBacktick(position) }
    return skipIdentifier(start)
  }

  /// NumericSegment ::= [0-9] IdentifierPart*
  private func beginsSegment(_ position: Int) -> Bool {
    byte(position) == ascii("`") || isDigit(position)
      || identifierLength(position, isFirst: true) > 0
  }

  /// Identifier ::= IdentifierStart IdentifierPart*
  private func skipIdentifier(_ start: Int) -> Int {
    var position = start
    while position < bytes.count {
      let length = identifierLength(position, isFirst: false)
      guard length > 0 else { break }
      position += length
    }
    return position
  }

  /// IdentifierStart ::= Letter | "_" | "@"
  /// IdentifierPart ::= Letter | [0-9] | "_" | "@"
  /// Letter ::= [A-Za-z] | [#x80-#x10FFFF]
  ///
  /// Of the characters beyond ASCII only letters count; the grammar cannot say that shortly.
  private func identifierLength(_ position: Int, isFirst: Bool) -> Int {
    guard position < bytes.count else { return 0 }
    let byte = bytes[position]
    switch byte {
    case ascii("a")...ascii("z"), ascii("A")...ascii("Z"), ascii("_"), ascii("@"): return 1
    case ascii("0")...ascii("9"): return isFirst ? 0 : 1
    case 0x80...:
      let (scalar, length) = scalar(at: position)
      guard let properties = scalar?.properties else { return 0 }
      let isMark = !isFirst && properties.isIDContinue
      return properties.isAlphabetic || isMark ? length : 0
    default: return 0
    }
  }

  /// Backtick ::= "`" ( "\`" | [^`#xA] )* "`"
  ///
  /// A backslash protects a backtick and nothing else; before any other character it stands for
  /// itself.
  private func scanBacktick(_ start: Int) -> Int? {
    var position = start + 1
    while position < bytes.count, bytes[position] != ascii("\n") {
      if bytes[position] == ascii("`") { return position + 1 }
      let isEscape = bytes[position] == ascii("\\") && byte(position + 1) == ascii("`")
      position += isEscape ? 2 : 1
    }
    return nil
  }

  private func keyword(_ range: SourceRange) -> Keyword? {
    // The longest keyword has 18 letters; longer words, and paths, are none.
    guard range.byteCount <= 20 else { return nil }
    return Keyword(spelling: String(decoding: bytes[range.start..<range.end], as: UTF8.self))
  }

  /// The segments of a name, backticks and their escapes resolved.
  func segments(of range: SourceRange) -> [String] {
    var segments: [String] = []
    var position = range.start
    while position < range.end {
      let end = min(scanSegment(position) ?? range.end, range.end)
      segments.append(segmentText(position, end))
      position = max(end, position + 1)
      if position < range.end, byte(position) == ascii(".") { position += 1 }
    }
    return segments.isEmpty ? [""] : segments
  }

  private func segmentText(_ start: Int, _ end: Int) -> String {
    var position = start
    while position < end, bytes[position] == ascii("@") { position += 1 }
    guard position < end, bytes[position] == ascii("`") else {
      return String(decoding: bytes[start..<end], as: UTF8.self)
    }
    var text = Array(bytes[start..<position])
    position += 1
    while position < end - 1 {
      if bytes[position] == ascii("\\"), bytes[position + 1] == ascii("`"), position + 1 < end - 1 {
        position += 1
      }
      text.append(bytes[position])
      position += 1
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Whether the name has no backtick and no dot.
  func isBareWord(_ range: SourceRange) -> Bool {
    !bytes[range.start..<range.end].contains { $0 == ascii("`") || $0 == ascii(".") }
  }

  // MARK: Numbers and periods

  /// Number ::= Digits ( "." Digits )? Exponent? | "." Digits
  /// Digits ::= [0-9]+
  /// Exponent ::= [eE] [+#x2D]? Digits
  /// Duration ::= Digits Unit
  /// Unit ::= [A-Za-z]+
  private func scanNumber(_ start: Int) -> (Token.Kind, Int) {
    var position = skipDigits(start)
    if byte(position) == ascii("."), isDigit(position + 1) { position = skipDigits(position + 1) }
    if byte(position) == ascii("e") || byte(position) == ascii("E") {
      let hasSign = byte(position + 1) == ascii("+") || byte(position + 1) == ascii("-")
      let digits = position + (hasSign ? 2 : 1)
      if isDigit(digits) { position = skipDigits(digits) }
    }
    let end = skipIdentifier(position)
    return end == position ? (.number, end) : (.duration, end)
  }

  private func skipDigits(_ start: Int) -> Int {
    var position = start
    while isDigit(position) { position += 1 }
    return position
  }

  // MARK: Strings

  /// String ::= '"' ( [^"\] | "\" Any )* '"' | "'" ( [^'\] | "\" Any )* "'"
  /// Any ::= [#x0-#x10FFFF]
  private func scanString(_ start: Int) -> (Token.Kind, Int) {
    let quote = bytes[start]
    var position = start + 1
    while position < bytes.count {
      if bytes[position] == quote { return (.string, position + 1) }
      position += bytes[position] == ascii("\\") ? 2 : 1
    }
    return (.unterminated, bytes.count)
  }

  // MARK: Regular expressions

  /// The regular expression whose opening slash is at `start`; nil if no slash closes it.
  ///
  /// It ends at the first slash without a backslash that protects it, in brackets or not.
  ///
  /// Regex ::= "/" ( [^/\] | "\" Any )* "/"
  func regex(at start: Int) -> RegexLiteral? {
    var pattern: [UInt8] = []
    var escapedSlashes: [Int] = []
    var position = start + 1
    while position < bytes.count, bytes[position] != ascii("/") {
      if bytes[position] == ascii("\\"), position + 1 < bytes.count {
        if bytes[position + 1] == ascii("/") {
          escapedSlashes.append(pattern.count)
        } else {
          pattern.append(bytes[position])
        }
        position += 1
      }
      pattern.append(bytes[position])
      position += 1
    }
    guard position < bytes.count else { return nil }
    return RegexLiteral(
      pattern: String(decoding: pattern, as: UTF8.self),
      range: SourceRange(start, position + 1), patternRange: SourceRange(start + 1, position),
      escapedSlashes: escapedSlashes)
  }

  // MARK: Signs

  /// The end of the placeholder that begins at `start`; nil if none does.
  ///
  /// Parameter ::= "{{" Identifier "}}"
  func parameter(at start: Int) -> Int? {
    guard byte(start) == ascii("{"), byte(start + 1) == ascii("{") else { return nil }
    var position = start + 2
    while byte(position) == ascii(" ") { position += 1 }
    let name = position
    guard identifierLength(name, isFirst: true) > 0 else { return nil }
    position = skipIdentifier(position)
    while byte(position) == ascii(" ") { position += 1 }
    guard byte(position) == ascii("}"), byte(position + 1) == ascii("}") else { return nil }
    return position + 2
  }

  /// Punctuation ::= "|" | "," | "(" | ")" | "[" | "]" | "{" | "}" | ":" | "." | "$" | "=" | "==" |
  ///   "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~" | "!" | "&&" | "||" | "+" | "-" | "*" | "/" |
  ///   "%" | "^"
  private func scanSign(_ start: Int) -> (Token.Kind, Int) {
    for length in [2, 1] where start + length <= bytes.count {
      let spelling = bytes[start..<start + length]
      if let kind = Self.signs[Array(spelling)] { return (kind, start + length) }
    }
    return (.unexpected, start + scalar(at: start).length)
  }

  private static let signs: [[UInt8]: Token.Kind] = {
    let words: Set<Token.Kind> = [
      .name, .number, .duration, .string, .parameter, .unterminated, .unexpected, .end,
    ]
    let signs = Token.Kind.allCases.filter { !words.contains($0) }
    return Dictionary(uniqueKeysWithValues: signs.map { (Array($0.rawValue.utf8), $0) })
  }()

  // MARK: Bytes

  private func ascii(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(ascii: scalar) }

  /// The byte at `position`; 0 behind the end, which no rule asks for.
  private func byte(_ position: Int) -> UInt8 {
    position < bytes.count ? bytes[position] : 0
  }

  private func isDigit(_ position: Int) -> Bool {
    (ascii("0")...ascii("9")).contains(byte(position))
  }

  private func lineEnd(_ start: Int) -> Int {
    var position = start
    while position < bytes.count, bytes[position] != ascii("\n") { position += 1 }
    return position
  }

  /// The character at `position` and its length in bytes.
  func scalar(at position: Int) -> (scalar: Unicode.Scalar?, length: Int) {
    let length: Int =
      switch bytes[position] {
      case 0xF0...: 4
      case 0xE0...: 3
      case 0xC0...: 2
      default: 1
      }
    let end = min(position + length, bytes.count)
    let text = String(decoding: bytes[position..<end], as: UTF8.self)
    return (text.unicodeScalars.first, end - position)
  }
}
