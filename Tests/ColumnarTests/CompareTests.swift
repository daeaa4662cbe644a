import Columnar
import Testing

@Suite struct CompareTests {
  static let comparisons: [FieldPredicate.Comparison] = [
    .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
  ]

  @Test(arguments: VectorWorld.Kind.allCases)
  func `a column compares with a literal as its values do one by one`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 21)
    for literal in VectorWorld.literals where !literal.isMissing {
      for comparison in Self.comparisons {
        let vector = world.vector(kind, count: world.pick(VectorWorld.counts))
        let rows = LiteralComparison(comparison, literal).rows(of: vector)
        let expected = vector.values().map { comparison.holds($0, literal) }
        #expect(
          (0..<vector.count).map { rows[$0] } == expected, "\(comparison) \(literal) of \(vector)")
      }
    }
  }

  @Test func `columns of every pair of kinds compare as their values do row by row`() {
    var world = VectorWorld(seed: 22)
    for a in VectorWorld.Kind.allCases {
      for b in VectorWorld.Kind.allCases {
        for comparison in Self.comparisons {
          let count = world.pick([0, 1, 64, 130])
          let x = world.vector(a, count: count)
          let y = world.vector(b, count: count)
          let rows = x.compare(comparison, y)
          let expected = (0..<count).map { comparison.holds(x.value(at: $0), y.value(at: $0)) }
          #expect((0..<count).map { rows[$0] } == expected, "\(a) \(comparison) \(b)")
        }
      }
    }
  }

  @Test func `a missing literal asks for presence`() {
    let vector = ColumnVector.values([.integer(1), .missing])
    #expect(LiteralComparison(.equal, .missing).rows(of: vector).setRows() == [1])
    #expect(LiteralComparison(.notEqual, .missing).rows(of: vector).setRows() == [0])
    #expect(LiteralComparison(.less, .missing).rows(of: vector).isEmpty)
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `a list has a value when one of its elements equals it`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 23)
    for size in [0, 1, 3, 8, 9, 40, 70] {
      for _ in 0..<5 {
        let literals = (0..<size).map { _ in world.pick(VectorWorld.literals) }
        let test = MembershipTest(literals)
        let vector = world.vector(kind, count: world.pick(VectorWorld.counts))
        let values = vector.values()
        let inside = values.map { value in
          literals.contains { FieldPredicate.Comparison.equal.holds(value, $0) }
        }
        let rows = test.rows(of: vector)
        #expect((0..<vector.count).map { rows[$0] } == inside, "\(literals)")
        let outside = test.rowsOutside(of: vector)
        #expect(
          (0..<vector.count).map { outside[$0] }
            == zip(values, inside).map { !$0.isMissing && !$0.isStructure && !$1 })
      }
    }
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `a column is true where its values are`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 24)
    for count in VectorWorld.counts {
      let vector = world.vector(kind, count: count)
      let rows = vector.truth()
      #expect((0..<count).map { rows[$0] } == vector.values().map(\.truth))
    }
  }
}
