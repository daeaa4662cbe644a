import Columnar
import LogStorage
import QueryLanguage
import TestSupport
import Testing

@testable import QueryEngine

/// What inner queries cost and where they end, which cases do not show.
@Suite struct SubplanTests {
  private static func events(_ count: Int, rowsPerGroup: Int = 256) -> MemorySource {
    MemorySource(
      texts: (0..<count).map { "{\"id\":\($0),\"half\":\($0 / 2)}" },
      rowsPerGroup: rowsPerGroup)
  }

  /// More events than a subquery may have values.
  private static let tooMany = events(50_001, rowsPerGroup: 8192)

  private func failure(
    of text: String, on source: MemorySource, memory: Int = 512 << 20, isStrict: Bool = false
  ) throws -> QueryFailure? {
    var options = QueryOptions(now: MemorySource.start)
    options.memoryLimit = memory
    options.isStrict = isStrict
    let query = try PreparedQuery(text, options: options)
    return #expect(throws: QueryFailure.self) { try query.run(on: source) { _ in } }
  }

  @Test func `more than 50000 values of a subquery are refused`() throws {
    let source = Self.tooMany
    #expect(try failure(of: "filter id in (fields id)", on: source)?.code == "E213")
    let query = try PreparedQuery(
      "filter id in (fields half) | stats count(*)", options: QueryOptions(now: 0))
    _ = try query.run(on: source) { #expect($0.columns[0].value(at: 0) == .integer(25_001)) }
  }

  @Test func `more than 50000 keys of a join are refused where CloudWatch refuses them`() throws {
    let source = Self.tooMany
    let text = "join where id = id (fields id) | stats count(*)"
    #expect(try failure(of: text, on: source, isStrict: true)?.code == "E210")
    for mostHeld in [nil, 100_000] {
      let rows = try answer(text, on: source) { $0.mostHeldBeforeSpilling = mostHeld }
      #expect(rows == ["50001"])
    }
    let spilled = #expect(throws: QueryFailure.self) {
      try answer(text, on: source) {
        $0.isStrict = true
        $0.mostHeldBeforeSpilling = 100_000
      }
    }
    #expect(spilled?.code == "E210")
    let query = try PreparedQuery(
      "join where id = half (fields half) | stats count(*)", options: QueryOptions(now: 0))
    _ = try query.run(on: source) { #expect($0.columns[0].value(at: 0) == .integer(50_001)) }
  }

  @Test(arguments: [
    ("appendcols", "fields id | appendcols (fields half as h, @message as m) | limit 1"),
    ("in", "filter id in (fields half) | limit 1"),
  ])
  func `what an inner query keeps is counted by name`(_ name: String, _ text: String) throws {
    let failure = try failure(of: text, on: Self.events(10_000), memory: 300_000)
    #expect(failure?.code == "E502")
    #expect(failure?.description.hasPrefix(name) == true, "\(failure!)")
  }

  @Test func `a subquery that runs too long is told apart from the query's own deadline`() throws {
    let parsed = QueryParser.parse("filter id in (fields id)")
    var options = QueryOptions(now: 0)
    var analyzer = Analyzer(parsed, options: options)
    let analyzed = analyzer.analyze(parsed.query)
    var plan = try #require(analyzed)
    plan.subplans[0].timeLimit = .zero
    let source = Self.events(10)
    let late = #expect(throws: QueryFailure.self) {
      try QueryRunner(plan, options: options).run(on: source) { _ in }
    }
    #expect(late?.code == "E408")
    options.deadline = .now - .seconds(1)
    let own = #expect(throws: QueryFailure.self) {
      try QueryRunner(plan, options: options).run(on: source) { _ in }
    }
    #expect(own?.code == "timed-out")
  }

  @Test func `what inner queries read is added up, what matched is the query's own`() throws {
    let query = try PreparedQuery(
      "filter id in (filter id < 3 | fields id)", options: QueryOptions(now: 0))
    let outcome = try query.run(on: Self.events(10)) { _ in }
    #expect(outcome.statistics.recordsScanned == 20)
    #expect(outcome.statistics.recordsMatched == 3)
    #expect(outcome.statistics.phases.map(\.name) == ["subqueries", "scan", "finish"])
  }

  @Test func `the right side of a join keeps only what is read`() throws {
    let parsed = QueryParser.parse(
      "join where id = half (fields half, @message, id) | fields right.id | limit 1")
    var analyzer = Analyzer(parsed, options: QueryOptions(now: 0))
    let analyzed = analyzer.analyze(parsed.query)
    let plan = try #require(analyzed)
    #expect(plan.subplans[0].plan.output.names == ["half", "id"])
  }

  @Test func `values of a subquery rule out row groups`() throws {
    let texts = (0..<100).map { "{\"id\":\($0)}" }
    let query = try PreparedQuery(
      "filter id in (filter @timestamp = \(MemorySource.start) | fields id) | fields id",
      options: QueryOptions(now: 0))
    let outcome = try query.run(on: StoredSources.file(texts, rowsPerGroup: 10)) { batch in
      #expect(batch.rowCount == 1)
    }
    #expect(outcome.statistics.rowGroupsSkipped >= 9)
  }

  @Test func `explain shows inner queries and what they would read`() throws {
    let query = try PreparedQuery(
      "filter id in (SOURCE \"app\" | filter id < 3 | fields id)", options: QueryOptions(now: 0))
    let forecast = try query.forecast(on: Self.events(10))
    #expect(forecast.plan.contains("subquery 1 for in\n"))
    #expect(forecast.plan.contains("filter id in subquery 1"))
    #expect(forecast.scans.map(\.name) == ["subquery 1 for in", "query"])
    #expect(forecast.scans.map(\.survey.statistics.rowsScanned) == [10, 10])
  }

  @Test func `log groups of the request and SOURCE exclude each other, but for subqueries`() throws
  {
    var options = QueryOptions(now: 0)
    options.logGroups = ["app"]
    let error = #expect(throws: QueryError.self) {
      try PreparedQuery("SOURCE \"app\" | fields id", options: options)
    }
    #expect(error?.diagnostics.map(\.id.code) == ["E201"])
    _ = try PreparedQuery("filter id in (SOURCE \"app\" | fields id)", options: options)
  }

  @Test func `a pipe is not read a second time in silence`() throws {
    let source = FileEventSource([.file("/dev/null")], options: .init(now: 0))
    let query = try PreparedQuery("filter id in (fields id)", options: QueryOptions(now: 0))
    let failure = #expect(throws: QueryFailure.self) { try query.run(on: source) { _ in } }
    #expect(failure?.description.contains("can be read only once") == true)
    _ = try PreparedQuery("fields id", options: QueryOptions(now: 0)).run(
      on: FileEventSource([.file("/dev/null")], options: .init(now: 0))
    ) { _ in }
  }

  @Test func `the commands so far run over another window`() throws {
    let parsed = QueryParser.parse("filter id < 50 | fields id * 2 as twice")
    var analyzer = Analyzer(parsed, options: QueryOptions(now: 0))
    analyzer.bindCommands(parsed.query)
    let window = MemorySource.start...(MemorySource.start + 120_000)
    let plan = analyzer.planSoFar(window: window, columns: analyzer.outputColumns())
    var statistics = QueryStatistics()
    let runner = QueryRunner(plan, options: QueryOptions(now: 0))
    let subplan = Subplan(name: "baseline", plan: plan, use: .rows)
    let result = try SubplanRun.result(of: subplan, in: runner, on: Self.events(10), &statistics)
    #expect(result.rowCount == 3)
    #expect(result.column(0).value(at: 0) == .integer(4))
  }
}

