/// An expression with its place in the text.
///
/// Round brackets leave no node; the printer puts them back where the tree needs them.
package struct Expression: Hashable, Sendable {
  /// What an expression can be.
  package indirect enum Kind: Hashable, Sendable {
    case number(NumberLiteral)
    case string(StringLiteral)
    case duration(DurationLiteral)
    case boolean(Bool)
    case null
    /// A bare or quoted name: a field, or the alias of an earlier result.
    case field(FieldName)
    case call(FunctionCall)
    case list([Expression])
    /// A regular expression as a function's argument; only `regexReplace` takes one.
    case regex(RegexLiteral)
    /// `-x`, `+x`, `!x` or `not x`.
    case unary(UnaryOperator, Expression)
    /// Arithmetic or a comparison.
    case binary(BinaryOperator, Expression, Expression)
    /// A chain of `and` of at least two operands: `a and b and c` is one node.
    case and([Expression])
    /// A chain of `or` of at least two operands.
    case or([Expression])
    /// `like`, `not like`, `=~` or `!~`.
    case match(PatternMatch)
    /// `in` or `not in`.
    case membership(Membership)
    /// `operand.name` where the operand is no plain name, as in `jsonParse(x).name`.
    case member(Expression, Identifier)
    /// `operand[index]`.
    case index(Expression, Expression)
  }

  package let kind: Kind
  /// The place of the expression, with the round brackets around it if it has some.
  @SourceOnly package var range: SourceRange
  /// The levels of the tree, 1 for a leaf; `LanguageLimits.expressionHeight` at most in a parsed
  /// query, so that walking the tree by recursion is safe.
  package let height: Int

  package init(_ kind: Kind, range: SourceRange = .none) {
    self.kind = kind
    self.range = range
    height = 1 + (kind.children.map(\.height).max() ?? 0)
  }

  /// The direct parts that are expressions, in written order; not those inside a subquery.
  package var children: [Expression] { kind.children }

  /// The field, if the expression is a plain name.
  package var fieldName: FieldName? {
    if case .field(let name) = kind { name } else { nil }
  }
}

extension Expression.Kind {
  fileprivate var children: [Expression] {
    switch self {
    case .number, .string, .duration, .boolean, .null, .field, .regex: []
    case .call(let call): call.arguments
    case .list(let elements): elements
    case .unary(_, let operand): [operand]
    case .binary(_, let left, let right): [left, right]
    case .and(let operands), .or(let operands): operands
    case .match(let match): [match.operand] + match.pattern.children
    case .membership(let membership): [membership.operand] + membership.set.children
    case .member(let operand, _): [operand]
    case .index(let operand, let index): [operand, index]
    }
  }
}

/// An operator in front of its operand.
package enum UnaryOperator: String, Hashable, Sendable, CaseIterable {
  case minus = "-"
  case plus = "+"
  /// `not`, and its tighter spelling `!`.
  case not
}

/// An operator between two operands whose value needs both.
package enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"
  case power = "^"
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  /// Whether the result is true or false.
  package var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    case .add, .subtract, .multiply, .divide, .remainder, .power: false
    }
  }
}

/// The call of a function or aggregate, such as `count(*)` or `bin(5m)`.
package struct FunctionCall: Hashable, Sendable {
  package var function: FunctionName
  /// The arguments; empty if the only argument is a star.
  package var arguments: [Expression]
  /// Whether the argument is a star, as in `count(*)`.
  package var hasStar: Bool
  @SourceOnly package var range: SourceRange

  package init(
    function: FunctionName, arguments: [Expression], hasStar: Bool = false,
    range: SourceRange = .none
  ) {
    self.function = function
    self.arguments = arguments
    self.hasStar = hasStar
    self.range = range
  }
}

/// The name of a function; its case does not matter.
package struct FunctionName: Hashable, Sendable {
  /// The name in lower case: the one to compare and look up by.
  package var folded: String
  /// The name as written.
  @SourceOnly package var text: String
  @SourceOnly package var range: SourceRange

  package init(_ text: String, range: SourceRange = .none) {
    folded = text.lowercased()
    self.text = text
    self.range = range
  }
}

/// A search for a pattern in a text.
package struct PatternMatch: Hashable, Sendable {
  /// The four ways to ask.
  package enum Operator: String, Hashable, Sendable, CaseIterable {
    case like
    case notLike = "not like"
    case matches = "=~"
    case notMatches = "!~"

    /// Whether the row is kept when the pattern is not found.
    package var isNegated: Bool { self == .notLike || self == .notMatches }
  }

  package var operand: Expression
  package var `operator`: Operator
  package var pattern: PatternOperand
}

/// What `like`, `=~`, `!~` and `search` look for.
package enum PatternOperand: Hashable, Sendable {
  case regex(RegexLiteral)
  /// A text, a string literal most of the time, worked out per row otherwise.
  case expression(Expression)

  package var range: SourceRange {
    switch self {
    case .regex(let literal): literal.range
    case .expression(let expression): expression.range
    }
  }

  fileprivate var children: [Expression] {
    if case .expression(let expression) = self { [expression] } else { [] }
  }
}

/// A test whether a value is one of several.
package struct Membership: Hashable, Sendable {
  package var operand: Expression
  /// Whether it was written `not in`.
  package var isNegated: Bool
  package var set: MembershipSet
}

/// The right side of `in`.
package enum MembershipSet: Hashable, Sendable {
  case list([Expression])
  case subquery(Subquery)
  /// An expression that must yield a list.
  case expression(Expression)

  fileprivate var children: [Expression] {
    switch self {
    case .list(let elements): elements
    case .subquery: []
    case .expression(let expression): [expression]
    }
  }
}

/// An expression that makes a column, with the name it may be given by `as`.
package struct AliasedExpression: Hashable, Sendable {
  package var expression: Expression
  package var alias: FieldName?
  /// The text of the expression, runs of blanks made one space, comments removed, case kept.
  @SourceOnly package var label: String
  @SourceOnly package var range: SourceRange

  package init(
    expression: Expression, alias: FieldName?, label: String, range: SourceRange = .none
  ) {
    self.expression = expression
    self.alias = alias
    self.label = label
    self.range = range
  }

  /// The name of the column: the alias, else the field's own name, else the label.
  package var outputName: String {
    alias?.name ?? expression.fieldName?.name ?? label
  }
}
