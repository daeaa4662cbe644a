// Comparisons of two values, by the first rule that applies:
//
//   1. a missing side: false, also for `!=`
//   2. a map or list: false
//   3. a number, boolean or time on either side: both as numbers; if one is none, only `!=` holds.
//      A text against a time may be a time, a text against a boolean may be `true` or `false`.
//   4. two texts: `=` and `!=` by their bytes, `<` and the like as numbers if both are, else by
//      code points (which is the order of UTF-8's bytes)

extension FieldPredicate.Comparison {
  /// Whether the comparison holds for things that stand in this order.
  @inline(__always)
  package func holds(_ order: Ordering) -> Bool {
    switch self {
    case .equal: order == .equal
    case .notEqual: order != .equal
    case .less: order == .less
    case .lessOrEqual: order != .greater
    case .greater: order == .greater
    case .greaterOrEqual: order != .less
    }
  }

  /// The comparison that holds for (b, a) when this one holds for (a, b).
  package var mirrored: FieldPredicate.Comparison {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }

  /// Whether `left` and `right` satisfy the comparison.
  package func holds(_ left: Value, _ right: Value) -> Bool { left.satisfies(self, right) }
}

extension Value {
  /// Whether the value satisfies a comparison with another, by the language's rules.
  package func satisfies(_ comparison: FieldPredicate.Comparison, _ other: Value) -> Bool {
    if isMissing || other.isMissing || isStructure || other.isStructure { return false }
    if case .string(let left) = self, case .string(let right) = other {
      return left.withUTF8Bytes { left in
        right.withUTF8Bytes { TextComparisonRule.holds(comparison, left, $0) }
      }
    }
    guard let left = number(against: other), let right = other.number(against: self) else {
      return comparison == .notEqual
    }
    return comparison.holds(Number.order(left, right))
  }

  /// How the value stands to another by the rules of `<` and `=`; `nil` when none of them holds:
  /// missing values, structures, and numbers against texts that are none.
  package func compare(_ other: Value) -> Ordering? {
    if satisfies(.less, other) { return .less }
    if satisfies(.greater, other) { return .greater }
    return satisfies(.greaterOrEqual, other) ? .equal : nil
  }

  /// The value as a number in a comparison with `other`.
  private func number(against other: Value) -> Number? {
    guard case .string(let text) = self else { return number }
    return text.withUTF8Bytes { bytes in
      if let number = NumberText.number(of: bytes) { return number }
      switch other {
      case .timestamp: return Timestamp.parse(bytes).map { .integer($0) }
      case .boolean, .jsonBoolean:
        return BooleanText.boolean(of: bytes).map { .integer($0 ? 1 : 0) }
      default: return nil
      }
    }
  }
}

/// Comparisons of two present texts.
package enum TextComparisonRule {
  /// Whether two texts in UTF-8 satisfy a comparison.
  package static func holds(
    _ comparison: FieldPredicate.Comparison, _ left: UnsafeBufferPointer<UInt8>,
    _ right: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    if comparison != .equal, comparison != .notEqual, let a = NumberText.number(of: left),
      let b = NumberText.number(of: right)
    {
      return comparison.holds(Number.order(a, b))
    }
    return comparison.holds(order(left, right))
  }

  /// How two texts in UTF-8 stand to each other by their code points.
  package static func order(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>
  ) -> Ordering {
    let i = TextBytes.firstDifference(left, right)
    guard i < left.count, i < right.count else { return Ordering(left.count, right.count) }
    return left[i] < right[i] ? .less : .greater
  }
}
