import QueryLanguage

/// What the names of a query mean at one place of its text.
struct Scope {
  /// Whether names that nothing defines are fields of the event; not after an aggregation.
  var isOpen = true
  /// The newest definition of each name.
  var named: [String: SlotID] = [:]
  /// Columns without alias by the expression that made them: `sort avg(ms)` finds the output that
  /// `stats avg(ms)` made, whatever the blanks.
  var labelled: [Expression: SlotID] = [:]
  /// Names that a closed scope knows, in column order; for messages.
  var available: [String] = []
  /// The output of `by bin(…)`, which `@timestamp` means after a `stats`.
  var timeKey: SlotID?

  /// The `filldown`s that fill fields of events which no command has named before.
  var fillings: [Filling] = []

  /// The sides of the last `join`, if names reach them.
  var join: JoinScope?

  mutating func define(_ name: String, _ slot: SlotID) {
    named[name] = slot
    if !available.contains(name) { available.append(name) }
  }
}

/// A `filldown` of whatever fields fit its patterns.
struct Filling: Sendable {
  /// The segment that it ends.
  let segment: Int
  let patterns: [FieldPattern]
}

/// The columns that a result will show, as commands add them.
struct VisibleColumns {
  enum Item {
    case named(String, SlotID)
    case discovered
  }

  /// What `fields` lists and what later commands make; `nil` before the first `fields`.
  private(set) var listed: [Item]?
  /// What was made since the last aggregation, in the order made.
  private(set) var made: [(name: String, slot: SlotID)] = []
  /// The columns of the last `display`.
  var display: [Item]?

  /// Forgets everything: an aggregation starts afresh.
  mutating func startAfresh() {
    listed = nil
    made = []
    display = nil
  }

  /// What `stats` leaves: its columns and nothing else. One label twice makes two columns, of which
  /// the result numbers the second.
  mutating func startOver(with columns: [(name: String, slot: SlotID)]) {
    startAfresh()
    made = columns
  }

  /// Notes a field that a command other than `fields` made.
  mutating func make(_ name: String, _ slot: SlotID) {
    noteMade(name, slot)
    if listed != nil { list(name, slot, replacing: true) }
  }

  /// Notes a field that an alias in `fields` or `display` made.
  mutating func noteMade(_ name: String, _ slot: SlotID) {
    if let place = made.firstIndex(where: { $0.name == name }) {
      made[place].slot = slot
    } else {
      made.append((name, slot))
    }
  }

  /// Names in the list so far.
  var listedNames: Set<String> {
    Set((listed ?? []).compactMap { if case .named(let name, _) = $0 { name } else { nil } })
  }

  /// Begins the list of a `fields` command.
  mutating func beginFields() {
    if listed == nil { listed = [] }
  }

  /// Adds a column; one of this name that is listed already stays in its place with the new slot.
  mutating func list(_ name: String, _ slot: SlotID, replacing: Bool) {
    let place = listed?.firstIndex {
      if case .named(let other, _) = $0 { other == name } else { false }
    }
    if replacing, let place {
      listed?[place] = .named(name, slot)
    } else {
      listed?.append(.named(name, slot))
    }
  }

  /// Whether every discovered field is shown, or would be if it were asked for: nothing is listed
  /// yet.
  var meansDiscovered: Bool {
    guard display == nil else { return false }
    return listed?.contains { if case .discovered = $0 { true } else { false } } ?? true
  }

  /// Adds every discovered field.
  mutating func listDiscovered() {
    let isThere = listed?.contains { if case .discovered = $0 { true } else { false } } ?? false
    if !isThere { listed?.append(.discovered) }
  }
}
