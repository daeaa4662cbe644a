import TestSupport

/// Events and queries by chance, from pools of what has hurt before.
struct RandomQueries {
  var random: SeededGenerator
  /// Pieces of the events that ``similarEvents(_:)`` made last: what queries look for.
  var fragments: [String] = []

  init(random: SeededGenerator) { self.random = random }

  mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  mutating func chance(_ one: Int, in all: Int) -> Bool {
    Int.random(in: 0..<all, using: &random) < one
  }

  // MARK: Events

  private static let scalars = [
    "0", "1", "5", "2", "-3", "7", "200", "1.5", "1.50", "2.50", "-0.25", "1e3", "0.00012345678",
    "9007199254740993", "9007199254740992.0", "9223372036854775807", "-9223372036854775808",
    "-0", "200.0",
    #""""#, #""a""#, #""A""#, #""b2""#, #""b10""#, #""200""#, #""007""#, #"" 7 ""#, #""1.5""#,
    #""1""#, #""1.50""#, #""true""#, #""é""#, #""😀 x""#, #""say \"hi\"""#, #""a\\b""#,
    #""a,b,,c""#, #""k=v a=1""#, "true", "false", "null",
  ]
  private static let lists = [
    "[]", "[1,2]", #"["a","b","a"]"#, #"[{"s":1,"t":"u"},{"s":"2"}]"#, "[null,true]",
    #""[1,2]""#, #""{\"s\":[5,6],\"t\":{\"u\":1.50}}""#, #""x""#, "3",
  ]

