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
    #expect(Set(told) == Set(Keyword.commands.map { $0.rawValue.lowercased() }))
    for entry in entries {
      #expect(!entry.syntax.isEmpty && !entry.meaning.isEmpty, "\(entry.name)")
      #expect(!entry.examples.isEmpty, "\(entry.name) has no example")
    }
  }

  @Test func `every example is read without a mistake, unless its command is not available`() {
    for entry in CommandManual.entries where entry.isAvailable {
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

  @Test func `every code in the sources has an entry`() throws {
    let known = Set(DiagnosticCatalog.entries.map(\.code))
    #expect(known.count == DiagnosticCatalog.entries.count)
    #expect(try Self.sourceCodes().subtracting(known) == [])
  }

  @Test func `every example of a code provokes it`() throws {
    let made = try Self.sourceCodes()
    for entry in DiagnosticCatalog.entries where made.contains(entry.code) {
      guard let example = entry.example else { continue }
      let found = Self.diagnostics(example, isStrict: entry.isStrict)
      #expect(found.map(\.id.code).contains(entry.code), "\(example): \(found.map(\.id))")
    }
  }

  @Test func `every fix-it repairs its query`() {
    var applied = 0
    for entry in DiagnosticCatalog.entries {
      guard let example = entry.example else { continue }
      for diagnostic in Self.diagnostics(example, isStrict: entry.isStrict) {
        for fixIt in diagnostic.fixIts {
          applied += 1
          let repaired = fixIt.applied(to: SourceText(example))
          let left = Self.diagnostics(repaired, isStrict: entry.isStrict)
          #expect(!left.contains { $0.severity == .error }, "\(example) → \(repaired)")
          #expect(!left.contains { $0.id == diagnostic.id }, "\(example) → \(repaired)")
        }
      }
    }
    #expect(applied >= 8, "only \(applied) fix-its")
  }

  private static func errors(_ query: String) -> [String] {
    diagnostics(query, isStrict: false).filter { $0.severity == .error }.map(\.message)
  }

  private static func diagnostics(_ query: String, isStrict: Bool) -> [Diagnostic] {
    var options = QueryOptions(now: 0)
    options.isStrict = isStrict
    options.lookupTables = tables
    do {
      return try PreparedQuery(query, options: options).warnings
    } catch {
      return error.diagnostics
    }
  }

  /// The tables that the examples name.
  private static let tables = LookupTables([
    "services": try! LookupTable(csv: Array("name,team\nshop,red\n".utf8)),
    "networks": try! LookupTable(csv: Array("cidr,zone\n10.0.0.0/8,inside\n".utf8)),
  ])

  /// The codes that the language and the engine define.
  private static func sourceCodes() throws -> Set<String> {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
    var codes: Set<String> = []
    for room in ["QueryLanguage", "QueryEngine"] {
      let root = sources.appendingPathComponent(room).path
      for case let path as String in try #require(FileManager.default.enumerator(atPath: root))
      where path.hasSuffix(".swift") {
        let text = try String(contentsOfFile: root + "/" + path, encoding: .utf8)
        for match in text.matches(of: /DiagnosticID\(\s*"([EWH][0-9]+)"/) {
          codes.insert(String(match.1))
        }
      }
    }
    #expect(codes.count > 40)
    return codes
  }
}
