import Columnar
import QueryLanguage

// `filldown`: the last value above, where a field has none or an empty text.
//
// Without names it means every field that the events turn out to have. Those that the query names
// behind it are found when it is read, and get a slot each; the others flow beside the slots, as
// discovered fields, and are filled where they are shown:
//
//     filldown | fields *, region        slot: region      discovered: every other one

/// `filldown` over some slots, and over discovered fields that fit patterns.
struct FilldownStep: RowCommand {
  private(set) var inputs: [SlotID]
  /// One for each input.
  private(set) var outputs: [SlotID]
  /// What discovered fields it means besides.
  let patterns: [FieldPattern]

  var name: String { "filldown" }
  /// To say which patterns fit none.
  var takesDiscovered: Bool { patterns.contains { !$0.matchesAll } }

  init(inputs: [SlotID], outputs: [SlotID], patterns: [FieldPattern]) {
    self.inputs = inputs
    self.outputs = outputs
    self.patterns = patterns
  }

  /// Fills one more field.
  mutating func fill(_ input: SlotID, into output: SlotID) {
    inputs.append(input)
    outputs.append(output)
  }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    TransformStage(
      name, LastValues(step: self, context: layout.context), layout: layout, control: control,
      next: next)
  }
}

/// The last value of each field, as a column of at most one row.
private struct LastValues: RowTransform {
  let step: FilldownStep
  let context: RunContext
  private var last: [ColumnVector]
  private var discovered: [String: ColumnVector] = [:]
  /// Names in `discovered`, in the order in which rows had them.
  private var names: [String] = []

  /// Discovered fields that are filled.
  private static let mostFields = 1_000

  init(step: FilldownStep, context: RunContext) {
    self.step = step
    self.context = context
    last = step.inputs.map { _ in .missing(count: 0) }
  }

  var byteCount: Int {
    last.reduce(0) { $0 + $1.approximateByteCount }
      + discovered.values.reduce(0) { $0 + $1.approximateByteCount + 64 }
  }

  mutating func apply(_ batch: RowBatch, _ frame: inout Frame) throws -> RowBatch {
    var result = batch
    for (index, slot) in step.inputs.enumerated() {
      result.columns[step.outputs[index]] = Self.fill(try frame.column(slot), from: &last[index])
    }
    if !step.patterns.isEmpty { fillDiscovered(&result) }
    return result
  }

  /// Says which patterns no field has fitted.
  func finish() {
    for pattern in step.patterns where !pattern.matchesAll {
      if names.contains(where: pattern.matches) { continue }
      context.warn(
        Diagnostic(
          .fieldAbsent, .hint,
          "no event has a field that '\(pattern.pieces.joined(separator: "*"))' fits",
          at: pattern.range))
    }
  }

  private mutating func fillDiscovered(_ batch: inout RowBatch) {
    learn(batch.discovered)
    var known: Set<String> = []
    for index in batch.discovered.indices {
      let column = batch.discovered[index]
      guard discovered[column.name] != nil else { continue }
      known.insert(column.name)
      batch.discovered[index] = NamedColumn(
        name: column.name,
        vector: Self.fill(
          column.vector, from: &discovered[column.name, default: .missing(count: 0)]))
    }
    for name in names where !known.contains(name) {
      guard let above = discovered[name], above.count > 0 else { continue }
      let rows = SelectionVector(repeating: 0, count: batch.rowCount)
      batch.discovered.append(NamedColumn(name: name, vector: above.gather(rows)))
    }
  }

  /// Takes in fields that no row had before; which ones, if there are too many, hangs on the rows alone.
  private mutating func learn(_ columns: [NamedColumn]) {
    var new = columns.filter { column in
      discovered[column.name] == nil && step.patterns.contains { $0.matches(column.name) }
    }
    if names.count + new.count > Self.mostFields {
      context.noteApproximation(
        "filldown: more than \(Self.mostFields) fields; only the first ones are filled, and those "
          + "that the query names")
      let first = new.map { ($0, $0.vector.presence().firstSet ?? .max) }
      new = first.sorted { a, b in
        a.1 != b.1 ? a.1 < b.1 : a.0.name.utf8.lexicographicallyPrecedes(b.0.name.utf8)
      }.map(\.0)
    }
    for column in new.prefix(Self.mostFields - names.count) {
      names.append(column.name)
      discovered[column.name] = .missing(count: 0)
    }
  }

  /// The column with the last value where there is none.
  ///
  /// - Parameter last: the last value above, and then that of the column.
  private static func fill(_ own: ColumnVector, from last: inout ColumnVector) -> ColumnVector {
    let above = last.count
    let all = above == 0 ? own : ColumnVector.concatenate([last, own])
    var source: Int? = above == 0 ? nil : 0
    let rows = (0..<own.count).map { row -> UInt32 in
      if !own.isBlank(at: row) { source = above + row }
      return UInt32(source ?? above + row)
    }
    if let source { last = all.slice(source..<source + 1) }
    return all.gather(rows)
  }
}

extension ColumnVector {
  /// Whether a row has no value or an empty text.
  fileprivate func isBlank(at row: Int) -> Bool {
    if case .strings(let texts) = self {
      return !(texts.validity?[row] ?? true) || texts.range(row).isEmpty
    }
    let value = value(at: row)
    return value.isMissing || value == .string("")
  }
}

extension Bitmap {
  /// The first row whose bit is set.
  fileprivate var firstSet: Int? { (0..<count).first { self[$0] } }
}

extension FieldPattern {
  /// Every field there is.
  static func all(at range: SourceRange) -> FieldPattern {
    FieldPattern(pieces: ["", ""], range: range)
  }

  var matchesAll: Bool { pieces == ["", ""] }

  /// Whether a name consists of the pieces with anything between them.
  func matches(_ name: String) -> Bool {
    guard let first = pieces.first, let last = pieces.last, pieces.count > 1 else {
      return name == pieces.first
    }
    guard name.hasPrefix(first), name.hasSuffix(last),
      name.utf8.count >= first.utf8.count + last.utf8.count
    else { return false }
    var rest = Array(name.utf8.dropFirst(first.utf8.count).dropLast(last.utf8.count))[...]
    for piece in pieces[1..<(pieces.count - 1)] where !piece.isEmpty {
      let wanted = Array(piece.utf8)
      while rest.count >= wanted.count, !rest.starts(with: wanted) { rest = rest.dropFirst() }
      guard rest.count >= wanted.count else { return false }
      rest = rest.dropFirst(wanted.count)
    }
    return true
  }
}
