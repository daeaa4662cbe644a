// From a text to its exact template: every part whose kind can be seen from its spelling alone (a
// number, an address, a time …) is replaced by a mark of two bytes, everything else stays.
//
//     Accepted for 10.0.0.7 port 52144 after 3.5ms  →  Accepted for ▯IP port ▯Number after ▯Duration
//
// One pass over the bytes, no text is made per row. Words are cut at blanks and at
// `=:,;|()[]{}"'<>`; times, dates, URLs and IPv6 addresses, which hold such characters, are tried at
// the start of each word first. What depends on other texts (a user name) is not decided here.

/// What a changing part of a text is.
enum TokenType: UInt8, Sendable {
  case token = 1
  case time, date, ip, uuid, id, number, duration, url, email, path

  /// The name shown in patterns.
  var name: String {
    switch self {
    case .token: "Token"
    case .time: "Time"
    case .date: "Date"
    case .ip: "IP"
    case .uuid: "UUID"
    case .id: "ID"
    case .number: "Number"
    case .duration: "Duration"
    case .url: "URL"
    case .email: "Email"
    case .path: "Path"
    }
  }
}

/// Where a text has a token.
struct TokenPlace: Sendable {
  let type: TokenType
  let range: Range<Int>
}

/// Writes the templates of texts, one at a time.
struct TemplateTokenizer {
  /// Begins a mark; the byte never occurs in UTF-8. A mark with 0 is this byte itself.
  static let mark: UInt8 = 0xFF

  private var buffer: [UInt8] = []
  private var count = 0
  private let notesTokens: Bool
  /// The tokens of the last text in order, if they are noted.
  private(set) var tokens: [TokenPlace] = []

  init(notesTokens: Bool = false) { self.notesTokens = notesTokens }

  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// Makes the template of a text.
  mutating func tokenize(_ text: Bytes) {
    count = 0
    if notesTokens { tokens.removeAll(keepingCapacity: true) }
    // A mark takes two bytes, what it stands for at least one.
    if buffer.count < 2 * text.count + 2 {
      buffer = [UInt8](repeating: 0, count: 4 * text.count + 64)
    }
    var position = 0
    while position < text.count {
      let byte = text[position]
      if Self.isDelimiter(byte) {
        write(byte)
        position += 1
        continue
      }
      let end = Self.endOfLetters(text, position)
      if end > position, Self.isPlain(text, position, end) {
        for index in position..<end { write(text[index]) }
        position = end
      } else if let found = Self.composite(text, position) {
        put(found.type, position, found.end)
        position = found.end
      } else {
        let start = position
        repeat { position += 1 } while position < text.count && !Self.isDelimiter(text[position])
        putWord(text, start, position)
      }
    }
  }

  /// Calls `body` with the template of the last text.
  func withTemplate<R>(_ body: (Bytes) -> R) -> R {
    buffer.withUnsafeBufferPointer { body(Bytes(rebasing: $0[0..<count])) }
  }

  @inline(__always)
  private mutating func write(_ byte: UInt8) {
    buffer[count] = byte
    count += 1
  }

  @inline(__always)
  private static func endOfLetters(_ text: Bytes, _ start: Int) -> Int {
    var position = start
    while position < text.count, isLetter(text[position]) { position += 1 }
    return position
  }

  /// Whether letters are a word, and not the beginning of a URL, a date or an IPv6 address.
  @inline(__always)
  private static func isPlain(_ text: Bytes, _ start: Int, _ end: Int) -> Bool {
    guard end < text.count else { return true }
    let next = text[end]
    guard isDelimiter(next) else { return false }
    if next == 0x3A {
      let isURL = end + 1 < text.count && text[end + 1] == 0x2F
      return !isURL && end - start > 4
    }
    return next != 0x20 || end - start != 3
  }

  /// Blanks, control characters and `=:,;|()[]{}"'<>`.
  @inline(__always)
  static func isDelimiter(_ byte: UInt8) -> Bool {
    guard byte < 128 else { return false }
    let set: UInt64 = byte < 64 ? 0x7C00_1385_FFFF_FFFF : 0x3800_0000_2800_0000
    return set >> UInt64(byte & 63) & 1 == 1
  }

  private mutating func put(_ type: TokenType, _ start: Int, _ end: Int) {
    write(Self.mark)
    write(type.rawValue)
    if notesTokens { tokens.append(TokenPlace(type: type, range: start..<end)) }
  }

  private mutating func putText(_ text: Bytes, _ start: Int, _ end: Int) {
    for index in start..<end {
      write(text[index])
      if text[index] == Self.mark { write(0) }
    }
  }

  // MARK: Words

