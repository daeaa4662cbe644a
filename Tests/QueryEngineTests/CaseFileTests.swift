import Columnar
import Foundation
import LogStorage
import QueryLanguage
import TestSupport
import Testing

@testable import QueryEngine

/// One way to run a query; every case gives the same answer under each.
struct Configuration: Sendable, CustomTestStringConvertible {
  let name: String
  var workers = 1
  var isOptimized = true
  /// Words of queries that mean something else here; cases with one of them are passed over.
  var exceptions: [String] = []
  /// Whether there are log groups.
  var hasGroups = true
  /// Whether events are kept in segments.
  var isStored = false
  /// Whether every operator that can goes on from disk at once.
  var spills = false
  /// How stored events are taken apart.
  var compactness = RowGroupEncoder.Compactness.automatic
  /// Makes the source of the events.
  var source: @Sendable (CaseEvents) throws -> any EventSource

  var testDescription: String { name }

  static let all = [
    Configuration(name: "one worker, large row groups") { MemorySource(texts: $0) },
    Configuration(name: "one worker, 7 rows each") { MemorySource(texts: $0, rowsPerGroup: 7) },
    Configuration(name: "two workers, 2 rows each", workers: 2) {
      MemorySource(texts: $0, rowsPerGroup: 2)
    },
    Configuration(name: "three workers, 1 row each, any order", workers: 3) {
      var source = MemorySource(texts: $0, rowsPerGroup: 1)
      source.isUnordered = true
      return source
    },
    Configuration(name: "without optimizer", isOptimized: false) {
      MemorySource(texts: $0, rowsPerGroup: 3)
    },
    // Record ids hold the arrival number, which each store gives out by itself.
    Configuration(name: "through the store", workers: 2, exceptions: ["@ptr"], isStored: true) {
      try StoredSources.store($0)
    },
    Configuration(name: "after compaction", exceptions: ["@ptr"], isStored: true) {
      try StoredSources.store($0, isCompacted: true)
    },
    Configuration(
      name: "with rare columns", workers: 2, exceptions: ["@ptr", "estimate"], isStored: true,
      compactness: .always
    ) {
      try StoredSources.store($0, compactness: .always)
    },
    Configuration(
      name: "kept as texts", workers: 2, exceptions: ["@ptr", "estimate"], isStored: true,
      compactness: .texts
    ) {
      try StoredSources.store($0, compactness: .texts)
    },
    // So little room that not everything is found again.
    Configuration(name: "in a warm shell", workers: 2, exceptions: ["@ptr"], isStored: true) {
      try StoredSources.store($0, decodedByteCount: 100_000)
    },
    Configuration(name: "from disk", workers: 2, spills: true) {
      MemorySource(texts: $0, rowsPerGroup: 3)
    },
    // Files have no log group, and a size that counts line ends.
    Configuration(
      name: "from a file", workers: 2, exceptions: ["@ptr", "@log", "SOURCE", "estimate"],
      hasGroups: false
    ) {
      StoredSources.file($0, rowsPerGroup: 2)
    },
  ]
}

/// The events of a case: those of the group `app`, and those of others.
struct CaseEvents: Sendable {
  let groups: [CaseGroup]

  init(_ texts: [String], otherGroups: [CaseGroup] = []) {
    groups = [CaseGroup(name: "app", events: texts)] + otherGroups
  }
}

@Suite struct CaseFileTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Cases").path
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  @Test(arguments: try CaseFile.cases(inFolder: folder))
  func `answers as written`(_ target: LanguageCase) throws {
    for configuration in Configuration.all {
      if !configuration.hasGroups, !target.otherGroups.isEmpty { continue }
      if configuration.exceptions.contains(where: { target.text.contains($0) }) { continue }
      let actual = try CaseRunner(target, configuration).run()
      if actual == target.expected { continue }
      Issue.record(
        "\(target) (\(configuration.name)) gave:\n\(actual)\ninstead of:\n\(target.expected)")
      if CaseFile.isRecording {
        try CaseFile.record(actual, for: target, inFolder: Self.folder)
      }
      return
    }
  }
}

/// Runs one case under one configuration and writes its result as case files do.
struct CaseRunner {
  let target: LanguageCase
  let configuration: Configuration

  init(_ target: LanguageCase, _ configuration: Configuration) {
    self.target = target
    self.configuration = configuration
  }

  func run() throws -> String {
    do {
      var options = options
      options.lookupTables = LookupTables(
        try target.tables.mapValues { try LookupTable(csv: Array($0.utf8)) })
      options.savedQueries = SavedQueries(
        target.savedQueries.map { SavedQuery(name: $0.key, encoded: $0.value) })
      let prepared = try PreparedQuery(target.text, options: options)
      return try rows(of: prepared)
    } catch let failure as QueryFailure {
      return "failed: \(failure) [\(failure.code)]"
    } catch let error as QueryError {
      let formatter = DiagnosticFormatter(source: error.text)
      return error.diagnostics.map { formatter.format($0) }.joined(separator: "\n")
    }
  }

  private var options: QueryOptions {
    // An hour after the first event.
    var options = QueryOptions(now: 1_772_449_200_000)
    options.workers = configuration.workers
    options.isOptimized = configuration.isOptimized
    if configuration.spills { options.mostHeldBeforeSpilling = 0 }
    options.isStrict = target.options.contains("strict")
    return options
  }

  private func rows(of prepared: PreparedQuery) throws -> String {
    var texts = target.events
    if let source = target.source {
      texts = try String(contentsOfFile: "\(CaseFileTests.root)/\(source)", encoding: .utf8)
        .split(separator: "\n").map(String.init)
    }
    var names = prepared.columns ?? []
    var rows: [[String: String]] = []
    let outcome = try prepared.run(
      on: try configuration.source(
        CaseEvents(texts, otherGroups: target.otherGroups))
    ) { batch in
      for name in batch.names where !names.contains(name) { names.append(name) }
      for row in 0..<batch.rowCount {
        var cells: [String: String] = [:]
        for (name, column) in zip(batch.names, batch.columns) {
          let value = column.value(at: row)
          if !value.isMissing { cells[name] = value.displayText }
        }
        rows.append(cells)
      }
    }
    let lines = rows.map { row in names.map { row[$0] ?? "(none)" }.joined(separator: " | ") }
    let warnings = outcome.warnings.map { "! \($0.id)" }
    return ([names.joined(separator: " | ")] + lines + warnings).joined(separator: "\n")
  }
}
