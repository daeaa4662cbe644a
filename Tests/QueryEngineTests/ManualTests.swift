import Foundation
import QueryEngine
import QueryLanguage
import TestSupport
import Testing

/// The manual knows the whole language: no command, function or code lacks its entry.
@Suite struct ManualTests {
  @Test func `every command of the parser has an entry, and every entry is a command`() {
    let entries = CommandManual.entries
    let told = entries.flatMap { [$0.name] + $0.aliases }.map { $0.lowercased() }
    #expect(Set(told).count == told.count)
    // A call of a saved query is a stage without a word of its own.
    #expect(Set(told) == Set(Keyword.commands.map { $0.rawValue.lowercased() } + ["saved"]))
    for entry in entries {
      #expect(!entry.syntax.isEmpty && !entry.meaning.isEmpty, "\(entry.name)")
      #expect(!entry.examples.isEmpty, "\(entry.name) has no example")
    }
  }

  @Test func `every example is read without a mistake`() {
    for entry in CommandManual.entries {
      for example in entry.examples {
        #expect(Self.errors(example.query) == [], "\(example.query)")
      }
    }
  }

  @Test func `every topic has a page of at most 100 columns, in any case`() {
    for topic in Manual.topics {
      let page = Manual.page(topic.uppercased())
      #expect(page != nil, "\(topic)")
      for line in (page ?? "").split(separator: "\n") {
        #expect(line.count <= 100 || line.hasPrefix("  "), "\(topic): \(line)")
      }
    }
    #expect(Manual.page("stts") == nil)
    #expect(Manual.unknown("stts").contains("did you mean 'stats'?"))
  }

  @Test func `every code in the sources has an entry, and every entry is raised there`() throws {
    let known = Set(DiagnosticCatalog.entries.map(\.code))
    #expect(known.count == DiagnosticCatalog.entries.count)
    #expect(try Self.sourceCodes() == known)
  }

  @Test func `every code has an example that provokes it`() throws {
    // Too long to print, or half a minute and more.
    let withoutExample: Set = ["E119", "E120", "E190", "E408", "E502"]
    for entry in DiagnosticCatalog.entries {
      guard let example = entry.example else {
        #expect(withoutExample.contains(entry.code), "\(entry.code) has no example")
        continue
      }
      let found = try Self.codes(example, of: entry)
      #expect(found.contains(entry.code), "\(example): \(found)")
    }
    let nested = String(repeating: "(", count: 201) + "1" + String(repeating: ")", count: 201)
    #expect(Self.diagnostics("filter \(nested)").map(\.id.code) == ["E119"])
    let long = "fields " + String(repeating: "a", count: 10_000)
    #expect(Self.diagnostics(long).map(\.id.code) == ["E120"])
  }

  @Test func `every fix-it repairs its query`() {
    var applied = 0
    for entry in DiagnosticCatalog.entries {
      guard let example = entry.example else { continue }
      for diagnostic in Self.diagnostics(example, of: entry) {
        for fixIt in diagnostic.fixIts {
          applied += 1
          let repaired = fixIt.applied(to: SourceText(example))
          let left = Self.diagnostics(repaired, of: entry)
          let errors = left.filter { $0.severity == .error }
          #expect(errors.isEmpty, "\(example) → \(repaired)")
          #expect(!left.contains { $0.id == diagnostic.id }, "\(example) → \(repaired)")
        }
      }
    }
    #expect(applied >= 12, "only \(applied) fix-its")
  }

  private static func errors(_ query: String) -> [String] {
    diagnostics(query).filter { $0.severity == .error }.map(\.message)
  }

  private static func options(_ entry: DiagnosticCatalog.Entry?) -> QueryOptions {
    var options = QueryOptions(now: MemorySource.start + 3_600_000)
    options.isStrict = entry?.isStrict ?? false
    options.suggestsFields = true
    options.lookupTables = tables
    options.savedQueries = SavedQueries([
      SavedQuery(name: "slow", text: "filter durationMs > {{least}}"),
      SavedQuery(name: "nested", text: "$slow(least = 1)"),
    ])
    if entry?.isInGroup == true { options.logGroups = ["shop"] }
    return options
  }

  private static func diagnostics(
    _ query: String, of entry: DiagnosticCatalog.Entry? = nil
  ) -> [Diagnostic] {
    do {
      return try PreparedQuery(query, options: options(entry)).warnings
    } catch {
      return error.diagnostics
    }
  }

  /// The tables that the examples name.
  private static let tables = LookupTables([
    "services": try! LookupTable(csv: Array("name,team\nshop,red\n".utf8)),
    "networks": try! LookupTable(csv: Array("cidr,zone\n10.0.0.0/8,inside\n".utf8)),
  ])

  /// What a query is answered with, by its text or by running it on the shop.
  private static func codes(
    _ query: String, of entry: DiagnosticCatalog.Entry
  ) throws -> [String] {
    let found = diagnostics(query, of: entry).map(\.id.code)
    if found.contains(entry.code) || found.contains(where: { $0.hasPrefix("E") }) { return found }
    do {
      let prepared = try PreparedQuery(query, options: options(entry))
      return try prepared.run(on: shop) { _ in }.warnings.map(\.id.code)
    } catch let error as QueryError {
      return error.diagnostics.map(\.id.code)
    } catch let failure as QueryFailure {
      return [failure.code]
    }
  }

  /// A group of a few events over two minutes, and one of 50,001 events.
  private static let shop = MemorySource(
    texts: CaseEvents(
      [],
      otherGroups: [
        CaseGroup(
          name: "shop",
          events: [
            #"{"id":1,"level":"ERROR","user":{"id":7},"durationMs":12}"#,
            #"{"id":2,"level":"WARN","message":"\#(String(repeating: "a", count: 60))!"}"#,
            #"{"id":3,"level":"INFO","service":"web-1","durationMs":7}"#,
            #"{"id":4,"note":"\#(String(repeating: "x", count: 300_000))"}"#,
          ]),
        CaseGroup(
          name: "large", events: (0...50_000).map { #"{"id":\#($0)}"# }),
      ]))

  /// The codes that the language and the engine define.
  private static func sourceCodes() throws -> Set<String> {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
    var codes: Set<String> = []
    for room in ["QueryLanguage", "QueryEngine"] {
      let root = sources.appendingPathComponent(room).path
      for case let path as String in try #require(FileManager.default.enumerator(atPath: root))
      where path.hasSuffix(".swift") && !path.hasPrefix("Manual/") {
        let text = try String(contentsOfFile: root + "/" + path, encoding: .utf8)
        for match in text.matches(of: /"([EWH][0-9]+)"/) {
          codes.insert(String(match.1))
        }
      }
    }
    #expect(codes.count > 40)
    return codes
  }
}
