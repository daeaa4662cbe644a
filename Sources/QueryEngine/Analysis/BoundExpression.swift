import Columnar
import QueryLanguage

/// An expression whose names are slots, whose functions exist and whose literals were checked.
struct BoundExpression: Sendable {
  indirect enum Kind: Sendable {
    case literal(Value)
    case slot(SlotID)
    case negate(BoundExpression)
    case arithmetic(MathOperator, BoundExpression, BoundExpression)
    /// A time moved by a period, forward or back.
    case shift(BoundExpression, Period, isNegative: Bool)
    /// The start of the period a time lies in, or the first one not before it: `bin`, `datefloor`,
    /// `dateceil`.
    case rounded(BoundExpression, Period, isUp: Bool)
    case compare(FieldPredicate.Comparison, BoundExpression, BoundExpression)
    /// `x != null`; `x = null` is its negation.
    case present(BoundExpression)
    case and([BoundExpression])
    case or([BoundExpression])
    case not(BoundExpression)
    /// `operand like text`; false for a missing operand, negated or not.
    case contains(BoundExpression, BoundExpression, isNegated: Bool)
    /// `operand =~ regex`; false for a missing operand, negated or not.
    case matches(BoundExpression, CompiledRegex, isNegated: Bool)
    /// `operand =~ text` where the text is computed and compiled per distinct value, with the place of the text.
    case matchesText(BoundExpression, BoundExpression, isNegated: Bool, at: SourceRange)
    /// `operand in [literals]`.
    case among(BoundExpression, [Value], isNegated: Bool)
    /// `operand in list` where the list, or a part of it, is computed.
    case amongList(BoundExpression, BoundExpression, isNegated: Bool)
    /// `operand in (subquery)`.
    case amongRows(BoundExpression, RowSet, isNegated: Bool)
    case list([BoundExpression])
    case member(BoundExpression, String)
    case index(BoundExpression, BoundExpression)
    case call(BoundCall)
    /// `if` and `case`: the value beside the first condition that holds, else the last one.
    case conditional([ConditionalBranch], otherwise: BoundExpression)
    case coalesce([BoundExpression])
  }

  let kind: Kind
  /// The slots it reads, ascending, each once.
  let slots: [SlotID]

  init(_ kind: Kind) {
    self.kind = kind
    if case .slot(let slot) = kind {
      slots = [slot]
    } else {
      let children = kind.children
      slots =
        children.count == 1
        ? children[0].slots : Array(Set(children.flatMap(\.slots))).sorted()
    }
  }

  /// The direct parts.
  var children: [BoundExpression] { kind.children }

  /// The value, if it needs no row.
  var literal: Value? {
    if case .literal(let value) = kind { value } else { nil }
  }

  /// The slot, if the expression is one as it stands.
  var slot: SlotID? {
    if case .slot(let slot) = kind { slot } else { nil }
  }

  static let missing = BoundExpression(.literal(.missing))
}

/// A call of a function of the catalogue.
struct BoundCall: Sendable {
  let function: ScalarFunction
  let arguments: [BoundExpression]
  /// The call as far as it is known before the first row.
  let prepared: PreparedCall
  /// Where the query has it.
  var place = SourceRange.none
}

/// One condition of `if` or `case` with its value.
struct ConditionalBranch: Sendable {
  let condition: BoundExpression
  let value: BoundExpression
}

/// An operator that makes a number of two.
enum MathOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"
  case power = "^"
}

extension BoundExpression.Kind {
  fileprivate var children: [BoundExpression] {
    switch self {
    case .literal, .slot: []
    case .negate(let e), .shift(let e, _, _), .rounded(let e, _, _), .present(let e), .not(let e),
      .member(let e, _),
      .matches(let e, _, _), .among(let e, _, _), .amongRows(let e, _, _):
      [e]
    case .arithmetic(_, let a, let b), .compare(_, let a, let b), .contains(let a, let b, _),
      .matchesText(let a, let b, _, _), .amongList(let a, let b, _), .index(let a, let b):
      [a, b]
    case .and(let list), .or(let list), .list(let list), .coalesce(let list): list
    case .call(let call): call.arguments
    case .conditional(let branches, let otherwise):
      branches.flatMap { [$0.condition, $0.value] } + [otherwise]
    }
  }
}

extension BoundExpression {
  /// The expression with its direct parts replaced.
  func mapChildren(_ body: (BoundExpression) -> BoundExpression) -> BoundExpression {
    func on(_ kind: Kind) -> BoundExpression { BoundExpression(kind) }
    switch kind {
    case .literal, .slot: return self
    case .negate(let e): return on(.negate(body(e)))
    case .shift(let e, let period, let sign): return on(.shift(body(e), period, isNegative: sign))
    case .rounded(let e, let period, let isUp): return on(.rounded(body(e), period, isUp: isUp))
    case .present(let e): return on(.present(body(e)))
    case .not(let e): return on(.not(body(e)))
    case .member(let e, let name): return on(.member(body(e), name))
    case .matches(let e, let regex, let sign): return on(.matches(body(e), regex, isNegated: sign))
    case .among(let e, let values, let sign): return on(.among(body(e), values, isNegated: sign))
    case .amongRows(let e, let rows, let sign):
      return on(.amongRows(body(e), rows, isNegated: sign))
    case .arithmetic(let sign, let a, let b): return on(.arithmetic(sign, body(a), body(b)))
    case .compare(let sign, let a, let b): return on(.compare(sign, body(a), body(b)))
    case .contains(let a, let b, let sign): return on(.contains(body(a), body(b), isNegated: sign))
    case .matchesText(let a, let b, let sign, let place):
      return on(.matchesText(body(a), body(b), isNegated: sign, at: place))
    case .amongList(let a, let b, let sign):
      return on(.amongList(body(a), body(b), isNegated: sign))
    case .index(let a, let b): return on(.index(body(a), body(b)))
    case .and(let list): return on(.and(list.map(body)))
    case .or(let list): return on(.or(list.map(body)))
    case .list(let list): return on(.list(list.map(body)))
    case .coalesce(let list): return on(.coalesce(list.map(body)))
    case .call(let call):
      return on(
        .call(
          BoundCall(
            function: call.function, arguments: call.arguments.map(body), prepared: call.prepared,
            place: call.place)))
    case .conditional(let branches, let otherwise):
      return on(
        .conditional(
          branches.map {
            ConditionalBranch(condition: body($0.condition), value: body($0.value))
          }, otherwise: body(otherwise)))
    }
  }
}
