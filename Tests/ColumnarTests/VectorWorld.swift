import Columnar
import TestSupport

/// Small vectors of every kind, full of the values at which rules change.
struct VectorWorld {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  enum Kind: CaseIterable {
    case missing, constant, integers, timestamps, doubles, decimals, mixedDecimals, booleans
    case strings, dictionary, literalDictionary, numberDictionary, values
  }

  static let counts = [0, 1, 2, 63, 64, 65, 130]

  static let integers: [Int64] = [
    0, 1, -1, 2, 7, 42, 200, 404, 1_772_445_600_000, 9_007_199_254_740_992, 9_007_199_254_740_993,
    .min, .max, .min + 1, .max - 1, -200,
  ]
  static let doubles: [Double] = [
    0, -0.0, 0.5, -0.5, 1, 2.5, 200, 200.5, 1e18, 9.3e18, -1e300, 1e300, 0.1, 1e-9, 12.34,
    .leastNonzeroMagnitude,
  ]
  static let texts: [String] = [
    "", "a", "b", "ab", "abc", "A", "200", "200.0", "007", "7", "-7", " 7 ", "1e3", "0.5", ".5",
    "5.",
    "true", "TRUE", "false", "NaN", "é", "e\u{301}", "\u{FFFD}", "😀", "z", "12ms", "-", "+3",
    "0x10",
    "2026-03-02 10:00:00.000", "9223372036854775808", "123456789012345678901234567890", "1.50",
    "0", "-0", "1",
  ]
  /// Values of every type, for literals.
  static let literals: [Value] =
    [.missing, .boolean(true), .boolean(false), .jsonBoolean(true), .jsonBoolean(false)]
    + integers.map(Value.integer) + doubles.map(Value.double) + texts.map(Value.string)
    + [
      .timestamp(0), .timestamp(1_772_445_600_000), .timestamp(200),
      .sourceNumber(SourceNumber(value: 200, text: "200.0")),
      .sourceNumber(SourceNumber(value: 18446744073709551616, text: "18446744073709551616")),
      .list([.integer(1)]), .map(ValueMap(keys: ["a"], values: [.integer(1)])),
    ]

  mutating func pick<T>(_ values: [T]) -> T { values.randomElement(using: &random)! }

  mutating func validity(_ count: Int) -> Bitmap? {
    switch Int.random(in: 0..<3, using: &random) {
    case 0: return nil
    case 1: return Bitmap(repeating: false, count: count)
    default:
      var bits = Bitmap(repeating: true, count: count)
      for row in 0..<count where Bool.random(using: &random) { bits[row] = false }
      return bits
    }
  }

  mutating func vector(_ kind: Kind, count: Int) -> ColumnVector {
    switch kind {
    case .missing: return .missing(count: count)
    case .constant:
      return .constant(pick(Self.literals.filter { !$0.isMissing }), count: count)
    case .integers: return .integers(integers(count))
    case .timestamps: return .timestamps(integers(count))
    case .doubles:
      return .doubles(
        DoubleVector(
          values: (0..<count).map { _ in pick(Self.doubles) }, validity: validity(count)))
    case .decimals:
      return .decimals(
        DecimalVector(
          mantissas: (0..<count).map { _ in mantissa() }, scale: pick([0, 1, 2, 18]),
          validity: validity(count)))
    case .mixedDecimals:
      return .decimals(
        DecimalVector(
          mantissas: (0..<count).map { _ in mantissa() },
          scales: (0..<count).map { _ in pick([0, 1, 2, 18]) }, validity: validity(count)))
    case .booleans:
      let valid = validity(count)
      var bits = Bitmap(repeating: false, count: count)
      for row in 0..<count where Bool.random(using: &random) && (valid?[row] ?? true) {
        bits[row] = true
      }
      return .booleans(BooleanVector(values: bits, validity: valid))
    case .strings: return .strings(strings(count))
    case .dictionary: return dictionary(.strings(StringVector(Self.texts)), count)
    case .literalDictionary:
      return dictionary(.values([.jsonBoolean(true), .jsonBoolean(false)]), count)
    case .numberDictionary:
      return dictionary(.integers(IntegerVector(values: Self.integers)), count)
    case .values: return .values((0..<count).map { _ in pick(Self.literals) })
    }
  }

  private mutating func integers(_ count: Int) -> IntegerVector {
    IntegerVector(
      values: (0..<count).map { _ in pick(Self.integers) }, validity: validity(count))
  }

  private mutating func mantissa() -> Int64 {
    pick([0, 5, -5, 50, 125, 2000, 20050, 999_999_999_999_999_999, -999_999_999_999_999_999])
  }

  /// Texts, among them some with invalid UTF-8, with bytes between them that belong to missing rows.
  private mutating func strings(_ count: Int) -> StringVector {
    var vector = StringVector()
    for _ in 0..<count {
      if Int.random(in: 0..<12, using: &random) == 0 {
        vector.bytes += pick([[0xFF], [0x61, 0xC3], [0xE2, 0x82]])
      } else {
        vector.bytes += Array(pick(Self.texts).utf8)
      }
      vector.offsets.append(UInt32(vector.bytes.count))
    }
    vector.validity = validity(count)
    return vector
  }

  private mutating func dictionary(_ entries: ColumnVector, _ count: Int) -> ColumnVector {
    .dictionary(
      DictionaryVector(
        codes: (0..<count).map { _ in UInt16.random(in: 0...UInt16(entries.count), using: &random)
        },
        entries: entries))
  }

  mutating func rows(below count: Int, _ wanted: Int) -> SelectionVector {
    count == 0 ? [] : (0..<wanted).map { _ in UInt32.random(in: 0..<UInt32(count), using: &random) }
  }
}

/// Equality of values by their code points; `==` takes canonically equivalent texts for equal.
func same(_ a: Value, _ b: Value) -> Bool {
  switch (a, b) {
  case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
  case (.double(let x), .double(let y)): x == y
  default: a == b
  }
}

func same(_ a: [Value], _ b: [Value]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { same($0, $1) }
}
