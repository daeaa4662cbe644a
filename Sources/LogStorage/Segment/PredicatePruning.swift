import Columnar

/// Decides from a row group's table whether any of its rows can satisfy a predicate.
///
/// "No" must be certain under the language's comparison rules, in which texts that look like numbers
/// compare as numbers and times as times. So only clear cases are used: a number against the bounds of a
/// number column, a text against the eight-byte bounds of a text column, absence against shapes.
enum PredicatePruning {
  /// Why no row can; `nil` if one may.
  ///
  /// - Parameter readsFilters: whether ids are looked for in filters, which lie beside the table.
  static func skipReason(
    _ predicate: FieldPredicate, handle: RowGroupHandle, readsFilters: Bool = true
  ) -> SkipReason? {
    guard !predicate.field.hasPrefix("@") else { return nil }
    let resolution = handle.resolution(of: predicate.field)
    // Every test is false for a missing field, `!=` included.
    if resolution.isAbsent { return .fieldAbsent(predicate.field) }
    if resolution.hasTexts || resolution.hasStructures { return nil }
    var isInBounds = false
    for chunk in resolution.chunks
    where chunkMayMatch(handle.table.chunks[chunk], predicate.test) {
      if !readsFilters || idsMayMatch(handle.table.chunks[chunk], predicate.test, handle) {
        return nil
      }
      isInBounds = true
    }
    return isInBounds ? .identifierAbsent(predicate.field) : .outsideBounds(predicate.field)
  }

  /// Ids are looked for in the filter over their pool.
  private static func idsMayMatch(
    _ chunk: RowGroupTable.Chunk, _ test: FieldPredicate.Test, _ handle: RowGroupHandle
  ) -> Bool {
    guard chunk.encoding == .identifier, chunk.kind == .string else { return true }
    func mayEqual(_ literal: Value) -> Bool {
      guard case .string(let text) = literal else { return true }
      return handle.mayHoldIdentifier(text)
    }
    switch test {
    case .compare(.equal, let literal): return mayEqual(literal)
    case .oneOf(let literals): return literals.contains(where: mayEqual)
    case .compare, .present, .contains: return true
    }
  }

  private static func chunkMayMatch(
    _ chunk: RowGroupTable.Chunk, _ test: FieldPredicate.Test
  ) -> Bool {
    switch test {
    case .present, .contains: true
    case .compare(let comparison, let literal): mayCompare(chunk, comparison, literal)
    case .oneOf(let literals): literals.contains { mayCompare(chunk, .equal, $0) }
    }
  }

  private static func mayCompare(
    _ chunk: RowGroupTable.Chunk, _ comparison: FieldPredicate.Comparison, _ literal: Value
  ) -> Bool {
    switch (chunk.kind, chunk.zone) {
    case (.number, .numbers(let minimum, let maximum)):
      switch literal {
      case .integer(let value):
        return mayCompare(minimum, maximum, comparison, Double(value))
      case .double(let value):
        return mayCompare(minimum, maximum, comparison, value)
      default:
        return true
      }
    case (.string, .texts(let minimum, let maximum)):
      guard !chunk.hasEscapes, comparison == .equal, case .string(let text) = literal else {
        return true
      }
      let prefix = Array(text.utf8).withUnsafeBytes { ZoneMap.prefix($0) }
      return minimum <= prefix && prefix <= maximum
    default:
      return true
    }
  }

  /// Doubles round; bounds that only just exclude are taken to include.
  private static func mayCompare(
    _ minimum: Double, _ maximum: Double, _ comparison: FieldPredicate.Comparison, _ value: Double
  ) -> Bool {
    switch comparison {
    case .equal: minimum <= value && value <= maximum
    case .notEqual: true
    case .less, .lessOrEqual: minimum <= value
    case .greater, .greaterOrEqual: maximum >= value
    }
  }
}
