import QueryLanguage

extension Analyzer {
  mutating func bindAnomaly(at range: SourceRange) {
    if let window = scan.window, !isBounded(window) {
      report(Self.noWindow("anomaly", at: range))
      return
    }
    if scope.named["@pattern"] == nil, scope.isOpen {
      let message = bindField(FieldName(segments: ["@message"], range: range))
      bindPattern(slot(of: message, named: "@message"), alias: nil)
    }
    let place = segments.lastIndex { $0.barrier?.makesNewRows == true }
    guard let place, case .command(let command)? = segments[place].barrier,
      var step = command as? PatternStep, step.isOverEvents
    else {
      report(
        Diagnostic(
          .nothingToCompare, .error, "anomaly needs the patterns of events", at: range,
          notes: [.init("put it behind a pattern that stands before every other aggregation")]))
      return
    }
    let buckets =
      step.buckets
      ?? addSlot("@buckets", .barrier, mayBeStructure: true, segment: place + 1)
    let findings =
      step.findings
      ?? addSlot("@findings", .barrier, mayBeStructure: true, segment: place + 1)
    step.buckets = buckets
    step.findings = findings
    segments[place].barrier = .command(step)
    let names = ["@anomaly", "@anomalyType", "@anomalyScore", "@anomalyDescription"]
    let outputs = names.map { output(FieldName(segments: [$0]), mayBeStructure: false) }
    close(
      with: AnomalyStep(
        buckets: buckets, findings: findings, anomaly: outputs[0].slot, type: outputs[1].slot,
        score: outputs[2].slot, description: outputs[3].slot),
      outputs)
  }
}
