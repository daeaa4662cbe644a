import Testing

@testable import QueryLanguage

@Suite struct NameSuggestionTests {
  @Test(arguments: [
    ("limt", "limit"), ("lmiit", "limit"), ("STATZ", "stats"), ("filetr", "filter"),
    ("dispaly", "display"), ("filterindx", "filterIndex"), ("sorce", "SOURCE"),
  ])
  func `near misses find their command`(_ word: String, _ command: String) {
    let near = NameSuggestion.nearest(to: word, among: Keyword.commands.map(\.spelling))
    #expect(near == command)
  }

  @Test(arguments: ["xyz", "q", "", "frobnicate", String(repeating: "a", count: 500)])
  func `words far from all get no suggestion`(_ word: String) {
    #expect(NameSuggestion.nearest(to: word, among: Keyword.commands.map(\.spelling)) == nil)
  }

  @Test func `a swap of neighbours counts once`() {
    let distance = { (x: String, y: String) in
      NameSuggestion.distance(Array(x.unicodeScalars), Array(y.unicodeScalars))
    }
    #expect(distance("ab", "ba") == 1)
    #expect(distance("abc", "") == 3)
    #expect(distance("", "") == 0)
    #expect(distance("kitten", "sitting") == 3)
    #expect(distance("limit", "limit") == 0)
  }

  @Test func `the earlier of equals wins`() {
    #expect(NameSuggestion.nearest(to: "cat", among: ["bat", "hat"]) == "bat")
  }
}
