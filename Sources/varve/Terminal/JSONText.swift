import Columnar

/// Builds small JSON texts: reports, statistics and errors. Result rows have a renderer of their own.
struct JSONText {
  private(set) var text = "{"

  /// One object of members added by `build`, without a line end.
  static func object(_ build: (inout JSONText) -> Void) -> String {
    var json = JSONText()
    build(&json)
    return json.text + "}"
  }

  mutating func add(_ name: String, _ value: String?) {
    if let value { add(name, raw: Self.quoted(value)) }
  }

  mutating func add(_ name: String, _ value: Int?) {
    if let value { add(name, raw: String(value)) }
  }

  mutating func add(_ name: String, _ value: Bool) { add(name, raw: value ? "true" : "false") }

  /// A measured number, to three decimals: a clock's further digits are noise.
  mutating func add(_ name: String, _ value: Double) {
    let rounded = (value * 1_000).rounded() / 1_000
    add(name, raw: rounded == rounded.rounded() ? String(Int(rounded)) : "\(rounded)")
  }

  mutating func add(_ name: String, _ values: [String]) {
    add(name, raw: "[" + values.map(Self.quoted).joined(separator: ",") + "]")
  }

  /// Adds a member whose value is JSON already.
  mutating func add(_ name: String, raw value: String) {
    if text.utf8.count > 1 { text += "," }
    text += Self.quoted(name) + ":" + value
  }

  /// A JSON string with its quotes.
  static func quoted(_ text: String) -> String {
    var out: [UInt8] = []
    JSONValue.append(string: text, to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}
