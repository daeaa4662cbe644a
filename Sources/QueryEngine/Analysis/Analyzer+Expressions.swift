import Columnar
import QueryLanguage

extension Analyzer {
  /// The expression with its names resolved and its constants folded; mistakes are reported and
  /// leave a missing value.
  mutating func bindExpression(_ expression: Expression) -> BoundExpression {
    if !scope.isOpen, let slot = scope.labelled[expression] { return BoundExpression(.slot(slot)) }
    switch expression.kind {
    case .number(let number):
      switch number.value {
      case .integer(let value): return BoundExpression(.literal(.integer(value)))
      case .double(let value): return BoundExpression(.literal(.double(value)))
      }
    case .string(let string): return BoundExpression(.literal(.string(string.value)))
    case .boolean(let value): return BoundExpression(.literal(.jsonBoolean(value)))
    case .null: return .missing
    case .duration(let duration):
      report(AnalyzerDiagnostics.loneDuration(duration.text, at: duration.range))
      return .missing
    case .regex(let regex):
      report(
        AnalyzerDiagnostics.badArgument(
          commandName, 1, mustBe: "a value", not: "a regular expression", at: regex.range))
      return .missing
    case .field(let name): return bindField(name)
    case .call(let call): return bindCall(call, as: expression)
    case .list(let elements):
      return BoundExpression(.list(elements.map { bindExpression($0) }))
    case .unary(let sign, let operand): return bindUnary(sign, operand)
    case .binary(let sign, let left, let right):
      return bindBinary(sign, left, right, at: expression.range)
    case .and(let operands): return flattened(operands.map { bindExpression($0) })
    case .or(let operands): return BoundExpression(.or(operands.map { bindExpression($0) }))
    case .match(let match): return bindMatch(match)
    case .membership(let membership): return bindMembership(membership)
    case .member(let operand, let name):
      return BoundExpression(.member(bindExpression(operand), name.text))
    case .index(let operand, let index):
      return BoundExpression(.index(bindExpression(operand), bindExpression(index)))
    }
  }

  private func flattened(_ operands: [BoundExpression]) -> BoundExpression {
    BoundExpression(
      .and(operands.flatMap { if case .and(let inner) = $0.kind { inner } else { [$0] } }))
  }

  private mutating func bindUnary(_ sign: UnaryOperator, _ operand: Expression) -> BoundExpression {
    let bound = bindExpression(operand)
    switch sign {
    case .not: return BoundExpression(.not(bound))
    case .minus:
      switch bound.literal {
      case .integer(let value)? where value != .min:
        return BoundExpression(.literal(.integer(-value)))
      case .double(let value)?: return BoundExpression(.literal(.double(-value)))
      default: return BoundExpression(.negate(bound))
      }
    case .plus:
      // A plus sign makes a number of its operand, as adding zero does.
      return BoundExpression(.arithmetic(.add, BoundExpression(.literal(.integer(0))), bound))
    }
  }

  private mutating func bindBinary(
    _ sign: BinaryOperator, _ left: Expression, _ right: Expression, at range: SourceRange
  ) -> BoundExpression {
    if let comparison = FieldPredicate.Comparison(sign) {
      return bindComparison(comparison, left, right)
    }
    if sign == .add || sign == .subtract {
      if case .duration(let period) = right.kind {
        return bindShift(left, by: period, isNegative: sign == .subtract)
      }
      if sign == .add, case .duration(let period) = left.kind {
        return bindShift(right, by: period, isNegative: false)
      }
      hintAtSum(sign, left, right, at: range)
    }
    return BoundExpression(
      .arithmetic(MathOperator(sign), bindExpression(left), bindExpression(right)))
  }

  private mutating func bindShift(
    _ operand: Expression, by duration: DurationLiteral, isNegative: Bool
  ) -> BoundExpression {
    BoundExpression(
      .shift(bindExpression(operand), Period(duration), isNegative: isNegative))
  }

  private mutating func hintAtSum(
    _ sign: BinaryOperator, _ left: Expression, _ right: Expression, at range: SourceRange
  ) {
    if sign == .add, left.isText || right.isText {
      report(AnalyzerDiagnostics.concatHint(at: range))
    }
    if sign == .subtract, let a = left.fieldName, let b = right.fieldName, scope.isOpen,
      scope.named[a.name] == nil, scope.named[b.name] == nil, !a.isSystem, !b.isSystem,
      a.range.end + 1 == b.range.start
    {
      report(LanguageDiagnostics.hyphenatedName(a.name, b.name, at: range))
    }
  }

  private mutating func bindComparison(
    _ comparison: FieldPredicate.Comparison, _ left: Expression, _ right: Expression
  ) -> BoundExpression {
    let other: Expression? = left.isNull ? right : right.isNull ? left : nil
    if let other, comparison == .equal || comparison == .notEqual {
      let present = BoundExpression(.present(bindExpression(other)))
      return comparison == .equal ? BoundExpression(.not(present)) : present
    }
    return BoundExpression(.compare(comparison, bindExpression(left), bindOperand(right)))
  }

