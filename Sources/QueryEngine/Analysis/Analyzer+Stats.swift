import Columnar
import QueryLanguage

// `stats` makes two scopes of one: keys and arguments of aggregates are bound among the names of the
// rows, outputs among the keys and the outputs before them. Each aggregate becomes a slot that the
// barrier fills; an output that is more than one aggregate (`max(ms) - min(ms)`) is an ordinary
// definition over those slots in the next segment.

/// The aggregates of a `stats` whose outputs are being bound.
struct AggregationBuilder {
  /// The names that keys and arguments see.
  var rowScope: Scope
  var outputs: [StatsStep.Output] = []
  /// Aggregates met before: `avg(ms)` written twice is computed once.
  var known: [Expression: SlotID] = [:]
  /// Where the first `topk` stands.
  var topk: SourceRange?
}

extension Analyzer {
  mutating func bindStats(_ command: StatsCommand) {
    let offset = bindOffset(of: command)
    let rowScope = scope
    var groupScope = Scope()
    groupScope.isOpen = false
    var keys: [StatsStep.Key] = []
    var columns: [(name: String, slot: SlotID)] = []
    for key in command.keys {
      var bound = bindExpression(key.expression)
      if let offset, key.isBin {
        // Earlier data under current labels.
        bound = BoundExpression(.shift(bound, offset, isNegative: false))
      }
      if isStructure(bound) {
        report(AnalyzerDiagnostics.structure("stats", key.label, at: key.range))
      }
      let slot = addBarrierSlot(key.outputName)
      keys.append(StatsStep.Key(expression: bound, output: slot))
      columns.append((key.outputName, slot))
      groupScope.define(key.outputName, slot)
      groupScope.labelled[key.expression] = slot
      if key.isTimeKey, groupScope.timeKey == nil { groupScope.timeKey = slot }
    }
    aggregation = AggregationBuilder(rowScope: rowScope)
    scope = groupScope
    for output in command.outputs { columns.append(bindOutput(output)) }
    finishStats(command, keys: keys, columns: columns)
  }

  private mutating func bindOutput(_ output: AliasedExpression) -> (name: String, slot: SlotID) {
    let bound = bindExpression(output.expression)
    if options.isStrict, let alias = output.alias, output.expression.names(alias.name) {
      report(AnalyzerDiagnostics.alreadyDefined(alias.name, at: alias.range))
    }
    let slot: SlotID
    if let own = bound.slot {
      slot = own
      scope.define(output.outputName, own)
      if output.alias == nil { scope.labelled[output.expression] = own }
    } else {
      // Computed from aggregates: the definition belongs to the segment behind the barrier.
      slot = addSlot(
        output.outputName, .expression(bound), mayBeStructure: mayBeStructure(bound),
        segment: segments.count + 1)
      scope.define(output.outputName, slot)
      if output.alias == nil { scope.labelled[output.expression] = slot }
    }
    return (output.outputName, slot)
  }

  private mutating func finishStats(
    _ command: StatsCommand, keys: [StatsStep.Key], columns: [(name: String, slot: SlotID)]
  ) {
    guard let builder = aggregation else { return }
    aggregation = nil
    if let topk = builder.topk, builder.outputs.count > 1 || !keys.isEmpty {
      report(AnalyzerDiagnostics.topkNotAlone(at: topk))
    }
    var step = StatsStep(keys: keys, aggregates: builder.outputs)
    step.timeKey = command.keys.firstIndex(where: \.isTimeKey)
    closeSegment(barrier: .stats(step))
    visible.startOver(with: columns)
  }

  /// How far back the events lie that `offset` reads in place of those of the window.
  private mutating func bindOffset(of command: StatsCommand) -> Period? {
    guard let literal = command.offset else { return nil }
    guard command.keys.contains(where: { $0.isBin }) else {
      report(
        Diagnostic(.offsetWithoutBin, .error, "offset needs 'by bin(…)'", at: literal.range))
      return nil
    }
    if offset != nil {
      report(
        Diagnostic(
          .givenTwice, .error, "an earlier stats has an offset already", at: literal.range,
          notes: [.init("the events of a query are read over one window")]))
    }
    offset = Period(literal)
    return offset
  }

  private mutating func addBarrierSlot(_ name: String, mayBeStructure: Bool = false) -> SlotID {
    // Filled by the barrier that ends this segment, so it exists from the next one on.
    addSlot(name, .barrier, mayBeStructure: mayBeStructure, segment: segments.count + 1)
  }

  // MARK: Aggregates

  /// The slot of an aggregate; reported where no aggregate may stand.
  mutating func bindAggregate(
    _ function: AggregateFunction, _ call: FunctionCall, as expression: Expression
  ) -> BoundExpression {
    if isInsideAggregate {
      report(AnalyzerDiagnostics.nestedAggregate(at: call.range))
      return .missing
    }
    guard let builder = aggregation else {
      report(AnalyzerDiagnostics.misplacedAggregate(call.function.text, at: call.range))
      return .missing
    }
    if let slot = builder.known[expression] { return BoundExpression(.slot(slot)) }
    guard let bound = aggregateCall(function, call) else { return .missing }
    let returnsStructure = [.values, .topk, .histogram].contains(function)
    let slot = addBarrierSlot(source[call.range], mayBeStructure: returnsStructure)
    slots[slot].mention = call.range
    aggregation?.outputs.append(StatsStep.Output(aggregate: bound, output: slot))
    aggregation?.known[expression] = slot
    if function == .topk, builder.topk == nil { aggregation?.topk = call.range }
    return BoundExpression(.slot(slot))
  }