  private mutating func putWord(_ text: Bytes, _ wordStart: Int, _ wordEnd: Int) {
    var (start, end) = (wordStart, wordEnd)
    while end > start, Self.endsSentence(text[end - 1]) { end -= 1 }
    while start < end, Self.isPrefix(text[start]) { start += 1 }
    if text[wordStart] == 0x2F, end - wordStart > 1 {
      if Self.address(text, wordStart + 1, end) != nil {
        write(0x2F)
        return putWord(text, wordStart + 1, wordEnd)
      }
      put(.path, wordStart, end)
      return putText(text, end, wordEnd)
    }
    putText(text, wordStart, start)
    if let found = Self.word(text, start, end) {
      put(found.type, start, found.end)
      if found.end < end, text[found.end] == 0x2F {
        write(0x2F)
        return putWord(text, found.end + 1, wordEnd)
      }
      putText(text, found.end, wordEnd)
    } else {
      putText(text, start, wordEnd)
    }
  }

  /// `.!?`
  @inline(__always)
  private static func endsSentence(_ byte: UInt8) -> Bool {
    byte == 0x2E || byte == 0x21 || byte == 0x3F
  }

  /// `#$@*~`
  @inline(__always)
  private static func isPrefix(_ byte: UInt8) -> Bool {
    byte == 0x23 || byte == 0x24 || byte == 0x40 || byte == 0x2A || byte == 0x7E
  }

  private typealias Found = (type: TokenType, end: Int)

  /// The type of a word, and where its changing part ends.
  private static func word(_ text: Bytes, _ start: Int, _ end: Int) -> Found? {
    var digits = 0
    var letters = 0
    var isHex = true
    var isPlain = true
    var at: Int?
    var lastDot: Int?
    for index in start..<end {
      let byte = text[index]
      if isDigit(byte) {
        digits += 1
      } else if isLetter(byte) {
        letters += 1
        if !isHexDigit(byte) { isHex = false }
      } else {
        isHex = false
        if byte == 0x40 { at = index }
        if byte == 0x2E { lastDot = index }
        if byte != 0x5F, byte != 0x2D { isPlain = false }
      }
    }
    if let at, let lastDot, at > start, lastDot > at + 1, lastDot < end - 1, isLetter(text[end - 1])
    {
      return (.email, end)
    }
    guard digits > 0 else { return nil }
    let length = end - start
    if length == 36, isUUID(text, start) { return (.uuid, end) }
    if let address = address(text, start, end) { return (.ip, address) }
    if let number = number(text, start, end) { return number }
    if length > 2, text[start] == 0x30, text[start + 1] | 0x20 == 0x78 { return (.id, end) }
    guard length >= 8 else { return nil }
    if isHex { return (.id, end) }
    if letters == 0, digits >= 6 { return (.id, end) }
    return isPlain && letters > 0 && (digits >= 3 || digits * 4 >= length) ? (.id, end) : nil
  }

  private static func number(_ text: Bytes, _ start: Int, _ end: Int) -> Found? {
    var position = start
    if text[position] == 0x2D || text[position] == 0x2B { position += 1 }
    let first = position
    while position < end, isDigit(text[position]) { position += 1 }
    guard position > first else { return nil }
    if position + 1 < end, text[position] == 0x2E, isDigit(text[position + 1]) {
      position += 1
      while position < end, isDigit(text[position]) { position += 1 }
    }
    if position == end { return (.number, end) }
    if end - position > 4 { return nil }
    var unit: UInt32 = 0
    for index in position..<end { unit = unit << 8 | UInt32(text[index]) }
    if durationUnits.contains(unit) { return (.duration, end) }
    return sizeUnits.contains(unit) ? (.number, position) : nil
  }

  private static func packed(_ units: [String]) -> [UInt32] {
    units.map { $0.utf8.reduce(0) { $0 << 8 | UInt32($1) } }
  }

  private static let durationUnits = packed([
    "ns", "us", "µs", "ms", "s", "m", "h", "d", "sec", "secs", "min", "mins",
  ])
  private static let sizeUnits = packed([
    "%", "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "k", "K", "M", "G", "MHz",
  ])

  /// Behind an IPv4 address that ends with the word or before a slash.
  private static func address(_ text: Bytes, _ start: Int, _ end: Int) -> Int? {
    var position = start
    for part in 0..<4 {
      let first = position
      while position < end, isDigit(text[position]) { position += 1 }
      guard position > first, position - first <= 3 else { return nil }
      if part < 3 {
        guard position < end, text[position] == 0x2E else { return nil }
        position += 1
      }
    }
    return position == end || text[position] == 0x2F ? position : nil
  }

  static func isUUID(_ text: Bytes, _ start: Int) -> Bool {
    for index in 0..<36 {
      let byte = text[start + index]
      let isDash = index == 8 || index == 13 || index == 18 || index == 23
      guard isDash ? byte == 0x2D : isHexDigit(byte) else { return false }
    }
    return true
  }

  // MARK: Parts that hold delimiters

  private static func composite(_ text: Bytes, _ start: Int) -> Found? {
    let byte = text[start]
    if isDigit(byte) {
      if start + 4 < text.count, mayBeTime(text[start + 2], text[start + 4]) {
        if let end = clock(text, start) { return (.time, end) }
        if let found = date(text, start) { return found }
      }
      return addressV6(text, start).map { (.ip, $0) }
    }
    guard isLetter(byte) else { return nil }
    if let end = url(text, start) { return (.url, end) }
    if let end = namedDay(text, start) { return (.date, end) }
    return isHexDigit(byte) ? addressV6(text, start).map { (.ip, $0) } : nil
  }

