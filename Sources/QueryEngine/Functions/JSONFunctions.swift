import Columnar

/// Functions of JSON texts and structures.
enum JSONFunctions {
  static let all: [ScalarFunction] = [
    ScalarFunction(
      "jsonParse", .json, [.one("s")], "map or list", "The object or array that a text holds.",
      example: "jsonParse('{\"a\": [1, 2]}').a[1]"
    ) { arguments, _ in structure(arguments[0]) ?? .missing },
    ScalarFunction(
      "jsonStringify", .json, [.one("m")], "string", "A map or list as compact JSON.",
      example: "jsonStringify(jsonParse('{\"a\": 1}'))"
    ) { arguments, _ in
      arguments[0].isStructure ? .string(JSONValue.text(of: arguments[0])) : .missing
    },
    ScalarFunction(
      "jsonArraySize", .json, [.one("f")], "number", "How many elements an array has.",
      example: "jsonArraySize('[1, 2, 3]')"
    ) { arguments, _ in
      guard case .list(let elements)? = structure(arguments[0]) else { return .missing }
      return .integer(Int64(elements.count))
    },
    ScalarFunction(
      "jsonArrayContains", .json, [.one("f"), .one("v")], "boolean",
      "Whether an array has an element of this text.", example: "jsonArrayContains('[\"a\", 2]', 2)"
    ) { arguments, _ in
      guard case .list(let elements)? = structure(arguments[0]), let wanted = arguments[1].text
      else {
        return .boolean(false)
      }
      return .boolean(elements.contains { $0.text == wanted })
    },
  ]

  /// A structure itself, or the one that a text holds.
  static func structure(_ value: Value) -> Value? {
    switch value {
    case .map, .list: return value
    case .string(let text):
      guard let parsed = JSONValue.parse(text), parsed.isStructure else { return nil }
      return parsed
    default: return nil
    }
  }
}
