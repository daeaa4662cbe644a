import Testing

@testable import QueryLanguage

/// What the tree looks like, where it is not obvious from the text.
@Suite struct ParserTests {
  private func command(_ text: String) throws -> Command.Kind {
    let parsed = QueryParser.parse(text)
    try #require(!parsed.hasErrors, "\(parsed.formatted)")
    return try #require(parsed.query.commands.last).kind
  }

  private func condition(_ text: String) throws -> Expression {
    guard case .filter(let filter) = try command("filter " + text) else {
      throw ParseFailure()
    }
    return filter.condition
  }

  private func columns(_ text: String) throws -> [AliasedExpression] {
    guard case .fields(let fields) = try command("fields " + text) else { throw ParseFailure() }
    return fields.expressions
  }

  @Test(arguments: [
    ("-2 ^ 2", "-(2 ^ 2)"), ("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"), ("!a = 1", "(!a) = 1"),
    ("not a = 1", "not (a = 1)"), ("not a like \"x\"", "not (a like \"x\")"),
    ("a or b and c", "a or (b and c)"), ("a - b - c", "(a - b) - c"),
    ("a + b like \"x\"", "(a + b) like \"x\""), ("a + b * c", "a + (b * c)"),
    ("not a and b", "(not a) and b"), ("a in [1] or b", "(a in [1]) or b"),
    ("-a.b[0]", "-(a.b[0])"), ("2 ^ -1", "2 ^ (-1)"), ("a / b / c", "(a / b) / c"),
  ])
  func `precedence`(_ short: String, _ long: String) throws {
    #expect(try condition(short) == condition(long))
  }

  @Test func `trees that differ are not equal`() throws {
    #expect(try condition("a - (b - c)") != condition("a - b - c"))
    #expect(try condition("a and (b and c)") != condition("a and b and c"))
    #expect(try condition("(2 ^ 3) ^ 2") != condition("2 ^ 3 ^ 2"))
    #expect(try condition("a = 1") != condition("a = 1.0"))
  }

  @Test func `equality does not see places, blanks and the case of functions`() throws {
    #expect(try condition("COUNT( x )=1") == condition("count(x)   = 1 # note"))
    #expect(try condition("a = 1").hashValue == condition("  a=1").hashValue)
  }

