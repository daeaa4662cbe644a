import Columnar
import QueryLanguage

/// The conditions of the language over whole columns; each gives the rows for which it holds.
enum VectorConditions {
  static func compare(
    _ comparison: FieldPredicate.Comparison, _ left: ColumnVector, _ right: ColumnVector
  ) -> Bitmap {
    left.compare(comparison, right)
  }

  static func truth(_ vector: ColumnVector) -> Bitmap { vector.truth() }

  /// `like`: the text holds another one. A missing operand or a structure never matches.
  static func contains(
    _ texts: ColumnVector, _ patterns: ColumnVector, isNegated: Bool
  ) -> Bitmap {
    guard case .constant(let pattern, _) = patterns else {
      return rows(of: texts, isNegated: isNegated) { row, text in
        patterns.value(at: row).text.map { text.containsText($0) } ?? false
      }
    }
    guard let needle = pattern.text else {
      return Bitmap(repeating: false, count: texts.count)
    }
    let search = ByteSearch(Array(needle.utf8))
    if case .strings(let vector) = texts {
      return signed(search.rows(in: vector), present: texts.presence(), isNegated: isNegated)
    }
    return rows(of: texts, isNegated: isNegated) { _, text in search.isIn(text) }
  }

  /// `=~` with a regular expression known beforehand.
  static func matches(
    _ texts: ColumnVector, _ regex: CompiledRegex, isNegated: Bool
  ) -> Bitmap {
    if case .strings(let vector) = texts {
      return signed(regex.rows(in: vector), present: texts.presence(), isNegated: isNegated)
    }
    return rows(of: texts, isNegated: isNegated) { _, text in regex.matches(text) }
  }

  /// `=~` with a computed pattern, which stands at `place`; one that is no regular expression matches nothing.
  static func matches(
    _ texts: ColumnVector, _ patterns: ColumnVector, isNegated: Bool, at place: SourceRange,
    _ givenUp: GivenUpSearches
  ) -> Bitmap {
    var compiled: [String: CompiledRegex?] = [:]
    defer {
      for (pattern, regex) in compiled {
        givenUp.note(pattern, regex?.limitedCount ?? 0, at: place)
      }
    }
    return rows(of: texts, isNegated: isNegated) { row, text in
      guard let pattern = patterns.value(at: row).text else { return false }
      if compiled[pattern] == nil { compiled[pattern] = .some(try? CompiledRegex(pattern)) }
      return compiled[pattern]??.matches(text) ?? false
    }
  }

  /// `in` with a list of literals.
  static func among(_ vector: ColumnVector, _ values: [Value], isNegated: Bool) -> Bitmap {
    let test = MembershipTest(values)
    return isNegated ? test.rowsOutside(of: vector) : test.rows(of: vector)
  }

  /// `in` with a computed list; what is no list holds nothing.
  static func among(_ vector: ColumnVector, _ lists: ColumnVector, isNegated: Bool) -> Bitmap {
    var found = Bitmap(repeating: false, count: vector.count)
    for row in 0..<vector.count {
      guard case .list(let elements) = lists.value(at: row) else { continue }
      let value = vector.value(at: row)
      found[row] = elements.contains {
        !$0.isMissing && FieldPredicate.Comparison.equal.holds(value, $0)
      }
    }
    return signed(found, present: presentScalars(vector), isNegated: isNegated)
  }

  private static func presentScalars(_ vector: ColumnVector) -> Bitmap {
    if case .constant(let value, let count) = vector, value.isStructure {
      return Bitmap(repeating: false, count: count)
    }
    guard case .values(let values) = vector else { return vector.presence() }
    var present = vector.presence()
    for row in values.indices where values[row].isStructure { present[row] = false }
    return present
  }

  /// The rows found, or those of the present ones that were not found.
  static func signed(_ found: Bitmap, present: Bitmap, isNegated: Bool) -> Bitmap {
    guard isNegated else { return found }
    var rest = present
    rest.formSubtraction(found)
    return rest
  }

  private static func rows(
    of texts: ColumnVector, isNegated: Bool, where holds: (Int, String) -> Bool
  ) -> Bitmap {
    var result = Bitmap(repeating: false, count: texts.count)
    var stop = StopCounter(every: 16)
    for row in 0..<texts.count {
      if stop.isPassed() { break }
      guard let text = texts.value(at: row).text else { continue }
      if holds(row, text) != isNegated { result[row] = true }
    }
    return result
  }
}

extension String {
  /// Whether the text holds another one, byte for byte; every text holds the empty one.
  fileprivate func containsText(_ other: String) -> Bool {
    ByteSearch(Array(other.utf8)).isIn(self)
  }
}
