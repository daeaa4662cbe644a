import Columnar
import LogStorage
import QueryLanguage

// From syntax to plan: every name becomes a slot, every command a part of a segment, every mistake
// a diagnostic. The analyzer goes through the commands once, in written order, with the scope of
// names in hand; a mistake in one command does not stop it, so one run reports them all.

/// Turns a parsed query into a plan.
struct Analyzer {
  let source: SourceText
  let options: QueryOptions
  var diagnostics: [Diagnostic] = []

  var scope = Scope()
  var visible = VisibleColumns()
  var slots: [Slot] = []
  var extractions: [Extraction] = []
  /// What `parse` has named, which CloudWatch does not let `fields` list again.
  var parsedSlots: Set<SlotID> = []
  var segments: [PlanSegment] = []
  var segment = PlanSegment()
  /// Places of the `sort`s of the segment, for W101.
  var sortsOfSegment: [SourceRange] = []
  var lastDisplay: SourceRange?
  /// The `stats` whose outputs are being bound.
  var aggregation: AggregationBuilder?
  /// Whether an argument of an aggregate is being bound.
  var isInsideAggregate = false
  /// The command being bound, for messages.
  var commandName = ""

  private var hasDedup = false
  /// The `diff` or `logcompare` met, which little may follow.
  private var comparison: Command?
  private(set) var eventSlots: [EventField: SlotID] = [:]
  /// Fields filled by a `filldown` that means all, by its segment and the slot they had before.
  var filledSlots: [[Int]: SlotID] = [:]
  var scan: ScanStep

  /// Whether a SOURCE was met.
  var hasSource = false
  /// The window that the SOURCE commands give.
  var windowOfSource: ClosedRange<Int64>?
  /// How far back `stats … offset` moves the window that is read.
  var offset: Period?
  /// Right sides of `join`, which take names as long as the query goes on.
  var joinSides: [JoinSide] = []
  /// The only column of an `estimate`.
  var estimate: SlotID?
  /// Bytes that the tables of `lookup` take.
  var tableByteCount = 0
  /// Queries that are run before this one.
  var subplans: [Subplan] = []

  private let parserDiagnostics: [Diagnostic]

  init(_ parsed: ParsedQuery, options: QueryOptions) {
    source = parsed.source
    parserDiagnostics = parsed.diagnostics
    self.options = options
    scan = ScanStep(logGroups: options.logGroups, window: options.window)
  }

  /// For a query inside another one, in the same text.
  init(inside outer: Analyzer) {
    source = outer.source
    parserDiagnostics = outer.parserDiagnostics
    var options = outer.options
    options.logGroups = nil
    options.window = outer.scan.window
    self.options = options
    scan = ScanStep()
  }

  /// The plan of a query, or `nil` if `diagnostics` holds an error.
  mutating func analyze(_ query: Query) -> LogicalPlan? {
    bindCommands(query)
    closeSegment(barrier: nil)
    let output = OutputStep(columns: outputColumns())
    guard !diagnostics.contains(where: { $0.severity == .error }) else { return nil }
    return assembled(output)
  }

  /// Binds the commands in the order in which they act.
  mutating func bindCommands(_ query: Query) {
    for command in arranged(query.commands) { bind(command) }
  }

  /// The plan of what was bound; its last segment is closed.
  func assembled(_ output: OutputStep) -> LogicalPlan {
    var scan = scan
    scan.statedWindow = scan.window
    if let offset { scan.window = scan.window?.moved(back: offset) }
    var plan = LogicalPlan(
      scan: scan, segments: segments, slots: slots, extractions: extractions, output: output,
      subplans: subplans, estimate: estimate, tableByteCount: tableByteCount)
    for side in joinSides { side.finish(&plan) }
    return plan
  }
}

// MARK: - Commands

