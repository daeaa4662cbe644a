import Columnar
import LogStorage
import Synchronization
import TestSupport

// Events kept as plain values: slow, simple and independent of the store. Whatever the engine
// answers over it, it must answer over the store too.

/// Events of one or more log groups, in row groups of a chosen size.
struct MemorySource: EventSource {
  /// One event as the engine may see it.
  struct Event: Sendable {
    var time: Int64
    var sequence: UInt64
    var message: String
    var stream = "stream"
    /// Leaves by dotted path, in order of appearance.
    var leaves: [(name: String, value: Value)] = []
    /// The whole object, for paths that stop at a map or list.
    var object: Value = .missing
  }

  let groups: [(name: String, events: [Event])]
  let rowsPerGroup: Int
  /// Whether row groups come in any order, with bounds that say nothing.
  var isUnordered = false

  init(_ events: [Event], group: String = "app", rowsPerGroup: Int = 65_536) {
    groups = [(group, events)]
    self.rowsPerGroup = rowsPerGroup
  }

  /// The time of the first event of a case: 2026-03-02 10:00:00.
  static let start: Int64 = 1_772_445_600_000

  /// One event per text, one minute apart from 2026-03-02 10:00:00.
  init(texts: [String], rowsPerGroup: Int = 65_536) {
    self.init(
      texts.enumerated().map { index, text in
        Event(
          text, time: Self.start + Int64(index) * 60_000, sequence: UInt64(index + 1))
      }, rowsPerGroup: rowsPerGroup)
  }

  /// The events of a case; each group begins at 10:00:00, the later group arrived later.
  init(texts: CaseEvents, rowsPerGroup: Int = 65_536) {
    var sequence: UInt64 = 0
    groups = texts.groups.map { group in
      let events = group.events.enumerated().map { index, text in
        sequence += 1
        return Event(text, time: Self.start + Int64(index) * 60_000, sequence: sequence)
      }
      return (group.name, events)
    }
    self.rowsPerGroup = rowsPerGroup
  }

  var logGroupNames: [String]? { groups.map(\.name) }

  func scan(_ request: ScanRequest) throws -> any RowGroupCursor {
    if let wanted = request.logGroups {
      for name in wanted where !groups.contains(where: { $0.name == name }) {
        throw StorageError(.unknownGroup, "no log group '\(name)'")
      }
    }
    var pieces: [(group: String, events: [Event])] = []
    for group in groups where request.logGroups?.contains(group.name) ?? true {
      let sorted = group.events.sorted { ($0.time, $0.sequence) < ($1.time, $1.sequence) }
      for start in stride(from: 0, to: sorted.count, by: rowsPerGroup) {
        let events = sorted[start..<min(start + rowsPerGroup, sorted.count)]
          .filter { request.window?.contains($0.time) ?? true }
        if !events.isEmpty { pieces.append((group.name, events)) }
      }
    }
    switch request.order {
    case .unspecified: break
    case .newestFirst: pieces.sort { $0.events.last!.time > $1.events.last!.time }
    case .oldestFirst: pieces.sort { $0.events.first!.time < $1.events.first!.time }
    }
    if isUnordered { pieces.reverse() }
    return MemoryCursor(pieces: pieces, order: request.order, isUnordered: isUnordered)
  }
}

extension MemorySource.Event {
  init(_ text: String, time: Int64, sequence: UInt64) {
    self.init(time: time, sequence: sequence, message: text)
    guard case .map(let map)? = JSONText.parse(text) else {
      leaves = Self.withBytes(of: text) { TextFields.fields(in: $0) }
      return
    }
    object = .map(map)
    Self.collect(.map(map), "", &leaves)
    leaves = leaves.prefix(StorageLimits.discoveredFieldsPerEvent).map {
      (DiscoveredName.name(ofPath: $0.name), $0.value)
    }
  }

  private static func collect(
    _ value: Value, _ path: String, _ leaves: inout [(name: String, value: Value)]
  ) {
    let prefix = path.isEmpty ? "" : path + "."
    switch value {
    case .map(let map):
      for (key, member) in zip(map.keys, map.values) { collect(member, prefix + key, &leaves) }
    // Long lists are one field each, as in a store.
    case .list(let elements) where elements.count <= 16:
      for (index, element) in elements.enumerated() {
        collect(element, prefix + String(index), &leaves)
      }
    case .missing: break
    default: leaves.append((path, value))
    }
  }

  func value(of field: String) -> Value {
    guard case .missing = object else { return object.member(path: field) }
    return Self.withBytes(of: message) { TextFields.value(of: field, in: $0) }
  }

  private static func withBytes<Result>(
    of text: String, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    var text = text
    return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
}

private final class MemoryCursor: RowGroupCursor {
  private let pieces: [(group: String, events: [MemorySource.Event])]
  private let order: ScanRequest.Order
  private let isUnordered: Bool
  private let bounds: [Int64]
  private let position = Atomic<Int>(0)

  init(
    pieces: [(group: String, events: [MemorySource.Event])], order: ScanRequest.Order,
    isUnordered: Bool
  ) {
    self.pieces = pieces
    self.order = order
    self.isUnordered = isUnordered
    bounds = Self.bounds(pieces, order)
  }

  func next() throws -> (any RowGroup)? {
    let index = position.add(1, ordering: .relaxed).oldValue
    guard index < pieces.count else { return nil }
    return MemoryRowGroup(pieces[index].events, pieces[index].group, index, bound(behind: index))
  }

  private func bound(behind index: Int) -> Int64? {
    guard index + 1 < pieces.count else { return nil }
    if order == .unspecified { return nil }
    return isUnordered ? (order == .newestFirst ? .max : .min) : bounds[index + 1]
  }

