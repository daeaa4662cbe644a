package import QueryLanguage

// `join` has two sides with names of their own. The left one is what this analyzer bound so far, the
// right one is bound by an inner analyzer, which stays at hand: a name behind the join that means the
// right side is bound there, and becomes a column of the inner query and a slot here. So the right
// side reads and keeps what is named, and nothing else.
//
//     alias.name    the field of that side
//     name          what was defined behind the join; else the left field, and where it is
//                   missing the right one

extension DiagnosticID {
  package static let joinSides = DiagnosticID("E124", "join-sides")
}

/// What names mean behind a `join`.
struct JoinScope {
  /// The scope before the join; exactly one.
  let left: [Scope]
  let leftAlias: String
  let rightAlias: String

  /// The side that a name begins with, and the rest of the name.
  func side(of name: FieldName) -> (isLeft: Bool, field: FieldName)? {
    for (alias, isLeft) in [(leftAlias, true), (rightAlias, false)] {
      let first = name.segments[0]
      if first == alias, name.segments.count > 1 {
        return (
          isLeft, FieldName(segments: Array(name.segments.dropFirst()), range: name.range)
        )
      }
      if first.hasPrefix(alias + "."), first.count > alias.count + 1 {
        let rest = [String(first.dropFirst(alias.count + 1))] + name.segments.dropFirst()
        return (isLeft, FieldName(segments: rest, range: name.range))
      }
    }
    return nil
  }
}

/// The right side of a `join`.
struct JoinSide {
  /// Binds names of the right side.
  var inner: Analyzer
  let subplan: Int
  /// The segment that the join ends.
  let segment: Int
  /// The key, in the slots of the inner query.
  let key: SlotID
  /// Slots of the inner query and what they are behind the join.
  var outputs: [(inner: SlotID, outer: SlotID)] = []
}

extension Analyzer {
  mutating func bindJoin(_ command: JoinCommand, at range: SourceRange) {
    let leftAlias = command.leftAlias?.text ?? "left"
    let rightAlias = command.rightAlias?.text ?? "right"
    if leftAlias == rightAlias {
      return report(Self.sameAlias(leftAlias, at: command.rightAlias?.range ?? range))
    }
    var inner = bindSubquery(command.subquery)
    let sides = JoinScope(left: [scope], leftAlias: leftAlias, rightAlias: rightAlias)
    guard let keys = keys(of: command, sides) else { return }
    let leftKey = slot(of: bindField(keys.left), named: keys.left.name)
    let known = inner.diagnostics.count
    let rightKey = inner.slot(of: inner.bindField(keys.right), named: keys.right.name)
    for diagnostic in inner.diagnostics.dropFirst(known) { report(diagnostic) }
    // The plan and its columns are put in when all names behind the join are known.
    let subplan = add(
      Subplan(
        name: "join", plan: inner.assembled(OutputStep(columns: [])), use: .join(key: 0),
        timeLimit: Self.subqueryTime))
    let step = JoinStep(
      subplan: subplan, key: leftKey, isLeft: command.type == .left, columns: [])
    joinSides.append(
      JoinSide(inner: inner, subplan: subplan, segment: segments.count, key: rightKey))
    closeSegment(barrier: .command(step))
    enter(sides, right: inner.scope)
    showRight(rightAlias, withoutKey: keys.left.name == keys.right.name ? rightKey : nil)
  }

  private mutating func enter(_ sides: JoinScope, right: Scope) {
    let left = scope
    scope = Scope()
    scope.isOpen = left.isOpen
    scope.labelled = left.labelled
    scope.available =
      left.available + right.available.filter { !left.available.contains($0) }
    scope.join = sides
  }

  /// The keys by side, in whichever order they are written.
  private mutating func keys(
    of command: JoinCommand, _ sides: JoinScope
  ) -> (left: FieldName, right: FieldName)? {
    let first = sides.side(of: command.firstKey)
    let second = sides.side(of: command.secondKey)
    if let first, let second, first.isLeft == second.isLeft {
      report(Self.oneSide(sides, at: command.secondKey.range))
      return nil
    }
    let isSwapped = first.map { !$0.isLeft } ?? second?.isLeft ?? false
    let firstField = first?.field ?? command.firstKey
    let secondField = second?.field ?? command.secondKey
    return isSwapped ? (secondField, firstField) : (firstField, secondField)
  }