extension Analyzer {
  private mutating func bind(_ arranged: ArrangedCommand) {
    let command = arranged.command
    commandName = command.name
    checkPlaceAfterComparison(command)
    switch command.kind {
    case .fields(let fields): bindFields(fields)
    case .display(let display): bindDisplay(display, at: command.keywordRange)
    case .filter(let filter):
      withNames(arranged.renamedKeys) { $0.addFilter(filter.condition) }
    case .search(let search): bindSearch(search, at: command.range)
    case .filterIndex(let filter): for condition in filter.conditions { addFilter(condition) }
    case .parse(let parse): bindParse(parse, at: command.keywordRange)
    case .stats(let stats): bindStats(stats)
    case .sort(let sort): bindSort(sort, at: command.keywordRange)
    case .limit(let limit): bindLimit(limit)
    case .dedup(let dedup): bindDedup(dedup)
    case .source(let source): bindSource(source, at: command.range)
    case .accum(let accum): bindAccum(accum, at: command.keywordRange)
    case .autoregress(let step): bindAutoregress(step, at: command.keywordRange)
    case .filldown(let filldown): bindFilldown(filldown, at: command.keywordRange)
    case .unnest(let unnest): bindUnnest(unnest)
    case .join(let join): bindJoin(join, at: command.keywordRange)
    case .appendcols(let append): bindAppendcols(append)
    case .countFrequent(let frequent): bindCountFrequent(frequent)
    case .expand(let expand): bindExpand(expand)
    case .pattern(let pattern): bindPattern(pattern)
    case .json(let json): bindJSON(json)
    case .outlier(let outlier): bindOutlier(outlier)
    case .sessionize(let sessionize): bindSessionize(sessionize, at: command.keywordRange)
    case .addtotals(let totals): bindAddtotals(totals, at: command.keywordRange)
    case .fillmissing(let fill): bindFillmissing(fill, at: command.keywordRange)
    case .estimate: bindEstimate()
    case .lookup(let lookup): bindLookup(lookup)
    case .cidrlookup(let lookup): bindCidrlookup(lookup)
    case .diff(let diff): bindDiff(diff, at: command.keywordRange)
    case .logcompare(let compare): bindLogcompare(compare, at: command.keywordRange)
    case .anomaly: bindAnomaly(at: command.keywordRange)
    case .relevantfields(let fields): bindRelevantfields(fields, at: command.keywordRange)
    // Calls of saved queries are replaced before the text is read; one that is left was refused.
    case .invalid, .savedQuery: break
    }
    if options.isStrict { checkPlaceAfterDedup(command) }
  }

  private mutating func bindFields(_ command: FieldsCommand) {
    let listedBefore = visible.listedNames
    visible.beginFields()
    for item in command.items {
      guard case .expression(let aliased) = item else {
        if scope.isOpen { visible.listDiscovered() } else { listAllOutputs() }
        continue
      }
      let name = aliased.outputName
      let isNew = aliased.expression.fieldName == nil || aliased.alias != nil
      if isNew { forbidRedefinition(of: name, at: aliased.alias?.range) }
      let slot = bindColumn(aliased)
      if isNew { visible.noteMade(name, slot) }
      if options.isStrict, !isNew, parsedSlots.contains(slot) {
        report(AnalyzerDiagnostics.alreadyDefined(name, at: aliased.range))
      }
      if !isNew, listedBefore.contains(name) {
        if options.isStrict {
          report(AnalyzerDiagnostics.alreadyDefined(name, at: aliased.range))
        }
        continue
      }
      visible.list(name, slot, replacing: listedBefore.contains(name))
    }
  }

  private mutating func listAllOutputs() {
    for (name, slot) in visible.made { visible.list(name, slot, replacing: true) }
  }

  private mutating func bindDisplay(_ command: DisplayCommand, at range: SourceRange) {
    if let lastDisplay { report(AnalyzerDiagnostics.severalDisplays(at: lastDisplay)) }
    lastDisplay = range
    visible.display = command.columns.map { aliased in
      .named(aliased.outputName, bindColumn(aliased))
    }
  }

