/// How tightly an operator binds; the one table behind parser, printer and `precedence.md`.
///
/// From loose to tight. Parser and printer compare levels, so the order of the cases is the rule.
enum Precedence: Int, Comparable, CaseIterable {
  case or
  case and
  case not
  /// `= != < <= > >=`, `like`, `in`, `=~`, `!~`; they do not chain.
  case comparison
  case additive
  case multiplicative
  /// `-`, `+` and `!` in front.
  case unary
  /// Right associative: `2 ^ 3 ^ 2` is `2 ^ (3 ^ 2)`, and `-2 ^ 2` is `-(2 ^ 2)`.
  case power
  /// `.name` and `[index]`.
  case postfix
  case primary

  static func < (left: Precedence, right: Precedence) -> Bool { left.rawValue < right.rawValue }

  /// The next tighter level.
  var tighter: Precedence { Precedence(rawValue: rawValue + 1) ?? .primary }
}

extension BinaryOperator {
  var precedence: Precedence {
    switch self {
    case .add, .subtract: .additive
    case .multiply, .divide, .remainder: .multiplicative
    case .power: .power
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: .comparison
    }
  }

  /// The operator a sign stands for.
  init?(_ kind: Token.Kind) {
    switch kind {
    case .equalEqual: self = .equal
    default: self.init(rawValue: kind.rawValue)
    }
  }
}

extension Expression.Kind {
  var precedence: Precedence {
    switch self {
    case .or: .or
    case .and: .and
    case .unary(.not, _): .not
    case .match, .membership: .comparison
    case .binary(let binaryOperator, _, _): binaryOperator.precedence
    case .unary: .unary
    case .member, .index: .postfix
    case .number, .string, .duration, .boolean, .null, .field, .call, .list, .regex: .primary
    }
  }
}
