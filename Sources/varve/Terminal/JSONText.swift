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
    var out: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text.utf8 { JSONEscape.append(byte, to: &out) }
    out.append(UInt8(ascii: "\""))
    return String(decoding: out, as: UTF8.self)
  }
}

/// How a byte stands inside a JSON string.
enum JSONEscape {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Whether a byte must be written as an escape.
  @inline(__always)
  static func isNeeded(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

  static func append(_ byte: UInt8, to out: inout [UInt8]) {
    guard isNeeded(byte) else { return out.append(byte) }
    out.append(0x5C)
    switch byte {
    case 0x22, 0x5C: out.append(byte)
    case 0x08: out.append(UInt8(ascii: "b"))
    case 0x09: out.append(UInt8(ascii: "t"))
    case 0x0A: out.append(UInt8(ascii: "n"))
    case 0x0C: out.append(UInt8(ascii: "f"))
    case 0x0D: out.append(UInt8(ascii: "r"))
    default:
      out.append(contentsOf: Array("u00".utf8))
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
  }
}
