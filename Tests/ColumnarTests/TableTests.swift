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
}
