package import QueryLanguage

// `diff` runs the commands before it twice: over the window of the query, and as an inner query over
// an earlier window of equal length.

extension DiagnosticID {
  package static let noWindow = DiagnosticID("E215", "no-window")
  package static let nothingToCompare = DiagnosticID("E216", "nothing-to-compare")
}

extension Analyzer {
  mutating func bindDiff(_ command: DiffCommand, at range: SourceRange) {
    bindComparison("diff", at: range) { window in
      let (length, overflow) = window.upperBound.subtractingReportingOverflow(window.lowerBound)
      let distance: DurationLiteral =
        switch command.baseline {
        case .preceding:
          DurationLiteral(count: overflow || length == .max ? .max : length + 1, unit: .millisecond)
        case .previousDay: DurationLiteral(count: 1, unit: .day)
        case .previousWeek: DurationLiteral(count: 1, unit: .week)
        case .previousMonth: DurationLiteral(count: 1, unit: .month)
        }
      return window.moved { Period(distance).shift(bound: $0, isNegative: true) }
    }
  }

  /// Compares patterns with those of an earlier window.
  mutating func bindComparison(
    _ name: String, at range: SourceRange,
    baseline: (ClosedRange<Int64>) -> ClosedRange<Int64>
  ) {
    guard let window = scan.window, isBounded(window) else {
      report(Self.noWindow(name, at: range))
      return
    }
    if scope.named["@pattern"] == nil, scope.isOpen {
      let message = bindField(FieldName(segments: ["@message"], range: range))
      bindPattern(slot(of: message, named: "@message"), alias: nil)
    }
    guard let pattern = scope.named["@pattern"], let count = scope.named["@sampleCount"],
      let severity = scope.named["@severityLabel"]
    else {
      report(
        Diagnostic(
          .nothingToCompare, .error, "\(name) compares patterns, and these rows are none",
          at: range, notes: [.init("put it behind pattern")]))
      return
    }
    let plan = planSoFar(
      window: baseline(window),
      columns: [
        .named("@pattern", pattern), .named("@sampleCount", count),
        .named("@severityLabel", severity),
      ])
    let subplan = add(Subplan(name: name, plan: plan, use: .rows))
    let names = [
      "@pattern", "@sampleCount", "@baselineCount", "@differenceCount", "@differenceDescription",
      "@severityLabel",
    ]
    let outputs = names.map {
      addSlot($0, .barrier, mayBeStructure: false, segment: segments.count + 1)
    }
    closeSegment(
      barrier: .command(
        DiffStep(
          name: name, pattern: pattern, count: count, severity: severity, subplan: subplan,
          outputs: outputs)))
    scope = Scope()
    scope.isOpen = false
    visible.startAfresh()
    for (name, slot) in zip(names, outputs) {
      scope.define(name, slot)
      visible.make(name, slot)
    }
  }

  /// Times beyond this, in ms, stand for a side of the window that is not given.
  private static let farthest: Int64 = 1 << 60

  /// Whether the window has a start and an end.
  func isBounded(_ window: ClosedRange<Int64>) -> Bool {
    window.lowerBound > -Self.farthest && window.upperBound < Self.farthest
  }

  static func noWindow(_ command: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .noWindow, .error, "\(command) needs a window with a start and an end", at: range,
      notes: [.init("give --start and --end, or START= and END= in SOURCE")])
  }
}

extension ClosedRange<Int64> {
  func moved(_ move: (Int64) -> Int64) -> ClosedRange<Int64> {
    let lower = move(lowerBound)
    return lower...Swift.max(lower, move(upperBound))
  }
}