  /// The slot of a column, and its name defined if it is new.
  private mutating func bindColumn(_ aliased: AliasedExpression) -> SlotID {
    let bound = bindExpression(aliased.expression)
    if aliased.alias == nil, aliased.expression.fieldName != nil, let slot = bound.slot {
      return slot
    }
    return define(aliased, as: bound)
  }

  /// Gives a computed column its slot and its name.
  mutating func define(_ aliased: AliasedExpression, as bound: BoundExpression) -> SlotID {
    let slot = addSlot(
      aliased.outputName, .expression(bound), mayBeStructure: mayBeStructure(bound))
    slots[slot].mention = aliased.range
    let isPath = aliased.alias == nil && aliased.expression.fieldName != nil
    if !isPath { scope.define(aliased.outputName, slot) }
    if aliased.alias == nil { scope.labelled[aliased.expression] = slot }
    return slot
  }

  mutating func addFilter(_ condition: Expression) {
    let bound = bindExpression(condition)
    if case .and(let parts) = bound.kind {
      segment.filters += parts
    } else {
      segment.filters.append(bound)
    }
  }

  private mutating func bindSearch(_ command: SearchCommand, at range: SourceRange) {
    let message = bindField(FieldName(segments: ["@message"], range: range))
    segment.filters.append(bindPattern(command.pattern, of: message, isRegex: false, false))
  }

  private mutating func bindSort(_ command: SortCommand, at range: SourceRange) {
    sortsOfSegment.append(range)
    var keys: [SortTerm] = []
    for key in command.keys {
      let bound = bindSortKey(key)
      if isStructure(bound) {
        report(AnalyzerDiagnostics.structure("sort", source[key.expression.range], at: key.range))
      }
      keys.append(SortTerm(expression: bound, isDescending: key.isDescending))
    }
    // A later sort is the more significant one; what it leaves equal stays in the earlier order.
    segment.sortKeys = keys + segment.sortKeys
  }

  private mutating func bindSortKey(_ key: SortCommand.Key) -> BoundExpression {
    if let name = key.expression.fieldName, !scope.isOpen, resolve(name) == nil {
      report(AnalyzerDiagnostics.sortKeyUnknown(name.name, scope.available, at: name.range))
      return .missing
    }
    if options.isStrict, key.expression.isCall {
      report(
        AnalyzerDiagnostics.callInSort(source[key.expression.range], at: key.expression.range))
      return .missing
    }
    return bindExpression(key.expression)
  }

  private mutating func bindLimit(_ command: LimitCommand) {
    if command.form == .tail {
      segment.tail = min(segment.tail ?? .max, command.count)
    } else {
      segment.limit = min(segment.limit ?? .max, command.count)
    }
  }

  private mutating func bindDedup(_ command: DedupCommand) {
    let keys = command.fields.map { name in
      let bound = bindField(name)
      if isStructure(bound) {
        report(AnalyzerDiagnostics.structure("dedup", name.name, at: name.range))
      }
      return slot(of: bound, named: name.name)
    }
    closeSegment(barrier: .dedup(keys))
  }

  private mutating func checkPlaceAfterDedup(_ command: Command) {
    switch command.kind {
    case .dedup: hasDedup = true
    case .limit: break
    default: if hasDedup { report(AnalyzerDiagnostics.afterDedup(at: command.keywordRange)) }
    }
  }

  /// Behind `diff` and `logcompare` rows are only chosen, ordered and shown.
  private mutating func checkPlaceAfterComparison(_ command: Command) {
    defer {
      switch command.kind {
      case .diff, .logcompare: comparison = comparison ?? command
      default: break
      }
    }
    guard let comparison else { return }
    switch command.kind {
    case .sort, .limit, .display, .filter, .filterIndex, .search, .invalid, .savedQuery: break
    default:
      report(
        AnalyzerDiagnostics.afterComparison(
          comparison.name, at: command.keywordRange, isFields: command.name == "fields"))
    }
  }

  mutating func forbidRedefinition(of name: String, at range: SourceRange?) {
    guard options.isStrict, let range, scope.named[name] != nil else { return }
    report(AnalyzerDiagnostics.alreadyDefined(name, at: range))
  }

