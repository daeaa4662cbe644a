import Columnar
import TestSupport
import Testing

@Suite struct GatherTests {
  @Test(arguments: VectorWorld.Kind.allCases)
  func `a gathered vector has the picked rows in the picked order`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 11)
    for count in VectorWorld.counts {
      let vector = world.vector(kind, count: count)
      let values = vector.values()
      #expect(same(values, (0..<count).map { vector.value(at: $0) }))
      let rows = world.rows(below: count, 100)
      let gathered = vector.gather(rows)
      #expect(gathered.count == rows.count)
      #expect(same(gathered.values(), rows.map { values[Int($0)] }))

      let holed = rows.map { $0 % 3 == 0 ? ColumnVector.missingRow : $0 }
      #expect(
        same(
          vector.gatherOrMissing(holed).values(),
          holed.map { $0 == ColumnVector.missingRow ? .missing : values[Int($0)] }))
    }
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `a column in chunks gives the same rows as the chunks put together`(
    kind: VectorWorld.Kind
  ) {
    var world = VectorWorld(seed: 15)
    for count in VectorWorld.counts where count > 0 {
      let chunks = [
        world.vector(kind, count: count), .missing(count: 3), world.vector(kind, count: 0),
        world.vector(kind, count: count / 2), world.vector(.allCases[count % 3], count: 5),
      ]
      for parts in [chunks, Array(chunks.prefix(4)), Array(chunks.prefix(1))] {
        let values = parts.flatMap { $0.values() }
        let rows = world.rows(below: values.count, 200)
        let gathered = ChunkedColumn(parts).gather(rows)
        #expect(gathered.count == rows.count)
        #expect(same(gathered.values(), rows.map { values[Int($0)] }))
      }
    }
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `compressing keeps the rows whose bit is set`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 12)
    for count in VectorWorld.counts {
      let vector = world.vector(kind, count: count)
      let kept = world.validity(count) ?? Bitmap(repeating: true, count: count)
      #expect(
        same(
          vector.compress(kept).values(),
          (0..<count).filter { kept[$0] }.map { vector.value(at: $0) }))
      #expect(vector.slice(0..<count / 2).count == count / 2)
    }
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `presence is set for the rows that have a value`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 13)
    for count in VectorWorld.counts {
      let vector = world.vector(kind, count: count)
      let present = vector.presence()
      #expect((0..<count).allSatisfy { present[$0] == !vector.value(at: $0).isMissing })
      #expect(present.setCount == present.setRows().count)
    }
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `dense values come to the rows that have one`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 14)
    for count in VectorWorld.counts {
      var presence = Bitmap(repeating: false, count: count)
      for row in 0..<count where Bool.random(using: &world.random) { presence[row] = true }
      let dense = world.vector(kind, count: presence.setCount)
      var next = 0
      let expected = (0..<count).map { row -> Value in
        guard presence[row] else { return .missing }
        next += 1
        return dense.value(at: next - 1)
      }
      #expect(same(dense.expanded(by: presence).values(), expected))
      #expect(
        same(dense.expanded(onto: presence.setRows(), rowCount: count).values(), expected))
    }
  }

  @Test func `concatenated vectors have the rows of each in turn`() {
    var world = VectorWorld(seed: 15)
    for _ in 0..<400 {
      let kinds = [world.pick(VectorWorld.Kind.allCases), world.pick(VectorWorld.Kind.allCases)]
      let parts = (0..<world.pick([1, 2, 5])).map { _ in
        world.vector(world.pick(kinds), count: world.pick(VectorWorld.counts))
      }
      let whole = ColumnVector.concatenate(parts)
      #expect(same(whole.values(), parts.flatMap { $0.values() }), "\(kinds)")
    }
  }

  @Test func `concatenation keeps typed forms and merges dictionaries`() {
    let numbers = ColumnVector.integers(IntegerVector(values: [1, 2]))
    guard case .integers(let v) = ColumnVector.concatenate([numbers, .missing(count: 1), numbers])
    else {
      Issue.record("whole numbers lost their form")
      return
    }
    #expect(v.values == [1, 2, 0, 1, 2])
    func dictionary(_ texts: [String], _ codes: [UInt16]) -> ColumnVector {
      .dictionary(DictionaryVector(codes: codes, entries: .strings(StringVector(texts))))
    }
    let merged = ColumnVector.concatenate([
      dictionary(["a", "b"], [0, 1, 2]), dictionary(["b", "c"], [1, 0, 2]),
    ])
    guard case .dictionary(let d) = merged else {
      Issue.record("dictionaries were not merged")
      return
    }
    #expect(d.codes == [0, 1, 3, 2, 1, 3])
    #expect(d.entries.values() == [.string("a"), .string("b"), .string("c")])
  }

  @Test func `a vector made of values gives them back`() {
    var world = VectorWorld(seed: 16)
    for kind in VectorWorld.Kind.allCases {
      let values = world.vector(kind, count: 70).values()
      #expect(same(ColumnVector(values).values(), values))
    }
  }

  @Test func `a decimal shows its decimals and is the nearest double`() {
    #expect(DecimalNumber.text(mantissa: -5, scale: 2) == "-0.05")
    #expect(DecimalNumber.text(mantissa: 1250, scale: 2) == "12.50")
    #expect(DecimalNumber.text(mantissa: 7, scale: 0) == "7")
    var random = SeededGenerator(seed: 17)
    for _ in 0..<2_000 {
      let mantissa = Int64.random(
        in: -999_999_999_999_999_999...999_999_999_999_999_999, using: &random)
      let scale = Int.random(in: 0...18, using: &random)
      #expect(
        DecimalNumber.double(mantissa: mantissa, scale: scale)
          == Double(DecimalNumber.text(mantissa: mantissa, scale: scale)))
    }
  }

  @Test func `bits are turned over where others are set`() {
    var bitmap = Bitmap(repeating: true, count: 130)
    let rows: [UInt32] = [0, 5, 63, 64, 127, 129]
    var chosen = Bitmap(repeating: true, count: rows.count)
    chosen[1] = false
    bitmap.flip(rows, where: chosen)
    #expect((0..<130).filter { !bitmap[$0] } == [0, 63, 64, 127, 129])
  }

  @Test func `every byte is counted`() {
    let bytes = (0..<1_003).map { UInt8(truncatingIfNeeded: $0 * $0) }
    let counts = ByteHistogram.counts(of: bytes[2...])
    #expect(counts == (0..<256).map { byte in bytes[2...].count { Int($0) == byte } })
  }
}
