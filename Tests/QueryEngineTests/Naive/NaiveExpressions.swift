import Glibc
import QueryLanguage

@testable import QueryEngine

// Expressions by sections 3 and 4 of the language reference.

extension NaiveEvaluator {
  static func value(_ expression: Expression, _ row: NaiveRow) throws -> NaiveValue {
    switch expression.kind {
    case .number(let literal):
      return literal.integerValue.map { .integer($0) } ?? .double(literal.doubleValue)
    case .string(let literal): return .text(literal.value)
    case .boolean(let flag): return .jsonBoolean(flag)
    case .null: return .missing
    case .field(let name): return row.field(name)
    case .unary(.not, let operand): return .condition(try !value(operand, row).isTrue)
    case .unary(let sign, let operand):
      guard let number = try value(operand, row).number else { return .missing }
      return sign == .plus ? number.value : arithmetic(.subtract, .integer(0), number)
    case .and(let parts): return .condition(try parts.allSatisfy { try value($0, row).isTrue })
    case .or(let parts): return .condition(try parts.contains { try value($0, row).isTrue })
    case .binary(let sign, let left, let right): return try binary(sign, left, right, row)
    case .match(let match): return try like(match, row)
    case .membership(let membership): return try contains(membership, row)
    case .member(let operand, let name):
      return try value(operand, row).member([name.text])
    case .index(let operand, let index):
      return element(of: try value(operand, row), at: try value(index, row))
    case .call(let call): return try self.call(call, row)
    default: throw NaiveRefusal(description: "\(expression.kind)")
    }
  }

  private static func element(of operand: NaiveValue, at index: NaiveValue) -> NaiveValue {
    switch (operand, index) {
    case (.list(let list), .integer(let place)):
      return list.indices.contains(Int(place)) ? list[Int(place)] : .missing
    case (.map(let map), .text(let key)):
      return map.last { $0.key == key }?.value ?? .missing
    default: return .missing
    }
  }

  private static func binary(
    _ sign: BinaryOperator, _ left: Expression, _ right: Expression, _ row: NaiveRow
  ) throws -> NaiveValue {
    if case .duration(let duration) = right.kind {
      guard case .time(let time) = try value(left, row), let length = milliseconds(duration) else {
        throw NaiveRefusal(description: "a duration beside what is no time")
      }
      return .time(sign == .add ? time + length : time - length)
    }
    let a = try value(left, row)
    let b = try value(right, row)
    if sign == .equal || sign == .notEqual, left.kind == .null || right.kind == .null {
      let isPresent = !(left.kind == .null ? b : a).isMissing
      return .condition(isPresent == (sign == .notEqual))
    }
    return try binary(sign, a, b)
  }

  static func milliseconds(_ duration: DurationLiteral) -> Int64? {
    let units: [DurationUnit: Int64] = [
      .millisecond: 1, .second: 1000, .minute: 60_000, .hour: 3_600_000, .day: 86_400_000,
    ]
    return units[duration.unit].map { $0 * duration.count }
  }

  static func binary(
    _ sign: BinaryOperator, _ a: NaiveValue, _ b: NaiveValue
  ) throws -> NaiveValue {
    if sign.isComparison { return .condition(NaiveValue.holds(sign.rawValue, a, b)) }
    guard let x = a.number, let y = b.number else { return .missing }
    return arithmetic(sign, x, y)
  }

  static func arithmetic(
    _ sign: BinaryOperator, _ a: NaiveNumber, _ b: NaiveNumber
  ) -> NaiveValue {
    if case .integer(let x) = a, case .integer(let y) = b {
      var exact: (partialValue: Int64, overflow: Bool)?
      switch sign {
      case .add: exact = x.addingReportingOverflow(y)
      case .subtract: exact = x.subtractingReportingOverflow(y)
      case .multiply: exact = x.multipliedReportingOverflow(by: y)
      case .remainder: exact = y == 0 ? nil : x.remainderReportingOverflow(dividingBy: y)
      default: break
      }
      if let exact, !exact.overflow { return .integer(exact.partialValue) }
    }
    let (x, y) = (a.double, b.double)
    switch sign {
    case .add: return NaiveNumber.double(x + y).value
    case .subtract: return NaiveNumber.double(x - y).value
    case .multiply: return NaiveNumber.double(x * y).value
    case .divide: return NaiveNumber.double(x / y).value
    case .remainder: return NaiveNumber.double(x.truncatingRemainder(dividingBy: y)).value
    default: return NaiveNumber.double(pow(x, y)).value
    }
  }

  static func negative(_ number: NaiveNumber) -> NaiveValue {
    arithmetic(.subtract, .integer(0), number)
  }

  private static func like(_ match: PatternMatch, _ row: NaiveRow) throws -> NaiveValue {
    guard let text = try value(match.operand, row).text else { return .condition(false) }
    let isFound: Bool
    switch match.pattern {
    case .regex(let literal): isFound = try CompiledRegex(literal.pattern).matches(text)
    case .expression(let pattern):
      guard let part = try value(pattern, row).text else { return .condition(false) }
      let isText = match.operator == .like || match.operator == .notLike
      isFound = try isText ? contains(text, part) : CompiledRegex(part).matches(text)
    }
    return .condition(isFound != match.operator.isNegated)
  }

  private static func contains(_ membership: Membership, _ row: NaiveRow) throws -> NaiveValue {
    guard case .list(let list) = membership.set else {
      throw NaiveRefusal(description: "in without a list")
    }
    let operand = try value(membership.operand, row).scalar
    if operand.isMissing { return .condition(false) }
    let isFound = try list.contains { NaiveValue.holds("=", operand, try value($0, row)) }
    return .condition(isFound != membership.isNegated)
  }

  static func contains(_ text: String, _ part: String) -> Bool {
    let bytes = Array(text.utf8)
    let wanted = Array(part.utf8)
    guard wanted.count <= bytes.count else { return false }
    return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) }
  }

  private static func call(_ call: FunctionCall, _ row: NaiveRow) throws -> NaiveValue {
    let name = call.function.folded
    switch name {
    case "bin":
      return period(call.arguments[0], row.field(["@timestamp"]), isFloor: true)
    case "datefloor", "dateceil":
      let time = try value(call.arguments[0], row)
      return period(call.arguments[1], time, isFloor: name == "datefloor")
    default:
      return try scalar(name, call.arguments.map { try value($0, row) })
    }
  }

  private static func period(
    _ period: Expression, _ time: NaiveValue, isFloor: Bool
  ) -> NaiveValue {
    guard case .duration(let duration) = period.kind,
      let length = milliseconds(duration.capped)
    else { return .missing }
    var milliseconds: Int64
    switch time {
    case .time(let time), .integer(let time): milliseconds = time
    default: return .missing
    }
    let past = ((milliseconds % length) + length) % length
    if past == 0 { return .time(milliseconds) }
    milliseconds -= past
    return .time(isFloor ? milliseconds : milliseconds + length)
  }
}
