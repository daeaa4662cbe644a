import Columnar

/// Functions of texts. A missing argument, or a map or list, gives a missing result unless the function says more.
enum StringFunctions {
  static let all: [ScalarFunction] = [
    ScalarFunction(
      "isempty", .string, [.one("s")], "number", "1 if the text is missing or empty, else 0.",
      example: "isempty('')"
    ) { arguments, _ in
      .integer(arguments[0].isStructure ? 0 : (arguments[0].text ?? "").isEmpty ? 1 : 0)
    },
    ScalarFunction(
      "isblank", .string, [.one("s")], "number",
      "1 if the text is missing, empty or only blanks, else 0.",
      example: "isblank('  ')"
    ) { arguments, _ in
      if arguments[0].isStructure { return .integer(0) }
      let text = arguments[0].text ?? ""
      return .integer(text.unicodeScalars.allSatisfy(\.properties.isWhitespace) ? 1 : 0)
    },
    ScalarFunction(
      "concat", .string, [.repeated("s")], "string",
      "The texts one behind the other; missing ones are empty.",
      example: "concat('a', 1, 'b')"
    ) { arguments, _ in
      let texts = arguments.map(\.text)
      return texts.allSatisfy { $0 == nil } ? .missing : .string(texts.map { $0 ?? "" }.joined())
    },
    trimming("trim", "both ends", leading: true, trailing: true),
    trimming("ltrim", "the start", leading: true, trailing: false),
    trimming("rtrim", "the end", leading: false, trailing: true),
    ScalarFunction(
      "strlen", .string, [.one("s")], "number", "How many characters (code points) the text has.",
      example: "strlen('café')"
    ) { arguments, _ in
      arguments[0].text.map { .integer(Int64($0.withUTF8Bytes(TextBytes.codePointCount))) }
        ?? .missing
    },
    ScalarFunction(
      "toupper", .string, [.one("s")], "string", "The text in capitals.", example: "toupper('abc')"
    ) { arguments, _ in arguments[0].text.map { .string($0.uppercased()) } ?? .missing },
    ScalarFunction(
      "tolower", .string, [.one("s")], "string", "The text in small letters.",
      example: "tolower('ABC')"
    ) { arguments, _ in arguments[0].text.map { .string($0.lowercased()) } ?? .missing },
    ScalarFunction(
      "substr", .string, [.one("s"), .one("start"), .optional("count")], "string",
      "Part of the text from a position (0 is the first) on.", example: "substr('abcdef', 2, 3)"
    ) { arguments, _ in substring(arguments) },
    ScalarFunction(
      "replace", .string, [.one("s"), .one("find"), .one("with")], "string",
      "The text with every occurrence replaced.", example: "replace('a-b-c', '-', '+')"
    ) { arguments, _ in
      guard let text = arguments[0].text, let find = arguments[1].text, let with = arguments[2].text
      else { return .missing }
      return .string(text.replacing(bytes: find, with: with))
    },
    ScalarFunction(
      "regexReplace", .string, [.one("s"), .one("regex"), .one("with")], "string",
      "The text with every match replaced; $1 and ${name} stand for groups.",
      example: "regexReplace('10.0.0.7', '[0-9]+$', 'x')", prepare: prepareRegexReplace
    ) { arguments, context in
      guard let pattern = arguments[1].text, let regex = try? CompiledRegex(pattern) else {
        return .missing
      }
      return replace(arguments[0], regex, arguments[2], context)
    },
    ScalarFunction(
      "strcontains", .string, [.one("s"), .one("find"), .optional("ignoreCase")], "number",
      "1 if the text contains the other, else 0.", example: "strcontains('Timeout', 'time', true)"
    ) { arguments, _ in
      guard let text = arguments[0].text, let find = arguments[1].text else { return .integer(0) }
      let folds = arguments.count > 2 && arguments[2].truth
      let (a, b) = folds ? (text.lowercased(), find.lowercased()) : (text, find)
      return .integer(a.contains(bytes: b) ? 1 : 0)
    },
    ScalarFunction(
      "startsWith", .string, [.one("s"), .one("prefix")], "number",
      "1 if the text starts so, else 0.",
      example: "startsWith('/api/v1', '/api')"
    ) { arguments, _ in
      guard let text = arguments[0].text, let prefix = arguments[1].text else { return .integer(0) }
      return .integer(text.utf8.starts(with: prefix.utf8) ? 1 : 0)
    },
    ScalarFunction(
      "endsWith", .string, [.one("s"), .one("suffix")], "number", "1 if the text ends so, else 0.",
      example: "endsWith('a.log', '.log')"
    ) { arguments, _ in
      guard let text = arguments[0].text, let suffix = arguments[1].text else { return .integer(0) }
      return .integer(text.utf8.reversed().starts(with: suffix.utf8.reversed()) ? 1 : 0)
    },
    ScalarFunction(
      "urlencode", .string, [.one("s")], "string",
      "The text with all but unreserved characters as %XX.",
      example: "urlencode('a b&c')"
    ) { arguments, _ in arguments[0].text.map { .string(urlEncoded($0)) } ?? .missing },
    ScalarFunction(
      "urldecode", .string, [.one("s")], "string", "The text with %XX and + decoded.",
      example: "urldecode('a%20b+c')"
    ) { arguments, _ in arguments[0].text.flatMap(urlDecoded).map(Value.string) ?? .missing },
    ScalarFunction(
      "base64encode", .string, [.one("s")], "string", "The text in Base64.",
      example: "base64encode('hello')"
    ) { arguments, _ in
      arguments[0].text.map { .string(Base64.encoded(Array($0.utf8))) } ?? .missing
    },
    ScalarFunction(
      "base64decode", .string, [.one("s")], "string", "The text that Base64 holds.",
      example: "base64decode('aGVsbG8=')"
    ) { arguments, _ in
      guard let text = arguments[0].text, let bytes = Base64.decoded(text),
        let decoded = String(validating: bytes, as: UTF8.self)
      else { return .missing }
      return .string(decoded)
    },
    ScalarFunction(
      "split", .string, [.one("s"), .one("delimiter")], "list", "The parts between delimiters.",
      example: "split('a,b,,c', ',')"
    ) { arguments, _ in
      guard let text = arguments[0].text, let delimiter = arguments[1].text else { return .missing }
      return .list(text.parts(between: delimiter).map(Value.string))
    },
    ScalarFunction(
      "hexToAscii", .string, [.one("s")], "string", "The text that hexadecimal bytes hold.",
      example: "hexToAscii('68656c6c6f')"
    ) { arguments, _ in
      guard let text = arguments[0].text, let bytes = hexBytes(text) else { return .missing }
      return .string(
        String(validating: bytes, as: UTF8.self)
          ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
    },
    ScalarFunction(
      "hexToDec", .string, [.one("s")], "number", "The number that hexadecimal digits mean.",
      example: "hexToDec('0xff')"
    ) { arguments, _ in
      guard let text = arguments[0].text else { return .missing }
      let digits = withoutHexMark(text)
      guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
        let number = UInt64(digits, radix: 16)
      else { return .missing }
      return Int64(exactly: number).map(Value.integer) ?? .double(Double(number))
    },
    ScalarFunction(
      "decToHex", .string, [.one("n")], "string", "A whole number in hexadecimal digits.",
      example: "decToHex(255)"
    ) { arguments, _ in
      guard let number = arguments[0].number?.truncated else { return .missing }
      return .string((number < 0 ? "-0x" : "0x") + String(number.magnitude, radix: 16))
    },
  ]

  // MARK: Parts

  private static func trimming(
    _ name: String, _ place: String, leading: Bool, trailing: Bool
  ) -> ScalarFunction {
    ScalarFunction(
      name, .string, [.one("s"), .optional("characters")], "string",
      "The text without blanks, or without the given characters, at \(place).",
      example: "\(name)('  a  ')"
    ) { arguments, _ in
      guard let text = arguments[0].text else { return .missing }
      var set: Set<Unicode.Scalar>?
      if arguments.count > 1 {
        guard let characters = arguments[1].text else { return .missing }
        set = Set(characters.unicodeScalars)
      }
      func isTrimmed(_ scalar: Unicode.Scalar) -> Bool {
        set?.contains(scalar) ?? scalar.properties.isWhitespace
      }
      var rest = text.unicodeScalars[...]
      if leading { rest = rest.drop(while: isTrimmed) }
      if trailing { while let last = rest.last, isTrimmed(last) { rest.removeLast() } }
      return .string(String(rest))
    }
  }

  private static func substring(_ arguments: [Value]) -> Value {
    guard let text = arguments[0].text, let start = arguments[1].number?.truncated else {
      return .missing
    }
    var rest = text.unicodeScalars.dropFirst(Int(clamping: max(0, start)))
    if arguments.count > 2 {
      guard let count = arguments[2].number?.truncated else { return .missing }
      rest = rest.prefix(Int(clamping: max(0, count)))
    }
    return .string(String(rest))
  }

  // MARK: Regular expressions

  private static let prepareRegexReplace:
    @Sendable ([Value?]) throws(ArgumentProblem) -> ScalarFunction.Evaluation? = {
      literals throws(ArgumentProblem) in
      guard let pattern = literals[1]?.text else { return nil }
      let regex: CompiledRegex
      do throws(RegexFailure) {
        regex = try CompiledRegex(pattern)
      } catch {
        throw ArgumentProblem(argument: 1, kind: .badRegex(error.message))
      }
      return { arguments, context in replace(arguments[0], regex, arguments[2], context) }
    }

  /// A text whose search is given up has no match, and stays as it is.
  private static func replace(
    _ value: Value, _ regex: CompiledRegex, _ with: Value, _ context: FunctionContext
  ) -> Value {
    guard let text = value.text, let template = with.text else { return .missing }
    let bytes = Array(text.utf8)
    var output: [UInt8] = []
    var position = 0
    guard let matches = regex.allMatches(in: bytes) else {
      context.givenUp.note(regex.pattern, 1, at: context.place)
      return .string(text)
    }
    for match in matches {
      guard let range = match[0] else { continue }
      output += bytes[position..<range.lowerBound]
      append(template, match, bytes, regex, to: &output)
      position = range.upperBound
    }
    output += bytes[position...]
    return .string(String(decoding: output, as: UTF8.self))
  }

  /// Appends a replacement text, `$1`, `${1}`, `${name}` and `\1` filled in and `$$` as a dollar.
  private static func append(
    _ template: String, _ match: [Range<Int>?], _ bytes: [UInt8], _ regex: CompiledRegex,
    to output: inout [UInt8]
  ) {
    let source = Array(template.utf8)
    func take(_ group: Int?) {
      if let group, match.indices.contains(group), let range = match[group] {
        output += bytes[range]
      }
    }
    var i = 0
    while i < source.count {
      let next = i + 1 < source.count ? source[i + 1] : 0
      let isDigit = next >= 0x30 && next <= 0x39
      switch source[i] {
      case UInt8(ascii: "$") where next == UInt8(ascii: "$"):
        output.append(next)
        i += 2
      case UInt8(ascii: "$") where isDigit, UInt8(ascii: "\\") where isDigit:
        take(Int(next - 0x30))
        i += 2
      case UInt8(ascii: "$") where next == UInt8(ascii: "{"):
        guard let end = source[i...].firstIndex(of: UInt8(ascii: "}")) else { fallthrough }
        let name = String(decoding: source[i + 2..<end], as: UTF8.self)
        take(Int(name) ?? regex.captureNames.firstIndex(of: name).map { $0 + 1 })
        i = end + 1
      default:
        output.append(source[i])
        i += 1
      }
    }
  }

  // MARK: Encodings

  private static func urlEncoded(_ text: String) -> String {
    var output: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: output.append(byte)
      default: output += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  private static func urlDecoded(_ text: String) -> String? {
    var output: [UInt8] = []
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.popFirst() {
      if byte == UInt8(ascii: "+") {
        output.append(0x20)
      } else if byte == UInt8(ascii: "%") {
        guard bytes.count >= 2,
          let decoded = hexBytes(String(decoding: bytes.prefix(2), as: UTF8.self))
        else { return nil }
        output += decoded
        bytes = bytes.dropFirst(2)
      } else {
        output.append(byte)
      }
    }
    return String(validating: output, as: UTF8.self)
  }

  private static func withoutHexMark(_ text: String) -> Substring {
    text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text[...]
  }

  /// The bytes of pairs of hexadecimal digits behind an optional `0x`.
  private static func hexBytes(_ text: String) -> [UInt8]? {
    let digits = withoutHexMark(text).utf8.map { byte -> UInt8? in
      switch byte {
      case 0x30...0x39: byte - 0x30
      case 0x41...0x46: byte - 0x37
      case 0x61...0x66: byte - 0x57
      default: nil
      }
    }
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[i], let low = digits[i + 1] else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}

/// Base64 with the standard alphabet (RFC 4648 §4); padding is written, and optional when read.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encoded(_ bytes: [UInt8]) -> String {
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for i in 0..<3 { bits = bits << 8 | (i < group.count ? UInt32(group[start + i]) : 0) }
      for i in 0..<4 {
        output.append(
          i <= group.count
            ? alphabet[Int(bits >> UInt32(18 - 6 * i)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  static func decoded(_ text: String) -> [UInt8]? {
    var symbols = Array(text.utf8)
    while symbols.last == UInt8(ascii: "=") { symbols.removeLast() }
    guard text.utf8.count - symbols.count <= 2, symbols.count % 4 != 1 else { return nil }
    var output: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for symbol in symbols {
      guard let value = alphabet.firstIndex(of: symbol) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return output
  }
}

extension String {
  /// Where a text's bytes occur, from a position on.
  private static func position(of needle: [UInt8], in text: [UInt8], from start: Int) -> Int? {
    guard needle.count <= text.count - start else { return nil }
    var i = start
    while i <= text.count - needle.count {
      if text[i] == needle[0], text[i..<i + needle.count].elementsEqual(needle) { return i }
      i += 1
    }
    return nil
  }

  /// Whether the bytes of another text occur; an empty one does.
  func contains(bytes other: String) -> Bool {
    other.isEmpty || Self.position(of: Array(other.utf8), in: Array(utf8), from: 0) != nil
  }

  /// The parts between occurrences of a text; one part when it is empty.
  func parts(between delimiter: String) -> [String] {
    guard !delimiter.isEmpty else { return [self] }
    let text = Array(utf8)
    let needle = Array(delimiter.utf8)
    var parts: [String] = []
    var start = 0
    while let found = Self.position(of: needle, in: text, from: start) {
      parts.append(String(decoding: text[start..<found], as: UTF8.self))
      start = found + needle.count
    }
    return parts + [String(decoding: text[start...], as: UTF8.self)]
  }

  /// The text with all occurrences replaced; unchanged when there is nothing to find.
  func replacing(bytes find: String, with replacement: String) -> String {
    find.isEmpty ? self : parts(between: find).joined(separator: replacement)
  }
}
