import Columnar
import TestSupport

@testable import QueryEngine

/// Batches of random rows with keys, arguments and times, and the same rows one by one.
struct AggregatesWorld {
  struct Row {
    var keys: [Value]
    var argument: Value
    var time: Int64
    var sequence: UInt64
  }

  struct Batch {
    var keys: [ColumnVector]
    var argument: ColumnVector
    var times: [Int64]
    var sequences: [UInt64]
    var rowCount: Int { times.count }
  }

  enum Kind: CaseIterable {
    case missing, constant, integers, timestamps, doubles, decimals, mixedDecimals, booleans
    case strings, dictionary, numberDictionary, values
  }

  var random: SeededGenerator
  private var nextSequence: UInt64 = 0

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  static let texts = [
    "a", "b", "200", "200.0", "007", "7", "", "é", "e\u{301}", "true", "1", "12ms", "-3", " 4 ",
    "1970-01-01 00:00:00.007",
  ]
  static let scalars: [Value] =
    texts.map { .string($0) }
    + [
      .missing, .integer(7), .integer(200), .integer(-3), .double(200), .double(0.5),
      .double(-2.25),
      .sourceNumber(SourceNumber(value: 200, text: "200.0")), .boolean(true), .jsonBoolean(true),
      .timestamp(7), .timestamp(200), .list([.integer(1)]), .map(ValueMap()),
    ]

  mutating func pick<T>(_ values: [T]) -> T { values.randomElement(using: &random)! }

  private mutating func validity(_ count: Int) -> Bitmap? {
    if Bool.random(using: &random) { return nil }
    var bits = Bitmap(repeating: true, count: count)
    for row in 0..<count where Int.random(in: 0..<3, using: &random) == 0 { bits[row] = false }
    return bits
  }

  mutating func vector(_ kind: Kind, _ count: Int) -> ColumnVector {
    switch kind {
    case .missing: return .missing(count: count)
    case .constant: return .constant(pick(Self.scalars.filter { !$0.isMissing }), count: count)
    case .integers: return .integers(integers(count))
    case .timestamps: return .timestamps(integers(count))
    case .doubles:
      return .doubles(
        DoubleVector(
          values: (0..<count).map { _ in pick([0.5, -2.25, 200, 1e6, 0.1, 7]) },
          validity: validity(count)))
    case .decimals:
      return .decimals(
        DecimalVector(
          mantissas: (0..<count).map { _ in pick([10, 25, 70, 20000, -30]) },
          scale: pick([0, 1, 2]),
          validity: validity(count)))
    case .mixedDecimals:
      return .decimals(
        DecimalVector(
          mantissas: (0..<count).map { _ in pick([10, 25, 70, 20000, -30]) },
          scales: (0..<count).map { _ in pick([0, 1, 2]) }, validity: validity(count)))
    case .booleans:
      let valid = validity(count)
      var bits = Bitmap(repeating: false, count: count)
      for row in 0..<count where valid?[row] ?? true && Bool.random(using: &random) {
        bits[row] = true
      }
      return .booleans(BooleanVector(values: bits, validity: valid))
    case .strings:
      var vector = StringVector((0..<count).map { _ in pick(Self.texts) })
      vector.validity = validity(count)
      return .strings(vector)
    case .dictionary: return dictionary(.strings(StringVector(Self.texts)), count)
    case .numberDictionary:
      return dictionary(.integers(IntegerVector(values: [7, 200, -3, 4])), count)
    case .values: return .values((0..<count).map { _ in pick(Self.scalars) })
    }
  }

  private mutating func integers(_ count: Int) -> IntegerVector {
    IntegerVector(
      values: (0..<count).map { _ in pick([7, 200, -3, 4, 1, 0]) }, validity: validity(count))
  }

  private mutating func dictionary(_ entries: ColumnVector, _ count: Int) -> ColumnVector {
    .dictionary(
      DictionaryVector(
        codes: (0..<count).map { _ in
          UInt16.random(in: 0...UInt16(entries.count), using: &random)
        }, entries: entries))
  }

  mutating func batch(keyCount: Int, count: Int, kinds: [Kind] = Kind.allCases) -> Batch {
    let sequences = (0..<UInt64(count)).map { nextSequence + $0 }.shuffled(using: &random)
    nextSequence += UInt64(count)
    return Batch(
      keys: (0..<keyCount).map { _ in vector(pick(Kind.allCases), count) },
      argument: vector(pick(kinds), count),
      times: (0..<count).map { _ in Int64.random(in: 0..<20, using: &random) },
      sequences: sequences)
  }

  static func rows(of batches: [Batch]) -> [Row] {
    batches.flatMap { batch in
      (0..<batch.rowCount).map { row in
        Row(
          keys: batch.keys.map { $0.value(at: row) }, argument: batch.argument.value(at: row),
          time: batch.times[row], sequence: batch.sequences[row])
      }
    }
  }

  /// Which value a group shows: the first of the highest rank.
  static func rank(_ value: Value) -> Int {
    switch value {
    case .missing, .list, .map: 0
    case .string: 1
    case .boolean, .jsonBoolean: 2
    case .timestamp: 3
    case .integer, .double, .sourceNumber: 4
    }
  }

  /// Groups in order of first appearance, by the key bytes of their values.
  static func groups(_ rows: [Row]) -> (groupOfRow: [Int], rowsOfGroup: [[Row]]) {
    var known: [[UInt8]: Int] = [:]
    var groupOfRow: [Int] = []
    var rowsOfGroup: [[Row]] = []
    for row in rows {
      var key: [UInt8] = []
      for value in row.keys { KeyIdentity.append(value, to: &key) }
      let group = known[key] ?? known.count
      known[key] = group
      groupOfRow.append(group)
      if group == rowsOfGroup.count { rowsOfGroup.append([]) }
      rowsOfGroup[group].append(row)
    }
    return (groupOfRow, rowsOfGroup)
  }
}
