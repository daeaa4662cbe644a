import Columnar
import Testing

@Suite struct ArithmeticTests {
  static let operators: [ArithmeticOperator] = [.add, .subtract, .multiply, .divide, .remainder]

  /// The rule of the language for two single values.
  static func result(_ operation: ArithmeticOperator, _ a: Value, _ b: Value) -> Value {
    guard let x = a.number, let y = b.number else { return .missing }
    switch operation.apply(x, y) {
    case .integer(let number): return .integer(number)
    case .double(let number): return .double(number)
    case nil: return .missing
    }
  }

  @Test func `columns of every pair of kinds compute as their values do row by row`() {
    var world = VectorWorld(seed: 31)
    for a in VectorWorld.Kind.allCases {
      for b in VectorWorld.Kind.allCases {
        for operation in Self.operators {
          let count = world.pick([0, 1, 64, 130])
          let x = world.vector(a, count: count)
          let y = world.vector(b, count: count)
          let expected = (0..<count).map {
            Self.result(operation, x.value(at: $0), y.value(at: $0))
          }
          #expect(same(x.arithmetic(operation, y).values(), expected), "\(a) \(operation) \(b)")
        }
      }
    }
  }

  @Test func `whole numbers stay whole until they overflow`() {
    func compute(_ operation: ArithmeticOperator, _ a: Int64, _ b: Int64) -> Value {
      Self.result(operation, .integer(a), .integer(b))
    }
    #expect(compute(.add, .max, 1) == .double(0x1p63))
    #expect(compute(.subtract, .max, 1) == .integer(.max - 1))
    #expect(compute(.multiply, 3_037_000_500, 3_037_000_500) == .double(9223372037000249344))
    #expect(compute(.divide, 7, 2) == .double(3.5))
    #expect(compute(.divide, 1, 0) == .missing)
    #expect(compute(.remainder, 7, 4) == .integer(3))
    #expect(compute(.remainder, -7, 4) == .integer(-3))
    #expect(compute(.remainder, 7, 0) == .missing)
    #expect(compute(.remainder, .min, -1) == .integer(0))
  }

  @Test(arguments: VectorWorld.Kind.allCases)
  func `numbers of a column are the numbers of its values`(kind: VectorWorld.Kind) {
    var world = VectorWorld(seed: 32)
    for count in VectorWorld.counts {
      let vector = world.vector(kind, count: count)
      let numbers = vector.numbers()
      #expect((0..<count).map { numbers.number(at: $0) } == vector.values().map(\.number))
      #expect(
        (0..<count).allSatisfy {
          numbers.doubles.values[$0] == numbers.number(at: $0)?.asDouble
            || numbers.number(at: $0) == nil
        })
    }
  }

  @Test func `turning the sign of the smallest whole number gives a double`() {
    let vector = ColumnVector.integers(IntegerVector(values: [.min, 5]))
    #expect(vector.negated().values() == [.double(0x1p63), .integer(-5)])
  }

  @Test func `a time plus a duration is a time`() {
    let times = ColumnVector.timestamps(
      IntegerVector(values: [1_000, 0], validity: Bitmap(rows: [0], count: 2)))
    #expect(times.shifted(byMilliseconds: -300).values() == [.timestamp(700), .missing])
    let mixed = ColumnVector.values([.timestamp(5), .integer(5), .string("x")])
    #expect(mixed.shifted(byMilliseconds: 1).values() == [.timestamp(6), .integer(6), .missing])
  }

  @Test func `a function of doubles that is not finite gives no value`() {
    let a = ColumnVector.integers(IntegerVector(values: [1, 2]))
    let b = ColumnVector.values([.string("0"), .string("4")])
    #expect(a.combiningNumbers(with: b) { $0 / $1 }.values() == [.missing, .double(0.5)])
  }
}
