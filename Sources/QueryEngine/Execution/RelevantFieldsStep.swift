import Columnar

// `relevantfields`: which fields have other values in the rows of interest than in the rest.
//
// Every value of every field is counted twice, in the rows where the condition holds and in the
// others. From the counts follow the shares p (of the rows of interest) and q (of the others):
//
//     level    interest  others        p     q     |p − q|
//     ERROR    3         0             1     0     1
//     INFO     0         6             0     0.75  0.75
//     (none)   0         2             0     0.25  0.25     score: half of the sum, 1
//
// That is the total variation distance of the two distributions, 0 where they are equal and 1 where
// they have no value in common. A field of numbers is compared by the Kolmogorov-Smirnov distance:
// the largest difference of the shares at or below any number. That a row has no value counts as a
// value, and as less than every number.
//
// A field with more values than are told apart keeps the most frequent ones, and of numbers, of which
// none may be frequent, as many leading bits as make them few enough. That is said in the statistics.

/// `relevantfields` over the named fields, or all.
struct RelevantFieldsStep: RowCommand, PiecewiseAggregation {
  struct Field: Sendable {
    let name: String
    let input: SlotID
  }

  /// Fields that have a slot.
  let fields: [Field]
  /// Whether the discovered fields of events, less those with a slot of their own, are looked at.
  let takesDiscovered: Bool
  let condition: SlotID
  let fieldName: SlotID
  let score: SlotID
  let contributors: SlotID
  let conditionalMedian: SlotID
  let baselineMedian: SlotID

  var name: String { "relevantfields" }
  var inputs: [SlotID] { fields.map(\.input) + [condition] }
  var outputs: [SlotID] { [fieldName, score, contributors, conditionalMedian, baselineMedian] }
  var makesNewRows: Bool { true }

  func stage(layout: PlanLayout, control: RunControl, next: any RowStage) -> any RowStage {
    AggregationStage(self, layout: layout, control: control, next: next)
  }

  func piece(of frame: inout Frame) throws -> FieldCounts {
    let isOfInterest = try frame.column(condition).truth()
    var counts = FieldCounts(isOfInterest)
    for field in fields {
      counts.add(field.name, try frame.column(field.input).scalars(frame.layout), isOfInterest)
    }
    guard takesDiscovered else { return counts }
    let known = Set(fields.map(\.name))
    for column in try frame.discoveredColumns() where !known.contains(column.name) {
      counts.add(column.name, column.vector.scalars(frame.layout), isOfInterest)
    }
    return counts
  }

  func merger(layout: PlanLayout, budget: MemoryBudget) -> FieldCountsMerger {
    FieldCountsMerger(self, layout: layout, budget: budget)
  }
}

/// How often each value of each field occurs, in the rows of interest and in the others.
struct FieldCounts: Sendable {
  fileprivate struct Counts: Sendable {
    var values = GroupTable(keyCount: 1)
    var ofInterest: [Int] = []
    var others: [Int] = []
    /// Rows that have a value, also of values given up.
    var present = (ofInterest: 0, others: 0)
    /// Leading bits of numbers that are kept, once some are given up.
    private(set) var bits: Int?

    /// Values of a field that are told apart.
    static let mostValues = 50_000

    /// Gives up what can be missed most easily, if there are too many values.
    mutating func reduce() {
      guard values.count > Self.mostValues || bits != nil else { return }
      var bits = self.bits ?? 12
      round(to: bits)
      while values.count > Self.mostValues, bits > 4, isNumeric {
        bits -= 2
        round(to: bits)
      }
      self.bits = bits
      if values.count > Self.mostValues { keepMostFrequent() }
    }

    private var isNumeric: Bool {
      values.keyColumns()[0].values().count { $0.number != nil } * 2 > values.count
    }

    /// Takes numbers that agree in their leading bits as one.
    private mutating func round(to bits: Int) {
      let mask = ~((UInt64(1) << UInt64(52 - bits)) - 1)
      replace(
        values.keyColumns()[0].values().map { value in
          guard let number = value.number?.asDouble else { return value }
          return .double(Double(bitPattern: number.bitPattern & mask))
        }, ofInterest, others)
    }

    private mutating func keepMostFrequent() {
      let entries = values.keyColumns()[0].values()
      let kept = entries.indices.map { (number: $0, text: entries[$0].text ?? "") }
        .sorted { a, b in
          let (x, y) = (
            ofInterest[a.number] + others[a.number], ofInterest[b.number] + others[b.number]
          )
          return x != y ? x > y : a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
        }
        .prefix(Self.mostValues / 2)
      replace(
        kept.map { entries[$0.number] }, kept.map { ofInterest[$0.number] },
        kept.map { others[$0.number] })
    }

    private mutating func replace(
      _ entries: [Value], _ ofInterest: [Int], _ others: [Int]
    ) {
      values = GroupTable(keyCount: 1)
      self.ofInterest = []
      self.others = []
      let groups = values.assignGroups(keys: [ColumnVector(entries)], rowCount: entries.count)
      for (number, group) in groups.enumerated() {
        add(group, ofInterest: ofInterest[number], others: others[number])
      }
    }

    mutating func add(_ group: UInt32, ofInterest: Int, others: Int) {
      while self.ofInterest.count <= Int(group) {
        self.ofInterest.append(0)
        self.others.append(0)
      }
      self.ofInterest[Int(group)] += ofInterest
      self.others[Int(group)] += others
    }
  }

