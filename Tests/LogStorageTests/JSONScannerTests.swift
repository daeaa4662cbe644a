import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// A block of records that lie next to each other with nothing between them, the hardest case.
func makeBlock(_ records: [[UInt8]]) -> RecordBlock {
  var bytes: [UInt8] = []
  var references: [RecordReference] = []
  for record in records {
    references.append(
      RecordReference(offset: UInt32(bytes.count), length: UInt32(record.count)))
    bytes += record
  }
  let count = bytes.count
  bytes += [UInt8](repeating: 0, count: RecordBlock.padding)
  return RecordBlock(
    bytes: bytes, byteCount: count, records: references, streams: [""], firstRecord: 0)
}

extension ScannedBlock {
  func slotTexts(_ record: Int) -> [[UInt8]] {
    slots[Int(slotStarts[record])..<Int(slotStarts[record + 1])].map { slot in
      let offset = Int(slot >> 32)
      return Array(block.bytes[offset..<(offset + Int(slot & 0xFFFF_FFFF))])
    }
  }

  func shape(_ record: Int) -> Shape { shapes[Int(shapeOfRecord[record])] }

  /// The record's text from shape and slots.
  func rebuilt(_ record: Int) -> [UInt8] {
    let slots = slots[Int(slotStarts[record])..<Int(slotStarts[record + 1])].map { $0 }
    var message: [UInt8] = []
    ShapePieces(key: shape(record).key[...]).append(to: &message) { slot, bytes in
      let offset = Int(slots[slot] >> 32)
      bytes += block.bytes[offset..<(offset + Int(slots[slot] & 0xFFFF_FFFF))]
    }
    return message
  }
}

@Suite("JSON scanner")
struct JSONScannerTests {
  private let scanner = JSONScanner()

  private func scan(_ texts: String...) -> ScannedBlock {
    scanner.scan(makeBlock(texts.map { Array($0.utf8) }), arrivalTime: 0)
  }

  private func describe(_ block: ScannedBlock, _ record: Int = 0) -> [String] {
    zip(block.shape(record).slots, block.slotTexts(record)).map { slot, text in
      let suffix = (slot.instance > 0 ? "#\(slot.instance)" : "") + (slot.isHidden ? " hidden" : "")
      return "\(slot.path)\(suffix) \(slot.kind) \(String(decoding: text, as: UTF8.self))"
    }
  }

  @Test("cuts scalars out and keeps everything else in the key")
  func cutsScalars() {
    let block = scan(#"{"a": 1,"b":"x\"y" , "c":[true,{"d":null}],"e":{},"f":[]}"#)
    #expect(
      describe(block) == [
        "a number 1", #"b string x\"y"#, "c.0 literal true", "c.1.d literal null",
      ])
    let key = "{\"a\": \u{2},\"b\":\"\u{1}\" , \"c\":[\u{3},{\"d\":\u{3}}],\"e\":{},\"f\":[]}"
    #expect(block.shape(0).key == Array(key.utf8))
  }

  @Test("gives records of the same form the same shape, of another form another")
  func sharesShapes() {
    let block = scan(
      #"{"a":1}"#, #"{"a":22.5e3}"#, #"{"a":"1"}"#, #"{"a": 1}"#, "text", #"{"a":-0}"#, #"{"a":""}"#
    )
    #expect(block.shapeOfRecord == [1, 1, 2, 3, 0, 1, 2])
    #expect(block.shapes[0] == .text)
    #expect(block.slotTexts(6) == [[]])
  }