@Suite struct EqualityIndexTests {
  private static let values: [Value] = [
    .integer(0), .integer(1), .integer(7), .double(7.5), .double(-0.0), .integer(1 << 53 + 1),
    .double(0x1p53), .sourceNumber(SourceNumber(value: 7, text: "7.0")), .string("7"),
    .string("7.0"), .string(" 7 "), .string("7.5"), .string("true"), .string("TRUE"),
    .string("false"), .boolean(true), .jsonBoolean(false), .jsonBoolean(true), .string("1"),
    .string("2026-03-02T10:00:00Z"), .string("2026-03-02 10:00:00"),
    .timestamp(MemorySource.start), .integer(MemorySource.start), .timestamp(7),
    .string("1772445600000"), .string("é"), .string("e\u{301}"), .string(""), .missing,
    .list([.integer(7)]), .double(1e300), .string("1e300"), .string("NaN"),
  ]

  @Test func `finds what equals by the rules of the language, for random sets`() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let kept = (0..<20).map { _ in Self.values.randomElement(using: &generator)! }
      var index = EqualityIndex()
      var set = EqualityIndex(isSet: true)
      for value in kept {
        index.insert(value)
        set.insert(value)
      }
      let column = ColumnVector(Self.values)
      let rows = set.rows(of: column)
      let outside = set.rowsOutside(of: column)
      for (row, value) in Self.values.enumerated() {
        let equal = kept.indices.filter { value.satisfies(.equal, kept[$0]) }.map { UInt32($0) }
        #expect(index.entries(equalTo: value) == equal, "\(value), seed \(seed)")
        #expect(rows[row] == !equal.isEmpty, "\(value), seed \(seed)")
        let isValue = !value.isMissing && !value.isStructure
        #expect(outside[row] == (isValue && equal.isEmpty), "\(value), seed \(seed)")
      }
    }
  }
}
