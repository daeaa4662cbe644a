import Columnar
import QueryEngine

/// Aligned columns under a header.
///
/// The first 1,000 rows decide how wide each column is. On a terminal they are also all that is
/// shown: one line says how many more there are, and columns are narrowed, the widest first, until
/// a row fits the terminal; a cut cell ends in `…`. Elsewhere every row follows in full.
struct TableRenderer: ResultRenderer {
  static let needsColumnsFirst = true
  /// Rows that decide the widths, and the most rows that a terminal shows.
  private static let rowsShown = 1_000
  /// No column is narrowed below this.
  private static let narrowest = 8
  private static let gap = 2

  private let zone: DisplayZone
  private let terminalWidth: Int?
  private var columns: [String] = []
  private var waiting: [[CellColumn]] = []
  private var waitingRows: [Int] = []
  private var widths: [Int]?
  private var isNumeric: [Bool] = []
  private var rowCount = 0

  init(zone: DisplayZone, terminalWidth: Int? = Terminal.isOutputInteractive ? Terminal.width : nil)
  {
    self.zone = zone
    self.terminalWidth = terminalWidth
  }

  mutating func begin(columns: [String]?, to output: inout OutputBuffer) {
    self.columns = columns ?? []
  }

  mutating func write(_ batch: ColumnBatch, to output: inout OutputBuffer) throws {
    defer { rowCount += batch.rowCount }
    if terminalWidth != nil, rowCount >= Self.rowsShown { return }
    let cells = batch.columns.map { CellColumn($0, style: .display, zone: zone) }
    if widths == nil {
      waiting.append(cells)
      waitingRows.append(batch.rowCount)
      if rowCount + batch.rowCount >= Self.rowsShown { try writeWaiting(to: &output) }
    } else {
      try writeRows(cells, batch.rowCount, to: &output)
    }
  }

  mutating func finish(_ outcome: QueryOutcome?, to output: inout OutputBuffer) throws {
    if widths == nil { try writeWaiting(to: &output) }
    if rowCount == 0 { output.append("(no rows)\n") }
    if terminalWidth != nil, rowCount > Self.rowsShown {
      let more = HumanUnits.count(rowCount - Self.rowsShown, "more row")
      output.append(
        TextStyle.output.dim("… and \(more); add | limit, or choose --output csv or ndjson") + "\n")
    }
  }

  // MARK: Layout

  private mutating func writeWaiting(to output: inout OutputBuffer) throws {
    let widths = fitted(measure())
    self.widths = widths
    writeHeader(widths, to: &output)
    var shown = 0
    for (cells, count) in zip(waiting, waitingRows) {
      let rows = terminalWidth == nil ? count : min(count, Self.rowsShown - shown)
      try writeRows(cells, rows, to: &output)
      shown += rows
    }
    waiting = []
  }

  /// The widest cell of each column among the rows that wait; also decides which hold numbers.
  private mutating func measure() -> [Int] {
    isNumeric = columns.indices.map { index in
      !waiting.isEmpty && waiting.allSatisfy { $0[index].isNumeric }
    }
    return columns.indices.map { index in
      var widest = CellWidth.of(columns[index])
      var rowsLeft = Self.rowsShown
      for (cells, count) in zip(waiting, waitingRows) {
        for row in 0..<min(count, rowsLeft) {
          widest = max(widest, CellWidth.of(cells[index].text(row)))
        }
        rowsLeft -= min(count, rowsLeft)
      }
      return widest
    }
  }

  /// Narrows the widest columns to one common width until a row fits the terminal.
  private func fitted(_ widths: [Int]) -> [Int] {
    guard let terminalWidth, !widths.isEmpty else { return widths }
    let available = terminalWidth - Self.gap * (widths.count - 1)
    guard widths.reduce(0, +) > available else { return widths }
    var cap = widths.max() ?? 0
    while cap > Self.narrowest, widths.reduce(0, { $0 + min($1, cap) }) > available { cap -= 1 }
    var narrowed = widths.map { min($0, cap) }
    // The last step down may have freed more than was needed: hand it back from the left.
    var spare = available - narrowed.reduce(0, +)
    for index in narrowed.indices where spare > 0 && narrowed[index] < widths[index] {
      narrowed[index] += 1
      spare -= 1
    }
    return narrowed
  }

  private func writeHeader(_ widths: [Int], to output: inout OutputBuffer) {
    let style = TextStyle.output
    var (names, rule) = ("", "")
    for (index, name) in columns.enumerated() {
      let isLast = index == columns.count - 1
      if index > 0 {
        names += "  "
        rule += "  "
      }
      let shown = CellWidth.cut(Array(name.utf8)[...], to: widths[index])
      let padding = String(repeating: " ", count: max(0, widths[index] - CellWidth.of(shown)))
      names += isNumeric[index] ? padding + shown : shown + (isLast ? "" : padding)
      rule += String(repeating: "─", count: widths[index])
    }
    guard !columns.isEmpty else { return }
    output.append(style.bold(names) + "\n" + style.dim(rule) + "\n")
  }

  private func writeRows(_ cells: [CellColumn], _ count: Int, to output: inout OutputBuffer) throws
  {
    guard let widths else { return }
    for row in 0..<count {
      for (index, cell) in cells.enumerated() {
        append(
          cell.text(row), width: widths[index], toRight: isNumeric[index],
          isLast: index == cells.count - 1, to: &output.bytes)
      }
      // No row ends in blanks: a reader's eye does not see them, a diff does.
      while output.bytes.last == UInt8(ascii: " ") { output.bytes.removeLast() }
      output.append("\n")
      try output.flushIfLarge()
    }
  }

  private func append(
    _ text: ArraySlice<UInt8>, width: Int, toRight: Bool, isLast: Bool, to out: inout [UInt8]
  ) {
    let textWidth = CellWidth.of(text)
    let blanks = max(0, width - textWidth)
    if toRight { out.append(contentsOf: repeatElement(0x20, count: blanks)) }
    if terminalWidth != nil, textWidth > width {
      out.append(contentsOf: CellWidth.cut(text, to: width).utf8)
    } else {
      out.append(contentsOf: text)
    }
    if !toRight, !isLast { out.append(contentsOf: repeatElement(0x20, count: blanks)) }
    if !isLast { out.append(contentsOf: repeatElement(0x20, count: Self.gap)) }
  }
}
