import Columnar
import TestSupport
import Testing

@Suite struct TableTests {
  @Test func `keys are numbered in the order of their first appearance`() {
    var random = SeededGenerator(seed: 51)
    var bytes = ByteTable(seed: 1)
    var words = WordTable(seed: 1)
    var byteReference: [[UInt8]: UInt32] = [:]
    var wordReference: [UInt64: UInt32] = [:]
    for _ in 0..<20_000 {
      let length = Int.random(in: 0..<40, using: &random)
      let key = [UInt8](repeating: UInt8.random(in: 0..<60, using: &random), count: length)
      let expected = byteReference[key] ?? UInt32(byteReference.count)
      byteReference[key] = expected
      #expect(key.withUnsafeBufferPointer { bytes.insert($0) } == expected)
      let word = UInt64.random(in: 0..<5_000, using: &random) << 40
      let number = wordReference[word] ?? UInt32(wordReference.count)
      wordReference[word] = number
      #expect(words.insert(word) == number)
    }
    #expect(bytes.count == byteReference.count)
    for (key, number) in byteReference {
      #expect(key.withUnsafeBufferPointer { bytes.find($0) } == number)
      #expect(bytes.withKey(number) { Array($0) } == key)
    }
    #expect(words.find(1) == nil)
    #expect([UInt8](repeating: 99, count: 3).withUnsafeBufferPointer { bytes.find($0) } == nil)
  }

  /// Copies share blocks of keys, and each writes on.
  @Test(arguments: [1, 2, 3])
  func `a copy of a table goes its own way`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var tables = [(table: ByteTable(seed: seed), keys: [[UInt8]]())]
    for _ in 0..<2_000 {
      if Int.random(in: 0..<50, using: &random) == 0 {
        let copied = tables.randomElement(using: &random)!
        if tables.count == 5 { tables.remove(at: Int.random(in: 0..<5, using: &random)) }
        tables.append(copied)
      }
      let index = tables.indices.randomElement(using: &random)!
      let length = [0, 3, 8, 9, 200, 3_000].randomElement(using: &random)!
      let key = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let number = key.withUnsafeBufferPointer { tables[index].table.insert($0) }
      if Int(number) == tables[index].keys.count { tables[index].keys.append(key) }
    }
    for (table, keys) in tables {
      #expect(table.count == keys.count)
      let kept = keys.indices.map { number in table.withKey(UInt32(number)) { Array($0) } }
      let isEqual = kept == keys
      #expect(isEqual, "seed \(seed)")
      #expect(table.byteCount >= keys.reduce(0) { $0 + $1.count })
    }
  }
}