  @Test("keeps shapes known from earlier blocks but numbers them per block")
  func numbersPerBlock() {
    _ = scan(#"{"a":1}"#, #"{"b":1}"#)
    let block = scan(#"{"b":2}"#, #"{"a":3}"#, #"{"b":4}"#)
    #expect(block.shapeOfRecord == [1, 2, 1])
    #expect(block.shapes.map(\.slots.first?.path) == ["", "b", "a"])
  }

  @Test(
    "stores as text what is not one valid JSON object",
    arguments: [
      "", "{", "{}x", "[1]", "1", "null", #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":+1}"#,
      #"{"a":1e}"#, #"{"a":tru}"#, #"{"a":truee}"#, #"{"a":"\x"}"#, #"{"a":"\u12G4"}"#,
      #"{"a":"b}"#, #"{a:1}"#, #"{"a" 1}"#, #"{"a":1,}"#, #"{"a":[1,]}"#, #"{"a":[1}"#,
      #"{,"a":1}"#, #"{"a":1}{"b":2}"#, #"{"a":NaN}"#, "{\"a\":\"\u{1}\"}", "{\"a\":\"\t\"}",
      "{\u{2}}", "{\"a\u{3}\":1}", "\u{4}{}", "{\"a\":1}\u{0}", "{\"a\":1", "{\"a\":1\u{B}}",
      #"{"a":"\"#, #"{"a":"\u12"#, #"{'a':1}"#, #"{"a":1 2}"#, #"{"a":--1}"#, #"{"a":[[]}"#,
    ])
  func storesAsText(_ text: String) {
    // Twice, and beside valid neighbours, so that the learned path is tried as well.
    let block = scan(#"{"a":1}"#, text, #"{"a":"x"}"#, text, #"{"a":[1]}"#)
    #expect(block.shapeOfRecord[1] == 0 && block.shapeOfRecord[3] == 0)
    #expect(block.slotTexts(1) == [Array(text.utf8)])
    #expect(block.shapeOfRecord[0] == 1 && block.shapeOfRecord[2] == 2)
  }

  @Test("accepts whitespace around the object, a carriage return included, and keeps it")
  func whitespaceAround() {
    let text = " \t{ \"a\" :\n1 }\r"
    let block = scan(text, text)
    #expect(block.shapeOfRecord == [1, 1])
    #expect(block.rebuilt(1) == Array(text.utf8))
  }

  @Test("keeps invalid UTF-8 within strings")
  func invalidUTF8() {
    let record = Array(#"{"k":""#.utf8) + [0xFF, 0xC0, 0x80] + Array(#""}"#.utf8)
    let block = scanner.scan(makeBlock([record]), arrivalTime: 0)
    #expect(block.slotTexts(0) == [[0xFF, 0xC0, 0x80]])
    #expect(block.rebuilt(0) == record)
  }

  @Test("stops taking apart at 128 levels and 4,096 slots")
  func limits() {
    func nested(_ depth: Int) -> String {
      String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
    }
    func wide(_ count: Int) -> String {
      "{" + (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
    }
    let block = scan(nested(128), nested(129), wide(4_096), wide(4_097), nested(10_000))
    #expect(block.shapeOfRecord == [1, 0, 2, 0, 0])
    #expect(block.shape(2).slots.filter(\.isHidden).count == 4_096 - 200)
    #expect(block.shape(2).slots[199].isHidden == false)
  }

  @Test("keeps an array of more than 16 elements as one value")
  func longArrays() {
    let sixteen = "[" + (1...16).map(String.init).joined(separator: ",") + "]"
    let seventeen = "[" + (1...17).map { "\"\($0)\"" }.joined(separator: " , ") + "]"
    let block = scan(
      "{\"a\":\(sixteen),\"b\":1}", "{\"a\":\(seventeen),\"b\":1}",
      "{\"a\":[1,\(seventeen),{\"c\":2}]}")
    #expect(block.shape(0).slots.count == 17)
    #expect(describe(block, 1) == ["a verbatim \(seventeen)", "b number 1"])
    #expect(
      describe(block, 2) == ["a.0 number 1", "a.1 verbatim \(seventeen)", "a.2.c number 2"])
  }

  @Test("keeps arrays as one value each when arrays have taken 256 slots")
  func manyArraySlots() {
    let sixteen = "[" + (1...16).map(String.init).joined(separator: ",") + "]"
    let sixteens = (0..<20).map { "\"k\($0)\":\(sixteen)" }.joined(separator: ",")
    let block = scan(
      "{\(sixteens)}", "{\"a\":[\(Array(repeating: sixteen, count: 16).joined(separator: ",")),1]}")
    #expect(block.shape(0).slots.count == 256 + 4)
    #expect(block.shape(0).slots[256].path == "k16")
    #expect(block.shape(0).slots[256].kind == .verbatim)
    // Seventeen elements: the outer array is kept, however full the inner ones are.
    #expect(describe(block, 1).count == 1)
  }

  @Test("decodes escapes in keys for the path and keeps them in the text")
  func escapedKeys() {
    let text = #"{"\u0041\n":1,"b\/c":{"\ud83d\ude00":2,"\ud800":3}}"#
    let block = scan(text)
    #expect(
      block.shape(0).slots.map(\.path) == ["A\n", "b/c.\u{1F600}", "b/c.\u{FFFD}"])
    #expect(block.rebuilt(0) == Array(text.utf8))
  }

  @Test("numbers slots of one path so that the visible one comes last")
  func duplicates() {
    let block = scan(
      #"{"a":1,"a":2}"#, #"{"a":1,"a":"x"}"#, #"{"a.b":1,"a":{"b":2}}"#,
      #"{"\u0061":1,"a":2,"b":3}"#)
    #expect(describe(block, 0) == ["a number 1", "a#1 number 2"])
    #expect(describe(block, 1) == ["a number 1", "a#1 string x"])
    #expect(describe(block, 2) == ["a.b#1 number 1", "a.b number 2"])
    #expect(describe(block, 3) == ["a number 1", "a#1 number 2", "b number 3"])
  }

  @Test("agrees with a naive parser on random JSON, and rebuilds every record")
  func randomJSON() {
    let seed: UInt64 = 20_260_701
    var random = SeededGenerator(seed: seed)
    for round in 0..<60 {
      let records = (0..<40).map { _ in RandomJSON.record(&random) }
      compare(records, "seed \(seed) round \(round)")
    }
  }

  @Test("agrees with a naive parser on damaged JSON and hostile bytes")
  func hostileBytes() {
    let seed: UInt64 = 77
    var random = SeededGenerator(seed: seed)
    for round in 0..<60 {
      let records = (0..<60).map { _ -> [UInt8] in
        var record = RandomJSON.record(&random)
        for _ in 0..<Int.random(in: 0...3, using: &random) where !record.isEmpty {
          let place = Int.random(in: 0..<record.count, using: &random)
          switch Int.random(in: 0..<4, using: &random) {
          case 0: record[place] = UInt8.random(in: 0...255, using: &random)
          case 1: record[place] = Array("{}[]\",:\\0e.-".utf8).randomElement(using: &random)!
          case 2: record.remove(at: place)
          default: record = Array(record[..<place])
          }
        }
        return record
      }
      compare(records + records, "seed \(seed) round \(round)")
    }
  }

  private func compare(_ records: [[UInt8]], _ comment: Comment) {
    let block = scanner.scan(makeBlock(records), arrivalTime: 0)
    for (index, record) in records.enumerated() {
      let expected = ReferenceScanner.scan(record)
      #expect(block.shape(index).key == expected.key, comment)
      #expect(block.slotTexts(index) == expected.slots, comment)
      #expect(block.rebuilt(index) == record, comment)
    }
  }
}

/// Random JSON objects with all that the grammar allows, in few enough forms that some repeat.
enum RandomJSON {
  static func record(_ random: inout SeededGenerator) -> [UInt8] {
    var text: [UInt8] = []
    blanks(&text, &random)
    object(&text, &random, depth: 0)
    blanks(&text, &random)
    return text
  }

  private static func chance(_ percent: Int, _ random: inout SeededGenerator) -> Bool {
    Int.random(in: 0..<100, using: &random) < percent
  }

  private static func blanks(_ text: inout [UInt8], _ random: inout SeededGenerator) {
    while chance(4, &random) {
      text.append([0x20, 0x09, 0x0A, 0x0D].randomElement(using: &random)!)
    }
  }

  private static func object(
    _ text: inout [UInt8], _ random: inout SeededGenerator, depth: Int
  ) {
    text.append(0x7B)
    blanks(&text, &random)
    let count = Int.random(in: 0...(depth == 0 ? 6 : 3), using: &random)
    for index in 0..<count {
      if index > 0 { text.append(0x2C) }
      blanks(&text, &random)
      let keys = [#""a""#, #""b""#, #""a.b""#, #""\u0061""#, #""long key with blanks""#, #""""#]
      text += Array(keys.randomElement(using: &random)!.utf8)
      blanks(&text, &random)
      text.append(0x3A)
      value(&text, &random, depth: depth + 1)
    }
    text.append(0x7D)
  }

  private static func value(_ text: inout [UInt8], _ random: inout SeededGenerator, depth: Int) {
    blanks(&text, &random)
    switch Int.random(in: 0..<(depth > 4 ? 6 : 9), using: &random) {
    case 0, 1, 2: string(&text, &random)
    case 3, 4:
      let numbers = ["0", "-0", "12", "-7.50", "1e5", "1.5E-07", "9223372036854775808", "0.0"]
      text += Array(numbers.randomElement(using: &random)!.utf8)
    case 5: text += Array(["true", "false", "null"].randomElement(using: &random)!.utf8)
    case 6, 7: object(&text, &random, depth: depth)
    default: array(&text, &random, depth: depth)
    }
    blanks(&text, &random)
  }

  private static func array(_ text: inout [UInt8], _ random: inout SeededGenerator, depth: Int) {
    text.append(0x5B)
    blanks(&text, &random)
    let count = Int.random(in: 0...(chance(15, &random) ? 20 : 4), using: &random)
    for index in 0..<count {
      if index > 0 { text.append(0x2C) }
      value(&text, &random, depth: depth + 1)
    }
    text.append(0x5D)
  }

  private static func string(_ text: inout [UInt8], _ random: inout SeededGenerator) {
    text.append(0x22)
    for _ in 0..<Int.random(in: 0...(chance(10, &random) ? 70 : 9), using: &random) {
      switch Int.random(in: 0..<20, using: &random) {
      case 0: text += Array(#"\""#.utf8)
      case 1: text += Array(#"\u00e9"#.utf8)
      case 2: text += Array(#"\\"#.utf8)
      case 3: text += [0xC3, 0xA9]
      case 4: text.append(0xFF)
      default: text.append(UInt8.random(in: 0x61...0x7A, using: &random))
      }
    }
    text.append(0x22)
  }
}
