/// A query kept under a name, for calls such as `$slow(least = 250)`.
///
/// As text, which is how it is kept, its defaults come first, a line each:
///
/// ```
/// default least = 100
/// filter durationMs > {{least}} | sort durationMs desc
/// ```
package struct SavedQuery: Hashable, Sendable {
  /// A parameter that a call need not give.
  package struct Default: Hashable, Sendable {
    package let parameter: String
    /// A literal, or a list of them.
    package let value: Expression
  }

  package let name: String
  package let text: String
  /// In the order in which they were given.
  package let defaults: [Default]

  /// - Parameter defaults: parameters with the text of their value; what is no literal is a text.
  package init(name: String, text: String, defaults: [(parameter: String, value: String)] = []) {
    self.name = name
    self.text = text
    self.defaults = defaults.map {
      Default(
        parameter: $0.parameter,
        value: Self.literal($0.value) ?? Expression(.string(StringLiteral(value: $0.value))))
    }
  }

  /// Reads the text that `encoded` made; lines that are no defaults belong to the query.
  package init(name: String, encoded: String) {
    var defaults: [(parameter: String, value: String)] = []
    var rest = Substring(encoded)
    while rest.hasPrefix(Self.prefix) {
      let line = rest.prefix { $0 != "\n" }
      guard let sign = line.firstIndex(of: "=") else { break }
      defaults.append(
        (
          String(line[..<sign].dropFirst(Self.prefix.count).filter { $0 != " " }),
          String(line[line.index(after: sign)...].drop { $0 == " " })
        ))
      rest = rest.dropFirst(line.count + 1)
    }
    self.init(name: name, text: String(rest), defaults: defaults)
  }

  /// The text that is kept.
  package var encoded: String { defaultLines + text }

  /// The lines of the defaults, each with its end.
  package var defaultLines: String {
    defaults.map { "\(Self.prefix)\($0.parameter) = \(QueryPrinter.text(of: $0.value))\n" }.joined()
  }

  /// No query begins with this word.
  private static let prefix = "default "

  /// The parameters in the order in which the text names them, each once.
  package var parameters: [String] {
    var known: Set<String> = []
    return SavedQueryTemplate(text).placeholders.map(\.name).filter { known.insert($0).inserted }
  }

  func defaultValue(of parameter: String) -> Expression? {
    defaults.first { $0.parameter == parameter }?.value
  }

  /// How a call of it begins: `$slow` or ``$`Team A/slow` ``.
  package var callName: String { "$" + QueryPrinter.segmentText(name, isFirst: true) }

  /// The literal, or the list of literals, that a text is; `nil` for any other text.
  private static func literal(_ text: String) -> Expression? {
    var parser = Parser(SourceText(text))
    guard let value = try? parser.parseArgumentValue(), parser.token.kind == .end,
      parser.diagnostics.isEmpty
    else { return nil }
    return value
  }
}

/// Where a query finds the saved queries that it calls.
package struct SavedQueries: Sendable {
  /// The names of all of them, for messages.
  package let names: @Sendable () -> [String]
  /// The query of a name; `nil` if there is none. Throws when it cannot be read.
  package let query: @Sendable (String) throws -> SavedQuery?

  package init(
    names: @escaping @Sendable () -> [String],
    query: @escaping @Sendable (String) throws -> SavedQuery?
  ) {
    self.names = names
    self.query = query
  }

  /// Queries that are in memory.
  package init(_ queries: [SavedQuery]) {
    let byName = Dictionary(queries.map { ($0.name, $0) }) { first, _ in first }
    self.init(names: { byName.keys.sorted() }, query: { byName[$0] })
  }
}
