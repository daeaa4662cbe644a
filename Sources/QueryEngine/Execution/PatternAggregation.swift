import Columnar

// `pattern` as an aggregation: templates are counted in the scan, on all workers, and merged into
// patterns at its end.

/// A `pattern` and the slots it fills.
struct PatternStep: RowCommand, PiecewiseAggregation {
  let inputSlot: SlotID
  let pattern: SlotID
  let ratio: SlotID
  let sampleCount: SlotID
  let severity: SlotID
  let identifier: SlotID
  let samples: SlotID

  var name: String { "pattern" }
  var inputs: [SlotID] { [inputSlot] }
  var outputs: [SlotID] { [pattern, ratio, sampleCount, severity, identifier, samples] }
  var makesNewRows: Bool { true }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    AggregationStage(self, layout: layout, control: control, next: next)
  }

  func piece(of frame: inout Frame) throws -> TemplateCounts {
    let column = try frame.column(inputSlot).scalars(frame.layout)
    return TemplateCounts(column, order: try frame.order())
  }

  func merger(layout: PlanLayout, budget: MemoryBudget) -> PatternMerger {
    PatternMerger(self, slotCount: layout.plan.slots.count, budget: budget)
  }
}

/// The templates of some rows.
struct TemplateCounts: Sendable {
  fileprivate var table = ByteTable()
  fileprivate var counts: [Int] = []
  fileprivate var samples: [[PatternSample]] = []
  fileprivate let hasOrder: Bool
  fileprivate let rowCount: Int

  init(_ column: ColumnVector, order: RowOrder?) {
    hasOrder = order != nil
    rowCount = column.count
    var tokenizer = TemplateTokenizer()
    if let texts = column.texts() {
      texts.bytes.withUnsafeBufferPointer { bytes in
        for row in 0..<texts.count where texts.validity?[row] ?? true {
          let text = UnsafeBufferPointer(rebasing: bytes[texts.range(row)])
          add(text, row, order, &tokenizer)
        }
      }
      return
    }
    for row in 0..<column.count {
      guard let text = column.value(at: row).text else { continue }
      Array(text.utf8).withUnsafeBufferPointer { add($0, row, order, &tokenizer) }
    }
  }

  private mutating func add(
    _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ order: RowOrder?,
    _ tokenizer: inout TemplateTokenizer
  ) {
    tokenizer.tokenize(text)
    let number = Int(tokenizer.template.withUnsafeBufferPointer { table.insert($0) })
    if number == counts.count {
      counts.append(0)
      samples.append([])
    }
    counts[number] += 1
    // Rows come in order of time, so the first ones of a row group are its earliest.
    guard samples[number].count < PatternSample.most else { return }
    samples[number].append(
      PatternSample(
        time: order?.times[row] ?? 0, sequence: order?.sequences[row] ?? UInt64(row),
        text: String(decoding: text, as: UTF8.self)))
  }
}

/// All templates of a `pattern`.
struct PatternMerger: PieceMerger {
  private let step: PatternStep
  private let slotCount: Int
  private let budget: MemoryBudget
  private var table = ByteTable()
  private var counts: [Int] = []
  private var samples: [[PatternSample]] = []
  private var sampleBytes = 0
  private var rowsBefore: UInt64 = 0
  private var reserved = 0

  fileprivate init(_ step: PatternStep, slotCount: Int, budget: MemoryBudget) {
    self.step = step
    self.slotCount = slotCount
    self.budget = budget
  }

  mutating func merge(_ piece: TemplateCounts) throws {
    for other in 0..<piece.table.count {
      let number = Int(piece.table.withKey(UInt32(other)) { table.insert($0) })
      if number == counts.count {
        counts.append(0)
        samples.append([])
      }
      counts[number] += piece.counts[other]
      let before = Self.byteCount(samples[number])
      samples[number] = PatternSample.earliest(
        samples[number] + piece.samples[other].map { placed($0, piece) })
      sampleBytes += Self.byteCount(samples[number]) - before
    }
    rowsBefore += UInt64(piece.rowCount)
    guard table.count <= EngineLimits.groups else {
      throw QueryFailure.tooManyGroups(
        "pattern meets more than \(EngineLimits.groups) different forms of text; narrow the "
          + "window, add a filter, or use pattern on a field")
    }
    // Merging needs the words of each template once more.
    let byteCount = table.byteCount * 4 + table.count * 160 + sampleBytes
    if byteCount > reserved {
      try budget.reserve(byteCount - reserved, for: "pattern")
      reserved = byteCount
    }
  }

  /// Rows that are no events are numbered as they come.
  private func placed(_ sample: PatternSample, _ piece: TemplateCounts) -> PatternSample {
    guard !piece.hasOrder else { return sample }
    return PatternSample(
      time: 0, sequence: rowsBefore + sample.sequence, text: sample.text)
  }

  private static func byteCount(_ samples: [PatternSample]) -> Int {
    samples.reduce(0) { $0 + $1.text.utf8.count + 48 }
  }

  mutating func finish() throws -> [RowBatch] {
    defer { budget.release(reserved) }
    let templates = counts.indices.map { number in
      PatternTemplate(
        bytes: table.withKey(UInt32(number)) { Array($0) }, count: counts[number],
        samples: samples[number])
    }
    let total = counts.reduce(0, +)
    let patterns = PatternMerging.patterns(of: templates)
    return stride(from: 0, to: patterns.count, by: SortBuffer.rowsPerBatch).map { start in
      batch(patterns[start..<min(start + SortBuffer.rowsPerBatch, patterns.count)], of: total)
    }
  }

  private func batch(_ patterns: ArraySlice<FoundPattern>, of total: Int) -> RowBatch {
    var columns = [ColumnVector?](repeating: nil, count: slotCount)
    columns[step.pattern] = .values(patterns.map { .string($0.text) })
    columns[step.ratio] = .doubles(
      DoubleVector(values: patterns.map { Double($0.count) / Double(total) }))
    columns[step.sampleCount] = .integers(
      IntegerVector(values: patterns.map { Int64($0.count) }))
    columns[step.severity] = .values(patterns.map { .string($0.severity.rawValue) })
    columns[step.identifier] = .values(patterns.map { .string(Self.identifier($0.text)) })
    columns[step.samples] = .values(
      patterns.map { .list($0.samples.map { .string($0.text) }) })
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