  /// For each piece the extreme time of it and all behind it.
  private static func bounds(
    _ pieces: [(group: String, events: [MemorySource.Event])], _ order: ScanRequest.Order
  ) -> [Int64] {
    var bounds = [Int64](repeating: 0, count: pieces.count)
    var extreme: Int64 = order == .newestFirst ? .min : .max
    for index in pieces.indices.reversed() {
      let times = pieces[index].events.map(\.time)
      extreme = order == .newestFirst ? max(extreme, times.max()!) : min(extreme, times.min()!)
      bounds[index] = extreme
    }
    return bounds
  }

  var statistics: ScanStatistics {
    var statistics = ScanStatistics()
    let read = pieces.prefix(position.load(ordering: .relaxed))
    statistics.rowGroupsRead = read.count
    statistics.rowsScanned = read.reduce(0) { $0 + $1.events.count }
    statistics.rawBytesScanned = read.reduce(0) {
      $0 + $1.events.reduce(0) { $0 + $1.message.utf8.count }
    }
    return statistics
  }
}

private final class MemoryRowGroup: RowGroup {
  private let events: [MemorySource.Event]
  let logGroup: String
  let ordinal: Int
  let boundOfRest: Int64?

  init(_ events: [MemorySource.Event], _ group: String, _ ordinal: Int, _ bound: Int64?) {
    self.events = events
    logGroup = group
    self.ordinal = ordinal
    boundOfRest = bound
  }

  var rowCount: Int { events.count }
  var visibleRows: Range<Int> { 0..<events.count }
  var rawByteCount: Int { events.reduce(0) { $0 + $1.message.utf8.count } }

  func timestamps() -> [Int64] { events.map(\.time) }
  func ingestionTimes() -> [Int64] { events.map { $0.time + 1000 } }
  func sequenceNumbers(_ rows: SelectionVector?) -> [UInt64] {
    rows.map { $0.map { events[Int($0)].sequence } } ?? events.map(\.sequence)
  }
  func streams() -> ColumnVector { ColumnVector(events.map { .string($0.stream) }) }

  private func picked(_ rows: SelectionVector?) -> [MemorySource.Event] {
    rows.map { $0.map { events[Int($0)] } } ?? events
  }

  func messages(_ rows: SelectionVector?) -> StringVector {
    var vector = StringVector()
    for event in picked(rows) {
      vector.bytes += event.message.utf8
      vector.offsets.append(UInt32(vector.bytes.count))
    }
    return vector
  }

  func column(_ field: String, rows: SelectionVector?) -> ColumnVector {
    ColumnVector(picked(rows).map { $0.value(of: field) })
  }

  func mayHave(_ field: String) -> Bool {
    events.contains { !$0.value(of: field).isMissing }
  }

  func mayMatch(_ predicate: FieldPredicate) -> Bool { true }

  func discoveredFields() -> [(name: String, rowCount: Int)] {
    var fields: [(name: String, rowCount: Int)] = []
    for leaf in events.flatMap(\.leaves) {
      if let place = fields.firstIndex(where: { $0.name == leaf.name }) {
        fields[place].rowCount += 1
      } else {
        fields.append((leaf.name, 1))
      }
    }
    return fields
  }
}

/// A JSON reader for tests: short, and strict enough for what tests write.
struct JSONText {
  private var rest: Substring.UnicodeScalarView

  static func parse(_ text: String) -> Value? {
    var reader = JSONText(rest: Substring(text).unicodeScalars)
    guard let value = reader.value() else { return nil }
    reader.skipBlanks()
    return reader.rest.isEmpty ? value : nil
  }

  private mutating func skipBlanks() { rest = rest.drop { $0.properties.isWhitespace } }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func value() -> Value? {
    skipBlanks()
    switch rest.first {
    case "{": return object()
    case "[": return list()
    case "\"": return string().map { .string($0) }
    default: return scalar()
    }
  }

  private mutating func object() -> Value? {
    guard take("{") else { return nil }
    var map = ValueMap()
    if take("}") { return .map(map) }
    repeat {
      skipBlanks()
      guard let key = string(), take(":"), let member = value() else { return nil }
      map.keys.append(key)
      map.values.append(member)
    } while take(",")
    return take("}") ? .map(map) : nil
  }

  private mutating func list() -> Value? {
    guard take("[") else { return nil }
    var elements: [Value] = []
    if take("]") { return .list([]) }
    repeat {
      guard let element = value() else { return nil }
      elements.append(element)
    } while take(",")
    return take("]") ? .list(elements) : nil
  }

  private mutating func string() -> String? {
    guard rest.first == "\"" else { return nil }
    rest.removeFirst()
    var text = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      if scalar == "\"" { return String(text) }
      guard scalar == "\\" else {
        text.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "n": text.append("\n")
      case "t": text.append("\t")
      case "u":
        guard let code = UInt32(String(rest.prefix(4)), radix: 16),
          let scalar = Unicode.Scalar(code)
        else { return nil }
        text.append(scalar)
        rest = rest.dropFirst(4)
      case let other?: text.append(other)
      case nil: return nil
      }
    }
    return nil
  }

  private mutating func scalar() -> Value? {
    let word = String(rest.prefix { !",]} \n\t".unicodeScalars.contains($0) })
    rest = rest.dropFirst(word.unicodeScalars.count)
    switch word {
    case "true": return .jsonBoolean(true)
    case "false": return .jsonBoolean(false)
    case "null": return .missing
    default: break
    }
    if let number = Int64(word), String(number) == word { return .integer(number) }
    return Double(word).map { .sourceNumber(SourceNumber(value: $0, text: word)) }
  }
}