  fileprivate var names: [String] = []
  fileprivate var fields: [String: Counts] = [:]
  fileprivate var interestCount: Int
  fileprivate var otherCount: Int

  fileprivate init() {
    interestCount = 0
    otherCount = 0
  }

  fileprivate init(_ isOfInterest: Bitmap) {
    interestCount = isOfInterest.setCount
    otherCount = isOfInterest.count - interestCount
  }

  fileprivate mutating func add(_ name: String, _ column: ColumnVector, _ isOfInterest: Bitmap) {
    guard column.count > 0, !column.isAllMissing, fields[name] == nil else { return }
    var counts = Counts()
    let groups = counts.values.assignGroups(keys: [column], rowCount: column.count)
    counts.ofInterest = [Int](repeating: 0, count: counts.values.count)
    counts.others = counts.ofInterest
    for (row, group) in groups.enumerated() {
      if isOfInterest[row] {
        counts.ofInterest[Int(group)] += 1
      } else {
        counts.others[Int(group)] += 1
      }
    }
    let presence = column.presence()
    for row in 0..<column.count where presence[row] {
      if isOfInterest[row] {
        counts.present.ofInterest += 1
      } else {
        counts.present.others += 1
      }
    }
    names.append(name)
    fields[name] = counts
  }

  fileprivate mutating func merge(_ other: FieldCounts) {
    interestCount += other.interestCount
    otherCount += other.otherCount
    for name in other.names {
      guard let found = other.fields[name] else { continue }
      guard var own = fields.removeValue(forKey: name) else {
        names.append(name)
        fields[name] = found
        continue
      }
      for (number, group) in own.values.merge(found.values).enumerated() {
        own.add(group, ofInterest: found.ofInterest[number], others: found.others[number])
      }
      own.present.ofInterest += found.present.ofInterest
      own.present.others += found.present.others
      if own.values.count > Counts.mostValues { own.reduce() }
      fields[name] = own
    }
  }

  fileprivate var byteCount: Int {
    fields.values.reduce(0) { $0 + $1.values.byteCount + $1.ofInterest.capacity * 16 }
  }
}

/// All values of all fields.
struct FieldCountsMerger: WholePieceMerger {
  private let step: RelevantFieldsStep
  private let layout: PlanLayout
  private let budget: MemoryBudget
  private var counts = FieldCounts()
  private var reserved = 0

  fileprivate init(_ step: RelevantFieldsStep, layout: PlanLayout, budget: MemoryBudget) {
    self.step = step
    self.layout = layout
    self.budget = budget
  }

  mutating func merge(_ piece: FieldCounts) throws {
    counts.merge(piece)
    let byteCount = counts.byteCount
    if byteCount > reserved {
      try budget.reserve(byteCount - reserved, for: "relevantfields")
      reserved = byteCount
    }
  }

