/// A change of the text that repairs what a diagnostic complains about.
///
/// It is only offered if applying it removes the complaint and brings no new one.
package struct FixIt: Hashable, Sendable {
  /// One replacement of a piece of text.
  package struct Edit: Hashable, Sendable {
    package var range: SourceRange
    package var replacement: String

    package init(_ range: SourceRange, _ replacement: String) {
      self.range = range
      self.replacement = replacement
    }
  }

  /// What it does, such as `replace 'limt' with 'limit'`.
  package var message: String
  /// The replacements; they do not overlap.
  package var edits: [Edit]

  package init(_ message: String, _ edits: [Edit]) {
    self.message = message
    self.edits = edits
  }

  /// The text after the change.
  package func applied(to text: SourceText) -> String {
    var bytes = text.bytes
    for edit in edits.sorted(by: { $0.range.start > $1.range.start }) {
      bytes.replaceSubrange(edit.range.start..<edit.range.end, with: edit.replacement.utf8)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
