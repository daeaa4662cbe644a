/// Prints a query in canonical form; parsing the text again gives an equal tree.
///
/// Equal as `==` on trees has it: places and the spelling of labels aside. Brackets are put where
/// the tree needs them and nowhere else.
package struct QueryPrinter {
  /// How the stages are laid out.
  package enum Layout: Sendable {
    /// All stages on one line.
    case singleLine
    /// Each stage on a line of its own, from the second on with its bar in front.
    case stageByLine
  }

  private var text = ""

  private init() {}

  /// The text of a query. A stage that could not be parsed has none and becomes a comment.
  package static func text(of query: Query, layout: Layout = .singleLine) -> String {
    let separator = layout == .singleLine ? " | " : "\n| "
    return query.commands.map { text(of: $0) }.joined(separator: separator)
  }

  /// The text of one stage.
  package static func text(of command: Command) -> String {
    var printer = QueryPrinter()
    printer.print(command.kind)
    return printer.text
  }

  /// The text of an expression.
  package static func text(of expression: Expression) -> String {
    var printer = QueryPrinter()
    printer.print(expression, atLeast: .or)
    return printer.text
  }

  /// The text of a name, with backticks where it needs them.
  package static func text(of name: FieldName) -> String {
    guard name.segments.count > 1 || Keyword(spelling: name.segments[0])?.isRisky != true else {
      return "`\(name.segments[0])`"
    }
    return name.segments.enumerated()
      .map { segmentText($1, isFirst: $0 == 0) }
      .joined(separator: ".")
  }

  static func segmentText(_ segment: String, isFirst: Bool) -> String {
    let scalars = segment.unicodeScalars
    let isPlain = !segment.isEmpty && scalars.allSatisfy(isNamePart)
    let beginsWithDigit = scalars.first.map { ("0"..."9").contains($0) } ?? false
    if isPlain, !isFirst || (!beginsWithDigit && !isMark(scalars.first)) { return segment }
    // The backslash protects a backtick only; before one it would be lost, so both are escaped.
    let sign = segment.prefix { $0 == "@" }
    let rest = segment.dropFirst(sign.count)
    return "\(sign)`" + rest.replacing("`", with: "\\`") + "`"
  }

  static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "@": true
    default: !scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.isIDContinue)
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar?) -> Bool {
    guard let scalar, !scalar.isASCII else { return false }
    return !scalar.properties.isAlphabetic
  }
}

extension Keyword {
  /// Whether a field of this name stands in backticks, since bare it could be read as a command,
  /// an operator or a clause somewhere.
  fileprivate var isRisky: Bool { role == .command || role == .expression || role == .clause }
}

// MARK: - Expressions

extension QueryPrinter {
  mutating func print(_ string: String) { text += string }

  mutating func print(_ name: FieldName) { text += Self.text(of: name) }

  mutating func print(_ literal: StringLiteral) { text += StringEscapes.quoted(literal.value) }

  mutating func print(_ literal: RegexLiteral) {
    text += "/" + literal.pattern.replacing("/", with: "\\/") + "/"
  }

  mutating func print(_ expression: Expression) { print(expression, atLeast: .or) }

  /// Prints with brackets around if the expression binds more loosely than `level`.
  mutating func print(_ expression: Expression, atLeast level: Precedence) {
    let needsBrackets = expression.kind.precedence < level
    if needsBrackets { text += "(" }
    print(expression.kind)
    if needsBrackets { text += ")" }
  }

  private mutating func print(_ kind: Expression.Kind) {
    switch kind {
    case .number(let literal): text += literal.text
    case .string(let literal): print(literal)
    case .duration(let literal): text += literal.text
    case .boolean(let value): text += value ? "true" : "false"
    case .null: text += "null"
    case .field(let name): print(name)
    case .call(let call): print(call)
    case .list(let elements): printList(elements)
    case .regex(let literal): print(literal)
    case .unary(.not, let operand):
      text += "not "
      print(operand, atLeast: .not)
    case .unary(let sign, let operand):
      text += sign.rawValue
      print(operand, atLeast: .unary)
    case .binary(let sign, let left, let right): print(sign, left, right)
    case .and(let operands): printChain(operands, " and ", atLeast: .not)
    case .or(let operands): printChain(operands, " or ", atLeast: .and)
    case .match(let match): print(match)
    case .membership(let membership): print(membership)
    case .member(let operand, let member): printMember(member, of: operand)
    case .index(let operand, let index):
      print(operand, atLeast: .postfix)
      text += "["
      print(index)
      text += "]"
    }
  }

  private mutating func print(_ call: FunctionCall) {
    text += call.function.text + "("
    if call.hasStar { text += "*" }
    printList(call.arguments, atLeast: .or)
    text += ")"
  }

  private mutating func print(_ sign: BinaryOperator, _ left: Expression, _ right: Expression) {
    let level = sign.precedence
    switch level {
    case .comparison:
      print(left, atLeast: .additive)
      text += " \(sign.rawValue) "
      print(right, atLeast: .additive)
    case .power:
      print(left, atLeast: .postfix)
      text += " ^ "
      print(right, atLeast: .unary)
    default:
      print(left, atLeast: level)
      text += " \(sign.rawValue) "
      print(right, atLeast: level.tighter)
    }
  }

  private mutating func printChain(
    _ operands: [Expression], _ word: String, atLeast level: Precedence
  ) {
    for (index, operand) in operands.enumerated() {
      if index > 0 { text += word }
      print(operand, atLeast: level)
    }
  }

  private mutating func print(_ match: PatternMatch) {
    print(match.operand, atLeast: .additive)
    text += " \(match.operator == .notMatches ? "!~" : match.operator.rawValue) "
    print(match.pattern)
  }

  mutating func print(_ pattern: PatternOperand) {
    switch pattern {
    case .regex(let literal): print(literal)
    case .expression(let expression): print(expression, atLeast: .additive)
    }
  }

  private mutating func print(_ membership: Membership) {
    print(membership.operand, atLeast: .additive)
    text += membership.isNegated ? " not in " : " in "
    switch membership.set {
    case .list(let elements): printList(elements)
    case .subquery(let subquery): print(subquery)
    case .expression(let expression): print(expression, atLeast: .additive)
    }
  }

  /// A name would swallow the dot, so a plain field or a number in front stands in brackets.
  private mutating func printMember(_ member: Identifier, of operand: Expression) {
    switch operand.kind {
    case .call, .list, .index, .member: print(operand, atLeast: .postfix)
    default: print("(\(Self.text(of: operand)))")
    }
    text += "." + Self.segmentText(member.text, isFirst: false)
  }

  mutating func printList(_ elements: [Expression]) {
    text += "["
    printList(elements, atLeast: .or)
    text += "]"
  }

  private mutating func printList(_ elements: [Expression], atLeast level: Precedence) {
    for (index, element) in elements.enumerated() {
      if index > 0 { text += ", " }
      print(element, atLeast: level)
    }
  }

  mutating func print(_ subquery: Subquery) {
    text += "(" + Self.text(of: subquery.query) + ")"
  }

  mutating func print(_ aliased: AliasedExpression) {
    print(aliased.expression)
    print(alias: aliased.alias)
  }

  mutating func print(alias: FieldName?) {
    guard let alias else { return }
    text += " as "
    print(alias)
  }
}
