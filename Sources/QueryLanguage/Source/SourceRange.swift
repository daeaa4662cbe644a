/// A half-open range of UTF-8 byte offsets into the text of one query.
package struct SourceRange: Hashable, Sendable {
  /// The offset of the first byte.
  package var start: Int
  /// The offset just behind the last byte; never smaller than `start`.
  package var end: Int

  package init(_ start: Int, _ end: Int) {
    precondition(start >= 0 && start <= end, "a source range runs forward from 0")
    self.start = start
    self.end = end
  }

  /// The empty range before byte `offset`.
  package init(at offset: Int) {
    self.init(offset, offset)
  }

  /// A place for nodes that no text stands behind.
  package static let none = SourceRange(at: 0)

  /// The number of bytes covered.
  package var byteCount: Int { end - start }

  /// Whether no byte is covered.
  package var isEmpty: Bool { start == end }

  /// The smallest range that covers both.
  package func union(_ other: SourceRange) -> SourceRange {
    SourceRange(min(start, other.start), max(end, other.end))
  }

  /// Whether every byte of `other` lies inside this range.
  package func contains(_ other: SourceRange) -> Bool {
    start <= other.start && other.end <= end
  }
}

/// A part of a syntax node that tells where or how it was written, not what it means.
///
/// Equality and hashing skip it, so two trees are equal when they mean the same text, wherever and
/// with whatever blanks they were written: `a+1` equals `a + 1`.
@propertyWrapper
package struct SourceOnly<Value: Sendable>: Hashable, Sendable {
  package var wrappedValue: Value

  package init(wrappedValue: Value) {
    self.wrappedValue = wrappedValue
  }

  package static func == (_: SourceOnly, _: SourceOnly) -> Bool { true }

  package func hash(into _: inout Hasher) {}
}