  mutating func event() -> String {
    if chance(1, in: 12) {
      return pick(["plain text 42", "a took 17 ms for x y", "", "k=v [1] {"])
    }
    var members: [String] = []
    for name in ["a", "b", "c"] where chance(4, in: 5) {
      members.append("\"\(name)\":\(pick(Self.scalars))")
    }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: members.append("\"d\":{\"x\":\(pick(Self.scalars)),\"y\":[1,\"z\"]}")
    case 1: members.append("\"d\":\(pick(Self.scalars))")
    case 2: members.append("\"d.x\":\(pick(Self.scalars))")
    case 3: members.append("\"a\":\(pick(Self.scalars))")
    default: break
    }
    if chance(1, in: 2) { members.append("\"e\":\(pick(Self.lists))") }
    return "{\(members.joined(separator: ","))}"
  }

  // MARK: Expressions

  private static let literals = [
    "0", "1", "2", "3", "7", "200", "1.5", "1000", "9007199254740993", "\"\"", "\"a\"", "\"A\"",
    "\"b2\"", "\"200\"", "\"007\"", "\"1.5\"", "\"true\"", "\"é\"", "\"😀\"", "true", "false",
  ]
  private static let texts = ["\"a\"", "\"0\"", "\"1.5\"", "\"\"", "\"b\"", "\",\"", "\" \""]

  private mutating func field() -> String { pick(["a", "b", "c", "d.x"]) }

  private mutating func operand() -> String {
    switch Int.random(in: 0..<12, using: &random) {
    case 0..<5: return pick(["a", "b", "c", "d", "d.x", "d.y.1", "nothing", "e", "e.0", "e.1.t"])
    case 5..<7: return literal()
    case 7..<10: return call()
    case 10: return "(\(field()) \(pick(["+", "-", "*", "/", "%"])) \(pick(["0", "2", "-1", "c"])))"
    default:
      return pick([
        "@timestamp", "e[0]", "e[1].s", "d.y[1]", "d[\"x\"]", "jsonParse(e).s[1]", "-a", "bin(5m)",
        "jsonParse(e).t.u", "@timestamp - 90s", "toMillis(@timestamp) - toMillis(bin(1h))",
      ])
    }
  }

  private mutating func call() -> String {
    let field = pick(["a", "b", "c", "d.x", "e"])
    let text = text()
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1:
      let name = pick([
        "abs", "ceil", "floor", "round", "sqrt", "log", "toNumber", "toInt", "toLong", "toDouble",
        "strlen", "toupper", "tolower", "trim", "ltrim", "rtrim", "messageSize", "isblank",
        "isempty", "isNumeric", "ispresent", "urlencode", "base64encode", "jsonParse",
        "jsonStringify", "jsonArraySize", "decToHex",
      ])
      return "\(name)(\(field))"
    case 2:
      return
        "\(pick(["strcontains", "startsWith", "endsWith", "split", "trim"]))(\(field), \(text))"
    case 3: return "\(pick(["greatest", "least", "concat", "coalesce"]))(\(field), \(literal()), c)"
    case 4:
      return pick([
        "substr(\(field), 1)", "substr(\(field), 0, 2)", "replace(\(field), \(text), \"-\")",
        "round(\(field), 1)", "strcontains(\(field), \(text), true)", "datefloor(@timestamp, 7m)",
        "dateceil(@timestamp, 1h)", "bin(90s)",
      ])
    default: return pick(["if(\(field), b, \(literal()))", "case(a = 1, b, b > 2, \"x\", c)"])
    }
  }

  private mutating func literal() -> String {
    !fragments.isEmpty && chance(1, in: 2) ? "'\(pick(fragments))'" : pick(Self.literals)
  }

  private mutating func text() -> String {
    !fragments.isEmpty && chance(3, in: 4) ? "'\(pick(fragments))'" : pick(Self.texts)
  }

  private mutating func pattern() -> String {
    if !fragments.isEmpty, chance(2, in: 3) { return fragmentPattern() }
    return pick([
      "/^a/", "/(?i)A/", "/[0-9]+$/", "/b|1/", "/\\.5/", "/x?/", "/took \\d\\d ms/", "/ (4|3)\\d /",
    ])
  }

  mutating func condition(depth: Int = 2) -> String {
    if depth > 0, chance(1, in: 3) {
      let left = condition(depth: depth - 1)
      let right = condition(depth: depth - 1)
      return pick([
        "(\(left) and \(right))", "(\(left) or \(right))", "not (\(left))", "not \(left)",
      ])
    }
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4: return "\(operand()) \(pick(["=", "!=", "<", "<=", ">", ">="])) \(operand())"
    case 4:
      let place = chance(1, in: 3) ? "@message" : field()
      return "\(place) \(pick(["like", "not like"])) \(text())"
    case 5:
      let list = (0..<3).map { _ in literal() }.joined(separator: ", ")
      return "\(operand()) \(pick(["in", "not in"])) [\(list)]"
    case 6: return "\(pick(["ispresent", "isempty", "isNumeric"]))(\(pick(["a", "d", "d.x", "e"])))"
    case 7: return "\(field()) \(pick(["=", "!="])) null"
    case 8:
      let place = chance(1, in: 2) ? "@message" : field()
      return "\(place) \(pick(["like", "not like", "=~", "!~"])) \(pattern())"
    default: return field()
    }
  }

  // MARK: Queries

  private mutating func extraction() -> String {
    if !fragments.isEmpty, chance(2, in: 3) { return fragmentExtraction() }
    return pick([
      "parse '\"a\":*,' as g", "parse @message '* took * ms' as g, h", "parse c 'b*' as g",
      "parse /\"b\":(?<g>[0-9]+)/", "parse b /(?<g>.)(?<h>.)?/", "parse a '*,*' as g, h",
      "parse @message /([a-z]+) ([a-z]+)/ as g, h", "parse concat(a, \"-\", b) '*-*' as g, h",
    ])
  }

  private mutating func limit() -> String {
    pick(["limit 1", "limit 9", "head 4", "tail 3", "limit 100"])
  }

  private mutating func rowBarrier() -> String {
    let name = field()
    return pick([
      "accum \(name) as u", "autoregress a as u", "autoregress c p=1-2", "autoregress b as u p=3",
      "filldown r", "filldown p, r", "dedup r", "dedup p, r", "dedup a", "unnest e into u",
      "unnest split(a, \",\") into u", "expand e", "unnest d.y into u",
    ])
  }

  private mutating func aggregate() -> String {
    let field = pick(["a", "b", "c", "d.x"])
    switch Int.random(in: 0..<8, using: &random) {
    case 0..<4:
      let name = pick([
        "count", "countDistinct", "sum", "avg", "min", "max", "earliest", "latest", "sortsFirst",
        "sortsLast", "values",
      ])
      return "\(name)(\(field))"
    case 4: return "pct(\(field), \(pick(["0", "50", "99.9", "100"])))"
    case 5: return "\(pick(["stddev", "variance", "sum", "avg"]))(strlen(\(field)))"
    case 6: return "sum(\(condition(depth: 0)))"
    default: return "max(\(field)) - min(\(field))"
    }
  }

  private mutating func key() -> String {
    chance(1, in: 4)
      ? pick(["bin(5m)", "toupper(a)", "a = 1", "datefloor(@timestamp, 1h)", "strlen(b)"]) : field()
  }

  mutating func query() -> String {
    var stages: [String] = []
    if chance(2, in: 3) { stages.append("filter \(condition())") }
    if chance(1, in: 5) { stages.append(extraction()) }
    switch Int.random(in: 0..<8, using: &random) {
    case 0..<4: rowQuery(&stages)
    case 4: stages.append("countFrequent \(field()), d")
    case 5: stages.append("stats topk(\(pick(["1", "3"])), \(field())) as v")
    default: aggregation(&stages)
    }
    if stages.count < 4, chance(1, in: 8) { stages.insert("sort a, b", at: 0) }
    return stages.joined(separator: " | ")
  }

  private mutating func rowQuery(_ stages: inout [String]) {
    if chance(5, in: 6) {
      var made = operand()
      // What is a map or list for certain cannot be sorted by; that is an error of its own.
      while made.hasPrefix("split(") || made.hasPrefix("jsonParse(") && made.hasSuffix(")") {
        made = operand()
      }
      stages.append("fields \(made) as p, \(condition(depth: 0)) as q, \(field()) as r")
    } else {
      stages.append("fields a as p, b as r")
    }
    if chance(1, in: 6) { stages.append(extraction()) }
    if chance(1, in: 3) { stages.append(limit()) }
    if chance(1, in: 2) {
      stages.append("sort \(pick(["p", "r", "c"])) \(pick(["asc", "desc"])), a")
    }
    if chance(1, in: 2) { stages.append(rowBarrier()) }
    if chance(1, in: 6) { stages.append("filter \(condition(depth: 1))") }
    if chance(1, in: 4) { stages.append(limit()) }
    if chance(1, in: 4) { stages.append("display p, \(field()) as z, r") }
  }

  private mutating func aggregation(_ stages: inout [String]) {
    if chance(1, in: 8) { stages.append("sort a desc") }
    var stage = "stats count(*) as n, \(aggregate()) as v, \(aggregate()) as w"
    let hasKeys = chance(2, in: 3)
    if hasKeys { stage += " by \(key()) as k" + pick(["", ", d as j", ", b"]) }
    stages.append(stage)
    if chance(1, in: 3) { stages.append("filter n > 1") }
    if chance(1, in: 5) { stages.append("filter \(pick(["c = 1", "nothing != 2", "e.0 = 1"]))") }
    // Groups of one variance are told apart by its last bits, which are nobody's business.
    let isExact = !stage.contains("stddev") && !stage.contains("variance")
    let orders = isExact ? ["v desc, n", "n desc", "v", "n, v desc"] : ["n desc", "n"]
    if chance(1, in: 3) { stages.append("sort \(pick(orders))") }
    if chance(1, in: 4) { stages.append(limit()) }
    if chance(1, in: 6) { stages.append("fields n * 2 as m, v") }
    if chance(1, in: 8) { stages.append("display v, n + 1 as m") }
  }
}
