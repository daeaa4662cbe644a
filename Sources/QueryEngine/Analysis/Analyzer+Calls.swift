import Columnar
import QueryLanguage

extension Analyzer {
  mutating func bindCall(_ call: FunctionCall, as expression: Expression) -> BoundExpression {
    if let aggregate = AggregateFunction(folded: call.function.folded) {
      return bindAggregate(aggregate, call, as: expression)
    }
    switch call.function.folded {
    case "bin": return bindBin(call)
    case "datefloor": return bindRounding(call, isUp: false)
    case "dateceil": return bindRounding(call, isUp: true)
    case "ispresent":
      guard hasArguments(call, 1...1) else { return .missing }
      return BoundExpression(.present(bindExpression(call.arguments[0])))
    case "coalesce":
      guard hasArguments(call, 1...Int.max) else { return .missing }
      return BoundExpression(.coalesce(call.arguments.map { bindExpression($0) }))
    case "if":
      guard hasArguments(call, 3...3) else { return .missing }
      return bindConditional(call)
    case "case":
      // Ten branches and a default.
      guard hasArguments(call, 2...21) else { return .missing }
      return bindConditional(call)
    default: break
    }
    return bindCatalogueCall(call)
  }

  private mutating func bindConditional(_ call: FunctionCall) -> BoundExpression {
    let bound = call.arguments.map { bindExpression($0) }
    let branches = stride(from: 0, to: bound.count - 1, by: 2).map { index in
      ConditionalBranch(condition: bound[index], value: bound[index + 1])
    }
    let otherwise = bound.count % 2 == 1 ? bound[bound.count - 1] : .missing
    return BoundExpression(.conditional(branches, otherwise: otherwise))
  }

  /// `bin(p)`: the time of the event, floored; after a `stats` only if a column has that name.
  private mutating func bindBin(_ call: FunctionCall) -> BoundExpression {
    guard hasArguments(call, 1...1), let period = bindPeriod(call, 0) else { return .missing }
    let time: SlotID
    if scope.isOpen {
      time = scope.named["@timestamp"] ?? eventSlot(.timestamp)
    } else if let slot = scope.named["@timestamp"] {
      time = slot
    } else {
      report(
        AnalyzerDiagnostics.timeDropped(
          "bin()", period: source[call.arguments[0].range], at: call.range))
      return .missing
    }
    return BoundExpression(.rounded(BoundExpression(.slot(time)), period, isUp: false))
  }

  private mutating func bindRounding(_ call: FunctionCall, isUp: Bool) -> BoundExpression {
    guard hasArguments(call, 2...2), let period = bindPeriod(call, 1) else { return .missing }
    return BoundExpression(.rounded(bindExpression(call.arguments[0]), period, isUp: isUp))
  }

  /// An argument that must be a period such as `5m`.
  mutating func bindPeriod(_ call: FunctionCall, _ index: Int) -> Period? {
    if case .duration(let duration) = call.arguments[index].kind {
      return Period(duration.capped)
    }
    let argument = call.arguments[index]
    report(
      AnalyzerDiagnostics.badArgument(
        call.function.text, index + 1, mustBe: "a period such as 5m",
        not: "'\(source[argument.range])'", at: argument.range))
    return nil
  }

  private mutating func hasArguments(_ call: FunctionCall, _ range: ClosedRange<Int>) -> Bool {
    if !call.hasStar, range.contains(call.arguments.count) { return true }
    let takes =
      range.lowerBound == range.upperBound
      ? "\(range.lowerBound) argument\(range.lowerBound == 1 ? "" : "s")"
      : range.upperBound == .max
        ? "at least \(range.lowerBound) argument\(range.lowerBound == 1 ? "" : "s")"
        : "\(range.lowerBound) to \(range.upperBound) arguments"
    report(
      AnalyzerDiagnostics.argumentCount(
        call.function.text, takes: takes, given: call.hasStar ? 1 : call.arguments.count,
        at: call.range))
    return false
  }

  // MARK: Functions of the catalogue

  private mutating func bindCatalogueCall(_ call: FunctionCall) -> BoundExpression {
    guard let function = FunctionCatalog.scalar(call.function.folded) else {
      report(
        AnalyzerDiagnostics.unknownFunction(
          call.function.text, among: FunctionCatalog.names, at: call.function.range))
      return .missing
    }
    let counts = function.argumentCounts
    guard hasArguments(call, counts.least...(counts.most ?? .max)) else { return .missing }
    let arguments = call.arguments.map { bindArgument($0, of: function) }
    do throws(ArgumentProblem) {
      let prepared = try function.prepared(literals: arguments.map(\.literal))
      return BoundExpression(
        .call(
          BoundCall(
            function: function, arguments: arguments, prepared: prepared, place: call.range)))
    } catch {
      report(diagnostic(error, of: call))
      return .missing
    }
  }

  /// An argument; a regular expression between slashes is its pattern as a text.
  private mutating func bindArgument(
    _ argument: Expression, of function: ScalarFunction
  ) -> BoundExpression {
    guard case .regex(let regex) = argument.kind else { return bindExpression(argument) }
    guard function.name == "regexReplace", compile(regex) != nil else {
      return bindExpression(argument)
    }
    return BoundExpression(.literal(.string(regex.pattern)))
  }

  private func diagnostic(_ problem: ArgumentProblem, of call: FunctionCall) -> Diagnostic {
    let range = call.arguments[problem.argument].range
    switch problem.kind {
    case .mustBe(let what):
      return AnalyzerDiagnostics.badArgument(
        call.function.text, problem.argument + 1, mustBe: what, not: "'\(source[range])'",
        at: range)
    case .unsupportedDateCode(let code): return AnalyzerDiagnostics.badDateCode(code, at: range)
    case .badRegex(let reason): return AnalyzerDiagnostics.badRegex(reason, at: range)
    }
  }
}
