import Columnar

/// Finds a dotted path in the text of a JSON object.
enum FieldPath {
  /// The value at the path, maps and lists included; missing when there is none.
  ///
  /// - Complexity: O(bytes of the text)
  static func value(of field: String, inObject text: UnsafeRawBufferPointer) -> Value {
    text.withMemoryRebound(to: UInt8.self) {
      JSONValue.member(path: field, in: $0) ?? .missing
    }
  }
}
