import Testing

@testable import varve

@Suite struct ArgumentOrderTests {
  private static let orders: [([String], [String])] = [
    (["--store", "D", "query", "q"], ["query", "--store", "D", "q"]),
    (["--store=D", "-q", "groups"], ["groups", "--store=D", "-q"]),
    (["query", "q", "--store", "D"], ["query", "q", "--store", "D"]),
    (
      ["retention", "--store", "D", "set", "G", "30"],
      ["retention", "set", "--store", "D", "G", "30"]
    ),
    (["--store", "D"], ["--store", "D"]),
    (["--help"], ["--help"]),
    ([], []),
  ]

  @Test(arguments: orders)
  func `options that every command takes may stand before its name`(
    given: [String], arranged: [String]
  ) {
    #expect(ArgumentOrder.arranged(given) == arranged)
  }
}