  /// What something is compared with; a bare word is noted, as most often a text is meant.
  private mutating func bindOperand(_ expression: Expression) -> BoundExpression {
    let bound = bindExpression(expression)
    if expression.fieldName != nil, let slot = bound.slot { slots[slot].isOperand = true }
    return bound
  }

  private mutating func bindMatch(_ match: PatternMatch) -> BoundExpression {
    bindPattern(
      match.pattern, of: bindExpression(match.operand),
      isRegex: match.operator == .matches || match.operator == .notMatches,
      match.operator.isNegated)
  }

  /// The condition that a text holds a pattern; `isRegex` reads a text as a regular expression.
  mutating func bindPattern(
    _ pattern: PatternOperand, of operand: BoundExpression, isRegex: Bool, _ isNegated: Bool
  ) -> BoundExpression {
    switch pattern {
    case .regex(let literal):
      guard let regex = compile(literal) else { return .missing }
      return BoundExpression(.matches(operand, regex, isNegated: isNegated))
    case .expression(let text):
      let pattern = bindExpression(text)
      guard isRegex else {
        if case .string(let literal)? = pattern.literal, Self.hasWildcards(literal) {
          report(AnalyzerDiagnostics.likeIsLiteral(literal, at: text.range))
        }
        return BoundExpression(.contains(operand, pattern, isNegated: isNegated))
      }
      guard case .string(let literal)? = pattern.literal else {
        return BoundExpression(.matchesText(operand, pattern, isNegated: isNegated, at: text.range))
      }
      guard let regex = compile(literal, at: text.range) else { return .missing }
      return BoundExpression(.matches(operand, regex, isNegated: isNegated))
    }
  }

  /// Whether a text begins or ends with what other languages take for any text; `100%` does not.
  private static func hasWildcards(_ text: String) -> Bool {
    guard let first = text.first, let last = text.last, text.count > 1 else { return false }
    if first == "%" || first == "*" || last == "*" { return true }
    return last == "%" && text.dropLast().last?.isNumber == false
  }

  /// The regular expression ready for use; what the engine cannot compile is shown in the pattern.
  mutating func compile(_ literal: RegexLiteral) -> CompiledRegex? {
    do {
      return try CompiledRegex(literal.pattern, at: literal.range)
    } catch {
      let place = literal.sourceOffset(ofPatternByte: error.offset)
      report(AnalyzerDiagnostics.badRegex(error.message, at: SourceRange(place, place + 1)))
      return nil
    }
  }

  mutating func compile(_ pattern: String, at range: SourceRange) -> CompiledRegex? {
    do {
      return try CompiledRegex(pattern, at: range)
    } catch {
      report(AnalyzerDiagnostics.badRegex(error.message, at: range))
      return nil
    }
  }

  private mutating func bindMembership(_ membership: Membership) -> BoundExpression {
    let operand = bindExpression(membership.operand)
    let isNegated = membership.isNegated
    switch membership.set {
    case .subquery(let subquery):
      return bindMembership(
        of: operand, named: membership.operand.fieldName?.name, in: subquery, isNegated)
    case .expression(let expression):
      let list = bindExpression(expression)
      if let literal = list.literal, literal.text != nil {
        report(AnalyzerDiagnostics.noList(source[expression.range], at: expression.range))
      }
      return BoundExpression(.amongList(operand, list, isNegated: isNegated))
    case .list(let elements):
      let bound = elements.map { bindOperand($0) }
      let literals = bound.compactMap(\.literal)
      guard literals.count == bound.count else {
        return BoundExpression(
          .amongList(operand, BoundExpression(.list(bound)), isNegated: isNegated))
      }
      return BoundExpression(
        .among(operand, literals.filter { !$0.isMissing }, isNegated: isNegated))
    }
  }
}

extension Expression {
  fileprivate var isNull: Bool { if case .null = kind { true } else { false } }

  /// Whether the expression is a text that is no number.
  fileprivate var isText: Bool {
    if case .string(let literal) = kind { Double(literal.value) == nil } else { false }
  }
}

extension FieldPredicate.Comparison {
  fileprivate init?(_ sign: BinaryOperator) {
    switch sign {
    case .equal: self = .equal
    case .notEqual: self = .notEqual
    case .less: self = .less
    case .lessOrEqual: self = .lessOrEqual
    case .greater: self = .greater
    case .greaterOrEqual: self = .greaterOrEqual
    case .add, .subtract, .multiply, .divide, .remainder, .power: return nil
    }
  }
}

extension MathOperator {
  fileprivate init(_ sign: BinaryOperator) {
    switch sign {
    case .subtract: self = .subtract
    case .multiply: self = .multiply
    case .divide: self = .divide
    case .remainder: self = .remainder
    case .power: self = .power
    default: self = .add
    }
  }
}
