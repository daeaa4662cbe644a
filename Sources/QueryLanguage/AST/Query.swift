/// A whole query: its commands, in written order.
///
/// A stage that could not be parsed stands in its place as `Command.Kind.invalid`, so the list
/// always has one entry per stage of the text.
package struct Query: Hashable, Sendable {
  package var commands: [Command]
  @SourceOnly package var range: SourceRange

  package init(commands: [Command], range: SourceRange = .none) {
    self.commands = commands
    self.range = range
  }
}

/// A query in round brackets inside another one.
package struct Subquery: Hashable, Sendable {
  package var query: Query
  /// The place of the whole, brackets included.
  @SourceOnly package var range: SourceRange
}

/// The name of a field: a path of segments, such as `order.lines.0.sku`.
package struct FieldName: Hashable, Sendable {
  /// The segments without backticks; at least one.
  ///
  /// A segment written in backticks may hold dots: `` `a.b` `` is one segment, `a.b` two. Both have
  /// the same `name` and denote the same flattened field.
  package var segments: [String]
  @SourceOnly package var range: SourceRange

  package init(segments: [String], range: SourceRange = .none) {
    precondition(!segments.isEmpty, "a field name has at least one segment")
    self.segments = segments
    self.range = range
  }

  /// The canonical dotted name, such as `a.b.c`: what columns are called and lookups use.
  package var name: String {
    segments.count == 1 ? segments[0] : segments.joined(separator: ".")
  }

  /// Whether this names a field the system makes: one `@` in front (`@timestamp`), not two.
  ///
  /// A join alias hides it: `left.@timestamp` is not counted.
  package var isSystem: Bool {
    segments[0].hasPrefix("@") && !segments[0].hasPrefix("@@")
  }
}

/// A word that names something which is no field: a function, a table, an alias of a join side.
package struct Identifier: Hashable, Sendable {
  package var text: String
  @SourceOnly package var range: SourceRange
}

/// A name with `*` wildcards, such as `http_*`.
package struct FieldPattern: Hashable, Sendable {
  /// The literal parts around the wildcards: `a*b` is `["a", "b"]`, a plain name has one part.
  package var pieces: [String]
  @SourceOnly package var range: SourceRange

  package init(pieces: [String], range: SourceRange) {
    self.pieces = pieces
    self.range = range
  }

  /// Whether the pattern has a wildcard.
  package var hasWildcard: Bool { pieces.count > 1 }
}
