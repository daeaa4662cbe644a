import TestSupport
import Testing

@testable import QueryLanguage

/// The accepted and rejected queries of `Grammar/`.
@Suite struct QueryListTests {
  static let accepted = entries("accepted")
  static let rejected = entries("rejected")

  private static func entries(_ name: String) -> [QueryList.Entry] {
    (try? QueryList.entries(of: ProjectFolder.text("Grammar/\(name).queries"))) ?? []
  }

  @Test func `the lists are long enough to mean something`() {
    #expect(Self.accepted.count >= 150)
    #expect(Self.rejected.count >= 80)
  }

  @Test func `every command is among the accepted queries`() {
    var names = Set<String>()
    for entry in Self.accepted {
      for command in QueryParser.parse(entry.text).query.commands { names.insert(command.name) }
    }
    #expect(names.count == 35, "33 kinds of stages, limit with head and tail: \(names.sorted())")
  }

  @Test(arguments: accepted) func `accepted queries parse without error`(_ entry: QueryList.Entry) {
    let parsed = QueryParser.parse(entry.text)
    #expect(parsed.diagnostics.map(\.id.code) == entry.codes, "\(parsed.formatted)")
    #expect(!parsed.hasErrors)
  }

  @Test(arguments: accepted)
  func `accepted queries survive printing and parsing again`(_ entry: QueryList.Entry) {
    expectRoundTrip(QueryParser.parse(entry.text))
  }

  @Test(arguments: rejected)
  func `rejected queries give the named codes at the marked places`(_ entry: QueryList.Entry) {
    let parsed = QueryParser.parse(entry.text)
    let errors = parsed.diagnostics.filter { $0.severity == .error }
    #expect(errors.map(\.id.code) == entry.codes, "\(parsed.formatted)")
    let places = errors.map { $0.range.start..<$0.range.end }
    #expect(places == entry.places, "\(parsed.formatted)")
  }

  @Test(arguments: rejected + accepted)
  func `a fix-it removes its diagnostic and makes no new one`(_ entry: QueryList.Entry) {
    let parsed = QueryParser.parse(entry.text)
    for diagnostic in parsed.diagnostics {
      for fixIt in diagnostic.fixIts {
        let fixed = QueryParser.parse(fixIt.applied(to: parsed.source))
        #expect(fixed.diagnostics.count < parsed.diagnostics.count, "\(fixed.formatted)")
        #expect(fixed.errorCount <= parsed.errorCount)
        if parsed.diagnostics.count == 1 { #expect(!fixed.hasErrors) }
      }
    }
  }

  @Test func `fix-its are offered often`() {
    let offered = Self.rejected.filter { entry in
      QueryParser.parse(entry.text).diagnostics.contains { !$0.fixIts.isEmpty }
    }
    #expect(offered.count >= 30)
  }

  @Test(arguments: rejected)
  func `messages are one line, lower case and without full stop`(_ entry: QueryList.Entry) {
    for diagnostic in QueryParser.parse(entry.text).diagnostics {
      #expect(!diagnostic.message.hasSuffix("."))
      #expect(!diagnostic.message.contains("\n"))
      #expect(
        diagnostic.message.first?.isLowercase == true || diagnostic.message.hasPrefix("'")
          || diagnostic.message.hasPrefix("SOURCE"), "\(diagnostic.message)")
    }
  }
}

extension ParsedQuery {
  var formatted: String { DiagnosticFormatter(source: source).format(diagnostics) }
}

/// Expects that the printed query parses to an equal tree, in both layouts.
func expectRoundTrip(
  _ parsed: ParsedQuery, sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  for layout in [QueryPrinter.Layout.singleLine, .stageByLine] {
    let printed = QueryPrinter.text(of: parsed.query, layout: layout)
    // The canonical blanks can carry a very long query over the limit.
    guard printed.unicodeScalars.count <= LanguageLimits.queryLength else { continue }
    let again = QueryParser.parse(printed)
    let isSame =
      again.query == parsed.query && again.errorCount == parsed.errorCount
      && QueryPrinter.text(of: again.query, layout: layout) == printed
    #expect(isSame, "\(printed)\n\(again.formatted)", sourceLocation: sourceLocation)
  }
}