  mutating func finish() throws -> [RowBatch] {
    defer { budget.release(reserved) }
    guard counts.interestCount > 0, counts.otherCount > 0 else { return [] }
    let found = counts.names.compactMap { name in
      counts.fields[name].map { relevance(of: name, $0) }
    }
    .sorted { a, b in
      a.score != b.score
        ? a.score > b.score : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
    guard !found.isEmpty else { return [] }
    var columns = [ColumnVector?](repeating: nil, count: layout.plan.slots.count)
    columns[step.fieldName] = ColumnVector(found.map { .string($0.name) })
    columns[step.score] = ColumnVector(found.map { .double($0.score) })
    columns[step.contributors] = ColumnVector(found.map(\.contributors))
    columns[step.conditionalMedian] = ColumnVector(found.map { Self.value($0.medians?.interest) })
    columns[step.baselineMedian] = ColumnVector(found.map { Self.value($0.medians?.others) })
    return [RowBatch(rowCount: found.count, columns: columns)]
  }

  private static func value(_ number: Double?) -> Value { number.map { .double($0) } ?? .missing }

  // MARK: One field

  private struct Relevance {
    let name: String
    var score = 0.0
    var contributors = Value.missing
    var medians: (interest: Double?, others: Double?)?
  }

  private struct Entry {
    let value: Value
    let number: Double?
    var ofInterest: Int
    var others: Int

    var count: Int { ofInterest + others }

    init(value: Value, number: Double?, ofInterest: Int, others: Int) {
      self.value = value
      self.number = number
      self.ofInterest = ofInterest
      self.others = others
    }

    init(given count: (ofInterest: Int, others: Int)) {
      self.init(value: .missing, number: nil, ofInterest: count.ofInterest, others: count.others)
    }
  }

  /// Values that are compared one by one; all others count as one.
  private static let mostValues = 1_000
  private static let mostContributors = 5

  private func relevance(of name: String, _ counts: FieldCounts.Counts) -> Relevance {
    var counts = counts
    if counts.bits != nil {
      counts.reduce()
      layout.context.noteApproximation(
        "relevantfields: \(name) has more than \(FieldCounts.Counts.mostValues) values; rare ones, and "
          + "numbers that are nearly equal, count as one")
    }
    let values = counts.values.keyColumns()[0].values()
    var entries: [Entry] = []
    for (number, value) in values.enumerated() where !value.isMissing {
      entries.append(
        Entry(
          value: value, number: value.number?.asDouble, ofInterest: counts.ofInterest[number],
          others: counts.others[number]))
    }
    let none = Entry(
      value: .missing, number: nil,
      ofInterest: self.counts.interestCount - counts.present.ofInterest,
      others: self.counts.otherCount - counts.present.others)
    let numeric = entries.reduce(0) { $0 + ($1.number == nil ? 0 : $1.count) }
    let isNumeric = numeric * 10 >= (counts.present.ofInterest + counts.present.others) * 9
    // What was given up counts as one more value.
    let lost = entries.reduce(into: Entry(given: counts.present)) { rest, entry in
      rest.ofInterest -= entry.ofInterest
      rest.others -= entry.others
    }
    return isNumeric
      ? numericRelevance(name, entries + (lost.count > 0 ? [lost] : []), none)
      : categoricalRelevance(name, entries, none, lost)
  }

  private func share(_ entry: Entry) -> (interest: Double, others: Double) {
    (
      Double(entry.ofInterest) / Double(counts.interestCount),
      Double(entry.others) / Double(counts.otherCount)
    )
  }

  private func numericRelevance(_ name: String, _ entries: [Entry], _ none: Entry) -> Relevance {
    let sorted = entries.sorted { ($0.number ?? -.infinity) < ($1.number ?? -.infinity) }
    var below = (interest: none.ofInterest, others: none.others)
    var score = abs(share(none).interest - share(none).others)
    for (index, entry) in sorted.enumerated() {
      below.interest += entry.ofInterest
      below.others += entry.others
      if index + 1 < sorted.count, sorted[index + 1].number == entry.number { continue }
      let distance =
        Double(below.interest) / Double(counts.interestCount)
        - Double(below.others) / Double(counts.otherCount)
      score = max(score, abs(distance))
    }
    let numbers = sorted.filter { $0.number != nil }
    return Relevance(
      name: name, score: score,
      medians: (median(numbers, \.ofInterest), median(numbers, \.others)))
  }

  /// The middle one of sorted numbers that occur so many times, or the mean of the middle two.
  private func median(_ entries: [Entry], _ count: KeyPath<Entry, Int>) -> Double? {
    let total = entries.reduce(0) { $0 + $1[keyPath: count] }
    guard total > 0 else { return nil }
    var lower: Double?
    var passed = 0
    for entry in entries {
      passed += entry[keyPath: count]
      guard let number = entry.number else { continue }
      if lower == nil, passed * 2 >= total { lower = number }
      if passed * 2 > total { return (lower ?? number) / 2 + number / 2 }
    }
    return lower
  }

  private func categoricalRelevance(
    _ name: String, _ entries: [Entry], _ none: Entry, _ lost: Entry
  ) -> Relevance {
    let ordered = entries.map { (entry: $0, text: $0.value.text ?? "") }.sorted { a, b in
      a.entry.count != b.entry.count
        ? a.entry.count > b.entry.count : a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
    let top = ordered.prefix(Self.mostValues)
    var rest = lost
    for (entry, _) in ordered.dropFirst(Self.mostValues) {
      rest.ofInterest += entry.ofInterest
      rest.others += entry.others
    }
    func difference(_ entry: Entry) -> Double { abs(share(entry).interest - share(entry).others) }
    let sum = top.reduce(difference(rest) + difference(none)) { $0 + difference($1.entry) }
    let leading = top.filter { difference($0.entry) > 0 }.sorted { a, b in
      let (x, y) = (difference(a.entry), difference(b.entry))
      return x != y ? x > y : a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
    .prefix(Self.mostContributors)
    let texts = leading.map { entry, text -> Value in
      let shares = share(entry)
      return .string("\(text) (\(Self.percent(shares.interest)) / \(Self.percent(shares.others)))")
    }
    return Relevance(
      name: name, score: min(sum / 2, 1), contributors: texts.isEmpty ? .missing : .list(texts))
  }

  private static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)%" : "\(tenths / 10).\(tenths % 10)%"
  }
}