  /// Adds what the right side shows to the columns shown where no `fields` lists them. A name that the
  /// left side shows too gets the alias in front; a key of the same name is shown once.
  private mutating func showRight(_ alias: String, withoutKey key: SlotID?) {
    let place = joinSides.count - 1
    var taken = Set(visible.made.map(\.name))
    if scope.isOpen { taken.formUnion(["@timestamp", "@message"]) }
    for column in joinSides[place].inner.outputColumns() {
      guard case .named(let name, let slot) = column, slot != key else { continue }
      visible.noteMade(taken.contains(name) ? "\(alias).\(name)" : name, joined(slot))
    }
  }

  /// The slot that a slot of the right side becomes.
  private mutating func joined(_ inner: SlotID) -> SlotID {
    let place = joinSides.count - 1
    let side = joinSides[place]
    if let known = side.outputs.first(where: { $0.inner == inner }) { return known.outer }
    let definition = side.inner.slots[inner]
    let outer = addSlot(
      definition.name, .barrier, mayBeStructure: definition.mayBeStructure,
      segment: side.segment + 1)
    joinSides[place].outputs.append((inner, outer))
    return outer
  }

  private static func sameAlias(_ alias: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .joinSides, .error, "both sides of join are called '\(alias)'", at: range,
      notes: [.init("give one of them another alias")])
  }

  private static func oneSide(_ sides: JoinScope, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .joinSides, .error, "both keys belong to the same side of join", at: range,
      notes: [
        .init("write \(sides.leftAlias).field = \(sides.rightAlias).field")
      ])
  }
}

// MARK: - Names

extension Analyzer {
  /// What a name with the alias of a side means; `nil` if that side has no such field.
  mutating func resolve(_ name: FieldName, isLeft: Bool, _ sides: JoinScope) -> BoundExpression? {
    guard isLeft else { return resolveRight(name) }
    let joined = scope
    scope = sides.left[0]
    defer { scope = joined }
    return resolve(name)
  }

  private mutating func resolveRight(_ name: FieldName) -> BoundExpression? {
    let place = joinSides.count - 1
    let known = joinSides[place].inner.diagnostics.count
    guard let bound = joinSides[place].inner.resolve(name) else { return nil }
    for diagnostic in joinSides[place].inner.diagnostics.dropFirst(known) { report(diagnostic) }
    let inner = joinSides[place].inner.slot(of: bound, named: name.name)
    return BoundExpression(.slot(joined(inner)))
  }

  /// What a name without alias means: the left field, and where it is missing the right one.
  mutating func resolveOnBothSides(_ name: FieldName, _ sides: JoinScope) -> BoundExpression? {
    let left = resolve(name, isLeft: true, sides)
    // What every event has is never missing on the left.
    if let slot = left?.slot, case .event(let field) = slots[slot].source, field.isInEveryEvent {
      return left
    }
    guard let right = resolveRight(name) else { return left }
    guard let left else { return right }
    return BoundExpression(.coalesce([left, right]))
  }
}

extension EventField {
  /// Whether no event is without it.
  var isInEveryEvent: Bool { if case .discovered = self { false } else { true } }
}

// MARK: - The finished plan

extension JoinSide {
  /// Puts the right side's plan into the whole, with the columns that are read behind the join.
  func finish(_ plan: inout LogicalPlan) {
    guard case .command(let command)? = plan.segments[segment].barrier,
      var step = command as? JoinStep
    else { return }
    let read = PlanLayout.slotsRead(behind: segment, in: plan)
    let wanted = outputs.filter { read.contains($0.outer) }
    var inner = inner
    inner.closeSegment(barrier: nil)
    var columns: [OutputStep.Column] = [.named(inner.slots[key].name, key)]
    for (position, output) in wanted.enumerated() {
      columns.append(.named(inner.slots[output.inner].name, output.inner))
      step.columns.append(JoinStep.Column(position: position + 1, slot: output.outer))
    }
    plan.subplans[subplan].plan = inner.assembled(OutputStep(columns: columns))
    plan.segments[segment].barrier = .command(step)
  }
}