  /// Runs `body` with some names meaning other fields.
  private mutating func withNames(
    _ renamed: [String: FieldName], _ body: (inout Analyzer) -> Void
  ) {
    let outer = scope
    for (name, field) in renamed {
      scope.named[name] = slot(of: bindField(field), named: field.name)
    }
    body(&self)
    scope = outer
  }
}

// MARK: - Segments and slots

extension Analyzer {
  /// Ends the segment; what follows belongs to the next one.
  mutating func closeSegment(barrier: Barrier?) {
    if case .stats = barrier {
      for range in sortsOfSegment { report(AnalyzerDiagnostics.sortBeforeStats(at: range)) }
      segment.sortKeys = []
    }
    segment.barrier = barrier
    segments.append(segment)
    segment = PlanSegment()
    sortsOfSegment = []
  }

  /// Adds a diagnostic, unless the parser has said already that something is wrong at this place.
  mutating func report(_ diagnostic: Diagnostic) {
    let isKnown = parserDiagnostics.contains {
      $0.severity == .error && $0.range == diagnostic.range
    }
    if !isKnown, !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
  }

  mutating func addSlot(
    _ name: String, _ source: SlotSource, mayBeStructure: Bool, segment: Int? = nil
  ) -> SlotID {
    slots.append(
      Slot(
        name: name, source: source, segment: segment ?? segments.count,
        mayBeStructure: mayBeStructure))
    return slots.count - 1
  }

  /// The slot of a field of the event; the same one for every mention.
  ///
  /// - Parameter mention: where the query names it.
  mutating func eventSlot(_ field: EventField, at mention: SourceRange = .none) -> SlotID {
    if let slot = eventSlots[field] { return slot }
    var mayBeStructure = false
    if case .discovered = field { mayBeStructure = true }
    let slot = addSlot(
      field.name, .event(field), mayBeStructure: mayBeStructure, segment: 0)
    slots[slot].mention = mention
    eventSlots[field] = slot
    return slot
  }

  /// The slot of an expression: its own if it is one, else a new one.
  mutating func slot(of bound: BoundExpression, named name: String) -> SlotID {
    bound.slot
      ?? addSlot(name, .expression(bound), mayBeStructure: mayBeStructure(bound))
  }

  /// The columns of the result, each with a name of its own: a second `f` is called `f_2`.
  mutating func outputColumns() -> [OutputStep.Column] {
    var taken: [String: Int] = [:]
    return (visible.display ?? visible.listed ?? defaultColumns()).map { item in
      guard case .named(let name, let slot) = item else { return .discovered }
      return .named(unique(name, among: &taken), slot)
    }
  }

  private func unique(_ name: String, among taken: inout [String: Int]) -> String {
    let count = taken[name, default: 0] + 1
    taken[name] = count
    guard count > 1 else { return name }
    let numbered = "\(name)_\(count)"
    guard taken[numbered] == nil else { return unique(name, among: &taken) }
    taken[numbered] = 1
    return numbered
  }

  private mutating func defaultColumns() -> [VisibleColumns.Item] {
    var items: [VisibleColumns.Item] = []
    if scope.isOpen {
      // Where a command made one of them anew, it is shown as made.
      let made = Set(visible.made.map(\.name))
      items = [EventField.timestamp, .message].filter { !made.contains($0.name) }
        .map { .named($0.name, eventSlot($0)) }
    }
    return items + visible.made.map { .named($0.name, $0.slot) }
  }
}

extension ClosedRange<Int64> {
  /// The window so much earlier; a side without bound stays so.
  fileprivate func moved(back period: Period) -> ClosedRange<Int64> {
    let lower =
      lowerBound == .min ? lowerBound : period.shift(bound: lowerBound, isNegative: true)
    let upper =
      upperBound == .max ? upperBound : period.shift(bound: upperBound, isNegative: true)
    return lower...Swift.max(lower, upper)
  }
}

extension Expression {
  fileprivate var isCall: Bool { if case .call = kind { true } else { false } }
}
