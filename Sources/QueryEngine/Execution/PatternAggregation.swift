import Columnar

// `pattern` as an aggregation: templates are counted in the scan, on all workers, and merged into
// patterns at its end. Samples are kept only for a query that reads them, counts over time only for
// an `anomaly`.

/// A `pattern` and the slots it fills.
struct PatternStep: RowCommand, PiecewiseAggregation {
  let inputSlot: SlotID
  let pattern: SlotID
  let ratio: SlotID
  let sampleCount: SlotID
  let severity: SlotID
  let identifier: SlotID
  let samples: SlotID
  /// Whether its rows are events, with times.
  let isOverEvents: Bool
  /// Take the counts over time and what changed in the tokens, if an `anomaly` asks for them.
  var buckets: SlotID?
  var findings: SlotID?

  var name: String { "pattern" }
  var inputs: [SlotID] { [inputSlot] }
  var outputs: [SlotID] {
    [pattern, ratio, sampleCount, severity, identifier, samples]
      + [buckets, findings].compactMap(\.self)
  }
  var makesNewRows: Bool { true }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    AggregationStage(self, layout: layout, control: control, next: next)
  }

  func piece(of frame: inout Frame) throws -> TemplateCounts {
    let wantsSamples = wantsSamples(frame.layout)
    let order = wantsSamples || buckets != nil ? try frame.order() : nil
    let window = buckets == nil ? nil : frame.layout.context.functions.window
    var counts = TemplateCounts(
      rowCount: frame.rowCount, order: order, wantsSamples: wantsSamples,
      window: window.map { WindowParts($0) })
    // Tokens are read in the texts.
    if buckets == nil, let parts = try frame.recordParts(inputSlot) {
      try counts.add(parts, of: frame)
    } else {
      counts.add(try frame.column(inputSlot).scalars(frame.layout))
    }
    return counts
  }

  func merger(layout: PlanLayout, budget: MemoryBudget) -> PatternMerger {
    PatternMerger(self, layout: layout, budget: budget)
  }

  private func wantsSamples(_ layout: PlanLayout) -> Bool {
    let segment = layout.plan.slots[samples].segment - 1
    return PlanLayout.slotsRead(behind: segment, in: layout.plan).contains(samples)
  }
}

/// A window cut into parts of equal length.
struct WindowParts: Sendable {
  static let count = 30

  let start: Int64
  /// The length of a part in ms.
  let length: Int64

  init(_ window: ClosedRange<Int64>) {
    start = window.lowerBound
    let (distance, overflow) = window.upperBound.subtractingReportingOverflow(window.lowerBound)
    length = (overflow ? Int64.max : distance) / Int64(Self.count) + 1
  }

  func part(of time: Int64) -> Int {
    let (distance, overflow) = time.subtractingReportingOverflow(start)
    guard !overflow else { return Self.count - 1 }
    return Int(min(max(distance / length, 0), Int64(Self.count - 1)))
  }
}

/// All templates of a `pattern`.
struct PatternMerger: WholePieceMerger {
  private let step: PatternStep
  private let layout: PlanLayout
  private let budget: MemoryBudget
  private var table = TemplateTable()
  private var rowsBefore: UInt64 = 0
  private var reserved = 0

  init(_ step: PatternStep, layout: PlanLayout, budget: MemoryBudget) {
    self.step = step
    self.layout = layout
    self.budget = budget
  }

  mutating func merge(_ piece: TemplateCounts) throws {
    let before = rowsBefore
    table.merge(piece.table) { sample in
      // Rows that are no events are numbered as they come.
      guard piece.order == nil else { return sample }
      return PatternSample(time: 0, sequence: before + sample.sequence, text: sample.text)
    }
    rowsBefore += UInt64(piece.rowCount)
    let byteCount = table.byteCount
    if byteCount > reserved {
      try budget.reserve(
        byteCount - reserved, for: step.findings == nil ? "pattern" : "anomaly")
      reserved = byteCount
    }
  }

  mutating func finish() throws -> [RowBatch] {
    defer { budget.release(reserved) }
    if table.level != .exact {
      layout.context.noteApproximation(
        "pattern: more than \(TemplateTable.mostTemplates) forms of text; words that vary were "
          + "taken as tokens beforehand")
    }
    if step.findings != nil, table.losesTokens {
      layout.context.noteApproximation(
        "anomaly: far more than \(TemplateTable.mostTemplates) forms of text; "
          + "tokens were not compared")
    }
    let total = table.counts.reduce(0, +)
    var texts = step.findings == nil || table.losesTokens ? nil : table.tokenTexts
    let patterns = try PatternMerging.patterns(of: table.templates(), texts: &texts)
    return try stride(from: 0, to: patterns.count, by: SortBuffer.rowsPerBatch).map { start in
      try StopPoint.check()
      return batch(
        patterns[start..<min(start + SortBuffer.rowsPerBatch, patterns.count)], of: total,
        texts ?? ByteTable())
    }
  }

  private func batch(
    _ patterns: ArraySlice<FoundPattern>, of total: Int, _ texts: ByteTable
  ) -> RowBatch {
    var columns = [ColumnVector?](repeating: nil, count: layout.plan.slots.count)
    columns[step.pattern] = .values(patterns.map { .string($0.text) })
    columns[step.ratio] = .doubles(
      DoubleVector(values: patterns.map { Double($0.count) / Double(total) }))
    columns[step.sampleCount] = .integers(
      IntegerVector(values: patterns.map { Int64($0.count) }))
    columns[step.severity] = .values(patterns.map { .string($0.severity.rawValue) })
    columns[step.identifier] = .values(patterns.map { .string(Self.identifier($0.text)) })
    columns[step.samples] = .values(
      patterns.map { .list($0.details.samples.map { .string($0.text) }) })
    if let buckets = step.buckets {
      columns[buckets] = .values(
        patterns.map { .list($0.details.buckets.map { .integer(Int64($0)) }) })
    }
    if let findings = step.findings {
      columns[findings] = .values(
        patterns.map { .list(TokenAnomalies.findings(of: $0.tokens, texts: texts).map(\.value)) })
    }
    return RowBatch(rowCount: patterns.count, columns: columns)
  }

  /// FNV-1a of the text: the same in every run and on every machine.
  private static func identifier(_ text: String) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
