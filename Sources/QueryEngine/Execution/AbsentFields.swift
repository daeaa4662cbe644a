import Columnar
import LogStorage
import QueryLanguage

// A field that no event has is no mistake of the query's text: nobody declares fields. Most often it
// is one all the same, `statuscode` for `statusCode`. So when a run has met a field nowhere, the row
// groups of the window are asked once more, without the query's conditions, by their tables where
// these suffice and by reading the field where they do not, as with text events. The search ends as
// soon as all fields are found, and nothing is said that is not certain.

/// Finds out which fields of a query no event has, and what was probably meant.
struct AbsentFields {
  /// Events in which a field is still searched and counted.
  private static let mostCounted = 10_000_000
  /// Bytes of files that are still read a second time.
  private static let mostFileBytes = 64 << 20

  private let source: any EventSource
  private let request: ScanRequest
  private let control: RunControl

  init(_ scan: ScanStep, on source: any EventSource, _ control: RunControl) {
    self.source = source
    self.control = control
    request = ScanRequest(logGroups: scan.groups(of: source), window: scan.statedWindow)
  }

  /// A field of a query that nothing was found of.
  struct Field {
    /// Its path.
    let name: String
    /// Where the query first names it.
    let mention: SourceRange
    /// Whether something is compared with it.
    let isOperand: Bool
  }

  /// A hint for each of the fields that no event has although many have one of nearly its name, or
  /// with which something is compared.
  ///
  /// - Complexity: one table per row group, and a column of each for the count.
  func hints(for fields: [Field]) throws -> [Diagnostic] {
    if let files = source as? FileEventSource,
      files.readsStandardInput || files.byteCount > Self.mostFileBytes
    {
      return []
    }
    let found = try survey(fields.map(\.name))
    return try fields.compactMap { field in
      let (name, mention) = (field.name, field.mention)
      guard found.absent.contains(name) else { return nil }
      // A field that is nowhere but null has its own name among those that events have.
      let others = found.others.filter { DiscoveredName.path(ofName: $0) != name }
      let nearest =
        NameSuggestion.nearest(to: name, among: others) ?? Self.nested(name, among: others)
      guard let near = nearest else {
        guard field.isOperand, found.eventCount > 0 else { return nil }
        return AnalyzerDiagnostics.operandAbsent(DiscoveredName.name(ofPath: name), at: mention)
      }
      let share = found.eventCount <= Self.mostCounted ? try share(of: near) : nil
      return AnalyzerDiagnostics.fieldAbsent(
        DiscoveredName.name(ofPath: name), near, share, at: mention)
    }
  }

  /// The shortest of the names that end in a part called so: `http.status` for `status`.
  private static func nested(_ name: String, among others: [String]) -> String? {
    let ending = "." + name.lowercased()
    return others.filter { $0.lowercased().hasSuffix(ending) }
      .min { a, b in
        a.utf8.count != b.utf8.count
          ? a.utf8.count < b.utf8.count : a.utf8.lexicographicallyPrecedes(b.utf8)
      }
  }

  /// Which of the names no event has, and the names that events have.
  private func survey(
    _ names: [String]
  ) throws -> (absent: [String], others: [String], eventCount: Int) {
    var absent = names
    var others: [String] = []
    var known: Set<String> = []
    var eventCount = 0
    let cursor = try source.scan(request)
    while !absent.isEmpty, let rowGroup = try cursor.next() {
      try control.check()
      guard !rowGroup.visibleRows.isEmpty else { continue }
      eventCount += rowGroup.visibleRows.count
      let isCountable = eventCount <= Self.mostCounted
      try absent.removeAll { name in
        guard rowGroup.mayHave(name) else { return false }
        return try !isCountable || !visible(name, of: rowGroup).isAllMissing
      }
      if absent.isEmpty { break }
      for (name, _) in try rowGroup.discoveredFields() where known.insert(name).inserted {
        others.append(name)
      }
    }
    // What could not be read may have had the fields.
    return cursor.statistics.damagedParts.isEmpty ? (absent, others, eventCount) : ([], [], 0)
  }

  /// How many of the events of the window have a value of a field, in percent.
  private func share(of name: String) throws -> Double? {
    let path = DiscoveredName.path(ofName: name)
    var (having, all) = (0, 0)
    let cursor = try source.scan(request)
    while let rowGroup = try cursor.next() {
      try control.check()
      all += rowGroup.visibleRows.count
      guard rowGroup.mayHave(path) else { continue }
      having += try visible(path, of: rowGroup).presence().setCount
    }
    return all > 0 && having > 0 ? Double(having) / Double(all) * 100 : nil
  }

  private func visible(_ path: String, of rowGroup: any RowGroup) throws -> ColumnVector {
    let rows = rowGroup.visibleRows
    return try rowGroup.column(
      path, rows: SelectionVector(UInt32(rows.lowerBound)..<UInt32(rows.upperBound)))
  }
}
