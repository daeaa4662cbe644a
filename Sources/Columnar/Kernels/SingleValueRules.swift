// The rules for single values that the kernels fall back to, and that they bisect with.

/// A number as arithmetic sees it: whole numbers are computed exactly, the others as doubles.
package enum Number: Sendable, Equatable {
  case integer(Int64)
  case double(Double)

  /// The nearest double.
  package var asDouble: Double {
    switch self {
    case .integer(let number): Double(number)
    case .double(let number): number
    }
  }
}

extension Value {
  /// The value converted to a number (language reference, 4.2), `nil` if it is none.
  package var number: Number? {
    switch self {
    case .integer(let number), .timestamp(let number): return .integer(number)
    case .double(let number): return .double(number)
    case .sourceNumber(let number): return .double(number.value)
    case .boolean(let condition), .jsonBoolean(let condition):
      return .integer(condition ? 1 : 0)
    case .string(let text): return Self.number(of: text)
    case .missing, .list, .map: return nil
    }
  }

  private static func number(of text: String) -> Number? {
    let isBlank: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isBlank($0) }),
      let last = scalars.lastIndex(where: { !isBlank($0) })
    else { return nil }
    let trimmed = String(scalars[first...last])
    if let number = Int64(trimmed) { return .integer(number) }
    let isDecimal = trimmed.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte)
    }
    guard isDecimal, let number = Double(trimmed), number.isFinite else { return nil }
    return .double(number)
  }

  /// Whether the value counts as true in a condition (language reference, 4.5).
  package var isTrue: Bool {
    switch self {
    case .integer(let number): number != 0
    case .double(let number): number != 0
    case .sourceNumber(let number): number.value != 0
    case .boolean(let condition), .jsonBoolean(let condition): condition
    case .string(let text):
      text.lowercased() == "true" || number.map { $0.asDouble != 0 } ?? false
    case .missing, .timestamp, .list, .map: false
    }
  }

  fileprivate var condition: Bool? {
    switch self {
    case .boolean(let condition), .jsonBoolean(let condition): condition
    case .string(let text):
      switch text.lowercased() {
      case "true": true
      case "false": false
      default: nil
      }
    default: nil
    }
  }

  fileprivate var isBoolean: Bool {
    switch self {
    case .boolean, .jsonBoolean: true
    default: false
    }
  }
}

extension FieldPredicate.Comparison {
  /// Whether the comparison holds between two single values (language reference, 4.4).
  package func holds(_ a: Value, _ b: Value) -> Bool {
    if a.isMissing || b.isMissing || a.isStructure || b.isStructure { return false }
    if case .string(let x) = a, case .string(let y) = b {
      if self != .equal, self != .notEqual, let i = a.number, let j = b.number {
        return holds(i, j)
      }
      return holds(x.utf8.lexicographicallyPrecedes(y.utf8), x.utf8.elementsEqual(y.utf8))
    }
    if a.isBoolean || b.isBoolean, let x = a.condition, let y = b.condition {
      return holds(!x && y, x == y)
    }
    guard let x = a.number, let y = b.number else { return self == .notEqual }
    return holds(x, y)
  }

  private func holds(_ a: Number, _ b: Number) -> Bool {
    if case .integer(let x) = a, case .integer(let y) = b { return holds(x < y, x == y) }
    let (x, y) = (a.asDouble, b.asDouble)
    return holds(x < y, x == y)
  }

  private func holds(_ isLess: Bool, _ isEqual: Bool) -> Bool {
    switch self {
    case .equal: isEqual
    case .notEqual: !isEqual
    case .less: isLess
    case .lessOrEqual: isLess || isEqual
    case .greater: !isLess && !isEqual
    case .greaterOrEqual: !isLess
    }
  }
}
