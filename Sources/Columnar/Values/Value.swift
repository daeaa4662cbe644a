/// One cell of a row, in the types of the query language.
///
/// Hot loops never see this type: they work on the storage of a ``ColumnVector``. It serves
/// literals, results, rare functions and columns whose rows differ in type.
package enum Value: Sendable, Hashable {
  /// No value: the field is absent, or JSON `null`.
  case missing
  /// Text. Bytes that are not UTF-8 were replaced when the value was made.
  case string(String)
  /// A whole number whose source text, if any, was its canonical decimal form.
  case integer(Int64)
  /// A computed number; finite.
  case double(Double)
  /// A number taken unchanged from an event whose text differs from the canonical form of its
  /// value (`1.50`, `1e5`, `18446744073709551616`): printed as written, computed as `Double`.
  case sourceNumber(SourceNumber)
  /// A computed condition; prints as `1` or `0`.
  case boolean(Bool)
  /// A boolean leaf of a JSON event or a literal; prints as `true` or `false`.
  case jsonBoolean(Bool)
  /// Milliseconds since 1970-01-01T00:00:00Z.
  case timestamp(Int64)
  /// A JSON array, or the list a function made.
  case list([Value])
  /// A JSON object, or the map a function made.
  case map(ValueMap)
}

/// A number together with the text that an event gave for it.
package struct SourceNumber: Sendable, Hashable {
  /// The nearest double.
  package let value: Double
  /// The lexeme, exactly as it stood in the event.
  package let text: String

  package init(value: Double, text: String) {
    self.value = value
    self.text = text
  }
}

/// Keys and values of a map in source order; the last of equal keys is the visible one.
package struct ValueMap: Sendable, Hashable {
  package var keys: [String]
  package var values: [Value]

  package init(keys: [String] = [], values: [Value] = []) {
    precondition(keys.count == values.count, "a map needs one value per key")
    self.keys = keys
    self.values = values
  }

  /// The value of the last member called `key`, or `nil`.
  ///
  /// - Complexity: O(members)
  package subscript(key: String) -> Value? {
    // Keys are compared by their bytes: `String`'s own equality takes composed and decomposed
    // letters for the same.
    keys.lastIndex { $0.utf8.elementsEqual(key.utf8) }.map { values[$0] }
  }
}

extension Value {
  /// Whether the value is absent.
  package var isMissing: Bool {
    if case .missing = self { true } else { false }
  }

  /// Whether the value is a map or a list.
  package var isStructure: Bool {
    switch self {
    case .list, .map: true
    default: false
    }
  }
}