  private mutating func aggregateCall(
    _ function: AggregateFunction, _ call: FunctionCall
  ) -> AggregateCall? {
    guard checkCount(function, call) else { return nil }
    warnAboutTime(function, call)
    if call.function.folded == "percentile" {
      report(
        LanguageDiagnostics.foreignSpelling(
          call.function.text, of: "pct", at: call.function.range))
    }
    var arguments = call.arguments
    guard let kind = aggregateKind(function, &arguments, of: call) else { return nil }
    var bound = AggregateCall(kind: kind)
    if let argument = arguments.first { bound.argument = bindArgument(argument, of: call) }
    if function.needsTime {
      guard let time = timeSlot(for: call) else { return nil }
      bound.time = time
    }
    return bound
  }

  /// The function with its constants, which are taken out of the arguments.
  private mutating func aggregateKind(
    _ function: AggregateFunction, _ arguments: inout [Expression], of call: FunctionCall
  ) -> AggregateKind? {
    switch function {
    case .count: return arguments.isEmpty ? .countRows : .count
    case .countOverTime: return .count
    case .countDistinct: return .countDistinct
    case .sum, .sumOverTime: return .sum
    case .avg: return .average
    case .min: return .minimum
    case .max: return .maximum
    case .stddev: return .standardDeviation
    case .variance: return .variance
    case .values: return .values
    case .earliest: return .earliest
    case .latest: return .latest
    case .sortsFirst: return .sortsFirst
    case .sortsLast: return .sortsLast
    case .pct: return bindPercentile(arguments.removeLast(), of: call).map { .percentile($0) }
    case .topk:
      return bindSize(arguments.removeFirst(), of: call, 1, upTo: 10_000).map { .topK($0) }
    case .histogram:
      return bindSize(arguments.removeLast(), of: call, 2, upTo: 1_000)
        .map { .histogram(buckets: $0) }
    case .rate:
      arguments.removeLast()
      return bindPeriod(call, 1).flatMap { period in
        if let milliseconds = period.milliseconds {
          return .rate(periodMilliseconds: Double(milliseconds))
        }
        report(
          AnalyzerDiagnostics.badArgument(
            call.function.text, 2, mustBe: "a period of fixed length",
            not: "'\(source[call.arguments[1].range])'", at: call.arguments[1].range))
        return nil
      }
    }
  }

  /// Binds an argument among the names of the rows.
  private mutating func bindArgument(
    _ argument: Expression, of call: FunctionCall
  ) -> BoundExpression {
    let groupScope = scope
    scope = aggregation?.rowScope ?? scope
    isInsideAggregate = true
    defer {
      isInsideAggregate = false
      scope = groupScope
    }
    if call.function.folded == "count", case .binary(let sign, _, _) = argument.kind,
      sign.isComparison
    {
      report(AnalyzerDiagnostics.countHint(at: call.range))
    }
    let bound = bindExpression(argument)
    if isStructure(bound) {
      report(AnalyzerDiagnostics.structure("stats", source[argument.range], at: argument.range))
    }
    return bound
  }

  private mutating func checkCount(_ function: AggregateFunction, _ call: FunctionCall) -> Bool {
    let range = function.argumentCount
    if call.hasStar, function == .count { return true }
    if !call.hasStar, range.contains(call.arguments.count) { return true }
    let takes =
      range.lowerBound == range.upperBound
      ? "\(range.lowerBound) argument\(range.lowerBound == 1 ? "" : "s")"
      : "at most \(range.upperBound) argument"
    report(
      AnalyzerDiagnostics.argumentCount(
        call.function.text, takes: takes, given: call.hasStar ? 1 : call.arguments.count,
        at: call.range))
    return false
  }

  private mutating func warnAboutTime(_ function: AggregateFunction, _ call: FunctionCall) {
    if function == .countOverTime || function == .sumOverTime, scope.timeKey == nil {
      report(AnalyzerDiagnostics.noTimeKey(call.function.text, at: call.range))
    }
  }

  private mutating func bindPercentile(_ argument: Expression, of call: FunctionCall) -> Double? {
    let value: Double? =
      switch bindExpression(argument).literal {
      case .integer(let number)?: Double(number)
      case .double(let number)?: number
      default: nil
      }
    if let value, (0...100).contains(value) { return value }
    report(
      AnalyzerDiagnostics.badArgument(
        call.function.text, 2, mustBe: "a number from 0 to 100",
        not: "'\(source[argument.range])'", at: argument.range))
    return nil
  }

  private mutating func bindSize(
    _ argument: Expression, of call: FunctionCall, _ number: Int, upTo limit: Int
  ) -> Int? {
    if case .integer(let value)? = bindExpression(argument).literal, value >= 1, value <= limit {
      return Int(value)
    }
    report(
      AnalyzerDiagnostics.badArgument(
        call.function.text, number, mustBe: "a whole number from 1 to \(limit)",
        not: "'\(source[argument.range])'", at: argument.range))
    return nil
  }

  /// The slot of the rows' time, reported if an earlier `stats` dropped it.
  private mutating func timeSlot(for call: FunctionCall) -> SlotID? {
    let groupScope = scope
    scope = aggregation?.rowScope ?? scope
    defer { scope = groupScope }
    if scope.isOpen { return eventSlot(.timestamp) }
    if let slot = scope.named["@timestamp"] { return slot }
    report(AnalyzerDiagnostics.timeDropped(call.function.text, period: nil, at: call.range))
    return nil
  }
}

extension AliasedExpression {
  fileprivate var isBin: Bool {
    if case .call(let call) = expression.kind { call.function.folded == "bin" } else { false }
  }
}

extension Expression {
  /// Whether the field of this name stands anywhere in it.
  fileprivate func names(_ field: String) -> Bool {
    fieldName?.name == field || children.contains { $0.names(field) }
  }
}
