import Columnar
import QueryLanguage

// `json field=f "a.b.0" as x, "c" as y`: the object is read once and has a slot without a name; each
// path is a definition over it.

extension Analyzer {
  mutating func bindJSON(_ command: JSONCommand) {
    let field =
      command.field
      ?? FieldName(segments: ["@message"], range: command.extractions[0].path.range)
    let object = slot(
      of: BoundExpression(.call(JSONPath.object(of: bindField(field)))), named: field.name)
    let outputs = command.extractions.map { extraction in
      let path = JSONPath(extraction.path.value)
      let value = BoundExpression(.call(path.call(on: BoundExpression(.slot(object)))))
      return (name: extraction.alias, slot: slot(of: value, named: extraction.alias.name))
    }
    for output in outputs {
      forbidRedefinition(of: output.name.name, at: output.name.range)
      scope.define(output.name.name, output.slot)
      visible.make(output.name.name, output.slot)
    }
  }
}

/// The way to a member: `a.b.0` is member `a`, its member `b`, the first element of that. A dot
/// behind a backslash belongs to the name.
struct JSONPath: Sendable {
  let parts: [String]

  init(_ text: String) {
    var parts = [""]
    var isEscaped = false
    for character in text.unicodeScalars {
      if isEscaped {
        if character != "." { parts[parts.count - 1].unicodeScalars.append("\\") }
        parts[parts.count - 1].unicodeScalars.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "." {
        parts.append("")
      } else {
        parts[parts.count - 1].unicodeScalars.append(character)
      }
    }
    if isEscaped { parts[parts.count - 1].unicodeScalars.append("\\") }
    self.parts = parts
  }

  /// The value at the end of the way; missing if it cannot be gone.
  func value(in object: Value) -> Value {
    var value = object
    for part in parts {
      switch value {
      case .map(let map): value = map[part] ?? .missing
      case .list(let elements):
        guard let index = Self.index(part), index < elements.count else { return .missing }
        value = elements[index]
      default: return .missing
      }
    }
    return value
  }

  private static func index(_ text: String) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(text)
  }

  /// The object that a value is or that a text holds.
  static func object(of operand: BoundExpression) -> BoundCall {
    call("json object", "map", operand) { value in
      guard let object = JSONFunctions.structure(value), case .map = object else { return .missing }
      return object
    }
  }

  /// The member of an object at the end of this way.
  func call(on object: BoundExpression) -> BoundCall {
    Self.call("json \(parts.joined(separator: "."))", "any", object) { value(in: $0) }
  }

  private static func call(
    _ name: String, _ result: String, _ operand: BoundExpression,
    _ body: @escaping @Sendable (Value) -> Value
  ) -> BoundCall {
    let function = ScalarFunction(name, .json, [.one("f")], result, "", example: "") {
      arguments, _ in body(arguments[0])
    }
    return BoundCall(
      function: function, arguments: [operand], prepared: PreparedCall(evaluate: function.evaluate))
  }
}
