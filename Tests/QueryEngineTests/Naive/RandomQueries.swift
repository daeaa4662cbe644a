import TestSupport

/// Events and queries by chance, from pools of what has hurt before.
struct RandomQueries {
  var random: SeededGenerator

  mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  // MARK: Events

  // No 0 and 1 as numbers: they tie with `false` and `true` in the order of `sort`, and which of
  // two such groups comes first is nowhere said. And one spelling of each number, since a group
  // may show, and be sorted by, any of those it has.
  private static let scalars = [
    "5", "2", "-3", "7", "200", "1.5", "2.50", "-0.25", "1e3", "9007199254740993",
    #""""#, #""a""#, #""A""#, #""b2""#, #""b10""#, #""200""#, #""007""#, #"" 7 ""#, #""1.5""#,
    #""true""#, #""é""#, #""😀 x""#, #""say \"hi\"""#, #""a\\b""#, "true", "false", "null",
  ]

  mutating func event() -> String {
    var members: [String] = []
    for name in ["a", "b", "c"] where Int.random(in: 0..<5, using: &random) > 0 {
      members.append("\"\(name)\":\(pick(Self.scalars))")
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: members.append("\"d\":{\"x\":\(pick(Self.scalars)),\"y\":[1,\"z\"]}")
    case 1: members.append("\"d\":\(pick(Self.scalars))")
    default: break
    }
    return "{\(members.joined(separator: ","))}"
  }

  // MARK: Queries

  private static let literals = [
    "0", "1", "2", "3", "7", "200", "1.5", "1000", "9007199254740993", "\"\"", "\"a\"", "\"A\"",
    "\"b2\"", "\"200\"", "\"007\"", "\"1.5\"", "\"true\"", "\"é\"", "\"😀\"", "true", "false",
  ]

  private mutating func operand() -> String {
    switch Int.random(in: 0..<12, using: &random) {
    case 0..<6: return pick(["a", "b", "c", "d", "d.x", "d.y.1", "nothing"])
    case 6..<9: return pick(Self.literals)
    case 9: return "\(pick(["abs", "strlen", "toupper", "tolower", "toNumber"]))(\(field()))"
    case 10: return "(\(field()) \(pick(["+", "-", "*", "/", "%"])) \(pick(["0", "2", "c"])))"
    default: return "coalesce(\(field()), \(pick(Self.literals)))"
    }
  }

  private mutating func field() -> String { pick(["a", "b", "c", "d.x"]) }

  private mutating func condition(depth: Int = 2) -> String {
    if depth > 0, Int.random(in: 0..<3, using: &random) == 0 {
      let left = condition(depth: depth - 1)
      let right = condition(depth: depth - 1)
      return pick(["(\(left) and \(right))", "(\(left) or \(right))", "not (\(left))"])
    }
    switch Int.random(in: 0..<9, using: &random) {
    case 0..<4: return "\(operand()) \(pick(["=", "!=", "<", "<=", ">", ">="])) \(operand())"
    case 4:
      return
        "\(field()) \(pick(["like", "not like"])) \(pick(["\"a\"", "\"0\"", "\"1.5\"", "\"\""]))"
    case 5:
      let list = (0..<3).map { _ in pick(Self.literals) }.joined(separator: ", ")
      return "\(operand()) \(pick(["in", "not in"])) [\(list)]"
    case 6: return "\(pick(["ispresent", "isempty", "isNumeric"]))(\(pick(["a", "d", "d.x"])))"
    case 7: return "\(field()) \(pick(["=", "!="])) null"
    default: return field()
    }
  }

  mutating func query() -> String {
    var stages: [String] = []
    if Int.random(in: 0..<3, using: &random) > 0 { stages.append("filter \(condition())") }
    if Int.random(in: 0..<2, using: &random) == 0 {
      stages.append("fields \(operand()) as p, \(condition(depth: 0)) as q, \(field()) as r")
      if Int.random(in: 0..<2, using: &random) == 0 { stages.append("dedup \(pick(["r", "p"]))") }
      if Int.random(in: 0..<2, using: &random) == 0 {
        stages.append("sort \(pick(["p", "r", "c"])) \(pick(["asc", "desc"])), a")
      }
      if Int.random(in: 0..<2, using: &random) == 0 { stages.append("limit \(pick(["1", "9"]))") }
    } else {
      let function = pick(["count", "countDistinct", "sum", "avg", "min", "max"])
      var stage = "stats count(*) as n, \(function)(\(field())) as v"
      if Int.random(in: 0..<3, using: &random) > 0 {
        stage += " by \(field()) as k" + pick(["", ", d as j"])
      }
      stages.append(stage)
      if Int.random(in: 0..<3, using: &random) == 0 { stages.append("filter n > 1") }
      if Int.random(in: 0..<3, using: &random) == 0 { stages.append("sort v desc, n") }
    }
    return stages.joined(separator: " | ")
  }
}
