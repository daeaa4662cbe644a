import Columnar
import TestSupport
import Testing

@Suite struct ByteSearchTests {
  @Test func `a search finds exactly the rows that contain the text`() {
    var random = SeededGenerator(seed: 41)
    let alphabet = Array("abABe:\" ".utf8)
    for round in 0..<3_000 {
      let ignoringCase = round % 2 == 1
      let width = round % 3 == 0 ? 2 : alphabet.count
      func text(_ length: Int) -> [UInt8] {
        (0..<length).map { _ in alphabet[Int.random(in: 0..<width, using: &random)] }
      }
      let rows = (0..<Int.random(in: 0..<80, using: &random)).map { _ in
        text(Int.random(in: 0..<14, using: &random))
      }
      let pattern = text(Int.random(in: 0..<5, using: &random))
      let search = ByteSearch(pattern, ignoringCase: ignoringCase)
      let vector = StringVector(rows.map { String(decoding: $0, as: UTF8.self) })
      let expected = rows.map { Self.contains($0, pattern, ignoringCase) }
      let found = search.rows(in: vector)
      #expect(rows.indices.map { found[$0] } == expected, "pattern \(pattern)")
      #expect(
        rows.map { row in row.withUnsafeBufferPointer { search.isIn($0) } } == expected)
    }
  }

  @Test func `a text that ends one row and begins the next is not found`() {
    let vector = StringVector(["xxer", "ror", "", "error", nil, "an error here"])
    #expect(ByteSearch(Array("error".utf8)).rows(in: vector).setRows() == [3, 5])
  }

  @Test func `a missing row contains nothing, not even the empty text`() {
    let vector = StringVector(["a", nil, ""])
    #expect(ByteSearch([]).rows(in: vector).setRows() == [0, 2])
    #expect(ByteSearch(Array("a".utf8)).rows(in: vector).setRows() == [0])
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `values of every kind are searched as their texts`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 42)
    for pattern in ["", "0", "200", "a", "true", "7 "] {
      let search = ByteSearch(Array(pattern.utf8))
      let vector = world.vector(kind, count: 130)
      let found = search.rows(in: vector)
      let expected = vector.values().map { value in
        value.text.map { Self.contains(Array($0.utf8), Array(pattern.utf8), false) } ?? false
      }
      #expect((0..<130).map { found[$0] } == expected, "\(pattern)")
    }
  }

  private static func contains(_ text: [UInt8], _ pattern: [UInt8], _ folding: Bool) -> Bool {
    func fold(_ byte: UInt8) -> UInt8 {
      folding && (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
    }
    if pattern.count > text.count { return false }
    return (0...(text.count - pattern.count)).contains { start in
      pattern.indices.allSatisfy { fold(text[start + $0]) == fold(pattern[$0]) }
    }
  }
}
