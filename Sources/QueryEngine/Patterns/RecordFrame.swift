import LogStorage

// The pattern of a JSON record is its frame — everything that records of one form share, names and
// punctuation — with what its slots have in common. One string, the *main* slot, says what happened;
// records whose main strings have different templates are counted apart, as texts would be. Of each
// other slot only what all values agree in is kept: a template, or `<Token-n>`.
//
//     {"level":"info","msg":"took 5ms","host":"a","n":1}   frame {"level":"▯","msg":"▯main","host":"▯","n":▯Number}
//     {"level":"info","msg":"took 7ms","host":"b","n":4}   main  took ▯Duration
//                                                          slots info · ▯Token
//     pattern: {"level":"info","msg":"took <Duration-1>","host":"<Token-2>","n":<Number-3>}
//
// Were all strings told apart, hosts, users and regions would multiply into more patterns than there
// are records. A word that tells the severity is part of what is counted apart, so that errors never
// hide among the rest.

/// What records of one shape share.
struct RecordFrame: Sendable {
  /// The text with two bytes for each slot: ``RecordMark`` or the type of a number.
  private(set) var bytes: [UInt8] = []
  private(set) var kinds: [SlotKind] = []
  /// The slot that says what happened.
  private(set) var main: Int?
  /// The slots whose values are looked at one by one, in their order.
  private(set) var joined: [Int] = []

  /// - Parameter key: the text of a shape, with a marker byte for each slot.
  init(key: some Collection<UInt8>) {
    var names = SlotNames()
    for byte in key {
      if let kind = SlotKind(rawValue: byte) {
        names.slot(kind)
        kinds.append(kind)
      } else {
        names.read(byte)
      }
    }
    main = names.main
    joined = kinds.indices.filter { kinds[$0] != .number && $0 != main }
    write(key)
  }

  private mutating func write(_ key: some Collection<UInt8>) {
    var slot = 0
    for byte in key {
      guard let kind = SlotKind(rawValue: byte) else {
        bytes.append(byte)
        if byte == TemplateTokenizer.mark { bytes.append(0) }
        continue
      }
      bytes.append(TemplateTokenizer.mark)
      if slot == main {
        bytes.append(RecordMark.main)
      } else {
        bytes.append(kind == .number ? TokenType.number.rawValue : RecordMark.slot(kind))
      }
      slot += 1
    }
  }
}

/// Second bytes of marks in the templates of records; none of them a ``TokenType``.
enum RecordMark {
  /// Begins a record; a byte of ``SeverityMarks`` follows, then the frame.
  static let record: UInt8 = 0x80
  /// Ends the frame; the template of the main slot follows.
  static let endOfFrame: UInt8 = 0x81
  /// Where the main slot stands.
  static let main: UInt8 = 0x82

  /// Where another slot stands.
  static func slot(_ kind: SlotKind) -> UInt8 { 0x90 | kind.rawValue }
  static func isSlot(_ byte: UInt8) -> Bool { byte & 0xF0 == 0x90 }
}

/// Follows a shape's text byte by byte, and finds the slot that says what happened: a string with one of
/// the usual names, best at the top of the record.
private struct SlotNames {
  /// Names that are usual for it, in groups, the surest first.
  private static let usual: [[String]] = [
    ["message", "msg", "@message", "short_message", "@m", "@mt", "m"], ["log", "text", "body"],
    ["event", "eventname", "event_name"],
    ["description", "detail", "reason", "title", "summary"],
  ]

  private var depth = 0
  private var slotCount = 0
  private var isInString = false
  private var isEscaped = false
  /// The string read last, ASCII capitals folded.
  private var text: [UInt8] = []
  /// Whether that string is the name of what comes.
  private var isName = false
  private(set) var main: Int?
  private var best: (isNested: Bool, group: Int, depth: Int)?

  mutating func read(_ byte: UInt8) {
    if isInString {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isInString = false
        return
      }
      text.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
      return
    }
    switch byte {
    case UInt8(ascii: "\""):
      isInString = true
      if !isName { text.removeAll(keepingCapacity: true) }
    case UInt8(ascii: ":"): isName = true
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      depth += 1
      isName = false
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      depth -= 1
      isName = false
    case UInt8(ascii: ","): isName = false
    default: break
    }
  }

  mutating func slot(_ kind: SlotKind) {
    defer { slotCount += 1 }
    guard kind == .string, isName, text.count <= 16 else { return }
    let name = String(decoding: text, as: UTF8.self)
    guard let group = Self.usual.firstIndex(where: { $0.contains(name) }) else { return }
    let rank = (isNested: depth > 1, group: group, depth: depth)
    if let best, !Self.precedes(rank, best) { return }
    best = rank
    main = slotCount
  }

  private typealias Rank = (isNested: Bool, group: Int, depth: Int)

  private static func precedes(_ a: Rank, _ b: Rank) -> Bool {
    (a.isNested ? 1 : 0, a.group, a.depth) < (b.isNested ? 1 : 0, b.group, b.depth)
  }
}

/// The template of a record in its parts.
struct RecordTemplate {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  let marks: SeverityMarks
  let frame: Range<Int>
  let main: Range<Int>

  /// `nil` for the template of a text.
  init?(_ template: Bytes) {
    guard template.count > 4, template[0] == TemplateTokenizer.mark,
      template[1] == RecordMark.record
    else { return nil }
    marks = SeverityMarks(rawValue: template[2])
    var end = 3
    while true {
      if template[end] != TemplateTokenizer.mark {
        end += 1
      } else if template[end + 1] == RecordMark.endOfFrame {
        break
      } else {
        end += 2
      }
    }
    frame = 3..<end
    main = end + 2..<template.count
  }

  static func begin(_ marks: SeverityMarks, to template: inout [UInt8]) {
    template.append(TemplateTokenizer.mark)
    template.append(RecordMark.record)
    template.append(marks.rawValue)
  }

  static func endFrame(_ template: inout [UInt8]) {
    template.append(TemplateTokenizer.mark)
    template.append(RecordMark.endOfFrame)
  }

  /// The template of a record as a key of a ``TemplateTable``.
  static func append(
    _ frame: RecordFrame, _ marks: SeverityMarks, main: some Collection<UInt8>,
    to template: inout [UInt8]
  ) {
    begin(marks, to: &template)
    template += frame.bytes
    endFrame(&template)
    template += main
  }
}