  /// Whether the third or fifth byte is one that stands there in a time or date.
  @inline(__always)
  private static func mayBeTime(_ third: UInt8, _ fifth: UInt8) -> Bool {
    third == 0x3A || third == 0x2F || third == 0x2E || fifth == 0x2D || fifth == 0x2F
      || fifth == 0x2E
  }

  /// `HH:MM:SS` with or without a fraction and a zone.
  private static func clock(_ text: Bytes, _ start: Int) -> Int? {
    guard text.count - start >= 8, has(text, start, "00:00:00") else { return nil }
    var position = start + 8
    if position + 1 < text.count, text[position] == 0x2E || text[position] == 0x2C,
      isDigit(text[position + 1])
    {
      position += 1
      while position < text.count, isDigit(text[position]) { position += 1 }
    }
    if position < text.count, text[position] == 0x5A { position += 1 }
    if position < text.count, text[position] == 0x2B || text[position] == 0x2D {
      position += has(text, position + 1, "00:00") ? 6 : has(text, position + 1, "0000") ? 5 : 0
    }
    return endsWord(text, position) ? position : nil
  }

  private static func date(_ text: Bytes, _ start: Int) -> Found? {
    if has(text, start, "0000-00-00") || has(text, start, "0000/00/00")
      || has(text, start, "0000.00.00")
    {
      let position = start + 10
      if position < text.count, text[position] | 0x20 == 0x74, let end = clock(text, position + 1) {
        return (.time, end)
      }
      if endsWord(text, position) { return (.date, position) }
    }
    if has(text, start, "00/00/0000") || has(text, start, "00.00.0000"), endsWord(text, start + 10)
    {
      return (.date, start + 10)
    }
    if has(text, start, "00/00/00"), endsWord(text, start + 8) { return (.date, start + 8) }
    // 10/Oct/2000:13:55:36 -0700
    guard has(text, start, "00/aaa/0000:"), let end = clock(text, start + 12) else { return nil }
    let hasZone = has(text, end, " +0000") || has(text, end, " -0000")
    return (.time, hasZone ? end + 6 : end)
  }

  /// `Dec 10`, as syslog writes days.
  private static func namedDay(_ text: Bytes, _ start: Int) -> Int? {
    guard has(text, start, "aaa "), start + 5 <= text.count, isMonth(text, start) else {
      return nil
    }
    var position = start + 4
    if position < text.count, text[position] == 0x20 { position += 1 }
    let first = position
    while position < text.count, isDigit(text[position]) { position += 1 }
    let isDay = (1...2).contains(position - first) && position < text.count
    return isDay && text[position] == 0x20 ? position : nil
  }

  private static let months = packed([
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ])

  private static func isMonth(_ text: Bytes, _ start: Int) -> Bool {
    let word = UInt32(text[start]) << 16 | UInt32(text[start + 1]) << 8 | UInt32(text[start + 2])
    return months.contains(word)
  }

  private static func url(_ text: Bytes, _ start: Int) -> Int? {
    var position = start
    while position < text.count, position - start < 12, isLetter(text[position]) { position += 1 }
    guard position - start >= 2, has(text, position, "://") else { return nil }
    position += 3
    while position < text.count,
      !isDelimiter(text[position]) || text[position] == 0x3A || text[position] == 0x3D
    {
      position += 1
    }
    while endsSentence(text[position - 1]) || text[position - 1] == 0x3A { position -= 1 }
    return position
  }

  /// Groups of hexadecimal digits with seven colons, or with a double one.
  private static func addressV6(_ text: Bytes, _ start: Int) -> Int? {
    var position = start
    var colons = 0
    var run = 0
    var hasDouble = false
    while position < text.count, position - start < 40 {
      if text[position] == 0x3A {
        colons += 1
        if position > start, text[position - 1] == 0x3A { hasDouble = true }
        run = 0
      } else if isHexDigit(text[position]), run < 4 {
        run += 1
      } else {
        break
      }
      position += 1
    }
    guard colons == 7 || (hasDouble && colons >= 3), endsWord(text, position) else { return nil }
    return position
  }

  // MARK: Characters

  /// Whether the text goes on as `form` does: `0` is any digit, `a` any letter.
  @inline(__always)
  private static func has(_ text: Bytes, _ start: Int, _ form: StaticString) -> Bool {
    guard start >= 0, text.count - start >= form.utf8CodeUnitCount else { return false }
    for index in 0..<form.utf8CodeUnitCount {
      let wanted = form.utf8Start[index]
      let byte = text[start &+ index]
      let isEqual =
        wanted == 0x30 ? isDigit(byte) : wanted == 0x61 ? isLetter(byte) : byte == wanted
      if !isEqual { return false }
    }
    return true
  }

  private static func endsWord(_ text: Bytes, _ position: Int) -> Bool {
    guard position < text.count else { return true }
    return isDelimiter(text[position]) || text[position] == 0x2E
  }

  @inline(__always) private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  @inline(__always) private static func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26
  }
  @inline(__always) static func isHexDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) &- 0x61 < 6
  }
}
