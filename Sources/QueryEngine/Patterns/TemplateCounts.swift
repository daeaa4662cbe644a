import Columnar
import LogStorage

/// The templates of some rows.
struct TemplateCounts: Sendable {
  private(set) var table = TemplateTable()
  let order: RowOrder?
  let rowCount: Int
  private let wantsSamples: Bool
  private let window: WindowParts?

  init(rowCount: Int, order: RowOrder?, wantsSamples: Bool, window: WindowParts?) {
    self.rowCount = rowCount
    self.order = order
    self.wantsSamples = wantsSamples
    self.window = window
  }

  // MARK: Texts

  /// What texts are made into templates with.
  private struct Tools {
    var tokenizer: TemplateTokenizer
    var records: RecordTexts?
    var tokens = RowTokens()

    init(notesTokens: Bool) { tokenizer = TemplateTokenizer(notesTokens: notesTokens) }
  }

  /// Adds the texts of all rows.
  mutating func add(_ column: ColumnVector) {
    var tools = Tools(notesTokens: window != nil)
    var stop = StopCounter(every: 1_024)
    if let texts = column.texts() {
      texts.bytes.withUnsafeBufferPointer { bytes in
        for row in 0..<texts.count where texts.validity?[row] ?? true {
          if stop.isPassed() { return }
          add(UnsafeBufferPointer(rebasing: bytes[texts.range(row)]), row, &tools)
        }
      }
      return
    }
    for row in 0..<column.count {
      if stop.isPassed() { return }
      guard let text = column.value(at: row).text else { continue }
      Array(text.utf8).withUnsafeBufferPointer { add($0, row, &tools) }
    }
  }

  private mutating func add(
    _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ tools: inout Tools
  ) {
    let number: Int
    let isRecord = RecordSplitter.mayBeRecord(text) && takeRecord(text, &tools)
    if isRecord {
      let records = tools.records!
      number = records.template.withUnsafeBufferPointer {
        table.add($0, count: 1, TemplateTable.Details(slots: records.slots))
      }
    } else {
      tools.tokenizer.tokenize(text)
      if window != nil {
        tools.tokens.begin()
        tools.tokens.add(tools.tokenizer.tokens, of: text)
      }
      number = tools.tokenizer.withTemplate { table.add($0) }
    }
    if let window, let order {
      let part = window.part(of: order.times[row])
      table.addTime(part, of: WindowParts.count, to: number)
      table.addTokens(
        (isRecord ? tools.records?.tokens : nil) ?? tools.tokens,
        part: TokenParts.part(of: part), to: number)
    }
    // Rows come in order of time, so the first ones of a row group are its earliest.
    guard wantsSamples, table.details[number].samples.count < PatternSample.most else { return }
    table.addSample(sample(text, row), to: number)
  }

  private func takeRecord(_ text: UnsafeBufferPointer<UInt8>, _ tools: inout Tools) -> Bool {
    if tools.records == nil {
      tools.records = RecordTexts()
      if window != nil { tools.records!.tokens = RowTokens() }
    }
    return tools.records!.take(text, &tools.tokenizer)
  }

  private func sample(_ text: UnsafeBufferPointer<UInt8>, _ row: Int) -> PatternSample {
    PatternSample(
      time: order?.times[row] ?? 0, sequence: order?.sequences[row] ?? UInt64(row),
      text: String(decoding: text, as: UTF8.self))
  }

  // MARK: Records taken apart

  /// Adds the records of the rows of a frame, of which only texts, and those wanted as samples, are put together.
  /// Their times and tokens are not looked at.
  mutating func add(_ parts: RecordParts, of frame: Frame) throws {
    var counting = RecordCounting(parts)
    let clusterOf = try counting.count(frame.selectedRows)
    var details = counting.clusters.map { _ in TemplateTable.Details() }
    try addSamples(clusterOf, of: frame, to: &details)
    var template: [UInt8] = []
    for (number, cluster) in counting.clusters.enumerated() {
      details[number].slots = counting.template(of: cluster, into: &template)
      _ = template.withUnsafeBufferPointer { table.add($0, count: cluster.count, details[number]) }
    }
    let textRows = clusterOf.indices.filter { clusterOf[$0] == RecordCounting.noCluster }
    if textRows.isEmpty { return }
    var tools = Tools(notesTokens: window != nil)
    try withTexts(textRows, of: frame) { text, row in add(text, row, &tools) }
  }

  private func addSamples(
    _ clusterOf: [UInt32], of frame: Frame, to details: inout [TemplateTable.Details]
  ) throws {
    guard wantsSamples else { return }
    var sampleCounts = [Int](repeating: 0, count: details.count)
    let rows = clusterOf.indices.filter { row in
      let cluster = Int(clusterOf[row])
      guard clusterOf[row] != RecordCounting.noCluster, sampleCounts[cluster] < PatternSample.most
      else { return false }
      sampleCounts[cluster] += 1
      return true
    }
    try withTexts(rows, of: frame) { text, row in
      details[Int(clusterOf[row])].samples.append(sample(text, row))
    }
  }

  /// Calls `body` with the texts of some rows of the frame, ascending.
  private func withTexts(
    _ rows: [Int], of frame: Frame, _ body: (UnsafeBufferPointer<UInt8>, Int) -> Void
  ) throws {
    let texts = try frame.messages(rows)
    texts.bytes.withUnsafeBufferPointer { bytes in
      for (place, row) in rows.enumerated() {
        body(UnsafeBufferPointer(rebasing: bytes[texts.range(place)]), row)
      }
    }
  }
}