  @Test func `numbers stay exact while they fit`() throws {
    let values = try columns("1, 9223372036854775807, 9223372036854775808, 1.0, .5, 1e2")
      .map { column -> NumberLiteral.Value? in
        if case .number(let number) = column.expression.kind { number.value } else { nil }
      }
    #expect(
      values == [
        .integer(1), .integer(.max), .double(9_223_372_036_854_775_808), .double(1), .double(0.5),
        .double(100),
      ])
  }

  @Test(arguments: [
    ("1ms", DurationUnit.millisecond), ("2msecs", .millisecond), ("1S", .second),
    ("2secs", .second),
    ("1m", .minute), ("2mins", .minute), ("3MINUTES", .minute), ("1h", .hour), ("2hrs", .hour),
    ("1d", .day), ("2days", .day), ("1W", .week), ("1mo", .month), ("2Mon", .month),
    ("1q", .quarter),
    ("2qtrs", .quarter), ("1y", .year), ("2yrs", .year),
  ])
  func `every spelling of a unit`(_ text: String, _ unit: DurationUnit) throws {
    let columns = try columns("datefloor(t, \(text))")
    guard case .call(let call) = columns[0].expression.kind,
      case .duration(let duration) = call.arguments[1].kind
    else { throw ParseFailure() }
    #expect(duration.unit == unit)
    #expect(duration.text == text)
  }

  @Test func `a period over its cap keeps what was written and tells the cap`() {
    let duration = DurationLiteral(count: 300, unit: .second)
    #expect(duration.capped == DurationLiteral(count: 60, unit: .second))
    #expect(DurationLiteral(count: 300, unit: .day).capped.count == 300)
    let warning = QueryParser.parse("stats count(*) by bin(300s)").diagnostics.first
    #expect(warning?.fixIts.map(\.message) == ["write 5m"])
    #expect(
      !QueryParser.parse("filter @timestamp > now() - 300s").diagnostics.contains {
        $0.id == .cappedPeriod
      })
  }

  @Test func `a label is the text with blanks made one and comments gone`() throws {
    let labels = try columns("a  +\n\tb, COUNT( x ), strlen(\"a  b\") # c\n, `u-a`, x as y").map(
      \.label)
    #expect(labels == ["a + b", "COUNT( x )", "strlen(\"a  b\")", "`u-a`", "x"])
    let names = try columns("avg( x ), `u-a`, a.`b`, x as y").map(\.outputName)
    #expect(names == ["avg( x )", "u-a", "a.b", "y"])
  }

  @Test func `names know their canonical form and whether the system makes them`() throws {
    let names = try columns("@timestamp, @@own, @`aws.tag.a:b`, body.`x.y`.0, left.@log")
      .compactMap(\.expression.fieldName)
    #expect(
      names.map(\.name) == ["@timestamp", "@@own", "@aws.tag.a:b", "body.x.y.0", "left.@log"])
    #expect(names.map(\.isSystem) == [true, false, true, false, false])
  }

  @Test func `count star is a call with a star`() throws {
    guard case .call(let call) = try columns("count(*)")[0].expression.kind else {
      throw ParseFailure()
    }
    #expect(call.hasStar && call.arguments.isEmpty && call.function.folded == "count")
  }

  @Test func `commands have the defaults of the language`() throws {
    #expect(
      try command("head")
        == .limit(LimitCommand(form: .head, count: 1000, countRange: .none)))
    #expect(
      try command("outlier x")
        == .outlier(
          OutlierCommand(
            action: .transform, factor: 2.5, usesLowerFence: false, marks: false,
            fields: [FieldName(segments: ["x"])])))
    guard case .autoregress(let lag) = try command("autoregress x") else { throw ParseFailure() }
    #expect(lag.lags == 1...1)
    guard case .appendcols(let columns) = try command("appendcols (fields a)") else {
      throw ParseFailure()
    }
    #expect(columns.maximumRows == 10_000 && !columns.overrides)
    guard case .sort(let sort) = try command("sort a, b desc") else { throw ParseFailure() }
    #expect(sort.keys.map(\.isDescending) == [false, true])
  }

  @Test func `a pattern's place allows a caret inside it`() throws {
    guard case .match(let match) = try condition("a like /x(/").kind,
      case .regex(let literal) = match.pattern
    else { throw ParseFailure() }
    #expect(literal.patternRange == SourceRange(15, 17))
  }

  @Test func `the tree stays whole behind an error`() {
    let parsed = QueryParser.parse("fields a, | filter b = 1 | limt 3 | sort c")
    #expect(parsed.query.commands.map(\.name) == ["fields", "filter", "unknown command", "sort"])
    #expect(parsed.errorCount == 2)
    #expect(parsed.query.commands[1].range == SourceRange(12, 24))
    #expect(parsed.query.commands[1].keywordRange == SourceRange(12, 18))
  }

  @Test func `a bar inside a bracket, a text or a pattern does not end a broken stage`() {
    for text in [
      "filter a in (1 2 | 3) | limit 0", "filter a b \"|\" | limit 0",
      "filter a lik /x|y/ | limit 0",
    ] {
      #expect(QueryParser.parse(text).diagnostics.map(\.id.code) == ["E117", "E112"], "\(text)")
    }
  }

  @Test func `round brackets after in are a subquery if a command's word follows`() throws {
    for text in [
      "x in (fields a)", "x in (SOURCE \"g\")", "x in (filter not a)",
      "x in (filter (a) | fields b)",
      "x in ($Saved())", "x in (head 5)", "x in (filter -a = 1)", "x in (anomaly)",
    ] {
      guard case .membership(let membership) = try condition(text).kind,
        case .subquery = membership.set
      else {
        Issue.record("\(text) is no subquery")
        continue
      }
    }
    for text in [
      "x in (filter = 1)", "x in (sort, y)", "x in (a not like \"b\")", "x in (stats.y)",
    ] {
      if case .membership(let membership) = try condition(text).kind,
        case .subquery = membership.set
      {
        Issue.record("\(text) is a subquery")
      }
    }
  }
}
