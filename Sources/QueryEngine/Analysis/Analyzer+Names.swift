import Columnar
import QueryLanguage

// What a name means, tried in this order: a definition of exactly this name; a definition that the
// name reaches into (`lf.key` of `parse logfmt as lf`); a field of the event; for `@name` a
// definition called `name`. After a `stats` only its outputs are left.

extension Analyzer {
  /// The value a name stands for, reported if there is none.
  mutating func bindField(_ name: FieldName) -> BoundExpression {
    if let bound = resolve(name) { return bound }
    if aggregation != nil, !isInsideAggregate {
      report(AnalyzerDiagnostics.notAggregated(name.name, at: name.range))
    } else {
      report(AnalyzerDiagnostics.unknownField(name.name, scope.available, at: name.range))
    }
    return .missing
  }

  /// The value a name stands for, or `nil` if it stands for nothing.
  mutating func resolve(_ name: FieldName) -> BoundExpression? {
    let full = name.name
    if let slot = scope.named[full] { return BoundExpression(.slot(slot)) }
    if let sides = scope.join, let (isLeft, field) = sides.side(of: name) {
      return resolve(field, isLeft: isLeft, sides)
    }
    if full == "@timestamp", let timeKey = scope.timeKey { return BoundExpression(.slot(timeKey)) }
    if let navigated = resolvePath(name) { return navigated }
    if let plain = fallback(for: name) {
      report(AnalyzerDiagnostics.systemNameFallback(full, at: name.range))
      return BoundExpression(.slot(plain))
    }
    if let sides = scope.join { return filled(resolveOnBothSides(name, sides), full) }
    guard scope.isOpen else { return nil }
    return filled(
      BoundExpression(.slot(eventSlot(EventField(name: full), at: name.range))), full)
  }

  /// A path into a definition that may be a map or list: the longest prefix that is one counts.
  private func resolvePath(_ name: FieldName) -> BoundExpression? {
    let parts = name.segments
    for length in stride(from: parts.count - 1, to: 0, by: -1) {
      guard let slot = scope.named[parts[..<length].joined(separator: ".")],
        slots[slot].mayBeStructure
      else { continue }
      return parts[length...].reduce(BoundExpression(.slot(slot))) { operand, part in
        BoundExpression(.member(operand, part))
      }
    }
    return nil
  }

  /// The definition called `name` that `@name` means, when nothing is called `@name`.
  private func fallback(for name: FieldName) -> SlotID? {
    guard name.isSystem, !Self.systemFields.contains(name.segments[0]) else { return nil }
    return scope.named[String(name.name.dropFirst())]
  }

  /// Fields that events have by themselves, so that no definition is meant by them.
  private static let systemFields: Set<String> = [
    "@timestamp", "@ingestionTime", "@message", "@logStream", "@log", "@ptr", "@entity", "@aws",
    "@source", "@data_source_name", "@data_source_type", "@data_format", "@type", "@requestId",
    "@duration", "@billedDuration", "@initDuration", "@memorySize", "@maxMemoryUsed",
    "@xrayTraceId", "@xraySegmentId",
  ]

  /// Whether the value may be a map or a list.
  func mayBeStructure(_ bound: BoundExpression) -> Bool {
    switch bound.kind {
    case .slot(let slot): slots[slot].mayBeStructure
    case .list, .member, .index: true
    case .call(let call): call.function.mayReturnStructure
    case .conditional(let branches, let otherwise):
      branches.contains { mayBeStructure($0.value) } || mayBeStructure(otherwise)
    case .coalesce(let list): list.contains { mayBeStructure($0) }
    default: false
    }
  }

  /// Whether the value is a map or a list wherever there is one.
  func isStructure(_ bound: BoundExpression) -> Bool {
    switch bound.kind {
    case .list: return true
    case .call(let call): return ["list", "map", "map or list"].contains(call.function.result)
    case .slot(let slot):
      if case .expression(let definition) = slots[slot].source { return isStructure(definition) }
      if case .capture(let extraction, _) = slots[slot].source,
        case .logfmt = extractions[extraction].method
      {
        return true
      }
      return false
    default: return false
    }
  }
}
