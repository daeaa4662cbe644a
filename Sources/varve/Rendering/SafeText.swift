import Columnar

/// Texts of events made fit for where they go: event bytes may hold anything.
enum SafeText {
  /// Appends a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
  static func appendJSON(_ text: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    if isASCII(text) || String(validating: text, as: UTF8.self) != nil {
      JSONValue.append(string: text, to: &out)
    } else {
      JSONValue.append(string: String(decoding: text, as: UTF8.self), to: &out)
    }
  }

  /// Appends text for a terminal: what would move the cursor or change colours is shown, not done.
  static func appendVisible(_ text: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    if isHarmless(text) { return out.append(contentsOf: text) }
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\n": out.append(contentsOf: "\\n".utf8)
      case "\r": out.append(contentsOf: "\\r".utf8)
      case "\t": out.append(contentsOf: "\\t".utf8)
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        let hex = String(scalar.value, radix: 16)
        out.append(contentsOf: "\\x\(hex.utf8.count < 2 ? "0" : "")\(hex)".utf8)
      default: out.append(contentsOf: UTF8.encode(scalar)!)
      }
    }
  }

  /// Whether the text is printable ASCII only.
  private static func isHarmless(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    for byte in text where byte < 0x20 || byte >= 0x7F { return false }
    return true
  }

  private static func isASCII(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var all: UInt8 = 0
    for byte in text { all |= byte }
    return all < 0x80
  }
}
